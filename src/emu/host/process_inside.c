/* SPDX-License-Identifier: MIT */
/* process.h for the preload library: the process is the one that this code runs in. */
#include <asm/prctl.h>
#include <dlfcn.h>

#include "emu/base/raw.h"
#include "emu/host/process.h"

struct emu_process emu = { .proc = "/proc/self" };

int emu_pid(void)
{
	return raw_getpid();
}

int emu_tid(void)
{
	return raw_gettid();
}

uint32_t emu_mm_id(void)
{
	uint32_t id = __atomic_load_n(&emu.mm->id, __ATOMIC_ACQUIRE), none = 0;

	if (EMU_LIKELY(id))
		return id;
	id = __atomic_add_fetch(emu.mm_ids, 1, __ATOMIC_RELAXED);
	if (__atomic_compare_exchange_n(&emu.mm->id, &none, id, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return id;
	return none;
}

void emu_segment_bases(uint64_t *fs, uint64_t *gs)
{
	raw_syscall2(SYS_arch_prctl, ARCH_GET_FS, fs);
	raw_syscall2(SYS_arch_prctl, ARCH_GET_GS, gs);
}

/*
 * Looked up when it is needed: the library itself has a function of that name, in a room above, and
 * it is not always the first one.
 */
int emu_create_thread(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
		      void *arg)
{
	typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	create_fn *create = (create_fn *)(uintptr_t)dlsym(RTLD_DEFAULT, "pthread_create");

	return create(thread, attr, start, arg);
}
