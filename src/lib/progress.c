/* SPDX-License-Identifier: MIT */
/*
 * How far an operation is. A length that no descriptor or queue can carry goes out in chunks, and a chunk that met a page fault goes out again, shorter: both are
 * the same arithmetic, and it differs from operation to operation (DSA specification rev 3.0, 8.3):
 *
 *	most operations    source and destination advance together by the bytes completed
 *	memmove            has a direction. Result 1 says that the device began at the end: the addresses stay, only the size
 *	                   shrinks. And when the destination overlaps the source from above, the chunks themselves go out from the end.
 *	fill, pattern      the pattern restarts with its first byte: it is rotated when a part ends inside of it
 *	CRC                the seed of the next part is the CRC so far
 *	DIF, DIX           whole blocks; source and destination advance differently; the tags of the next block come from the record
 *	delta              create: the record grows, and its offsets restart at zero, which only this arithmetic knows of;
 *	                   apply: what is counted is the delta record, not the destination
 */
#include <string.h>

#include "road.h"

#define USER_RANGE_END 0x8000000000000000ull /* canonical user addresses are below it with any paging mode */

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ------------------------------------------------------------------ what an operation's fields mean */

enum field { NOT, READ_LEN, WRITE_LEN, VALUE };

struct kind {
	bool known;
	bool sized;       /* length counts; zero is done at once */
	uint8_t src, dst; /* enum field */
	bool third;       /* bytes 40-47 are an address that is written */
};

static const struct kind kinds[64] = {
	[SVA_OPCODE_NOOP] = { .known = true },
	[SVA_OPCODE_DRAIN] = { .known = true },
	[SVA_OPCODE_BATCH] = { .known = true },
	[SVA_OPCODE_MEMMOVE] = { true, true, READ_LEN, WRITE_LEN, false },
	[SVA_OPCODE_FILL] = { true, true, VALUE, WRITE_LEN, false },
	[SVA_OPCODE_COMPARE] = { true, true, READ_LEN, READ_LEN, false },
	[SVA_OPCODE_COMPARE_PATTERN] = { true, true, READ_LEN, VALUE, false },
	[SVA_OPCODE_DUALCAST] = { true, true, READ_LEN, WRITE_LEN, true },
	[SVA_OPCODE_CRC] = { true, true, READ_LEN, NOT, false },
	[SVA_OPCODE_COPY_CRC] = { true, true, READ_LEN, WRITE_LEN, false },
	[SVA_OPCODE_CACHE_FLUSH] = { true, true, NOT, WRITE_LEN, false },
};

static const struct kind *kind_of(const struct sva_op *op)
{
	unsigned int opcode = sva_desc_opcode(&op->desc);

	return opcode < 64 && kinds[opcode].known ? &kinds[opcode] : NULL;
}

static int check_range(uint64_t addr, uint64_t len)
{
	uint64_t end;

	if (!addr)
		return -EFAULT;
	if (__builtin_add_overflow(addr, len - 1, &end) || end >= USER_RANGE_END)
		return -EINVAL;
	return 0;
}

int sva_progress_check(const struct sva_op *op)
{
	const struct kind *kind;
	int err = 0;

	if ((uintptr_t)op % 64 || op->state == SVA_OP_ENDED)
		return -EINVAL;
	if (op->state == SVA_OP_IN_FLIGHT || op->state == SVA_OP_STALLED)
		return -EBUSY;
	if (op->state != SVA_OP_PREPARED || (op->flags & ~SVA_OP_FLAGS_ALL) ||
	    (op->flags & (SVA_OP_CACHE | SVA_OP_NO_CACHE)) == (SVA_OP_CACHE | SVA_OP_NO_CACHE))
		return -EINVAL;
	kind = kind_of(op);
	if (!kind)
		return -EOPNOTSUPP;
	if (!kind->sized || !op->length)
		return 0;
	if (kind->src == READ_LEN)
		err = check_range(op->desc.src, op->length);
	if (!err && (kind->dst == READ_LEN || kind->dst == WRITE_LEN))
		err = check_range(op->desc.dst, op->length);
	if (!err && kind->third)
		err = check_range(op->desc.op.dualcast.dst2, op->length);
	return err;
}

/* ------------------------------------------------------------------ chunks */

void sva_progress_begin(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	memset(p, 0, sizeof(*p));
	p->src = op->desc.src;
	p->dst = op->desc.dst;
	p->third = op->desc.op.dualcast.dst2;
	p->remaining = op->length;
	p->prepared_word = op->desc.flags_opcode;
	p->word = op->desc.flags_opcode | SVA_DESC_CRAV | SVA_DESC_RCR;
	if (op->flags & SVA_OP_STRICT_ORDER)
		p->word |= SVA_DESC_STORD;
	if (op->flags & SVA_OP_CHECK)
		p->word |= SVA_DESC_CR;
	p->backward = sva_desc_opcode(&op->desc) == SVA_OPCODE_MEMMOVE && p->dst > p->src && p->dst - p->src < op->length;
	p->result.error = -EINPROGRESS;
	p->result.path = SVA_PATH_CPU;
	op->desc.completion_addr = (uint64_t)(uintptr_t)&op->comp;
}

