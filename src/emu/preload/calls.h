/* SPDX-License-Identifier: MIT */
/*
 * System calls that a program makes past the functions of libc: through syscall(2), or with an
 * instruction of its own. They open and map queues, write to them, and change handlers and signal
 * masks as the functions of libc do, and the same rules apply to them.
 */
#ifndef EMU_PRELOAD_CALLS_H
#define EMU_PRELOAD_CALLS_H

#include <stdbool.h>
#include <stdint.h>

struct emu_call {
	long nr;
	uint64_t arg[6];
	uint64_t site; /* the instruction, for messages */
	/* the signal mask in the context that the handler returns to; NULL: that of the thread */
	uint64_t *mask;
	long ret; /* the result, as the kernel returns it */
};

/*
 * True if the call was carried out, with its result in ret. Otherwise the kernel has to execute it
 * as it is.
 */
bool emu_call(struct emu_call *call);

#endif
