/* SPDX-License-Identifier: MIT */
/*
 * SIGILL, SIGSEGV, SIGBUS and SIGSYS (and SIGTRAP with --fast) belong to the emulator; what the
 * program does with them is kept behind it. To the program it looks as if its own handlers were
 * installed and as if it had blocked what it asked to block, but a blocked synchronous signal would
 * kill it, so they are never really blocked.
 */
#ifndef EMU_PRELOAD_SIGNALS_H
#define EMU_PRELOAD_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

typedef void emu_handler_fn(int signo, siginfo_t *info, void *context);

/* Install the handler for these signals. What was there before becomes the program's. */
void emu_signals_install(emu_handler_fn *handler);

/*
 * Install it again if something else got in its place by a system call that was not seen; that
 * something is then behind ours. And unblock ours in this thread.
 */
void emu_signals_check(void);

/*
 * Install ours once more, to return to the kernel by this address within libc; 0: by our own code.
 */
void emu_signals_restorer(uintptr_t address);

/*
 * Of ours, what this thread believes to have blocked; and, at the start of a thread, what it
 * inherits of that.
 */
uint64_t emu_signals_believed(void);
void emu_signals_thread(uint64_t inherited);

/* Give SIGSYS to the program for good: its handler is installed, and what it installs later. */
void emu_signals_give_sigsys(void);

/* Change that, as sigprocmask() does. What it was before. */
uint64_t emu_signals_believe(int how, uint64_t bits);

/*
 * At the start of a handler: ours that a call which was not seen has blocked in the interrupted
 * context are unblocked.
 */
void emu_signals_interrupted(ucontext_t *uc);

/*
 * rt_sigaction and rt_sigprocmask as system calls, with addresses of the program's. live: see
 * struct emu_call.
 */
long emu_signals_raw_action(int signo, uint64_t act, uint64_t old, uint64_t size);
long emu_signals_raw_mask(int how, uint64_t set, uint64_t old, uint64_t size, uint64_t *live);

/* Take ours out of a mask. True if any was in it. */
bool emu_signals_strip(uint64_t *mask);

/*
 * Give a signal to the program: call its handler, or let it die as it would have. made says that no
 * hardware raised this signal at this instruction, so that returning would not raise it again.
 */
void emu_signal_deliver(int signo, siginfo_t *info, ucontext_t *uc, bool made);

/* sigaction() for one of ours, by a function that libc does not hand to it. errno is set. */
int emu_signals_action(int signo, const struct sigaction *act, struct sigaction *old);

/* A mask for a call that waits under it, without ours: mask itself, or a changed copy. */
const sigset_t *emu_signals_open(const sigset_t *mask, sigset_t *copy);

#endif
