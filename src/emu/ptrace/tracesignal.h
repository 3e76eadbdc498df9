/* SPDX-License-Identifier: MIT */
/*
 * Signals of a traced program. The kernel gives up the handler of a synchronous signal that is
 * blocked or ignored, before its tracer sees it. So SIGILL, SIGSEGV and SIGBUS are never really
 * blocked or ignored, and the program reads back what it asked for.
 */
#ifndef EMU_PTRACE_TRACESIGNAL_H
#define EMU_PTRACE_TRACESIGNAL_H

#include <stdbool.h>

#include "emu/ptrace/tracee.h"

/* At the entry of a call. regs are changed for it if need be. True: its exit is to be looked at. */
bool tracesignal_enter(struct tracee *tracee, struct user_regs_struct *regs);

/* At the exit of one that succeeded. */
void tracesignal_exit(struct tracee *tracee);

/* A signal that was sent, and that the program believes to ignore. */
bool tracesignal_ignored(const struct tracee *tracee, int signo);

/*
 * A child begins with what its parent believes; a program that is executed keeps what is ignored
 * and blocked.
 */
void tracesignal_born(struct tracee *child, const struct tracee *parent);
void tracesignal_executed(struct space *space, const struct space *old);

#endif
