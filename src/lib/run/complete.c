/* SPDX-License-Identifier: MIT */
/* Waiting: look at a record, decide what it means, go on or end; collect what has ended; get out of what never ends. */
#include <sched.h>

#include "lib/op/kinds.h"
#include "lib/queue/ways.h"

#define SPINS_BEFORE_CLOCK 256u /* looks at a record between looks at the clock */
#define PUMP_WAIT_NS 1000000u    /* one wait in the kernel; whoever waits looks at the clock in between */
#define UMWAIT_TICKS 20000u     /* the kernel's own limit is 100000 (Linux umwait.c); wakes early when the record is written */

/* ------------------------------------------------------------------ a thread's list of operations */

/* true: the context is closed, and the caller has to give a hold of it back. */
static inline __attribute__((always_inline)) bool unlink_locked(struct sva_thread *thread,
								struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	unsigned int left = atomic_load_explicit(&thread->in_flight, memory_order_relaxed) - 1;

	if (p->prev)
		SVA_OP_PRIVATE(p->prev)->next = p->next;
	else
		thread->first = p->next;
	if (p->next)
		SVA_OP_PRIVATE(p->next)->prev = p->prev;
	else
		thread->last = p->prev;
	if (thread->cursor == op)
		thread->cursor = p->next;
	p->thread = NULL;
	atomic_store_explicit(&thread->in_flight, left, memory_order_relaxed);
	return left & SVA_THREAD_CLOSED;
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
void sva_complete_unlink(struct sva_op *op)
{
	struct sva_thread *thread = SVA_OP_PRIVATE(op)->thread;
	bool closed;

	sva_thread_enter(thread);
	closed = unlink_locked(thread, op);
	sva_thread_leave(thread);
	if (unlikely(closed || SVA_OP_PRIVATE(op)->keeps))
		give_back(op, thread, closed);
}

void sva_complete_return_credit(struct sva_op *op)
{
	struct sva_lease *lease = SVA_OP_PRIVATE(op)->lease;

	if (!SVA_OP_PRIVATE(op)->credit)
		return;
	sva_op_set_credit(op, false);
	if (!lease->counted)
		return;
	if (!sva_thread_is_own(lease->thread) || atomic_load_explicit(&lease->bond->thirsty, memory_order_relaxed)) {
		sva_bond_return_credit(lease->bond);
		return;
	}
	sva_bias_enter(&lease->thread->bias);
	lease->credits++;
	sva_bias_exit(&lease->thread->bias);
}

/* ------------------------------------------------------------------ one operation */

/* Bounded: a queue that stays full for ever is a queue that has stopped. */
bool sva_complete_gives_up(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint64_t now = sva_now_ns();

	if (!p->waited_since)
		p->waited_since = now;
	return now - p->waited_since >= (uint64_t)p->policy->record_timeout_ms * 1000000u;
}

/* Issue the next chunk; what it says when no queue takes it. */
static void go_on(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_thread *thread;
	int err;

	thread = sva_thread_get(p->key, &err);
	if (thread)
		err = sva_issue(thread, op);
	if (!err)
		return;
	if (err == -EAGAIN) {
		op->state = SVA_OP_STALLED;
		if (!sva_complete_gives_up(op))
			return;
		err = -EIO;
	}
	if (p->by_buffer) {
		if (err == -EOPNOTSUPP)
			p->result.reason = SVA_REASON_NO_OPERATION;
		sva_dma_let_go(op, p->policy);
	}
	/* Every device is gone. What is left of it the CPU can do, if it may. */
	if (p->policy->cpu_allowed && !p->pinned)
		sva_issue_on_cpu(op, SVA_REASON_RETIRED);
	else
		sva_result_end(op, err);
}

static void forget_capability(struct sva_bond *bond, unsigned int opcode)
{
	if (opcode < 256)
		__atomic_and_fetch(&bond->op_cap[opcode / 64], ~(1ull << (opcode % 64)), __ATOMIC_RELAXED);
}

/* The device is done with a batch: its entries are taken one by one, and the loop does what is left. */
static void take_batch(struct sva_op *op, bool lost)
{
	struct sva_thread *thread;
	int err;

	sva_batch_take(op, lost);
	thread = sva_thread_get(SVA_OP_PRIVATE(op)->key, &err);
	if (thread)
		sva_batch_advance(thread, op);
}

/* The record is there: what does it say? */
static void take_record(struct sva_op *op, unsigned int status)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int verdict;

	sva_complete_return_credit(op);
	p->waited_since = 0;
	status &= SVA_STATUS_MASK;
	p->result.status = (uint8_t)status;
	if (sva_kind_of(op)->shape == SVA_SHAPE_BATCH) {
		if (status == SVA_STATUS_BAD_OPCODE)
			forget_capability(p->bond, SVA_OPCODE_BATCH);
		take_batch(op, false);
		return;
	}
	switch (status) {
	case SVA_STATUS_SUCCESS:
	case SVA_STATUS_SUCCESS_PRED:
		if (sva_progress_chunk_done(op, p->lease->path))
			sva_result_end(op, sva_progress_verdict(op));
		else
			go_on(op);
		return;
	case SVA_STATUS_PAGE_FAULT:
	case SVA_STATUS_PAGE_FAULT_IR:
		verdict = sva_resume(op);
		if (verdict > 0)
			sva_issue_on_cpu(op, SVA_REASON_FAULTS);
		else if (verdict)
			sva_result_end(op, verdict);
		else
			go_on(op);
		return;
	case SVA_STATUS_BAD_OPCODE:
		/* The queue does less than it said (its op_config, or a file that told wrong): others may do it. */
		forget_capability(p->bond, sva_desc_opcode(&op->desc));
		if (!p->pinned) {
			p->result.reason = SVA_REASON_NO_OPERATION;
			go_on(op);
			return;
		}
		break;
	case SVA_STATUS_OVERLAP:
		/* A queue that could not say so does not copy onto itself. The overlap is the only one that gets this far. */
		if (sva_desc_opcode(&op->desc) == SVA_OPCODE_MEMMOVE && !p->pinned) {
			__atomic_and_fetch(&p->bond->gen_cap, ~SVA_GENCAP_OVERLAP_COPY, __ATOMIC_RELAXED);
			p->result.reason = SVA_REASON_NO_OPERATION;
			go_on(op);
			return;
		}
		break;
	default:
		break;
	}
	sva_progress_failed(op, p->lease->path);
	sva_result_end(op, -sva_status_errno(status));
}

