/* SPDX-License-Identifier: MIT */
/* The table of operations: which flags each may and must have, which bytes of the descriptor it uses, and what runs it. */
#include "model/internal.h"

#define SRC   MODEL_BYTES(16, 8)
#define DST   MODEL_BYTES(24, 8)
#define SIZE  MODEL_BYTES(32, 4)
#define THREE (SRC | DST | SIZE)

#define RECORD  (SVA_DESC_CRAV | SVA_DESC_RCR)
#define WRITES  (SVA_DESC_CC | SVA_DESC_DRDBK | SVA_DESC_CC3 | SVA_DESC_STORD | MODEL_DSTS)
#define CRC_FLAGS (SVA_DESC_CRC_SEED_MEM | SVA_DESC_CRC_BYPASS_INV | SVA_DESC_CRC_BYPASS_REF | SVA_DESC_CRC64)

/* Source: flags [S3] table 5-3, required flags table 5-5, fields 8.3. */
static const struct model_op ops[MODEL_NUM_OPS] = {
	[SVA_OPCODE_NOOP] = { model_noop, MODEL_NO_DATA, 0, 0, 0 },
	[SVA_OPCODE_BATCH] = { model_batch, MODEL_NO_DATA, SVA_DESC_TCS1 | SVA_DESC_BATCH_ERROR, 0, SRC | SIZE },
	[SVA_OPCODE_DRAIN] = {
		model_drain, MODEL_NO_DATA,
		SVA_DESC_TCS1 | SVA_DESC_TCS2 | SVA_DESC_DRAIN_RDBK1 | SVA_DESC_DRAIN_RDBK2 | SVA_DESC_DRAIN_NO_TCA |
			SVA_DESC_DRAIN_NO_TCB,
		0, SRC | DST,
	},
	[SVA_OPCODE_MEMMOVE] = {
		model_memmove, MODEL_DATA, SVA_DESC_BOF | WRITES | SVA_DESC_TCS1 | SVA_DESC_TCS2, 0, THREE,
	},
	[SVA_OPCODE_FILL] = {
		model_fill, MODEL_DATA, SVA_DESC_BOF | WRITES | SVA_DESC_TCS2 | SVA_DESC_FILL16, 0,
		THREE | MODEL_BYTES(40, 8),
	},
};

const struct model_op *model_op_find(const struct sva_model_profile *profile, unsigned int opcode)
{
	if (opcode >= MODEL_NUM_OPS || !ops[opcode].run || !(profile->op_cap[0] >> opcode & 1))
		return NULL;
	return &ops[opcode];
}
