/* SPDX-License-Identifier: MIT */
/* The table behind kinds.h, and the checks that every operation passes before anything is submitted. Source: DSA specification rev 3.0, 8.3. */
#include "lib/op/kinds.h"

#define USER_RANGE_END 0x8000000000000000ull /* canonical user addresses are below it with any paging mode */

#define R SVA_OPERAND_READ
#define W SVA_OPERAND_WRITE
#define V SVA_OPERAND_VALUE
#define O SVA_OPERAND_OFFSET
#define N SVA_OPERAND_NONE

static const struct sva_kind kinds[64] = {
	[SVA_OPCODE_NOOP] = { SVA_SHAPE_EMPTY, N, N, N, false },
	[SVA_OPCODE_BATCH] = { SVA_SHAPE_BATCH, V, N, N, false },
	[SVA_OPCODE_DRAIN] = { SVA_SHAPE_EMPTY, N, N, N, false },
	[SVA_OPCODE_MEMMOVE] = { SVA_SHAPE_BYTES, R, W, N, true },
	[SVA_OPCODE_FILL] = { SVA_SHAPE_BYTES, V, W, N, true },
	[SVA_OPCODE_COMPARE] = { SVA_SHAPE_BYTES, R, R, N, false },
	[SVA_OPCODE_COMPARE_PATTERN] = { SVA_SHAPE_BYTES, R, V, N, false },
	[SVA_OPCODE_CREATE_DELTA] = { SVA_SHAPE_WHOLE, R, R, W, true },
	[SVA_OPCODE_APPLY_DELTA] = { SVA_SHAPE_WHOLE, R, W, N, true },
	[SVA_OPCODE_DUALCAST] = { SVA_SHAPE_BYTES, R, W, W, true },
	[SVA_OPCODE_TRANSLATION_FETCH] = { SVA_SHAPE_WHOLE, R, N, N, false },
	[SVA_OPCODE_CRC] = { SVA_SHAPE_BYTES, R, N, N, false },
	[SVA_OPCODE_COPY_CRC] = { SVA_SHAPE_BYTES, R, W, N, true },
	[SVA_OPCODE_DIF_CHECK] = { SVA_SHAPE_BYTES, R, N, N, false },
	[SVA_OPCODE_DIF_INSERT] = { SVA_SHAPE_BYTES, R, W, N, true },
	[SVA_OPCODE_DIF_STRIP] = { SVA_SHAPE_BYTES, R, W, N, true },
	[SVA_OPCODE_DIF_UPDATE] = { SVA_SHAPE_BYTES, R, W, N, true },
	[SVA_OPCODE_DIX_GENERATE] = { SVA_SHAPE_BYTES, R, W, N, true },
	/* Offsets into mapped buffers, checked against those: no addresses that anybody could touch. */
	[SVA_OPCODE_DMA_FILL] = { SVA_SHAPE_BYTES, V, O, N, false },
	[SVA_OPCODE_DMA_COPY] = { SVA_SHAPE_BYTES, O, O, N, false },
	[SVA_OPCODE_CACHE_FLUSH] = { SVA_SHAPE_BYTES, N, W, N, false },
};

const struct sva_kind *sva_kind_of(const struct sva_op *op)
{
	static const struct sva_kind unknown;
	unsigned int opcode = sva_desc_opcode(&op->desc);

	return opcode < 64 ? &kinds[opcode] : &unknown;
}

static uint64_t block_bytes(const struct sva_op *op)
{
	static const uint16_t blocks[4] = { 512, 520, 4096, 4104 };

	return blocks[op->desc.op.dif.flags & 3];
}

uint64_t sva_kind_unit(const struct sva_op *op)
{
	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIX_GENERATE:
		return block_bytes(op);
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
		return block_bytes(op) + 8;
	case SVA_OPCODE_CREATE_DELTA:
	case SVA_OPCODE_APPLY_DELTA:
		return 8;
	default:
		return 1;
	}
}

uint64_t sva_kind_dst_bytes(const struct sva_op *op, uint64_t n)
{
	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_DIF_INSERT:
		return n + n / block_bytes(op) * 8;
	case SVA_OPCODE_DIF_STRIP:
		return n - n / (block_bytes(op) + 8) * 8;
	case SVA_OPCODE_DIX_GENERATE:
		return n / block_bytes(op) * 8;
	default:
		return n;
	}
}

/* ------------------------------------------------------------------ operands of the descriptor as it is */

struct range {
	uint64_t addr, len;
	uint8_t operand;
};

static unsigned int ranges_of(const struct sva_op *op, struct range range[3])
{
	const struct sva_kind *kind = sva_kind_of(op);
	const struct sva_desc *desc = &op->desc;
	unsigned int opcode = sva_desc_opcode(desc);
	uint64_t src_len = desc->size, third_len = desc->size;

	if (opcode == SVA_OPCODE_APPLY_DELTA)
		src_len = (uint32_t)desc->op.delta.addr_or_size;
	if (opcode == SVA_OPCODE_CREATE_DELTA)
		third_len = desc->op.delta.max_size;
	range[0] = (struct range){ desc->src, src_len, kind->src };
	range[1] = (struct range){ desc->dst, sva_kind_dst_bytes(op, desc->size), kind->dst };
	/* Both operations with a third address have it in the same eight bytes. */
	range[2] = (struct range){ desc->op.dualcast.dst2, third_len, kind->third };
	return 3;
}

static bool is_memory(const struct range *range)
{
	return range->operand == R || range->operand == W;
}

int sva_kind_touch(const struct sva_op *op, uint64_t *bad, bool *write)
{
	struct range range[3];
	unsigned int n = ranges_of(op, range);

	for (unsigned int i = 0; i < n; i++) {
		*write = range[i].operand == W;
		if (is_memory(&range[i]) && sva_touch(range[i].addr, range[i].len, *write, bad))
			return -EFAULT;
	}
	return 0;
}

