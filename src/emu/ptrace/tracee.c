/* SPDX-License-Identifier: MIT */
/* The traced threads and their address spaces; system calls made in their place. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emu/ptrace/tracee.h"
#include "emu/sysfs/paths.h"

static struct tracee *tracees;

struct tracee *tracee_find(pid_t tid)
{
	struct tracee *tracee;

	for (tracee = tracees; tracee && tracee->tid != tid; tracee = tracee->next)
		;
	return tracee;
}

struct tracee *tracee_add(pid_t tid)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));

	if (!tracee)
		abort();
	tracee->tid = tid;
	tracee->next = tracees;
	tracees = tracee;
	return tracee;
}

void tracee_remove(struct tracee *tracee)
{
	struct tracee **at;

	for (at = &tracees; *at != tracee; at = &(*at)->next)
		;
	*at = tracee->next;
	if (tracee->space)
		space_put(tracee->space);
	if (emu.tid == tracee->tid)
		emu.pid = emu.tid = 0;
	free(tracee);
}

struct space *space_new(pid_t pid)
{
	struct space *space = calloc(1, sizeof(*space));

	if (!space)
		abort();
	space->pid = pid;
	space->users = 1;
	emu_count(emu.state, EMU_COUNT_PROCESSES, 1);
	return space;
}

/* When the last thread of an address space ends, its files are closed. */
void space_put(struct space *space)
{
	unsigned int i;

	if (--space->users)
		return;
	for (i = 0; i < TRACEE_FILES; i++)
		if (space->file[i].queue)
			emu_client_add(emu_queue_wq(emu.state, space->file[i].queue), space->pid,
				       -1);
	free(space);
}

void tracee_select(struct tracee *tracee)
{
	emu.pid = tracee->space->pid;
	emu.tid = tracee->tid;
	emu.mm = &tracee->space->mm;
	emu_portals_select(&tracee->space->portals);
	snprintf(emu.proc, sizeof(emu.proc), "/proc/%d", tracee->tid);
}

/*
 * Let it run to its next stop at a system call. A signal that arrives in between is sent to it
 * again afterwards.
 */
static bool run_to_stop(struct tracee *tracee)
{
	int status, held = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, tracee->tid, NULL, NULL) ||
		    waitpid(tracee->tid, &status, __WALL) < 0 || !WIFSTOPPED(status))
			return false;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			break;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			continue;
		if (status >> 16 == 0)
			held = WSTOPSIG(status);
	}
	if (held)
		syscall(SYS_tgkill, tracee->space->pid, tracee->tid, held);
	return true;
}

long tracee_call(struct tracee *tracee, long nr, uint64_t a, uint64_t b, uint64_t c)
{
	struct user_regs_struct saved, regs;
	long ret = -ESRCH;

	if (ptrace(PTRACE_GETREGS, tracee->tid, NULL, &saved))
		return -ESRCH;
	regs = saved;
	regs.rip -= 2; /* back to the syscall instruction that it has executed */
	regs.rax = (unsigned long long)nr;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	if (ptrace(PTRACE_SETREGS, tracee->tid, NULL, &regs) == 0 && run_to_stop(tracee) &&
	    run_to_stop(tracee) && ptrace(PTRACE_GETREGS, tracee->tid, NULL, &regs) == 0)
		ret = (long)regs.rax;
	ptrace(PTRACE_SETREGS, tracee->tid, NULL, &saved);
	return ret;
}

void tracee_answer(struct tracee *tracee, struct user_regs_struct *regs, long ret)
{
	regs->orig_rax = (unsigned long long)-1;
	regs->rax = (unsigned long long)ret;
	ptrace(PTRACE_SETREGS, tracee->tid, NULL, regs);
}

uint64_t tracee_scratch(const struct user_regs_struct *regs)
{
	return (regs->rsp - 128 - EMU_PATH_MAX) & ~15ull;
}

void tracee_change(struct tracee *tracee, struct user_regs_struct *regs)
{
	tracee->changed = true;
	ptrace(PTRACE_SETREGS, tracee->tid, NULL, regs);
}
