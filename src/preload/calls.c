/* SPDX-License-Identifier: MIT */
/*
 * The functions of libc that programs call: memcpy(3) and its kin, with the names that the
 * compiler makes of them for _FORTIFY_SOURCE, and those of wide characters. The short way is a
 * comparison and a jump.
 */
#include "preload/preload.h"

/* The compiler calls the checked ones, which are in no header. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define CALLER __builtin_return_address(0)

/* Of libc: prints that a buffer overflowed and ends the process. */
void __chk_fail(void) __attribute__((noreturn));

static inline __attribute__((always_inline)) void *copy(void *dst, const void *src, size_t len,
							const void *caller)
{
	if (unlikely(len >= preload_min(CALL_MEMCPY)))
		return preload_copy(dst, src, len, caller, CALL_MEMCPY);
	return preload.memcpy(dst, src, len);
}

static inline __attribute__((always_inline)) void *move(void *dst, const void *src, size_t len,
							const void *caller)
{
	if (unlikely(len >= preload_min(CALL_MEMMOVE)))
		return preload_copy(dst, src, len, caller, CALL_MEMMOVE);
	return preload.memmove(dst, src, len);
}

static inline __attribute__((always_inline)) void *fill(void *dst, int value, size_t len,
							const void *caller)
{
	if (unlikely(len >= preload_min(CALL_MEMSET)))
		return preload_fill(dst, value, len, caller);
	return preload.memset(dst, value, len);
}

static inline __attribute__((always_inline)) int compare(const void *a, const void *b, size_t len,
							 const void *caller)
{
	if (unlikely(len >= preload_min(CALL_MEMCMP)))
		return preload_compare(a, b, len, caller);
	return preload.memcmp(a, b, len);
}

static inline __attribute__((always_inline)) void *copy_to_end(void *dst, const void *src,
							       size_t len, const void *caller)
{
	if (unlikely(len >= preload_min(CALL_MEMCPY)))
		return (char *)preload_copy(dst, src, len, caller, CALL_MEMCPY) + len;
	return preload.mempcpy(dst, src, len);
}

/* A buffer of size bytes takes len: as libc's checked functions require. */
static inline __attribute__((always_inline)) void check(size_t len, size_t size)
{
	if (unlikely(len > size))
		__chk_fail();
}

EXPORT void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	return copy(dst, src, len, CALLER);
}

EXPORT void *memmove(void *dst, const void *src, size_t len)
{
	return move(dst, src, len, CALLER);
}

EXPORT void *memset(void *dst, int value, size_t len)
{
	return fill(dst, value, len, CALLER);
}

EXPORT int memcmp(const void *a, const void *b, size_t len)
{
	return compare(a, b, len, CALLER);
}

EXPORT int bcmp(const void *a, const void *b, size_t len)
{
	return compare(a, b, len, CALLER);
}

EXPORT void bcopy(const void *src, void *dst, size_t len)
{
	move(dst, src, len, CALLER);
}

EXPORT void bzero(void *dst, size_t len)
{
	fill(dst, 0, len, CALLER);
}

EXPORT void *mempcpy(void *restrict dst, const void *restrict src, size_t len)
{
	return copy_to_end(dst, src, len, CALLER);
}

EXPORT void *__mempcpy(void *restrict dst, const void *restrict src, size_t len)
{
	return copy_to_end(dst, src, len, CALLER);
}

EXPORT void *__memcpy_chk(void *restrict dst, const void *restrict src, size_t len, size_t size)
{
	check(len, size);
	return copy(dst, src, len, CALLER);
}

EXPORT void *__memmove_chk(void *dst, const void *src, size_t len, size_t size)
{
	check(len, size);
	return move(dst, src, len, CALLER);
}

EXPORT void *__memset_chk(void *dst, int value, size_t len, size_t size)
{
	check(len, size);
	return fill(dst, value, len, CALLER);
}

EXPORT void *__mempcpy_chk(void *restrict dst, const void *restrict src, size_t len, size_t size)
{
	check(len, size);
	return copy_to_end(dst, src, len, CALLER);
}

/* ------------------------------------------------------------------ wide characters */

/* Bytes of n characters; a number that does not fit is as wrong here as in libc. */
static inline size_t wide(size_t n)
{
	return n * sizeof(wchar_t);
}

static inline __attribute__((always_inline)) wchar_t *wide_fill(wchar_t *dst, wchar_t value,
								size_t n, const void *caller)
{
	if (unlikely(wide(n) >= preload_min(CALL_MEMSET)))
		return preload_wide_fill(dst, value, n, caller);
	return preload.wmemset(dst, value, n);
}

EXPORT wchar_t *wmemcpy(wchar_t *restrict dst, const wchar_t *restrict src, size_t n)
{
	return copy(dst, src, wide(n), CALLER);
}

EXPORT wchar_t *wmemmove(wchar_t *dst, const wchar_t *src, size_t n)
{
	return move(dst, src, wide(n), CALLER);
}

EXPORT wchar_t *wmempcpy(wchar_t *restrict dst, const wchar_t *restrict src, size_t n)
{
	return copy_to_end(dst, src, wide(n), CALLER);
}

EXPORT wchar_t *wmemset(wchar_t *dst, wchar_t value, size_t n)
{
	return wide_fill(dst, value, n, CALLER);
}

EXPORT int wmemcmp(const wchar_t *a, const wchar_t *b, size_t n)
{
	if (unlikely(wide(n) >= preload_min(CALL_MEMCMP)))
		return preload_wide_compare(a, b, n, CALLER);
	return preload.wmemcmp(a, b, n);
}

EXPORT wchar_t *__wmemcpy_chk(wchar_t *restrict dst, const wchar_t *restrict src, size_t n,
			      size_t size)
{
	check(n, size);
	return copy(dst, src, wide(n), CALLER);
}

EXPORT wchar_t *__wmemmove_chk(wchar_t *dst, const wchar_t *src, size_t n, size_t size)
{
	check(n, size);
	return move(dst, src, wide(n), CALLER);
}

EXPORT wchar_t *__wmempcpy_chk(wchar_t *restrict dst, const wchar_t *restrict src, size_t n,
			       size_t size)
{
	check(n, size);
	return copy_to_end(dst, src, wide(n), CALLER);
}

EXPORT wchar_t *__wmemset_chk(wchar_t *dst, wchar_t value, size_t n, size_t size)
{
	check(n, size);
	return wide_fill(dst, value, n, CALLER);
}
