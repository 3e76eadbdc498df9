/* SPDX-License-Identifier: MIT */
/*
 * System calls that the program makes with an instruction of its own, as the Go runtime and
 * hand-written code do. Linux can report them (syscall user dispatch, since 5.11): every system
 * call that is not made from within libc's code raises SIGSYS in the thread that makes it. The
 * handler does what emu_call() knows, and has the kernel do the rest.
 *
 * A child of fork and a thread do not inherit this; it is armed in each. Nothing else is needed:
 * exec and fork switch it off by themselves, and no privilege is lost for it.
 */
#ifndef EMU_DISPATCH_H
#define EMU_DISPATCH_H

#include <stdbool.h>
#include <sys/prctl.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

/*
 * At the start of the program. False: this kernel cannot, or something in the process is in the
 * way.
 */
bool emu_dispatch_init(void);

/* Arm the calling thread, if it is not. */
void emu_dispatch_arm(void);

/* The program is about to ask the kernel for the same: SIGSYS and the rest are left to it. */
void emu_dispatch_give(void);

/* SIGSYS, because of such a call. */
void emu_dispatch(ucontext_t *uc);

#endif
