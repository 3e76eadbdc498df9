/* SPDX-License-Identifier: MIT */
/*
 * The request to the kernel to report system calls that are not made from within libc's code: where
 * that code is, and which threads have made the request.
 */
#include <elf.h>
#include <link.h>
#include <signal.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/device/state.h"
#include "emu/preload/arm.h"
#include "emu/preload/interpose.h"
#include "emu/preload/signals.h"

#ifndef PR_SYS_DISPATCH_ON
#define PR_SYS_DISPATCH_ON 1
#endif

static struct {
	uint64_t start, size;
} libc_text;
EMU_TLS uint8_t emu_arm_selector;
static EMU_TLS uint32_t armed; /* the address space in which this thread was armed; 0: it was not */

/* The address of "syscall; ret", which functions such as getpid end with. 0 if it is not found. */
static uintptr_t find_gadget(void)
{
	const uint8_t *code = emu_next("getpid");
	unsigned int i;

	for (i = 0; code && i < 32; i++)
		if (code[i] == 0x0f && code[i + 1] == 0x05 && code[i + 2] == 0xc3)
			return (uintptr_t)(code + i);
	return 0;
}

/* Note the executable segment that an address is in. */
static bool find_text(uintptr_t addr)
{
	const struct link_map *map;
	const ElfW(Ehdr) *header;
	const ElfW(Phdr) *segment;
	unsigned int i;

	for (map = _r_debug.r_map; map; map = map->l_next) {
		header = (const ElfW(Ehdr) *)map->l_addr;
		/* The first in the list is the program, whose address may be 0. */
		if (!map->l_addr || !map->l_name[0] || addr < map->l_addr)
			continue;
		segment = (const ElfW(Phdr) *)(map->l_addr + header->e_phoff);
		for (i = 0; i < header->e_phnum; i++, segment++) {
			if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) ||
			    addr - map->l_addr - segment->p_vaddr >= segment->p_memsz)
				continue;
			libc_text.start = map->l_addr + segment->p_vaddr;
			libc_text.size = segment->p_memsz;
			return true;
		}
	}
	return false;
}

/*
 * The code that handlers of libc return to: let libc install a handler, for a signal that the
 * emulator takes anyway.
 */
static uintptr_t find_restorer(void)
{
	typedef int next_fn(int, const struct sigaction *, struct sigaction *);
	next_fn *next = (next_fn *)(uintptr_t)emu_next("__sigaction");
	struct {
		uintptr_t handler;
		unsigned long flags;
		uintptr_t restorer;
		uint64_t mask;
	} kernel = { 0 };
	struct sigaction act = { .sa_handler = SIG_DFL };

	if (!next || next(SIGSYS, &act, NULL))
		return 0;
	raw_syscall4(SYS_rt_sigaction, SIGSYS, 0, &kernel, sizeof(kernel.mask));
	return kernel.restorer;
}

/*
 * Valgrind passes the request on to the kernel, but makes its own system calls from elsewhere than
 * this libc. It recognises this sequence of instructions, which changes nothing, and writes its
 * answer to the question at rax into rdx.
 */
static bool in_valgrind(void)
{
	uint64_t question[6] = { 0x1001 }, answer = 0; /* RUNNING_ON_VALGRIND */

	__asm__ volatile(
		"rolq $3,%%rdi\n\trolq $13,%%rdi\n\trolq $61,%%rdi\n\trolq $51,%%rdi\n\t"
		"xchgq %%rbx,%%rbx"
		: "+d"(answer)
		: "a"(question)
		: "cc", "memory");
	return answer != 0;
}

/*
 * Find what is needed before the request: the place where libc makes its system calls, and where
 * its handlers return.
 */
static bool find_libc(void)
{
	uintptr_t gadget = find_gadget(), restorer;

	if (!gadget || in_valgrind() || !find_text(gadget))
		return false;
	restorer = find_restorer();
	if (restorer - libc_text.start >= libc_text.size) {
		emu_signals_restorer(0);
		return false;
	}
	emu_gadget = (void (*)(void))gadget;
	emu_signals_restorer(restorer);
	return true;
}

bool emu_arm_init(void)
{
	if (find_libc())
		emu_arm_thread();
	if (!armed)
		libc_text.size = 0; /* no thread is armed later, either */
	return armed;
}

void emu_arm_thread(void)
{
	uint32_t mm;

	if (!libc_text.size)
		return;
	/* dispatch.c leaves it open when a call is made without a stub */
	emu_arm_selector = EMU_ARM_BLOCK;
	mm = emu_mm_id();
	if (EMU_LIKELY(armed == mm))
		return;
	armed = raw_syscall5(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
			     libc_text.start, libc_text.size, &emu_arm_selector) ? 0 : mm;
}

void emu_arm_give(void)
{
	if (!libc_text.size)
		return;
	/* no thread is armed from now on; threads that are armed still make their calls */
	libc_text.size = 0;
	emu_signals_give_sigsys();
	if (!emu.state->opt.quiet)
		emu_say("%s asks the kernel to report its own system calls, so the emulator cannot "
			"see them; sva-emu run --ptrace can",
			emu.program);
}
