/* SPDX-License-Identifier: MIT */
/*
 * NUMA nodes of threads and buffers; the only caller of libnuma.
 *
 * What libnuma would look up in sysfs or by a syscall is copied once into a small table, since the
 * hot path asks for the thread's node and libnuma's own lazy tables are not thread-safe. A machine
 * without nodes is treated as a machine with one.
 */
#include "config.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/cancel.h"
#include "lib/base/fd.h"
#include "lib/base/machine.h"

#ifdef HAVE_NUMA
#include <numa.h>
#else
/* Configured --without-numa: as on a kernel without NUMA, where none but the first is called. */
static inline int numa_available(void)
{
	return -1;
}
static inline int numa_num_possible_cpus(void)
{
	return 0;
}
static inline int numa_max_node(void)
{
	return 0;
}
static inline int numa_node_of_cpu(int cpu)
{
	return cpu < 0 ? -1 : 0;
}
static inline int numa_distance(int a, int b)
{
	return a == b ? 10 : 20;
}
static inline long numa_move_pages(int pid, unsigned long count, void **pages, const int *nodes,
				   int *status, int flags)
{
	(void)pid, (void)count, (void)pages, (void)nodes, (void)status, (void)flags;
	return -1;
}
#endif

#define LOCAL_DISTANCE	10 /* what firmware and kernel call local */
#define REMOTE_DISTANCE 20 /* what the kernel assumes where firmware says nothing */

struct topology {
	unsigned int cpus;
	unsigned int nodes;
	int16_t *node_of_cpu; /* cpus entries */
	uint8_t *distance;    /* nodes × nodes entries */
};

/* For machines without NUMA. */
static struct topology flat = { 0, 1, NULL, NULL };
static _Atomic(struct topology *) topology; /* NULL: not known yet */
/* protects libnuma's tables; the innermost lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sva_retry retry; /* with lock held */

static void fill_topology(struct topology *t)
{
	for (unsigned int cpu = 0; cpu < t->cpus; cpu++) {
		int node = numa_node_of_cpu((int)cpu);

		t->node_of_cpu[cpu] =
			(int16_t)(node >= 0 && (unsigned int)node < t->nodes ? node : 0);
	}
	for (unsigned int a = 0; a < t->nodes; a++)
		for (unsigned int b = 0; b < t->nodes; b++) {
			int d = numa_distance((int)a, (int)b);

			if (d <= 0 || d > UINT8_MAX)
				d = a == b ? LOCAL_DISTANCE : REMOTE_DISTANCE;
			t->distance[a * t->nodes + b] = (uint8_t)d;
		}
}

/*
 * Would libnuma lack descriptors? What it cannot read it takes for absent, prints that on the
 * standard error output, and never looks again. So it is called only while two descriptors can be
 * opened, which is what it needs.
 */
static bool lacks_descriptors(void)
{
	int first = sva_fd_open("/sys/devices/system/node", O_PATH), second = first;

	if (first >= 0) {
		second = sva_fd_open("/sys/devices/system/node", O_PATH);
		close(first);
	}
	if (second >= 0)
		close(second);
	return sva_is_shortage(second);
}

/* NULL: a shortage, try again later. */
static struct topology *build_topology(void)
{
	struct topology *t;
	int cpus, nodes;

	if (numa_available() < 0)
		return &flat;
	cpus = numa_num_possible_cpus();
	nodes = numa_max_node() + 1;
	if (cpus <= 0 || nodes <= 1 || nodes > INT16_MAX)
		return &flat;
	t = lacks_descriptors() ? NULL : calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->cpus = (unsigned int)cpus;
	t->nodes = (unsigned int)nodes;
	t->node_of_cpu = calloc(t->cpus, sizeof(*t->node_of_cpu));
	t->distance = calloc((size_t)t->nodes * t->nodes, sizeof(*t->distance));
	if (!t->node_of_cpu || !t->distance) {
		free(t->node_of_cpu);
		free(t->distance);
		free(t);
		return NULL;
	}
	fill_topology(t);
	return t;
}

static __attribute__((noinline, cold)) const struct topology *load_topology(void)
{
	int saved = errno, cancel = sva_cancel_hold();
	struct topology *t;

	pthread_mutex_lock(&lock);
	t = atomic_load_explicit(&topology, memory_order_acquire);
	if (!t && sva_retry_is_due(&retry)) {
		t = build_topology();
		if (!t)
			sva_retry_failed(&retry);
		atomic_store_explicit(&topology, t, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	sva_cancel_release(cancel);
	errno = saved;
	return t;
}

/* NULL: not known yet. */
static inline const struct topology *get_topology(void)
{
	const struct topology *t = atomic_load_explicit(&topology, memory_order_acquire);

	return likely(t) ? t : load_topology();
}

void sva_numa_after_fork(void)
{
	pthread_mutex_init(&lock, NULL);
}

int sva_numa_thread_node(void)
{
	const struct topology *t = get_topology();
	int cpu;

	if (!t)
		return -1;
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
	if (!t || (unsigned int)a >= t->nodes || (unsigned int)b >= t->nodes)
		return REMOTE_DISTANCE;
	return t->distance[(unsigned int)a * t->nodes + (unsigned int)b];
}

/*
 * move_pages(2) without targets only reports; get_mempolicy(2) would fault the page in to answer.
 */
int sva_numa_buffer_node(const void *addr)
{
	const struct topology *t = get_topology();
	long page_size = sysconf(_SC_PAGESIZE);
	int status = -1, saved = errno;
	void *page;

	if (!t || t->nodes <= 1)
		return t ? 0 : -1;
	page = (void *)((uintptr_t)addr & ~((uintptr_t)page_size - 1));
	if (numa_move_pages(0, 1, &page, NULL, &status, 0) < 0)
		status = -1;
	errno = saved;
	return status >= 0 ? status : -1;
}
