/* SPDX-License-Identifier: MIT */
/*
 * The guard of work on the CPU, for programs that asked for it (SVA_OPEN_GUARD): a bad pointer
 * becomes -EFAULT. Handlers for SIGSEGV and SIGBUS act only while this thread is inside guarded
 * work and the address is in one of its buffers; any other signal goes to the handler that was
 * installed before, with the flags and mask that it was installed with.
 */
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include "lib/base/memory.h"
#include "lib/base/process.h"

/* user addresses are below it, unless a program asks for addresses of five-level page tables */
#define NEVER_CANONICAL (1ull << 47)

struct guarded {
	sigjmp_buf back;
	const struct sva_range *range;
	unsigned int n;
	volatile uintptr_t bad;
};

static struct sigaction previous[2]; /* SIGSEGV, SIGBUS */

static bool is_inside_buffers(const struct guarded *guarded, uintptr_t addr)
{
	for (unsigned int i = 0; i < guarded->n; i++)
		if (addr - guarded->range[i].addr < guarded->range[i].len)
			return true;
	return false;
}

/* Call it as the kernel would have: with its signal mask, and once only if it has SA_RESETHAND. */
static void call_earlier(struct sigaction *old, int sig, siginfo_t *info, void *context)
{
	struct sigaction now = *old;
	sigset_t before;

	if (!(now.sa_flags & SA_NODEFER))
		sigaddset(&now.sa_mask, sig);
	if (now.sa_flags & SA_RESETHAND)
		*old = (struct sigaction){.sa_handler = SIG_DFL};
	pthread_sigmask(SIG_BLOCK, &now.sa_mask, &before);
	if (now.sa_flags & SA_SIGINFO)
		now.sa_sigaction(sig, info, context);
	else
		now.sa_handler(sig);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void pass_signal_on(int sig, siginfo_t *info, void *context)
{
	struct sigaction *old = &previous[sig == SIGBUS];
	bool sent = info->si_code <= 0; /* by kill(2) or similar, not by an access */

	if ((old->sa_flags & SA_SIGINFO) ||
	    (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN)) {
		call_earlier(old, sig, info, context);
	} else if (!sent || old->sa_handler == SIG_DFL) {
		/*
		 * Restore the default action and return: the same access faults again and ends the
		 * program, as it would have without the library.
		 */
		signal(sig, SIG_DFL);
		if (sent)
			raise(sig);
	}
}

/*
 * A non-canonical address raises #GP, for which the kernel reports no address: find the buffer that
 * it lies in.
 */
static uintptr_t noncanonical_address(const struct guarded *guarded)
{
	for (unsigned int i = 0; i < guarded->n; i++)
		if (guarded->range[i].addr + guarded->range[i].len - 1 >= NEVER_CANONICAL)
			return guarded->range[i].addr;
	return 0;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct guarded *guarded = sva_tls.guard;
	uintptr_t addr = (uintptr_t)info->si_addr;

	if (guarded && info->si_code == SI_KERNEL && !addr)
		addr = noncanonical_address(guarded);
	if (guarded && info->si_code > 0 && is_inside_buffers(guarded, addr)) {
		guarded->bad = addr;
		sva_tls.guard = NULL;
		/*
		 * Restore the mask from before the signal: more signals are blocked than this
		 * handler asked for if another layer, such as a sanitizer, called it.
		 */
		pthread_sigmask(SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL);
		siglongjmp(guarded->back, 1);
	}
	pass_signal_on(sig, info, context);
}

int sva_guard_setup(void)
{
	static bool installed; /* sva_process.lock */
	struct sigaction action = {.sa_sigaction = on_fault};

	if (installed)
		return 0;
	/*
	 * SA_NODEFER: call_earlier() blocks what an earlier handler wants blocked. SA_ONSTACK: a
	 * program may have given its threads a stack for this. siglongjmp() does not restore the
	 * signal mask, since sigsetjmp() did not save it, which makes guarded work free of system
	 * calls; the handler restores it before the jump.
	 */
	action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGSEGV, &action, &previous[0]) || sigaction(SIGBUS, &action, &previous[1]))
		return -errno;
	installed = true;
	return 0;
}

int sva_guard_run(const struct sva_range *range, unsigned int n, void (*work)(void *arg), void *arg,
		  uint64_t *bad)
{
	struct guarded guarded = {.range = range, .n = n};

	if (sigsetjmp(guarded.back, 0)) {
		*bad = guarded.bad;
		return -EFAULT;
	}
	sva_tls.guard = &guarded;
	atomic_signal_fence(memory_order_seq_cst);
	work(arg);
	atomic_signal_fence(memory_order_seq_cst);
	sva_tls.guard = NULL;
	return 0;
}
