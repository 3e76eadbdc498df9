/* SPDX-License-Identifier: MIT */
/*
 * SIGILL, SIGSEGV and SIGBUS (and SIGTRAP with --fast) belong to the emulator; what the program does with them is
 * kept behind it. To the program it looks as if its own handlers were installed and as if it had blocked what it
 * asked to block, but a blocked synchronous signal would kill it, so they are never really blocked.
 */
#ifndef EMU_SIGNALS_H
#define EMU_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

typedef void emu_handler_fn(int signo, siginfo_t *info, void *context);

/* Install the handler for these signals. What was there before becomes the program's. */
void emu_signals_install(emu_handler_fn *handler);

/* Install it again if something else got in its place by a bare system call; that something is then behind ours. */
void emu_signals_check(void);

/*
 * Give a signal to the program: call its handler, or let it die as it would have. made says that no hardware raised
 * this signal at this instruction, so that returning would not raise it again.
 */
void emu_signal_deliver(int signo, siginfo_t *info, ucontext_t *uc, bool made);

/* A mask for a call that waits under it, without ours: mask itself, or a changed copy. */
const sigset_t *emu_signals_open(const sigset_t *mask, sigset_t *copy);

#endif
