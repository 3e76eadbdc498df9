/* SPDX-License-Identifier: MIT */
/*
 * Submits the current chunk of an operation: bounded back-off on a full queue, then the next queue,
 * then the next path. When none is left, the CPU does the work.
 */
#include <sched.h>
#include <string.h>

#include "model/model.h"
#include "lib/base/clock.h"
#include "lib/op/cpu.h"
#include "lib/op/kinds.h"
#include "lib/op/mapped.h"
#include "lib/queue/soft.h"
#include "lib/queue/ways.h"
#include "lib/run/group.h"
#include "lib/run/run.h"

static void back_off(unsigned int tries)
{
	for (unsigned int i = 0; i < 1u << (tries < 6 ? tries : 6); i++)
		sva_cpu_relax();
}

/* One attempt inside the thread's section: 0, -EAGAIN, -ENOBUFS (no credit), other -errno. */
static int submit_once(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err;

	sva_record_clear(&op->comp);
	sva_bias_enter(&thread->lessee.bias);
	if (lease->credits <= 0) {
		err = lease->dead ? -EIO : -ENOBUFS;
	} else {
		lease->credits -= lease->counted;
		sva_op_set_lease(op, lease);
		/* Atomic: settle.c may read it in the share that has the operation on its list. */
		__atomic_store_n(&p->bond, lease->bond, __ATOMIC_RELAXED);
		err = lease->ops->submit(lease, &op->desc);
		sva_op_set_credit(op, !err);
		if (err) {
			lease->credits += lease->counted;
		} else {
			lease->full_since = 0;
			p->waited_since = 0;
			p->polls = 0;
			if (!p->thread && !p->is_entry)
				sva_thread_link(thread, op);
		}
	}
	sva_bias_exit(&thread->lessee.bias);
	return err;
}

/*
 * A disabled queue and a halted device also answer "full", and then forever. A queue counts as
 * stuck once it has refused every attempt for a whole record timeout. A queue without credits is
 * busy with what is in flight, which has a timeout of its own.
 */
static bool is_hopeless(const struct sva_lease *lease, uint64_t timeout)
{
	return lease->full_since && lease->full_at - lease->full_since >= timeout;
}

static void note_full(struct sva_lease *lease, uint64_t timeout)
{
	uint64_t now = sva_now_ns();

	if (!lease->ops->full_may_mean_stuck)
		return;
	/* After a pause it is unknown whether the queue was full in between: begin anew. */
	if (!lease->full_since ||
	    (now - lease->full_at > timeout / 4 && !is_hopeless(lease, timeout)))
		lease->full_since = now;
	lease->full_at = now;
}

static uint64_t record_timeout(const struct sva_op *op)
{
	return (uint64_t)SVA_OP_PRIVATE(op)->policy->record_timeout_ms * 1000000u;
}

#define SMALLEST_PINNED 4096u

/*
 * RLIMIT_MEMLOCK did not allow to pin the pages of a chunk: halve it. If not even one page can be
 * pinned, the limit is used up: either by operations of this thread, which make room when they end,
 * as with a full queue, or by something else. Returns 0 if there is a smaller chunk.
 */
static int shrink_chunk(struct sva_thread *thread, const struct sva_lease *lease,
			 struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (!lease->ops->pins || p->mid_chunk || sva_kind_of(op)->shape != SVA_SHAPE_BYTES ||
	    sva_dma_is_op(op))
		return -ENOMEM;
	if (op->desc.size > SMALLEST_PINNED) {
		sva_progress_next(op, op->desc.size / 2);
		return 0;
	}
	if (!sva_thread_is_idle(thread))
		return -EAGAIN;
	p->result.reason = SVA_REASON_MEMLOCK;
	return -ENOMEM;
}

/*
 * An entry of a queue, somehow. A caller that gets -EAGAIN polls what it has in flight; what goes
 * on inside of a call that waits cannot, so entries of finished operations are freed here.
 */
static bool get_credits(struct sva_thread *thread, struct sva_lease *lease,
			const struct sva_op_private *p)
{
	bool has_some;

	sva_bias_enter(&thread->lessee.bias);
	sva_group_recycle(thread);
	has_some = lease->credits > 0;
	sva_bias_exit(&thread->lessee.bias);
	if (has_some || sva_lease_refill(lease))
		return true;
	if (!p->is_entry && !p->sync && !p->thread)
		return false;
	sva_credits_reclaim(lease->bond);
	return sva_lease_refill(lease);
}

