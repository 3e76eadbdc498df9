/* SPDX-License-Identifier: MIT */
/*
 * What is known of the program: by the preload library within it, or by the tracer of --ptrace of the one that it
 * looks at.
 */
#ifndef EMU_PROCESS_H
#define EMU_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "emu/device/state.h"

/*
 * An address space, on a page that the kernel wipes in the child of a fork. id is 0 there until the child needs one,
 * so what is tied to the id of the parent (open queues, portals, the PASID) is void in the child, without any fork
 * handler.
 */
struct emu_mm {
	uint32_t id;
	uint32_t pasid;  /* a queue was opened: the CPU has a PASID to put into ENQCMD */
};

struct emu_process {
	struct emu_state *state;  /* NULL: this process does not belong to a run; everything passes through */
	struct emu_mm *mm;
	const char *program;      /* for messages */
	char proc[24];            /* where it is in /proc */
};

extern struct emu_process emu;

/* Thread-local, in the static TLS block so that a signal handler may use it. */
#define EMU_TLS __thread __attribute__((tls_model("initial-exec")))

/* The id of this address space; makes one if there is none. */
uint32_t emu_mm_id(void);

/*
 * A short lock, for handlers too. It is held under the id of the address space: a child of fork that
 * finds its parent's there takes it, as the thread that held it is not in the child.
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

/* Process and thread. */
int emu_pid(void);
int emu_tid(void);

/* The next function of that name, after ours, in the order of the program's libraries. */
void *emu_next(const char *name);

#define EMU_NEXT(type, name) \
	({ \
		static type next_; \
		type found_ = __atomic_load_n(&next_, __ATOMIC_RELAXED); \
		if (!found_) { \
			found_ = (type)(uintptr_t)emu_next(name); \
			__atomic_store_n(&next_, found_, __ATOMIC_RELAXED); \
		} \
		found_; \
	})

/* Defines and exports a function of libc's in front of libc's own; its C name here is emu_NAME. */
#define EMU_EXPORT __attribute__((visibility("default")))
#define EMU_INTERPOSE(ret, name, ...) \
	EMU_EXPORT ret emu_##name(__VA_ARGS__) __asm__(#name); \
	EMU_EXPORT ret emu_##name(__VA_ARGS__)

/* Return a raw answer as libc does. */
#define EMU_RETURN(raw) \
	do { \
		long raw_ = (raw); \
		if (raw_failed(raw_)) { \
			errno = (int)-raw_; \
			return -1; \
		} \
		return (__typeof__(raw))raw_; \
	} while (0)

#endif
