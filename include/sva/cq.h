/* SPDX-License-Identifier: MIT */
/**
 * @file sva/cq.h
 * Completion queues: operations that any thread submits and any thread collects, each once; and a
 * descriptor that can be polled for them.
 *
 * Every function may be called by any number of threads at a time, but sva_cq_close(). None may be
 * called from a signal handler, none is a cancellation point. In a forked child each answers
 * -ESTALE, and sva_cq_close() does nothing.
 *
 * Since: 0.1
 */
#ifndef SVA_CQ_H
#define SVA_CQ_H

#include "sva/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sva;
struct sva_cq; /**< a completion queue of a context */

/**
 * Open a completion queue. It keeps the context in memory until it is closed.
 *
 * @param sva   context, NULL: the process's default one
 * @param flags 0; other bits are -EINVAL
 * @param cq    receives the queue; not changed on failure
 * @return 0; -EINVAL; -ENOMEM; -ESTALE the context is from before a fork; with the default context
 *        also what sva_open() returns, such as -EMFILE
 * Since: 0.1
 */
SVA_API int sva_cq_open(struct sva *sva, unsigned int flags, struct sva_cq **cq);

/**
 * Close a completion queue. Waits until every operation that was submitted to it has ended, ends
 * those that were not collected (their results can be read afterwards), and closes its descriptor.
 * Threads that sleep in sva_cq_wait() on it return -ECANCELED first. No thread may begin another
 * call on it. NULL does nothing. Since: 0.1
 */
SVA_API void sva_cq_close(struct sva_cq *cq);

/**
 * Submit a prepared operation, on the best path that is permitted to the queue's context. From here
 * on the operation belongs to the queue until it is collected: sva_poll(), sva_wait(),
 * sva_op_retire() and sva_reap() may not be called for it.
 *
 * @return 0 taken: it is in flight, or has ended and can be collected; otherwise as sva_submit(),
 *        and it was not submitted; -ESTALE also after sva_close() of the context
 * Since: 0.1
 */
SVA_API int sva_cq_submit(struct sva_cq *cq, struct sva_op *op);

/**
 * Submit n operations, in order, with as few calls as the path permits.
 * @return the number that were taken, which may be fewer than n when queues fill up; -errno if the
 *        first one was refused
 * Since: 0.1
 */
SVA_API int sva_cq_submit_many(struct sva_cq *cq, struct sva_op **ops, unsigned int n);

/**
 * Collect operations that have ended, well or not: sva_op_result() has the error of each. Never
 * waits, so it may overlook one that another thread is looking at in the same moment.
 * @param done receives up to n operations, each once; they belong to the caller again
 * @return their number, 0: none is there; -EINVAL; -ESTALE
 * Since: 0.1
 */
SVA_API int sva_cq_reap(struct sva_cq *cq, struct sva_op **done, unsigned int n);

/**
 * The same, and sleep until there is at least one. Looks itself for about 20 microseconds, then
 * sleeps while the context's waiter thread looks; see sva_cq_open(3) for what that costs.
 *
 * @param n          not 0
 * @param timeout_ns nanoseconds; negative: no limit; 0: as sva_cq_reap()
 * @return their number; -ETIME there was none in that time; -ECANCELED the queue is being closed;
 *        -EINVAL; -ESTALE
 * Since: 0.1
 */
SVA_API int sva_cq_wait(struct sva_cq *cq, struct sva_op **done, unsigned int n,
			int64_t timeout_ns);

/**
 * A descriptor for poll(2), epoll(7), select(2) and io_uring(7) that is readable exactly while an
 * operation can be collected. Only for these: it must not be read, written or changed. It belongs
 * to the queue, is the same with every call, is closed on exec(3), and is never 0, 1 or 2. If the
 * program closes it, the library notices, and the next call makes another one.
 *
 * @return the descriptor; -EAGAIN the waiter thread cannot be started; -EMFILE, -ENFILE, -ENOMEM;
 *        -EINVAL; -ESTALE
 * Since: 0.1
 */
SVA_API int sva_cq_fd(struct sva_cq *cq);

#ifdef __cplusplus
}
#endif

#endif
