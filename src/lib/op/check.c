/* SPDX-License-Identifier: MIT */
/*
 * The checks that every operation passes before anything is submitted. Source: DSA specification
 * rev 3.0, 8.3.
 */
#include "lib/op/kinds.h"

/* canonical user addresses are below it with any paging mode */
#define USER_RANGE_END 0x8000000000000000ull

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
	if (op->flags & ~SVA_OP_FLAGS_ALL)
		return -EINVAL;
	if ((op->flags & SVA_OP_CACHE) && (op->flags & SVA_OP_NO_CACHE))
		return -EINVAL;
	if ((op->flags & SVA_OP_CHECK) && !sva_kind_compares(op))
		return -EINVAL;
	return 0;
}

static bool ranges_overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

/*
 * Refuse buffers that overlap where they may not before anything is written. A device would notice
 * an overlap only within one chunk, after it has done earlier ones.
 */
static int check_overlap(const struct sva_op *op, uint64_t src_len, uint64_t dst_len,
			 uint64_t third_len)
{
	const struct sva_kind *kind = sva_kind_of(op);
	const struct sva_desc *desc = &op->desc;
	uint64_t third = desc->op.dualcast.dst2;

	if (sva_desc_opcode(desc) == SVA_OPCODE_MEMMOVE)
		return 0;
	if (kind->src == SVA_OPERAND_READ && kind->dst == SVA_OPERAND_WRITE &&
	    ranges_overlap(desc->src, src_len, desc->dst, dst_len))
		return -EINVAL;
	if (kind->third == SVA_OPERAND_WRITE &&
	    (ranges_overlap(desc->src, src_len, third, third_len) ||
	     ranges_overlap(desc->dst, dst_len, third, third_len)))
		return -EINVAL;
	return 0;
}

static int check_delta(const struct sva_op *op, bool create)
{
	const struct sva_desc *desc = &op->desc;

	if (op->length > SVA_DELTA_MAX_REGION || desc->dst % 8 || (create && desc->src % 8))
		return -EINVAL;
	if (create && (desc->op.delta.max_size < SVA_DELTA_MIN_SIZE ||
		       desc->op.delta.max_size % SVA_DELTA_ENTRY_SIZE))
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
	uint64_t src_len = op->length, dst_len = sva_kind_dst_bytes(op, op->length),
		 third_len = op->length;
	int err;

	/* Check the length first: the sums below must not overflow. */
	if (op->length >= USER_RANGE_END / 2)
		return -EINVAL;
	if (opcode == SVA_OPCODE_APPLY_DELTA)
		src_len = op->desc.op.delta.addr_or_size;
	if (opcode == SVA_OPCODE_CREATE_DELTA)
		third_len = op->desc.op.delta.max_size;
	err = kind->src == SVA_OPERAND_READ ? check_range(op->desc.src, src_len) : 0;
	if (!err && (kind->dst == SVA_OPERAND_READ || kind->dst == SVA_OPERAND_WRITE))
		err = check_range(op->desc.dst, dst_len);
	if (!err && kind->third == SVA_OPERAND_WRITE)
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
