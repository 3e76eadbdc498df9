/* SPDX-License-Identifier: MIT */
/* What happens with a system call that the kernel has reported: see dispatch.h. */
#include <linux/sched.h>
#include <sys/mman.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"
#include "emu/preload/arm.h"
#include "emu/preload/calls.h"
#include "emu/preload/dispatch.h"
#include "emu/preload/signals.h"

#define PAGE 4096u

/*
 * A system call that the kernel has to execute is made from a stub, one for each place that calls:
 * it must be made with the registers, the stack and the signal mask of the program, and the kernel
 * must not report it again.
 */
#define MAX_STUBS 1024u
static struct {
	uint64_t site;
	uint64_t code;
} stubs[MAX_STUBS];
static uint32_t stub_lock;

/* --- stubs --- */

static uint8_t *emit(uint8_t *at, const char *bytes, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		*at++ = (uint8_t)bytes[i];
	return at;
}

static uint8_t *emit_number(uint8_t *at, uint64_t value, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++, value >>= 8)
		*at++ = (uint8_t)value;
	return at;
}

/* movb $value, %fs:selector */
static uint8_t *emit_select(uint8_t *at, uint8_t value)
{
	uint64_t thread_pointer;

	__asm__("mov %%fs:0,%0" : "=r"(thread_pointer));
	at = emit(at, "\x64\xc6\x04\x25", 4);
	at = emit_number(at, (uint64_t)(uintptr_t)&emu_arm_selector - thread_pointer, 4);
	return emit_number(at, value, 1);
}

/*
 * Each stub has a page, which is written before it is made executable: some kernels do not allow
 * writing to executable memory through /proc/self/mem.
 */
static uint64_t make_stub(uint64_t back)
{
	long page = raw_syscall6(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *at = (uint8_t *)page;

	if (raw_failed(page))
		return 0;
	at = emit_select(at, EMU_ARM_ALLOW);
	at = emit(at, "\x0f\x05", 2); /* syscall */
	at = emit_select(at, EMU_ARM_BLOCK);
	at = emit(at, "\xff\x25\x00\x00\x00\x00", 6); /* jmp *(rip) */
	emit_number(at, back, 8);
	if (raw_syscall3(SYS_mprotect, page, PAGE, PROT_READ | PROT_EXEC) == 0)
		return (uint64_t)page;
	raw_syscall2(SYS_munmap, page, PAGE);
	return 0;
}

/* The stub of the call that returns to this address; made if there is none. 0 if that fails. */
static uint64_t find_stub(uint64_t back)
{
	unsigned int i, hash = (unsigned int)(back ^ back >> 12) % MAX_STUBS, n;
	uint64_t found = 0;

	for (n = 0; n < 16; n++) {
		i = (hash + n) % MAX_STUBS;
		if (__atomic_load_n(&stubs[i].site, __ATOMIC_ACQUIRE) == back)
			return stubs[i].code;
	}
	while (!emu_trylock(&stub_lock))
		raw_pause();
	for (n = 0; n < 16 && !found; n++) {
		i = (hash + n) % MAX_STUBS;
		if (stubs[i].site && stubs[i].site != back)
			continue;
		if (!stubs[i].site) {
			stubs[i].code = make_stub(back);
			if (!stubs[i].code)
				break;
			__atomic_store_n(&stubs[i].site, back, __ATOMIC_RELEASE);
		}
		found = stubs[i].code;
	}
	emu_unlock(&stub_lock);
	return found;
}

/*
 * A new thread with thread-local storage that libc does not know: the stub would write to the
 * selector at an address that belongs to the program.
 */
static bool is_foreign_thread(const struct emu_call *call)
{
	uint64_t flags = call->arg[0];

	if (call->nr == SYS_clone3 && emu_fetch(&flags, call->arg[0], sizeof(flags), NULL))
		return false;
	return (call->nr == SYS_clone || call->nr == SYS_clone3) && (flags & CLONE_SETTLS);
}

/* A child with a copy of memory and stack continues in a copy of this handler. */
static bool is_fork(const struct emu_call *call)
{
	return call->nr == SYS_fork ||
	       (call->nr == SYS_clone && !(call->arg[0] & CLONE_VM) && !call->arg[1]);
}

void emu_dispatch(ucontext_t *uc)
{
	greg_t *gregs = uc->uc_mcontext.gregs;
	struct emu_call call = {
		.nr = gregs[REG_RAX],
		.arg = {(uint64_t)gregs[REG_RDI], (uint64_t)gregs[REG_RSI],
			(uint64_t)gregs[REG_RDX], (uint64_t)gregs[REG_R10], (uint64_t)gregs[REG_R8],
			(uint64_t)gregs[REG_R9]},
		.site = (uint64_t)gregs[REG_RIP],
		.mask = (uint64_t *)(void *)&uc->uc_sigmask,
	};
	uint64_t stub;

	if (emu_call(&call)) {
		gregs[REG_RAX] = call.ret;
		return;
	}
	if (call.nr == SYS_rt_sigreturn) {
		/* The stack pointer is at the context that is restored. */
		emu_signals_interrupted((ucontext_t *)(uintptr_t)gregs[REG_RSP]);
		gregs[REG_RIP] = (greg_t)(uintptr_t)emu_gadget;
		return;
	}
	if (is_fork(&call)) {
		gregs[REG_RAX] = raw_syscall6(call.nr, (long)call.arg[0], (long)call.arg[1],
					      (long)call.arg[2], (long)call.arg[3],
					      (long)call.arg[4], (long)call.arg[5]);
		if (gregs[REG_RAX] == 0)
			emu_arm_thread();
		return;
	}
	stub = is_foreign_thread(&call) ? 0 : find_stub(call.site);
	if (stub) {
		gregs[REG_RIP] = (greg_t)stub;
		return;
	}
	/*
	 * Without a stub the call is made where it is. The calls of the thread are reported again
	 * after the next one that arms it.
	 */
	emu_arm_selector = EMU_ARM_ALLOW;
	gregs[REG_RIP] -= 2;
}

