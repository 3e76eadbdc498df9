/* SPDX-License-Identifier: MIT */
/*
 * The string functions that the compiler, the model and Zydis call, as hidden symbols. Calls from
 * within the preload library end here, and never in a memcpy of the emulated program that would
 * submit to a DSA.
 */
#include <stddef.h>
#include <stdint.h>

#define EMU_HIDDEN __attribute__((visibility("hidden")))

EMU_HIDDEN void *memcpy(void *restrict dst, const void *restrict src, size_t len);
EMU_HIDDEN void *memmove(void *dst, const void *src, size_t len);
EMU_HIDDEN void *memset(void *dst, int value, size_t len);
EMU_HIDDEN int memcmp(const void *a, const void *b, size_t len);
EMU_HIDDEN size_t strlen(const char *s);

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	void *ret = dst;

	__asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(len) : : "memory");
	return ret;
}

void *memmove(void *dst, const void *src, size_t len)
{
	void *ret = dst;

	if ((uintptr_t)dst - (uintptr_t)src >= len)
		return memcpy(dst, src, len);
	dst = (char *)dst + len - 1;
	src = (const char *)src + len - 1;
	__asm__ volatile("std; rep movsb; cld"
			 : "+D"(dst), "+S"(src), "+c"(len)
			 :
			 : "memory", "cc");
	return ret;
}

void *memset(void *dst, int value, size_t len)
{
	void *ret = dst;

	__asm__ volatile("rep stosb" : "+D"(dst), "+c"(len) : "a"(value) : "memory");
	return ret;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a, *y = b;

	for (; len; len--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	const char *end = s;

	/* The barrier keeps the compiler from recognising strlen and calling it. */
	for (; *end; end++)
		__asm__ volatile("");
	return (size_t)(end - s);
}
