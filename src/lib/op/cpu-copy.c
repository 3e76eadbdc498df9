/* SPDX-License-Identifier: MIT */
/* Copies on the CPU that are not memmove(3). */
#include <string.h>

#include "lib/op/cpu.h"

/* Data that is read twice is read in pieces that stay in the first-level cache. */
#define PIECE 16384u

/* Each piece of the source is read from memory once. */
void sva_cpu_dualcast(void *dst1, void *dst2, const void *src, size_t len)
{
	uint8_t *one = dst1, *two = dst2;
	const uint8_t *from = src;

	for (; len > PIECE; one += PIECE, two += PIECE, from += PIECE, len -= PIECE) {
		memcpy(one, from, PIECE);
		memcpy(two, from, PIECE);
	}
	memcpy(one, from, len);
	memcpy(two, from, len);
}
