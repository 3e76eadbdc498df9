/* SPDX-License-Identifier: MIT */
/* The system calls of a traced program that concern the device. */
#ifndef EMU_PTRACE_TRACECALL_H
#define EMU_PTRACE_TRACECALL_H

#include "emu/ptrace/tracee.h"

/* The numbers of these calls; 0 ends the list. */
extern const unsigned int tracecall_numbers[];

/*
 * At the entry of a call, which may be changed, or answered without being made. True if the tracer
 * has to stop at its exit.
 */
bool tracecall_enter(struct tracee *tracee);

/* At its exit. */
void tracecall_exit(struct tracee *tracee);

#endif
