/* SPDX-License-Identifier: MIT */
/*
 * The inner loops of work on the CPU that gain from vector instructions, one table for each
 * instruction set. The best one that this CPU has is chosen when the library is loaded.
 */
#ifndef SVA_OP_CPU_WIDE_H
#define SVA_OP_CPU_WIDE_H

#include "lib/base/lib.h"

#pragma GCC visibility push(hidden)

/* Two halves of a pattern: byte 0 is the least significant one of low. */
__extension__ typedef unsigned __int128 sva_pattern;

/* The pattern after n bytes of it. */
static inline sva_pattern sva_pattern_at(sva_pattern pattern, size_t n)
{
	unsigned int bits = (unsigned int)(n % 16) * 8;

	return pattern >> bits | pattern << ((128 - bits) % 128);
}

static inline sva_pattern sva_pattern_of(uint64_t low, uint64_t high)
{
	return (sva_pattern)high << 64 | low;
}

/* A delta record that is being written. */
struct sva_delta {
	uint8_t *record;
	uint32_t size, max;
	size_t done; /* bytes of the sources that it covers; the rest did not fit */
};

struct sva_wide {
	const char *name;
	/* Can this CPU run it? */
	bool (*is_usable)(void);
	/* len is at least 64. */
	void (*fill)(uint8_t *to, sva_pattern pattern, size_t len);
	/* The offset of the first byte that differs, or len. */
	size_t (*find_difference)(const uint8_t *a, const uint8_t *b, size_t len);
	size_t (*find_other)(const uint8_t *a, uint64_t pattern, size_t len);
	/* len is a multiple of 8. */
	void (*record_differences)(const uint8_t *from, const uint8_t *to, size_t len,
				   struct sva_delta *delta);
};

/* The table in use. Tests set another. */
extern const struct sva_wide *sva_wide;
/* All tables of this build, the plainest first, ended by NULL. */
extern const struct sva_wide *const sva_wide_all[];

extern const struct sva_wide sva_wide_plain, sva_wide_sse2, sva_wide_avx2, sva_wide_avx512;

/* What the tables share. */

static inline uint64_t sva_load8(const uint8_t *from)
{
	uint64_t word;

	__builtin_memcpy(&word, from, 8);
	return word;
}

static inline void sva_store8(uint8_t *to, uint64_t word)
{
	__builtin_memcpy(to, &word, 8);
}

/*
 * Append entries for one line of a delta's sources; bit n of words: record the n-th word. Returns
 * false if there is no room.
 */
static inline bool sva_delta_add(struct sva_delta *delta, const uint8_t *to, size_t offset,
				 unsigned int words)
{
	uint32_t size = delta->size + SVA_DELTA_ENTRY_SIZE * (uint32_t)__builtin_popcount(words);

	/*
	 * A full record ends before the first line whose entries do not all fit, as the model's
	 * does.
	 */
	if (size > delta->max)
		return false;
	for (uint8_t *entry = delta->record + delta->size; words;
	     words &= words - 1, entry += SVA_DELTA_ENTRY_SIZE) {
		unsigned int word = (unsigned int)__builtin_ctz(words);
		uint16_t index = (uint16_t)(offset / 8 + word);

		__builtin_memcpy(entry, &index, 2);
		__builtin_memcpy(entry + 2, to + offset + (size_t)word * 8, 8);
	}
	delta->size = size;
	return true;
}

/* Append entries for the last words, which are less than a line. */
static inline void sva_delta_end(const uint8_t *from, const uint8_t *to, size_t len,
				 struct sva_delta *delta)
{
	unsigned int words = 0;

	for (size_t i = 0; delta->done + i * 8 < len; i++)
		words |= (unsigned int)(sva_load8(from + delta->done + i * 8) !=
					sva_load8(to + delta->done + i * 8))
			 << i;
	if (sva_delta_add(delta, to, delta->done, words))
		delta->done = len;
}

/* find_difference() for fewer than 64 bytes. */
static inline size_t sva_find_short(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		uint64_t bits = sva_load8(a + i) ^ sva_load8(b + i);

		if (bits)
			return i + (size_t)__builtin_ctzll(bits) / 8;
	}
	while (i < len && a[i] == b[i])
		i++;
	return i;
}

/* find_other() in plain C. The pattern begins with its first byte. */
static inline size_t sva_find_other_short(const uint8_t *a, uint64_t pattern, size_t len)
{
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		uint64_t bits = sva_load8(a + i) ^ pattern;

		if (bits)
			return i + (size_t)__builtin_ctzll(bits) / 8;
	}
	while (i < len && a[i] == (uint8_t)(pattern >> (i % 8 * 8)))
		i++;
	return i;
}

#pragma GCC visibility pop

#endif
