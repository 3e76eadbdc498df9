/* SPDX-License-Identifier: MIT */
/*
 * CRC and copy with CRC on the CPU, by ISA-L where it has the polynomial (model/checksum.h). Its
 * register is bit-reversed and takes each byte's lowest bit first, as the device does by default;
 * data that enters highest bit first is bit-reversed byte by byte before.
 */
#include <string.h>

#include "lib/op/cpu.h"

/* Data that is read twice is read in pieces that stay in the first-level cache. */
#define PIECE 16384u

typedef uint64_t two_words __attribute__((vector_size(16)));

/* Reverse the bits of each byte, in both words. */
static inline two_words reverse_bytes(two_words x)
{
	x = (x >> 1 & 0x5555555555555555) | (x & 0x5555555555555555) << 1;
	x = (x >> 2 & 0x3333333333333333) | (x & 0x3333333333333333) << 2;
	return (x >> 4 & 0x0f0f0f0f0f0f0f0f) | (x & 0x0f0f0f0f0f0f0f0f) << 4;
}

/* Reverse the bits of a register of 64 or 32 bits. */
static uint64_t reverse_register(uint64_t x, bool wide)
{
	two_words both = {x, 0};

	x = __builtin_bswap64(reverse_bytes(both)[0]);
	return wide ? x : x >> 32;
}

static uint64_t update_register(uint64_t reg, const uint8_t *bytes, size_t len, bool wide)
{
	return wide ? model_crc64(reg, bytes, len) : model_crc32c((uint32_t)reg, bytes, len);
}

static uint64_t update_reversed(uint64_t reg, const uint8_t *bytes, size_t len, bool wide)
{
	uint8_t turned[1024 + 16];
	two_words words;

	while (len) {
		size_t part = len < 1024 ? len : 1024, i;

		for (i = 0; i + 16 <= part; i += 16) {
			memcpy(&words, bytes + i, 16);
			words = reverse_bytes(words);
			memcpy(turned + i, &words, 16);
		}
		if (i < part) {
			words = (two_words){0, 0};
			memcpy(&words, bytes + i, part - i);
			words = reverse_bytes(words);
			memcpy(turned + i, &words, 16);
		}
		reg = update_register(reg, turned, part, wide);
		bytes += part;
		len -= part;
	}
	return reg;
}

struct crc {
	uint64_t reg;
	bool wide, raw, reversed;
};

static struct crc start_crc(uint64_t seed, uint32_t flags)
{
	struct crc crc = {
		.wide = flags & SVA_DESC_CRC64,
		.raw = flags & SVA_DESC_CRC_BYPASS_INV,
		.reversed = flags & SVA_DESC_CRC_BYPASS_REF,
	};

	crc.reg = crc.raw ? reverse_register(seed, crc.wide) : ~seed;
	return crc;
}

static inline void add_bytes(struct crc *crc, const uint8_t *bytes, size_t len)
{
	crc->reg = crc->reversed ? update_reversed(crc->reg, bytes, len, crc->wide) :
				   update_register(crc->reg, bytes, len, crc->wide);
}

static uint64_t result_of(const struct crc *crc)
{
	uint64_t value = crc->raw ? reverse_register(crc->reg, crc->wide) : ~crc->reg;

	return crc->wide ? value : (uint32_t)value;
}

uint64_t sva_cpu_crc(const void *src, size_t len, uint64_t seed, uint32_t flags)
{
	struct crc crc = start_crc(seed, flags);

	add_bytes(&crc, src, len);
	return result_of(&crc);
}

uint32_t sva_cpu_copy_crc32c(void *dst, const void *src, size_t len, uint32_t seed)
{
	const uint8_t *from = src;
	uint32_t reg = ~seed;
	uint8_t *to = dst;

	for (; len > PIECE; to += PIECE, from += PIECE, len -= PIECE) {
		memcpy(to, from, PIECE);
		reg = model_crc32c(reg, to, PIECE);
	}
	memcpy(to, from, len);
	return ~model_crc32c(reg, to, len);
}

/* The CRC is that of the bytes which were written, in case the source changes meanwhile. */
uint64_t sva_cpu_copy_crc(void *dst, const void *src, size_t len, uint64_t seed, uint32_t flags)
{
	struct crc crc = start_crc(seed, flags);
	const uint8_t *from = src;
	uint8_t *to = dst;

	if (!crc.wide && !crc.raw && !crc.reversed)
		return sva_cpu_copy_crc32c(dst, src, len, (uint32_t)seed);
	while (len) {
		size_t part = len < PIECE ? len : PIECE;

		memcpy(to, from, part);
		add_bytes(&crc, to, part);
		to += part;
		from += part;
		len -= part;
	}
	return result_of(&crc);
}
