/* SPDX-License-Identifier: MIT */
/* What this machine is: its processors' instructions, its NUMA nodes. */
#ifndef SVA_BASE_MACHINE_H
#define SVA_BASE_MACHINE_H

#include "lib/base/lib.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

/* Node of the calling thread, without a syscall; 0 if there are no nodes, -1: not known yet. */
int sva_numa_thread_node(void);
/* 10 is local. An unknown node (-1) counts as local. */
int sva_numa_distance(int a, int b);
/* Node of the page at addr, by a syscall; -1: unknown. */
int sva_numa_buffer_node(const void *addr);
/* To be called in a child, where no other thread holds the lock. */
void sva_numa_after_fork(void);

enum sva_cpu_feature { SVA_CPU_ENQCMD = 1, SVA_CPU_MOVDIR64B = 2, SVA_CPU_WAITPKG = 4 };
/* From /proc/cpuinfo; 0 while that cannot be read. */
unsigned int sva_cpu_features(void);
/* Reading failed for a shortage of descriptors or memory, and will be tried again. */
bool sva_cpu_shortage(void);

#pragma GCC visibility pop

#endif
