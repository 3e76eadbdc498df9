/* SPDX-License-Identifier: MIT */
/* --fast: patched instructions, their stubs, and how an instruction is replaced. */
#include <fcntl.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <sys/mman.h>

#include "emu/base/raw.h"
#include "emu/device/trace.h"
#include "emu/host/maps.h"
#include "emu/host/process.h"
#include "emu/insn/step.h"
#include "emu/preload/patch.h"
#include "emu/preload/signals.h"

#define MAX_SITES 256u
#define ARENA_SIZE 65536u
#define MAX_ARENAS 16u
#define STUB_SIZE 128u
#define REACH (0x7fff0000ll) /* of a jump with 32 bits, less an arena */

struct site {
	uint64_t rip;            /* 0: free */
	uint8_t code[EMU_PATCH_CODE];
	/* its length and kind; addresses are computed each time that it is executed */
	struct emu_insn insn;
	uint64_t stub;
	/* the other end of the stub, which jumps back to the instruction itself */
	uint64_t again;
	bool dead;               /* it faulted: the original was restored, and stays */
};

static struct site sites[MAX_SITES];
static struct { uint64_t base; uint32_t used; } arenas[MAX_ARENAS];
static uint32_t patching;        /* a lock; a thread that does not get it traps once more */
static int mem_fd = -1;

/* What the stub puts on the stack for emu_patch_run, lowest address first. */
struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rdx, rcx, rbx;
	uint64_t back;           /* into the stub */
	uint64_t rax, flags;
	uint8_t red_zone[128];
	/* the stack pointer of the program points here */
};

/*
 * Called by each stub, with the site in rax: save all registers that C may change, and restore
 * them.
 */
void emu_patch_enter(void);
void emu_patch_run(struct frame *frame, struct site *site)
	__attribute__((used, visibility("hidden")));
__asm__(".text\n.hidden emu_patch_enter\n.globl emu_patch_enter\n.type emu_patch_enter,@function\n"
	"emu_patch_enter:\n"
	"	push %rbx\n	push %rcx\n	push %rdx\n	push %rbp\n	push %rsi\n	push %rdi\n"
	"	push %r8\n	push %r9\n	push %r10\n	push %r11\n	push %r12\n	push %r13\n"
	"	push %r14\n	push %r15\n"
	"	mov %rsp,%rdi\n"
	"	mov %rax,%rsi\n"
	"	mov %rsp,%rbp\n"
	"	sub $512,%rsp\n"
	"	and $-64,%rsp\n"
	"	fxsave64 (%rsp)\n"
	"	cld\n"
	"	call emu_patch_run\n"
	"	fxrstor64 (%rsp)\n"
	"	mov %rbp,%rsp\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %r11\n	pop %r10\n"
	"	pop %r9\n	pop %r8\n	pop %rdi\n	pop %rsi\n	pop %rbp\n	pop %rdx\n"
	"	pop %rcx\n	pop %rbx\n"
	"	ret\n"
	".size emu_patch_enter,.-emu_patch_enter\n.previous\n");

/*
 * Where /proc/self/mem cannot write to code, the pages are made writable for a moment. They stay
 * executable meanwhile.
 */
static bool put_code_by_mapping(uint64_t addr, const uint8_t *code, size_t len)
{
	uint64_t first = addr & ~4095ull, size = ((addr + len - 1) & ~4095ull) + 4096 - first;
	int after = PROT_READ | PROT_EXEC;
	struct emu_mapping mapping;
	size_t i;

	if (emu_maps_find(addr, &mapping) && mapping.writable)
		after |= PROT_WRITE;
	if (raw_syscall3(SYS_mprotect, first, size, PROT_READ | PROT_WRITE | PROT_EXEC))
		return false;
	for (i = 0; i < len; i++)
		__atomic_store_n((uint8_t *)(uintptr_t)(addr + i), code[i], __ATOMIC_RELAXED);
	raw_syscall3(SYS_mprotect, first, size, after);
	return true;
}

/*
 * Write code through the kernel where that is possible, as no mapping has to be made writable for
 * it.
 */
