/* SPDX-License-Identifier: MIT */
/*
 * The submission table: a row for each way of handing a 64-byte descriptor to something that
 * executes it. Code above the table asks a row what it can do, and never which row it is. A new
 * path is one file with its row, its line in ways.c, and its number and name (enum sva_path,
 * base/words.c).
 */
#ifndef SVA_QUEUE_WAYS_H
#define SVA_QUEUE_WAYS_H

#include "lib/queue/bond.h"

struct stat;

struct sva_submit_ops {
	uint8_t path;          /* enum sva_path */
	uint32_t mode;         /* SVA_MODE_* that a queue must have; SVA_MODE_UNKNOWN: any */
	uint32_t cpu_features; /* SVA_CPU_* that it needs; 0: none */
	uint32_t no_cpu;       /* enum sva_reason: the CPU lacks them */
	uint32_t foreign;      /* enum sva_reason: the node is none of this path's */

	/* What differs between the paths, as code above the table needs it. */
	bool batch_opcode;        /* takes batch descriptors, whatever the device's version */
	bool always_completes;    /* a record always comes, however late: it is not timed */
	bool is_software;         /* no device: no better than the CPU for a caller that waits */
	bool full_may_mean_stuck; /* a queue that is disabled or halted answers "full", too */
	/* pages are pinned while it works: RLIMIT_MEMLOCK may refuse them */
	bool pins;
	bool bindable;            /* sva_bind() takes the name of the path's own queue */

	/* The queue of a path that has one of its own; NULL: any that discovery found. */
	const struct sva_queue *(*queue)(void);
	/*
	 * Is that queue there? 0 with *reason, or -errno when there was a shortage and the answer
	 * is not known. NULL: it always is.
	 */
	int (*look)(uint32_t *reason);
	/* Is this the node of such a queue? NULL: it must be one of a queue's driver (proof.c). */
	bool (*is_node)(const struct stat *st);
	/* What an errno of open(2) on the node means, as enum sva_reason. */
	uint32_t (*open_reason)(int err, const char *node);
	/*
	 * Make the bond ready for this path: map, or probe with a real no-op; what the path needs
	 * for the bond is bond->side. Called once, with sva_process.lock held. 0, or -errno with
	 * *reason set; nothing is left behind on failure.
	 */
	int (*open)(struct sva_bond *bond, const struct sva_config *config, uint32_t *reason);
	/*
	 * 0 taken, -EAGAIN full, other -errno final. Never blocks on a device, never logs, never
	 * loses a descriptor.
	 */
	int (*submit)(struct sva_lease *lease, const struct sva_desc *desc);
	/* How many of n were taken, in order, at least 1; else as submit. NULL: only one by one. */
	int (*submit_many)(struct sva_lease *lease, const struct sva_desc *descs, unsigned int n);
	/*
	 * Bring completions that have arrived elsewhere into their records; wait up to wait_ns for
	 * one. NULL: the device writes records itself. Any thread, at any time.
	 */
	void (*pump)(struct sva_bond *bond, uint64_t wait_ns);
	/*
	 * Something was short when the path was opened, so that it works less well: try to get it
	 * now. true: it is still missing. NULL: never the case.
	 */
	bool (*mend)(struct sva_bond *bond);
	/*
	 * The program has closed the node's descriptor: what was submitted ends as usual, nothing
	 * more can be. NULL: nothing to do.
	 */
	void (*lose)(struct sva_bond *bond);
	/*
	 * The bond is given up, and no thread submits: when this and the close(2) of the node that
	 * follows have returned, nothing can be written for its operations. NULL: close(2) is
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

/* By enum sva_path; NULL for SVA_PATH_CPU. */
const struct sva_submit_ops *sva_submit_ops_of(int path);
/* May this path be tried on that queue? Its own queue belongs to one path, others to the rest. */
bool sva_submit_serves(const struct sva_submit_ops *ops, const struct sva_queue *queue);
/* The queue of that name that belongs to a path, for sva_bind(); NULL: none does. */
const struct sva_queue *sva_submit_own_queue(const char *name);

#endif
