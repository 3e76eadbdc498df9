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
	struct sva_bond *bond;  /* NULL: only noted */
	uint32_t handle;        /* the module's */
	uint32_t flags;         /* SVA_DMA_SOURCE, SVA_DMA_DESTINATION */
	uint64_t addr, len;
	bool needs_sync;
	atomic_uint users;      /* operations on it that have not ended */
};

/* 0; -EINVAL: no buffer; -ESTALE: one from before a fork. */
int sva_dma_check_buf(const struct sva_dma_buf *buf);

/* Is it an operation on mapped buffers? */
bool sva_dma_is_op(const struct sva_op *op);
/* Check one; it becomes one by address, or belongs on *bond. 0 or -errno, unchanged. */
int sva_dma_begin(struct sva_op *op, struct sva_dma_buf *bufs[2], struct sva_bond **bond);
/*
 * After sva_operation_begin(): the buffers may not be unmapped while it is in flight; bond: as from
 * sva_dma_begin().
 */
void sva_dma_attach(struct sva_op *op, struct sva_dma_buf *const bufs[2], struct sva_bond *bond);
void sva_dma_release(struct sva_dma_buf *bufs[2]);
/* The same for an ended operation, and for the entries of a batch. */
void sva_dma_release_all(struct sva_op *op);
/* As it was before sva_dma_begin(), for sva_operation_undo() to write back. */
void sva_dma_undo(struct sva_op *op);
/* The device of its buffers will not have what is left of it: any path may, by address. */
void sva_dma_let_go(struct sva_op *op, const struct sva_policy *policy);

#pragma GCC visibility pop

#endif