uint64_t sva_kind_operand_end(const struct sva_op *op, uint64_t addr, bool write)
{
	struct range range[3];
	unsigned int n = ranges_of(op, range);

	for (unsigned int i = 0; i < n; i++) {
		uint64_t page = range[i].addr & ~(uint64_t)4095;

		if (range[i].operand == (write ? W : R) && addr >= page && addr < range[i].addr + range[i].len)
			return range[i].addr + range[i].len;
	}
	return 0;
}

/* ------------------------------------------------------------------ checks before submission */

static int check_range(uint64_t addr, uint64_t len)
{
	uint64_t end;

	if (!len)
		return 0;
	if (!addr)
		return -EFAULT;
	if (__builtin_add_overflow(addr, len - 1, &end) || end >= USER_RANGE_END)
		return -EINVAL;
	return 0;
}

static int check_flags(const struct sva_op *op)
{
	unsigned int opcode = sva_desc_opcode(&op->desc);
	bool compares = opcode == SVA_OPCODE_COMPARE || opcode == SVA_OPCODE_COMPARE_PATTERN || opcode == SVA_OPCODE_CREATE_DELTA;

	if (op->flags & ~SVA_OP_FLAGS_ALL)
		return -EINVAL;
	if ((op->flags & SVA_OP_CACHE) && (op->flags & SVA_OP_NO_CACHE))
		return -EINVAL;
	if ((op->flags & SVA_OP_CHECK) && !compares)
		return -EINVAL;
	return 0;
}

static bool overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

/*
 * Buffers that may not overlap are refused before anything is written. A device would see an overlap only within one chunk, after it has done earlier ones.
 */
static int check_overlap(const struct sva_op *op, uint64_t src_len, uint64_t dst_len, uint64_t third_len)
{
	const struct sva_kind *kind = sva_kind_of(op);
	const struct sva_desc *desc = &op->desc;
	uint64_t third = desc->op.dualcast.dst2;

	if (sva_desc_opcode(desc) == SVA_OPCODE_MEMMOVE)
		return 0;
	if (kind->src == R && kind->dst == W && overlap(desc->src, src_len, desc->dst, dst_len))
		return -EINVAL;
	if (kind->third == W && (overlap(desc->src, src_len, third, third_len) || overlap(desc->dst, dst_len, third, third_len)))
		return -EINVAL;
	return 0;
}

static int check_delta(const struct sva_op *op, bool create)
{
	const struct sva_desc *desc = &op->desc;

	if (op->length > SVA_DELTA_MAX_REGION || desc->dst % 8 || (create && desc->src % 8))
		return -EINVAL;
	if (create && (desc->op.delta.max_size < SVA_DELTA_MIN_SIZE || desc->op.delta.max_size % SVA_DELTA_ENTRY_SIZE))
		return -EINVAL;
	if (!create && desc->op.delta.addr_or_size < SVA_DELTA_ENTRY_SIZE)
		return -EINVAL;
	return 0;
}

static int check_specific(const struct sva_op *op)
{
	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_CREATE_DELTA:
		return check_delta(op, true);
	case SVA_OPCODE_APPLY_DELTA:
		return check_delta(op, false);
	case SVA_OPCODE_DUALCAST:
		return (op->desc.dst ^ op->desc.op.dualcast.dst2) % 4096 ? -EINVAL : 0;
	case SVA_OPCODE_DIX_GENERATE:
		return op->desc.dst % 8 ? -EINVAL : 0;
	case SVA_OPCODE_BATCH:
		return !op->length || op->length > 1u << 20 ? -EINVAL : 0;
	default:
		return 0;
	}
}

static int check_operands(const struct sva_op *op)
{
	const struct sva_kind *kind = sva_kind_of(op);
	unsigned int opcode = sva_desc_opcode(&op->desc);
	uint64_t src_len = op->length, dst_len = sva_kind_dst_bytes(op, op->length), third_len = op->length;
	int err;

	/* First that the lengths are no nonsense: the sums below must not overflow. */
	if (op->length >= USER_RANGE_END / 2)
		return -EINVAL;
	if (opcode == SVA_OPCODE_APPLY_DELTA)
		src_len = op->desc.op.delta.addr_or_size;
	if (opcode == SVA_OPCODE_CREATE_DELTA)
		third_len = op->desc.op.delta.max_size;
	err = kind->src == R ? check_range(op->desc.src, src_len) : 0;
	if (!err && (kind->dst == R || kind->dst == W))
		err = check_range(op->desc.dst, dst_len);
	if (!err && kind->third == W)
		err = check_range(op->desc.op.dualcast.dst2, third_len);
	return err ? err : check_overlap(op, src_len, dst_len, third_len);
}

int sva_progress_check(const struct sva_op *op)
{
	const struct sva_kind *kind;
	int err;

	if ((uintptr_t)op % 64)
		return -EINVAL;
	if (sva_op_is_pending(op) || op->state == SVA_OP_ON_RING)
		return -EBUSY;
	if (op->state != SVA_OP_PREPARED)
		return -EINVAL;
	kind = sva_kind_of(op);
	if (kind->shape == SVA_SHAPE_UNKNOWN)
		return -EOPNOTSUPP;
	err = check_flags(op);
	if (err || kind->shape == SVA_SHAPE_EMPTY)
		return err;
	if (kind->shape == SVA_SHAPE_BATCH)
		return op->desc.src ? check_specific(op) : -EFAULT;
	if (!op->length)
		return 0;
	if (op->length % sva_kind_unit(op))
		return -EINVAL;
	err = check_specific(op);
	return err ? err : check_operands(op);
}
