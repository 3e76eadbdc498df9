/* SPDX-License-Identifier: MIT */
/*
 * Fills on the CPU. A pattern of one repeated byte is memset(3). Other patterns are stored in
 * vectors; the last store overlaps the one before it, with the pattern rotated by as many bytes.
 */
#include <string.h>

#include "lib/op/cpu.h"

/* Fewer than 16 bytes: store the first and the last half, which overlap. */
static void fill_few(uint8_t *to, uint64_t low, uint64_t high, size_t len)
{
	if (len >= 8) {
		sva_pattern pattern = sva_pattern_of(low, high);

		sva_store8(to, low);
		sva_store8(to + len - 8, (uint64_t)(pattern >> ((len - 8) * 8)));
	} else if (len >= 4) {
		uint32_t first = (uint32_t)low, last = (uint32_t)(low >> ((len - 4) * 8));

		memcpy(to, &first, 4);
		memcpy(to + len - 4, &last, 4);
	} else {
		for (; len; len--, low >>= 8)
			*to++ = (uint8_t)low;
	}
}

static void fill_pattern(uint8_t *to, sva_pattern pattern, size_t len)
{
	uint64_t low = (uint64_t)pattern, high = (uint64_t)(pattern >> 64);
	size_t i;

	if (len >= 64) {
		sva_wide->fill(to, pattern, len);
		return;
	}
	if (len < 16) {
		fill_few(to, low, high, len);
		return;
	}
	for (i = 0; i + 16 <= len; i += 16) {
		sva_store8(to + i, low);
		sva_store8(to + i + 8, high);
	}
	pattern = sva_pattern_at(pattern, len);
	sva_store8(to + len - 16, (uint64_t)pattern);
	sva_store8(to + len - 8, (uint64_t)(pattern >> 64));
}

/* Is it one byte, eight times? */
static inline bool is_byte(uint64_t pattern)
{
	return pattern == (pattern & 0xff) * 0x0101010101010101ull;
}

void sva_cpu_fill(void *dst, uint64_t pattern, size_t len)
{
	if (is_byte(pattern))
		memset(dst, (int)(pattern & 0xff), len);
	else
		fill_pattern(dst, sva_pattern_of(pattern, pattern), len);
}

void sva_cpu_fill16(void *dst, uint64_t low, uint64_t high, size_t len)
{
	if (low == high)
		sva_cpu_fill(dst, low, len);
	else
		fill_pattern(dst, sva_pattern_of(low, high), len);
}
