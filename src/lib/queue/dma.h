/* SPDX-License-Identifier: MIT */
/* The module sva_dma as a queue. */
#ifndef SVA_QUEUE_DMA_H
#define SVA_QUEUE_DMA_H

#include "lib/op/mapped.h"
#include "lib/queue/bond.h"

#pragma GCC visibility push(hidden)

/* The PASID of this process, as the module reports it: 0, -ENODATA, or -errno for a shortage. */
int sva_dma_pasid(uint32_t *pasid);
/* One of the module's calls: 0, -errno, -SVA_LOST. */
int sva_dma_call(struct sva_bond *bond, unsigned long request, void *args);

struct sva_dma_op;

/* Translate a descriptor into an operation of the module. */
void sva_dma_translate(const struct sva_desc *desc, struct sva_dma_op *op);
/* Does the module behind this bond take operations through io_uring? */
bool sva_dma_has_uring(const struct sva_bond *bond);

#pragma GCC visibility pop

#endif
