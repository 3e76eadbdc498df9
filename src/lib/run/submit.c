/* SPDX-License-Identifier: MIT */
/*
 * Submission: check, begin, launch. An operation that is refused is unchanged and can be submitted
 * again.
 */
#include <string.h>

#include "lib/op/kinds.h"
#include "lib/op/mapped.h"
#include "lib/queue/ways.h"
#include "lib/run/fast.h"
#include "lib/run/group.h"

/* Put an operation that has ended at once on the list, where sva_reap() finds it. */
static void list_ended(struct sva_thread *thread, struct sva_op *op)
{
	if (SVA_OP_PRIVATE(op)->thread || SVA_OP_PRIVATE(op)->is_entry)
		return;
	sva_bias_enter(&thread->lessee.bias);
	sva_thread_link(thread, op);
	sva_bias_exit(&thread->lessee.bias);
}

int sva_start(struct sva_thread *thread, struct sva_op *op, struct sva_bond *bond, bool sync)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_dma_buf *bufs[2] = { NULL, NULL };
	struct sva_bond *buf_bond = NULL;
	struct sva_desc prepared;
	int err = sva_progress_check(op);

	/* A fence orders the entries of a batch, and has no meaning outside of one. */
	if (!err && (op->flags & SVA_OP_FENCE))
		err = -EINVAL;
	if (err)
		return err;
	prepared = op->desc;
	if (sva_dma_is_op(op))
		err = sva_dma_begin(op, bufs, &buf_bond);
	if (err)
		return err;
	if (buf_bond && bond && buf_bond != bond)
		return -EINVAL; /* mapped for another device */
	sva_operation_begin(op, thread->ctx,
			    bond     ? &bond->policy :
			    buf_bond ? &buf_bond->policy :
				       &thread->ctx->policy);
	p->sync = sync;
	p->pinned = bond;
	p->keeps = bond ? SVA_OP_KEEPS_BOND : 0;
	p->bond = bond;
	sva_dma_attach(op, bufs, buf_bond);
	err = sva_kind_of(op)->shape == SVA_SHAPE_BATCH ? sva_batch_launch(thread, op) :
							  sva_launch(thread, op);
	if (err) {
		sva_dma_release(p->bufs);
		op->desc = prepared;
		op->state = SVA_OP_PREPARED;
	} else {
		list_ended(thread, op);
	}
	return err;
}

int sva_start_any(struct sva_thread *thread, struct sva_op *op)
{
	if (sva_op_is_bad(op))
		return -EINVAL;
	if (thread->ticks <= 1)
		sva_choose_refresh(thread);
	else
		thread->ticks--;
	if (thread->recent && !sva_start_fast(thread, thread->recent, op))
		return 0;
	if (sva_start_plain(thread, op))
		return 0;
	return sva_start(thread, op, NULL, false);
}

/* ------------------------------------------------------------------ several at a time */

static void prepare_operation(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	sva_operation_begin(op, thread->ctx, &thread->ctx->policy);
	p->lease = lease;
	p->bond = lease->bond;
	sva_progress_next(op, lease->max_transfer);
	op->desc.flags_opcode = sva_caps_word(lease->bond, op);
	op->state = SVA_OP_IN_FLIGHT;
	sva_record_clear(&op->comp);
}

