/* SPDX-License-Identifier: MIT */
/* The loop of the tracer: what it does at each stop of a traced thread. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emu/insn/step.h"
#include "emu/ptrace/tracecall.h"
#include "emu/ptrace/tracee.h"
#include "emu/ptrace/tracer.h"
#include "emu/ptrace/tracesignal.h"

#define MAX_CALLS 48

int emu_tracer_filter(void)
{
	struct sock_filter code[MAX_CALLS + 6];
	struct sock_fprog program = { .filter = code };
	unsigned int n = 0, calls = 0, i;

	while (tracecall_numbers[calls])
		calls++;
	/* read(2), which is number 0, is not in the list, so that 0 ends it. */
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0,
						 (uint8_t)(calls + 1));
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (i = 0; i < calls; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, tracecall_numbers[i], (uint8_t)(calls - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		return -errno;
	return 0;
}

int emu_tracer_attach(pid_t pid)
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
		       PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
		       PTRACE_O_EXITKILL;

	return ptrace(PTRACE_SEIZE, pid, NULL, options) ? -errno : 0;
}

/* In the order in which registers are encoded. */
static void get_regs(struct emu_regs *to, const struct user_regs_struct *from)
{
	const unsigned long long gpr[EMU_GPRS] = {
		from->rax, from->rcx, from->rdx, from->rbx, from->rsp, from->rbp,
		from->rsi, from->rdi, from->r8,	 from->r9,  from->r10, from->r11,
		from->r12, from->r13, from->r14, from->r15,
	};
	unsigned int i;

	for (i = 0; i < EMU_GPRS; i++)
		to->gpr[i] = gpr[i];
	to->rip = from->rip;
	to->flags = from->eflags;
	to->fs_base = from->fs_base;
	to->gs_base = from->gs_base;
}

static void set_regs(struct user_regs_struct *to, const struct emu_step *step)
{
	to->rip = step->regs.rip + step->insn.length;
	to->eflags = step->regs.flags;
	/*
	 * The only register that any of the instructions changes is the one that a load from a
	 * portal has for its target.
	 */
	if (step->insn.kind == EMU_INSN_OTHER && step->insn.load_reg == EMU_RAX)
		to->rax = step->regs.gpr[EMU_RAX];
}

/* Handle SIGILL, SIGSEGV or SIGBUS. Returns the signal that the program gets, 0 for none. */
static int handle_trap(struct tracee *tracee, int signo)
{
	struct user_regs_struct regs;
	uint8_t code[EMU_STEP_CODE];
	struct emu_step step;
	siginfo_t info;

	if (ptrace(PTRACE_GETSIGINFO, tracee->tid, NULL, &info))
		return signo;
	if (info.si_code <= 0)
		return tracesignal_ignored(tracee, signo) ? 0 : signo;
	if (ptrace(PTRACE_GETREGS, tracee->tid, NULL, &regs))
		return signo;
	get_regs(&step.regs, &regs);
	if (!emu_step_decode(&step, code, emu_step_fetch(&step, code)))
		return signo;
	switch (emu_step_run(&step, signo == SIGILL)) {
	case EMU_DONE:
		emu_count(emu.state, EMU_COUNT_TRAPS, 1);
		set_regs(&regs, &step);
		ptrace(PTRACE_SETREGS, tracee->tid, NULL, &regs);
		return 0;
	case EMU_FAULT:
		memset(&info, 0, sizeof(info));
		info.si_signo = step.fault.signo;
		info.si_code = step.fault.code;
		info.si_addr = (void *)(uintptr_t)step.fault.addr;
		ptrace(PTRACE_SETSIGINFO, tracee->tid, NULL, &info);
		return step.fault.signo;
	default:
		return signo;
	}
}

