/* SPDX-License-Identifier: MIT */
/*
 * Waiting for devices on behalf of a thread that closes something, without ending operations, which
 * belong to other threads.
 *
 * The operations are those on the lists of the shares. An owner frees an operation's memory, and
 * what the operation keeps alive, only after it has taken it off the list, which it does inside the
 * section of the share that has the list. So inside that section a listed operation may be read.
 * What is read here is atomic (credit, bond, status, chunks), or is written before the operation is
 * listed (is_batch, src, length).
 *
 * 	owner                                       this thread, inside the section of the share
 * 	status = 0                                  r0 = credit
 * 	submits the descriptor, credit = 1          r1 = status (acquire)
 * 	(the device writes the record, then status)
 * 	reads the record, credit = 0
 * 	section: leaves the list; or submits again
 *
 * r0 = 1, r1 = 0: the device has the descriptor, and the owner has not ended the operation, since
 * there is no record to read; or these are late views, and this thread looks once more. r0 = 1, r1
 * != 0: the device has finished it, and has written everything before the status. r0 = 0: the owner
 * has read the record, and may be submitting the next descriptor just now. The first descriptor of
 * an operation is submitted, and credit set, inside the section in which the operation is listed:
 * it is seen. Those that follow are submitted by an owner that polls the operation and so knows
 * that it has not ended, in the section of the owner's own share. A look that finds nothing with a
 * device hence says that all descriptors are finished but those that an owner submits while or
 * after this thread waits.
 */
#include <sched.h>
#include <time.h>

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/queue/ways.h"
#include "lib/run/run.h"

#define YIELDS       64u      /* looks before the thread sleeps between them */
#define REST_NS      100000L  /* a look costs a membarrier(2), and slows the owners down */
#define PUMP_WAIT_NS 1000000u

struct look {
	uint64_t mark;         /* as in the last look: no device has finished anything since */
	struct sva_bond *bond; /* of a descriptor that a device has, held; NULL: there is none */
};

static void look_at(struct look *look, const struct sva_op *op)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_bond *bond;

	if (!__atomic_load_n(&p->credit, __ATOMIC_RELAXED) || sva_record_status(&op->comp))
		return;
	/*
	 * NULL: the owner has read the record meanwhile, and gives up the device of its mapped
	 * buffers.
	 */
	bond = __atomic_load_n(&p->bond, __ATOMIC_RELAXED);
	/* Retired: the record never comes, and the owner will find that. */
	if (!bond || atomic_load_explicit(&bond->state, memory_order_acquire) == SVA_BOND_RETIRED)
		return;
	look->mark += (uintptr_t)op * 31 + __atomic_load_n(&p->result.chunks, __ATOMIC_RELAXED);
	if (!look->bond) {
		look->bond = bond;
		sva_bond_hold(bond);
	}
}

static void look_at_share(struct look *look, struct sva_thread *thread, const struct sva_bond *bond)
{
	sva_lessee_enter(&thread->lessee);
	for (const struct sva_op *op = thread->first; op; op = SVA_OP_PRIVATE(op)->next) {
		if (bond && __atomic_load_n(&SVA_OP_PRIVATE(op)->bond, __ATOMIC_RELAXED) != bond)
			continue;
		look_at(look, op);
		for (uint64_t i = 0; SVA_OP_PRIVATE(op)->is_batch && i < op->length; i++)
			look_at(look, sva_batch_entries(op)[i]);
	}
	sva_lessee_leave(&thread->lessee);
}

static struct look look_at_all(struct sva *ctx, const struct sva_bond *bond)
{
	struct look look = { 0, NULL };

	for (struct sva_thread *thread = atomic_load(&ctx->threads); thread; thread = thread->next)
		look_at_share(&look, thread, bond);
	return look;
}

static void rest(unsigned int turn)
{
	if (turn < YIELDS)
		sched_yield();
	else
		nanosleep(&(struct timespec){ 0, REST_NS }, NULL);
}

void sva_settle(struct sva *ctx, const struct sva_bond *bond, uint32_t timeout_ms)
{
	uint64_t mark = 0, since = 0;
	/* A thread that is cancelled here would leave the reference or the context behind. */
	int saved = errno, cancel = sva_cancel_hold();

	for (unsigned int turn = 0; ctx; turn++) {
		struct look look = look_at_all(ctx, bond);
		uint64_t now;

		if (!look.bond)
			break;
		now = sva_now_ns();
		if (!since || look.mark != mark) {
			mark = look.mark;
			since = now;
		} else if (now - since > (uint64_t)timeout_ms * 1000000u &&
			   !look.bond->ops->always_completes) {
			sva_bond_retire(look.bond);
		}
		if (look.bond->pump)
			look.bond->pump(look.bond, PUMP_WAIT_NS);
		sva_bond_drop(look.bond);
		rest(turn);
	}
	sva_cancel_release(cancel);
	errno = saved;
}

/*
 * The last reference waits for the device, so that nothing is written afterwards for operations of
 * the caller. It does not end them: another thread may be polling them. Each of them holds the
 * bond, so that its owner can submit the next chunk, and the owner that ends the last one closes
 * the queue. The reference is kept during the wait, or that could happen meanwhile.
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