void sva_progress_next(struct sva_op *op, uint64_t max_transfer)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const struct kind *kind = kind_of(op);
	uint64_t n = min64(p->remaining, min64(max_transfer, 1u << 31));
	uint64_t offset = p->backward ? p->remaining - n : 0;

	p->mid_chunk = false;
	if (!kind->sized)
		return;
	op->desc.size = (uint32_t)n;
	if (kind->src == READ_LEN)
		op->desc.src = p->src + offset;
	if (kind->dst == READ_LEN || kind->dst == WRITE_LEN)
		op->desc.dst = p->dst + offset;
	if (kind->third)
		op->desc.op.dualcast.dst2 = p->third;
	p->chunk_rest = 0;
}

/* The pattern as it is n bytes on. Little-endian: byte 0 is the least significant. */
static uint64_t rotate(uint64_t pattern, uint64_t n)
{
	unsigned int bits = (unsigned int)(n % 8) * 8;

	return bits ? pattern >> bits | pattern << (64 - bits) : pattern;
}

static void rotate_pattern(struct sva_op *op, uint64_t n)
{
	if (sva_desc_opcode(&op->desc) == SVA_OPCODE_COMPARE_PATTERN) {
		op->desc.dst = rotate(op->desc.dst, n);
	} else if (!(op->desc.flags_opcode & SVA_DESC_FILL16)) {
		op->desc.src = rotate(op->desc.src, n);
	} else {
		unsigned char twice[32];

		memcpy(twice, &op->desc.src, 8);
		memcpy(twice + 8, &op->desc.op.fill.pattern_high, 8);
		memcpy(twice + 16, twice, 16);
		memcpy(&op->desc.src, twice + n % 16, 8);
		memcpy(&op->desc.op.fill.pattern_high, twice + n % 16 + 8, 8);
	}
}

/* What is carried from one part to the next besides addresses, n bytes on. */
static void carry(struct sva_op *op, uint64_t n)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_FILL:
	case SVA_OPCODE_COMPARE_PATTERN:
		rotate_pattern(op, n);
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		/* Nothing completed: the record's CRC is undefined and the old seed stays. */
		if (!n)
			break;
		p->result.value = op->comp.op.crc;
		if (!(op->desc.flags_opcode & SVA_DESC_CRC64))
			p->result.value &= 0xffffffffu;
		op->desc.op.crc.seed = p->result.value;
		op->desc.op.crc.seed_addr = 0;
		p->word &= ~SVA_DESC_CRC_SEED_MEM;
		op->desc.flags_opcode &= ~SVA_DESC_CRC_SEED_MEM;
		break;
	default:
		break;
	}
}

static void count(struct sva_op *op, int path, uint64_t n)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	p->remaining -= n;
	p->result.bytes += n;
	p->result.path_bytes[path] += n;
}

/* A comparison that found a difference ends there, whatever was to follow. */
static bool found_difference(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	unsigned int opcode = sva_desc_opcode(&op->desc);

	if ((opcode != SVA_OPCODE_COMPARE && opcode != SVA_OPCODE_COMPARE_PATTERN) || !op->comp.result)
		return false;
	p->result.value = p->result.bytes + op->comp.bytes;
	return true;
}

bool sva_progress_chunk_done(struct sva_op *op, int path)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint64_t n = op->desc.size;

	p->result.result = op->comp.result;
	if (!kind_of(op)->sized)
		return true;
	if (found_difference(op)) {
		count(op, path, op->comp.bytes < n ? op->comp.bytes : n);
		return true;
	}
	count(op, path, n);
	carry(op, n);
	if (!p->backward) {
		n += p->chunk_rest;
		p->src += n;
		p->dst += n;
		p->third += n;
	}
	return !p->remaining;
}

void sva_progress_partial(struct sva_op *op, int path)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const struct kind *kind = kind_of(op);
	bool from_end = sva_desc_opcode(&op->desc) == SVA_OPCODE_MEMMOVE && op->comp.result;
	uint64_t n = op->comp.bytes;

	if (!kind->sized || n >= op->desc.size)
		return; /* a record that can not be: what it claims is not believed, and the chunk goes out whole */
	count(op, path, n);
	carry(op, n);
	p->mid_chunk = true;
	op->desc.size -= (uint32_t)n;
	if (from_end) {
		p->chunk_rest += n;
		return;
	}
	if (kind->src == READ_LEN)
		op->desc.src += n;
	if (kind->dst == READ_LEN || kind->dst == WRITE_LEN)
		op->desc.dst += n;
	if (kind->third)
		op->desc.op.dualcast.dst2 += n;
	if (!p->backward) {
		p->src += n;
		p->dst += n;
		p->third += n;
	}
}