/* Handle the creation of a thread or process, which shares an address space as in the kernel. */
static void handle_birth(struct tracee *parent, int event)
{
	unsigned long tid = 0;
	struct tracee *tracee;
	char path[64], line[256];
	bool thread = false;
	FILE *file;

	if (ptrace(PTRACE_GETEVENTMSG, parent->tid, NULL, &tid))
		return;
	snprintf(path, sizeof(path), "/proc/%lu/status", tid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "Tgid:", 5))
			thread = strtol(line + 5, NULL, 10) == parent->space->pid;
	if (file)
		fclose(file);
	tracee = tracee_find((pid_t)tid);
	if (!tracee)
		tracee = tracee_add((pid_t)tid);
	if (thread || event == PTRACE_EVENT_VFORK) {
		tracee->space = parent->space;
		parent->space->users++;
	} else {
		tracee->space =
			/* without the files and portals of its parent, which do not belong to it */
			space_new((pid_t)tid);
	}
	tracesignal_born(tracee, parent);
	tracee->new = false;
	if (tracee->stopped_new)
		ptrace(PTRACE_CONT, tracee->tid, NULL, NULL);
	tracee->stopped_new = false;
}

static void handle_exec(struct tracee *tracee)
{
	struct space *old = tracee->space;
	unsigned long former = 0;

	/*
	 * If another thread than the first calls exec, it takes the number of the first, and no
	 * event reports the end of its own number.
	 */
	if (ptrace(PTRACE_GETEVENTMSG, tracee->tid, NULL, &former) == 0 &&
	    (pid_t)former != tracee->tid && tracee_find((pid_t)former))
		tracee_remove(tracee_find((pid_t)former));
	tracee->space = space_new(tracee->tid);
	tracesignal_executed(tracee->space, old);
	tracee->in_call = false;
	space_put(old);
}

/* Handle one stop, and let the thread continue. */
static void handle_stop(struct tracee *tracee, int status)
{
	int event = status >> 16, signo = WSTOPSIG(status);
	long how = PTRACE_CONT;

	if (!tracee->space) {
		tracee->stopped_new = true;
		return;
	}
	tracee_select(tracee);
	if (signo == (SIGTRAP | 0x80)) {
		if (tracee->in_call)
			tracecall_exit(tracee);
		tracee->in_call = false;
		signo = 0;
	} else if (event == PTRACE_EVENT_SECCOMP) {
		tracee->in_call = tracecall_enter(tracee);
		how = tracee->in_call ? PTRACE_SYSCALL : PTRACE_CONT;
		signo = 0;
	} else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		   event == PTRACE_EVENT_CLONE) {
		handle_birth(tracee, event);
		signo = 0;
	} else if (event == PTRACE_EVENT_EXEC) {
		handle_exec(tracee);
		signo = 0;
	} else if (event == PTRACE_EVENT_STOP) {
		if (signo != SIGTRAP) {
			/* stopped for job control: it stays stopped */
			ptrace(PTRACE_LISTEN, tracee->tid, NULL, NULL);
			return;
		}
		signo = 0;
	} else if (signo == SIGILL || signo == SIGSEGV || signo == SIGBUS) {
		signo = handle_trap(tracee, signo);
	}
	ptrace((enum __ptrace_request)how, tracee->tid, NULL, (void *)(intptr_t)signo);
}

int emu_tracer_run(struct emu_state *state, pid_t pid, pid_t server)
{
	struct tracee *tracee;
	int status, result = 0;
	pid_t tid;

	emu.state = state;
	emu.mm_ids = &state->mm_ids;
	emu.program = "traced";
	emu_decode_init();
	tracee = tracee_find(pid);
	if (!tracee) {
		tracee = tracee_add(pid);
		tracee->space = space_new(pid);
	}
	/*
	 * Children that outlive the program end with the run, as nothing is emulated for them any
	 * more.
	 */
	for (;;) {
		tid = waitpid(-1, &status, __WALL);
		if (tid < 0) {
			if (errno == EINTR)
				continue;
			return result;
		}
		if (tid == server)
			continue;
		tracee = tracee_find(tid);
		if (WIFSTOPPED(status)) {
			if (!tracee) {
				tracee = tracee_add(tid);
				tracee->new = true;
			}
			handle_stop(tracee, status);
			continue;
		}
		if (tid == pid)
			result = status;
		if (tracee)
			tracee_remove(tracee);
		if (tid == pid)
			return result;
	}
}
