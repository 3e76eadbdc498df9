/* SPDX-License-Identifier: MIT */
/*
 * The operations, and beside each the best plain code for it: libc, ISA-L, or a loop as a program
 * would write it that never heard of the library.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isa-l.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "ratios.h"

#define PATTERN 0x1122334455667788ull
#define HIGH 0x99aabbccddeeff00ull
#define BLOCK 512u
#define TUPLE 8u
#define ALL SIZE_MAX
/* behind each buffer, for tuples; whole pages */
#define ROOM (MOST / 32)

volatile uint64_t sink;

/* The compiler is not to know what becomes of the memory. */
static inline void keep(const void *memory)
{
	__asm__ volatile("" : : "r"(memory) : "memory");
}

static void must(int err)
{
	if (err < 0) {
		fprintf(stderr, "ratios: an operation failed: %s\n", strerror(-err));
		exit(2);
	}
}

/* ------------------------------------------------------------------ copy and fill */

static void copy(struct work *w)
{
	must(sva_memcpy(w->sva, w->c, w->a, w->len));
}

static void plain_copy(struct work *w)
{
	memcpy(w->c, w->a, w->len);
	keep(w->c);
}

static void run_submitted(struct work *w, struct sva_op *op)
{
	must(sva_submit(w->sva, op));
	must(sva_poll(op));
}

static void submitted_copy(struct work *w)
{
	struct sva_op op;

	sva_prep_memcpy(&op, w->c, w->a, w->len);
	run_submitted(w, &op);
}

static void copy_list(struct work *w)
{
	struct iovec to[8], from[8];
	size_t part = w->len / 8;

	for (unsigned int i = 0; i < 8; i++) {
		to[i] = (struct iovec){w->c + part * i, part};
		from[i] = (struct iovec){w->a + part * (7 - i), part};
	}
	must(sva_copyv(w->sva, to, 8, from, 8, NULL));
}

static void plain_copy_list(struct work *w)
{
	size_t part = w->len / 8;

	for (unsigned int i = 0; i < 8; i++)
		memcpy(w->c + part * i, w->a + part * (7 - i), part);
	keep(w->c);
}

static void dualcast(struct work *w)
{
	must(sva_dualcast(w->sva, w->c, w->d, w->a, w->len));
}

static void plain_dualcast(struct work *w)
{
	memcpy(w->c, w->a, w->len);
	memcpy(w->d, w->a, w->len);
	keep(w->d);
}

static void fill_byte(struct work *w)
{
	must(sva_memfill(w->sva, w->c, 0x1111111111111111, w->len));
}

static void fill_pattern(struct work *w)
{
	must(sva_memfill(w->sva, w->c, PATTERN, w->len));
}

static void plain_memset(struct work *w)
{
	memset(w->c, 0x11, w->len);
	keep(w->c);
}

static void plain_fill(struct work *w)
{
	uint64_t *to = (uint64_t *)(void *)w->c;

	for (size_t i = 0; i < w->len / 8; i++)
		to[i] = PATTERN;
	keep(w->c);
}

static void fill16(struct work *w)
{
	must(sva_memfill16(w->sva, w->c, PATTERN, HIGH, w->len));
}

static void plain_fill16(struct work *w)
{
	uint64_t *to = (uint64_t *)(void *)w->c;

	for (size_t i = 0; i < w->len / 16; i++) {
		to[2 * i] = PATTERN;
		to[2 * i + 1] = HIGH;
	}
	keep(w->c);
}

/* ------------------------------------------------------------------ compare, CRC */

static void compare(struct work *w)
{
	must(sva_compare(w->sva, w->a, w->b, w->len, NULL));
}

static void plain_compare(struct work *w)
{
	sink = (uint64_t)memcmp(w->a, w->b, w->len);
}

static void compare_pattern(struct work *w)
{
	must(sva_compare_pattern(w->sva, w->d, PATTERN, w->len, NULL));
}

static void plain_compare_pattern(struct work *w)
{
	const uint64_t *from = (const uint64_t *)(const void *)w->d;
	size_t i = 0;

	while (i < w->len / 8 && from[i] == PATTERN)
		i++;
	sink = i;
}

static void crc(struct work *w)
{
	uint32_t value = 0;

	must(sva_crc32c(w->sva, w->a, w->len, &value));
	sink = value;
}

static void plain_crc(struct work *w)
{
	sink = ~crc32_iscsi(w->a, (int)w->len, ~0u);
}

static void copy_crc(struct work *w)
{
	uint32_t value = 0;

	must(sva_copy_crc32c(w->sva, w->c, w->a, w->len, &value));
	sink = value;
}

static void plain_copy_crc(struct work *w)
{
	memcpy(w->c, w->a, w->len);
	keep(w->c);
	sink = ~crc32_iscsi(w->c, (int)w->len, ~0u);
}

