/* SPDX-License-Identifier: MIT */
/* What is opened as a queue is proved to be one before anything is written to it. */
#ifndef SVA_QUEUE_PROOF_H
#define SVA_QUEUE_PROOF_H

#include "lib/find/discover.h"

/*
 * Nothing of this is exported: say so where it is used, too, so that it is reached without an
 * indirection.
 */
#pragma GCC visibility push(hidden)

struct stat;
struct sva_submit_ops;

/* Is this the node of that queue, for the path of that row? OK, or what the row says it is. */
uint32_t sva_proof(const struct sva_queue *queue, const struct sva_submit_ops *ops,
		   const struct stat *st);
/*
 * Open the node, proved before and after: a descriptor; -errno, with *reason set where the node is
 * something else (otherwise *reason is left alone).
 */
int sva_proof_open(const struct sva_queue *queue, const struct sva_submit_ops *ops,
		   uint32_t *reason);

#pragma GCC visibility pop

#endif
