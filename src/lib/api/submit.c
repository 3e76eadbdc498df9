/* SPDX-License-Identifier: MIT */
/* Asynchronous submission and collection, as programs call them. */
#include "lib/api/api.h"
#include "lib/run/fast.h"

static __attribute__((noinline)) int submit_slowly(struct sva *sva, struct sva_op *op)
{
	struct sva_thread *thread;
	int err;

	if (sva_op_is_bad(op))
		return -EINVAL;
	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return err;
	return sva_start_any(thread, op);
}

/*
 * One that needs more checks, or has flags; or that takes the long road. The share of the context
 * is cached.
 */
static __attribute__((noinline)) int submit_checked(struct sva *sva, struct sva_op *op)
{
	struct sva_thread *thread = sva_tls.current;

	if (likely(!sva_start_checked(thread, thread->recent, op)))
		return 0;
	return submit_slowly(sva, op);
}

int sva_submit(struct sva *sva, struct sva_op *op)
{
	struct sva_thread *thread;
	struct sva_lease *lease;

	if (sva_op_is_bad(op) || !sva_thread_is_cached(sva))
		return submit_slowly(sva, op);
	thread = sva_tls.current;
	lease = thread->recent;
	if (unlikely(!lease) || unlikely(thread->ticks <= 1))
		return submit_slowly(sva, op);
	if (unlikely(sva_start_faster(thread, lease, op)))
		return submit_checked(sva, op);
	thread->ticks--;
	return 0;
}

int sva_submit_many(struct sva *sva, struct sva_op **ops, unsigned int n)
{
	struct sva_thread *thread;
	int err;

	if (n > INT32_MAX || (!ops && n))
		return -EINVAL;
	thread = sva_thread_get(sva, &err);
	return likely(thread) ? sva_start_many(thread, ops, n) : err;
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
		found = sva_collect(thread->earlier, done, n);
	return (int)(found + sva_collect(thread, done + found, n - found));
}
