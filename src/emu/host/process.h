/* SPDX-License-Identifier: MIT */
/*
 * The room "host" is the port to the process that is emulated in. It has two implementations:
 * *_inside.c for the preload library, which is part of that process, and *_traced.c for the tracer
 * of --ptrace, which looks at one traced thread after the other. It calls only "base", and must not
 * know what a device, a queue or an instruction is.
 */
#ifndef EMU_HOST_PROCESS_H
#define EMU_HOST_PROCESS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct emu_state;

/*
 * An address space, on a page that the kernel wipes in the child of a fork. There id is 0 until the
 * child needs one, so what is tied to the id of the parent (open queues, portals, the PASID) is
 * void in the child, without any fork handler.
 */
struct emu_mm {
	uint32_t id;
	uint32_t pasid; /* a queue was opened: the CPU has a PASID to put into ENQCMD */
};

struct emu_process {
	struct emu_state *state; /* NULL: this process belongs to no run, and nothing is emulated */
	uint32_t *mm_ids;        /* in the state: the last id that was given to an address space */
	struct emu_mm *mm;
	const char *program;     /* for messages */
	char proc[24];           /* the process's directory in /proc */
	int pid, tid;            /* traced: of the thread that is looked at; 0: none */
};

extern struct emu_process emu;

/* Thread-local, in the static TLS block so that a signal handler may use it. */
#define EMU_TLS __thread __attribute__((tls_model("initial-exec")))

/*
 * The signals that show that an instruction is to be emulated, and those that its own accesses to
 * memory raise. A thread must never block them.
 */
#define EMU_SIGNALS_BIT(sig) (1ull << ((sig) - 1))
#define EMU_SIGNALS_OURS \
	(EMU_SIGNALS_BIT(SIGILL) | EMU_SIGNALS_BIT(SIGSEGV) | EMU_SIGNALS_BIT(SIGBUS) | \
	 EMU_SIGNALS_BIT(SIGSYS) | EMU_SIGNALS_BIT(SIGTRAP))

/* The id of this address space; makes one if it has none. */
uint32_t emu_mm_id(void);

/*
 * A short lock, for signal handlers too. It holds the id of the address space that took it: a child
 * of fork that finds its parent's id may take it, as the thread that held it is not in the child.
 */
static inline bool emu_trylock(uint32_t *lock)
{
	uint32_t mm = emu_mm_id(), seen = __atomic_load_n(lock, __ATOMIC_RELAXED);

	return seen != mm && __atomic_compare_exchange_n(lock, &seen, mm, false, __ATOMIC_ACQUIRE,
							 __ATOMIC_RELAXED);
}

static inline void emu_unlock(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/* The ids of the process and of the thread. */
int emu_pid(void);
int emu_tid(void);

/*
 * The bases of the segments FS and GS. Traced: left as they are, as they came with the registers.
 */
void emu_segment_bases(uint64_t *fs, uint64_t *gs);

/*
 * pthread_create(), as the program itself would call it: with a sanitizer this is the function of
 * the sanitizer, which has to know of each thread.
 */
int emu_create_thread(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
		      void *arg);

#endif
