/* SPDX-License-Identifier: MIT */
/* Execution of one instruction: it changes registers and memory, or faults. */
#ifndef EMU_INSN_STEP_H
#define EMU_INSN_STEP_H

#include "emu/host/memory.h"
#include "emu/insn/decode.h"

enum emu_verdict {
	EMU_DONE,     /* it was executed: continue behind it */
	EMU_NOT_OURS, /* it is none of the emulated ones: the program gets the signal */
	EMU_FAULT,    /* it faults: see fault and vector of struct emu_step */
};

struct emu_step {
	struct emu_regs regs;
	struct emu_insn insn;
	struct emu_fault fault;
	unsigned int vector; /* of the fault: 13 or 14 */
};

#define EMU_STEP_CODE 16 /* not less than the longest instruction */

/* Read the bytes at regs.rip. Returns how many could be read. */
size_t emu_step_fetch(const struct emu_step *step, uint8_t code[EMU_STEP_CODE]);

/* Decode these bytes into step->insn. False if they are no instruction. */
bool emu_step_decode(struct emu_step *step, const uint8_t *code, size_t len);

/*
 * Execute it. undefined: the CPU does not know the instruction (SIGILL); otherwise it faulted on
 * memory.
 */
enum emu_verdict emu_step_run(struct emu_step *step, bool undefined);

#endif