/*
 * The record was empty and the bond is retired. The bond's state was stored after the kernel had drained the queue, so a record
 * that is empty now stays empty; one that came in between counts.
 */
static void take_retired(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	unsigned int status = sva_record_status(&op->comp);

	if (status) {
		take_record(op, status);
		return;
	}
	sva_op_set_credit(op, false); /* of a lease that is dead */
	p->result.reason = SVA_REASON_RETIRED;
	if (sva_kind_of(op)->shape == SVA_SHAPE_BATCH)
		take_batch(op, true);
	else
		sva_result_end(op, -EIO);
}

static bool retired(const struct sva_bond *bond)
{
	return atomic_load_explicit(&bond->state, memory_order_acquire) == SVA_BOND_RETIRED;
}

/* Nothing yet: once in a while, look whether it has been nothing for too long. Soft engines may be slow, but they come. */
static void poll_empty(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint64_t now;

	if (p->bond->pump) {
		p->bond->pump(p->bond, 0);
		if (sva_record_status(&op->comp)) {
			take_record(op, sva_record_status(&op->comp));
			return;
		}
	}
	if (retired(p->bond)) {
		take_retired(op);
		return;
	}
	if (++p->polls % SPINS_BEFORE_CLOCK || p->bond->soft)
		return;
	now = sva_now_ns();
	if (!p->waited_since)
		p->waited_since = now;
	else if (now - p->waited_since > (uint64_t)p->policy->record_timeout_ms * 1000000u)
		sva_bond_retire(p->bond);
}

/* Nothing of it is with a device. */
static int advance_idle(struct sva_op *op)
{
	struct sva_thread *thread;
	int err = 0;

	if (op->state == SVA_OP_STALLED) {
		go_on(op);
	} else if (op->state == SVA_OP_BATCHING) {
		thread = sva_thread_get(SVA_OP_PRIVATE(op)->key, &err);
		if (thread)
			sva_batch_advance(thread, op);
	}
	return err;
}

/* Bring an operation as far as it goes without waiting. -EINVAL, -ESTALE: it is not one that was submitted by this process. */
static int advance(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	unsigned int status;

	if (op->state == SVA_OP_ENDED)
		return likely(p->generation == sva_process_generation()) ? 0 : -ESTALE;
	if (!sva_op_is_pending(op))
		return -EINVAL;
	if (unlikely(p->generation != sva_process_generation()))
		return -ESTALE;
	if (unlikely(op->state != SVA_OP_IN_FLIGHT))
		return advance_idle(op);
	status = sva_record_status(&op->comp);
	if (status)
		take_record(op, status);
	else
		poll_empty(op);
	return 0;
}

