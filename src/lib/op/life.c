/* SPDX-License-Identifier: MIT */
/* How an operation begins, is undone when it was not submitted after all, and ends. */
#include <string.h>

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
	sva_op_set_state(op, SVA_OP_ENDED);
}

void sva_result_read(struct sva_result *result, const struct sva_comp *comp, uint32_t word,
		     uint64_t length, const struct sva_identity *id)
{
	uint64_t bytes = length;

	memset(result, 0, sizeof(*result));
	result->status = comp->status & SVA_STATUS_MASK;
	result->result = sva_result_answer(comp, word, length, &result->value);
	switch (word >> 24) {
	case SVA_OPCODE_COMPARE:
	case SVA_OPCODE_COMPARE_PATTERN:
		if (comp->result)
			bytes = result->value;
		break;
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
	case SVA_OPCODE_DIX_GENERATE:
		result->dif = comp->op.dif;
		break;
	default:
		break;
	}
	result->bytes = bytes;
	result->path = id->path;
	result->path_bytes[id->path] = bytes;
	result->queue = id->queue;
	result->device = id->device;
	result->reason = id->reason;
	result->chunks = id->queue ? 1 : 0; /* without a queue, the CPU did it */
}

/*
 * The result of an operation on the short road is written when it is asked for, by the caller that
 * owns the operation, as with every other call on it.
 */
static void write_result(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (sva_op_is_in(op, SVA_OP_FAST_ENDED)) {
		sva_result_read(&p->result, &op->comp, p->prepared_word, op->length, p->last);
		return;
	}
	memset(&p->result, 0, sizeof(p->result));
	p->result.error = -EINPROGRESS;
	p->result.path = SVA_PATH_CPU;
	p->result.chunks = 1;
}

const struct sva_result *sva_op_result(const struct sva_op *op)
{
	static const struct sva_result never = { .error = -EINVAL, .path = SVA_PATH_CPU };

	if (sva_op_is_bad(op))
		return &never;
	if (sva_op_is_in(op, SVA_OP_FAST_ENDED) || sva_op_is_in(op, SVA_OP_FAST) ||
	    sva_op_is_in(op, SVA_OP_FAST_ENTRY))
		write_result((struct sva_op *)(uintptr_t)op);
	else if (op->state != SVA_OP_ENDED && !sva_op_is_pending(op))
		return &never;
	return &SVA_OP_PRIVATE(op)->result;
}

void sva_operation_begin(struct sva_op *op, struct sva *ctx, const struct sva_policy *policy)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	memset(p, 0, offsetof(struct sva_op_private, result));
	p->prepared_word = op->desc.flags_opcode;
	sva_progress_begin(op);
	p->ctx = ctx;
	p->policy = policy;
	p->generation = sva_process_generation();
}

void sva_operation_unfold(struct sva_op *op, struct sva_bond *bond, struct sva *ctx,
			  const struct sva_policy *policy)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	op->desc.flags_opcode = p->prepared_word;
	sva_progress_begin(op);
	p->ctx = ctx;
	p->policy = policy;
	p->generation = sva_process_generation();
	p->is_entry = false;
	p->is_batch = false;
	p->result.chunks = 1;
	__atomic_store_n(&p->chunks, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&p->bond, bond, __ATOMIC_RELAXED);
	sva_op_set_credit(op, true);
	/* Release: settle.c, which finds this state, finds the words above, too. */
	__atomic_store_n(&op->state, SVA_OP_IN_FLIGHT, __ATOMIC_RELEASE);
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
