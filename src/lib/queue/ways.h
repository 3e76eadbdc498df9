/* SPDX-License-Identifier: MIT */
/*
 * The submission table: a row for each path on which a 64-byte descriptor reaches what executes it.
 * Code above the table asks a row what it can do, and never which row it is. A new path is one file
 * with its row, its line in ways.c, and its number and name (enum sva_path, base/words.c).
 */
#ifndef SVA_QUEUE_WAYS_H
#define SVA_QUEUE_WAYS_H

#include "lib/queue/bond.h"

struct stat;

/* How a descriptor gets to a mapped portal with one instruction; otherwise there is submit(). */
enum sva_store { SVA_STORE_CALL, SVA_STORE_ENQCMD, SVA_STORE_MOVDIR64B };

struct sva_submit_ops {
	uint8_t path;          /* enum sva_path */
	uint32_t mode;         /* SVA_MODE_* that a queue must have; SVA_MODE_UNKNOWN: any */
	uint32_t cpu_features; /* SVA_CPU_* that it needs; 0: none */
	uint32_t no_cpu;       /* enum sva_reason if the CPU lacks them */
	uint32_t foreign;      /* enum sva_reason if the node is not one of this path */

	/* What differs between the paths, as code above the table needs it. */
	uint8_t store;            /* enum sva_store: what submit() does, to be done in line */
	bool batch_opcode;        /* takes batch descriptors, whatever the device's version */
	bool always_completes;    /* a record always comes, however late: it is not timed */
	bool is_software;         /* no device: no better than the CPU for a caller that waits */
	bool full_may_mean_stuck; /* a queue that is disabled or halted answers "full", too */
	bool pins;                /* pins pages during an operation: RLIMIT_MEMLOCK limits it */
	bool bindable;            /* sva_bind() takes the name of the path's own queue */

	/* The queue of a path that has one of its own; NULL: any queue that was discovered. */
	const struct sva_queue *(*queue)(void);
	/*
	 * Is that queue present? Returns 0 with *reason, or -errno if a shortage kept it from
	 * finding out. NULL: it always is.
	 */
	int (*probe)(uint32_t *reason);
	/* Is this the node of such a queue? NULL: proof.c asks for a node of a queue's driver. */
	bool (*is_node)(const struct stat *st);
	/* What an errno of open(2) on the node means, as enum sva_reason. */
	uint32_t (*open_reason)(int err, const char *node);
	/*
	 * Make the bond ready for this path: map, or probe with a real no-op. What the path needs
	 * to remember is bond->side. Called once, with sva_process.lock held. Returns 0, or -errno
	 * with *reason set; on failure nothing is left behind.
	 */
	int (*open)(struct sva_bond *bond, const struct sva_config *config, uint32_t *reason);
	/*
	 * Returns 0: accepted, -EAGAIN: full, or another -errno, which is final. Never blocks on a
	 * device, never logs, never loses a descriptor.
	 */
	int (*submit)(struct sva_lease *lease, const struct sva_desc *desc);
	/*
	 * Returns how many of n were accepted, in order, at least 1; else as submit. NULL: one by
	 * one.
	 */
	int (*submit_many)(struct sva_lease *lease, const struct sva_desc *descs, unsigned int n);
	/*
	 * Write completions that arrived elsewhere into the records; wait up to wait_ns for one.
	 * NULL: the device writes records itself. Any thread, at any time.
	 */
	void (*pump)(struct sva_bond *bond, uint64_t wait_ns);
	/*
	 * A shortage when the path was opened made it work less well: try to get what is missing.
	 * Returns true if it is still missing. NULL: this never happens.
	 */
	bool (*mend)(struct sva_bond *bond);
	/*
	 * The program has closed the node's descriptor: what was submitted ends as usual, and
	 * nothing more can be submitted. NULL: nothing to do.
	 */
	void (*lose)(struct sva_bond *bond);
	/*
	 * The queue is given up, and no thread submits: when this and the close(2) of the node that
	 * follows have returned, nothing writes for its operations any more. NULL: close(2) is
	 * enough.
	 */
	void (*retire)(struct sva_bond *bond);
	/* Free bond->side. NULL: there is none. */
	void (*close)(struct sva_bond *bond);
};

extern const struct sva_submit_ops sva_submit_enqcmd;
extern const struct sva_submit_ops sva_submit_movdir64b;
extern const struct sva_submit_ops sva_submit_write;
extern const struct sva_submit_ops sva_submit_dma;
extern const struct sva_submit_ops sva_submit_soft;

/* ops->submit(lease, desc) of a lease whose store is no call, in line. */
static inline __attribute__((always_inline)) int sva_lease_store(struct sva_lease *lease,
								 const struct sva_desc *desc)
{
	sva_publish_to_device();
	if (likely(lease->store == SVA_STORE_ENQCMD))
		return unlikely(sva_enqcmd(lease->portal, desc)) ? -EAGAIN : 0;
	sva_movdir64b(lease->portal, desc);
	return 0;
}

/* The row of a path; NULL for SVA_PATH_CPU. */
const struct sva_submit_ops *sva_submit_ops_of(int path);
/*
 * May this path be tried on that queue? A path's own queue is for that path only, and the others
 * are for the other paths.
 */
bool sva_submit_serves(const struct sva_submit_ops *ops, const struct sva_queue *queue);
/* The queue of that name that belongs to a path, for sva_bind(), or NULL. */
const struct sva_queue *sva_submit_own_queue(const char *name);

#endif
