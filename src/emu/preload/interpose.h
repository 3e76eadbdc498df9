/* SPDX-License-Identifier: MIT */
/*
 * The room "preload" puts the emulator into a program: it installs the signal handler, and
 * functions in front of those of libc. It may call every room but "ptrace" and "run", and must not
 * call a function of libc by its name if a program may bring its own.
 */
#ifndef EMU_PRELOAD_INTERPOSE_H
#define EMU_PRELOAD_INTERPOSE_H

#include <stdint.h>

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

/* Return the result of a system call as libc does. */
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
