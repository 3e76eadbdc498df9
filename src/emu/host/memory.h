/* SPDX-License-Identifier: MIT */
/*
 * The memory of the program, from inside (memory_inside.c) and from its tracer (memory_traced.c).
 *
 * From inside, memory is touched in a signal handler without ever crashing: emu_memory_fault(),
 * which the handler of SIGSEGV and SIGBUS calls first, turns a fault of such an access into its
 * return value.
 */
#ifndef EMU_HOST_MEMORY_H
#define EMU_HOST_MEMORY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "sva/desc.h"

/* The fault that the last failed access met. */
struct emu_fault {
	int signo;
	int code;
	uint64_t addr;
};

/*
 * Copy from and to the program's memory. Return how many bytes at the end could not be copied, 0 if
 * all were. *fault is set to the reason; fault may be NULL.
 */
size_t emu_fetch(void *to, uint64_t addr, size_t len, struct emu_fault *fault);
size_t emu_store(uint64_t addr, const void *from, size_t len, struct emu_fault *fault);

/* Can one byte at addr be read, or written? */
bool emu_probe(uint64_t addr, bool write, struct emu_fault *fault);

/*
 * Write a completion record as the hardware does: who sees its status sees all of it. False if it
 * cannot be written.
 */
bool emu_write_record(uint64_t addr, const struct sva_comp *comp);

/*
 * Run a function that uses addresses of the program as pointers. False if it did not run to its
 * end, because memory went away under it, or if this process does not have that memory.
 */
bool emu_memory_direct(void (*run)(void *arg), void *arg);

/*
 * Was the fault of this signal met by one of the functions above? Then the context was changed, and
 * the handler just has to return. From inside only.
 */
bool emu_memory_fault(int signo, const siginfo_t *info, ucontext_t *uc);

#endif
