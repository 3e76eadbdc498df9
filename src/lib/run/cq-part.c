/* SPDX-License-Identifier: MIT */
/*
 * The parts of a completion queue: a lock and a share of the context each.
 *
 * The share's section (base/bias.h) has one owner at a time. Here that is the thread that holds the
 * part's lock; the next one acquires the lock, and with it everything that the one before it wrote.
 * A visitor's membarrier(2) runs in every thread of the process, so it orders whichever thread is
 * the owner.
 *
 * While a thread owns the share, its sva_tls names it, so that sva_poll() ends operations on the
 * short road, and further chunks go out on leases of this share.
 */
#include <stdlib.h>

#include "lib/run/cq.h"
#include "lib/run/fast.h"

#define AT_ONCE 32u

/* What the thread's own calls use, meanwhile. */
struct own {
	struct sva *key;
	unsigned int epoch;
	struct sva_thread *current;
};

static struct own own_share(struct sva_cq_part *part)
{
	struct sva_tls *tls = &sva_tls;
	struct own own = { tls->key, tls->epoch, tls->current };

	atomic_store(&part->share->lessee.owner, (const void *)tls);
	tls->key = (struct sva *)-1; /* no handle: only functions of this room use the share */
	tls->epoch = atomic_load(&sva_alive->epoch);
	tls->current = part->share;
	return own;
}

static void disown_share(struct sva_cq_part *part, const struct own *own)
{
	struct sva_tls *tls = &sva_tls;

	atomic_store(&part->share->lessee.owner, sva_cq_no_owner(part));
	tls->key = own->key;
	tls->epoch = own->epoch;
	tls->current = own->current;
}

/* ------------------------------------------------------------------ which part */

static struct sva_cq_part *new_part(struct sva *ctx)
{
	struct sva_cq_part *part = calloc(1, sizeof(*part));

	if (!part)
		return NULL;
	part->share = sva_thread_take(ctx, sva_cq_no_owner(part));
	if (!part->share) {
		free(part);
		return NULL;
	}
	pthread_mutex_init(&part->lock, NULL);
	return part;
}

/* One more; it is locked. NULL: there are enough, or no memory. */
static struct sva_cq_part *add_part(struct sva_cq *cq)
{
	struct sva_cq_part *part = NULL;
	unsigned int n;

	if (pthread_mutex_trylock(&cq->growing))
		return NULL;
	n = atomic_load(&cq->part_count);
	if (n < SVA_CQ_PARTS)
		part = new_part(cq->ctx);
	if (part) {
		pthread_mutex_lock(&part->lock);
		atomic_store(&cq->parts[n], part);
		atomic_store(&cq->part_count, n + 1);
	}
	pthread_mutex_unlock(&cq->growing);
	return part;
}

/*
 * Threads begin at different parts, and stay with them while they are free; thread-local memory of
 * different threads lies whole pages apart.
 */
static struct sva_cq_part *lock_part(struct sva_cq *cq)
{
	unsigned int n = atomic_load(&cq->part_count);
	unsigned int first = (unsigned int)((uintptr_t)&sva_tls >> 12) % n;
	struct sva_cq_part *part;

	for (unsigned int i = 0; i < n; i++) {
		part = cq->parts[(first + i) % n];
		if (!pthread_mutex_trylock(&part->lock))
			return part;
	}
	part = add_part(cq);
	if (!part) {
		part = cq->parts[first];
		pthread_mutex_lock(&part->lock);
	}
	return part;
}

int sva_cq_parts_init(struct sva_cq *cq)
{
	struct sva_cq_part *part = new_part(cq->ctx);

	if (!part)
		return -ENOMEM;
	pthread_mutex_init(&cq->growing, NULL);
	atomic_store(&cq->parts[0], part);
	atomic_store(&cq->part_count, 1);
	return 0;
}

/* ------------------------------------------------------------------ submission */

static bool is_over(const struct sva_op *op)
{
	return !sva_op_is_pending(op) || sva_record_status(&op->comp);
}

/*
 * What has ended already is made ready at once: work of the CPU, and of the DSA in software. An
 * operation of several chunks may go on.
 */
static void end_early(struct sva_cq *cq, struct sva_op **ops, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!is_over(ops[i]))
			continue;
		(void)sva_poll(ops[i]);
		if (sva_op_is_pending(ops[i]))
			continue;
		atomic_fetch_sub(&cq->in_flight, 1);
		sva_cq_ready_add(&cq->ready, &ops[i], 1);
	}
}

/* The CPU has done it, and its record says more than success: sva_poll() finds the reason. */
static void end_plain(struct sva_cq *cq, struct sva_op *op)
{
	struct sva_cq_part *part = lock_part(cq);
	struct own own = own_share(part);

	atomic_fetch_add(&cq->in_flight, 1);
	sva_bias_enter(&part->share->lessee.bias);
	op->state = part->share->fast_state;
	sva_thread_link(part->share, op);
	sva_bias_exit(&part->share->lessee.bias);
	end_early(cq, &op, 1);
	disown_share(part, &own);
	pthread_mutex_unlock(&part->lock);
}

/*
 * Without a device: the work is done outside of the lock, so threads copy beside each other, and a
 * bad address raises its signal where nothing is locked. Returns how many were done.
 */
