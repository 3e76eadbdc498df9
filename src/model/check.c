/* SPDX-License-Identifier: MIT */
/*
 * May this descriptor run? The order of the checks is free ([S3] 5.4); the model's is: the address
 * of the record (execute.c), opcode, flags (flags.c), interrupt handle, reserved fields, sizes and
 * counts, alignment, overlap. The first that fails decides the status.
 */
#include "model/bytes.h"
#include "model/internal.h"

/* Bytes of the descriptor, from 16 on, that mean something: by operation and flags. */
static uint64_t used_bytes(const struct model_exec *exec, const struct model_op *op)
{
	const uint32_t flags = model_flags(exec);
	uint64_t used = op->used;

	switch (sva_desc_opcode(&exec->desc)) {
	case SVA_OPCODE_DRAIN:
		if (!(flags & SVA_DESC_DRAIN_RDBK1))
			used &= ~MODEL_BYTES(16, 8);
		if (!(flags & SVA_DESC_DRAIN_RDBK2))
			used &= ~MODEL_BYTES(24, 8);
		break;
	case SVA_OPCODE_FILL:
		if (!(flags & SVA_DESC_FILL16))
			used &= ~MODEL_BYTES(40, 8);
		break;
	case SVA_OPCODE_TRANSLATION_FETCH:
		if (!(flags & SVA_DESC_STRIDE))
			used &= ~MODEL_BYTES(48, 4);
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		if (flags & SVA_DESC_CRC_SEED_MEM)
			used &= ~MODEL_BYTES(40, 8);
		else
			used &= ~MODEL_BYTES(48, 8);
		if (!(flags & SVA_DESC_CRC64))
			used &= ~MODEL_BYTES(44, 4);
		break;
	}
	if (flags & SVA_DESC_RCI)
		used |= MODEL_BYTES(36, 2);
	return used;
}

/*
 * Bits of the DIF flag bytes that no operation has. An operation without destination flags has none
 * of that byte.
 */
static bool dif_reserved_set(const struct sva_desc_dif *dif)
{
	return (dif->flags & 0xf0) || (dif->dst_flags & 0x07);
}

static bool reserved_set(const struct model_exec *exec, const struct model_op *op)
{
	const uint64_t head = MODEL_BYTES(0, 16), used = used_bytes(exec, op);

	if (model_bytes_nonzero(&exec->desc) & ~head & ~used)
		return true;
	if (op->kind == MODEL_DIF && dif_reserved_set(&exec->desc.op.dif))
		return true;
	return (exec->desc.pasid_priv & MODEL_PASID_RESERVED) ||
	       (!(model_flags(exec) & SVA_DESC_CRAV) && exec->desc.completion_addr);
}

static uint8_t check_batch(const struct model_exec *exec)
{
	const struct sva_model_profile *profile = exec->profile;
	const uint32_t least = profile->gen_cap & SVA_GENCAP_BATCH_OF_ONE ? 1 : 2;

	if (exec->desc.size < least || exec->desc.size > profile->max_batch)
		return SVA_STATUS_DESC_COUNT;
	return exec->desc.src % sizeof(struct sva_desc) ? SVA_STATUS_LIST_ALIGN : 0;
}

/* Blocks with a tuple in the source: all but insert and DIX generate. */
static size_t dif_src_step(const struct sva_desc *desc)
{
	const unsigned int opcode = sva_desc_opcode(desc);
	const bool bare = opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIX_GENERATE;

	return model_dif_block(&desc->op.dif) + (bare ? 0 : MODEL_TUPLE);
}

/* Of the record of a delta operation: 0x15 if it is out of range. */
static uint8_t check_delta_size(const struct model_exec *exec)
{
	const struct sva_desc_delta *op = &exec->desc.op.delta;
	const uint32_t size = (uint32_t)op->addr_or_size;
	bool good;

	if (sva_desc_opcode(&exec->desc) == SVA_OPCODE_CREATE_DELTA)
		good = op->max_size >= SVA_DELTA_MIN_SIZE &&
		       op->max_size <= exec->profile->max_transfer;
	/*
	 * UNCERTAIN what a record of another size than whole entries, or a very long one, is
	 * answered with.
	 */
	else
		good = size >= SVA_DELTA_ENTRY_SIZE && size % SVA_DELTA_ENTRY_SIZE == 0 &&
		       size <= exec->profile->max_transfer;
	return good ? 0 : SVA_STATUS_DELTA_SIZE;
}

static uint8_t check_sizes(const struct model_exec *exec, const struct model_op *op)
{
	const struct sva_desc *desc = &exec->desc;

	if (op->kind == MODEL_NO_DATA)
		return 0;
	if (!desc->size || desc->size > exec->profile->max_transfer)
		return SVA_STATUS_XFER_SIZE;
	if (op->kind == MODEL_DELTA)
		return desc->size > SVA_DELTA_MAX_REGION ? SVA_STATUS_XFER_SIZE :
							   check_delta_size(exec);
	/*
	 * UNCERTAIN which status partial blocks, and a region that goes past 2^64, are answered
	 * with.
	 */
	if (op->kind == MODEL_DIF && desc->size % dif_src_step(desc))
		return SVA_STATUS_XFER_SIZE;
	if (op->run == model_translation_fetch && desc->src + desc->size - 1 < desc->src)
		return SVA_STATUS_XFER_SIZE;
	return 0;
}

