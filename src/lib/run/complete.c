/* SPDX-License-Identifier: MIT */
/*
 * Completion of one operation: read its record, and continue or end it; wait for a record; retire
 * the queue if none comes.
 */
#include <sched.h>

#include "lib/base/clock.h"
#include "lib/base/machine.h"
#include "lib/op/kinds.h"
#include "lib/op/mapped.h"
#include "lib/queue/ways.h"
#include "lib/run/group.h"
#include "lib/run/run.h"

/* one wait in the kernel; the waiting thread reads the clock in between */
#define PUMP_WAIT_NS 1000000u
/* the kernel's own limit is 100000 (Linux umwait.c); a written record wakes earlier */
#define UMWAIT_TICKS 20000u

/* ------------------------------------------------------------------ one operation */

bool sva_complete_gives_up(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint64_t now = sva_now_ns();

	if (!p->waited_since)
		p->waited_since = now;
	return now - p->waited_since >= (uint64_t)p->policy->record_timeout_ms * 1000000u;
}

/*
 * Issue the next chunk. If every queue stays full for the record timeout, or none takes it, the CPU
 * does the rest, if that is permitted.
 */
static void issue_next(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_thread *thread = sva_thread_of(p->ctx);
	int err = thread ? sva_issue(thread, op) : -ENOMEM;

	if (!err)
		return;
	if (err == -EAGAIN) {
		sva_op_set_state(op, SVA_OP_STALLED);
		if (!sva_complete_gives_up(op))
			return;
		err = -EIO;
	}
	if (p->by_buffer) {
		if (err == -EOPNOTSUPP)
			p->result.reason = SVA_REASON_NO_OPERATION;
		sva_dma_use_addresses(op, p->policy);
	}
	/* No device is left. */
	if (p->policy->cpu_allowed && !p->pinned)
		sva_issue_on_cpu(op, SVA_REASON_RETIRED);
	else
		sva_end_operation(op, err);
}

static bool is_retired(const struct sva_bond *bond)
{
	return atomic_load_explicit(&bond->state, memory_order_acquire) == SVA_BOND_RETIRED;
}

/*
 * No record yet. Every SVA_POLLS_BEFORE_CLOCK polls, check the record timeout, unless the path
 * always completes.
 */
static void check_overdue(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint64_t now;

	if (++p->polls % SVA_POLLS_BEFORE_CLOCK || p->bond->ops->always_completes)
		return;
	now = sva_now_ns();
	if (!p->waited_since)
		p->waited_since = now;
	else if (now - p->waited_since > (uint64_t)p->policy->record_timeout_ms * 1000000u)
		sva_bond_retire(p->bond);
}

/* The batch that it was in ended without it: it goes out alone with the next poll. */
static void note_left(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (sva_record_status(&sva_group_of(sva_op_lease(op))->comp) == SVA_STATUS_BAD_OPCODE)
		sva_caps_forget_operation(p->bond, SVA_OPCODE_BATCH);
	sva_credits_return(op);
	/* The descriptor in the batch was not executed. */
	__atomic_store_n(&p->chunks, 0, __ATOMIC_RELAXED);
	p->result.chunks = 0;
	sva_op_set_state(op, SVA_OP_STALLED);
}

enum sva_look sva_complete_look(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	unsigned int status = sva_record_status(&op->comp);

	if (!status && p->bond->pump) {
		p->bond->pump(p->bond, 0);
		status = sva_record_status(&op->comp);
	}
	if (!status && sva_group_has_left(op)) {
		note_left(op);
		return SVA_LOOK_NOTHING;
	}
	if (!status) {
		if (!is_retired(p->bond)) {
			check_overdue(op);
			return SVA_LOOK_NOTHING;
		}
		/*
		 * The state was stored after the kernel had drained the queue: a record that is
		 * empty now stays empty, and one that was written before the state was read counts.
		 */
		status = sva_record_status(&op->comp);
	}
	if (!status) {
		if (sva_op_lease(op)->is_group)
			sva_credits_return(op); /* the group may serve again */
		else
			sva_op_set_credit(op, false); /* its lease is dead */
		p->result.reason = SVA_REASON_RETIRED;
		return SVA_LOOK_LOST;
	}
	sva_credits_return(op);
	p->waited_since = 0;
	p->result.status = (uint8_t)(status & SVA_STATUS_MASK);
	return SVA_LOOK_RECORD;
}

