/* SPDX-License-Identifier: MIT */
#include "unit/reference.h"

static uint32_t state = 0x2545f491;

uint32_t ref_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

uint32_t ref_below(uint32_t n)
{
	return ref_random() % n;
}

void ref_random_bytes(uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(ref_random() >> 11);
}

void ref_fill(uint8_t *to, size_t n, const uint8_t *pattern, size_t width)
{
	for (size_t i = 0; i < n; i++)
		to[i] = pattern[i % width];
}

static uint64_t reverse(uint64_t value, int width)
{
	uint64_t reversed = 0;

	for (int i = 0; i < width; i++)
		reversed |= (value >> i & 1) << (width - 1 - i);
	return reversed;
}

/* One bit after the other into a register whose most significant bit comes out. */
static uint64_t crc_bits(uint64_t reg, int width, uint64_t poly, const uint8_t *from, size_t n,
			 bool low_bit_first)
{
	uint64_t mask = ~0ull >> (64 - width);

	for (size_t i = 0; i < n; i++) {
		for (int b = 0; b < 8; b++) {
			unsigned int in = from[i] >> (low_bit_first ? b : 7 - b) & 1;
			unsigned int out = (unsigned int)(reg >> (width - 1) & 1);

			reg = reg << 1 & mask;
			if (in != out)
				reg ^= poly;
		}
	}
	return reg;
}

static uint64_t crc(int width, uint64_t poly, const uint8_t *from, size_t n, uint64_t seed,
		    bool bypass_inversion, bool bypass_reflection)
{
	uint64_t mask = ~0ull >> (64 - width), reg;

	reg = bypass_inversion ? seed : reverse(~seed & mask, width);
	reg = crc_bits(reg, width, poly, from, n, !bypass_reflection);
	return bypass_inversion ? reg : ~reverse(reg, width) & mask;
}

uint32_t ref_crc32c(const uint8_t *from, size_t n, uint32_t seed, bool bypass_inversion,
		    bool bypass_reflection)
{
	return (uint32_t)crc(32, 0x1edc6f41, from, n, seed, bypass_inversion, bypass_reflection);
}

uint64_t ref_crc64(const uint8_t *from, size_t n, uint64_t seed, bool bypass_inversion,
		   bool bypass_reflection)
{
	return crc(64, 0xad93d23594c93659ull, from, n, seed, bypass_inversion, bypass_reflection);
}

uint16_t ref_crc_t10(const uint8_t *from, size_t n, uint16_t seed)
{
	return (uint16_t)crc_bits(seed, 16, 0x8bb7, from, n, false);
}

size_t ref_create_delta(const uint8_t *old, const uint8_t *new, size_t n, uint8_t *record)
{
	size_t size = 0;

	for (size_t word = 0; word < n / 8; word++) {
		bool same = true;

		for (int i = 0; i < 8; i++)
			same &= old[word * 8 + i] == new[word * 8 + i];
		if (same)
			continue;
		record[size] = (uint8_t)word;
		record[size + 1] = (uint8_t)(word >> 8);
		for (int i = 0; i < 8; i++)
			record[size + 2 + i] = new[word * 8 + i];
		size += 10;
	}
	return size;
}

void ref_dif_tuple(uint8_t tuple[8], const uint8_t *block, size_t size, uint16_t guard_seed,
		   bool invert, uint16_t app, uint32_t ref)
{
	uint16_t guard = ref_crc_t10(block, size, guard_seed);

	if (invert)
		guard = (uint16_t)~guard;
	tuple[0] = (uint8_t)(guard >> 8);
	tuple[1] = (uint8_t)guard;
	tuple[2] = (uint8_t)(app >> 8);
	tuple[3] = (uint8_t)app;
	for (int i = 0; i < 4; i++)
		tuple[4 + i] = (uint8_t)(ref >> (24 - 8 * i));
}
