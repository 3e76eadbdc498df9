/* SPDX-License-Identifier: MIT */
/* Counts of what was done by whom, printed when the process ends (SVA_PRELOAD_STATS). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "preload/preload.h"

static struct {
	_Atomic uint64_t calls, bytes;
	_Atomic uint64_t cpu[WHY_COUNT];
} counts[CALL_COUNT];

static const char *file; /* NULL: standard error */

static const char *const names[CALL_COUNT] = { "memcpy", "memmove", "memset", "memcmp" };

void preload_count_done(enum preload_call call, size_t len)
{
	atomic_fetch_add_explicit(&counts[call].calls, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&counts[call].bytes, len, memory_order_relaxed);
}

void preload_count_cpu(enum preload_call call, enum preload_why why)
{
	atomic_fetch_add_explicit(&counts[call].cpu[why], 1, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

/* One write(2) for each line, so that lines of several processes are not mixed. */
static void print_line(int fd, enum preload_call call)
{
	const _Atomic uint64_t *cpu = counts[call].cpu;
	char line[256];
	int len;

	len = snprintf(line, sizeof(line),
		       "sva-preload[%d]: %s: device %llu calls %llu bytes; cpu overlap %llu "
		       "context %llu failed %llu choice %llu\n",
		       (int)getpid(), names[call],
		       (unsigned long long)get(&counts[call].calls),
		       (unsigned long long)get(&counts[call].bytes),
		       (unsigned long long)get(&cpu[WHY_OVERLAP]),
		       (unsigned long long)get(&cpu[WHY_CONTEXT]),
		       (unsigned long long)get(&cpu[WHY_FAILED]),
		       (unsigned long long)get(&cpu[WHY_CHOICE]));
	if (write(fd, line, (size_t)len) < 0)
		return;
}

static __attribute__((destructor)) void print_stats(void)
{
	int fd = STDERR_FILENO, saved = errno;

	if (!preload.counts)
		return;
	if (file)
		fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	for (int call = 0; fd >= 0 && call < CALL_COUNT; call++)
		print_line(fd, (enum preload_call)call);
	if (file && fd >= 0)
		close(fd);
	errno = saved;
}

void preload_stats_open(const char *where)
{
	preload.counts = true;
	file = where[0] == '/' ? where : NULL;
}
