/* SPDX-License-Identifier: MIT */
/*
 * --ptrace: the instructions and the device from outside, for programs that no library can be
 * loaded into. The launcher traces the program and all that it starts; the files of the device are
 * shown by a mount namespace, or by changing paths on their way into the kernel.
 */
#ifndef EMU_PTRACE_TRACER_H
#define EMU_PTRACE_TRACER_H

#include <sys/types.h>

#include "emu/device/state.h"

/*
 * In the child that will become the program: let only the system calls stop that the tracer wants
 * to see. 0 or -errno.
 */
int emu_tracer_filter(void);

/* Begin to trace a child. 0 or -errno. */
int emu_tracer_attach(pid_t pid);

/*
 * Trace until the program ends; its wait status. server is a child that is none of the program's.
 */
int emu_tracer_run(struct emu_state *state, pid_t pid, pid_t server);

#endif
