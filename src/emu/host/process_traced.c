/* SPDX-License-Identifier: MIT */
/* process.h for the tracer of --ptrace: the process is that of the thread that stopped last. */
#include <unistd.h>

#include "emu/host/process.h"

struct emu_process emu;

int emu_pid(void)
{
	return emu.pid ? emu.pid : getpid();
}

int emu_tid(void)
{
	return emu.tid ? emu.tid : getpid();
}

/* The tracer has one thread. */
uint32_t emu_mm_id(void)
{
	if (!emu.mm->id)
		emu.mm->id = __atomic_add_fetch(emu.mm_ids, 1, __ATOMIC_RELAXED);
	return emu.mm->id;
}

void emu_segment_bases(uint64_t *fs, uint64_t *gs)
{
	(void)fs;
	(void)gs;
}

int emu_create_thread(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
		      void *arg)
{
	return pthread_create(thread, attr, start, arg);
}