static bool put_code(uint64_t addr, const void *code, size_t len)
{
	return raw_syscall4(SYS_pwrite64, mem_fd, code, len, addr) == (long)len ||
	       put_code_by_mapping(addr, code, len);
}

static void refetch_code(void)
{
	raw_syscall3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

bool emu_patch_init(void)
{
	return raw_syscall3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0,
			    0) == 0;
}

static struct site *find_site(uint64_t rip)
{
	unsigned int i;

	for (i = 0; i < MAX_SITES; i++)
		if (__atomic_load_n(&sites[i].rip, __ATOMIC_ACQUIRE) == rip)
			return &sites[i];
	return NULL;
}

bool emu_patch_original(uint64_t rip, uint8_t code[EMU_PATCH_CODE])
{
	struct site *site = find_site(rip);
	unsigned int i;
	uint8_t now;

	if (!site || emu_fetch(&now, rip, 1, NULL))
		return false;
	/* If other code is there now, the library with the instruction was unloaded. */
	if (now != 0xcc && now != 0xe9 && now != site->code[0]) {
		__atomic_store_n(&site->rip, 1, __ATOMIC_RELEASE);
		return false;
	}
	for (i = 0; i < EMU_PATCH_CODE; i++)
		code[i] = site->code[i];
	return true;
}

/* Map memory for stubs near this address. 0 if there is no room. */
static uint64_t new_arena(uint64_t rip)
{
	int64_t distance;
	long addr;

	for (distance = 1ll << 20; distance < REACH;
	     distance = distance > 0 ? -distance : -distance * 2) {
		addr = raw_syscall6(SYS_mmap, (long)((rip + (uint64_t)distance) & ~0xfffull),
				    ARENA_SIZE, PROT_READ | PROT_EXEC,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (!raw_failed(addr))
			return (uint64_t)addr;
	}
	return 0;
}

static bool is_in_reach(uint64_t a, uint64_t b)
{
	int64_t distance = (int64_t)(a - b);

	return distance < REACH && distance > -REACH;
}

/* Room for a stub within reach of the instruction. 0 if there is none. */
static uint64_t stub_room(uint64_t rip)
{
	unsigned int i;

	for (i = 0; i < MAX_ARENAS; i++) {
		if (!arenas[i].base) {
			arenas[i].base = new_arena(rip);
			arenas[i].used = 0;
		}
		if (arenas[i].base && is_in_reach(arenas[i].base, rip) &&
		    arenas[i].used + STUB_SIZE <= ARENA_SIZE) {
			arenas[i].used += STUB_SIZE;
			return arenas[i].base + arenas[i].used - STUB_SIZE;
		}
	}
	return 0;
}

static uint8_t *emit(uint8_t *at, const char *bytes, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		*at++ = (uint8_t)bytes[i];
	return at;
}

static uint8_t *emit_u64(uint8_t *at, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < 8; i++, value >>= 8)
		*at++ = (uint8_t)value;
	return at;
}

static uint8_t *emit_jump(uint8_t *at, uint64_t here, uint64_t to)
{
	uint32_t distance = (uint32_t)(to - (here + 5));
	unsigned int i;

	*at++ = 0xe9;
	for (i = 0; i < 4; i++, distance >>= 8)
		*at++ = (uint8_t)distance;
	return at;
}

/* Undo what the stub did to the stack, and jump to an address. */
static uint8_t *emit_leave(uint8_t *at, uint64_t base, const uint8_t *start, uint64_t to)
{
	at = emit(at, "\x58\x9d", 2);                               /* pop rax; popfq */
	at = emit(at, "\x48\x8d\xa4\x24\x80\x00\x00\x00", 8);       /* lea 128(rsp),rsp */
	return emit_jump(at, base + (uint64_t)(at - start), to);
}

