/* SPDX-License-Identifier: MIT */
/*
 * --fast: after its first trap an ENQCMD or MOVDIR64B to a portal is replaced by a jump, of the
 * same five bytes, to a stub that does the same without a signal.
 *
 * Other threads may be executing the instruction at that moment. So it first becomes INT3 (one
 * byte, atomically), then its tail is written, then its head, and after each step every thread is
 * made to refetch (membarrier). Who meets the INT3, or has trapped already on the bytes that were
 * there before, is served from the copy that the table keeps.
 */
#ifndef EMU_PRELOAD_PATCH_H
#define EMU_PRELOAD_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/insn/decode.h"

#define EMU_PATCH_CODE 16

/*
 * Before any other; false if this kernel can not make threads refetch, and then nothing is ever
 * patched.
 */
bool emu_patch_init(void);

/* Replace the instruction that was executed just now, if it can be. Safe in a signal handler. */
void emu_patch_site(const struct emu_regs *regs, const struct emu_insn *insn,
		    const uint8_t code[EMU_PATCH_CODE]);

/* The bytes that were at this address before it was patched. False if it was not. */
bool emu_patch_original(uint64_t rip, uint8_t code[EMU_PATCH_CODE]);

#endif
