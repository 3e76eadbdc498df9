/* SPDX-License-Identifier: MIT */
/* The place that the preload library makes its system calls from (raw.h). */
#include "emu/base/raw.h"

/* Used until a place in libc is found (preload/arm.c). */
void emu_own_gadget(void);
__asm__(".text\n.hidden emu_own_gadget\n.globl emu_own_gadget\n.type emu_own_gadget,@function\n"
	"emu_own_gadget:\n	syscall\n	ret\n"
	".size emu_own_gadget,.-emu_own_gadget\n.previous\n");
void (*emu_gadget)(void) = emu_own_gadget;
