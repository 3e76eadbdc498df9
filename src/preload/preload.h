/* SPDX-License-Identifier: MIT */
/*
 * libsva-preload.so: what its files share.
 *
 * calls.c has the functions that programs call. Each compares the length with a minimum and jumps
 * to libc's function if it is shorter. The minimum is 0 until start.c has found libc's functions,
 * and larger than any length where no device is used. What remains goes to big.c.
 *
 * These functions are called before this library is relocated, and before there is thread-local
 * storage: by IFUNC resolvers and by the dynamic linker's own work. Until preload.started is true
 * no code may touch anything but this structure, which is zero then and needs no relocation, and
 * plain.c.
 */
#ifndef SVA_PRELOAD_PRELOAD_H
#define SVA_PRELOAD_PRELOAD_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <wchar.h>

#define EXPORT __attribute__((visibility("default")))
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Which function a program called; the others count as one of these. */
enum preload_call {
	CALL_MEMCPY,
	CALL_MEMMOVE,
	CALL_MEMSET,
	CALL_MEMCMP,
	CALL_COUNT
};

/* Why a call was done by the CPU, although it was long enough. */
enum preload_why {
	WHY_OVERLAP, /* the buffers overlap */
	WHY_CONTEXT, /* in a signal handler, or in a child of vfork(2) */
	WHY_FAILED,  /* the library returned an error */
	WHY_CHOICE,  /* the library chose the CPU */
	WHY_COUNT
};

struct sva;
struct sva_result;

struct preload {
	_Atomic size_t min[CALL_COUNT]; /* calls shorter than this go to libc */
	_Atomic bool started;           /* libc's functions are known */
	bool on;                        /* a device is used */
	bool counts;                    /* calls are counted */
	pid_t pid;                      /* of this process; a child of vfork(2) has another */
	uintptr_t text, text_end;       /* the code of libsva */

	void *(*memcpy)(void *, const void *, size_t);
	void *(*memmove)(void *, const void *, size_t);
	void *(*memset)(void *, int, size_t);
	int (*memcmp)(const void *, const void *, size_t);
	void *(*mempcpy)(void *, const void *, size_t);
	wchar_t *(*wmemset)(wchar_t *, wchar_t, size_t);
	int (*wmemcmp)(const wchar_t *, const wchar_t *, size_t);

	int (*sva_memcpy)(struct sva *, void *, const void *, size_t);
	int (*sva_memfill)(struct sva *, void *, uint64_t, size_t);
	int (*sva_compare)(struct sva *, const void *, const void *, size_t, size_t *);
	const struct sva_result *(*sva_last_result)(void);
};

/* What a thread is doing. */
struct preload_thread {
	unsigned int busy;     /* it is in the library */
	unsigned int handlers; /* signal handlers that it is in */
};

#pragma GCC visibility push(hidden)

extern struct preload preload;
extern __thread struct preload_thread preload_thread
	__attribute__((tls_model("initial-exec")));
extern __thread int preload_vforked __attribute__((tls_model("initial-exec")));

static inline size_t preload_min(enum preload_call call)
{
	return atomic_load_explicit(&preload.min[call], memory_order_relaxed);
}

/* big.c. caller: where the program called, to recognise libsva's own calls. */
void *preload_copy(void *dst, const void *src, size_t len, const void *caller,
		   enum preload_call call);
void *preload_fill(void *dst, int value, size_t len, const void *caller);
wchar_t *preload_wide_fill(wchar_t *dst, wchar_t value, size_t n, const void *caller);
int preload_compare(const void *a, const void *b, size_t len, const void *caller);
int preload_wide_compare(const wchar_t *a, const wchar_t *b, size_t n, const void *caller);

/* plain.c: the same as loops, which call nothing. */
void *plain_move(void *dst, const void *src, size_t len);
void *plain_fill(void *dst, int value, size_t len);
int plain_compare(const void *a, const void *b, size_t len);
wchar_t *plain_wide_fill(wchar_t *dst, wchar_t value, size_t n);
int plain_wide_compare(const wchar_t *a, const wchar_t *b, size_t n);

/* signals.c: finds libc's functions, and, once a device is used, wraps the handlers there are. */
void preload_signals_find(void);
void preload_signals_wrap(void);

/* device.c */
bool preload_may_be_device(void);

/* stats.c */
void preload_count_done(enum preload_call call, size_t len);
void preload_count_cpu(enum preload_call call, enum preload_why why);
void preload_stats_open(const char *where);

#pragma GCC visibility pop

#endif
