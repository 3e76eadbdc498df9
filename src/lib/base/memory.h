/* SPDX-License-Identifier: MIT */
/* The program's memory: pages touched without a signal, and work that survives a bad pointer. */
#ifndef SVA_BASE_MEMORY_H
#define SVA_BASE_MEMORY_H

#include "lib/base/lib.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

/*
 * Fault in the pages of [addr, addr + len) from the calling thread. Returns 0, or -EFAULT with *bad
 * the first address where that failed.
 */
int sva_touch(uint64_t addr, uint64_t len, bool write, uint64_t *bad);

/* A range of bytes that is read or written. */
struct sva_range {
	uint64_t addr, len;
	bool write;
};

/* The same for several ranges; *which is the index of the bad one. */
static inline int sva_touch_all(const struct sva_range *range, unsigned int n, uint64_t *bad,
				unsigned int *which)
{
	for (*which = 0; *which < n; ++*which)
		if (sva_touch(range[*which].addr, range[*which].len, range[*which].write, bad))
			return -EFAULT;
	return 0;
}

/* Install the handlers, once. */
int sva_guard_setup(void);
/*
 * Call work(arg), which uses the memory of at most SVA_GUARD_RANGES ranges. Returns 0, or -EFAULT
 * with the address in *bad at which an access failed.
 */
#define SVA_GUARD_RANGES 4u
int sva_guard_run(const struct sva_range *range, unsigned int n, void (*work)(void *arg), void *arg,
		  uint64_t *bad);

#pragma GCC visibility pop

#endif
