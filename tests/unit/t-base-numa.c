/* SPDX-License-Identifier: MIT */
/*
 * NUMA nodes of other machines: the test answers for libnuma. Each machine is a process of its own,
 * since the tables are made once.
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

/* Even CPUs are on node 0, odd ones on node 1; the last one is offline. */
int __wrap_numa_node_of_cpu(int n)
{
	asked++;
	return n == cpus - 1 ? -1 : n % (max_node + 1);
}

/* Firmware that reports no distance of node 2. */
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
	subject("a machine without NUMA");
	is(sva_numa_thread_node(), 0, "every thread is on node 0");
	is(sva_numa_distance(0, 0), 10, "the distance of node 0 from itself is 10");
	is(sva_numa_distance(-1, 0), 10, "the distance of an unknown node is 10");
	is(sva_numa_buffer_node(&cpu), 0, "every buffer is on node 0");
	is(calls_to_move_pages, 0, "the kernel is not asked for buffers");
}

static void machine_with_one(void)
{
	max_node = 0;
	cpus = 8;
	cpu = 5;
	subject("a machine with one node");
	is(sva_numa_thread_node(), 0, "every thread is on it");
	is(sva_numa_buffer_node(NULL), 0, "every buffer is on it");
	is(sva_numa_distance(0, 1), 20, "the distance of a node that does not exist is 20");
	is(calls_to_move_pages, 0, "the kernel is not asked for buffers");
}

static void machine_with_two(void)
{
	max_node = 1;
	cpus = 4;
	subject("a machine with two nodes");
	for (cpu = 0; cpu < 3; cpu++)
		is(sva_numa_thread_node(), cpu % 2, "a thread is on the node of its CPU");
	cpu = 3;
	is(sva_numa_thread_node(), 0, "a thread on a CPU without a node is on node 0");
	cpu = 4;
	is(sva_numa_thread_node(), 0, "a thread on a CPU that was added later is on node 0");
	cpu = -1;
	is(sva_numa_thread_node(), 0, "a thread whose CPU is not known is on node 0");
	is(sva_numa_distance(0, 0), 10, "the distance of node 0 from itself is 10");
	is(sva_numa_distance(0, 1), 18, "the distance of node 1 from node 0 is 18");
	is(sva_numa_distance(1, 0), 18, "the distance of node 0 from node 1 is 18");
	is(sva_numa_distance(1, -1), 10, "the distance of an unknown node from node 1 is 10");
	is(sva_numa_distance(-1, -1), 10, "the distance between unknown nodes is 10");
	is(sva_numa_distance(0, 7), 20, "the distance of a node that does not exist is 20");
	page_status = 1;
	errno = 4711;
	is(sva_numa_buffer_node(&cpu), 1, "a buffer is on the node that the kernel reports");
	page_status = -ENOENT;
	is(sva_numa_buffer_node(&cpu), -1, "a page that is not resident is on no known node");
	page_status = 0;
	pages_result = -1;
	is(sva_numa_buffer_node(&cpu), -1, "a kernel without move_pages: the node is not known");
	is(errno, 4711, "a kernel without move_pages: errno is not changed");
}

static void machine_with_gaps(void)
{
	max_node = 3;
	cpus = 16;
	subject("a machine with four nodes");
	cpu = 6;
	is(sva_numa_thread_node(), 2, "the thread is on the node of its CPU");
	is(sva_numa_distance(0, 2), 20, "a distance that firmware does not report is 20");
	is(sva_numa_distance(2, 2), 10, "the distance of that node from itself is 10");
	is(sva_numa_distance(1, 3), 21, "a distance that firmware reports is used");
}

static void machine_without_memory(void)
{
	no_memory = true;
	max_node = 1;
	cpus = 4;
	cpu = 1;
	subject("no memory for tables");
	is(sva_numa_thread_node(), -1, "the node is not known");
	is(sva_numa_distance(0, 1), 20, "distances are guessed");
	is(sva_numa_buffer_node(&cpu), -1, "a buffer's node is not known");
	no_memory = false;
	is(sva_numa_thread_node(), -1,
	   "there is memory again: nothing is looked at before 0.1 s have gone by");
	usleep(110000);
	is(sva_numa_thread_node(), 1, "after that, the node is known");
	is(sva_numa_distance(0, 1), 18, "after that, distances are known");
}

/* The process has no descriptor left. */
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
	subject("no descriptor");
	is(sva_numa_thread_node(), -1, "the node is not known");
	is(asked, 0, "libnuma, which would keep what it cannot read, is not asked");
	setrlimit(RLIMIT_NOFILE, &old);
	usleep(110000);
	is(sva_numa_thread_node(), 1, "0.1 s later there are descriptors: the node is known");
}

/* The tests of a machine run in a child, which returns its counts in its exit status. */
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
