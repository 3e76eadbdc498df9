/* SPDX-License-Identifier: MIT */
/*
 * Signals of a traced program. If a synchronous signal is blocked or ignored, the kernel resets its
 * handler before the tracer sees the signal. So SIGILL, SIGSEGV and SIGBUS are never really blocked
 * or ignored; the program reads back what it asked for.
 */
#ifndef EMU_PTRACE_TRACESIGNAL_H
#define EMU_PTRACE_TRACESIGNAL_H

#include <stdbool.h>

#include "emu/ptrace/tracee.h"

/*
 * At the entry of a call, for which regs may be changed. True if the tracer has to stop at its
 * exit.
 */
bool tracesignal_enter(struct tracee *tracee, struct user_regs_struct *regs);

/* At the exit of a call that succeeded. */
void tracesignal_exit(struct tracee *tracee);

/* Does the program believe to ignore this signal? */
bool tracesignal_ignored(const struct tracee *tracee, int signo);

/* A child begins with what its parent believes to block and ignore; exec keeps that. */
void tracesignal_born(struct tracee *child, const struct tracee *parent);
void tracesignal_executed(struct space *space, const struct space *old);

#endif
