/* SPDX-License-Identifier: MIT */
/*
 * What happens with a system call that the kernel has reported (arm.h): what emu_call() knows is
 * done, and the kernel does the rest.
 */
#ifndef EMU_PRELOAD_DISPATCH_H
#define EMU_PRELOAD_DISPATCH_H

#include <ucontext.h>

/* The handler of SIGSYS for such a call. */
void emu_dispatch(ucontext_t *uc);

#endif
