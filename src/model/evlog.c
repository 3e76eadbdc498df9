/* SPDX-License-Identifier: MIT */
/*
 * Entries of the event log: 32 bytes that say what happened, then the completion record. Source:
 * [S3] 5.9, 7.3.
 */
#include "model/bytes.h"
#include "model/internal.h"

/* Bits of the first quadword. */
#define DESC_VALID  (1ull << 2)
#define QUEUE_VALID (1ull << 3)
#define IN_BATCH    (1ull << 4)
#define WRITE_FAULT (1ull << 5)
#define PRIV        (1ull << 6)
#define INFO_VALID  (1ull << 7)
#define ERROR_SHIFT 8
#define QUEUE_SHIFT 16
#define OPCODE_SHIFT 32
#define PASID_SHIFT 40
#define PASID_MASK  0xfffffull

/* Bits of the error information, bytes 12-15; the interrupt handle is in 15:0. */
#define INFO_RCI     (1u << 16)
#define INFO_RCR     (1u << 18)
#define INFO_FIRST   (1u << 19)
#define INFO_OPERAND 29

bool sva_model_evl_entry(const struct sva_desc *desc, const struct sva_model_outcome *outcome,
			 uint32_t pasid, uint8_t queue, uint8_t entry[64])
{
	const uint32_t flags = sva_desc_flags(desc);
	uint64_t head = DESC_VALID | QUEUE_VALID | INFO_VALID;
	uint16_t index = (uint16_t)outcome->swerror_index;
	uint32_t info = desc->int_handle;

	if (!outcome->swerror)
		return false;
	head |= (uint64_t)outcome->swerror << ERROR_SHIFT | (uint64_t)queue << QUEUE_SHIFT;
	head |= (uint64_t)sva_desc_opcode(desc) << OPCODE_SHIFT | (pasid & PASID_MASK)
									  << PASID_SHIFT;
	if (outcome->in_batch)
		head |= IN_BATCH;
	if (outcome->priv)
		head |= PRIV;
	if (flags & SVA_DESC_RCI)
		info |= INFO_RCI;
	if (flags & SVA_DESC_RCR)
		info |= INFO_RCR;
	if (outcome->first_in_batch)
		info |= INFO_FIRST;
	if (outcome->swerror == SVA_STATUS_COMP_FAULT) {
		head |= WRITE_FAULT;
		info |= (uint32_t)OPERAND_RECORD << INFO_OPERAND;
	}
	model_bytes_zero(entry, 64);
	model_bytes_copy(entry, &head, sizeof(head));
	model_bytes_copy(entry + 8, &index, sizeof(index));
	model_bytes_copy(entry + 12, &info, sizeof(info));
	model_bytes_copy(entry + 16, &outcome->swerror_addr, sizeof(outcome->swerror_addr));
	model_bytes_copy(entry + 32, &outcome->comp, sizeof(outcome->comp));
	return true;
}
