/* SPDX-License-Identifier: MIT */
/* Submission: check, begin, issue. Nothing is submitted of what is refused, and what is refused can be submitted again. */
#include <string.h>

#include "lib/op/kinds.h"
#include "lib/queue/ways.h"

#define QUICK_LENGTH (1u << 20) /* longer ones are written to memory, not to the cache: that is another word */

/* Put something that has ended at once where sva_reap() finds it. */
static void keep(struct sva_thread *thread, struct sva_op *op)
{
	if (SVA_OP_PRIVATE(op)->thread || SVA_OP_PRIVATE(op)->parent)
		return;
	sva_bias_enter(&thread->bias);
	sva_complete_link(thread, op);
	sva_bias_exit(&thread->bias);
}

static bool nothing_to_do(const struct sva_op *op)
{
	uint8_t shape = sva_kind_of(op)->shape;

	return !op->length && (shape == SVA_SHAPE_BYTES || shape == SVA_SHAPE_WHOLE);
}

/* Of nothing, a comparison finds no difference, the CRC is the seed, and the tags are those to begin with. */
static int result_of_nothing(struct sva_op *op)
{
	const struct sva_desc_dif *dif = &op->desc.op.dif;
	struct sva_result *result = &SVA_OP_PRIVATE(op)->result;

	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		result->value = op->desc.op.crc.seed;
		break;
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
	case SVA_OPCODE_DIX_GENERATE:
		result->dif = (struct sva_comp_dif){ dif->src_ref, dif->src_app_mask, dif->src_app, dif->dst_ref, dif->dst_app_mask,
						     dif->dst_app };
		break;
	default:
		break;
	}
	return sva_progress_verdict(op);
}

/* Something begun goes out: to a queue, or to the CPU. 0, or -errno and nothing has happened. */
int sva_operation_launch(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err;

	if (nothing_to_do(op)) {
		sva_result_end(op, result_of_nothing(op));
		return 0;
	}
	err = sva_issue(thread, op);
	if (err && err != -EAGAIN && err != -ENOMEM && p->by_buffer) {
		/* Not aligned as the channel wants it, or the channel is gone: the memory is there all the same. */
		if (err == -EOPNOTSUPP)
			p->result.reason = SVA_REASON_NO_OPERATION;
		sva_dma_let_go(op, &thread->ctx->policy);
		err = sva_issue(thread, op);
	}
	if (!err)
		return 0;
	/* Full is the caller's to know, unless he waits for it anyway, or would wait for ever. */
	if ((err == -EAGAIN && !p->sync && !thread->hopeless) || p->pinned || !p->policy->cpu_allowed)
		return err;
	sva_issue_on_cpu(op, sva_path_reason(thread->ctx));
	return 0;
}

/* A synchronous call does not wait for a queue that is full where the CPU may do the work. */
static bool cpu_takes_over(const struct sva_op *op)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);

	return p->sync && p->policy->cpu_allowed && !p->pinned;
}

/* A batch: as one descriptor where that is possible, else the loop begins. */
static int launch_batch(struct sva_thread *thread, struct sva_op *op)
{
	int err = sva_batch_begin(op);

	if (err)
		return err;
	err = sva_issue(thread, op);
	if (!err)
		return 0;
	if ((err == -EAGAIN && !thread->hopeless && !cpu_takes_over(op)) || err == -ENOMEM) {
		sva_batch_undo(op);
		return err;
	}
	op->state = SVA_OP_BATCHING;
	sva_bias_enter(&thread->bias);
	sva_complete_link(thread, op);
	sva_bias_exit(&thread->bias);
	sva_batch_advance(thread, op);
	return 0;
}

