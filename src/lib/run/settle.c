/* SPDX-License-Identifier: MIT */
/*
 * Waiting for devices on behalf of a thread that closes something. It does not end operations,
 * which belong to other threads.
 *
 * The operations are those on the lists of the shares. An owner frees an operation's memory, and
 * releases what the operation keeps alive, only after it has taken it off the list, which it does
 * inside the section of the share that has the list. So inside that section a listed operation may
 * be read. What is read here is atomic (credit, bond, status, chunks), or is written before the
 * operation is listed (is_batch, src, length).
 *
 * 	owner                                       this thread, inside the section of the share
 * 	status = 0                                  r0 = credit
 * 	submits the descriptor, credit = 1          r1 = status (acquire)
 * 	(the device writes the record, then status)
 * 	reads the record, credit = 0
 * 	section: leaves the list; or submits again
 *
 * r0 = 1, r1 = 0: the device has the descriptor, and the owner has not ended the operation, since
 * there is no record to read; or these values are old, and this thread checks once more. r0 = 1, r1
 * != 0: the device has finished it, and has written everything before the status. r0 = 0: the owner
 * has read the record, and may be submitting the next descriptor now. The first descriptor of an
 * operation is submitted, and credit set, inside the section in which the operation is listed, so
 * this thread sees it. The following ones are submitted by an owner that polls the operation and so
 * knows that it has not ended, in the section of the owner's own share. So when a check finds no
 * descriptor with a device, all descriptors are finished except those that an owner submits while
 * or after this thread waits.
 */
#include <sched.h>
#include <time.h>

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/queue/ways.h"
#include "lib/run/group.h"
#include "lib/run/run.h"

#define YIELDS       64u      /* checks before the thread sleeps between them */
#define REST_NS      100000L  /* a check costs a membarrier(2), and slows the owners down */
#define PUMP_WAIT_NS 1000000u

struct check {
	uint64_t mark;         /* unchanged: no device has finished anything since the last check */
	struct sva_bond *bond; /* that has a descriptor, with a hold; NULL: no device has any */
};

/*
 * The words of an operation on the short road say nothing yet; one that leaves it writes them
 * before its state (sva_operation_unfold()).
 */
static bool is_fast(const struct sva_op *op)
{
	return (__atomic_load_n(&op->state, __ATOMIC_ACQUIRE) & ~SVA_OP_FAST_GENERATION) ==
	       SVA_OP_FAST;
}

/* Neither do those of an entry that is folded into its batch, or was, and has ended. */
static bool is_folded(const struct sva_op *op)
{
	uint32_t state = __atomic_load_n(&op->state, __ATOMIC_ACQUIRE) & ~SVA_OP_FAST_GENERATION;

	return state == SVA_OP_FAST_ENTRY || state == SVA_OP_FAST_ENDED;
}

static bool has_credit(const struct sva_op *op)
{
	return is_fast(op) || (!is_folded(op) && sva_op_has_credit(op));
}

static struct sva_bond *bond_of(const struct sva_op *op)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);

	return is_fast(op) ? sva_op_lease(op)->bond : __atomic_load_n(&p->bond, __ATOMIC_RELAXED);
}

static uint32_t chunks_of(const struct sva_op *op)
{
	return is_fast(op) ? 1 : __atomic_load_n(&SVA_OP_PRIVATE(op)->chunks, __ATOMIC_RELAXED);
}

static void check_operation(struct check *check, const struct sva_op *op)
{
	struct sva_bond *bond;

	if (!has_credit(op) || sva_record_status(&op->comp))
		return;
	/*
	 * NULL: the owner has read the record meanwhile, and continues by address instead of on the
	 * device that has its buffers mapped.
	 */
	bond = bond_of(op);
	/* Retired: the record never comes, and the owner will notice. */
	if (!bond || atomic_load_explicit(&bond->state, memory_order_acquire) == SVA_BOND_RETIRED)
		return;
	check->mark += (uintptr_t)op * 31 + chunks_of(op);
	if (!check->bond) {
		check->bond = bond;
		sva_bond_hold(bond);
	}
}

/* Operations of a group may have ended before the record of their batch is there. */
static void check_groups(struct check *check, const struct sva_thread *thread,
			   const struct sva_bond *bond)
{
	for (const struct sva_group *group = thread->groups; group; group = group->next) {
		if ((bond && group->lease.bond != bond) || sva_group_is_over(group))
			continue;
		check->mark += (uintptr_t)group;
		if (!check->bond) {
			check->bond = group->lease.bond;
			sva_bond_hold(check->bond);
		}
	}
}

static void check_share(struct check *check, struct sva_thread *thread, const struct sva_bond *bond)
{
	sva_lessee_enter(&thread->lessee);
	check_groups(check, thread, bond);
	for (const struct sva_op_node *n = thread->list.next; n != &thread->list; n = n->next) {
		const struct sva_op *op = sva_op_of_node(n);

		if (bond && bond_of(op) != bond)
			continue;
		check_operation(check, op);
		if (is_fast(op) || !SVA_OP_PRIVATE(op)->is_batch)
			continue;
		for (uint64_t i = 0; i < op->length; i++)
			check_operation(check, sva_batch_entries(op)[i]);
	}
	sva_lessee_leave(&thread->lessee);
}

static struct check check_all_shares(struct sva *ctx, const struct sva_bond *bond)
{
	struct check check = { 0, NULL };

	for (struct sva_thread *thread = atomic_load(&ctx->threads); thread; thread = thread->next)
		check_share(&check, thread, bond);
	return check;
}

static void rest_until_next(unsigned int turn)
{
	if (turn < YIELDS)
		sched_yield();
	else
		nanosleep(&(struct timespec){ 0, REST_NS }, NULL);
}

void sva_settle(struct sva *ctx, const struct sva_bond *bond, uint32_t timeout_ms)
{
	uint64_t mark = 0, since = 0;
	/* A thread that was cancelled here would leak the reference or the context. */
	int saved = errno, cancel = sva_cancel_hold();

	for (unsigned int turn = 0; ctx; turn++) {
		struct check check = check_all_shares(ctx, bond);
		uint64_t now;

		if (!check.bond)
			break;
		now = sva_now_ns();
		if (!since || check.mark != mark) {
			mark = check.mark;
			since = now;
		} else if (now - since > (uint64_t)timeout_ms * 1000000u &&
			   !check.bond->ops->always_completes) {
			sva_bond_retire(check.bond);
		}
		if (check.bond->pump)
			check.bond->pump(check.bond, PUMP_WAIT_NS);
		sva_bond_drop(check.bond);
		rest_until_next(turn);
	}
	sva_cancel_release(cancel);
	errno = saved;
}

/*
 * The last reference waits for the device, so that nothing is written afterwards for operations of
 * the caller. It does not end them: another thread may be polling them. Each of them holds the
 * bond, so that its owner can submit the next chunk, and the owner that ends the last one closes
 * the queue. The reference is kept during the wait, since otherwise that could happen meanwhile.
 */
void sva_bond_put(struct sva_bond *bond)
{
	bool last;

	pthread_mutex_lock(&sva_process.lock);
	last = bond->refs == 1;
	if (!last)
		bond->refs--;
	pthread_mutex_unlock(&sva_process.lock);
	if (!last)
		return;
	if (atomic_load(&bond->holds) > 1)
		sva_settle(sva_process.anchor, bond, bond->policy.record_timeout_ms);
	sva_bond_unref(bond); /* it may have been bound again meanwhile */
}
