/* SPDX-License-Identifier: MIT */
/* Asynchronous submission: check, begin, issue. Nothing is submitted of what is refused. */
#include <string.h>

#include "submit.h"

static void begin(struct sva_op *op, struct sva *key, const struct sva_policy *policy)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	sva_progress_begin(op);
	p->key = key;
	p->policy = policy;
	p->generation = sva_process_generation();
}

/* Not submitted after all: it can be submitted again as it is. */
static void undo(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	op->desc.src = p->src;
	op->desc.dst = p->dst;
	op->desc.op.dualcast.dst2 = p->third;
	op->desc.flags_opcode = p->prepared_word;
	op->state = SVA_OP_PREPARED;
}

/* Put something that has ended at once where sva_reap() finds it. */
static void keep(struct sva_thread *thread, struct sva_op *op)
{
	sva_bias_enter(&thread->bias);
	sva_complete_link(thread, op);
	sva_bias_exit(&thread->bias);
}

static bool nothing_to_do(const struct sva_op *op)
{
	unsigned int opcode = sva_desc_opcode(&op->desc);

	return !op->length && opcode != SVA_OPCODE_NOOP && opcode != SVA_OPCODE_DRAIN && opcode != SVA_OPCODE_BATCH;
}

static int start(struct sva_thread *thread, struct sva_op *op, struct sva *key, struct sva_bond *bond, bool sync)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err = sva_progress_check(op);

	if (err)
		return err;
	begin(op, key, bond ? &bond->policy : &thread->ctx->policy);
	p->sync = sync;
	p->pinned = bond;
	p->bond = bond;
	if (nothing_to_do(op)) {
		sva_result_end(op, 0);
		keep(thread, op);
		return 0;
	}
	err = sva_issue(thread, op);
	if (!err)
		return 0;
	/* Full is the caller's to know, unless waiting for it is what the CPU route is for. */
	if ((err == -EAGAIN && !sync) || bond || !thread->ctx->policy.cpu_allowed) {
		undo(op);
		return err;
	}
	sva_issue_on_cpu(op, sva_path_reason(thread->ctx));
	keep(thread, op);
	return 0;
}

int sva_submit(struct sva *sva, struct sva_op *op)
{
	struct sva_thread *thread;
	int err;

	if (!op)
		return -EINVAL;
	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return err;
	if (unlikely(!--thread->ticks))
		sva_path_refresh(thread);
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

	begin(op, key, &thread->ctx->policy);
	p->lease = lease;
	p->bond = lease->bond;
	sva_progress_next(op, lease->max_transfer);
	op->desc.flags_opcode = sva_issue_word(lease->bond, op);
	op->state = SVA_OP_IN_FLIGHT;
	sva_record_clear(&op->comp);
}

/* How many of them one call can carry to the lease: those before the first that needs a closer look. */
static unsigned int gather(struct sva_thread *thread, struct sva_lease *lease, struct sva *key, struct sva_op **ops,
			   unsigned int n)
{
	unsigned int k, most = sizeof(thread->many) / sizeof(thread->many[0]);

	for (k = 0; k < n && k < most; k++) {
		struct sva_op *op = ops[k];

		if (!op || sva_progress_check(op) || nothing_to_do(op) ||
		    !sva_path_can_do(lease->bond, sva_desc_opcode(&op->desc)))
			break;
		make_ready(thread, lease, key, op);
		thread->many[k] = op->desc;
	}
	return k;
}

/* With one call; what is not taken is as it was before. How many were taken, or -errno. */
static int submit_group(struct sva_thread *thread, struct sva_lease *lease, struct sva *key, struct sva_op **ops, unsigned int n)
{
	unsigned int k = gather(thread, lease, key, ops, n), send = k;
	int taken = -EAGAIN;

	sva_bias_enter(&thread->bias);
	if (lease->credits < (int32_t)send)
		send = lease->credits > 0 ? (unsigned int)lease->credits : 0;
	if (send)
		taken = lease->ops->submit_many(lease, thread->many, send);
	for (int i = 0; i < taken; i++) {
		lease->credits--;
		SVA_OP_PRIVATE(ops[i])->result.chunks++;
		sva_complete_link(thread, ops[i]);
	}
	sva_bias_exit(&thread->bias);
	for (unsigned int i = taken > 0 ? (unsigned int)taken : 0; i < k; i++)
		undo(ops[i]);
	return taken;
}

int sva_submit_many(struct sva *sva, struct sva_op **ops, unsigned int n)
{
	struct sva_thread *thread;
	unsigned int done = 0;
	int err, taken;

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
		while (done < n && thread->recent && thread->recent->ops->submit_many) {
			taken = submit_group(thread, thread->recent, sva, ops + done, n - done);
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
	if (!op)
		return -EINVAL;
	anchor = sva_anchor(&err);
	if (!anchor)
		return err;
	thread = sva_thread_get(anchor, &err);
	if (unlikely(!thread))
		return err;
	return start(thread, op, anchor, bond, false);
}
