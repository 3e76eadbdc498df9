/* SPDX-License-Identifier: MIT */
/* Completion queues as a whole: open, submit, collect, wait, close. */
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/run/cq.h"

#define SPIN_NS 20000u  /* a thread looks itself for as long before it sleeps */
#define REST_NS 500000u /* between its own looks where no waiter could be started */

int sva_cq_check(const struct sva_cq *cq)
{
	if (!cq || cq->magic != SVA_CQ_MAGIC)
		return -EINVAL;
	return cq->generation == sva_process_generation() ? 0 : -ESTALE;
}

/* ------------------------------------------------------------------ open and close */

static void list_queue(struct sva_cq *cq)
{
	pthread_mutex_lock(&sva_process.lock);
	cq->next = sva_process.cqs;
	sva_process.cqs = cq;
	pthread_mutex_unlock(&sva_process.lock);
}

static void unlist_queue(struct sva_cq *cq)
{
	pthread_mutex_lock(&sva_process.lock);
	for (struct sva_cq **at = &sva_process.cqs; *at; at = &(*at)->next) {
		if (*at == cq) {
			*at = cq->next;
			break;
		}
	}
	pthread_mutex_unlock(&sva_process.lock);
}

int sva_cq_make(struct sva *ctx, struct sva_cq **out)
{
	struct sva_cq *cq = calloc(1, sizeof(*cq));
	int err;

	if (!cq)
		return -ENOMEM;
	cq->ctx = ctx;
	cq->generation = sva_process_generation();
	err = sva_cq_ready_init(&cq->ready);
	if (err)
		goto free_queue;
	err = sva_cq_parts_init(cq);
	if (err)
		goto end_ready;
	err = sva_cq_waiter_join(cq);
	if (err)
		goto end_parts;
	atomic_fetch_add(&ctx->holds, 1);
	cq->magic = SVA_CQ_MAGIC;
	list_queue(cq);
	*out = cq;
	return 0;

end_parts:
	sva_cq_parts_fini(cq);
end_ready:
	sva_cq_ready_fini(cq);
free_queue:
	free(cq);
	return err;
}

/* Threads that sleep in sva_cq_wait() are woken, and are gone when this returns. */
static void send_users_away(struct sva_cq *cq)
{
	int saved = errno, cancel = sva_cancel_hold();

	sva_cq_ready_close(&cq->ready);
	while (atomic_load(&cq->users))
		nanosleep(&(struct timespec){ 0, 20000 }, NULL);
	sva_cancel_release(cancel);
	errno = saved;
}

void sva_cq_end(struct sva_cq *cq)
{
	struct sva *ctx = cq->ctx;

	send_users_away(cq);
	sva_cq_waiter_leave(cq);
	sva_cq_parts_fini(cq);
	unlist_queue(cq);
	sva_cq_ready_fini(cq);
	cq->magic = 0;
	free(cq);
	sva_context_drop(ctx);
}

/* ------------------------------------------------------------------ submit and collect */

/* To be called after what made sva_cq_needs_waiter() true: see the proof in cq-waiter.c. */
static void wake_waiter(struct sva_cq *cq)
{
	if (sva_cq_needs_waiter(cq))
		sva_cq_waiter_wake(cq->waiter);
}

int sva_cq_start(struct sva_cq *cq, struct sva_op **ops, unsigned int n)
{
	int rc = sva_cq_parts_submit(cq, ops, n);

	if (rc > 0)
		wake_waiter(cq);
	return rc;
}

unsigned int sva_cq_take(struct sva_cq *cq, struct sva_op **done, unsigned int n)
{
	unsigned int found = sva_cq_ready_take(&cq->ready, done, n);
	bool emptied = found && !atomic_load(&cq->ready.count);

	if (found < n && atomic_load(&cq->in_flight))
		found += sva_cq_parts_collect(cq, done + found, n - found);
	if (emptied)
		wake_waiter(cq);
	return found;
}

/* ------------------------------------------------------------------ wait */

/* A device takes some microseconds: look for as long, without a thread that has to be woken. */
static unsigned int spin(struct sva_cq *cq, struct sva_op **done, unsigned int n,
			 uint64_t deadline)
{
	uint64_t end = sva_now_ns() + SPIN_NS;
	unsigned int found;

	if (deadline && deadline < end)
		end = deadline;
	do {
		found = sva_cq_take(cq, done, n);
		if (found || !atomic_load(&cq->in_flight))
			return found;
		for (unsigned int i = 0; i < 16; i++)
			sva_cpu_relax();
	} while (sva_now_ns() < end);
	return 0;
}

/* Returns false if the queue is being closed. */
static bool sleep_until_ready(struct sva_cq *cq, uint64_t deadline)
{
	uint64_t until = deadline, soon;
	bool open;

	atomic_fetch_add(&cq->ready.sleepers, 1);
	if (!sva_cq_waiter_start(cq->waiter)) {
		wake_waiter(cq);
	} else {
		soon = sva_now_ns() + REST_NS;
		until = deadline && deadline < soon ? deadline : soon;
	}
	open = sva_cq_ready_sleep(&cq->ready, until);
	atomic_fetch_sub(&cq->ready.sleepers, 1);
	return open;
}

static int wait_for_some(struct sva_cq *cq, struct sva_op **done, unsigned int n,
			 int64_t timeout_ns)
{
	uint64_t deadline = timeout_ns > 0 ? sva_now_ns() + (uint64_t)timeout_ns : 0;
	unsigned int found;

	for (;;) {
		found = timeout_ns ? spin(cq, done, n, deadline) : sva_cq_take(cq, done, n);
		if (found)
			return (int)found;
		if (!timeout_ns || (deadline && sva_now_ns() >= deadline))
			return -ETIME;
		if (!sleep_until_ready(cq, deadline))
			return -ECANCELED;
	}
}

int sva_cq_await(struct sva_cq *cq, struct sva_op **done, unsigned int n, int64_t timeout_ns)
{
	int rc;

	atomic_fetch_add(&cq->users, 1);
	rc = wait_for_some(cq, done, n, timeout_ns);
	/* The last access: sva_cq_end() frees the queue when there are no users. */
	atomic_fetch_sub(&cq->users, 1);
	return rc;
}

int sva_cq_watch(struct sva_cq *cq)
{
	int err = sva_cq_waiter_start(cq->waiter), fd;

	if (err)
		return err;
	fd = sva_cq_ready_fd(cq);
	wake_waiter(cq);
	return fd;
}
