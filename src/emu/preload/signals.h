/* SPDX-License-Identifier: MIT */
/*
 * The emulator handles SIGILL, SIGSEGV, SIGBUS and SIGSYS (and SIGTRAP with --fast), "our signals".
 * It notes what the program wants done with them. The program sees its own handlers as installed
 * and its own mask as set; but our signals are never really blocked, as a blocked synchronous
 * signal ends a program.
 */
#ifndef EMU_PRELOAD_SIGNALS_H
#define EMU_PRELOAD_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

typedef void emu_handler_fn(int signo, siginfo_t *info, void *context);

/*
 * Install the handler for our signals. The actions that were there before become those of the
 * program.
 */
void emu_signals_install(emu_handler_fn *handler);

/*
 * Install it again if a system call that was not seen has replaced it; the replacement becomes the
 * action of the program. And unblock our signals in this thread.
 */
void emu_signals_check(void);

/*
 * Install our handler again, to return to the kernel by this address in libc; 0: by our own code.
 */
void emu_signals_restorer(uintptr_t address);

/*
 * Which of our signals this thread believes to have blocked; and, at the start of a thread, set
 * what it inherits.
 */
uint64_t emu_signals_believed(void);
void emu_signals_thread(uint64_t inherited);

/* Leave SIGSYS to the program from now on: install its handler, and each that it sets later. */
void emu_signals_give_sigsys(void);

/* Change what this thread believes, as sigprocmask() does. Returns what it was before. */
uint64_t emu_signals_believe(int how, uint64_t bits);

/*
 * At the start of a handler: unblock those of our signals that a call that was not seen has blocked
 * in the interrupted context.
 */
void emu_signals_interrupted(ucontext_t *uc);

/*
 * rt_sigaction(2) and rt_sigprocmask(2) as system calls, with addresses of the program. live: the
 * member mask of struct emu_call.
 */
long emu_signals_raw_action(int signo, uint64_t act, uint64_t old, uint64_t size);
long emu_signals_raw_mask(int how, uint64_t set, uint64_t old, uint64_t size, uint64_t *live);

/* Take our signals out of a mask. True if any was in it. */
bool emu_signals_strip(uint64_t *mask);

/*
 * Deliver a signal to the program: call its handler, or let the signal end it. made: no instruction
 * raised this signal, so that returning would not raise it again.
 */
void emu_signal_deliver(int signo, siginfo_t *info, ucontext_t *uc, bool made);

/* sigaction() for one of ours, for functions of libc that do not call it. Sets errno. */
int emu_signals_action(int signo, const struct sigaction *act, struct sigaction *old);

/* The mask for a call that waits under one, without our signals: mask itself, or a changed copy. */
const sigset_t *emu_signals_open(const sigset_t *mask, sigset_t *copy);

#endif