static int start(struct sva_thread *thread, struct sva_op *op, struct sva *key, struct sva_bond *bond, bool sync)
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
	sva_operation_begin(op, key, bond ? &bond->policy : buf_bond ? &buf_bond->policy : &thread->ctx->policy);
	p->sync = sync;
	p->pinned = bond;
	p->keeps = bond ? SVA_OP_KEEPS_BOND : 0;
	p->bond = bond;
	sva_dma_attach(op, bufs, buf_bond);
	err = sva_kind_of(op)->shape == SVA_SHAPE_BATCH ? launch_batch(thread, op) : sva_operation_launch(thread, op);
	if (err) {
		sva_dma_release(p->bufs);
		op->desc = prepared;
		op->state = SVA_OP_PREPARED;
	} else {
		keep(thread, op);
	}
	return err;
}

/*
 * A plain copy or fill that one descriptor can carry, on the lease that took the last operation: the same as start(), without the questions whose
 * answers are known. Any other answer than 0 means that start() is to be asked.
 */
static int start_quickly(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op, struct sva *key)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint64_t end;
	int err = -EAGAIN;

	if (op->length - 1 >= lease->max_transfer || op->flags || op->state != SVA_OP_PREPARED ||
	    __builtin_add_overflow(op->desc.dst - 1, op->length, &end) || op->length > QUICK_LENGTH)
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
	p->key = key;
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
	sva_bias_enter(&thread->bias);
	if (likely(lease->credits > 0)) {
		err = lease->submit(lease, &op->desc);
		if (likely(!err)) {
			lease->credits -= lease->counted;
			lease->full_since = 0;
			op->state = SVA_OP_IN_FLIGHT;
			sva_complete_link(thread, op);
		}
	}
	sva_bias_exit(&thread->bias);
	if (unlikely(err))
		sva_operation_undo(op);
	return err;
}

int sva_submit(struct sva *sva, struct sva_op *op)
{
	struct sva_thread *thread;
	int err;

	if (sva_op_is_bad(op))
		return -EINVAL;
	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return err;
	if (unlikely(!--thread->ticks))
		sva_path_refresh(thread);
	if (likely(thread->recent) && likely(!start_quickly(thread, thread->recent, op, sva)))
		return 0;
	return start(thread, op, sva, NULL, false);
}

int sva_submit_sync(struct sva_thread *thread, struct sva *key, struct sva_op *op)
{
	return start(thread, op, key, NULL, true);
}

/* ------------------------------------------------------------------ several at a time */

static void make_ready(struct sva_thread *thread, struct sva_lease *lease, struct sva *key, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	sva_operation_begin(op, key, &thread->ctx->policy);
	p->lease = lease;
	p->bond = lease->bond;
	sva_progress_next(op, lease->max_transfer);
	op->desc.flags_opcode = sva_issue_word(lease->bond, op);
	op->state = SVA_OP_IN_FLIGHT;
	sva_record_clear(&op->comp);
}

static bool goes_along(struct sva_op *op, const struct sva_lease *lease)
{
	if (sva_op_is_bad(op) || sva_progress_check(op) || (op->flags & SVA_OP_FENCE) || nothing_to_do(op) ||
	    sva_kind_of(op)->shape == SVA_SHAPE_BATCH || sva_dma_is_op(op))
		return false;
	return sva_kind_of(op)->shape == SVA_SHAPE_WHOLE ? op->length <= lease->max_transfer :
	       sva_kind_unit(op) <= lease->max_transfer && sva_path_can_do(lease->bond, op);
}

/* An operation on buffers that are mapped for the lease's bond, and for that one alone. */
static bool mapped_joins(struct sva_thread *thread, struct sva_lease *lease, struct sva *key, struct sva_op *op)
{
	struct sva_dma_buf *bufs[2] = { NULL, NULL };
	struct sva_bond *bond = NULL;
	struct sva_desc prepared;

	if (sva_op_is_bad(op) || !sva_dma_is_op(op) || sva_progress_check(op) || (op->flags & SVA_OP_FENCE) ||
	    nothing_to_do(op) || op->length > lease->max_transfer)
		return false;
	prepared = op->desc;
	if (sva_dma_begin(op, bufs, &bond))
		return false;
	if (bond != lease->bond) {
		op->desc = prepared;
		return false;
	}
	make_ready(thread, lease, key, op);
	SVA_OP_PRIVATE(op)->policy = &bond->policy;
	sva_dma_attach(op, bufs, bond);
	return true;
}

