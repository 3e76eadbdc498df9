/* SPDX-License-Identifier: MIT */
/* The program's memory: pages touched without a signal, and copies that survive a bad pointer. */
#ifndef SVA_BASE_MEMORY_H
#define SVA_BASE_MEMORY_H

#include "lib/base/lib.h"

/*
 * Nothing of this is exported: say so where it is used, too, so that it is reached without an
 * indirection.
 */
#pragma GCC visibility push(hidden)

/*
 * Bring the pages of [addr, addr + len) in, from the calling thread. 0, or -EFAULT with *bad the
 * first address that can not be.
 */
int sva_touch(uint64_t addr, uint64_t len, bool write, uint64_t *bad);

/* Install the handlers, once. */
int sva_guard_setup(void);
/* memmove and fill that answer -EFAULT with the address. */
int sva_guard_move(void *dst, const void *src, size_t len, uint64_t *bad);
int sva_guard_fill(void *dst, uint64_t pattern, size_t len, uint64_t *bad);
/* The fill of the cpu route. */
void sva_cpu_fill(void *dst, uint64_t pattern, size_t len);

#pragma GCC visibility pop

#endif