/* Prepare an operation on mapped buffers, if they are mapped for the lease's bond. */
static bool join_mapped(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
{
	struct sva_dma_buf *bufs[2] = { NULL, NULL };
	struct sva_bond *bond = NULL;
	struct sva_desc prepared;

	if (sva_op_is_bad(op) || !sva_dma_is_op(op) || sva_progress_check(op) ||
	    (op->flags & SVA_OP_FENCE) || sva_progress_is_empty(op) ||
	    op->length > lease->max_transfer)
		return false;
	prepared = op->desc;
	if (sva_dma_begin(op, bufs, &bond))
		return false;
	if (bond != lease->bond) {
		op->desc = prepared;
		return false;
	}
	prepare_operation(thread, lease, op);
	SVA_OP_PRIVATE(op)->policy = &bond->policy;
	sva_dma_attach(op, bufs, bond);
	return true;
}

/*
 * Returns how many operations one submission on the lease can carry: those before the first that
 * needs sva_start().
 */
static unsigned int gather_mapped(struct sva_thread *thread, struct sva_lease *lease,
				  struct sva_op **ops, unsigned int n)
{
	unsigned int k, most = sizeof(thread->many) / sizeof(thread->many[0]);

	for (k = 0; k < n && k < most && join_mapped(thread, lease, ops[k]); k++)
		thread->many[k] = ops[k]->desc;
	return k;
}

/*
 * Submit them with one call; those that are not accepted are restored. Returns how many were
 * accepted, or -errno.
 */
static int submit_mapped(struct sva_thread *thread, struct sva_lease *lease, struct sva_op **ops,
			 unsigned int n)
{
	unsigned int k = gather_mapped(thread, lease, ops, n), send = k;
	int taken = -EAGAIN;

	sva_bias_enter(&thread->lessee.bias);
	if (lease->credits < (int32_t)send)
		send = lease->credits > 0 ? (unsigned int)lease->credits : 0;
	if (send)
		taken = lease->ops->submit_many(lease, thread->many, send);
	for (int i = 0; i < taken; i++) {
		lease->credits -= lease->counted;
		SVA_OP_PRIVATE(ops[i])->credit = true;
		SVA_OP_PRIVATE(ops[i])->chunks = SVA_OP_PRIVATE(ops[i])->result.chunks = 1;
		sva_thread_link(thread, ops[i]);
	}
	sva_bias_exit(&thread->lessee.bias);
	for (unsigned int i = taken > 0 ? (unsigned int)taken : 0; i < k; i++)
		sva_operation_undo(ops[i]);
	return taken;
}

unsigned int sva_start_mapped(struct sva_thread *thread, struct sva_lease *lease,
			      struct sva_op **ops, unsigned int n)
{
	unsigned int done = 0;

	while (done < n) {
		int taken = submit_mapped(thread, lease, ops + done, n - done);

		if (taken <= 0)
			break;
		done += (unsigned int)taken;
	}
	return done;
}

/*
 * Submit the first of n operations on the short road, as many as a path without a portal takes with
 * one call. Returns how many were taken; the others are as they were.
 */
static unsigned int start_by_call(struct sva_thread *thread, struct sva_lease *lease,
				  struct sva_op **ops, unsigned int n)
{
	const unsigned int most = sizeof(thread->many) / sizeof(thread->many[0]);
	const bool overlaps = __atomic_load_n(&lease->bond->gen_cap, __ATOMIC_RELAXED) &
			      SVA_GENCAP_OVERLAP_COPY;
	unsigned int ready, send;
	int taken = 0;

	if (!lease->ops->submit_many || !sva_group_has_credit(thread, lease))
		return 0;
	for (ready = 0; ready < n && ready < most; ready++) {
		struct sva_op *op = ops[ready];
		uint32_t word = sva_op_is_bad(op) ? 0 : sva_fast_word(lease, op);

		if (!word || (!overlaps && !sva_caps_can_do(lease->bond, op)))
			break;
		sva_fast_prepare(lease, op, word);
		op->state = thread->fast_state; /* the same one again is busy */
		thread->many[ready] = op->desc;
	}
	sva_bias_enter(&thread->lessee.bias);
	send = lease->credits < (int32_t)ready ? (unsigned int)lease->credits : ready;
	if ((int32_t)send > 0)
		taken = lease->ops->submit_many(lease, thread->many, send);
	taken = taken < 0 ? 0 : taken;
	for (int i = 0; i < taken; i++)
		sva_fast_taken(thread, lease, ops[i]);
	sva_bias_exit(&thread->lessee.bias);
	for (unsigned int i = (unsigned int)taken; i < ready; i++) {
		sva_fast_undo(ops[i]);
		ops[i]->state = SVA_OP_PREPARED;
	}
	return (unsigned int)taken;
}

int sva_start_many(struct sva_thread *thread, struct sva_op **ops, unsigned int n)
{
	struct sva_lease *lease;
	unsigned int done = 0;
	int err;

	while (done < n) {
		unsigned int taken = 0;

		/* The last tick is for sva_start_any(), which has the order of queues refreshed. */
		lease = thread->ticks > 1 ? thread->recent : NULL;
		if (lease)
			taken = lease->store == SVA_STORE_CALL ?
					start_by_call(thread, lease, ops + done, n - done) :
					sva_group_start(thread, lease, ops + done, n - done);
		if (taken) {
			thread->ticks = thread->ticks > taken ? thread->ticks - taken : 1;
			done += taken;
			continue;
		}
		/*
		 * The first one is submitted alone and finds a queue; the others follow together,
		 * on mapped buffers to the device that has them.
		 */
		err = sva_start_any(thread, ops[done]);
		if (err)
			return done ? (int)done : err;
		done++;
		lease = sva_mapped_lease(ops[done - 1]);
		if (lease)
			done += sva_start_mapped(thread, lease, ops + done, n - done);
	}
	return (int)done;
}