static bool joins(struct sva_thread *thread, struct sva_lease *lease, struct sva *key, struct sva_op *op, bool mapped)
{
	if (mapped)
		return mapped_joins(thread, lease, key, op);
	if (!goes_along(op, lease))
		return false;
	make_ready(thread, lease, key, op);
	return true;
}

/* How many of them one call can carry to the lease: those before the first that needs a closer look. */
static unsigned int gather(struct sva_thread *thread, struct sva_lease *lease, struct sva *key, struct sva_op **ops,
			   unsigned int n, bool mapped)
{
	unsigned int k, most = sizeof(thread->many) / sizeof(thread->many[0]);

	for (k = 0; k < n && k < most && joins(thread, lease, key, ops[k], mapped); k++)
		thread->many[k] = ops[k]->desc;
	return k;
}

/* With one call; what is not taken is as it was before. How many were taken, or -errno. */
static int submit_group(struct sva_thread *thread, struct sva_lease *lease, struct sva *key, struct sva_op **ops, unsigned int n,
			bool mapped)
{
	unsigned int k = gather(thread, lease, key, ops, n, mapped), send = k;
	int taken = -EAGAIN;

	sva_bias_enter(&thread->bias);
	if (lease->credits < (int32_t)send)
		send = lease->credits > 0 ? (unsigned int)lease->credits : 0;
	if (send)
		taken = lease->ops->submit_many(lease, thread->many, send);
	for (int i = 0; i < taken; i++) {
		lease->credits -= lease->counted;
		SVA_OP_PRIVATE(ops[i])->credit = true;
		SVA_OP_PRIVATE(ops[i])->result.chunks++;
		sva_complete_link(thread, ops[i]);
	}
	sva_bias_exit(&thread->bias);
	for (unsigned int i = taken > 0 ? (unsigned int)taken : 0; i < k; i++)
		sva_operation_undo(ops[i]);
	return taken;
}

/* Where the operation that has just been submitted went, and others may follow: on mapped buffers, only to their device. */
static struct sva_lease *group_lease(struct sva_thread *thread, struct sva_op *op, bool *mapped)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_lease *lease = thread->recent;

	*mapped = op->state == SVA_OP_IN_FLIGHT && p->by_buffer;
	if (*mapped)
		lease = p->lease;
	return lease && lease->ops->submit_many ? lease : NULL;
}

int sva_submit_many(struct sva *sva, struct sva_op **ops, unsigned int n)
{
	struct sva_thread *thread;
	struct sva_lease *lease;
	unsigned int done = 0;
	int err, taken;
	bool mapped;

	if (n > INT32_MAX || (!ops && n))
		return -EINVAL;
	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return err;
	while (done < n) {
		/* The first goes alone and finds the way; where the way can carry several, the others follow together. */
		err = sva_submit(sva, ops[done]);
		if (err)
			return done ? (int)done : err;
		done++;
		lease = group_lease(thread, ops[done - 1], &mapped);
		while (done < n && lease) {
			taken = submit_group(thread, lease, sva, ops + done, n - done, mapped);
			if (taken <= 0)
				break;
			done += (unsigned int)taken;
		}
	}
	return (int)done;
}

/* ------------------------------------------------------------------ on one bond */

int sva_bond_submit(struct sva_bond *bond, struct sva_op *op)
{
	struct sva_thread *thread;
	struct sva *anchor;
	int err = sva_bond_check(bond);

	if (err)
		return err;
	if (sva_op_is_bad(op))
		return -EINVAL;
	anchor = sva_anchor(&err);
	if (!anchor)
		return err;
	thread = sva_thread_get(anchor, &err);
	if (unlikely(!thread))
		return err;
	/* Until it has ended: then it may be the last that keeps the queue open. */
	sva_bond_hold(bond);
	err = start(thread, op, anchor, bond, false);
	if (err)
		sva_bond_drop(bond);
	return err;
}
