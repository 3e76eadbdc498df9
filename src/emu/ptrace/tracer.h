/* SPDX-License-Identifier: MIT */
/*
 * The room "ptrace" is the emulator outside of the program: with --ptrace the launcher traces the
 * program and all that it starts, for programs that no library can be loaded into. The files of the
 * device are shown by a mount namespace, or by changing the paths of system calls. It may call each
 * room but "preload" and "run", and must not decide what an instruction or the device does.
 */
#ifndef EMU_PTRACE_TRACER_H
#define EMU_PTRACE_TRACER_H

#include <sys/types.h>

#include "emu/device/state.h"

/*
 * In the child that becomes the program: make it stop only at the system calls that the tracer
 * looks at. 0 or -errno.
 */
int emu_tracer_filter(void);

/* Begin to trace a child. 0 or -errno. */
int emu_tracer_attach(pid_t pid);

/*
 * Trace until the program ends. Returns its wait status. server is a child that does not belong to
 * the program.
 */
int emu_tracer_run(struct emu_state *state, pid_t pid, pid_t server);

#endif
