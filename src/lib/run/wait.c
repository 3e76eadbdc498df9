/* SPDX-License-Identifier: MIT */
/*
 * Polling and waiting for an operation of any kind, and for all operations of a context that is
 * closed.
 */
#include <sched.h>

#include "lib/base/clock.h"
#include "lib/op/mapped.h"
#include "lib/run/run.h"

/*
 * A plain copy or fill of this thread has succeeded: the most frequent case, in one section of the
 * thread. The section comes last, since the context may be closed and freed afterwards.
 */
static int end_quickly(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_lease *lease = p->lease;
	struct sva_thread *thread = p->thread;
	bool closed;

	p->remaining = 0;
	p->result.error = 0;
	p->result.status = SVA_STATUS_SUCCESS;
	p->result.path = lease->path;
	p->result.reason = lease->id->reason;
	p->result.bytes = op->length;
	p->result.path_bytes[lease->path] = op->length;
	p->result.queue = lease->id->queue;
	p->result.device = lease->id->device;
	op->state = SVA_OP_ENDED;
	sva_bias_enter(&thread->lessee.bias);
	if (lease->counted)
		lease->credits++;
	closed = sva_thread_unlink(thread, op);
	sva_bias_exit(&thread->lessee.bias);
	if (unlikely(closed))
		sva_context_drop(thread->ctx);
	return 1;
}

/* p->thread is set: an operation that is quick and in flight is on a list. */
static inline bool can_end_quickly(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	return op->state == SVA_OP_IN_FLIGHT && p->generation == sva_process_generation() &&
	       p->quick && sva_record_status(&op->comp) == SVA_STATUS_SUCCESS &&
	       sva_lessee_is_own(&p->thread->lessee) &&
	       !atomic_load_explicit(&p->bond->starved, memory_order_relaxed);
}

static __attribute__((noinline, cold)) void release_kept(struct sva_op *op,
							 struct sva_thread *thread, bool closed)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint8_t keeps = p->keeps;

	p->keeps = 0;
	if (keeps & SVA_OP_KEEPS_BUFFERS)
		sva_dma_release_all(op);
	if (keeps & SVA_OP_KEEPS_BOND)
		sva_bond_drop(p->bond);
	if (closed)
		sva_context_drop(thread->ctx);
}

/*
 * After the section this thread touches neither share nor context, unless the context was closed
 * before: another thread may now close it, find nothing on the list and free it. For the same
 * reason what the operation keeps is released last.
 */
static void leave_list(struct sva_op *op)
{
	struct sva_thread *thread = SVA_OP_PRIVATE(op)->thread;
	bool closed;

	sva_lessee_enter(&thread->lessee);
	closed = sva_thread_unlink(thread, op);
	sva_lessee_leave(&thread->lessee);
	if (unlikely(closed || SVA_OP_PRIVATE(op)->keeps))
		release_kept(op, thread, closed);
}

/* Poll an operation of any kind, in any state. */
static int poll_operation(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err = 0;

	if (op->state != SVA_OP_ENDED && !sva_op_is_pending(op))
		return -EINVAL;
	if (unlikely(p->generation != sva_process_generation()))
		return -ESTALE;
	if (op->state != SVA_OP_ENDED) {
		/* An entry advances when its batch is polled. */
		if (unlikely(p->parent))
			return -EINVAL;
		if (p->is_batch)
			err = sva_batch_poll(op);
		else
			sva_complete_advance(op);
	}
	if (err || op->state != SVA_OP_ENDED)
		return err;
	if (p->thread)
		leave_list(op);
	return p->result.error ? p->result.error : 1;
}

int sva_poll(struct sva_op *op)
{
	if (sva_op_is_bad(op))
		return -EINVAL;
	if (likely(can_end_quickly(op)))
		return end_quickly(op);
	return poll_operation(op);
}

int sva_wait(struct sva_op *op, int64_t timeout_ns)
{
	uint64_t deadline = 0;
	int done;

	if (sva_op_is_bad(op))
		return -EINVAL;
	for (;;) {
		struct sva_op_private *p = SVA_OP_PRIVATE(op);

		done = sva_poll(op);
		if (done)
			return done > 0 ? 0 : done;
		if (!timeout_ns)
			return -ETIME;
		if (timeout_ns > 0) {
			uint64_t now = sva_now_ns();

			if (!deadline)
				deadline = now + (uint64_t)timeout_ns;
			else if (now >= deadline)
				return -ETIME;
		}
		if (op->state == SVA_OP_IN_FLIGHT)
			sva_complete_await(p->bond, &op->comp, deadline);
		else
			sched_yield();
	}
}

void sva_op_retire(struct sva_op *op)
{
	(void)sva_wait(op, -1);
}

static struct sva_op *first_listed(struct sva_thread *thread)
{
	struct sva_op *op;

	sva_lessee_enter(&thread->lessee);
	op = thread->first;
	sva_lessee_leave(&thread->lessee);
	return op;
}

/* By the contract of sva_close(3) the thread that closes the context owns these operations. */
void sva_finish_own(struct sva *ctx)
{
	struct sva_op *op;

	for (struct sva_thread *thread = atomic_load(&ctx->threads); thread; thread = thread->next)
		if (sva_lessee_is_own(&thread->lessee) || !atomic_load(&thread->lessee.owner))
			while ((op = first_listed(thread)))
				sva_op_retire(op);
}
