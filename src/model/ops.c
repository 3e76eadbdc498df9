/* SPDX-License-Identifier: MIT */
/*
 * The table of operations: which flags each may and must have, which bytes of the descriptor it
 * uses, and what runs it.
 */
#include "model/internal.h"

#define SRC   MODEL_BYTES(16, 8)
#define DST   MODEL_BYTES(24, 8)
#define SIZE  MODEL_BYTES(32, 4)
#define THREE (SRC | DST | SIZE)

#define RECORD  (SVA_DESC_CRAV | SVA_DESC_RCR)
#define CACHE_CONTROL (SVA_DESC_CC | SVA_DESC_DRDBK | SVA_DESC_CC3)
#define WRITES  (CACHE_CONTROL | SVA_DESC_STORD | MODEL_DSTS)
#define CRC_FLAGS \
	(SVA_DESC_CRC_SEED_MEM | SVA_DESC_CRC_BYPASS_INV | SVA_DESC_CRC_BYPASS_REF | SVA_DESC_CRC64)
#define CRC_FIELDS MODEL_BYTES(40, 16) /* seed, and address of the seed */
#define DIF_SRC (MODEL_BYTES(40, 1) | MODEL_BYTES(42, 1) | MODEL_BYTES(48, 8))
#define DIF_DST (MODEL_BYTES(41, 1) | MODEL_BYTES(42, 1) | MODEL_BYTES(56, 8))

/* Source: flags [S3] table 5-3, required flags table 5-5, fields 8.3. */
static const struct model_op ops[MODEL_NUM_OPS] = {
	[SVA_OPCODE_NOOP] = {model_noop, MODEL_NO_DATA, 0, 0, 0},
	[SVA_OPCODE_BATCH] = {model_batch, MODEL_NO_DATA, SVA_DESC_TCS1 | SVA_DESC_BATCH_ERROR, 0,
			      SRC | SIZE},
	[SVA_OPCODE_DRAIN] =
		{
			model_drain,
			MODEL_NO_DATA,
			SVA_DESC_TCS1 | SVA_DESC_TCS2 | SVA_DESC_DRAIN_RDBK1 |
				SVA_DESC_DRAIN_RDBK2 | SVA_DESC_DRAIN_NO_TCA |
				SVA_DESC_DRAIN_NO_TCB,
			0,
			SRC | DST,
		},
	[SVA_OPCODE_MEMMOVE] =
		{
			model_memmove,
			MODEL_DATA,
			SVA_DESC_BOF | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2,
			0,
			THREE,
		},
	[SVA_OPCODE_FILL] =
		{
			model_fill,
			MODEL_DATA,
			SVA_DESC_BOF | WRITES | SVA_DESC_TCS2 | SVA_DESC_FILL16,
			0,
			THREE | MODEL_BYTES(40, 8),
		},
	[SVA_OPCODE_COMPARE] =
		{
			model_compare,
			MODEL_DATA,
			SVA_DESC_BOF | SVA_DESC_CR | SVA_DESC_TCS1 | SVA_DESC_TCS2,
			RECORD,
			THREE | MODEL_BYTES(40, 1),
		},
	[SVA_OPCODE_COMPARE_PATTERN] =
		{
			model_compare_pattern,
			MODEL_DATA,
			SVA_DESC_BOF | SVA_DESC_CR | SVA_DESC_TCS1,
			RECORD,
			THREE | MODEL_BYTES(40, 1),
		},
	[SVA_OPCODE_CREATE_DELTA] =
		{
			model_create_delta,
			MODEL_DELTA,
			SVA_DESC_BOF | SVA_DESC_CR | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2 |
				SVA_DESC_TCS3,
			RECORD,
			THREE | MODEL_BYTES(40, 12) | MODEL_BYTES(56, 1),
		},
	[SVA_OPCODE_APPLY_DELTA] =
		{
			model_apply_delta,
			MODEL_DELTA,
			SVA_DESC_BOF | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2,
			0,
			THREE | MODEL_BYTES(40, 4),
		},
	[SVA_OPCODE_DUALCAST] =
		{
			model_dualcast,
			MODEL_DATA,
			SVA_DESC_BOF | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2 | SVA_DESC_TCS3 |
				MODEL_DUALCAST_STS2,
			0,
			THREE | MODEL_BYTES(40, 8),
		},
	[SVA_OPCODE_TRANSLATION_FETCH] =
		{
			model_translation_fetch,
			MODEL_DATA,
			SVA_DESC_BOF | SVA_DESC_STRIDE,
			0,
			SRC | SIZE | MODEL_BYTES(48, 4),
		},
	[SVA_OPCODE_CRC] =
		{
			model_crc,
			MODEL_DATA,
			SVA_DESC_BOF | SVA_DESC_TCS1 | SVA_DESC_TCS3 | CRC_FLAGS,
			RECORD,
			SRC | SIZE | CRC_FIELDS,
		},
	[SVA_OPCODE_COPY_CRC] =
		{
			model_copy_crc,
			MODEL_DATA,
			SVA_DESC_BOF | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2 | SVA_DESC_TCS3 |
				CRC_FLAGS,
			RECORD,
			THREE | CRC_FIELDS,
		},
	[SVA_OPCODE_DIF_CHECK] =
		{
			model_dif,
			MODEL_DIF,
			SVA_DESC_BOF | SVA_DESC_TCS1,
			RECORD,
			SRC | SIZE | DIF_SRC,
		},
	[SVA_OPCODE_DIF_INSERT] =
		{
			model_dif,
			MODEL_DIF,
			SVA_DESC_BOF | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2,
			0,
			THREE | DIF_DST,
		},
	[SVA_OPCODE_DIF_STRIP] =
		{
			model_dif,
			MODEL_DIF,
			SVA_DESC_BOF | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2,
			0,
			THREE | DIF_SRC,
		},
	[SVA_OPCODE_DIF_UPDATE] =
		{
			model_dif,
			MODEL_DIF,
			SVA_DESC_BOF | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2,
			0,
			THREE | DIF_SRC | DIF_DST,
		},
	[SVA_OPCODE_DIX_GENERATE] =
		{
			model_dif,
			MODEL_DIF,
			SVA_DESC_BOF | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2,
			RECORD,
			THREE | DIF_DST,
		},
	[SVA_OPCODE_CACHE_FLUSH] =
		{
			model_cache_flush,
			MODEL_DATA,
			SVA_DESC_BOF | CACHE_CONTROL | SVA_DESC_STORD | SVA_DESC_TCS2,
			0,
			DST | SIZE,
		},
};

const struct model_op *model_op_find(const struct sva_model_profile *profile, unsigned int opcode)
{
	if (opcode >= MODEL_NUM_OPS || !ops[opcode].run || !(profile->op_cap[0] >> opcode & 1))
		return NULL;
	return &ops[opcode];
}