static void handle_fault(struct sva_op *op)
{
	int verdict = sva_fault_resolve(op, SVA_OP_PRIVATE(op)->lease->path);

	if (verdict > 0)
		sva_issue_on_cpu(op, SVA_REASON_FAULTS);
	else if (verdict)
		sva_end_operation(op, verdict);
	else
		issue_next(op);
}

/*
 * The queue refused an operation that it should have: remember that, and try another queue. Returns
 * false if no other may be tried.
 */
static bool try_elsewhere(struct sva_op *op, unsigned int status)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	unsigned int opcode = sva_desc_opcode(&op->desc);

	if (status == SVA_STATUS_BAD_OPCODE)
		/* op_config excludes it, or a file of queues was wrong. */
		sva_caps_forget_operation(p->bond, opcode);
	else if (status == SVA_STATUS_OVERLAP && opcode == SVA_OPCODE_MEMMOVE && !p->pinned)
		/*
		 * The device lacks overlapping copy although nothing said so. sva_progress_check()
		 * refused every other overlap.
		 */
		sva_caps_forget_overlap(p->bond);
	else
		return false;
	if (p->pinned)
		return false;
	p->result.reason = SVA_REASON_NO_OPERATION;
	issue_next(op);
	return true;
}

static void handle_record(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	switch (p->result.status) {
	case SVA_STATUS_SUCCESS:
	case SVA_STATUS_SUCCESS_PRED:
		if (sva_progress_chunk_done(op, p->lease->path))
			sva_end_operation(op, sva_progress_verdict(op));
		else
			issue_next(op);
		return;
	case SVA_STATUS_PAGE_FAULT:
	case SVA_STATUS_PAGE_FAULT_IR:
		handle_fault(op);
		return;
	default:
		if (try_elsewhere(op, p->result.status))
			return;
		sva_progress_failed(op, p->lease->path);
		sva_end_operation(op, -sva_status_errno(p->result.status));
	}
}

void sva_complete_advance(struct sva_op *op)
{
	if (unlikely(op->state == SVA_OP_STALLED)) {
		issue_next(op);
		return;
	}
	switch (sva_complete_look(op)) {
	case SVA_LOOK_NOTHING:
		return;
	case SVA_LOOK_RECORD:
		handle_record(op);
		return;
	case SVA_LOOK_LOST:
		sva_end_operation(op, -EIO);
	}
}

/* ------------------------------------------------------------------ waiting */

static void pause_for_record(const struct sva_comp *comp)
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
		for (unsigned int i = 0; i < SVA_POLLS_BEFORE_CLOCK; i++) {
			status = sva_record_status(comp);
			if (status)
				return status;
			sva_cpu_relax();
		}
		if (is_retired(bond))
			return sva_record_status(comp);
		now = sva_now_ns();
		if (deadline && now >= deadline)
			return 0;
		if (!give_up)
			give_up = now + (uint64_t)bond->policy.record_timeout_ms * 1000000u;
		else if (now > give_up && !bond->ops->always_completes)
			sva_bond_retire(bond);
		if (bond->pump)
			bond->pump(bond, PUMP_WAIT_NS);
		else
			pause_for_record(comp);
		/*
		 * An engine thread, an emulator or another process that writes the record may need
		 * this processor.
		 */
		if (bond->ops->always_completes || now + 1000000u > give_up)
			sched_yield();
	}
}
