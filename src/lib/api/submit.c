/* SPDX-License-Identifier: MIT */
/* Asynchronous submission and collection, as programs call them. */
#include "lib/api/api.h"
#include "lib/run/fast.h"
#include "lib/run/group.h"

static __attribute__((noinline)) int submit_slowly(struct sva *sva, struct sva_op *op)
{
	struct sva_thread *thread;
	int err;

	if (sva_op_is_bad(op))
		return -EINVAL;
	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return err;
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

int sva_submit(struct sva *sva, struct sva_op *op)
{
	struct sva_thread *thread;
	struct sva_lease *lease;

	if (sva_op_is_bad(op) || !sva_thread_is_cached(sva))
		return submit_slowly(sva, op);
	thread = sva_tls.current;
	lease = thread->recent;
	if (unlikely(!lease) || unlikely(thread->ticks <= 1) ||
	    unlikely(sva_start_faster(thread, lease, op)))
		return submit_slowly(sva, op);
	thread->ticks--;
	return 0;
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
		unsigned int taken = 0;

		/* The last tick is for sva_submit(), which has the order of queues refreshed. */
		if (thread->recent && thread->ticks > 1)
			taken = sva_group_start(thread, thread->recent, ops + done, n - done);
		if (taken) {
			thread->ticks = thread->ticks > taken ? thread->ticks - taken : 1;
			done += taken;
			continue;
		}
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

/*
 * How far one call looks behind operations that have not ended. A queue executes what it has taken
 * in about its order, and never has more in hand than it has entries, so what has ended is found
 * within that many; and a call costs as much with a hundred thousand operations in flight as with
 * some hundred.
 */
#define LOOKS   256u
#define AT_ONCE 32u

/* Does a look at this operation, by sva_poll(), bring anything? */
static inline bool is_ready(const struct sva_op *op)
{
	return !sva_op_is_in(op, SVA_OP_FAST) || sva_record_status(&op->comp);
}

/*
 * Pick operations that are ready, and move the head of the list behind the last one looked at. The
 * first is always picked: polling it looks after the queue.
 */
static unsigned int pick(struct sva_thread *thread, bool first, unsigned int looks,
			 struct sva_op **ready, unsigned int n)
{
	struct sva_op_node *head = &thread->list, *at;
	unsigned int found = 0;

	sva_bias_enter(&thread->lessee.bias);
	for (at = head->next; at != head && looks && found < n; at = at->next, looks--) {
		struct sva_op *op = sva_op_of_node(at);

		__builtin_prefetch(sva_op_of_node(at->next));
		if (first || is_ready(op))
			ready[found++] = op;
		first = false;
	}
	if (at != head && at != head->next) {
		sva_node_remove(head);
		head->next = at;
		head->prev = at->prev;
		at->prev->next = head;
		at->prev = head;
	}
	sva_bias_exit(&thread->lessee.bias);
	return found;
}

/* Collect ended operations from the list of one share. */
static unsigned int collect_ended(struct sva_thread *thread, struct sva_op **done, unsigned int n)
{
	struct sva_op *ready[AT_ONCE];
	unsigned int found = 0, picked;
	bool first = true;

	for (unsigned int looks = LOOKS; looks && found < n; looks -= AT_ONCE, first = false) {
		unsigned int most = n - found < AT_ONCE ? n - found : AT_ONCE;

		picked = pick(thread, first, AT_ONCE, ready, most);
		for (unsigned int i = 0; i < picked; i++)
			if (sva_poll(ready[i]))
				done[found++] = ready[i];
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
