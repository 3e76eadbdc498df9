/* SPDX-License-Identifier: MIT */
/* Asynchronous submission and collection, as programs call them. */
#include "lib/api/api.h"
#include "lib/run/fast.h"

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
		sva_choose_refresh(thread);
	if (likely(thread->recent) && likely(!sva_start_fast(thread, thread->recent, op)))
		return 0;
	return sva_start(thread, op, NULL, false);
}

int sva_submit_many(struct sva *sva, struct sva_op **ops, unsigned int n)
{
	struct sva_thread *thread;
	struct sva_lease *lease;
	unsigned int done = 0;
	bool mapped;
	int err;

	if (n > INT32_MAX || (!ops && n))
		return -EINVAL;
	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return err;
	while (done < n) {
		/*
		 * The first one is submitted alone and finds a queue; if that takes several at
		 * once, the others follow together.
		 */
		err = sva_submit(sva, ops[done]);
		if (err)
			return done ? (int)done : err;
		done++;
		lease = sva_group_lease(thread, ops[done - 1], &mapped);
		if (lease)
			done += sva_start_group(thread, lease, mapped, ops + done, n - done);
	}
	return (int)done;
}

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
	/* The operation holds the bond until it has ended, and may be the last to do so. */
	sva_bond_hold(bond);
	err = sva_start(thread, op, bond, false);
	if (err)
		sva_bond_drop(bond);
	return err;
}

/* Collect ended operations from the list of one share. */
static unsigned int collect_ended(struct sva_thread *thread, struct sva_op **done, unsigned int n)
{
	unsigned int looks, found = 0;

	/*
	 * Each poll costs the same. A call polls each operation at most once, and the next call
	 * continues where this one stopped.
	 */
	looks = atomic_load_explicit(&thread->in_flight, memory_order_relaxed);
	if (n < looks && looks > 2 * n + 16)
		looks = 2 * n + 16;
	while (looks-- && found < n) {
		struct sva_op *op;

		sva_bias_enter(&thread->lessee.bias);
		op = thread->cursor ? thread->cursor : thread->first;
		if (op)
			thread->cursor = SVA_OP_PRIVATE(op)->next;
		sva_bias_exit(&thread->lessee.bias);
		if (!op)
			break;
		if (sva_poll(op))
			done[found++] = op;
	}
	return found;
}

int sva_reap(struct sva *sva, struct sva_op **done, unsigned int n)
{
	struct sva_thread *thread;
	unsigned int found = 0;
	int err;

	if (!done && n)
		return -EINVAL;
	thread = sva_thread_get(sva, &err);
	if (!thread)
		return err;
	if (unlikely(thread->earlier))
		found = collect_ended(thread->earlier, done, n);
	return (int)(found + collect_ended(thread, done + found, n - found));
}
