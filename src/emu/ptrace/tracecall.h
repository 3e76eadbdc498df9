/* SPDX-License-Identifier: MIT */
/* The system calls of a traced program that have to do with the device. */
#ifndef EMU_PTRACE_TRACECALL_H
#define EMU_PTRACE_TRACECALL_H

#include "emu/ptrace/tracee.h"

/* The numbers of these calls; 0 at the end is no number but the end. */
extern const unsigned int tracecall_numbers[];

/* At the entry: true if the exit is wanted too. May change the call, or answer it at once. */
bool tracecall_enter(struct tracee *tracee);

/* At the exit. */
void tracecall_exit(struct tracee *tracee);

#endif
