/* SPDX-License-Identifier: MIT */
/* What happens when one of the emulated instructions traps. */
#ifndef EMU_PRELOAD_TRAP_H
#define EMU_PRELOAD_TRAP_H

#include <signal.h>

/* The handler for SIGILL, SIGSEGV and SIGBUS. */
void emu_trap(int signo, siginfo_t *info, void *context);

#endif
