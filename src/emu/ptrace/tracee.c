/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emu/preload/cdev.h"
#include "emu/insn/step.h"
#include "emu/host/maps.h"
#include "emu/device/node.h"
#include "emu/ptrace/tracee.h"

struct emu_process emu;

static struct tracee *tracees, *current;

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
	if (current == tracee)
		current = NULL;
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

/* The last user is gone, and with it everything that was open. */
void space_put(struct space *space)
{
	unsigned int i;

	if (--space->users)
		return;
	for (i = 0; i < TRACEE_FILES; i++)
		if (space->file[i].queue)
			emu_client_add(emu_queue_wq(emu.state, space->file[i].queue), space->pid, -1);
	free(space);
}

void tracee_select(struct tracee *tracee)
{
	current = tracee;
	emu.mm = &tracee->space->mm;
	snprintf(emu.proc, sizeof(emu.proc), "/proc/%d", tracee->tid);
}

struct tracee *tracee_current(void)
{
	return current;
}

int emu_pid(void)
{
	return current ? current->space->pid : getpid();
}

int emu_tid(void)
{
	return current ? current->tid : getpid();
}

uint32_t emu_mm_id(void)
{
	if (!emu.mm->id)
		emu.mm->id = __atomic_add_fetch(&emu.state->mm_ids, 1, __ATOMIC_RELAXED);
	return emu.mm->id;
}

/* The registers of the tracer's view have them already. */
void emu_step_segments(struct emu_regs *regs)
{
	(void)regs;
}

emu_queue_id emu_cdev_portal(uint64_t addr, bool *readonly, bool *swallow)
{
	struct space *space = current->space;
	unsigned int i;

	for (i = 0; i < TRACEE_PORTALS; i++) {
		if (space->portal[i].queue && space->portal[i].addr == (addr & ~4095ull)) {
			*readonly = space->portal[i].readonly;
			*swallow = space->portal[i].swallow;
			return space->portal[i].queue;
		}
	}
	return 0;
}

emu_queue_id emu_cdev_portal_search(uint64_t addr)
{
	struct emu_mapping mapping;

	return emu_maps_find(addr, &mapping) ? emu_node_path(mapping.path) : 0;
}

/* Let it run to its next stop for a system call. Signals that come in between are given to it right after. */
static bool next_stop(struct tracee *tracee)
{
	int status, held = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, tracee->tid, NULL, NULL) || waitpid(tracee->tid, &status, __WALL) < 0 ||
		    !WIFSTOPPED(status))
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
	regs.rip -= 2; /* the syscall instruction that it comes from */
	regs.rax = (unsigned long long)nr;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	if (ptrace(PTRACE_SETREGS, tracee->tid, NULL, &regs) == 0 && next_stop(tracee) && next_stop(tracee) &&
	    ptrace(PTRACE_GETREGS, tracee->tid, NULL, &regs) == 0)
		ret = (long)regs.rax;
	ptrace(PTRACE_SETREGS, tracee->tid, NULL, &saved);
	return ret;
}
