/* SPDX-License-Identifier: MIT */
/*
 * The kind of an operation, by its opcode: which fields of its descriptor are addresses, of how
 * many bytes, and how they advance.
 */
#ifndef SVA_KINDS_H
#define SVA_KINDS_H

#include "lib/base/memory.h"
#include "lib/op/op.h"

enum sva_shape {
	SVA_SHAPE_UNKNOWN, /* not an operation that can be submitted */
	SVA_SHAPE_EMPTY,   /* no length: no-op, drain */
	SVA_SHAPE_BYTES,   /* any length; can be cut into chunks */
	SVA_SHAPE_WHOLE,   /* any length that one descriptor can carry */
	SVA_SHAPE_BATCH,
};

enum sva_operand {
	SVA_OPERAND_NONE,
	SVA_OPERAND_READ,
	SVA_OPERAND_WRITE,
	SVA_OPERAND_OFFSET,
	SVA_OPERAND_VALUE
};

/* Does the operand advance by the bytes done? */
static inline bool sva_operand_moves(uint8_t operand)
{
	return operand == SVA_OPERAND_READ || operand == SVA_OPERAND_WRITE ||
	       operand == SVA_OPERAND_OFFSET;
}

/* Which checks the short road makes before it submits an operation; the long one makes them all. */
enum sva_fast {
	SVA_FAST_NEVER,   /* it takes the long road */
	SVA_FAST_WRITE,   /* one range: the destination */
	SVA_FAST_READ,    /* one range: the source */
	SVA_FAST_BOTH,    /* source and destination, which may overlap */
	SVA_FAST_APART,   /* source and destination, which may not */
	SVA_FAST_THREE,   /* a source and two destinations, all apart, these alike in a page */
	SVA_FAST_DELTA,   /* buffers, and a delta record of another size */
	SVA_FAST_BLOCKS,  /* whole blocks, of another size in the destination */
};

struct sva_kind {
	uint8_t shape;           /* enum sva_shape */
	uint8_t src, dst, third; /* enum sva_operand; third is the address in bytes 40-47 */
	bool writes;             /* it writes memory: cache control is allowed */
	uint8_t fast;            /* enum sva_fast */
};

/* By operation code; the last is that of every code which is not an operation. */
#define SVA_KINDS 64u
extern const struct sva_kind sva_kinds[SVA_KINDS + 1] __attribute__((visibility("hidden")));

static inline const struct sva_kind *sva_kind_of_desc(const struct sva_desc *desc)
{
	unsigned int opcode = sva_desc_opcode(desc);

	return &sva_kinds[opcode < SVA_KINDS ? opcode : SVA_KINDS];
}

static inline const struct sva_kind *sva_kind_of(const struct sva_op *op)
{
	return sva_kind_of_desc(&op->desc);
}
/* Does it look for differences, so that SVA_OP_CHECK has a meaning? */
static inline bool sva_kind_compares(const struct sva_op *op)
{
	unsigned int opcode = sva_desc_opcode(&op->desc);

	return opcode == SVA_OPCODE_COMPARE || opcode == SVA_OPCODE_COMPARE_PATTERN ||
	       opcode == SVA_OPCODE_CREATE_DELTA;
}

/* The length comes in multiples of this many source bytes. */
uint64_t sva_kind_unit(const struct sva_op *op);
/* The number of destination bytes for n source bytes. */
uint64_t sva_kind_dst_bytes(const struct sva_op *op, uint64_t n);
/*
 * The memory that a descriptor reads and writes, for len bytes instead of its own size, which has
 * 32 bits. Returns the number of ranges.
 */
unsigned int sva_kind_ranges(const struct sva_desc *desc, uint64_t len, struct sva_range range[3]);
/*
 * Touch all pages that the descriptor, as it is, reads and writes. Returns 0, or -EFAULT with the
 * address in *bad, and in *write whether it is of a destination.
 */
int sva_kind_touch(const struct sva_op *op, uint64_t *bad, bool *write);
/*
 * The end of the operand that addr lies in, among those that are written or among those that are
 * read: the address of its last byte + 1. 0: no such operand.
 */
uint64_t sva_kind_operand_end(const struct sva_op *op, uint64_t addr, bool write);

#endif
