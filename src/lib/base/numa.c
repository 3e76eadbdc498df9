/* SPDX-License-Identifier: MIT */
/*
 * NUMA nodes of threads and buffers; the only caller of libnuma.
 *
 * What libnuma would look up in sysfs or by a syscall is copied once into a small table, since the hot path asks for
 * the thread's node and libnuma's own lazy tables are not made for threads. A machine without nodes is a machine with
 * one.
 */
#include <numa.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/internal.h"

#define LOCAL_DISTANCE	10 /* what firmware and kernel call local */
#define REMOTE_DISTANCE 20 /* what the kernel assumes where firmware says nothing */

struct topology {
	unsigned int cpus;
	unsigned int nodes;
	int16_t *node_of_cpu; /* cpus entries */
	uint8_t *distance;    /* nodes × nodes entries */
};

/* Stands in where there is no NUMA, or no memory for the tables. */
static struct topology flat = { 0, 1, NULL, NULL };
static _Atomic(struct topology *) topology;
static pthread_once_t topology_once = PTHREAD_ONCE_INIT;

static void fill(struct topology *t)
{
	for (unsigned int cpu = 0; cpu < t->cpus; cpu++) {
		int node = numa_node_of_cpu((int)cpu);

		t->node_of_cpu[cpu] = (int16_t)(node >= 0 && (unsigned int)node < t->nodes ? node : 0);
	}
	for (unsigned int a = 0; a < t->nodes; a++)
		for (unsigned int b = 0; b < t->nodes; b++) {
			int d = numa_distance((int)a, (int)b);

			if (d <= 0 || d > UINT8_MAX)
				d = a == b ? LOCAL_DISTANCE : REMOTE_DISTANCE;
			t->distance[a * t->nodes + b] = (uint8_t)d;
		}
}

static struct topology *build(void)
{
	struct topology *t;
	int cpus, nodes;

	if (numa_available() < 0)
		return &flat;
	cpus = numa_num_possible_cpus();
	nodes = numa_max_node() + 1;
	if (cpus <= 0 || nodes <= 1 || nodes > INT16_MAX)
		return &flat;
	t = calloc(1, sizeof(*t));
	if (!t)
		return &flat;
	t->cpus = (unsigned int)cpus;
	t->nodes = (unsigned int)nodes;
	t->node_of_cpu = calloc(t->cpus, sizeof(*t->node_of_cpu));
	t->distance = calloc((size_t)t->nodes * t->nodes, sizeof(*t->distance));
	if (!t->node_of_cpu || !t->distance) {
		free(t->node_of_cpu);
		free(t->distance);
		free(t);
		return &flat;
	}
	fill(t);
	return t;
}

static void build_once(void)
{
	int saved = errno;

	atomic_store_explicit(&topology, build(), memory_order_release);
	errno = saved;
}

static inline const struct topology *get_topology(void)
{
	const struct topology *t = atomic_load_explicit(&topology, memory_order_acquire);

	if (unlikely(!t)) {
		pthread_once(&topology_once, build_once);
		t = atomic_load_explicit(&topology, memory_order_acquire);
	}
	return t;
}

int sva_numa_thread_node(void)
{
	const struct topology *t = get_topology();
	int cpu;

	if (t->nodes <= 1)
		return 0;
	cpu = sched_getcpu(); /* the thread's rseq area or the vDSO: no syscall */
	return cpu >= 0 && (unsigned int)cpu < t->cpus ? t->node_of_cpu[cpu] : 0;
}

int sva_numa_distance(int a, int b)
{
	const struct topology *t = get_topology();

	if (a < 0 || b < 0 || a == b)
		return LOCAL_DISTANCE;
	if ((unsigned int)a >= t->nodes || (unsigned int)b >= t->nodes)
		return REMOTE_DISTANCE;
	return t->distance[(unsigned int)a * t->nodes + (unsigned int)b];
}

/* move_pages without targets only looks; get_mempolicy would fault the page in to answer. */
int sva_numa_buffer_node(const void *addr)
{
	long page_size = sysconf(_SC_PAGESIZE);
	int status = -1, saved = errno;
	void *page;

	if (get_topology()->nodes <= 1)
		return 0;
	page = (void *)((uintptr_t)addr & ~((uintptr_t)page_size - 1));
	if (numa_move_pages(0, 1, &page, NULL, &status, 0) < 0)
		status = -1;
	errno = saved;
	return status >= 0 ? status : -1;
}
