/* SPDX-License-Identifier: MIT */
/*
 * System calls without libc, which return -errno, and the few byte loops that the preload library
 * needs. The room "base" has what knows nothing of the emulator; it calls no other room.
 *
 * libc is not used because signal handlers of the emulator run in programs that may interpose any
 * function of libc, above all memcpy (DSA memcpy libraries do), and because a handler must not
 * change errno.
 */
#ifndef EMU_BASE_RAW_H
#define EMU_BASE_RAW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#define EMU_LIKELY(x)   __builtin_expect(!!(x), 1)
#define EMU_UNLIKELY(x) __builtin_expect(!!(x), 0)

/*
 * The preload library calls an instruction in libc (gadget.c). So it is built without a red zone,
 * which such a call would overwrite.
 */
#ifdef EMU_GADGET
extern void (*emu_gadget)(void) __attribute__((visibility("hidden")));
#endif

static inline long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret = nr;

#ifdef EMU_GADGET
	__asm__ volatile("call *%[gadget]"
			 : "+a"(ret), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
			 : [gadget] "m"(emu_gadget)
			 : "rcx", "r11", "memory");
#else
	__asm__ volatile("syscall" : "+a"(ret) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
#endif
	return ret;
}

#define raw_syscall0(nr)                (raw_syscall6((nr), 0, 0, 0, 0, 0, 0))
#define raw_syscall1(nr, a)             (raw_syscall6((nr), (long)(a), 0, 0, 0, 0, 0))
#define raw_syscall2(nr, a, b)          (raw_syscall6((nr), (long)(a), (long)(b), 0, 0, 0, 0))
#define raw_syscall3(nr, a, b, c) (raw_syscall6((nr), (long)(a), (long)(b), (long)(c), 0, 0, 0))
#define raw_syscall4(nr, a, b, c, d) \
	(raw_syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0))
#define raw_syscall5(nr, a, b, c, d, e) \
	(raw_syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0))

static inline int raw_openat(int dirfd, const char *path, int flags, int mode)
{
	int fd = (int)raw_syscall4(SYS_openat, dirfd, path, flags, mode), moved;

	/* 0 to 2 belong to the program, even while they are closed. */
	if (fd < 0 || fd > 2)
		return fd;
	moved = (int)raw_syscall3(SYS_fcntl, fd, 1030 /* F_DUPFD_CLOEXEC */, 3);
	raw_syscall1(SYS_close, fd);
	return moved;
}

static inline int raw_close(int fd)
{
	return (int)raw_syscall1(SYS_close, fd);
}

static inline long raw_read(int fd, void *buf, size_t len)
{
	return raw_syscall3(SYS_read, fd, buf, len);
}

static inline long raw_write(int fd, const void *buf, size_t len)
{
	return raw_syscall3(SYS_write, fd, buf, len);
}

static inline int raw_getpid(void)
{
	return (int)raw_syscall0(SYS_getpid);
}

static inline int raw_gettid(void)
{
	return (int)raw_syscall0(SYS_gettid);
}

/* Is the result of a system call an error? */
static inline int raw_failed(long ret)
{
	return (unsigned long)ret > -4096ul;
}

static inline size_t raw_strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline int raw_streq(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Does s begin with prefix? */
static inline int raw_starts(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return 0;
	return 1;
}

static inline uint64_t raw_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void raw_pause(void)
{
	__asm__ volatile("pause");
}

#endif
