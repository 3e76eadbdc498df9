/* SPDX-License-Identifier: MIT */
/* What this machine is: its processors' instructions, its NUMA nodes. */
#ifndef SVA_BASE_MACHINE_H
#define SVA_BASE_MACHINE_H

#include "lib/base/lib.h"

/*
 * Nothing of this is exported: say so where it is used, too, so that it is reached without an
 * indirection.
 */
#pragma GCC visibility push(hidden)

/* of the calling thread, without a syscall; 0 if there are no nodes, -1: not known yet */
int sva_numa_thread_node(void);
/* 10 is local; unknown (-1) nodes are near to everything */
int sva_numa_distance(int a, int b);
/* of the page at addr, by a syscall; -1 if it can not be told */
int sva_numa_buffer_node(const void *addr);
void sva_numa_after_fork(void);                  /* in a child: no thread of it is looking */

enum sva_cpu_feature { SVA_CPU_ENQCMD = 1, SVA_CPU_MOVDIR64B = 2, SVA_CPU_WAITPKG = 4 };
/* from /proc/cpuinfo; 0 while that cannot be read */
unsigned int sva_cpu_features(void);
/* It could not be read for want of descriptors or memory, and is looked at again. */
bool sva_cpu_shortage(void);

#pragma GCC visibility pop

#endif
