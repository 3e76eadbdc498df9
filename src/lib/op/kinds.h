/* SPDX-License-Identifier: MIT */
/*
 * What the fields of each operation mean: which are addresses, of how many bytes, and how they
 * advance.
 */
#ifndef SVA_KINDS_H
#define SVA_KINDS_H

#include "lib/op/op.h"

enum sva_shape {
	SVA_SHAPE_UNKNOWN, /* not an operation that can be submitted */
	SVA_SHAPE_EMPTY,   /* no length: no-op, drain */
	SVA_SHAPE_BYTES,   /* any length, in chunks */
	SVA_SHAPE_WHOLE,   /* one descriptor has to carry it */
	SVA_SHAPE_BATCH,
};

enum sva_operand {
	SVA_OPERAND_NONE,
	SVA_OPERAND_READ,
	SVA_OPERAND_WRITE,
	SVA_OPERAND_OFFSET,
	SVA_OPERAND_VALUE
};

/* Does it advance with the bytes done? */
static inline bool sva_operand_moves(uint8_t operand)
{
	return operand == SVA_OPERAND_READ || operand == SVA_OPERAND_WRITE ||
	       operand == SVA_OPERAND_OFFSET;
}

struct sva_kind {
	uint8_t shape;          /* enum sva_shape */
	uint8_t src, dst, third; /* enum sva_operand; third is the address in bytes 40-47 */
	bool writes;            /* writes memory: cache control is allowed */
};

const struct sva_kind *sva_kind_of(const struct sva_op *op);
/* The length comes in multiples of this many source bytes. */
uint64_t sva_kind_unit(const struct sva_op *op);
/* How many destination bytes belong to n source bytes. */
uint64_t sva_kind_dst_bytes(const struct sva_op *op, uint64_t n);
/*
 * Touch everything that the descriptor, as it is, reads and writes. 0, or -EFAULT with *bad and
 * *write.
 */
int sva_kind_touch(const struct sva_op *op, uint64_t *bad, bool *write);
/*
 * The operand that an address lies in: its first byte after the address and whether it is written;
 * 0 if in none.
 */
uint64_t sva_kind_operand_end(const struct sva_op *op, uint64_t addr, bool write);

#endif
