/* SPDX-License-Identifier: MIT */
/*
 * The program's memory, touched from a signal handler without ever crashing: an access that faults is turned into an
 * answer by emu_memory_fault(), which the SIGSEGV and SIGBUS handler asks first.
 *
 * The model works on the memory directly. Each page of a window is probed first (one byte is read, or rewritten with a
 * locked or of nothing), which also makes the kernel page it in. If another thread unmaps it between the probe and the
 * use, the whole descriptor is executed once more through bounce buffers, where every copy may fail on its own.
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

/* Copy; how many bytes at the end could not be copied, 0 if all were. fault says why; may be NULL. */
size_t emu_copy(void *dst, const void *src, size_t len, struct emu_fault *fault);

/* Is one byte there to be read, or written? */
bool emu_probe(uint64_t addr, bool write, struct emu_fault *fault);

/* Is the fault of this signal one of ours? If so the context was changed: just return from the handler. */
bool emu_memory_fault(int signo, const siginfo_t *info, ucontext_t *uc);

/* How the execution of one descriptor is to meet its memory. */
struct emu_access {
	bool strict;           /* a page that is not present faults unless the flags say block on fault */
	bool inject;           /* the next access to data that may fault does so, at a page border if there is one */
	unsigned int sabotage; /* enum emu_sabotage: what is to go wrong with this descriptor */
	bool sabotaged;        /* it has gone wrong */
	unsigned int open;     /* bounce windows in use, a bit each */
	uint64_t target[3];    /* where each belongs */
	uint64_t record;       /* where the record that is in scratch belongs */
	struct sva_comp scratch; /* under sabotage a record is made here and changed before it is told */
	void (*event)(void *ctx, const struct sva_desc *desc, const struct sva_model_outcome *outcome);
	void *ctx;             /* of event */
};

/* Write a completion record as the hardware does: seen whole by whoever sees its status. How many bytes were not written. */
size_t emu_write_record(uint64_t addr, const struct sva_comp *comp);

/* sva_model_execute() for the calling process. */
void emu_execute(const struct sva_model_profile *profile, const struct sva_desc *desc, struct emu_access *access,
		 struct sva_model_outcome *outcome);

#endif
