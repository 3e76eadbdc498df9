/* SPDX-License-Identifier: MIT */
/*
 * The program's memory. Two files implement this: memory.c within the program, remote.c from the tracer of --ptrace.
 *
 * Within the program memory is touched from a signal handler without ever crashing: an access that faults is turned
 * into an answer by emu_memory_fault(), which the SIGSEGV and SIGBUS handler asks first. The model works on the
 * memory directly. Each page of a window is probed first (one byte is read, or rewritten with a locked or of
 * nothing), which also makes the kernel page it in. If another thread unmaps it between the probe and the use, the
 * whole descriptor is executed once more through bounce buffers, where every copy may fail on its own.
 */
#ifndef EMU_MEMORY_H
#define EMU_MEMORY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "model/model.h"

/* The fault that the last failed access met. */
struct emu_fault {
	int signo;
	int code;
	uint64_t addr;
};

/*
 * Copy from and to the program's memory; how many bytes at the end could not be copied, 0 if all were. fault says
 * why; may be NULL.
 */
size_t emu_fetch(void *to, uint64_t addr, size_t len, struct emu_fault *fault);
size_t emu_store(uint64_t addr, const void *from, size_t len, struct emu_fault *fault);

/* Is one byte there to be read, or written? */
bool emu_probe(uint64_t addr, bool write, struct emu_fault *fault);

/*
 * Write a completion record as the hardware does: seen whole by whoever sees its status. False if it can not be
 * written.
 */
bool emu_write_record(uint64_t addr, const struct sva_comp *comp);

/* Is the fault of this signal one of ours? If so the context was changed: just return from the handler. */
bool emu_memory_fault(int signo, const siginfo_t *info, ucontext_t *uc);

struct emu_access;

/* sva_model_execute() on the program's memory. */
void emu_execute(const struct sva_model_profile *profile, const struct sva_desc *desc, struct emu_access *access,
		 struct sva_model_outcome *outcome);

#endif
