/* SPDX-License-Identifier: MIT */
/*
 * Credits of a dedicated queue, given back: by the operation that ends; and, when a thread that has
 * to wait finds none, on behalf of operations whose records are there but which their owners have
 * not polled yet. Such an owner may be the very thread that waits.
 *
 * A credit is given back once. bond->starved says how:
 *
 *	not set     the owner adds it to its lease, in the section in which it has looked at starved
 *	set         who gives it back holds bond->lock, and checks there that it has not been
 *	            given back yet
 *
 * sva_credits_reclaim() holds bond->lock, sets starved, and then visits the sections of all threads
 * with a lease on the bond. An owner that found starved clear in its section has left the section
 * by then; every other one waits for bond->lock. So while operations are looked at, no credit of
 * this bond moves, and a record that is there belongs to the descriptor that the credit was for.
 */
#include "lib/run/group.h"
#include "lib/run/run.h"

/* With bond->lock held. */
static void return_to_pool(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (p->credit && p->lease->counted)
		p->lease->bond->pool++;
	sva_op_set_credit(op, false);
}

/* In the section of its thread: false, the credit has to go to the pool, or is there already. */
static bool return_to_lease(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (atomic_load_explicit(&p->lease->bond->starved, memory_order_relaxed) || !p->credit ||
	    !p->lease->counted)
		return false;
	sva_op_set_credit(op, false);
	p->lease->credits++;
	return true;
}

void sva_credits_return(struct sva_op *op)
{
	struct sva_lease *lease = sva_op_lease(op);
	bool done = false;

	if (!sva_op_has_credit(op))
		return;
	if (lease->is_group) {
		struct sva_lessee *lessee = lease->lessee;

		/*
		 * The group serves again from here on: what is left to do for the operation finds
		 * its path and queue on the carrier, in the lease that has no credits to give back.
		 */
		sva_op_set_credit(op, false);
		sva_op_set_lease(op, sva_group_of(lease)->carrier->paid);
		sva_lessee_enter(lessee);
		sva_group_count(lease);
		sva_lessee_leave(lessee);
		return;
	}
	if (!lease->counted) {
		sva_op_set_credit(op, false);
		return;
	}
	if (sva_lessee_is_own(lease->lessee)) {
		sva_bias_enter(&lease->lessee->bias);
		done = return_to_lease(op);
		sva_bias_exit(&lease->lessee->bias);
	}
	if (done)
		return;
	pthread_mutex_lock(&lease->bond->lock);
	return_to_pool(op);
	pthread_mutex_unlock(&lease->bond->lock);
}

/* ------------------------------------------------------------------ of operations that wait */

static void reclaim_op(struct sva_op *op, struct sva_bond *bond)
{
	uint32_t state = __atomic_load_n(&op->state, __ATOMIC_ACQUIRE);
	/* In this order: see sva_op_set_credit(). */
	bool credit = sva_op_has_credit(op);
	struct sva_lease *lease = sva_op_lease(op);

	if ((state & ~SVA_OP_FAST_GENERATION) == SVA_OP_FAST) {
		if (lease->bond != bond || !lease->counted || lease->is_group ||
		    !sva_record_status(&op->comp))
			return;
		/* On the short road the credit is the lease's: from here on it is one without. */
		sva_op_set_lease(op, lease->paid);
		bond->pool++;
		return;
	}
	if (state != SVA_OP_IN_FLIGHT || !credit || lease->bond != bond || !lease->counted ||
	    lease->is_group || !sva_record_status(&op->comp))
		return;
	sva_op_set_credit(op, false);
	bond->pool++;
}

/* With bond->lock held, and inside the section of the lease's thread. */
static void reclaim_share(struct sva_lease *lease)
{
	struct sva_thread *thread = sva_thread_of_lessee(lease->lessee);

	for (const struct sva_op_node *n = thread->list.next; n != &thread->list; n = n->next) {
		struct sva_op *op = sva_op_of_node(n);
		uint32_t state = __atomic_load_n(&op->state, __ATOMIC_ACQUIRE);

		reclaim_op(op, lease->bond);
		if (state != SVA_OP_BATCHING)
			continue;
		for (uint64_t i = 0; i < op->length; i++)
			reclaim_op(sva_batch_entries(op)[i], lease->bond);
	}
	for (struct sva_group *group = thread->groups; group; group = group->next) {
		if (group->carrier != lease || group->paid || !lease->counted ||
		    !sva_record_status(&group->comp))
			continue;
		group->paid = true;
		lease->bond->pool++;
	}
}

void sva_credits_reclaim(struct sva_bond *bond)
{
	sva_bond_visit_starved(bond, reclaim_share);
}
