/* SPDX-License-Identifier: MIT */
/* The system calls of a traced program that have to do with the device. */
#ifndef EMU_TRACECALL_H
#define EMU_TRACECALL_H

#include "emu/ptrace/tracee.h"

/* The numbers of these calls; 0 at the end is no number but the end. */
extern const unsigned int tracecall_numbers[];

/* At the entry: true if the exit is wanted too. May change the call, or answer it at once. */
bool tracecall_enter(struct tracee *tracee);

/* At the exit. */
void tracecall_exit(struct tracee *tracee);

/* Answer a call, at its entry, without making it. */
void tracecall_answer(struct tracee *tracee, struct user_regs_struct *regs, long ret);

/* Make it with other arguments, which are put back at its exit; and memory for what they point to, EMU_PATH_MAX bytes. */
void tracecall_change(struct tracee *tracee, struct user_regs_struct *regs);
uint64_t tracecall_scratch(const struct user_regs_struct *regs);

#endif
