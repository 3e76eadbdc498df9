/* SPDX-License-Identifier: MIT */
/*
 * Polling and waiting for an operation of any kind, and for all operations of a context that is
 * closed.
 */
#include <sched.h>

#include "lib/base/clock.h"
#include "lib/op/mapped.h"
#include "lib/run/fast.h"
#include "lib/run/group.h"

#define GROUP_LOOK_NS 1000000u

/*
 * A fast operation that did not end at once. It stays on the short road while its record is empty,
 * the queue lives and no clock has to be looked at.
 */
static bool stays_fast(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const struct sva_bond *bond = sva_op_lease(op)->bond;
	unsigned int polls;

	if (sva_record_status(&op->comp) || bond->pump || sva_group_has_left(op))
		return false;
	/* Several owners may count here, and what one of them loses does not matter. */
	polls = __atomic_load_n(&p->thread->polls, __ATOMIC_RELAXED) + 1;
	__atomic_store_n(&p->thread->polls, polls, __ATOMIC_RELAXED);
	if (polls % SVA_POLLS_BEFORE_CLOCK == 0)
		return false;
	return atomic_load_explicit(&bond->state, memory_order_acquire) != SVA_BOND_RETIRED;
}

static bool is_of_generation(const struct sva_op *op)
{
	uint32_t generation = sva_process_generation();

	if (sva_op_is_in(op, SVA_OP_FAST) || sva_op_is_in(op, SVA_OP_FAST_ENDED) ||
	    sva_op_is_in(op, SVA_OP_FAST_ENTRY))
		return !((op->state ^ generation) & SVA_OP_FAST_GENERATION);
	return SVA_OP_PRIVATE(op)->generation == generation;
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

/* The operation was one of a context that is closed, which may be freed now. */
static __attribute__((noinline, cold)) int drop_closed(struct sva_thread *thread)
{
	sva_context_drop(thread->ctx);
	return 1;
}

/* Poll an operation of any kind, in any state. */
static __attribute__((noinline)) int poll_any(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err = 0;

	if (op->state != SVA_OP_ENDED && !sva_op_is_in(op, SVA_OP_FAST_ENDED) &&
	    !sva_op_is_pending(op))
		return -EINVAL;
	if (unlikely(!is_of_generation(op)))
		return -ESTALE;
	if (sva_op_is_in(op, SVA_OP_FAST_ENDED))
		return 1;
	if (sva_op_is_in(op, SVA_OP_FAST_ENTRY))
		return -EINVAL; /* an entry advances when its batch is polled */
	if (sva_op_is_in(op, SVA_OP_FAST)) {
		if (stays_fast(op))
			return 0;
		sva_operation_unfold(op, sva_op_lease(op)->bond, p->thread->ctx,
				     &p->thread->ctx->policy);
		if (!p->lease->bond) { /* done by the CPU: sva_start_plain() */
			p->chunks = p->result.chunks = 0;
			p->result.reason = p->lease->id->reason;
		}
	}
	if (op->state != SVA_OP_ENDED) {
		if (unlikely(p->is_entry))
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
	struct sva_op_private *p;
	struct sva_thread *thread = sva_tls.current;
	struct sva_lease *lease;
	bool closed;

	if (sva_op_is_bad(op))
		return -EINVAL;
	p = SVA_OP_PRIVATE(op);
	/*
	 * An operation of this thread that has ended well on the short road. In this order: in a
	 * forked child the share is not there, and the epoch is another; another share at the same
	 * address has another generation.
	 */
	if (unlikely(p->thread != thread) || unlikely(!thread) ||
	    unlikely(sva_tls.epoch !=
		     atomic_load_explicit(&sva_alive->epoch, memory_order_relaxed)) ||
	    unlikely(op->state != thread->fast_state) ||
	    unlikely(sva_record_status(&op->comp) != SVA_STATUS_SUCCESS))
		return poll_any(op);
	if (unlikely(!sva_bias_try_enter(&thread->lessee.bias)))
		return poll_any(op);
	lease = p->lease; /* here, since another thread may have given its credit back */
	if (unlikely(lease->counted) &&
	    unlikely(atomic_load_explicit(lease->starved, memory_order_relaxed))) {
		sva_bias_exit(&thread->lessee.bias);
		return poll_any(op); /* the credit goes to the bond: a thread is short of them */
	}
	lease->credits += lease->counted;
	p->last = lease->id;
	op->state = thread->fast_ended;
	/*
	 * The last operation of a group has ended. After the section neither lease nor share may be
	 * touched, for the reason that leave_list() gives.
	 */
	if (unlikely(!lease->credits))
		sva_group_recycle(thread);
	closed = sva_thread_unlink(thread, op);
	sva_bias_exit(&thread->lessee.bias);
	return unlikely(closed) ? drop_closed(thread) : 1;
}

/* The record of an operation in a group may never come: its batch is looked at now and then. */
static uint64_t wait_until(const struct sva_op *op, uint64_t deadline)
{
	uint64_t soon;

	if (!sva_op_lease(op)->is_group)
		return deadline;
	soon = sva_now_ns() + GROUP_LOOK_NS;
	return !deadline || soon < deadline ? soon : deadline;
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
		if (sva_op_is_in(op, SVA_OP_FAST))
			sva_complete_await(sva_op_lease(op)->bond, &op->comp,
					   wait_until(op, deadline));
		else if (op->state == SVA_OP_IN_FLIGHT)
			sva_complete_await(p->bond, &op->comp, wait_until(op, deadline));
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
	op = sva_thread_is_idle(thread) ? NULL : sva_op_of_node(thread->list.next);
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