static unsigned int do_plain(struct sva_cq *cq, struct sva_op **ops, unsigned int n)
{
	struct sva_thread *share = cq->parts[0]->share;
	unsigned int done = 0;

	if (!share->cpu_lease.credits || share->closed)
		return 0;
	for (; done < n && !sva_op_is_bad(ops[done]); done++) {
		struct sva_op *op = ops[done];

		if (!sva_do_plain(share, op))
			break;
		if (sva_record_status(&op->comp) != SVA_STATUS_SUCCESS) {
			end_plain(cq, op);
			continue;
		}
		SVA_OP_PRIVATE(op)->last = share->cpu_lease.id;
		SVA_OP_PRIVATE(op)->thread = NULL;
		op->state = share->fast_ended;
		sva_cq_ready_add(&cq->ready, &op, 1);
	}
	return done;
}

int sva_cq_parts_submit(struct sva_cq *cq, struct sva_op **ops, unsigned int n)
{
	unsigned int done = do_plain(cq, ops, n), left = n - done;
	struct sva_cq_part *part;
	struct own own;
	int rc;

	if (!left)
		return (int)done;
	/* Before they are: the waiter must not find nothing in flight while there is something. */
	atomic_fetch_add(&cq->in_flight, left);
	part = lock_part(cq);
	own = own_share(part);
	rc = part->share->closed ? -ESTALE :
	     left == 1           ? sva_start_any(part->share, ops[done]) :
				   sva_start_many(part->share, ops + done, left);
	if (left == 1 && !rc)
		rc = 1;
	if (rc > 0)
		end_early(cq, ops + done, (unsigned int)rc);
	disown_share(part, &own);
	pthread_mutex_unlock(&part->lock);
	if (rc < (int)left)
		atomic_fetch_sub(&cq->in_flight, left - (rc > 0 ? (unsigned int)rc : 0));
	if (rc < 0 && !done)
		return rc;
	return (int)done + (rc > 0 ? rc : 0);
}

/* ------------------------------------------------------------------ looking */

static unsigned int collect(struct sva_cq *cq, struct sva_cq_part *part, struct sva_op **done,
			    unsigned int n)
{
	struct own own = own_share(part);
	unsigned int found = sva_collect(part->share, done, n);

	disown_share(part, &own);
	if (found)
		atomic_fetch_sub(&cq->in_flight, found);
	return found;
}

unsigned int sva_cq_parts_collect(struct sva_cq *cq, struct sva_op **done, unsigned int n)
{
	unsigned int parts = atomic_load(&cq->part_count), found = 0;

	for (unsigned int i = 0; i < parts && found < n; i++) {
		struct sva_cq_part *part = cq->parts[i];

		if (pthread_mutex_trylock(&part->lock))
			continue;
		found += collect(cq, part, done + found, n - found);
		pthread_mutex_unlock(&part->lock);
	}
	return found;
}

/* With the part locked: the bond of its oldest operation, if that has to be pumped. */
static struct sva_bond *bond_to_pump(struct sva_cq_part *part)
{
	struct sva_bond *bond = NULL;
	const struct sva_op *op;

	if (sva_thread_is_idle(part->share))
		return NULL;
	op = sva_op_of_node(part->share->list.next);
	if (sva_op_is_in(op, SVA_OP_FAST))
		bond = sva_op_lease(op)->bond;
	else if (op->state == SVA_OP_IN_FLIGHT)
		bond = SVA_OP_PRIVATE(op)->bond;
	if (!bond || !bond->pump)
		return NULL;
	sva_bond_hold(bond);
	return bond;
}

/*
 * With the part locked: the next poll of its oldest operation looks at the clock, for the record
 * timeout, as every SVA_POLLS_BEFORE_CLOCK-th does. The waiter polls too rarely to count to that.
 */
static void look_at_clock(struct sva_cq_part *part)
{
	struct sva_op *op;

	if (sva_thread_is_idle(part->share))
		return;
	op = sva_op_of_node(part->share->list.next);
	if (sva_op_is_in(op, SVA_OP_FAST))
		part->share->polls |= SVA_POLLS_BEFORE_CLOCK - 1;
	else if (op->state == SVA_OP_IN_FLIGHT)
		SVA_OP_PRIVATE(op)->polls |= SVA_POLLS_BEFORE_CLOCK - 1;
}

unsigned int sva_cq_parts_sweep(struct sva_cq *cq, bool rare, struct sva_bond **bond)
{
	unsigned int parts = atomic_load(&cq->part_count), all = 0, found;
	struct sva_op *done[AT_ONCE];

	for (unsigned int i = 0; i < parts; i++) {
		struct sva_cq_part *part = cq->parts[i];

		do {
			pthread_mutex_lock(&part->lock);
			if (rare)
				look_at_clock(part);
			found = collect(cq, part, done, AT_ONCE);
			/* With the lock held, so that operations of a part stay in their order. */
			sva_cq_ready_add(&cq->ready, done, found);
			if (!*bond)
				*bond = bond_to_pump(part);
			pthread_mutex_unlock(&part->lock);
			all += found;
		} while (found == AT_ONCE);
	}
	return all;
}

/* ------------------------------------------------------------------ the end */

static void end_all(struct sva_cq_part *part)
{
	while (!sva_thread_is_idle(part->share))
		sva_op_retire(sva_op_of_node(part->share->list.next));
}

void sva_cq_parts_fini(struct sva_cq *cq)
{
	unsigned int parts = atomic_load(&cq->part_count);

	for (unsigned int i = 0; i < parts; i++) {
		struct sva_cq_part *part = cq->parts[i];
		struct own own = own_share(part);

		end_all(part);
		disown_share(part, &own);
		/* From here on a thread may use it. */
		atomic_store(&part->share->lessee.owner, (const void *)NULL);
		pthread_mutex_destroy(&part->lock);
		free(part);
	}
	pthread_mutex_destroy(&cq->growing);
}
