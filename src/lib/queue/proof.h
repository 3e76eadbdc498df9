/* SPDX-License-Identifier: MIT */
/* A node is proved to be that of a queue before anything is written to it. */
#ifndef SVA_QUEUE_PROOF_H
#define SVA_QUEUE_PROOF_H

#include "lib/find/discover.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

struct stat;
struct sva_submit_ops;

/*
 * Is this the node of that queue, for the path of that row? Returns OK, or the row's reason for a
 * foreign node.
 */
uint32_t sva_proof(const struct sva_queue *queue, const struct sva_submit_ops *ops,
		   const struct stat *st);
/*
 * Open the node, with a proof before and after. Returns a descriptor, or -errno; *reason is set if
 * the node is not that of the queue, and left alone otherwise.
 */
int sva_proof_open(const struct sva_queue *queue, const struct sva_submit_ops *ops,
		   uint32_t *reason);

#pragma GCC visibility pop

#endif
