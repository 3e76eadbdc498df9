/* SPDX-License-Identifier: MIT */
/* The slow side of bias.h, which has the reasoning. */
#include "lib/base/bias.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool no_membarrier;

static long membarrier(int command)
{
	return syscall(__NR_membarrier, command, 0, 0);
}

void sva_bias_setup(void)
{
	long commands = membarrier(MEMBARRIER_CMD_QUERY);

	no_membarrier = commands < 0 || !(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) ||
			membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0;
}

void sva_bias_init(struct sva_bias *bias)
{
	atomic_init(&bias->busy, 0);
	atomic_init(&bias->revoked, no_membarrier ? SVA_BIAS_NO_MEMBARRIER : 0);
	pthread_mutex_init(&bias->lock, NULL);
}

void sva_bias_fini(struct sva_bias *bias)
{
	pthread_mutex_destroy(&bias->lock);
}

void sva_bias_enter_slow(struct sva_bias *bias)
{
	do {
		atomic_store_explicit(&bias->busy, 0, memory_order_release);
		/*
		 * The visitor holds the lock for as long as it visits: taking it waits for the
		 * visitor.
		 */
		pthread_mutex_lock(&bias->lock);
		/*
		 * Sequentially consistent, so that the next visitor, which writes revoked and then
		 * reads busy, either sees this store or is seen by the load below, with or without
		 * a membarrier.
		 */
		atomic_store_explicit(&bias->busy, 1, memory_order_seq_cst);
		pthread_mutex_unlock(&bias->lock);
	} while (atomic_load_explicit(&bias->revoked, memory_order_seq_cst) & SVA_BIAS_VISITED);
}

void sva_bias_visit_begin(struct sva_bias *bias)
{
	pthread_mutex_lock(&bias->lock);
	atomic_fetch_or_explicit(&bias->revoked, SVA_BIAS_VISITED, memory_order_seq_cst);
}

void sva_bias_visit_fence(void)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (!no_membarrier)
		membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

void sva_bias_visit_wait(struct sva_bias *bias)
{
	/*
	 * The owner's section is a few dozen instructions or one write(2), unless the owner was
	 * scheduled out inside it.
	 */
	for (unsigned int i = 0; atomic_load_explicit(&bias->busy, memory_order_acquire); i++)
		if (i > 64)
			sched_yield();
}

void sva_bias_visit_end(struct sva_bias *bias)
{
	atomic_fetch_and_explicit(&bias->revoked, ~(unsigned int)SVA_BIAS_VISITED,
				  memory_order_release);
	pthread_mutex_unlock(&bias->lock);
}
