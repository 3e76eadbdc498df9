/* SPDX-License-Identifier: MIT */
/*
 * The waiter of a context: a thread that looks at its completion queues while no other thread does,
 * since no path interrupts a program when an operation ends. It looks at a queue while something is
 * in flight there, nothing is ready, and a thread sleeps on it or has its descriptor. It starts
 * when that is first needed, and ends with the last queue of the context.
 *
 * Between two looks it sleeps, for a quarter of the time in which nothing has happened, at least 10
 * microseconds and at most a millisecond. So an operation that takes t is found up to t/4 late, or
 * 10 microseconds if that is longer, or a millisecond if that is shorter, and the time that the
 * kernel takes to wake a thread; and the waiter looks at most a thousand times in a second in the
 * long run. On a path that reports completions through the kernel it sleeps in that call, which
 * ends with the first completion.
 *
 * It sleeps without a limit while there is nothing to do. As a litmus test, for a submission (the
 * same holds for a thread that begins to sleep, one that gets a descriptor, and one that takes the
 * last operation that is ready):
 *
 * 	submits                      waiter, with its lock held
 * 	in_flight += 1               asleep = 1
 * 	r0 = asleep                  r1 = in_flight
 * 	if r0: lock, asleep = 0,     if !r1: wait until asleep is 0
 * 	  signal
 *
 * All four are sequentially consistent, so r0 = 0 and r1 = 0 together is forbidden: the waiter
 * looks, or is woken. The wait and the clearing of asleep have the same lock.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/run/cq.h"

#define NAP_LEAST_NS 10000u
#define NAP_MOST_NS  1000000u
#define NAP_LONG_NS  50000u /* a longer nap ends when something is submitted */
#define RARE_NS      4000000u /* nothing has happened for as long: looks are rare */
#define SLACK_NS     1000u  /* of the kernel's timers, for this thread */

struct sva_cq_waiter {
	pthread_mutex_t lock;
	pthread_cond_t woken;
	struct sva_cq *cqs;
	atomic_bool asleep; /* cleared with lock held */
	bool running, stop; /* lock */
	pthread_t thread;
	_Atomic uint64_t looks;
};

static bool has_work(const struct sva_cq_waiter *waiter)
{
	for (const struct sva_cq *cq = waiter->cqs; cq; cq = cq->next_waited)
		if (sva_cq_needs_waiter(cq))
			return true;
	return false;
}

/* With the lock held, which is released meanwhile. deadline: ns; 0: none. */
static void sleep_until_woken(struct sva_cq_waiter *waiter, uint64_t deadline)
{
	const struct timespec until = { (time_t)(deadline / 1000000000u),
					(long)(deadline % 1000000000u) };
	int err = 0;

	while (atomic_load(&waiter->asleep) && !waiter->stop && !err)
		err = deadline ? pthread_cond_timedwait(&waiter->woken, &waiter->lock, &until) :
				 pthread_cond_wait(&waiter->woken, &waiter->lock);
}

static void rest(struct sva_cq_waiter *waiter)
{
	atomic_store(&waiter->asleep, true);
	if (!has_work(waiter))
		sleep_until_woken(waiter, 0);
	atomic_store(&waiter->asleep, false);
}

/*
 * Sleep in the kernel's call for the completions of a path. Returns false if that ended at once:
 * unless a completion is found now, another thread is in that call, or it does not sleep.
 */
static bool sleep_in_pump(struct sva_cq_waiter *waiter, struct sva_bond *bond, uint64_t now,
			  uint64_t time)
{
	pthread_mutex_unlock(&waiter->lock);
	bond->pump(bond, time);
	sva_bond_drop(bond);
	pthread_mutex_lock(&waiter->lock);
	return sva_now_ns() - now >= time / 2;
}

/* Returns true if it was woken before the time was over. */
static bool nap(struct sva_cq_waiter *waiter, uint64_t now, uint64_t time)
{
	bool woken;

	if (time < NAP_LONG_NS) {
		/* Short: its end is awaited rather than announced by every submission. */
		const struct timespec ts = { 0, (long)time };

		pthread_mutex_unlock(&waiter->lock);
		nanosleep(&ts, NULL);
		pthread_mutex_lock(&waiter->lock);
		return false;
	}
	atomic_store(&waiter->asleep, true);
	sleep_until_woken(waiter, now + time);
	woken = !atomic_load(&waiter->asleep);
	atomic_store(&waiter->asleep, false);
	return woken;
}

/* One look at every queue that needs one; returns how many operations were found. */
static unsigned int look(struct sva_cq_waiter *waiter, bool rare, struct sva_bond **bond)
{
	unsigned int found = 0;

	atomic_fetch_add_explicit(&waiter->looks, 1, memory_order_relaxed);
	for (struct sva_cq *cq = waiter->cqs; cq; cq = cq->next_waited)
		if (sva_cq_needs_waiter(cq))
			found += sva_cq_parts_sweep(cq, rare, bond);
	return found;
}

