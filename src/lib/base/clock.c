/* SPDX-License-Identifier: MIT */
/* The clock, and the delay before something that failed is tried again. */
#include <time.h>

#include "lib/base/clock.h"

#define RETRY_FIRST_NS (100u * 1000 * 1000)
#define RETRY_MOST_NS  (10ull * 1000 * 1000 * 1000)

uint64_t sva_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if !defined(__x86_64__)
uint64_t sva_ticks(void)
{
	return sva_now_ns();
}
#endif

bool sva_retry_is_due(const struct sva_retry *retry)
{
	return !atomic_load_explicit(&retry->delay, memory_order_relaxed) ||
	       sva_now_ns() >= atomic_load_explicit(&retry->at, memory_order_relaxed);
}

void sva_retry_failed(struct sva_retry *retry)
{
	uint64_t delay = atomic_load_explicit(&retry->delay, memory_order_relaxed);

	delay = delay ? delay * 2 : RETRY_FIRST_NS;
	if (delay > RETRY_MOST_NS)
		delay = RETRY_MOST_NS;
	atomic_store_explicit(&retry->at, sva_now_ns() + delay, memory_order_relaxed);
	atomic_store_explicit(&retry->delay, delay, memory_order_relaxed);
}
