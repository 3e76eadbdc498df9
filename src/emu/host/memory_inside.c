/* SPDX-License-Identifier: MIT */
/* memory.h for the preload library: accesses that may fault, and the way back from a fault. */
#include "emu/base/raw.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"

/*
 * The instructions that may fault, and where to continue after each. emu_copy_raw returns in rax
 * how many bytes are left; the probes return 0, or 1 after a fault. emu_checkpoint is a setjmp that
 * emu_memory_fault() returns to by changing the context: a longjmp would leave the signal mask and
 * the signal stack in the state of the nested handler.
 */
size_t emu_copy_raw(void *dst, const void *src, size_t len);
int emu_probe_read(uint64_t addr);
int emu_probe_write(uint64_t addr);
int emu_checkpoint(uint64_t save[8]) __attribute__((returns_twice));
extern const char emu_copy_insn[], emu_copy_fixup[], emu_read_insn[], emu_read_fixup[],
	emu_write_insn[], emu_write_fixup[];

__asm__(".text\n"
	".hidden emu_copy_raw, emu_probe_read, emu_probe_write, emu_checkpoint\n"
	".hidden emu_copy_insn, emu_copy_fixup\n"
	".hidden emu_read_insn, emu_read_fixup, emu_write_insn, emu_write_fixup\n"
	".globl emu_copy_raw, emu_probe_read, emu_probe_write, emu_checkpoint\n"
	".globl emu_copy_insn, emu_copy_fixup\n"
	".globl emu_read_insn, emu_read_fixup, emu_write_insn, emu_write_fixup\n"
	".type emu_copy_raw,@function\n"
	"emu_copy_raw:\n"
	"	mov %rdx,%rcx\n"
	"emu_copy_insn:\n"
	"	rep movsb\n"
	"emu_copy_fixup:\n"
	"	mov %rcx,%rax\n"
	"	ret\n"
	".size emu_copy_raw,.-emu_copy_raw\n"
	".type emu_probe_read,@function\n"
	"emu_probe_read:\n"
	"	xor %eax,%eax\n"
	"emu_read_insn:\n"
	"	movb (%rdi),%dl\n"
	"	ret\n"
	"emu_read_fixup:\n"
	"	mov $1,%eax\n"
	"	ret\n"
	".size emu_probe_read,.-emu_probe_read\n"
	".type emu_probe_write,@function\n"
	"emu_probe_write:\n"
	"	xor %eax,%eax\n"
	"emu_write_insn:\n"
	"	lock orb $0,(%rdi)\n"
	"	ret\n"
	"emu_write_fixup:\n"
	"	mov $1,%eax\n"
	"	ret\n"
	".size emu_probe_write,.-emu_probe_write\n"
	".type emu_checkpoint,@function\n"
	"emu_checkpoint:\n"
	"	mov %rbx,(%rdi)\n"
	"	mov %rbp,8(%rdi)\n"
	"	mov %r12,16(%rdi)\n"
	"	mov %r13,24(%rdi)\n"
	"	mov %r14,32(%rdi)\n"
	"	mov %r15,40(%rdi)\n"
	"	lea 8(%rsp),%rax\n"
	"	mov %rax,48(%rdi)\n"
	"	mov (%rsp),%rax\n"
	"	mov %rax,56(%rdi)\n"
	"	xor %eax,%eax\n"
	"	ret\n"
	".size emu_checkpoint,.-emu_checkpoint\n"
	".previous\n");

static EMU_TLS struct emu_fault last_fault;
static EMU_TLS uint64_t *checkpoint; /* set while emu_memory_direct() runs */

bool emu_memory_fault(int signo, const siginfo_t *info, ucontext_t *uc)
{
	greg_t *gregs = uc->uc_mcontext.gregs;
	const char *rip = (const char *)gregs[REG_RIP];
	uint64_t *save = checkpoint;

	if (rip == emu_copy_insn)
		gregs[REG_RIP] = (greg_t)emu_copy_fixup;
	else if (rip == emu_read_insn)
		gregs[REG_RIP] = (greg_t)emu_read_fixup;
	else if (rip == emu_write_insn)
		gregs[REG_RIP] = (greg_t)emu_write_fixup;
	else if (!save)
		return false;
	last_fault = (struct emu_fault){ signo, info->si_code, (uint64_t)(uintptr_t)info->si_addr };
	if ((const char *)gregs[REG_RIP] == rip) {
		gregs[REG_RBX] = (greg_t)save[0];
		gregs[REG_RBP] = (greg_t)save[1];
		gregs[REG_R12] = (greg_t)save[2];
		gregs[REG_R13] = (greg_t)save[3];
		gregs[REG_R14] = (greg_t)save[4];
		gregs[REG_R15] = (greg_t)save[5];
		gregs[REG_RSP] = (greg_t)save[6];
		gregs[REG_RIP] = (greg_t)save[7];
		gregs[REG_RAX] = 1;
		checkpoint = NULL;
	}
	return true;
}

size_t emu_fetch(void *to, uint64_t addr, size_t len, struct emu_fault *fault)
{
	size_t left = emu_copy_raw(to, (const void *)(uintptr_t)addr, len);

	if (EMU_UNLIKELY(left) && fault)
		*fault = last_fault;
	return left;
}

size_t emu_store(uint64_t addr, const void *from, size_t len, struct emu_fault *fault)
{
	size_t left = emu_copy_raw((void *)(uintptr_t)addr, from, len);

	if (EMU_UNLIKELY(left) && fault)
		*fault = last_fault;
	return left;
}

bool emu_probe(uint64_t addr, bool write, struct emu_fault *fault)
{
	if (EMU_LIKELY(!(write ? emu_probe_write(addr) : emu_probe_read(addr))))
		return true;
	if (fault)
		*fault = last_fault;
	return false;
}

bool emu_write_record(uint64_t addr, const struct sva_comp *comp)
{
	/* The first eight bytes have the status, so they are written last, with one store. */
	if (emu_store(addr + 8, (const uint8_t *)comp + 8, sizeof(*comp) - 8, NULL))
		return false;
	__atomic_store_n((uint64_t *)(uintptr_t)addr, *(const uint64_t *)(const void *)comp,
			 __ATOMIC_RELEASE);
	return true;
}

bool emu_memory_direct(void (*run)(void *arg), void *arg)
{
	uint64_t *outer = checkpoint, save[8];
	bool whole = false;

	if (emu_checkpoint(save) == 0) {
		checkpoint = save;
		run(arg);
		whole = true;
	}
	checkpoint = outer;
	return whole;
}
