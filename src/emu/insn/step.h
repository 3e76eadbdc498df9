/* SPDX-License-Identifier: MIT */
/*
 * What the emulated instructions do: registers and memory in, registers and memory out, or a fault.
 */
#ifndef EMU_INSN_STEP_H
#define EMU_INSN_STEP_H

#include "emu/host/memory.h"
#include "emu/insn/decode.h"

enum emu_verdict {
	EMU_DONE,     /* go on behind it */
	EMU_NOT_OURS, /* the program's own affair */
	EMU_FAULT,    /* it faults, as struct emu_step says */
};

struct emu_step {
	struct emu_regs regs;
	struct emu_insn insn;
	struct emu_fault fault;
	unsigned int vector; /* of the fault: 13 or 14 */
};

#define EMU_STEP_CODE 16 /* at least what the longest instruction has */

/* The bytes at regs.rip. How many there are. */
size_t emu_step_fetch(const struct emu_step *step, uint8_t code[EMU_STEP_CODE]);

/* Decode them into step->insn. False if they are no instruction. */
bool emu_step_decode(struct emu_step *step, const uint8_t *code, size_t len);

/* Do it. undefined: the CPU does not know it (SIGILL), else it faulted on memory. */
enum emu_verdict emu_step_run(struct emu_step *step, bool undefined);

#endif
