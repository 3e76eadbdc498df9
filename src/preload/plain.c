/* SPDX-License-Identifier: MIT */
/*
 * Copy, fill and compare as loops, for the calls that come before libc's functions are known. The
 * compiler must not turn them into calls of what they stand for; the makefile forbids it.
 */
#include "preload/preload.h"

void *plain_move(void *dst, const void *src, size_t len)
{
	unsigned char *to = dst;
	const unsigned char *from = src;

	if ((uintptr_t)to - (uintptr_t)from >= len)
		for (size_t i = 0; i < len; i++)
			to[i] = from[i];
	else
		for (size_t i = len; i-- > 0;)
			to[i] = from[i];
	return dst;
}

void *plain_fill(void *dst, int value, size_t len)
{
	unsigned char *to = dst;

	for (size_t i = 0; i < len; i++)
		to[i] = (unsigned char)value;
	return dst;
}

int plain_compare(const void *a, const void *b, size_t len)
{
	const unsigned char *one = a, *two = b;

	for (size_t i = 0; i < len; i++)
		if (one[i] != two[i])
			return one[i] - two[i];
	return 0;
}

wchar_t *plain_wide_fill(wchar_t *dst, wchar_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = value;
	return dst;
}

int plain_wide_compare(const wchar_t *a, const wchar_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}
