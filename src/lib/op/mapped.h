/* SPDX-License-Identifier: MIT */
/* A mapped buffer: what operations on it are checked against, and how the module knows it. */
#ifndef SVA_DMA_BUF_H
#define SVA_DMA_BUF_H

#include "lib/road.h"

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

struct sva_dma_op;

/* The module's words for a descriptor (submit_dma.c). */
void sva_dma_translate(const struct sva_desc *desc, struct sva_dma_op *op);
/* Does the module behind this bond take operations through io_uring? */
bool sva_dma_has_uring(const struct sva_bond *bond);

#pragma GCC visibility pop

#endif
