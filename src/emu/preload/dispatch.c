/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <threads.h>
#include <unistd.h>

#include "emu/preload/calls.h"
#include "emu/preload/dispatch.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"
#include "emu/base/raw.h"
#include "emu/preload/signals.h"
#include "emu/base/text.h"

#ifndef PR_SYS_DISPATCH_ON
#define PR_SYS_DISPATCH_ON 1
#endif
#define ALLOW 0 /* what the kernel finds in the selector */
#define BLOCK 1
#define PAGE  4096u

/*
 * A system call that is the kernel's to do is made from a stub: it must be made in the program's
 * own context, with its registers, stack and signal mask, and the kernel must not report it again.
 * One stub for each place that calls.
 */
#define MAX_STUBS 1024u
static struct {
	uint64_t site;
	uint64_t code;
} stubs[MAX_STUBS];
static uint32_t stub_lock;

static struct {
	uint64_t start, size;
} libc_text;
static EMU_TLS uint8_t selector;
static EMU_TLS uint32_t armed; /* the address space in which this thread was armed; 0: it was not */

/* Every system call of the emulator is made from here, until libc has shown a place for them. */
void emu_own_gadget(void);
__asm__(".text\n.hidden emu_own_gadget\n.globl emu_own_gadget\n.type emu_own_gadget,@function\n"
	"emu_own_gadget:\n	syscall\n	ret\n"
	".size emu_own_gadget,.-emu_own_gadget\n.previous\n");
void (*emu_gadget)(void) = emu_own_gadget;

/* --- libc's code ------------------------------------------------------------------------------ */

/* "syscall; ret", which functions such as getpid end with. */
static uintptr_t find_gadget(void)
{
	const uint8_t *code = emu_next("getpid");
	unsigned int i;

	for (i = 0; code && i < 32; i++)
		if (code[i] == 0x0f && code[i + 1] == 0x05 && code[i + 2] == 0xc3)
			return (uintptr_t)(code + i);
	return 0;
}

/* The executable segment that an address is in. */
static bool find_text(uintptr_t addr)
{
	const struct link_map *map;
	const ElfW(Ehdr) *header;
	const ElfW(Phdr) *segment;
	unsigned int i;

	for (map = _r_debug.r_map; map; map = map->l_next) {
		header = (const ElfW(Ehdr) *)map->l_addr;
		/* The first of the list is the program, whose address may be 0. */
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
 * Where libc's own handlers return: it is asked to install one, for a signal that is ours anyway.
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
 * Valgrind hands the request on to the kernel, and its own system calls are not made from this
 * libc. It knows a sequence of instructions that change nothing, after which rdx is the answer to
 * the question at rax.
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
 * What is needed before the kernel is asked: where libc makes its system calls, and returns from
 * handlers.
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

bool emu_dispatch_init(void)
{
	if (find_libc())
		emu_dispatch_arm();
	if (!armed)
		libc_text.size = 0; /* no thread is armed later */
	return armed;
}

void emu_dispatch_arm(void)
{
	uint32_t mm;

	if (!libc_text.size)
		return;
	selector = BLOCK; /* a clone may have left it open */
	mm = emu_mm_id();
	if (EMU_LIKELY(armed == mm))
		return;
	armed = raw_syscall5(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
			     libc_text.start, libc_text.size, &selector) ? 0 : mm;
}

void emu_dispatch_give(void)
{
	if (!libc_text.size)
		return;
	libc_text.size = 0; /* no thread is armed from now on; those that are make their own calls */
	emu_signals_give_sigsys();
	if (!emu.state->opt.quiet)
		emu_say("%s has its own system calls reported to it, so the emulator no longer sees them; "
			"sva-emu run --ptrace does",
			emu.program);
}

/* --- stubs ------------------------------------------------------------------------------------ */

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
	at = emit_number(at, (uint64_t)(uintptr_t)&selector - thread_pointer, 4);
	return emit_number(at, value, 1);
}

/*
 * A page for each, which is written before it is made executable: /proc/self/mem, which could write to
 * one that is, is closed on some kernels.
 */
static uint64_t make_stub(uint64_t back)
{
	long page = raw_syscall6(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *at = (uint8_t *)page;

	if (raw_failed(page))
		return 0;
	at = emit_select(at, ALLOW);
	at = emit(at, "\x0f\x05", 2); /* syscall */
	at = emit_select(at, BLOCK);
	at = emit(at, "\xff\x25\x00\x00\x00\x00", 6); /* jmp *(rip) */
	emit_number(at, back, 8);
	if (raw_syscall3(SYS_mprotect, page, PAGE, PROT_READ | PROT_EXEC) == 0)
		return (uint64_t)page;
	raw_syscall2(SYS_munmap, page, PAGE);
	return 0;
}

/* The stub of the call that returns to this address; made if there is none. 0 if it cannot be. */
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
 * A new thread with thread-local storage of its own: the stub would write to the selector in a
 * place that is not ours.
 */
static bool is_foreign_thread(const struct emu_call *call)
{
	uint64_t flags = call->arg[0];

	if (call->nr == SYS_clone3 && emu_fetch(&flags, call->arg[0], sizeof(flags), NULL))
		return false;
	return (call->nr == SYS_clone || call->nr == SYS_clone3) && (flags & CLONE_SETTLS);
}

/* A child with memory and stack of its own, a copy of ours, goes on in a copy of this handler. */
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
		/* The stack pointer is at the context that is to be restored. */
		emu_signals_interrupted((ucontext_t *)(uintptr_t)gregs[REG_RSP]);
		gregs[REG_RIP] = (greg_t)(uintptr_t)emu_gadget;
		return;
	}
	if (is_fork(&call)) {
		gregs[REG_RAX] = raw_syscall6(call.nr, (long)call.arg[0], (long)call.arg[1],
					      (long)call.arg[2], (long)call.arg[3],
					      (long)call.arg[4], (long)call.arg[5]);
		if (gregs[REG_RAX] == 0)
			emu_dispatch_arm();
		return;
	}
	stub = is_foreign_thread(&call) ? 0 : find_stub(call.site);
	if (stub) {
		gregs[REG_RIP] = (greg_t)stub;
		return;
	}
	/*
	 * Without one the call is made where it is; the thread is looked at again from its next
	 * call to libc on.
	 */
	selector = ALLOW;
	gregs[REG_RIP] -= 2;
}

/* --- threads and children --------------------------------------------------------------------- */

/* What a thread begins with, from its creator to its first moments. */
struct beginning {
	int taken;
	void *(*posix)(void *);
	int (*c11)(void *);
	void *arg;
	uint64_t believed;
};

static struct beginning beginnings[64];

/* NULL if as many threads as there are places are about to begin: the caller tries again. */
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

static struct beginning begin(struct beginning *given)
{
	struct beginning mine = *given;

	free_beginning(given);
	emu_signals_thread(mine.believed);
	emu_dispatch_arm();
	return mine;
}

static void *begin_posix(void *arg)
{
	struct beginning mine = begin(arg);

	return mine.posix(mine.arg);
}

static int begin_c11(void *arg)
{
	struct beginning mine = begin(arg);

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
			emu_dispatch_arm(); \
		return pid; \
	}

WRAP_FORK(fork)
WRAP_FORK(_Fork)
