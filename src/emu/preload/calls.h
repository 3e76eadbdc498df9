/* SPDX-License-Identifier: MIT */
/*
 * System calls that a program makes past the functions of libc: through syscall(2), or with an
 * instruction of its own. They open and map queues, write to them, and change handlers and signal
 * masks as libc's functions do, and must meet the same rules.
 */
#ifndef EMU_PRELOAD_CALLS_H
#define EMU_PRELOAD_CALLS_H

#include <stdbool.h>
#include <stdint.h>

struct emu_call {
	long nr;
	uint64_t arg[6];
	uint64_t site; /* the instruction, for messages */
	/* the signal mask in the context that is returned to; NULL: the one in force */
	uint64_t *mask;
	long ret; /* the answer, as the kernel gives it */
};

/* True if it was done, with its answer in ret. Otherwise it is the kernel's to do, as it is. */
bool emu_call(struct emu_call *call);

#endif
