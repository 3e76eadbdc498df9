/* SPDX-License-Identifier: MIT */
/*
 * --fast: after its first trap an ENQCMD or MOVDIR64B to a portal is replaced by a jump, of the
 * same five bytes, to a stub that does the same without a signal.
 *
 * Other threads may be executing the instruction at that moment. So its first byte becomes INT3,
 * then its other bytes are written, then the first one; after each step all threads are made to
 * fetch the code again (membarrier(2)). For a thread that executes the INT3, or that has trapped on
 * the original bytes, the original is taken from the table of patched instructions.
 */
#ifndef EMU_PRELOAD_PATCH_H
#define EMU_PRELOAD_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/insn/decode.h"

#define EMU_PATCH_CODE 16

/*
 * To be called before the others. False if this kernel cannot make threads fetch code again; then
 * nothing must be patched.
 */
bool emu_patch_init(void);

/* Replace the instruction that was executed just now, if it can be. Safe in a signal handler. */
void emu_patch_site(const struct emu_regs *regs, const struct emu_insn *insn,
		    const uint8_t code[EMU_PATCH_CODE]);

/* The bytes that were at this address before it was patched. False if it was not. */
bool emu_patch_original(uint64_t rip, uint8_t code[EMU_PATCH_CODE]);

#endif
