/* SPDX-License-Identifier: MIT */
/*
 * Polling and waiting: whichever kind of operation it is, and as the owner of all that a context
 * has.
 */
#include <sched.h>

#include "lib/base/clock.h"
#include "lib/op/mapped.h"
#include "lib/run/run.h"

/*
 * A plain copy or fill of this thread has ended well: the commonest case, in one section of the
 * thread. It comes last, since the context may be closed and freed afterwards.
 */
static int ended_quickly(struct sva_op *op)
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

/* One that is quick and in flight is on a list. */
static inline bool can_end_quickly(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	return op->state == SVA_OP_IN_FLIGHT && p->generation == sva_process_generation() &&
	       p->quick && sva_record_status(&op->comp) == SVA_STATUS_SUCCESS &&
	       sva_lessee_is_own(&p->thread->lessee) &&
	       !atomic_load_explicit(&p->bond->starved, memory_order_relaxed);
}

static __attribute__((noinline, cold)) void give_back(struct sva_op *op, struct sva_thread *thread,
						      bool closed)
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
 * After its section this thread touches neither share nor context, unless the context was closed
 * before: another thread may close it now, find nothing on the list and free it. What the operation
 * keeps is given back last, for the same reason.
 */
static void leave_list(struct sva_op *op)
{
	struct sva_thread *thread = SVA_OP_PRIVATE(op)->thread;
	bool closed;

	sva_lessee_enter(&thread->lessee);
	closed = sva_thread_unlink(thread, op);
	sva_lessee_leave(&thread->lessee);
	if (unlikely(closed || SVA_OP_PRIVATE(op)->keeps))
		give_back(op, thread, closed);
}

/* Whatever kind of operation it is, and however it stands. */
static int poll_any(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err = 0;

	if (op->state != SVA_OP_ENDED && !sva_op_is_pending(op))
		return -EINVAL;
	if (unlikely(p->generation != sva_process_generation()))
		return -ESTALE;
	if (op->state != SVA_OP_ENDED) {
		/* The entry of a batch goes on when the batch does. */
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
		return ended_quickly(op);
	return poll_any(op);
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

static struct sva_op *first_of(struct sva_thread *thread)
{
	struct sva_op *op;

	sva_lessee_enter(&thread->lessee);
	op = thread->first;
	sva_lessee_leave(&thread->lessee);
	return op;
}

/* The contract of sva_close(3) makes the thread that closes the context the owner of these. */
void sva_finish_own(struct sva *ctx)
{
	struct sva_op *op;

	for (struct sva_thread *thread = atomic_load(&ctx->threads); thread; thread = thread->next)
		if (sva_lessee_is_own(&thread->lessee) || !atomic_load(&thread->lessee.owner))
			while ((op = first_of(thread)))
				sva_op_retire(op);
}
