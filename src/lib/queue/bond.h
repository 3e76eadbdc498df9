/* SPDX-License-Identifier: MIT */
/*
 * Bonds and leases. A bond is this process's tie to a queue; a lease is what one thread holds of a
 * bond on one path: its portal, its credits.
 */
#ifndef SVA_QUEUE_BOND_H
#define SVA_QUEUE_BOND_H

#include "lib/base/bias.h"
#include "lib/base/bus.h"
#include "lib/base/fd.h"
#include "lib/base/process.h"
#include "lib/find/discover.h"
#include "lib/op/op.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

#define SVA_BOND_MAGIC 0x73766120626f6e64ull

/*
 * RETIRED: a device did not write a record in time, so the queue was given up. LOST: the program
 * has closed the queue's descriptor, so nothing more can be submitted; what was submitted ends as
 * usual.
 */
enum sva_bond_state { SVA_BOND_LIVE, SVA_BOND_RETIRED, SVA_BOND_LOST };

/*
 * Submissions and calls of the module return -SVA_LOST when the file descriptor is no longer ours.
 * Callers of the library never see it.
 */
#define SVA_LOST EBADFD

struct sva_submit_ops;

/* The tie between this process and a queue. One for each queue and process. */
struct sva_bond {
	struct sva_bond *next;      /* sva_process.bonds */
	uint64_t magic;
	unsigned int generation;
	unsigned int refs;  /* of handles, contexts and buffers; sva_process.lock */
	atomic_uint holds;  /* 1 for all refs, 1 for each pinned operation; 0: closing */
	atomic_uint state;  /* enum sva_bond_state */
	const struct sva_submit_ops *ops; /* of the first path, on which bond handles submit */
	const struct sva_identity *id;    /* of that path, for results */

	/* The queue, as discovered when it was bound; strings are interned. */
	const char *name, *device;
	const char *node;         /* "" for soft */
	struct sva_policy policy; /* of the context that bound it first */
	uint32_t mode, entries, max_batch, version;
	uint64_t max_transfer, gen_cap, op_cap[4];
	bool block_on_fault;
	int numa_node;

	/* What its paths have opened. */
	struct sva_file file; /* of the node */
	void *portal;         /* NULL: not mapped */
	uint32_t ready;       /* bit n: path n may submit */
	void *side;           /* the path's own data about it, or NULL */
	void (*pump)(struct sva_bond *bond, uint64_t wait_ns); /* of its path, or NULL */

	/* Credits of a dedicated queue; those of a shared one are not counted. */
	pthread_mutex_t lock;
	uint32_t pool;       /* credits that no lease holds */
	atomic_bool starved; /* a thread found the pool empty: credits go straight back to it */
	struct sva_lease *leases;
};

/* The owner of leases: the part of a thread's share of a context that this room knows. */
struct sva_lessee {
	struct sva_bias bias;
	_Atomic(const void *) owner; /* the thread's sva_tls; NULL: it ended. Needs sva::lock */
	const struct sva_policy *policy; /* of the context */
	struct sva_lease *pinned; /* leases for operations that may only go to one bond */
};

/*
 * What one thread holds of one bond on one path. Read and written inside the thread's bias section.
 */
#define SVA_LEASE_WORDS 36 /* opcodes from here on take the long road */

struct sva_lease {
	void *portal;
	int32_t credits;
	atomic_bool dead; /* nothing may be submitted; outside the section only a hint */
	bool counted;     /* the queue is dedicated, so credits are counted */
	uint8_t path;
	uint8_t store;              /* of ops */
	bool is_group;              /* of operations behind one batch descriptor; see run/group.h */
	const atomic_bool *starved; /* of bond */
	/*
	 * What stands for this lease in an operation whose credit was given back before it ended
	 * (run/credits.c).
	 */
	struct sva_lease *paid;
	uint64_t max_transfer;
	uint64_t fast_max;          /* the longest operation without flags that words fits */
	struct sva_bond *bond;
	const struct sva_submit_ops *ops;
	struct sva_lessee *lessee;
	/*
	 * Flags and opcode of an operation without flags of its own, by opcode; 0: not on this
	 * queue. A refusal clears one (caps.c), while the owner may read it: hence atomically.
	 */
	uint32_t words[SVA_LEASE_WORDS];
	struct sva_lease *next;        /* sva_bond::leases */
	struct sva_lease *next_pinned; /* sva_lessee::pinned */
	const struct sva_identity *id;

	/* ns: the first and the last time it was full since it took a descriptor; 0: it was not */
	uint64_t full_since, full_at;
};

/*
 * Get the bond of a queue for a path, and open the queue and the path if need be. The caller owns
 * one reference. Returns 0, or -errno with *reason.
 */
