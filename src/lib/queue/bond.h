/* SPDX-License-Identifier: MIT */
/* Bonds and leases: what this process has of a queue, and what a thread has of that. */
#ifndef SVA_QUEUE_BOND_H
#define SVA_QUEUE_BOND_H

#include "lib/base/bias.h"
#include "lib/base/bus.h"
#include "lib/base/fd.h"
#include "lib/base/process.h"
#include "lib/find/discover.h"
#include "lib/op/op.h"

/*
 * Nothing of this is exported: say so where it is used, too, so that it is reached without an
 * indirection.
 */
#pragma GCC visibility push(hidden)

#define SVA_BOND_MAGIC 0x73766120626f6e64ull

/*
 * RETIRED: the device has stopped answering. LOST: the program has closed the queue's descriptor,
 * so nothing more can be submitted; what was submitted ends as usual.
 */
enum sva_bond_state { SVA_BOND_LIVE, SVA_BOND_RETIRED, SVA_BOND_LOST };

/*
 * What a submission, and a call of the module, returns when the descriptor is no longer ours.
 * Callers of the library never see it.
 */
#define SVA_LOST EBADFD

struct sva_submit_ops;

/* The tie between this process and a queue. One for each queue and process. */
struct sva_bond {
	struct sva_bond *next;      /* sva_process.bonds */
	uint64_t magic;
	unsigned int generation;
	unsigned int refs;          /* of handles, contexts and buffers; sva_process.lock */
	atomic_uint holds;          /* 1 for all refs, 1 for each pinned operation; 0: closing */
	atomic_uint state;          /* enum sva_bond_state */
	const struct sva_submit_ops *ops; /* of the path that bond handles submit on, the first */
	const struct sva_identity *id; /* of that path, for results */
	/* The queue, as discovered when it was bound; strings are interned. */
	const char *name, *device;
	const char *node;           /* "" for soft */
	struct sva_policy policy;   /* of the context that bound it first */
	uint32_t mode, entries, max_batch, version;
	uint64_t max_transfer, gen_cap, op_cap[4];
	bool block_on_fault;
	int numa_node;
	/* What the paths made of it. */
	struct sva_file file;       /* of the node */
	void *portal;               /* NULL: not mapped */
	uint32_t ready;             /* bit n: path n may submit */
	void *side;                 /* what ops keeps for it; NULL: nothing */
	/* of its path; NULL: the device writes records itself */
	void (*pump)(struct sva_bond *bond, uint64_t wait_ns);
	/* Credits of a dedicated queue; a shared one has no limit here. */
	pthread_mutex_t lock;
	uint32_t pool;              /* credits that no lease holds */
	/* somebody found the pool empty: credits go back to it at once */
	atomic_bool thirsty;
	struct sva_lease *leases;
};

/* What leases belong to: the part of a thread's share of a context that this room knows. */
struct sva_lessee {
	struct sva_bias bias;
	/* the thread's sva_tls; NULL: the thread is gone. Written with sva::lock */
	_Atomic(const void *) owner;
	const struct sva_policy *policy; /* of the context */
	struct sva_lease *pinned;   /* leases of operations that go to one bond and no other */
};

/*
 * What one thread holds of one bond on one path. Read and written inside the thread's bias section.
 */
struct sva_lease {
	/* ops->submit, one load nearer */
	int (*submit)(struct sva_lease *lease, const struct sva_desc *desc);
	void *portal;
	uint32_t move_word, fill_word; /* flags and opcode of a plain copy, a plain fill */
	int32_t credits;
	/*
	 * the bond was retired; credits are far below zero. Also looked at outside the section, as
	 * a hint
	 */
	atomic_bool dead;
	bool counted;               /* credits are real */
	uint8_t path;
	uint64_t max_transfer;
	struct sva_bond *bond;
	const struct sva_submit_ops *ops;
	struct sva_lessee *lessee;
	struct sva_lease *next;     /* sva_bond::leases */
	struct sva_lease *next_pinned; /* sva_lessee::pinned */
	const struct sva_identity *id;
	/*
	 * The queue answered "full", and nothing else, from then to then (ns); full_since is 0 when
	 * it has taken something.
	 */
	uint64_t full_since, full_at;
};

/*
 * Get the bond of a queue for a path, open it if need be; one reference is the caller's. 0 or
 * -errno with *reason.
 */
int sva_bond_get(const struct sva_config *config, const struct sva_queue *queue, int path,
		 struct sva_bond **bond, uint32_t *reason);
/*
 * What a context of this configuration does about faults, full queues and records that do not come.
 */
struct sva_policy sva_policy_of(const struct sva_config *config);
/*
 * Give a reference back without waiting for a device; the last hold closes the queue. See
 * sva_bond_put().
 */
void sva_bond_unref(struct sva_bond *bond);
/* The caller knows that the bond is alive. After the drop it may be gone. */
static inline void sva_bond_hold(struct sva_bond *bond)
{
	atomic_fetch_add_explicit(&bond->holds, 1, memory_order_relaxed);
}

/* false: it is being closed. */
bool sva_bond_try_hold(struct sva_bond *bond);
void sva_bond_drop(struct sva_bond *bond);
/*
 * The descriptor is no longer ours (a submission returned -SVA_LOST): no lease on it submits any
 * more.
 */
void sva_bond_lost(struct sva_bond *bond);
/*
 * The device has stopped answering: quiesce, unmap, close. Afterwards nothing can write on its
 * behalf.
 */
void sva_bond_retire(struct sva_bond *bond);
int sva_bond_check(const struct sva_bond *bond);
/* With bond->lock held: no lease on it will submit any more. */
void sva_bond_kill_leases(struct sva_bond *bond);
/*
 * The lease of this thread on a bond that operations are pinned to, made when needed; NULL: no
 * memory.
 */
struct sva_lease *sva_lease_pinned(struct sva_lessee *lessee, struct sva_bond *bond);
/* The thread's share goes: so do these. */
void sva_lease_free_pinned(struct sva_lessee *lessee);
/* Nobody has the bond any more: free what threads of the anchor context hold of it. */
void sva_bond_free_leases(struct sva_bond *bond);

/* reason: why no better path is taken than this one, for results. */
struct sva_lease *sva_lease_new(struct sva_lessee *lessee, struct sva_bond *bond, int path,
				uint32_t reason);
void sva_lease_free(struct sva_lease *lease);
/* Outside the bias section: get credits into an empty lease. false: there are none. */
bool sva_lease_refill(struct sva_lease *lease);
/* Give a credit back that no lease of this thread took. */
void sva_bond_return_credit(struct sva_bond *bond);

/* Flags and opcode for a queue. */
uint32_t sva_caps_word(const struct sva_bond *bond, const struct sva_op *op);
/*
 * Has the queue this operation, with these flags? An unknown list of operations counts as yes,
 * unknown capabilities as no.
 */
bool sva_caps_can_do(const struct sva_bond *bond, const struct sva_op *op);
/* A device has refused an operation, an overlapping copy: the queue is not asked again. */
void sva_caps_forget_operation(struct sva_bond *bond, unsigned int opcode);
void sva_caps_forget_overlap(struct sva_bond *bond);

/* Is the caller the thread that this belongs to? */
static inline bool sva_lessee_is_own(const struct sva_lessee *lessee)
{
	return atomic_load_explicit(&lessee->owner, memory_order_relaxed) == &sva_tls;
}

/* Into the bias section of any thread, and out of it. */
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
