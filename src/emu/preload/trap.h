/* SPDX-License-Identifier: MIT */
/* The signal handler of the emulator. */
#ifndef EMU_PRELOAD_TRAP_H
#define EMU_PRELOAD_TRAP_H

#include <signal.h>

/* The handler of SIGILL, SIGSEGV, SIGBUS and SIGSYS, and of SIGTRAP with --fast. */
void emu_trap(int signo, siginfo_t *info, void *context);

#endif
