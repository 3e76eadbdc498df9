/* SPDX-License-Identifier: MIT */
/* How an operation begins, is undone when it was not submitted after all, and ends. */
#include "lib/op/mapped.h"

/* The path that did most of the bytes; if none were done, the path of the last chunk. */
static uint8_t main_path(const struct sva_op_private *p, const struct sva_identity *last)
{
	unsigned int best = last ? last->path : SVA_PATH_CPU;

	for (unsigned int path = 0; path < SVA_PATH_COUNT; path++)
		if (p->result.path_bytes[path] > p->result.path_bytes[best])
			best = path;
	return (uint8_t)best;
}

void sva_operation_end(struct sva_op *op, const struct sva_identity *last, int error)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	p->result.error = error;
	p->result.path = main_path(p, last);
	if (last) {
		if (!p->result.reason)
			p->result.reason = last->reason;
		p->result.queue = last->queue;
		p->result.device = last->device;
	}
	op->state = SVA_OP_ENDED;
}

const struct sva_result *sva_op_result(const struct sva_op *op)
{
	static const struct sva_result never = { .error = -EINVAL, .path = SVA_PATH_CPU };

	if (sva_op_is_bad(op) || (op->state != SVA_OP_ENDED && !sva_op_is_pending(op)))
		return &never;
	return &SVA_OP_PRIVATE(op)->result;
}

void sva_operation_begin(struct sva_op *op, struct sva *ctx, const struct sva_policy *policy)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	sva_progress_begin(op);
	p->ctx = ctx;
	p->policy = policy;
	p->generation = sva_process_generation();
}

void sva_operation_undo(struct sva_op *op)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);

	sva_dma_undo(op);
	op->desc.src = p->src;
	op->desc.dst = p->dst;
	op->desc.op.dualcast.dst2 = p->third;
	op->desc.flags_opcode = p->prepared_word;
	op->desc.completion_addr = 0;
	op->state = SVA_OP_PREPARED;
}
