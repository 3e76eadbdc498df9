/* SPDX-License-Identifier: MIT */
/*
 * System calls that the program makes with an instruction of its own, as the Go runtime and
 * hand-written code do. Linux can report them (syscall user dispatch, since 5.11): each system call
 * that is not made from within libc's code raises SIGSYS in the thread that makes it (dispatch.h).
 *
 * A child of fork and a new thread do not inherit this; it is armed in each. Nothing has to be
 * undone: exec and fork switch it off by themselves, and it gives no privilege up.
 */
#ifndef EMU_PRELOAD_ARM_H
#define EMU_PRELOAD_ARM_H

#include <stdbool.h>
#include <sys/prctl.h>

#include "emu/host/process.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

/*
 * What the kernel reads at each system call of this thread: whether it is let through, or reported.
 */
#define EMU_ARM_ALLOW 0
#define EMU_ARM_BLOCK 1
extern EMU_TLS uint8_t emu_arm_selector;

/*
 * At the start of the program. False: this kernel cannot do it, or something in the process is in
 * the way.
 */
bool emu_arm_init(void);

/* Arm the calling thread, if it is not armed. */
void emu_arm_thread(void);

/*
 * The program is about to make the same request: SIGSYS is left to it, and no thread is armed any
 * more.
 */
void emu_arm_give(void);

#endif
