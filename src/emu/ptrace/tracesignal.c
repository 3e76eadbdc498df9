/* SPDX-License-Identifier: MIT */
/* The signal masks and handlers of a traced program: see tracesignal.h. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "emu/host/memory.h"
#include "emu/ptrace/tracesignal.h"

#define BIT(sig) (1ull << ((sig)-1))
#define OURS (BIT(SIGILL) | BIT(SIGSEGV) | BIT(SIGBUS))

/* The structure of the kernel. */
struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

static void change_mask(struct tracee *tracee, struct user_regs_struct *regs)
{
	uint64_t bits, now = 0, before, after;
	long ret = 0;

	if (regs->r10 != sizeof(now)) {
		tracee_answer(tracee, regs, -EINVAL);
		return;
	}
	ptrace(PTRACE_GETSIGMASK, tracee->tid, sizeof(now), &now);
	before = after = now | tracee->believed;
	if (regs->rsi) {
		if (emu_fetch(&bits, regs->rsi, sizeof(bits), NULL))
			ret = -EFAULT;
		else if (regs->rdi == SIG_BLOCK)
			after |= bits;
		else if (regs->rdi == SIG_UNBLOCK)
			after &= ~bits;
		else if (regs->rdi == SIG_SETMASK)
			after = bits;
		else
			ret = -EINVAL;
	}
	if (ret == 0) {
		after &= ~(BIT(SIGKILL) | BIT(SIGSTOP));
		tracee->believed = after & OURS;
		after &= ~OURS;
		ptrace(PTRACE_SETSIGMASK, tracee->tid, sizeof(after), &after);
		if (regs->rdx && emu_store(regs->rdx, &before, sizeof(before), NULL))
			ret = -EFAULT;
	}
	tracee_answer(tracee, regs, ret);
}

/*
 * Pass rt_sigaction(2) on without SIGILL, SIGSEGV and SIGBUS in the mask, and with the default
 * action for one of these that is to be ignored.
 */
static bool change_action(struct tracee *tracee, struct user_regs_struct *regs)
{
	struct kernel_action act;
	uint64_t signo = regs->rdi;

	tracee->action.changed = false;
	if (signo < 1 || signo >= TRACEE_SIGNALS || regs->r10 != sizeof(uint64_t))
		return false;
	if (!regs->rsi)
		return true;
	if (emu_fetch(&act, regs->rsi, sizeof(act), NULL))
		return false;
	tracee->action.changed = true;
	tracee->action.hidden = act.mask & OURS;
	tracee->action.ignored = (BIT(signo) & OURS) && act.handler == (uintptr_t)SIG_IGN;
	act.mask &= ~OURS;
	if (tracee->action.ignored)
		act.handler = (uintptr_t)SIG_DFL;
	regs->rsi = tracee_scratch(regs);
	if (emu_store(regs->rsi, &act, sizeof(act), NULL))
		return false;
	tracee_change(tracee, regs);
	return true;
}

static void note_action(struct tracee *tracee)
{
	uint64_t signo = tracee->entry.rdi, old = tracee->entry.rdx, bit = BIT(signo);
	struct space *space = tracee->space;
	struct kernel_action act;

	if (old && emu_fetch(&act, old, sizeof(act), NULL) == 0) {
		act.mask |= space->hidden[signo];
		if (space->ignored & bit)
			act.handler = (uintptr_t)SIG_IGN;
		emu_store(old, &act, sizeof(act), NULL);
	}
	if (!tracee->action.changed)
		return;
	space->hidden[signo] = tracee->action.hidden;
	space->ignored = tracee->action.ignored ? space->ignored | bit : space->ignored & ~bit;
}

/*
 * Take these signals out of the mask of a call that waits under one: *arg points to the mask, or
 * (pair) to its address and size.
 */
static bool change_wait(struct tracee *tracee, struct user_regs_struct *regs,
			unsigned long long *arg, bool pair)
{
	struct {
		uint64_t set, size, mask;
	} copy;
	uint64_t scratch = tracee_scratch(regs);

	if (!*arg)
		return false;
	copy.set = *arg;
	if (pair && (emu_fetch(&copy, *arg, 2 * sizeof(uint64_t), NULL) || !copy.set))
		return false;
	if (emu_fetch(&copy.mask, copy.set, sizeof(copy.mask), NULL) || !(copy.mask & OURS))
		return false;
	copy.mask &= ~OURS;
	copy.set = scratch + 2 * sizeof(uint64_t);
	if (emu_store(scratch, &copy, sizeof(copy), NULL))
		return false;
	*arg = pair ? scratch : copy.set;
	tracee_change(tracee, regs);
	return true;
}

/* rt_sigreturn(2): the stack pointer is at the context that is restored. */
static void strip_context(struct tracee *tracee, const struct user_regs_struct *regs)
{
	uint64_t at = regs->rsp + offsetof(ucontext_t, uc_sigmask), mask;

	if (emu_fetch(&mask, at, sizeof(mask), NULL) || !(mask & OURS))
		return;
	tracee->believed |= mask & OURS;
	mask &= ~OURS;
	emu_store(at, &mask, sizeof(mask), NULL);
}

bool tracesignal_enter(struct tracee *tracee, struct user_regs_struct *regs)
{
	switch (regs->orig_rax) {
	case SYS_rt_sigprocmask:
		change_mask(tracee, regs);
		return false;
	case SYS_rt_sigaction:
		return change_action(tracee, regs);
	case SYS_rt_sigreturn:
		strip_context(tracee, regs);
		return false;
	case SYS_rt_sigsuspend:
		return change_wait(tracee, regs, &regs->rdi, false);
	case SYS_ppoll:
		return change_wait(tracee, regs, &regs->r10, false);
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		return change_wait(tracee, regs, &regs->r8, false);
	case SYS_pselect6:
		return change_wait(tracee, regs, &regs->r9, true);
	default:
		return false;
	}
}

void tracesignal_exit(struct tracee *tracee)
{
	if (tracee->entry.orig_rax == SYS_rt_sigaction)
		note_action(tracee);
}

bool tracesignal_ignored(const struct tracee *tracee, int signo)
{
	return tracee->space->ignored & BIT(signo);
}

void tracesignal_born(struct tracee *child, const struct tracee *parent)
{
	child->believed = parent->believed;
	if (child->space == parent->space)
		return;
	memcpy(child->space->hidden, parent->space->hidden, sizeof(child->space->hidden));
	child->space->ignored = parent->space->ignored;
}

void tracesignal_executed(struct space *space, const struct space *old)
{
	space->ignored = old->ignored;
}
