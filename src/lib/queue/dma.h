/* SPDX-License-Identifier: MIT */
/* The module sva_dma as a queue. */
#ifndef SVA_QUEUE_DMA_H
#define SVA_QUEUE_DMA_H

#include "lib/op/mapped.h"
#include "lib/queue/bond.h"

#pragma GCC visibility push(hidden)

/* Can /dev/sva_dma be used? An enum sva_reason. */
uint32_t sva_dma_probe(void);
/* The same, with a shortage, -errno, told from an answer, 0. */
int sva_dma_look(uint32_t *reason);
int sva_dma_pasid(uint32_t *pasid);
/* What open(2) of the module's node says, as enum sva_reason. */
uint32_t sva_dma_node_reason(int err);
/* The queue that stands for the module. */
const struct sva_queue *sva_dma_queue(void);
void sva_dma_retire(struct sva_dma_side *side);
/*
 * The program has closed the file: what is in flight ends, then the ring goes, and with it all that the module still holds
 * for the file.
 */
void sva_dma_lost(struct sva_dma_side *side);
/* One of the module's calls: 0, -errno, -SVA_LOST. */
int sva_dma_call(struct sva_bond *bond, unsigned long request, void *args);
void sva_dma_close(struct sva_dma_side *side);

struct sva_dma_op;

/* The module's words for a descriptor (submit_dma.c). */
void sva_dma_translate(const struct sva_desc *desc, struct sva_dma_op *op);
/* Does the module behind this bond take operations through io_uring? */
bool sva_dma_has_uring(const struct sva_bond *bond);

#pragma GCC visibility pop

#endif