static uint8_t check_alignment(const struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	const uint32_t stride = desc->op.fetch.stride, flags = model_flags(exec);
	uint64_t low = 0; /* bits that must be 0 */

	switch (sva_desc_opcode(desc)) {
	case SVA_OPCODE_CREATE_DELTA:
		low = (desc->src | desc->dst | desc->size) & 7;
		break;
	case SVA_OPCODE_APPLY_DELTA:
		low = (desc->dst | desc->size) & 7;
		break;
	case SVA_OPCODE_DUALCAST:
		return (desc->dst ^ desc->op.dualcast.dst2) & 0xfff ? SVA_STATUS_DUALCAST_ALIGN : 0;
	case SVA_OPCODE_TRANSLATION_FETCH:
		if (flags & SVA_DESC_STRIDE)
			low = stride < MODEL_PAGE || (stride & (stride - 1));
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		if (flags & SVA_DESC_CRC_SEED_MEM)
			low = desc->op.crc.seed_addr & (flags & SVA_DESC_CRC64 ? 7 : 3);
		break;
	case SVA_OPCODE_DIX_GENERATE:
		low = desc->dst & 7;
		break;
	}
	return low ? SVA_STATUS_ADDR_ALIGN : 0;
}

/* Does what the operation writes share a byte with what it reads? */
static uint8_t check_overlap(const struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	const uint64_t src = desc->src, dst = desc->dst, size = desc->size;
	const uint64_t delta = desc->op.delta.addr_or_size, dst2 = desc->op.dualcast.dst2;
	uint64_t src_step, dst_step;
	bool overlap = false;

	switch (sva_desc_opcode(desc)) {
	case SVA_OPCODE_MEMMOVE:
		if (!(exec->profile->gen_cap & SVA_GENCAP_OVERLAP_COPY))
			overlap = model_overlap(src, size, dst, size);
		break;
	case SVA_OPCODE_COPY_CRC:
	case SVA_OPCODE_DIF_UPDATE:
		overlap = model_overlap(src, size, dst, size);
		break;
	case SVA_OPCODE_CREATE_DELTA:
		overlap = model_overlap(delta, desc->op.delta.max_size, src, size) ||
			  model_overlap(delta, desc->op.delta.max_size, dst, size);
		break;
	case SVA_OPCODE_APPLY_DELTA:
		overlap = model_overlap(src, (uint32_t)delta, dst, size);
		break;
	/* UNCERTAIN whether the two destinations may overlap; here they may not. */
	case SVA_OPCODE_DUALCAST:
		overlap = model_overlap(src, size, dst, size) ||
			  model_overlap(src, size, dst2, size) ||
			  model_overlap(dst, size, dst2, size);
		break;
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIX_GENERATE:
		src_step = dif_src_step(desc);
		dst_step = model_dif_block(&desc->op.dif);
		if (sva_desc_opcode(desc) == SVA_OPCODE_DIF_INSERT)
			dst_step += MODEL_TUPLE;
		else if (sva_desc_opcode(desc) == SVA_OPCODE_DIX_GENERATE)
			dst_step = MODEL_TUPLE;
		overlap = model_overlap(src, size, dst, size / src_step * dst_step);
		break;
	}
	return overlap ? SVA_STATUS_OVERLAP : 0;
}

/* These may not be in a batch. */
static bool batch_forbids(unsigned int opcode)
{
	return opcode == SVA_OPCODE_BATCH || opcode == SVA_OPCODE_DRAIN;
}

uint8_t model_check(struct model_exec *exec, const struct model_op *op)
{
	const struct sva_desc *desc = &exec->desc;
	const unsigned int opcode = sva_desc_opcode(desc);
	uint8_t status;

	if (!op || (exec->in_batch && batch_forbids(opcode)))
		return SVA_STATUS_BAD_OPCODE;
	exec->comp.op.invalid_flags = model_invalid_flags(exec, op);
	if (exec->comp.op.invalid_flags)
		return SVA_STATUS_INVALID_FLAGS;
	if ((model_flags(exec) & SVA_DESC_RCI) && desc->int_handle >= exec->profile->int_handles)
		return SVA_STATUS_INT_HANDLE;
	if (reserved_set(exec, op))
		return SVA_STATUS_RESERVED_FIELD;
	if (opcode == SVA_OPCODE_BATCH)
		return check_batch(exec);
	status = check_sizes(exec, op);
	if (!status)
		status = check_alignment(exec);
	return status ? status : check_overlap(exec);
}
