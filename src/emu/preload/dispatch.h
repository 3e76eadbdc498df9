/* SPDX-License-Identifier: MIT */
/*
 * Handling of a system call that the kernel has reported (arm.h): emu_call() carries it out if it
 * concerns the device, otherwise the kernel executes it.
 */
#ifndef EMU_PRELOAD_DISPATCH_H
#define EMU_PRELOAD_DISPATCH_H

#include <ucontext.h>

/* The handler of SIGSYS for such a call. */
void emu_dispatch(ucontext_t *uc);

#endif
