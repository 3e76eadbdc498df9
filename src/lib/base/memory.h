/* SPDX-License-Identifier: MIT */
/* The program's memory: pages touched without a signal, and copies that survive a bad pointer. */
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

/* Install the handlers, once. */
int sva_guard_setup(void);
/* memmove and fill; -EFAULT with the address in *bad for a bad pointer. */
int sva_guard_move(void *dst, const void *src, size_t len, uint64_t *bad);
int sva_guard_fill(void *dst, uint64_t pattern, size_t len, uint64_t *bad);
/* The fill as the CPU does it. */
void sva_cpu_fill(void *dst, uint64_t pattern, size_t len);

#pragma GCC visibility pop

#endif
