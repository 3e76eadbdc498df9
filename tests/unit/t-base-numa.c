/* SPDX-License-Identifier: MIT */
/*
 * NUMA nodes on machines that this one is not: libnuma's answers are this test's. Each machine is a
 * process of its own, since the tables are made once.
 */
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/machine.h"
#include "tap.h"

static int available, max_node, cpus, cpu, pages_result, page_status;
static unsigned int calls_to_move_pages, asked;
static bool no_memory;

int __wrap_numa_available(void);
int __wrap_numa_max_node(void);
int __wrap_numa_num_possible_cpus(void);
int __wrap_numa_node_of_cpu(int n);
int __wrap_numa_distance(int a, int b);
int __wrap_numa_move_pages(int pid, unsigned long count, void **pages, const int *nodes,
			   int *status, int flags);
int __wrap_sched_getcpu(void);
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

int __wrap_numa_available(void)
{
	return available;
}

int __wrap_numa_max_node(void)
{
	return max_node;
}

int __wrap_numa_num_possible_cpus(void)
{
	return cpus;
}

/* CPUs take turns on the nodes; the last one is offline. */
int __wrap_numa_node_of_cpu(int n)
{
	asked++;
	return n == cpus - 1 ? -1 : n % (max_node + 1);
}

/* Firmware that says nothing of node 2. */
int __wrap_numa_distance(int a, int b)
{
	return a == 2 || b == 2 ? 0 : a == b ? 10 : 17 + a + b;
}

int __wrap_numa_move_pages(int pid, unsigned long count, void **pages, const int *nodes,
			   int *status, int flags)
{
	calls_to_move_pages++;
	if (pid || count != 1 || nodes || flags ||
	    (uintptr_t)pages[0] % (uintptr_t)sysconf(_SC_PAGESIZE))
		_exit(99);
	errno = pages_result ? EPERM : errno;
	*status = page_status;
	return pages_result;
}

int __wrap_sched_getcpu(void)
{
	return cpu;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

static void machine_without_nodes(void)
{
	available = -1;
	max_node = 1;
	cpu = 1;
	is_rc(sva_numa_thread_node(), 0, "no NUMA: every thread is on node 0");
	is(sva_numa_distance(0, 0), 10, "which is near");
	is(sva_numa_distance(-1, 0), 10, "so is an unknown node");
	is_rc(sva_numa_buffer_node(&cpu), 0, "every buffer is there, too");
	is(calls_to_move_pages, 0, "nobody asked the kernel");
}

static void machine_with_one(void)
{
	max_node = 0;
	cpus = 8;
	cpu = 5;
	is_rc(sva_numa_thread_node(), 0, "one node: every thread is on it");
	is_rc(sva_numa_buffer_node(NULL), 0, "and every buffer");
	is(sva_numa_distance(0, 1), 20, "a node that is not there is far");
	is(calls_to_move_pages, 0, "nobody asked the kernel");
}

static void machine_with_two(void)
{
	max_node = 1;
	cpus = 4;
	for (cpu = 0; cpu < 3; cpu++)
		is(sva_numa_thread_node(), cpu % 2, "two nodes: the thread is where its CPU is");
	cpu = 3;
	is_rc(sva_numa_thread_node(), 0, "a CPU without a node");
	cpu = 4;
	is_rc(sva_numa_thread_node(), 0, "a CPU that came later");
	cpu = -1;
	is_rc(sva_numa_thread_node(), 0, "no CPU");
	is(sva_numa_distance(0, 0), 10, "local");
	is(sva_numa_distance(0, 1), 18, "the other one");
	is(sva_numa_distance(1, 0), 18, "from there");
	is(sva_numa_distance(1, -1), 10, "an unknown node is near");
	is(sva_numa_distance(-1, -1), 10, "to everything");
	is(sva_numa_distance(0, 7), 20, "a node that is not there is far");
	page_status = 1;
	errno = 4711;
	is(sva_numa_buffer_node(&cpu), 1, "a buffer's node");
	page_status = -ENOENT;
	is(sva_numa_buffer_node(&cpu), -1, "a page that is not there yet has none");
	page_status = 0;
	pages_result = -1;
	is(sva_numa_buffer_node(&cpu), -1, "a kernel that does not tell");
	is(errno, 4711, "errno is left alone");
}

static void machine_with_gaps(void)
{
	max_node = 3;
	cpus = 16;
	cpu = 6;
	is(sva_numa_thread_node(), 2, "four nodes");
	is(sva_numa_distance(0, 2), 20, "firmware that does not tell: far");
	is(sva_numa_distance(2, 2), 10, "but not from oneself");
	is(sva_numa_distance(1, 3), 21, "and where it tells, what it tells");
}

static void machine_without_memory(void)
{
	no_memory = true;
	max_node = 1;
	cpus = 4;
	cpu = 1;
	is(sva_numa_thread_node(), -1, "no memory for tables: the node is not known");
	is(sva_numa_distance(0, 1), 20, "no memory for tables: distances are guessed");
	is(sva_numa_buffer_node(&cpu), -1, "no memory for tables: a buffer's node is not known");
	no_memory = false;
	is(sva_numa_thread_node(), -1,
	   "there is memory again: nothing is looked at before 0.1 s have gone by");
	usleep(110000);
	is(sva_numa_thread_node(), 1, "after that, the node is known");
	is(sva_numa_distance(0, 1), 18, "and distances are");
}

/* Not one descriptor is to be had. */
static void machine_without_descriptors(void)
{
	struct rlimit old, none;

	max_node = 1;
	cpus = 4;
	cpu = 1;
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	asked = 0;
	is(sva_numa_thread_node(), -1, "no descriptor: the node is not known");
	is(asked, 0, "no descriptor: libnuma, which would keep what it cannot read, is not asked");
	setrlimit(RLIMIT_NOFILE, &old);
	usleep(110000);
	is(sva_numa_thread_node(), 1, "0.1 s later there are descriptors: the node is known");
}

/* The tests of a machine run in a child, which hands its counts back in its exit status. */
static void on(void (*machine)(void))
{
	int status, count = tap_count;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		machine();
		fflush(stdout);
		_exit(tap_failed ? 128 + tap_count - count : tap_count - count);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) > 128)
		tap_failed++;
	else
		tap_count += WEXITSTATUS(status);
}

int main(void)
{
	on(machine_without_nodes);
	on(machine_with_one);
	on(machine_with_two);
	on(machine_with_gaps);
	on(machine_without_memory);
	on(machine_without_descriptors);
	return done();
}
