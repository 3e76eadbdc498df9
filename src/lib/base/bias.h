/* SPDX-License-Identifier: MIT */
/*
 * A lock that costs its owner no locked instruction: for data that one thread uses all the time and
 * other threads hardly ever.
 *
 * The owner writes busy, reads revoked, works, and clears busy. Another thread (the visitor) sets
 * revoked, issues membarrier(2), waits until busy is clear, works, and clears revoked. As a litmus
 * test:
 *
 * 	owner                            visitor
 * 	busy = 1                         revoked = 1
 * 	(compiler barrier)               membarrier: a full barrier on every running
 * 	                                 thread of the process
 * 	r0 = revoked                     r1 = busy
 *
 * r0 = 0 and r1 = 0 together is forbidden. The barrier runs in the owner either before its store of
 * busy, and then the later load sees revoked = 1; or after the store, and then busy = 1 is visible
 * before the visitor reads it; or between load and store of the two, which is the second case. An
 * owner that is not running had a full barrier when it was scheduled out. The clearing stores
 * release and the loads that see them acquire, so each side sees what the other did while it was
 * in.
 *
 * Where the kernel has no membarrier, revoked is never clear: the owner always enters by the slow
 * function, which uses the mutex.
 */
#ifndef SVA_BIAS_H
#define SVA_BIAS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum { SVA_BIAS_VISITED = 1, SVA_BIAS_NO_MEMBARRIER = 2 };

struct sva_bias {
	atomic_uint busy;      /* written by the owner alone */
	atomic_uint revoked;   /* SVA_BIAS_*; written with lock held */
	pthread_mutex_t lock;  /* one visitor at a time */
};

/* To be called once, before any lock is used. */
void sva_bias_setup(void);
void sva_bias_init(struct sva_bias *bias);
void sva_bias_fini(struct sva_bias *bias);
void sva_bias_enter_slow(struct sva_bias *bias);

/* The owner's side. */
static inline void sva_bias_enter(struct sva_bias *bias)
{
	atomic_store_explicit(&bias->busy, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (__builtin_expect(atomic_load_explicit(&bias->revoked, memory_order_acquire), 0))
		sva_bias_enter_slow(bias);
}

/* The same, for a road that has another one beside it: false, and not entered, while visited. */
static inline bool sva_bias_try_enter(struct sva_bias *bias)
{
	atomic_store_explicit(&bias->busy, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (!__builtin_expect(atomic_load_explicit(&bias->revoked, memory_order_acquire), 0))
		return true;
	atomic_store_explicit(&bias->busy, 0, memory_order_release);
	return false;
}

static inline void sva_bias_exit(struct sva_bias *bias)
{
	atomic_store_explicit(&bias->busy, 0, memory_order_release);
}

/*
 * The visitor's side. For several locks at once: begin each, fence once, then wait for each; end
 * each when done. Every caller must begin them in the same order.
 */
void sva_bias_visit_begin(struct sva_bias *bias);
void sva_bias_visit_fence(void);
void sva_bias_visit_wait(struct sva_bias *bias);
void sva_bias_visit_end(struct sva_bias *bias);

#pragma GCC visibility pop

#endif
