/* SPDX-License-Identifier: MIT */
/*
 * Submission: check, begin, issue. Nothing is submitted of what is refused, and what is refused can
 * be submitted again.
 */
#include <string.h>

#include "lib/op/kinds.h"
#include "lib/op/mapped.h"
#include "lib/queue/ways.h"
#include "lib/run/run.h"

/* Put something that has ended at once where sva_reap() finds it. */
static void list_ended(struct sva_thread *thread, struct sva_op *op)
{
	if (SVA_OP_PRIVATE(op)->thread || SVA_OP_PRIVATE(op)->parent)
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

	/* A fence orders within a batch; there is nothing that it could mean here. */
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

/* ------------------------------------------------------------------ several at a time */

static void make_ready(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
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

static bool goes_along(struct sva_op *op, const struct sva_lease *lease)
{
	if (sva_op_is_bad(op) || sva_progress_check(op) || (op->flags & SVA_OP_FENCE) ||
	    sva_progress_is_empty(op) || sva_kind_of(op)->shape == SVA_SHAPE_BATCH ||
	    sva_dma_is_op(op))
		return false;
	if (!sva_caps_can_do(lease->bond, op))
		return false;
	return sva_kind_of(op)->shape == SVA_SHAPE_WHOLE ?
		       sva_progress_fits_whole(op, lease->max_transfer) :
		       sva_kind_unit(op) <= lease->max_transfer;
}

/* An operation on buffers that are mapped for the lease's bond, and for that one alone. */
static bool mapped_joins(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
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
	make_ready(thread, lease, op);
	SVA_OP_PRIVATE(op)->policy = &bond->policy;
	sva_dma_attach(op, bufs, bond);
	return true;
}

static bool joins(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op,
		  bool mapped)
{
	if (mapped)
		return mapped_joins(thread, lease, op);
	if (!goes_along(op, lease))
		return false;
	make_ready(thread, lease, op);
	return true;
}

/*
 * How many of them one call can carry to the lease: those before the first that needs a closer
 * look.
 */
static unsigned int gather(struct sva_thread *thread, struct sva_lease *lease, struct sva_op **ops,
			   unsigned int n, bool mapped)
{
	unsigned int k, most = sizeof(thread->many) / sizeof(thread->many[0]);

	for (k = 0; k < n && k < most && joins(thread, lease, ops[k], mapped); k++)
		thread->many[k] = ops[k]->desc;
	return k;
}

/* With one call; what is not taken is as it was before. How many were taken, or -errno. */
static int submit_group(struct sva_thread *thread, struct sva_lease *lease, struct sva_op **ops,
			unsigned int n, bool mapped)
{
	unsigned int k = gather(thread, lease, ops, n, mapped), send = k;
	int taken = -EAGAIN;

	sva_bias_enter(&thread->lessee.bias);
	if (lease->credits < (int32_t)send)
		send = lease->credits > 0 ? (unsigned int)lease->credits : 0;
	if (send)
		taken = lease->ops->submit_many(lease, thread->many, send);
	for (int i = 0; i < taken; i++) {
		lease->credits -= lease->counted;
		SVA_OP_PRIVATE(ops[i])->credit = true;
		SVA_OP_PRIVATE(ops[i])->result.chunks++;
		sva_thread_link(thread, ops[i]);
	}
	sva_bias_exit(&thread->lessee.bias);
	for (unsigned int i = taken > 0 ? (unsigned int)taken : 0; i < k; i++)
		sva_operation_undo(ops[i]);
	return taken;
}

unsigned int sva_start_group(struct sva_thread *thread, struct sva_lease *lease, bool mapped,
			     struct sva_op **ops, unsigned int n)
{
	unsigned int done = 0;

	while (lease && done < n) {
		int taken = submit_group(thread, lease, ops + done, n - done, mapped);

		if (taken <= 0)
			break;
		done += (unsigned int)taken;
	}
	return done;
}