static bool make_stub(struct site *site)
{
	uint8_t code[STUB_SIZE], *at = code;

	at = emit(at, "\x48\x8d\x64\x24\x80", 5);                   /* lea -128(rsp),rsp */
	/* pushfq; push rax; mov $site,rax */
	at = emit(at, "\x9c\x50\x48\xb8", 4);
	at = emit_u64(at, (uint64_t)(uintptr_t)site);
	/* call *2(rip); jmp over the address */
	at = emit(at, "\xff\x15\x02\x00\x00\x00\xeb\x08", 8);
	at = emit_u64(at, (uint64_t)(uintptr_t)emu_patch_enter);
	at = emit_leave(at, site->stub, code, site->rip + site->insn.length);
	site->again = site->stub + (uint64_t)(at - code);
	at = emit_leave(at, site->stub, code, site->rip);
	return put_code(site->stub, code, (size_t)(at - code));
}

/* Change the five bytes of an instruction that other threads may be executing. */
static bool exchange_code(uint64_t rip, const uint8_t to[5])
{
	static const uint8_t int3 = 0xcc;

	if (!put_code(rip, &int3, 1))
		return false;
	refetch_code();
	put_code(rip + 1, to + 1, 4);
	refetch_code();
	put_code(rip, to, 1);
	refetch_code();
	return true;
}

void emu_patch_site(const struct emu_regs *regs, const struct emu_insn *insn,
		    const uint8_t code[EMU_PATCH_CODE])
{
	struct site *site = NULL;
	uint8_t jump[8];
	unsigned int i;

	if (insn->length < 5 || find_site(regs->rip) || !emu_trylock(&patching))
		return;
	for (i = 0; i < MAX_SITES && !site; i++)
		if (!sites[i].rip)
			site = &sites[i];
	if (site && !find_site(regs->rip)) {
		mem_fd = raw_openat(AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC, 0);
		site->rip = 0;
		site->insn = *insn;
		for (i = 0; i < EMU_PATCH_CODE; i++)
			site->code[i] = code[i];
		site->stub = mem_fd < 0 ? 0 : stub_room(regs->rip);
		if (site->stub) {
			/*
			 * The stub is there, and the table knows the site, before the first byte
			 * changes.
			 */
			__atomic_store_n(&site->rip, regs->rip, __ATOMIC_RELEASE);
			emit_jump(jump, regs->rip, site->stub);
			if (make_stub(site) && exchange_code(regs->rip, jump))
				emu_count(emu.state, EMU_COUNT_PATCHED, 1);
		}
		if (mem_fd >= 0)
			raw_close(mem_fd);
	}
	emu_unlock(&patching);
}

/*
 * The instruction faults. Restore it, so that it traps and the program gets the fault at its
 * address.
 */
static void restore_site(struct site *site)
{
	while (!emu_trylock(&patching))
		raw_syscall0(SYS_sched_yield);
	if (!site->dead) {
		mem_fd = raw_openat(AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC, 0);
		site->dead = mem_fd >= 0 && exchange_code(site->rip, site->code);
		raw_close(mem_fd);
	}
	emu_unlock(&patching);
}

static void get_regs(struct emu_regs *regs, const struct frame *frame, const struct site *site)
{
	*regs = (struct emu_regs){
		.gpr = {frame->rax, frame->rcx, frame->rdx, frame->rbx,
			(uint64_t)(uintptr_t)(frame + 1), frame->rbp, frame->rsi, frame->rdi,
			frame->r8, frame->r9, frame->r10, frame->r11, frame->r12, frame->r13,
			frame->r14, frame->r15},
		.rip = site->rip,
		.flags = frame->flags,
	};
}

void emu_patch_run(struct frame *frame, struct site *site)
{
	/*
	 * All signals but ours are blocked, as in the signal handler: a handler of the program
	 * could submit, or leave by longjmp().
	 */
	uint64_t mask = ~EMU_SIGNALS_OURS, old = 0;
	struct emu_step step;

	raw_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old, sizeof(mask));
	/* ours are blocked only if the program made a call that was not seen */
	emu_signals_believe(SIG_BLOCK, old);
	emu_signals_strip(&old);
	get_regs(&step.regs, frame, site);
	emu_trace_site(site->rip);
	if (emu_step_decode(&step, site->code, EMU_PATCH_CODE) &&
	    emu_step_run(&step, true) == EMU_DONE) {
		frame->flags = step.regs.flags;
	} else {
		restore_site(site);
		frame->back = site->again;
	}
	raw_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &old, 0, sizeof(old));
}
