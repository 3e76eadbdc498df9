/* SPDX-License-Identifier: MIT */
/* What the tracer knows of each thread and of each address space. */
#ifndef EMU_PTRACE_TRACEE_H
#define EMU_PTRACE_TRACEE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "emu/host/process.h"
#include "emu/insn/portals.h"

#define TRACEE_FILES 64
#define TRACEE_SIGNALS 65

/* An address space and the files that were opened in it. */
struct space {
	struct emu_mm mm;
	unsigned int users;
	pid_t pid;
	struct { int fd; emu_queue_id queue; } file[TRACEE_FILES];   /* queue 0: free */
	struct emu_portals portals;
	/* what its handlers' masks have of our signals, and the kernel does not know */
	uint64_t hidden[TRACEE_SIGNALS];
	uint64_t ignored;                /* … and which of them it ignores */
};

struct tracee {
	struct tracee *next;
	pid_t tid;
	struct space *space;
	bool new;              /* its birth was not told yet; it waits */
	bool stopped_new;      /* … and has stopped */
	bool in_call;          /* between the entry and the exit of a system call that we look at */
	struct user_regs_struct entry; /* the registers at its entry */
	bool changed;          /* … whose arguments we changed: they are put back at its exit */
	uint64_t believed;     /* of our signals, those that it believes to have blocked */
	struct { bool changed, ignored; uint64_t hidden; } action; /* the rt_sigaction under way */
};

struct tracee *tracee_find(pid_t tid);
struct tracee *tracee_add(pid_t tid);
void tracee_remove(struct tracee *tracee);

/* A new address space: empty, or with the open files of another. */
struct space *space_new(pid_t pid);
void space_put(struct space *space);

/* Make this thread the one that the room "host" and portals.h refer to. */
void tracee_select(struct tracee *tracee);

/* Have the thread, which is stopped at the exit of a system call, do another one. Its answer. */
long tracee_call(struct tracee *tracee, long nr, uint64_t a, uint64_t b, uint64_t c);

/* Give a system call a result, at its entry, without making it. */
void tracee_answer(struct tracee *tracee, struct user_regs_struct *regs, long ret);

/*
 * Make it with other arguments, which are put back at its exit; and memory of the program,
 * EMU_PATH_MAX bytes, for what they point to.
 */
void tracee_change(struct tracee *tracee, struct user_regs_struct *regs);
uint64_t tracee_scratch(const struct user_regs_struct *regs);

#endif