static int ended(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (p->thread)
		sva_complete_unlink(op);
	return p->result.error ? p->result.error : 1;
}

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
	sva_bias_enter(&thread->bias);
	if (lease->counted)
		lease->credits++;
	closed = unlink_locked(thread, op);
	sva_bias_exit(&thread->bias);
	if (unlikely(closed))
		sva_context_drop(thread->ctx);
	return 1;
}

/* One that is quick and in flight is on a list. */
static inline bool can_end_quickly(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	return op->state == SVA_OP_IN_FLIGHT && p->generation == sva_process_generation() && p->quick &&
	       sva_record_status(&op->comp) == SVA_STATUS_SUCCESS && sva_thread_is_own(p->thread) &&
	       !atomic_load_explicit(&p->bond->thirsty, memory_order_relaxed);
}

int sva_complete_poll(struct sva_op *op)
{
	int err = advance(op);

	if (unlikely(err))
		return err;
	return op->state == SVA_OP_ENDED ? ended(op) : 0;
}

int sva_poll(struct sva_op *op)
{
	if (sva_op_is_bad(op))
		return -EINVAL;
	if (likely(can_end_quickly(op)))
		return ended_quickly(op);
	/* The entry of a batch goes on when the batch does. */
	if (unlikely(sva_op_is_pending(op) && SVA_OP_PRIVATE(op)->parent))
		return -EINVAL;
	return sva_complete_poll(op);
}

/* ------------------------------------------------------------------ waiting */

static void pause_on(const struct sva_comp *comp)
{
	if (sva_cpu_features() & SVA_CPU_WAITPKG)
		sva_umwait(comp, sva_ticks() + UMWAIT_TICKS);
	else
		sva_cpu_relax();
}

uint8_t sva_complete_await(struct sva_bond *bond, const struct sva_comp *comp, uint64_t deadline)
{
	uint64_t now, give_up = 0;
	uint8_t status;

	for (;;) {
		for (unsigned int i = 0; i < SPINS_BEFORE_CLOCK; i++) {
			status = sva_record_status(comp);
			if (status)
				return status;
			sva_cpu_relax();
		}
		if (retired(bond))
			return sva_record_status(comp);
		now = sva_now_ns();
		if (deadline && now >= deadline)
			return 0;
		if (!give_up)
			give_up = now + (uint64_t)bond->policy.record_timeout_ms * 1000000u;
		else if (now > give_up && !bond->soft)
			sva_bond_retire(bond);
		if (bond->pump)
			bond->pump(bond, PUMP_WAIT_NS);
		else
			pause_on(comp);
		/* Whoever has to write the record may need this very processor: engine threads, emulators, other processes' turns. */
		if (bond->soft || now + 1000000u > give_up)
			sched_yield();
	}
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

/* ------------------------------------------------------------------ collecting */

int sva_reap(struct sva *sva, struct sva_op **done, unsigned int n)
{
	struct sva_thread *thread;
	unsigned int looks, found = 0;
	int err;

	if (!done && n)
		return -EINVAL;
	thread = sva_thread_get(sva, &err);
	if (!thread)
		return err;
	/* Each look costs the same; a call looks at each operation once at most, and the next call goes on where this one stopped. */
	looks = atomic_load_explicit(&thread->in_flight, memory_order_relaxed);
	if (n < looks && looks > 2 * n + 16)
		looks = 2 * n + 16;
	while (looks-- && found < n) {
		struct sva_op *op;

		sva_bias_enter(&thread->bias);
		op = thread->cursor ? thread->cursor : thread->first;
		if (op)
			thread->cursor = SVA_OP_PRIVATE(op)->next;
		sva_bias_exit(&thread->bias);
		if (!op)
			break;
		if (sva_poll(op))
			done[found++] = op;
	}
	return (int)found;
}

static struct sva_op *first_of(struct sva_thread *thread)
{
	struct sva_op *op;

	sva_thread_enter(thread);
	op = thread->first;
	sva_thread_leave(thread);
	return op;
}

/* The contract of sva_close(3) makes the thread that closes the context the owner of these. */
void sva_finish_own(struct sva *ctx)
{
	struct sva_op *op;

	for (struct sva_thread *thread = atomic_load(&ctx->threads); thread; thread = thread->next)
		if (sva_thread_is_own(thread) || !atomic_load(&thread->owner))
			while ((op = first_of(thread)))
				sva_op_retire(op);
}
