/* SPDX-License-Identifier: MIT */
/*
 * Checksums and delta records, a byte at a time. The tables are made by, and compared with, the
 * bitwise computation of tests/unit/reference.c, which shares nothing with the library.
 */
#include <string.h>

#include "storm/storm.h"
#include "unit/reference.h"

struct table {
	unsigned int width;
	uint64_t poly;
	uint64_t row[256];
};

static struct table crc32c = {.width = 32, .poly = 0x1edc6f41};
static struct table crc64 = {.width = 64, .poly = 0xad93d23594c93659ull};
static struct table t10 = {.width = 16, .poly = 0x8bb7};
static uint8_t reversed[256];

static uint64_t mask(unsigned int width)
{
	return ~0ull >> (64 - width);
}

static void make_table(struct table *table)
{
	for (unsigned int i = 0; i < 256; i++) {
		uint64_t reg = (uint64_t)i << (table->width - 8);

		for (int bit = 0; bit < 8; bit++) {
			bool out = reg >> (table->width - 1) & 1;

			reg = (reg << 1 & mask(table->width)) ^ (out ? table->poly : 0);
		}
		table->row[i] = reg;
	}
}

static uint64_t run(const struct table *table, uint64_t reg, const uint8_t *from, size_t n,
		    bool reverse)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = reverse ? reversed[from[i]] : from[i];

		reg = (reg << 8 & mask(table->width)) ^
		      table->row[(reg >> (table->width - 8) & 0xff) ^ byte];
	}
	return reg;
}

static uint64_t reverse_word(uint64_t word, unsigned int width)
{
	uint64_t result = 0;

	for (unsigned int i = 0; i < width; i++)
		result |= (word >> i & 1) << (width - 1 - i);
	return result;
}

uint64_t expect_crc(const uint8_t *from, size_t n, uint64_t seed, uint32_t flags)
{
	const struct table *table = flags & SVA_CRC_64 ? &crc64 : &crc32c;
	bool plain = flags & SVA_CRC_BYPASS_INVERSION;
	uint64_t all = mask(table->width), reg;

	if (!n)
		return seed & all;
	reg = plain ? seed & all : reverse_word(~seed & all, table->width);
	reg = run(table, reg, from, n, !(flags & SVA_CRC_BYPASS_REFLECTION));
	return plain ? reg : ~reverse_word(reg, table->width) & all;
}

uint16_t expect_t10(const uint8_t *from, size_t n, uint16_t seed)
{
	return (uint16_t)run(&t10, seed, from, n, false);
}

size_t expect_delta(const uint8_t *old, const uint8_t *new, size_t n, uint8_t *record)
{
	size_t size = 0;

	for (size_t word = 0; word < n / 8; word++) {
		if (!memcmp(old + word * 8, new + word * 8, 8))
			continue;
		record[size] = (uint8_t)word;
		record[size + 1] = (uint8_t)(word >> 8);
		memcpy(record + size + 2, new + word * 8, 8);
		size += 10;
	}
	return size;
}

static void check_crc(const uint8_t *bytes, size_t n, uint32_t flags)
{
	bool inversion = flags & SVA_CRC_BYPASS_INVERSION,
	     reflection = flags & SVA_CRC_BYPASS_REFLECTION;
	uint64_t want = flags & SVA_CRC_64 ? ref_crc64(bytes, n, 77, inversion, reflection) :
					     ref_crc32c(bytes, n, 77, inversion, reflection);

	if (expect_crc(bytes, n, 77, flags) != want)
		fail_plainly("the storm's own CRC with flags 0x%x is wrong", flags);
}

void expect_setup(void)
{
	static const uint32_t all =
		SVA_CRC_BYPASS_INVERSION | SVA_CRC_BYPASS_REFLECTION | SVA_CRC_64;
	uint8_t bytes[100];

	for (unsigned int i = 0; i < 256; i++)
		reversed[i] = (uint8_t)reverse_word(i, 8);
	make_table(&crc32c);
	make_table(&crc64);
	make_table(&t10);
	ref_random_bytes(bytes, sizeof(bytes));
	for (uint32_t flags = all;; flags = (flags - 1) & all) {
		check_crc(bytes, sizeof(bytes), flags);
		if (!flags)
			break;
	}
	if (expect_t10(bytes, sizeof(bytes), 0xffff) != ref_crc_t10(bytes, sizeof(bytes), 0xffff) ||
	    expect_crc((const uint8_t *)"123456789", 9, 0, 0) != 0xe3069283 ||
	    expect_t10((const uint8_t *)"123456789", 9, 0) != 0xd0db)
		fail_plainly("the storm's own checksums are wrong");
}
