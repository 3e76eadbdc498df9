/* SPDX-License-Identifier: MIT */
/*
 * What each operation reads, and what it must write and report. All of it is made by plain loops
 * that share no code with the library.
 */
#include "bench.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CANARY 0xa5

/* ------------------------------------------------------------------ checksums, tuples, deltas */

/* CRC-32C of the bytes, by a table: polynomial 0x1edc6f41, reflected and inverted. */
static uint32_t crc32c(const unsigned char *at, size_t size)
{
	static uint32_t table[256];
	uint32_t crc = ~0u;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		uint32_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value & 1 ? value >> 1 ^ 0x82f63b78u : value >> 1;
		table[i] = value;
	}
	while (size--)
		crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
	return ~crc;
}

/* The guard of a block: CRC-16 with the polynomial 0x8bb7 of T10. */
static unsigned int guard_of(const unsigned char *block)
{
	unsigned int crc = 0;

	for (int i = 0; i < BENCH_BLOCK; i++) {
		crc ^= (unsigned int)block[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? (crc << 1 ^ 0x8bb7) & 0xffff : crc << 1;
	}
	return crc;
}

/* Guard, application tag 0 and reference tag of the index-th block, big-endian. */
static void write_tuple(unsigned char *to, const unsigned char *block, size_t index)
{
	unsigned int guard = guard_of(block);
	uint32_t ref = (uint32_t)index + 1;

	to[0] = (unsigned char)(guard >> 8);
	to[1] = (unsigned char)guard;
	to[2] = to[3] = 0;
	for (int i = 0; i < 4; i++)
		to[4 + i] = (unsigned char)(ref >> (24 - 8 * i));
}

static void write_protected(unsigned char *to, const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size / BENCH_BLOCK; i++) {
		memcpy(to, data + i * BENCH_BLOCK, BENCH_BLOCK);
		write_tuple(to + BENCH_BLOCK, data + i * BENCH_BLOCK, i);
		to += BENCH_BLOCK + BENCH_TUPLE;
	}
}

static bool is_protected(const unsigned char *at, size_t size)
{
	unsigned char tuple[BENCH_TUPLE];

	for (size_t i = 0; i < size / BENCH_BLOCK; i++) {
		write_tuple(tuple, at, i);
		if (memcmp(at + BENCH_BLOCK, tuple, BENCH_TUPLE))
			return false;
		at += BENCH_BLOCK + BENCH_TUPLE;
	}
	return true;
}

/* The new bytes of a delta: the first word in each BENCH_DELTA_EACH bytes is inverted. */
static void write_changed(unsigned char *to, const unsigned char *from, size_t size)
{
	memcpy(to, from, size);
	for (size_t i = 0; i < size; i += BENCH_DELTA_EACH)
		for (int k = 0; k < 8; k++)
			to[i + (size_t)k] ^= 0xff;
}

/* The record that makes these changes: the index of each word in two bytes, and its new bytes. */
static void write_record(unsigned char *to, const unsigned char *from, size_t size)
{
	for (size_t i = 0; i < size; i += BENCH_DELTA_EACH) {
		to[0] = (unsigned char)(i / 8);
		to[1] = (unsigned char)(i / 8 >> 8);
		for (int k = 0; k < 8; k++)
			to[2 + k] = from[i + (size_t)k] ^ 0xff;
		to += SVA_DELTA_ENTRY_SIZE;
	}
}

static void write_pattern(unsigned char *to, size_t size, uint64_t low, uint64_t high)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (unsigned char)((i & 8 ? high : low) >> (8 * (i & 7)));
}

/* ------------------------------------------------------------------ input */

uint64_t bench_pattern(unsigned int slot)
{
	return 0x0123456789abcdefu * (2 * slot + 1);
}

/* The random bytes of the slot are in src; what the operation reads is made of them. */
void bench_write_input(const struct bench_buffers *b, unsigned int slot)
{
	unsigned char *src = bench_src(b, slot), *aux = bench_aux(b, slot);
	unsigned char *dst = bench_dst(b, slot);

	switch (b->op) {
	case BENCH_COMPARE_PATTERN:
		write_pattern(src, b->size, bench_pattern(slot), bench_pattern(slot));
		break;
	case BENCH_CREATE_DELTA:
		write_changed(aux, src, b->size);
		break;
	case BENCH_APPLY_DELTA:
		memcpy(aux, src, b->size);
		write_record(src, aux, b->size);
		break;
	case BENCH_DIF_CHECK:
	case BENCH_DIF_STRIP:
	case BENCH_DIF_UPDATE:
		/* dst is overwritten before each use, and has room for the data meanwhile. */
		memcpy(dst, src, b->size);
		write_protected(src, dst, b->size);
		break;
	default:
		break;
	}
}