static int try_lease(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err = -EAGAIN;

	if (sva_kind_of(op)->shape == SVA_SHAPE_BATCH) {
		uint32_t reason = sva_batch_reason(op, lease);

		/* Report the reason of the first choice, not that of the queues after it. */
		if (!p->result.reason)
			p->result.reason = reason;
		if (reason != SVA_REASON_OK)
			return -EOPNOTSUPP;
		err = sva_batch_build(op, lease);
		if (err)
			return err;
		err = -EAGAIN;
	}
	if (!sva_progress_fits(op, lease->max_transfer))
		return -EOPNOTSUPP;
	if (!p->mid_chunk)
		sva_progress_next(op, lease->max_transfer);
	op->desc.flags_opcode = sva_caps_word(lease->bond, op);
	sva_op_set_state(op, SVA_OP_IN_FLIGHT);
	for (unsigned int tries = 0; tries < p->policy->full_tries || !tries; tries++) {
		err = submit_once(thread, lease, op);
		if (err == -ENOBUFS) {
			if (!get_credits(thread, lease, p))
				/*
				 * this process uses every entry of the queue: trying again at once
				 * is pointless
				 */
				return -EAGAIN;
			err = submit_once(thread, lease, op);
			if (err == -ENOBUFS)
				err = -EAGAIN;
		}
		while (err == -ENOMEM) {
			err = shrink_chunk(thread, lease, op);
			if (err)
				return err;
			err = submit_once(thread, lease, op);
		}
		if (err == -SVA_LOST)
			sva_bond_lost(lease->bond);
		if (err != -EAGAIN)
			return err;
		p->result.retries++;
		if (is_hopeless(lease, record_timeout(op)))
			break;
		back_off(tries);
	}
	note_full(lease, record_timeout(op));
	return err;
}

static int issue_pinned(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_lease *lease = sva_lease_pinned(&thread->lessee, SVA_OP_PRIVATE(op)->bond);

	return lease ? try_lease(thread, lease, op) : -ENOMEM;
}

static int issue_anywhere(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const bool batch = sva_kind_of(op)->shape == SVA_SHAPE_BATCH;
	struct sva_lease *lease;
	unsigned int pos = 0;
	int err = -ENODEV, one;
	bool full = false, hope = false, in_parts = false, again = false;

	while ((lease = sva_choose_next(thread, &pos, op, p->sync, SVA_OP_NODE_HINT(op->flags)))) {
		/*
		 * If a device can do some entries of a batch, do not give the whole batch to a
		 * software path behind it.
		 */
		if (in_parts && !full && lease->ops->is_software)
			break;
		one = try_lease(thread, lease, op);
		in_parts |= batch && one == -EOPNOTSUPP && sva_batch_has_part(op, lease);
		if (!one) {
			/*
			 * The fast paths use this lease from now on if it is the best choice; one
			 * that was chosen because another was full is used once.
			 */
			if (!full && SVA_OP_NODE_HINT(op->flags) < 0) {
				if (p->sync)
					thread->lead = lease;
				thread->recent = lease;
			}
			return 0;
		}
		/*
		 * The program has closed the queue's descriptor: try the same candidate once more,
		 * which opens the queue anew.
		 */
		if (one == -SVA_LOST && !again) {
			again = true;
			pos--;
			continue;
		}
		full |= one == -EAGAIN;
		hope |= one == -EAGAIN && !is_hopeless(lease, record_timeout(op));
		err = one;
	}
	if (full) {
		thread->hopeless = !hope;
		p->result.reason = SVA_REASON_FULL;
		return -EAGAIN;
	}
	if (err == -ENODEV && sva_choose_has_lease(thread, p->sync)) {
		p->result.reason = SVA_REASON_NO_OPERATION;
		return -EOPNOTSUPP;
	}
	return err;
}

static void count_chunk(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	/* Atomically: settle.c sees by it that the device goes on. */
	__atomic_store_n(&p->chunks, p->chunks + 1, __ATOMIC_RELAXED);
	p->result.chunks = p->chunks;
}

