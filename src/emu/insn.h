/* SPDX-License-Identifier: MIT */
/* What the emulated instructions do: registers and memory in, registers and memory out, or a fault. */
#ifndef EMU_INSN_H
#define EMU_INSN_H

#include "decode.h"
#include "memory.h"

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

/* The instruction at regs.rip: fetched and decoded into step->insn. False if it can't be, or is none. */
bool emu_step_fetch(struct emu_step *step);

/* How the segment bases are found out, when an instruction needs them. */
void emu_step_segments(struct emu_regs *regs);

/* Do it. undefined: the CPU does not know it (SIGILL), else it faulted on memory. */
enum emu_verdict emu_step_run(struct emu_step *step, bool undefined);

#endif
