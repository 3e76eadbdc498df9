/* SPDX-License-Identifier: MIT */
/*
 * The functions of libc that make threads and children. Each thread and child is armed, and each
 * thread begins with the signals that its creator believes to have blocked.
 */
#include <pthread.h>
#include <threads.h>
#include <unistd.h>

#include "emu/base/raw.h"
#include "emu/host/process.h"
#include "emu/preload/arm.h"
#include "emu/preload/interpose.h"
#include "emu/preload/signals.h"

/* What the creator of a thread passes to its first function. */
struct beginning {
	int taken;
	void *(*posix)(void *);
	int (*c11)(void *);
	void *arg;
	uint64_t believed;
};

static struct beginning beginnings[64];

/* NULL if all are in use by threads that are about to begin: the caller tries again. */
static struct beginning *take_beginning(void *arg)
{
	unsigned int i;

	for (i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		if (__atomic_exchange_n(&beginnings[i].taken, 1, __ATOMIC_ACQUIRE))
			continue;
		beginnings[i].arg = arg;
		beginnings[i].believed = emu_signals_believed();
		return &beginnings[i];
	}
	return NULL;
}

static struct beginning *new_beginning(void *arg)
{
	struct beginning *beginning;

	while (!(beginning = take_beginning(arg)))
		raw_syscall0(SYS_sched_yield);
	return beginning;
}

static void free_beginning(struct beginning *beginning)
{
	__atomic_store_n(&beginning->taken, 0, __ATOMIC_RELEASE);
}

static struct beginning begin_thread(struct beginning *given)
{
	struct beginning mine = *given;

	free_beginning(given);
	emu_signals_thread(mine.believed);
	emu_arm_thread();
	return mine;
}

static void *begin_posix(void *arg)
{
	struct beginning mine = begin_thread(arg);

	return mine.posix(mine.arg);
}

static int begin_c11(void *arg)
{
	struct beginning mine = begin_thread(arg);

	return mine.c11(mine.arg);
}

EMU_INTERPOSE(int, pthread_create, pthread_t *thread, const pthread_attr_t *attr,
	      void *(*start)(void *), void *arg)
{
	typedef int next_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	next_fn *next = EMU_NEXT(next_fn *, "pthread_create");
	struct beginning *beginning;
	int ret;

	if (!emu.state)
		return next(thread, attr, start, arg);
	beginning = new_beginning(arg);
	beginning->posix = start;
	ret = next(thread, attr, begin_posix, beginning);
	if (ret)
		free_beginning(beginning);
	return ret;
}

EMU_INTERPOSE(int, thrd_create, thrd_t *thread, thrd_start_t start, void *arg)
{
	typedef int next_fn(thrd_t *, thrd_start_t, void *);
	next_fn *next = EMU_NEXT(next_fn *, "thrd_create");
	struct beginning *beginning;
	int ret;

	if (!emu.state)
		return next(thread, start, arg);
	beginning = new_beginning(arg);
	beginning->c11 = start;
	ret = next(thread, begin_c11, beginning);
	if (ret != thrd_success)
		free_beginning(beginning);
	return ret;
}

#define WRAP_FORK(name) \
	EMU_INTERPOSE(pid_t, name, void) \
	{ \
		typedef pid_t next_fn(void); \
		pid_t pid = EMU_NEXT(next_fn *, #name)(); \
\
		if (pid == 0 && emu.state) \
			emu_arm_thread(); \
		return pid; \
	}

WRAP_FORK(fork)
WRAP_FORK(_Fork)