/* ------------------------------------------------------------------ delta */

static uint32_t make_record(const uint8_t *from, const uint8_t *to, size_t len, uint8_t *record)
{
	uint32_t size = 0;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t old, new;
		uint16_t index = (uint16_t)(i / 8);

		memcpy(&old, from + i, 8);
		memcpy(&new, to + i, 8);
		if (old == new)
			continue;
		memcpy(record + size, &index, 2);
		memcpy(record + size + 2, &new, 8);
		size += 10;
	}
	return size;
}

static void delta_of_equal(struct work *w)
{
	uint32_t size;

	must(sva_create_delta(w->sva, w->a, w->b, w->len, w->record, (uint32_t)w->len / 8 * 10,
			      &size));
}

static void plain_delta_of_equal(struct work *w)
{
	sink = make_record(w->a, w->b, w->len, w->record);
}

static void delta_of_changed(struct work *w)
{
	uint32_t size;

	must(sva_create_delta(w->sva, w->a, w->changed, w->len, w->record,
			      (uint32_t)w->len / 8 * 10, &size));
}

static void plain_delta_of_changed(struct work *w)
{
	sink = make_record(w->a, w->changed, w->len, w->record);
}

static void apply(struct work *w)
{
	must(sva_apply_delta(w->sva, w->c, w->len, w->record, w->record_size));
}

static void plain_apply(struct work *w)
{
	for (const uint8_t *entry = w->record; entry < w->record + w->record_size; entry += 10) {
		uint16_t index;

		memcpy(&index, entry, 2);
		memcpy(w->c + (size_t)index * 8, entry + 2, 8);
	}
	keep(w->c);
}

/* ------------------------------------------------------------------ protection information */

static const struct sva_desc_dif with_dst = {.flags = SVA_DIF_BLOCK_512, .dst_ref = 1};
static const struct sva_desc_dif with_src = {.flags = SVA_DIF_BLOCK_512, .src_ref = 1};
static const struct sva_desc_dif with_both = {
	.flags = SVA_DIF_BLOCK_512,
	.src_ref = 1,
	.dst_ref = 7,
};

static void insert(struct work *w)
{
	struct sva_op op;

	sva_prep_dif_insert(&op, w->c, w->a, w->len, &with_dst);
	must(sva_run(w->sva, &op));
}

static void put_tuple(uint8_t *to, uint16_t guard, uint32_t ref)
{
	uint64_t tuple = __builtin_bswap64((uint64_t)guard << 48 | ref);

	memcpy(to, &tuple, TUPLE);
}

static void plain_insert(struct work *w)
{
	uint8_t *to = w->c;
	uint32_t ref = 1;

	for (size_t i = 0; i < w->len; i += BLOCK, to += BLOCK + TUPLE) {
		uint16_t guard = crc16_t10dif_copy(0, to, w->a + i, BLOCK);

		put_tuple(to + BLOCK, guard, ref++);
	}
	keep(w->c);
}

/* c holds protected blocks; they count with their tuples. */
static size_t protected_length(const struct work *w)
{
	return w->len / BLOCK * (BLOCK + TUPLE);
}

static void check(struct work *w)
{
	struct sva_op op;

	sva_prep_dif_check(&op, w->c, protected_length(w), &with_src);
	must(sva_run(w->sva, &op));
}

static bool is_right(const uint8_t *block, uint32_t ref)
{
	uint64_t tuple;

	memcpy(&tuple, block + BLOCK, TUPLE);
	tuple = __builtin_bswap64(tuple);
	return tuple >> 48 == crc16_t10dif(0, block, BLOCK) && (uint32_t)tuple == ref &&
	       !(tuple >> 32 & 0xffff);
}

static void plain_check(struct work *w)
{
	const size_t len = protected_length(w);
	uint32_t ref = 1;
	bool good = true;

	for (size_t i = 0; i < len && good; i += BLOCK + TUPLE)
		good = is_right(w->c + i, ref++);
	sink = good;
}

static void strip(struct work *w)
{
	struct sva_op op;

	sva_prep_dif_strip(&op, w->d, w->c, protected_length(w), &with_src);
	must(sva_run(w->sva, &op));
}

static void plain_strip(struct work *w)
{
	const size_t len = protected_length(w);
	uint8_t *to = w->d;
	uint32_t ref = 1;

	for (size_t i = 0; i < len && is_right(w->c + i, ref); i += BLOCK + TUPLE, to += BLOCK) {
		memcpy(to, w->c + i, BLOCK);
		ref++;
	}
	keep(w->d);
}

static void update(struct work *w)
{
	struct sva_op op;

	sva_prep_dif_update(&op, w->d, w->c, protected_length(w), &with_both);
	must(sva_run(w->sva, &op));
}