int sva_bond_get(const struct sva_config *config, const struct sva_queue *queue, int path,
		 struct sva_bond **bond, uint32_t *reason);
/* The settings of a context with this configuration for faults, full queues and missing records. */
struct sva_policy sva_policy_of(const struct sva_config *config);
/*
 * Release a reference without waiting for a device; the last hold closes the queue. See
 * sva_bond_put().
 */
void sva_bond_unref(struct sva_bond *bond);
/*
 * sva_bond_hold(): another hold of the caller must keep the bond alive. After sva_bond_drop() the
 * bond may be freed.
 */
static inline void sva_bond_hold(struct sva_bond *bond)
{
	atomic_fetch_add_explicit(&bond->holds, 1, memory_order_relaxed);
}

/* Returns false if it is being closed. */
bool sva_bond_try_hold(struct sva_bond *bond);
void sva_bond_drop(struct sva_bond *bond);
/*
 * The file descriptor is no longer ours (a submission returned -SVA_LOST): stop every lease on it.
 */
void sva_bond_lost(struct sva_bond *bond);
/*
 * Give the queue up, since its device did not write a record in time: stop the leases, unmap,
 * close. Afterwards no device writes for its operations.
 */
void sva_bond_retire(struct sva_bond *bond);
/* Returns 0; -EINVAL: no bond; -ESTALE: one from before a fork; -EIO: retired or lost. */
int sva_bond_check(const struct sva_bond *bond);
/* With bond->lock held: stop all submissions on its leases. */
void sva_bond_kill_leases(struct sva_bond *bond);
/*
 * The lease of this thread on a bond that operations are pinned to, made when needed; NULL: no
 * memory.
 */
struct sva_lease *sva_lease_pinned(struct sva_lessee *lessee, struct sva_bond *bond);
/* Free all leases of that kind, when the thread's share is freed. */
void sva_lease_free_pinned(struct sva_lessee *lessee);
/*
 * The last hold on the bond is gone: free the leases that threads of the anchor context have on it.
 */
void sva_bond_free_leases(struct sva_bond *bond);

/* reason: why no better path is taken than this one, for results. */
struct sva_lease *sva_lease_new(struct sva_lessee *lessee, struct sva_bond *bond, int path,
				uint32_t reason);
void sva_lease_free(struct sva_lease *lease);
/*
 * Called outside the bias section: get credits for an empty lease. Returns false if there are none.
 */
bool sva_lease_refill(struct sva_lease *lease);
/*
 * From here on until the pool has recovered, credits go straight back to it; visit every lease on
 * the bond, all at once, with bond->lock held.
 */
void sva_bond_visit_starved(struct sva_bond *bond, void (*each)(struct sva_lease *lease));

/* Larger results are written to memory: they would push everything else out of the cache. */
#define SVA_CAPS_CACHE_LIMIT (1u << 20)

/* The words of a new lease. */
void sva_caps_fill_words(struct sva_lease *lease);
/* The flags and opcode of an operation's descriptor for this queue. */
uint32_t sva_caps_word(const struct sva_bond *bond, const struct sva_op *op);
/*
 * Does the queue have this operation, with these flags? If it has no list of operations, it counts
 * as having all; if it reports no capabilities, as having none.
 */
bool sva_caps_can_do(const struct sva_bond *bond, const struct sva_op *op);
/* Does it take batch descriptors? */
bool sva_caps_has_batch(const struct sva_bond *bond);
/*
 * A device has refused an operation, or an overlapping copy: do not submit such to the queue again.
 */
void sva_caps_forget_operation(struct sva_bond *bond, unsigned int opcode);
void sva_caps_forget_overlap(struct sva_bond *bond);

/* Is the caller the thread that this belongs to? */
static inline bool sva_lessee_is_own(const struct sva_lessee *lessee)
{
	return atomic_load_explicit(&lessee->owner, memory_order_relaxed) == &sva_tls;
}

/* Enter and leave the bias section of any thread. */
static inline void sva_lessee_enter(struct sva_lessee *lessee)
{
	if (likely(sva_lessee_is_own(lessee))) {
		sva_bias_enter(&lessee->bias);
	} else {
		sva_bias_visit_begin(&lessee->bias);
		sva_bias_visit_fence();
		sva_bias_visit_wait(&lessee->bias);
	}
}

static inline void sva_lessee_leave(struct sva_lessee *lessee)
{
	if (likely(sva_lessee_is_own(lessee)))
		sva_bias_exit(&lessee->bias);
	else
		sva_bias_visit_end(&lessee->bias);
}

#pragma GCC visibility pop

#endif
