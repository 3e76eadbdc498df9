/* SPDX-License-Identifier: MIT */
/*
 * The fast path of asynchronous submission, inline, for the most frequent operation: one descriptor
 * that a queue accepts at once.
 */
#ifndef SVA_RUN_FAST_H
#define SVA_RUN_FAST_H

#include <string.h>

#include "lib/queue/ways.h"
#include "lib/run/run.h"

#pragma GCC visibility push(hidden)

/* longer ones bypass the cache, which takes other flags than those of the lease's words */
#define SVA_FAST_LENGTH (1u << 20)

/*
 * A plain copy or fill that one descriptor can carry, on the lease that took the last operation.
 * Does the same as sva_start() without the checks whose outcome is known. If it returns anything
 * but 0, the caller must call sva_start().
 */
static inline int sva_start_fast(struct sva_thread *thread, struct sva_lease *lease,
				 struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint64_t end;
	int err = -EAGAIN;

	if (op->length - 1 >= lease->max_transfer || op->flags || op->state != SVA_OP_PREPARED ||
	    __builtin_add_overflow(op->desc.dst - 1, op->length, &end) ||
	    op->length > SVA_FAST_LENGTH)
		return -EAGAIN;
	memset(p, 0, sizeof(*p));
	p->prepared_word = op->desc.flags_opcode;
	if (p->prepared_word == sva_desc_word(SVA_OPCODE_MEMMOVE, 0)) {
		if (__builtin_add_overflow(op->desc.src - 1, op->length, &end))
			return -EAGAIN;
		op->desc.flags_opcode = lease->move_word;
	} else if (p->prepared_word == sva_desc_word(SVA_OPCODE_FILL, 0)) {
		op->desc.flags_opcode = lease->fill_word;
	} else {
		return -EAGAIN;
	}
	p->word = p->prepared_word | SVA_DESC_CRAV | SVA_DESC_RCR;
	p->src = op->desc.src;
	p->dst = op->desc.dst;
	p->remaining = op->length;
	p->ctx = thread->ctx;
	p->policy = &thread->ctx->policy;
	p->generation = thread->ctx->generation;
	p->lease = lease;
	p->bond = lease->bond;
	p->credit = true;
	p->quick = true;
	p->result.error = -EINPROGRESS;
	p->result.chunks = 1;
	op->desc.completion_addr = (uint64_t)(uintptr_t)&op->comp;
	op->desc.size = (uint32_t)op->length;
	sva_record_clear(&op->comp);
	sva_bias_enter(&thread->lessee.bias);
	if (likely(lease->credits > 0)) {
		err = lease->submit(lease, &op->desc);
		if (likely(!err)) {
			lease->credits -= lease->counted;
			lease->full_since = 0;
			op->state = SVA_OP_IN_FLIGHT;
			sva_thread_link(thread, op);
		}
	}
	sva_bias_exit(&thread->lessee.bias);
	if (unlikely(err))
		sva_operation_undo(op);
	return err;
}

/*
 * The lease on which op has just been submitted, if that lease takes several operations at once, so
 * that others may follow; else NULL. *mapped: it is one on mapped buffers, so that only operations
 * for the same device may follow.
 */
static inline struct sva_lease *sva_group_lease(struct sva_thread *thread, struct sva_op *op,
						bool *mapped)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_lease *lease = thread->recent;

	*mapped = op->state == SVA_OP_IN_FLIGHT && p->by_buffer;
	if (*mapped)
		lease = p->lease;
	return lease && lease->ops->submit_many ? lease : NULL;
}

#pragma GCC visibility pop

#endif