static void plain_update(struct work *w)
{
	const size_t len = protected_length(w);
	uint32_t ref = 1;

	for (size_t i = 0; i < len && is_right(w->c + i, ref); i += BLOCK + TUPLE) {
		uint64_t tuple;

		memcpy(w->d + i, w->c + i, BLOCK);
		memcpy(&tuple, w->c + i + BLOCK, TUPLE);
		put_tuple(w->d + i + BLOCK, (uint16_t)(__builtin_bswap64(tuple) >> 48), ref++ + 6);
	}
	keep(w->d);
}

/* ------------------------------------------------------------------ cache flush */

#ifdef __x86_64__
static void flush(struct work *w)
{
	must(sva_cache_flush(w->sva, w->a, w->len));
}

__attribute__((target("clflushopt"))) static void flush_lines(const struct work *w)
{
	for (size_t i = 0; i < w->len; i += 64)
		_mm_clflushopt(w->a + i);
	_mm_mfence();
}

static void plain_flush(struct work *w)
{
	flush_lines(w);
}
#endif

/* ------------------------------------------------------------------ all of them */

/*
 * What a call costs beside its work is some tens of instructions, which for short work is more than
 * the work. An operation is begun, listed, polled and ended; each piece of a list is looked at.
 */
#define CALL 30.0
#define PIECES 120.0
#define OPERATION 150.0

const struct row rows[] = {
	{"copy", "memcpy", ALL, 1, CALL, copy, plain_copy},
	{"copy, submitted", "memcpy", ALL, 1, OPERATION, submitted_copy, plain_copy},
	{"copy of a list of 8", "8 memcpy", ALL, 8, PIECES, copy_list, plain_copy_list},
	{"dualcast", "2 memcpy", ALL, 1, CALL, dualcast, plain_dualcast},
	{"fill, one byte", "memset", ALL, 1, CALL, fill_byte, plain_memset},
	{"fill, 8 bytes", "memset", ALL, 8, CALL, fill_pattern, plain_memset},
	{"fill, 8 bytes", "loop", ALL, 8, CALL, fill_pattern, plain_fill},
	{"fill, 16 bytes", "loop", ALL, 16, CALL, fill16, plain_fill16},
	{"compare, equal", "memcmp", ALL, 1, CALL, compare, plain_compare},
	{"compare pattern", "loop", ALL, 8, CALL, compare_pattern, plain_compare_pattern},
	{"CRC-32C", "ISA-L", ALL, 1, CALL, crc, plain_crc},
	{"copy with CRC", "memcpy, ISA-L", ALL, 1, CALL, copy_crc, plain_copy_crc},
	{"create delta, equal", "loop", SVA_DELTA_MAX_REGION, 64, CALL, delta_of_equal,
	 plain_delta_of_equal},
	{"create delta, 1 in 128", "loop", SVA_DELTA_MAX_REGION, 64, CALL, delta_of_changed,
	 plain_delta_of_changed},
	{"apply delta, 1 in 128", "loop", SVA_DELTA_MAX_REGION, 64, CALL, apply, plain_apply},
	{"DIF insert", "ISA-L loop", ALL, BLOCK, OPERATION, insert, plain_insert},
	{"DIF check", "ISA-L loop", ALL, BLOCK, OPERATION, check, plain_check},
	{"DIF strip", "ISA-L loop", ALL, BLOCK, OPERATION, strip, plain_strip},
	{"DIF update", "ISA-L loop", ALL, BLOCK, OPERATION, update, plain_update},
#ifdef __x86_64__
	{"cache flush", "CLFLUSHOPT", ALL, 64, CALL, flush, plain_flush},
#endif
};
const unsigned int row_count = sizeof(rows) / sizeof(rows[0]);

bool make_work(struct work *work)
{
	uint8_t **const buffers[] = {&work->a, &work->b,       &work->c,
				     &work->d, &work->changed, &work->record};
	uint64_t state = 88172645463325252u;

	for (unsigned int i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
		*buffers[i] = aligned_alloc(4096, MOST + ROOM);
		if (!*buffers[i])
			return false;
		memset(*buffers[i], 0, MOST + ROOM);
	}
	for (size_t i = 0; i < MOST; i += 8) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(work->a + i, &state, 8);
	}
	memcpy(work->b, work->a, MOST);
	memcpy(work->changed, work->a, MOST);
	for (size_t i = 0; i < MOST; i += 1024)
		work->changed[i] ^= 1;
	return true;
}

void set_length(struct work *work, size_t len)
{
	const uint64_t pattern = PATTERN;

	work->len = len;
	if (len <= SVA_DELTA_MAX_REGION)
		work->record_size = make_record(work->a, work->changed, len, work->record);
	/* What compare pattern reads, and the protected blocks that the DIF operations read. */
	for (size_t i = 0; i < len; i += 8)
		memcpy(work->d + i, &pattern, 8);
	if (len % BLOCK == 0)
		plain_insert(work);
}
