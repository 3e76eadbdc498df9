/* SPDX-License-Identifier: MIT */
/*
 * The room "insn" has the instructions that programs submit and wait with: decoding, and what each
 * does. It calls "device" and below, and must not know whether it runs inside the program. This
 * file: from the bytes of an instruction and the registers to its operands.
 */
#ifndef EMU_INSN_DECODE_H
#define EMU_INSN_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Registers in the order of their encoding: rax rcx rdx rbx rsp rbp rsi rdi r8 … r15. */
enum { EMU_RAX, EMU_RCX, EMU_RDX, EMU_GPRS = 16 };

struct emu_regs {
	uint64_t gpr[EMU_GPRS];
	uint64_t rip;
	uint64_t flags;
	uint64_t fs_base, gs_base;
};

#define EMU_FLAG_CF 0x001ull
#define EMU_FLAG_PF 0x004ull
#define EMU_FLAG_AF 0x010ull
#define EMU_FLAG_ZF 0x040ull
#define EMU_FLAG_SF 0x080ull
#define EMU_FLAG_OF 0x800ull
#define EMU_FLAGS_ARITH \
	(EMU_FLAG_CF | EMU_FLAG_PF | EMU_FLAG_AF | EMU_FLAG_ZF | EMU_FLAG_SF | EMU_FLAG_OF)

enum emu_kind {
	EMU_INSN_OTHER,     /* any other instruction */
	EMU_INSN_ENQCMD,
	EMU_INSN_ENQCMDS,
	EMU_INSN_MOVDIR64B,
	EMU_INSN_UMONITOR,
	EMU_INSN_UMWAIT,
	EMU_INSN_TPAUSE,
};

struct emu_insn {
	enum emu_kind kind;
	unsigned int length;
	uint64_t dst;       /* ENQCMD(S), MOVDIR64B: the destination; UMONITOR: the address */
	uint64_t src;       /* ENQCMD(S), MOVDIR64B: the address of the 64 bytes */
	uint64_t control;   /* UMWAIT, TPAUSE: the operand */
	bool loads;         /* OTHER: it reads memory */
	bool stores;        /* OTHER: it writes memory */
	uint64_t mem;       /* OTHER: its memory operand's address, if loads or stores */
	int load_reg;       /* OTHER: the general register that it loads, or -1 */
	unsigned int load_bytes; /* OTHER: how many bytes of that register the load defines */
};

/* To be called once, before the others. */
void emu_decode_init(void);

/*
 * Decode the instruction at the start of the len bytes of code. Returns 0, or -EILSEQ if the bytes
 * are no instruction. The segment bases in regs are needed only if emu_decode_segments() returns
 * true; reading them takes system calls.
 */
static inline bool emu_decode_segments(const uint8_t *code, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (code[i] == 0x64 || code[i] == 0x65)
			return true;
	return false;
}

int emu_decode(const uint8_t *code, size_t len, const struct emu_regs *regs, struct emu_insn *insn);

#endif
