/* SPDX-License-Identifier: MIT */
/*
 * The older functions of libc that block signals, and those that switch contexts. They do not call
 * sigprocmask() by its name, so each is covered here.
 */
#include <errno.h>
#include <signal.h>
#include <ucontext.h>

#include "emu/host/process.h"
#include "emu/preload/interpose.h"
#include "emu/preload/signals.h"

#define OURS ((int)(uint32_t)EMU_SIGNALS_OURS)

static bool is_ours(int signo)
{
	return emu.state && signo >= 1 && signo <= 64 &&
	       (EMU_SIGNALS_BIT(signo) & EMU_SIGNALS_OURS);
}

#define WRAP_MASK(name, how) \
	EMU_INTERPOSE(int, name, int mask) \
	{ \
		typedef int next_fn(int); \
		int before; \
\
		if (!emu.state) \
			return EMU_NEXT(next_fn *, #name)(mask); \
		before = EMU_NEXT(next_fn *, #name)(mask & ~OURS); \
		return before | (int)emu_signals_believe(how, (uint32_t)mask); \
	}
WRAP_MASK(sigblock, SIG_BLOCK)
WRAP_MASK(sigsetmask, SIG_SETMASK)

EMU_INTERPOSE(int, siggetmask, void)
{
	return emu_sigblock(0);
}

#define WRAP_ONE(name, how) \
	EMU_INTERPOSE(int, name, int signo) \
	{ \
		typedef int next_fn(int); \
\
		if (!is_ours(signo)) \
			return EMU_NEXT(next_fn *, #name)(signo); \
		emu_signals_believe(how, EMU_SIGNALS_BIT(signo)); \
		return 0; \
	}
WRAP_ONE(sighold, SIG_BLOCK)
WRAP_ONE(sigrelse, SIG_UNBLOCK)

EMU_INTERPOSE(int, sigignore, int signo)
{
	typedef int next_fn(int);
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	return is_ours(signo) ? emu_signals_action(signo, &ignore, NULL) :
				EMU_NEXT(next_fn *, "sigignore")(signo);
}

/* Returns what was done with the signal before: SIG_HOLD if it was blocked. */
EMU_INTERPOSE(sighandler_t, sigset, int signo, sighandler_t handler)
{
	typedef sighandler_t next_fn(int, sighandler_t);
	struct sigaction act = { .sa_handler = handler }, old;
	uint64_t before;

	if (!is_ours(signo))
		return EMU_NEXT(next_fn *, "sigset")(signo, handler);
	if (emu_signals_action(signo, handler == SIG_HOLD ? NULL : &act, &old))
		return SIG_ERR;
	before = emu_signals_believe(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK,
				     EMU_SIGNALS_BIT(signo));
	return before & EMU_SIGNALS_BIT(signo) ? SIG_HOLD : old.sa_handler;
}

/*
 * Take our signals out of the mask that a context is entered with; the program believes to have
 * blocked them.
 */
static void enter_context(const ucontext_t *context)
{
	uint64_t *mask = (uint64_t *)(uintptr_t)&context->uc_sigmask;

	if (emu.state && context) {
		emu_signals_believe(SIG_SETMASK, *mask);
		emu_signals_strip(mask);
	}
}

EMU_INTERPOSE(int, setcontext, const ucontext_t *context)
{
	typedef int next_fn(const ucontext_t *);

	enter_context(context);
	return EMU_NEXT(next_fn *, "setcontext")(context);
}

/* This frame is part of the stack that is saved, so that the context can return to it. */
EMU_INTERPOSE(int, swapcontext, ucontext_t *save, const ucontext_t *context)
{
	typedef int next_fn(ucontext_t *, const ucontext_t *);

	enter_context(context);
	return EMU_NEXT(next_fn *, "swapcontext")(save, context);
}