static void *run_waiter(void *arg)
{
	struct sva_cq_waiter *waiter = arg;
	uint64_t since = sva_now_ns(), now, time;
	bool slept = true;

	(void)prctl(PR_SET_TIMERSLACK, SLACK_NS);
	(void)pthread_setname_np(pthread_self(), "sva-waiter");
	pthread_mutex_lock(&waiter->lock);
	while (!waiter->stop) {
		struct sva_bond *bond = NULL;

		if (!has_work(waiter)) {
			rest(waiter);
			since = sva_now_ns();
			continue;
		}
		now = sva_now_ns();
		if (look(waiter, now - since > RARE_NS, &bond)) {
			since = now;
			slept = true;
		}
		time = (now - since) / 4;
		time = time < NAP_LEAST_NS ? NAP_LEAST_NS : time > NAP_MOST_NS ? NAP_MOST_NS : time;
		if (bond && slept) {
			slept = sleep_in_pump(waiter, bond, now, time);
			continue;
		}
		if (bond)
			sva_bond_drop(bond);
		if (nap(waiter, now, time))
			since = sva_now_ns();
		slept = true;
	}
	pthread_mutex_unlock(&waiter->lock);
	return NULL;
}

/*
 * Signals are for the program's threads; but those that an instruction of this thread raises must
 * reach their handlers: an emulated device may live in one of them.
 */
static int start_thread(struct sva_cq_waiter *waiter)
{
	static const int own[] = { SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP, SIGSYS };
	sigset_t set, old;
	int err;

	sigfillset(&set);
	for (unsigned int i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&set, own[i]);
	pthread_sigmask(SIG_SETMASK, &set, &old);
	err = pthread_create(&waiter->thread, NULL, run_waiter, waiter);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int sva_cq_waiter_start(struct sva_cq_waiter *waiter)
{
	int err = 0;

	pthread_mutex_lock(&waiter->lock);
	if (!waiter->running) {
		err = start_thread(waiter);
		waiter->running = !err;
	}
	pthread_mutex_unlock(&waiter->lock);
	return err;
}

void sva_cq_waiter_wake(struct sva_cq_waiter *waiter)
{
	if (!atomic_load(&waiter->asleep))
		return;
	pthread_mutex_lock(&waiter->lock);
	atomic_store(&waiter->asleep, false);
	pthread_cond_signal(&waiter->woken);
	pthread_mutex_unlock(&waiter->lock);
}

uint64_t sva_cq_waiter_looks(const struct sva_cq *cq)
{
	return atomic_load(&cq->waiter->looks);
}

/* ------------------------------------------------------------------ its life */

static struct sva_cq_waiter *new_waiter(void)
{
	struct sva_cq_waiter *waiter = calloc(1, sizeof(*waiter));
	pthread_condattr_t attr;

	if (!waiter)
		return NULL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&waiter->lock, NULL);
	pthread_cond_init(&waiter->woken, &attr);
	pthread_condattr_destroy(&attr);
	return waiter;
}

static void end_waiter(struct sva_cq_waiter *waiter)
{
	int cancel = sva_cancel_hold();
	bool running;

	pthread_mutex_lock(&waiter->lock);
	waiter->stop = true;
	running = waiter->running;
	pthread_cond_signal(&waiter->woken);
	pthread_mutex_unlock(&waiter->lock);
	if (running)
		pthread_join(waiter->thread, NULL);
	sva_cancel_release(cancel);
	pthread_cond_destroy(&waiter->woken);
	pthread_mutex_destroy(&waiter->lock);
	free(waiter);
}

int sva_cq_waiter_join(struct sva_cq *cq)
{
	struct sva *ctx = cq->ctx;

	pthread_mutex_lock(&ctx->lock);
	if (!ctx->waiter)
		ctx->waiter = new_waiter();
	cq->waiter = ctx->waiter;
	if (cq->waiter)
		ctx->cq_count++;
	pthread_mutex_unlock(&ctx->lock);
	if (!cq->waiter)
		return -ENOMEM;
	pthread_mutex_lock(&cq->waiter->lock);
	cq->next_waited = cq->waiter->cqs;
	cq->waiter->cqs = cq;
	pthread_mutex_unlock(&cq->waiter->lock);
	return 0;
}

void sva_cq_waiter_leave(struct sva_cq *cq)
{
	struct sva_cq_waiter *waiter = cq->waiter;
	struct sva *ctx = cq->ctx;
	bool last;

	pthread_mutex_lock(&waiter->lock);
	for (struct sva_cq **at = &waiter->cqs; *at; at = &(*at)->next_waited) {
		if (*at == cq) {
			*at = cq->next_waited;
			break;
		}
	}
	pthread_mutex_unlock(&waiter->lock);
	pthread_mutex_lock(&ctx->lock);
	last = !--ctx->cq_count;
	if (last)
		ctx->waiter = NULL;
	pthread_mutex_unlock(&ctx->lock);
	if (last)
		end_waiter(waiter);
}