int sva_issue_on(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
{
	int err;

	op->desc.flags_opcode = sva_caps_word(lease->bond, op);
	sva_op_set_state(op, SVA_OP_IN_FLIGHT);
	err = submit_once(thread, lease, op);
	if (err == -ENOBUFS && get_credits(thread, lease, SVA_OP_PRIVATE(op)))
		err = submit_once(thread, lease, op);
	if (!err)
		count_chunk(op);
	return err;
}

int sva_issue(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err;

	thread->hopeless = false;
	err = p->pinned ? issue_pinned(thread, op) : issue_anywhere(thread, op);
	if (!err)
		count_chunk(op);
	return err == -SVA_LOST ? -EIO : err;
}

/*
 * The model executes one chunk after the other on this process's memory, with the checks of the
 * largest device, so the result is the one that a device would have given. For operations that
 * sva_cpu_finish() does not do, or that have a bad address.
 */
void sva_issue_on_model(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_model_profile profile = sva_model_dsa2;
	unsigned int status;

	profile.max_transfer = SVA_GENCAP_MAX_XFER(profile.gen_cap);
	profile.max_batch = SVA_GENCAP_MAX_BATCH(profile.gen_cap);
	for (;;) {
		if (!p->mid_chunk)
			sva_progress_next(op, profile.max_transfer);
		p->mid_chunk = false;
		op->desc.flags_opcode = p->word;
		sva_record_clear(&op->comp);
		if (sva_soft_execute(&profile, &op->desc, NULL)) {
			sva_end_operation(op, -EIO);
			return;
		}
		status = op->comp.status & SVA_STATUS_MASK;
		p->result.status = (uint8_t)status;
		if (status != SVA_STATUS_SUCCESS && status != SVA_STATUS_SUCCESS_PRED)
			break;
		if (sva_progress_chunk_done(op, SVA_PATH_CPU)) {
			sva_end_operation(op, sva_progress_verdict(op));
			return;
		}
	}
	sva_progress_failed(op, SVA_PATH_CPU);
	if (status == SVA_STATUS_PAGE_FAULT || status == SVA_STATUS_PAGE_FAULT_IR) {
		sva_progress_partial(op, SVA_PATH_CPU);
		p->result.fault_addr = op->comp.fault_addr;
		p->result.fault_write = op->comp.status >> 7;
	}
	sva_end_operation(op, -sva_status_errno(status));
}

/*
 * The plain code of the CPU: a bad address raises a signal, as in C, unless the program asked for
 * the guard. After a device has had the operation, a bad address is -EFAULT, as promised for
 * devices.
 */
void sva_issue_on_cpu(struct sva_op *op, uint32_t reason)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	unsigned int how = p->result.chunks ? SVA_CPU_TOUCH : 0;
	int error;

	if (p->ctx->config.flags & SVA_OPEN_GUARD)
		how |= SVA_CPU_GUARD;
	if (!p->result.reason)
		p->result.reason = reason;
	if (sva_cpu_finish(op, how, &error))
		sva_end_operation(op, error);
	else
		sva_issue_on_model(op);
}

/*
 * Hand an operation that has begun to a queue, or to the CPU. Returns 0, or -errno and nothing has
 * happened.
 */
int sva_launch(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err;

	if (sva_progress_is_empty(op)) {
		sva_end_operation(op, sva_progress_empty(op));
		return 0;
	}
	err = sva_issue(thread, op);
	if (err && err != -EAGAIN && err != -ENOMEM && p->by_buffer) {
		/*
		 * The channel refuses the alignment, or is gone: the memory can still be used by
		 * address.
		 */
		if (err == -EOPNOTSUPP)
			p->result.reason = SVA_REASON_NO_OPERATION;
		sva_dma_use_addresses(op, &thread->ctx->policy);
		err = sva_issue(thread, op);
	}
	if (!err)
		return 0;
	/*
	 * Return -EAGAIN to the caller, except for synchronous calls, which the CPU then finishes,
	 * and for queues that will never drain.
	 */
	if ((err == -EAGAIN && !p->sync && !thread->hopeless) || p->pinned ||
	    !p->policy->cpu_allowed)
		return err;
	sva_issue_on_cpu(op, sva_choose_reason(thread->ctx));
	return 0;
}