/* What the destinations hold before an operation: never what it writes. */
void bench_write_before(const struct bench_buffers *b, unsigned int slot)
{
	unsigned char *src = bench_src(b, slot), *dst = bench_dst(b, slot);

	if (b->op == BENCH_COMPARE || b->op == BENCH_CACHE_FLUSH)
		memcpy(dst, src, b->size);
	else if (b->op == BENCH_APPLY_DELTA)
		memcpy(dst, bench_aux(b, slot), b->size);
	else
		memset(dst, ~src[0], b->dst_size);
	if (b->op == BENCH_DUALCAST)
		memset(bench_aux(b, slot), ~src[0], b->size);
}

/* ------------------------------------------------------------------ output */

uint64_t bench_expected_value(const struct bench_buffers *b, unsigned int slot)
{
	const unsigned char *src = bench_src(b, slot);
	unsigned char word[8];

	switch (b->op) {
	case BENCH_CRC:
	case BENCH_COPY_CRC:
		return crc32c(src, b->size);
	case BENCH_CREATE_DELTA:
		return b->dst_size;
	case BENCH_COMPARE:
		return memcmp(src, bench_dst(b, slot), b->size) != 0;
	case BENCH_COMPARE_PATTERN:
		write_pattern(word, sizeof(word), bench_pattern(slot), 0);
		for (size_t i = 0; i < b->size; i++)
			if (src[i] != word[i % 8])
				return 1;
		return 0;
	case BENCH_DIF_CHECK:
		return !is_protected(src, b->size);
	default:
		return 0;
	}
}

/* Writes what the destination must hold afterwards. */
static void write_expected(const struct bench_buffers *b, unsigned int slot, unsigned char *to)
{
	const unsigned char *src = bench_src(b, slot);
	uint64_t pattern = bench_pattern(slot);

	switch (b->op) {
	case BENCH_FILL:
		write_pattern(to, b->size, pattern, pattern);
		break;
	case BENCH_FILL16:
		write_pattern(to, b->size, pattern, ~pattern);
		break;
	case BENCH_CREATE_DELTA:
		write_record(to, src, b->size);
		break;
	case BENCH_APPLY_DELTA:
		write_changed(to, bench_aux(b, slot), b->size);
		break;
	case BENCH_DIF_INSERT:
		write_protected(to, src, b->size);
		break;
	case BENCH_DIF_STRIP:
		for (size_t i = 0; i < b->size / BENCH_BLOCK; i++)
			memcpy(to + i * BENCH_BLOCK, src + i * (BENCH_BLOCK + BENCH_TUPLE),
			       BENCH_BLOCK);
		break;
	case BENCH_DIX_GENERATE:
		for (size_t i = 0; i < b->size / BENCH_BLOCK; i++)
			write_tuple(to + i * BENCH_TUPLE, src + i * BENCH_BLOCK, i);
		break;
	default:
		memcpy(to, src, b->dst_size);
	}
}

/* A slot of dst or aux: returns the position of the first wrong byte, or the stride. */
static size_t first_wrong(const unsigned char *at, const unsigned char *want, size_t size,
			  size_t stride)
{
	size_t i = memcmp(at, want, size) ? 0 : size;

	while (i < stride && at[i] == (i < size ? want[i] : CANARY))
		i++;
	return i;
}

static bool verify_slot(const struct bench_buffers *b, unsigned int slot, unsigned char *want,
			char *text, size_t text_size)
{
	const unsigned char *places[2] = { bench_dst(b, slot), bench_aux(b, slot) };
	int count = b->op == BENCH_DUALCAST ? 2 : 1;

	write_expected(b, slot, want);
	for (int i = 0; i < count; i++) {
		size_t behind = b->dst_size, at;

		/* A record may be filled up to the least size that the operation takes. */
		if (b->op == BENCH_CREATE_DELTA && behind < SVA_DELTA_MIN_SIZE)
			at = first_wrong(places[i], want, behind, behind);
		else
			at = first_wrong(places[i], want, behind, b->stride);
		if (at == b->stride || (at == behind && behind < SVA_DELTA_MIN_SIZE &&
					b->op == BENCH_CREATE_DELTA))
			continue;
		snprintf(text, text_size,
			 "wrong data: byte %zu of buffer %u is 0x%02x instead of 0x%02x%s", at,
			 slot, places[i][at], at < behind ? want[at] : CANARY,
			 at < behind ? "" : " (behind its end)");
		return false;
	}
	return true;
}

bool bench_buffers_verify(const struct bench_buffers *b, const uint64_t *values,
			  unsigned int slots, char *text, size_t text_size)
{
	unsigned char *want = malloc(b->stride);
	bool good = want != NULL;

	if (!good)
		snprintf(text, text_size, "out of memory");
	for (unsigned int slot = 0; good && slot < slots; slot++) {
		uint64_t value = bench_expected_value(b, slot);

		good = verify_slot(b, slot, want, text, text_size);
		if (!good || !values || values[slot] == value)
			continue;
		snprintf(text, text_size,
			 "wrong result: that of buffer %u is 0x%" PRIx64 " instead of 0x%" PRIx64,
			 slot, values[slot], value);
		good = false;
	}
	free(want);
	return good;
}
