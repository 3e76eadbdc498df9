/* SPDX-License-Identifier: MIT */
/*
 * The submission table: one way of handing a 64-byte descriptor to something that executes it. One file for each, five in all.
 * Nothing above this table may ask which one is underneath.
 */
#ifndef SVA_SUBMIT_H
#define SVA_SUBMIT_H

#include "lib/queue/bond.h"

struct sva_submit_ops {
	int path;           /* enum sva_path */
	uint32_t mode;      /* SVA_MODE_* a queue must have; SVA_MODE_UNKNOWN: any */
	bool batch_opcode;  /* takes batch descriptors, whatever the device's version */
	/*
	 * Make the bond ready for this path: map, or probe with a real no-op. Called once, with sva_process.lock held. 0, or -errno with
	 * *reason set; nothing is left behind on failure.
	 */
	int (*open)(struct sva_bond *bond, uint32_t *reason);
	/* 0 taken, -EAGAIN full, other -errno final. Never blocks on a device, never logs, never loses a descriptor. */
	int (*submit)(struct sva_lease *lease, const struct sva_desc *desc);
	/* How many of n were taken, in order, at least 1; else as submit. NULL: submit is called for each. */
	int (*submit_many)(struct sva_lease *lease, const struct sva_desc *descs, unsigned int n);
	/*
	 * Bring completions that have arrived elsewhere into their records; wait up to wait_ns for one. NULL: the device writes records
	 * itself. Any thread, at any time.
	 */
	void (*pump)(struct sva_bond *bond, uint64_t wait_ns);
};

extern const struct sva_submit_ops sva_submit_enqcmd;
extern const struct sva_submit_ops sva_submit_movdir64b;
extern const struct sva_submit_ops sva_submit_write;
extern const struct sva_submit_ops sva_submit_dma;
extern const struct sva_submit_ops sva_submit_soft;

/* By enum sva_path; NULL for SVA_PATH_CPU. */
const struct sva_submit_ops *sva_submit_ops_of(int path);

#endif
