/* SPDX-License-Identifier: MIT */
/* Mapped buffers, and operations on parts of them. */
#ifndef SVA_OP_MAPPED_H
#define SVA_OP_MAPPED_H

#include "lib/op/op.h"

#pragma GCC visibility push(hidden)

#define SVA_DMA_BUF_MAGIC 0x7376612062756666ull

struct sva_dma_buf {
	uint64_t magic;
	unsigned int generation;
	struct sva_bond *bond; /* whose device has it mapped; NULL: none has */
	uint32_t handle;       /* the module's */
	uint32_t flags;        /* SVA_DMA_SOURCE, SVA_DMA_DESTINATION */
	uint64_t addr, len;
	bool needs_sync;
	atomic_uint users;     /* operations on it that have not ended */
};

/* Returns 0; -EINVAL: no buffer; -ESTALE: a buffer from before a fork. */
int sva_dma_check_buf(const struct sva_dma_buf *buf);

/* Is it an operation on mapped buffers? */
bool sva_dma_is_op(const struct sva_op *op);
/*
 * Check such an operation. If no device can do it, its descriptor gets addresses instead of offsets
 * and *bond becomes NULL; else *bond is the bond that it must be submitted on. Returns 0, or -errno
 * and nothing is changed.
 */
int sva_dma_begin(struct sva_op *op, struct sva_dma_buf *bufs[2], struct sva_bond **bond);
/*
 * To be called after sva_operation_begin(): keeps the buffers from being unmapped while the
 * operation is in flight. bufs and bond: from sva_dma_begin().
 */
void sva_dma_attach(struct sva_op *op, struct sva_dma_buf *const bufs[2], struct sva_bond *bond);
void sva_dma_release(struct sva_dma_buf *bufs[2]);
/* Release the buffers of an operation that ended, and those of a batch's entries. */
void sva_dma_release_all(struct sva_op *op);
/* Restore what sva_dma_begin() changed, for sva_operation_undo() to write back. */
void sva_dma_undo(struct sva_op *op);
/*
 * The device that has its buffers mapped does not accept the rest of the operation: replace offsets
 * by addresses, so that any path may do it.
 */
void sva_dma_use_addresses(struct sva_op *op, const struct sva_policy *policy);

#pragma GCC visibility pop

#endif
