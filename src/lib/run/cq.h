/* SPDX-License-Identifier: MIT */
/*
 * Completion queues: operations that any thread submits, and that any thread collects.
 *
 * A completion queue has parts, each with a lock and a share of the context (run/thread.h). The
 * thread that holds the lock of a part is the owner of its share, so submitting, polling and ending
 * go the same road as those of a thread, without a visit of another thread's section. A queue
 * begins with one part and gets more when threads find all of them locked.
 *
 * 	cq-ready.c   operations that have ended; sleeping threads; the pollable descriptor
 * 	cq-part.c    parts: submit on one, look at all
 * 	cq-waiter.c  the thread that looks when no other does
 * 	cq.c         open, close, submit, reap, wait
 *
 * Locks, in the order in which they are taken: sva_cq_waiter::lock, sva_cq_part::lock, those of
 * run/thread.h, sva_cq_ready::lock.
 *
 * An operation is in one of three places, and moves on only: on the list of a part (the part's
 * lock); on the list of those that are ready (that list's lock); with the caller that has collected
 * it. A thread that takes it off a list holds the lock of that list and puts it in one place, so it
 * is collected once.
 */
#ifndef SVA_RUN_CQ_H
#define SVA_RUN_CQ_H

#include "lib/run/run.h"

#pragma GCC visibility push(hidden)

#define SVA_CQ_MAGIC 0x7376612063712020ull
#define SVA_CQ_PARTS 16u /* at most; more would spread the credits of a small queue too thin */

struct sva_cq_ready {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct sva_op_node list; /* a ring through its head, the oldest first; lock */
	atomic_uint count;       /* written with lock held */
	atomic_uint sleepers;    /* threads in sva_cq_ready_sleep() */
	bool closing;            /* lock */
	bool raised;             /* the event counter of file is not 0; lock */
	struct sva_file file;    /* of sva_cq_fd(); fd: -1, there is none; lock */
};

struct sva_cq_part {
	pthread_mutex_t lock;
	struct sva_thread *share;
};

struct sva_cq {
	uint64_t magic;
	unsigned int generation;
	struct sva *ctx;
	struct sva_cq *next;        /* sva_process.cqs; sva_process.lock */
	struct sva_cq *next_waited; /* sva_cq_waiter::cqs; its lock */
	struct sva_cq_waiter *waiter;
	atomic_uint users;          /* threads in sva_cq_wait() */
	atomic_uint in_flight;      /* submitted, and neither collected nor ready */
	struct sva_cq_ready ready;
	atomic_uint part_count;     /* grows with growing held */
	pthread_mutex_t growing;
	struct sva_cq_part *_Atomic parts[SVA_CQ_PARTS];
};

/* The name of a share's owner between two threads that lock its part. */
static inline const void *sva_cq_no_owner(const struct sva_cq_part *part)
{
	return part;
}

/* Is any thread asleep until an operation is ready, or may one look at the descriptor? */
static inline bool sva_cq_is_watched(const struct sva_cq *cq)
{
	return atomic_load(&cq->ready.sleepers) || atomic_load(&cq->ready.file.fd) >= 0;
}

/* cq-ready.c */
int sva_cq_ready_init(struct sva_cq_ready *ready);
/* Close the descriptor, if it is still ours. No thread sleeps any more. */
void sva_cq_ready_fini(struct sva_cq *cq);
/* Add operations that have ended, and wake those that wait for them. */
void sva_cq_ready_add(struct sva_cq_ready *ready, struct sva_op **ops, unsigned int n);
unsigned int sva_cq_ready_take(struct sva_cq_ready *ready, struct sva_op **done, unsigned int n);
/*
 * Sleep until an operation is ready, the queue is being closed or the clock reads deadline (ns; 0:
 * never). The caller has counted itself in sleepers. Returns false if the queue is being closed.
 */
bool sva_cq_ready_sleep(struct sva_cq_ready *ready, uint64_t deadline);
/* Wake all that sleep, now and later: the queue is being closed. */
void sva_cq_ready_close(struct sva_cq_ready *ready);
/* The descriptor, made when there is none; -errno. */
int sva_cq_ready_fd(struct sva_cq *cq);

/* cq-part.c. Returns 0 or -ENOMEM. */
int sva_cq_parts_init(struct sva_cq *cq);
/* Wait for all operations and end them; give the shares back to the context. */
void sva_cq_parts_fini(struct sva_cq *cq);
/* Submit n operations on a part: how many were taken, or -errno. */
int sva_cq_parts_submit(struct sva_cq *cq, struct sva_op **ops, unsigned int n);
/* Store up to n operations that have ended. Skips parts that other threads have locked. */
unsigned int sva_cq_parts_collect(struct sva_cq *cq, struct sva_op **done, unsigned int n);
/*
 * Move all operations that have ended to the list of those that are ready; returns how many. *bond,
 * if it was NULL: a bond with a pump() that has a descriptor, with a hold for the caller. rare: the
 * caller looks so rarely that each look should check the record timeout.
 */
unsigned int sva_cq_parts_sweep(struct sva_cq *cq, bool rare, struct sva_bond **bond);

/* cq-waiter.c */
int sva_cq_waiter_join(struct sva_cq *cq);
/* The queue no longer needs its waiter; the last one ends it. */
void sva_cq_waiter_leave(struct sva_cq *cq);
/* Start the thread, if it does not run. Returns 0 or -errno. */
int sva_cq_waiter_start(struct sva_cq_waiter *waiter);
void sva_cq_waiter_wake(struct sva_cq_waiter *waiter);
/* For tests: how often it has looked. */
uint64_t sva_cq_waiter_looks(const struct sva_cq *cq);

/* Is it the waiter's turn to look at this queue? */
static inline bool sva_cq_needs_waiter(const struct sva_cq *cq)
{
	return atomic_load(&cq->in_flight) && !atomic_load(&cq->ready.count) &&
	       sva_cq_is_watched(cq);
}

/* cq.c. 0, -EINVAL or -ESTALE. */
int sva_cq_check(const struct sva_cq *cq);
int sva_cq_make(struct sva *ctx, struct sva_cq **cq);
void sva_cq_end(struct sva_cq *cq);
int sva_cq_start(struct sva_cq *cq, struct sva_op **ops, unsigned int n);
unsigned int sva_cq_take(struct sva_cq *cq, struct sva_op **done, unsigned int n);
int sva_cq_await(struct sva_cq *cq, struct sva_op **done, unsigned int n, int64_t timeout_ns);
int sva_cq_watch(struct sva_cq *cq);

#pragma GCC visibility pop

#endif
