/* SPDX-License-Identifier: MIT */
/*
 * A path of the tests' own: a queue "mirror" whose descriptors are executed here, and whose records
 * come when it is pumped. It is added to the library as every path is, with one file and one row.
 */
#ifndef SVA_TESTS_UNIT_MIRROR_H
#define SVA_TESTS_UNIT_MIRROR_H

#include "lib/queue/ways.h"

#define MIRROR_RING 4u /* descriptors that it takes before it is pumped */

/* What it does, set by a test; and what was asked of it. */
struct mirror {
	uint32_t reason;   /* that look() reports */
	int shortage;      /* -errno that look() returns */
	uint32_t most;     /* more bytes than this cannot be pinned: -ENOMEM; 0: all can */
	bool stopped;      /* pumping brings no record */
	bool is_short;     /* something was short when it was opened, and still is */
	unsigned int opened, submitted, pumped, mended, lost, retired, closed;
};

extern struct mirror mirror;
extern const struct sva_submit_ops sva_submit_mirror;

#endif
