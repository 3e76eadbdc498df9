/* SPDX-License-Identifier: MIT */
/* soft: the model executes the same 64 bytes and writes the same record, here or on engine threads. */
#include "lib/queue/ways.h"

static int open_soft(struct sva_bond *bond, uint32_t *reason)
{
	if (bond->soft)
		return 0;
	*reason = SVA_REASON_WRONG_MODE;
	return -EOPNOTSUPP;
}

static int submit_soft(struct sva_lease *lease, const struct sva_desc *desc)
{
	return sva_soft_submit(lease->bond->soft, desc);
}

const struct sva_submit_ops sva_submit_soft = {
	.path = SVA_PATH_SOFT,
	.mode = SVA_MODE_UNKNOWN,
	.batch_opcode = true,
	.open = open_soft,
	.submit = submit_soft,
};
