/* SPDX-License-Identifier: MIT */
/*
 * How the drop-in knows that a thread is in a signal handler, or is a child of vfork(2): there
 * memcpy(3) is permitted, and the library is not. Once a device is used, the handlers of the
 * program are called through on_signal(), which counts them for the thread. What a program asks for
 * is what it had set. A handler that is left by a jump stays counted, and the thread's later calls
 * are done by the CPU.
 */
#include <dlfcn.h>

#include "preload/preload.h"

/* Some of these are in no header any more, and called all the same. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define SIGNALS 65

typedef void handler_fn(int, siginfo_t *, void *);
typedef void plain_fn(int);

/* The handler that the program has set for each signal, while the kernel has on_signal(). */
static _Atomic(uintptr_t) handlers[SIGNALS];

static int (*next_sigaction)(int, const struct sigaction *, struct sigaction *);

/* The older functions, whose handlers take one argument. */
#define OLDER(X) X(signal) X(ssignal) X(bsd_signal) X(sysv_signal) X(__sysv_signal) X(sigset)
#define DECLARE(name) static plain_fn *(*next_##name)(int, plain_fn *);
OLDER(DECLARE)

/* For vfork() below. */
__attribute__((visibility("hidden"), used)) pid_t (*preload_vfork)(void);

/*
 * The kernel passes all three arguments to handlers of either kind on x86, so one function serves
 * both.
 */
static void on_signal(int sig, siginfo_t *info, void *context)
{
	handler_fn *handler = (handler_fn *)atomic_load(&handlers[sig]);

	preload_thread.handlers++;
	handler(sig, info, context);
	preload_thread.handlers--;
}

/* As the functions that take a handler want it. */
static plain_fn *our_handler(void)
{
	return (plain_fn *)(uintptr_t)on_signal;
}

static bool is_handler(plain_fn *fn)
{
	return fn != SIG_DFL && fn != SIG_IGN && fn != SIG_ERR && fn != SIG_HOLD;
}

static bool is_wrapped(int sig)
{
	return preload.on && sig > 0 && sig < SIGNALS;
}

/* What the program had set, if the kernel says on_signal(). */
static plain_fn *translate(plain_fn *fn, uintptr_t before)
{
	return fn == our_handler() ? (plain_fn *)before : fn;
}

EXPORT int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction wrapped;
	uintptr_t before;
	int rc;

	if (!next_sigaction)
		preload_signals_find();
	if (!is_wrapped(sig))
		return next_sigaction(sig, act, old);
	before = atomic_load(&handlers[sig]);
	if (act && is_handler(act->sa_handler)) {
		/* First the table: from now on a signal finds the new handler. */
		wrapped = *act;
		atomic_store(&handlers[sig], (uintptr_t)act->sa_handler);
		wrapped.sa_sigaction = on_signal;
		wrapped.sa_flags = act->sa_flags;
		act = &wrapped;
	}
	rc = next_sigaction(sig, act, old);
	if (rc && act == &wrapped)
		atomic_store(&handlers[sig], before);
	if (!rc && old)
		old->sa_handler = translate(old->sa_handler, before);
	return rc;
}

EXPORT int __sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	return sigaction(sig, act, old);
}

static plain_fn *set_handler(plain_fn *(*next)(int, plain_fn *), int sig, plain_fn *handler)
{
	plain_fn *old;
	uintptr_t before;

	if (!is_wrapped(sig))
		return next(sig, handler);
	before = atomic_load(&handlers[sig]);
	if (!is_handler(handler))
		return translate(next(sig, handler), before);
	atomic_store(&handlers[sig], (uintptr_t)handler);
	old = next(sig, our_handler());
	if (old == SIG_ERR)
		atomic_store(&handlers[sig], before);
	return translate(old, before);
}

#define DEFINE(name) \
	EXPORT plain_fn *name(int sig, plain_fn *handler) \
	{ \
		if (!next_##name) \
			preload_signals_find(); \
		return set_handler(next_##name, sig, handler); \
	}
OLDER(DEFINE)

/*
 * vfork(2) returns twice to where it was called, so this jumps to libc's function instead of
 * calling it; before that was found, fork(2) does, which promises more. The mark is read in big.c.
 */
#define VFORK(name) \
	".globl " name "\n" \
	".type " name ", @function\n" \
	name ":\n" \
	"	endbr64\n" \
	"	movq preload_vforked@gottpoff(%rip), %rax\n" \
	"	movl $1, %fs:(%rax)\n" \
	"	movq preload_vfork(%rip), %rax\n" \
	"	testq %rax, %rax\n" \
	"	jz 1f\n" \
	"	jmp *%rax\n" \
	"1:	jmp fork@PLT\n" \
	".size " name ", . - " name "\n"
__asm__(".pushsection .text\n" VFORK("vfork") VFORK("__vfork") ".popsection\n");

void preload_signals_find(void)
{
	next_sigaction = (__typeof__(next_sigaction))dlsym(RTLD_NEXT, "sigaction");
#define FIND(name) next_##name = (__typeof__(next_##name))dlsym(RTLD_NEXT, #name);
	OLDER(FIND)
	preload_vfork = (pid_t (*)(void))dlsym(RTLD_NEXT, "vfork");
}

/* Handlers that were set before this library started, by constructors of others. */
void preload_signals_wrap(void)
{
	struct sigaction act;

	for (int sig = 1; sig < SIGNALS; sig++) {
		if (next_sigaction(sig, NULL, &act) || !is_handler(act.sa_handler))
			continue;
		atomic_store(&handlers[sig], (uintptr_t)act.sa_handler);
		act.sa_sigaction = on_signal;
		next_sigaction(sig, &act, NULL);
	}
}
