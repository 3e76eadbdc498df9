/* SPDX-License-Identifier: MIT */
/*
 * May this descriptor run? The order of the checks is free ([S3] 5.4); the model's is: the address of the record
 * (execute.c), opcode, flags (flags.c), interrupt handle, reserved fields, sizes and counts, alignment, overlap. The first
 * that fails decides the status.
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

/* Eight bits to eight bytes: 0xff where the bit is clear. */
static uint64_t unused_mask(uint64_t used, int word)
{
	uint64_t mask = 0;

	for (int byte = 0; byte < 8; byte++) {
		if (!(used >> (word * 8 + byte) & 1))
			mask |= 0xffull << (byte * 8);
	}
	return mask;
}

/* Bits of the DIF flag bytes that no operation has. */
static bool dif_reserved_set(const struct sva_desc_dif *dif, uint64_t used)
{
	return (dif->flags & 0xf0) || ((used & MODEL_BYTES(41, 1)) && (dif->dst_flags & 0x07));
}

static bool reserved_set(const struct model_exec *exec, const struct model_op *op)
{
	const model_u64 *words = (const model_u64 *)&exec->desc;
	uint64_t used = used_bytes(exec, op), set = 0;

	for (int word = 2; word < 8; word++) {
		if (words[word])
			set |= words[word] & unused_mask(used, word);
	}
	if (set || (op->kind == MODEL_DIF && dif_reserved_set(&exec->desc.op.dif, used)))
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

/* Sizes and counts: 0 if they are in range. */
static uint8_t check_sizes(const struct model_exec *exec, const struct model_op *op)
{
	const struct sva_desc *desc = &exec->desc;

	if (op->kind != MODEL_NO_DATA && (!desc->size || desc->size > exec->profile->max_transfer))
		return SVA_STATUS_XFER_SIZE;
	return 0;
}

static uint8_t check_overlap(const struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	bool overlap = false;

	switch (sva_desc_opcode(desc)) {
	case SVA_OPCODE_MEMMOVE:
		overlap = !(exec->profile->gen_cap & SVA_GENCAP_OVERLAP_COPY) &&
			  model_overlap(desc->src, desc->size, desc->dst, desc->size);
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
		status = check_overlap(exec);
	return status;
}
