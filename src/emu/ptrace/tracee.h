/* SPDX-License-Identifier: MIT */
/* The traced threads and address spaces, and what the tracer knows of each. */
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
	/*
	 * by signal: the bits of SIGILL, SIGSEGV and SIGBUS in the mask of its handler, which are
	 * hidden from the kernel
	 */
	uint64_t hidden[TRACEE_SIGNALS];
	uint64_t ignored;                /* which of these signals the program believes to ignore */
};

struct tracee {
	struct tracee *next;
	pid_t tid;
	struct space *space;
	bool new;              /* the event of its creation has not come yet; it waits */
	bool stopped_new;      /* new, and it has stopped */
	/* between the entry and the exit of a system call that is looked at */
	bool in_call;
	struct user_regs_struct entry; /* the registers at its entry */
	/* the arguments of that call were changed: they are restored at its exit */
	bool changed;
	uint64_t believed;     /* which of SIGILL, SIGSEGV and SIGBUS it believes to have blocked */
	/* of the rt_sigaction(2) that it is in */
	struct { bool changed, ignored; uint64_t hidden; } action;
};

struct tracee *tracee_find(pid_t tid);
struct tracee *tracee_add(pid_t tid);
void tracee_remove(struct tracee *tracee);

/* A new address space, in which nothing is open; and the end of one of its threads. */
struct space *space_new(pid_t pid);
void space_put(struct space *space);

/* Make this thread the one that the room "host" and portals.h refer to. */
void tracee_select(struct tracee *tracee);

/*
 * Make the thread, which is stopped at the exit of a system call, do another one. Returns its
 * result.
 */
long tracee_call(struct tracee *tracee, long nr, uint64_t a, uint64_t b, uint64_t c);

/* Give a system call a result, at its entry, without making it. */
void tracee_answer(struct tracee *tracee, struct user_regs_struct *regs, long ret);

/*
 * Make a system call with other arguments, which are restored at its exit; and memory of the
 * program, EMU_PATH_MAX bytes, for what they point to.
 */
void tracee_change(struct tracee *tracee, struct user_regs_struct *regs);
uint64_t tracee_scratch(const struct user_regs_struct *regs);

#endif
