/* SPDX-License-Identifier: MIT */
/*
 * Every operation, through every way of the library that needs no device, against independent byte
 * loops (reference.c). All of the memory that an operation could reach is compared, so what it
 * writes beside its buffers is found too.
 */
#include <errno.h>
#include <sys/mman.h>

#include "sva/sva.h"
#include "tap.h"
#include "unit/reference.h"
#include "unit/rig.h"

#define ARENA  (5 * RIG_PAGE)
#define MOST   300u /* every length up to it */

static uint8_t *arena, want[ARENA], start[ARENA], scratch[ARENA], record[ARENA];
static struct sva_op op;
static unsigned int cases, wrong;
static char first_wrong[256];

static void fresh(void)
{
	ref_random_bytes(arena, ARENA);
	memcpy(start, arena, ARENA);
	memcpy(want, arena, ARENA);
}

static void __attribute__((format(printf, 1, 2))) complain(const char *fmt, ...)
{
	va_list ap;

	if (wrong++)
		return;
	va_start(ap, fmt);
	vsnprintf(first_wrong, sizeof(first_wrong), fmt, ap);
	va_end(ap);
}

/* Runs the operation and checks what holds after every success. */
static const struct sva_result *expect(int error, const char *what, size_t len)
{
	int err = rig_do(&op);
	const struct sva_result *result = sva_op_result(&op);

	cases++;
	if (err != error || result->error != error)
		complain("%s of %zu bytes: returned %d, result says %d, must be %d", what, len, err,
			 result->error, error);
	else if (memcmp(arena, want, ARENA))
		complain("%s of %zu bytes: memory is not as it must be", what, len);
	else if (!error && result->bytes != len)
		complain("%s of %zu bytes: the result says %llu", what, len,
			 (unsigned long long)result->bytes);
	else if (!error && len &&
		 (result->path != rig_way->path || result->path_bytes[result->path] != len))
		complain("%s of %zu bytes: path is %s", what, len, sva_path_name(result->path));
	return result;
}

static void expect_value(int error, const char *what, size_t len, unsigned int byte, uint64_t value)
{
	const struct sva_result *result = expect(error, what, len);

	if (result->result != byte)
		complain("%s of %zu bytes: result %u, must be %u", what, len, result->result, byte);
	if (result->value != value)
		complain("%s of %zu bytes: value %#llx, must be %#llx", what, len,
			 (unsigned long long)result->value, (unsigned long long)value);
}

static void report(const char *what)
{
	if (!ok(!wrong, "%s: %s, %u cases", rig_way->name, what, cases))
		printf("# %u wrong, the first: %s\n", wrong, first_wrong);
	cases = wrong = 0;
}

/* ------------------------------------------------------------------ copy, fill */

static void copy_one(size_t to, size_t from, size_t len)
{
	fresh();
	memcpy(scratch, start + from, len);
	for (size_t i = 0; i < len; i++)
		want[to + i] = scratch[i];
	sva_prep_memcpy(&op, arena + to, arena + from, len);
	expect(0, "copy", len);
}

static void copies(void)
{
	for (size_t len = 0; len <= MOST; len++)
		copy_one(ref_below(ARENA - MOST), ref_below(ARENA - MOST), len);
	/* Both kinds of overlap, by every distance. */
	for (size_t by = 0; by <= 130; by++) {
		copy_one(1000 + by, 1000, 127);
		copy_one(1000, 1000 + by, 127);
		copy_one(77, 77 + by * 31, ARENA / 2 + 1);
		copy_one(77 + by * 31, 77, ARENA / 2 + 1);
	}
	report("copy");
}

static void fills(void)
{
	uint8_t pattern[16];
	uint64_t low, high;

	for (size_t len = 0; len <= MOST; len++) {
		size_t to = ref_below(ARENA - MOST);

		fresh();
		ref_random_bytes(pattern, 16);
		memcpy(&low, pattern, 8);
		memcpy(&high, pattern + 8, 8);
		ref_fill(want + to, len, pattern, 8);
		sva_prep_memfill(&op, arena + to, low, len);
		expect(0, "fill", len);
		fresh();
		ref_fill(want + to, len, pattern, 16);
		sva_prep_memfill16(&op, arena + to, low, high, len);
		expect(0, "16-byte fill", len);
	}
	report("fill");
}

static void dualcasts(void)
{
	for (size_t len = 0; len <= MOST; len++) {
		size_t from = ref_below(RIG_PAGE - MOST),
		       to = RIG_PAGE + ref_below(RIG_PAGE - MOST);

		fresh();
		for (size_t i = 0; i < len; i++)
			want[to + i] = want[to + 2 * RIG_PAGE + i] = start[from + i];
		sva_prep_dualcast(&op, arena + to, arena + to + 2 * RIG_PAGE, arena + from, len);
		expect(0, "dualcast", len);
	}
	report("dualcast");
}

/* ------------------------------------------------------------------ compare */

/* Two equal buffers with different bytes around them; then one byte that differs. */
static void compare_one(size_t len)
{
	size_t a = 1 + ref_below(2000), b = 3000 + ref_below(2000), at;

	fresh();
	memcpy(arena + b, arena + a, len);
	arena[b - 1] = (uint8_t)~arena[a - 1];
	arena[b + len] = (uint8_t)~arena[a + len];
	memcpy(want, arena, ARENA);
	sva_prep_compare(&op, arena + a, arena + b, len);
	expect_value(0, "compare equal", len, 0, 0);
	sva_prep_compare(&op, arena + a, arena + b, len);
	op.flags = SVA_OP_CHECK;
	op.desc.op.compare.expected = 1;
	expect_value(-EBADE, "compare equal, not as expected", len, 0, 0);
	if (!len)
		return;
	at = ref_below((uint32_t)len);
	arena[b + at] ^= (uint8_t)(1u << ref_below(8));
	if (at + 1 < len)
		arena[b + len - 1] ^= 1; /* only the first difference counts */
	memcpy(want, arena, ARENA);
	sva_prep_compare(&op, arena + a, arena + b, len);
	if (rig_do(&op) || sva_op_result(&op)->result != 1 || sva_op_result(&op)->value != at)
		complain("compare of %zu bytes that differ at %zu: %u at %llu", len, at,
			 sva_op_result(&op)->result, (unsigned long long)sva_op_result(&op)->value);
	sva_prep_compare(&op, arena + a, arena + b, len);
	op.flags = SVA_OP_CHECK;
	op.desc.op.compare.expected = 1;
	if (rig_do(&op) || sva_op_result(&op)->value != at)
		complain("compare of %zu bytes that differ, as expected", len);
	sva_prep_compare(&op, arena + a, arena + b, len);
	op.flags = SVA_OP_CHECK;
	if (rig_do(&op) != -EBADE || sva_op_result(&op)->value != at)
		complain("compare of %zu bytes that differ, not as expected", len);
}

static void compare_pattern_one(size_t len)
{
	size_t a = 1 + ref_below(2000), at;
	uint8_t pattern[8];
	uint64_t value;

	fresh();
	ref_random_bytes(pattern, 8);
	memcpy(&value, pattern, 8);
	ref_fill(arena + a, len, pattern, 8);
	arena[a + len] = (uint8_t)~pattern[len % 8];
	memcpy(want, arena, ARENA);
	sva_prep_compare_pattern(&op, arena + a, value, len);
	expect_value(0, "compare pattern, equal", len, 0, 0);
	if (!len)
		return;
	at = ref_below((uint32_t)len);
	arena[a + at] ^= 0x20;
	sva_prep_compare_pattern(&op, arena + a, value, len);
	if (rig_do(&op) || sva_op_result(&op)->result != 1 || sva_op_result(&op)->value > at ||
	    sva_op_result(&op)->value + 7 < at)
		complain("compare pattern of %zu bytes that differ at %zu: %llu", len, at,
			 (unsigned long long)sva_op_result(&op)->value);
}

static void compares(void)
{
	for (size_t len = 0; len <= MOST; len++) {
		compare_one(len);
		compare_pattern_one(len);
	}
	report("compare");
}

/* ------------------------------------------------------------------ delta */

#define FROM 1024u
#define TO   2048u
#define AT   4099u /* where the record is: it need not be aligned */

static void make_versions(size_t len, unsigned int edits)
{
	fresh();
	memcpy(arena + TO, arena + FROM, len);
	for (unsigned int i = 0; i < edits && len; i++)
		arena[TO + ref_below((uint32_t)len)] ^= (uint8_t)(1 + ref_below(255));
	memcpy(want, arena, ARENA);
}

static void delta_one(size_t len, unsigned int edits)
{
	uint32_t size;

	make_versions(len, edits);
	size = (uint32_t)ref_create_delta(arena + FROM, arena + TO, len, record);
	memcpy(want + AT, record, size);
	sva_prep_create_delta(&op, arena + FROM, arena + TO, len, arena + AT, 400);
	expect_value(0, "create delta", len, size ? 1 : 0, size);
	sva_prep_create_delta(&op, arena + FROM, arena + TO, len, arena + AT, 400);
	op.flags = SVA_OP_CHECK;
	op.desc.op.delta.expected = size ? 1 : 2; /* the mask of the results that are wrong */
	expect_value(-EBADE, "create delta, not as expected", len, size ? 1 : 0, size);
	if (!size)
		return;
	memcpy(want + FROM, start + FROM, len);
	memcpy(want + FROM, want + TO, len);
	sva_prep_apply_delta(&op, arena + FROM, len, arena + AT, size);
	expect(0, "apply delta", len);
}

/* More differences than there is room for in the record. */
static void delta_overflow(void)
{
	for (uint32_t room = 80; room < 370; room += 10) {
		const struct sva_result *result;

		fresh();
		sva_prep_create_delta(&op, arena + FROM, arena + TO, 296, arena + AT, room);
		if (rig_do(&op) || sva_op_result(&op)->result != 2 ||
		    sva_op_result(&op)->value > room)
			complain("a record of 370 bytes in %u: result %u", room,
				 sva_op_result(&op)->result);
		result = sva_op_result(&op);
		size_t changed = 0;

		for (size_t i = 0; i < ARENA; i++)
			changed += arena[i] != start[i] && (i < AT || i >= AT + room);
		if (changed || result->value % 10)
			complain("a record that overflows at %u changed %zu bytes beyond", room,
				 changed);
		cases++;
	}
}

static void deltas(void)
{
	for (size_t len = 0; len <= 296; len += 8)
		for (unsigned int edits = 0; edits < 40; edits += 1 + edits / 2)
			delta_one(len, edits);
	delta_overflow();
	report("delta");
}

/* Records that create delta does not make. */
static void bad_deltas(void)
{
	static const uint8_t falling[20] = { 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 3, 0 };
	static const uint8_t beyond[10] = { 8, 0 };

	fresh();
	memcpy(arena, falling, 20);
	sva_prep_apply_delta(&op, arena + 512, 64, arena, 20);
	ok(rig_do(&op) == -EBADMSG && sva_op_result(&op)->status == SVA_STATUS_DELTA_OFFSET_ORDER,
	   "%s: a delta record whose offsets do not increase", rig_way->name);
	memcpy(arena, beyond, 10);
	sva_prep_apply_delta(&op, arena + 512, 64, arena, 10);
	ok(rig_do(&op) == -EBADMSG && sva_op_result(&op)->status == SVA_STATUS_DELTA_OFFSET_RANGE,
	   "%s: a delta record that reaches beyond", rig_way->name);
}

/* ------------------------------------------------------------------ CRC */

static void crc_one(size_t len, uint32_t flags)
{
	bool bypass_inversion = flags & SVA_CRC_BYPASS_INVERSION,
	     bypass_reflection = flags & SVA_CRC_BYPASS_REFLECTION;
	uint64_t seed = (uint64_t)ref_random() << 32 | ref_random(), crc;
	size_t from = ref_below(2000), to = 3000 + ref_below(2000);

	fresh();
	crc = flags & SVA_CRC_64 ?
		      ref_crc64(start + from, len, seed, bypass_inversion, bypass_reflection) :
		      ref_crc32c(start + from, len, (uint32_t)seed, bypass_inversion,
				 bypass_reflection);
	sva_prep_crc(&op, arena + from, len, seed, flags);
	expect_value(0, "CRC", len, 0, crc);
	memcpy(want + to, start + from, len);
	sva_prep_copy_crc(&op, arena + to, arena + from, len, seed, flags);
	expect_value(0, "copy with CRC", len, 0, crc);
}

static void crcs(void)
{
	static const uint32_t flags[] = {
		0,
		SVA_CRC_BYPASS_INVERSION,
		SVA_CRC_BYPASS_REFLECTION,
		SVA_CRC_BYPASS_INVERSION | SVA_CRC_BYPASS_REFLECTION,
	};

	for (unsigned int i = 0; i < 4; i++) {
		for (size_t len = 0; len <= MOST; len += i ? 7 : 1) {
			crc_one(len, flags[i]);
			crc_one(len, flags[i] | SVA_CRC_64);
		}
	}
	fresh();
	memcpy(arena, "123456789", 9);
	memcpy(want, arena, ARENA);
	sva_prep_crc(&op, arena, 9, 0, 0);
	expect_value(0, "CRC-32C of the check text", 9, 0, 0xe3069283);
	sva_prep_crc(&op, arena, 9, 0, SVA_CRC_64);
	expect_value(0, "CRC-64 of the check text", 9, 0, 0xae8b14860a799888ull);
	/* The CRC of the beginning is the seed of the rest. */
	sva_prep_crc(&op, arena, 4, 0, 0);
	expect(0, "CRC of four bytes", 4);
	sva_prep_crc(&op, arena + 4, 5, sva_op_result(&op)->value, 0);
	expect_value(0, "CRC of the rest", 5, 0, 0xe3069283);
	report("CRC");
}

/* ------------------------------------------------------------------ protection information */

#define DIF_BLOCKS 3u

/* Blocks with their tuples, as insert and update make them; alone: the tuples only. */
static void protect(uint8_t *to, const uint8_t *from, size_t block, size_t stride,
		    const struct sva_desc_dif *dif, bool alone)
{
	for (unsigned int i = 0; i < DIF_BLOCKS; i++, from += stride) {
		uint16_t app = (uint16_t)(dif->dst_app + (dif->dst_flags & 0x10 ? i : 0)) &
			       (uint16_t)~dif->dst_app_mask;

		if (!alone) {
			memcpy(to, from, block);
			to += block;
		}
		ref_dif_tuple(to, from, block, dif->flags & 4 ? 0xffff : 0, dif->flags & 8, app,
			      dif->dst_ref + (dif->dst_flags & 0x80 ? 0 : i));
		to += 8;
	}
}

/* Three areas of 16 KiB: blocks without protection, protected blocks, the output. */
static uint8_t *plain, *whole, *out, *expected;

static void expect_dif(const char *what, size_t block, size_t bytes, int error, unsigned int bits,
		       size_t done)
{
	int err = rig_do(&op);
	const struct sva_result *result = sva_op_result(&op);

	cases++;
	if (err != error || result->result != bits || result->bytes != done)
		complain("%s, blocks of %zu: %d, bits %#x, %llu bytes, must be %d, %#x, %zu", what,
			 block, err, result->result, (unsigned long long)result->bytes, error, bits,
			 done);
	else if (memcmp(out, expected, bytes))
		complain("%s, blocks of %zu: memory is not as it must be", what, block);
}

static void dif_one(unsigned int code, unsigned int flags)
{
	static const size_t sizes[4] = { 512, 520, 4096, 4104 };
	const size_t block = sizes[code], data = DIF_BLOCKS * block, all = data + DIF_BLOCKS * 8;
	struct sva_desc_dif made = {
		.flags = (uint8_t)(code | (flags & 3) << 2),
		.dst_flags = flags & 4 ? 0x90 : 0,
		.dst_ref = 0xffffffff,
		.dst_app = 0xffff,
		.dst_app_mask = 0x0ff0,
	};
	struct sva_desc_dif read =
				    {
					    .flags = made.flags,
					    .src_flags = made.dst_flags,
					    .src_ref = made.dst_ref,
					    .src_app = made.dst_app,
					    .src_app_mask = made.dst_app_mask,
				    },
			    both = read;

	both.dst_ref = 5;
	both.dst_app = 6;
	ref_random_bytes(plain, data);
	memset(out, 0, all + 1);
	memset(expected, 0, all + 1);
	protect(expected, plain, block, block, &made, false);
	sva_prep_dif_insert(&op, out, plain, data, &made);
	expect_dif("insert", block, all + 1, 0, 0, data);
	if (sva_op_result(&op)->dif.dst_ref != made.dst_ref + (flags & 4 ? 0 : DIF_BLOCKS))
		complain("insert: the tag to continue with is %u", sva_op_result(&op)->dif.dst_ref);
	memcpy(whole, expected, all);

	sva_prep_dif_check(&op, whole, all, &read);
	expect_dif("check", block, 0, 0, 0, all);
	memset(out, 0, all + 1);
	memset(expected, 0, all + 1);
	memcpy(expected, plain, data);
	sva_prep_dif_strip(&op, out, whole, all, &read);
	expect_dif("strip", block, all + 1, 0, 0, all);
	memset(out, 0, all + 1);
	memset(expected, 0, all + 1);
	protect(expected, plain, block, block,
		&(struct sva_desc_dif){.flags = made.flags, .dst_ref = 5, .dst_app = 6}, false);
	sva_prep_dif_update(&op, out, whole, all, &both);
	expect_dif("update", block, all + 1, 0, 0, all);
	memset(out, 0, all + 1);
	memset(expected, 0, all + 1);
	protect(expected, plain, block, block, &made, true);
	sva_prep_dix_generate(&op, out, plain, data, &made);
	expect_dif("DIX generate", block, all + 1, 0, 0, data);

	/* One bit of the second block's data, and of each part of its tuple. */
	for (unsigned int at = 0; at < 4; at++) {
		static const uint8_t error[4] = {SVA_DIF_ERR_GUARD, SVA_DIF_ERR_GUARD,
						 SVA_DIF_ERR_APP, SVA_DIF_ERR_REF};
		size_t where = at ? block + 8 + block +
					       (at == 1 ? 1 :
						at == 2 ? 3 :
							  7) :
				    block + 8 + 100;

		whole[where] ^= 1;
		sva_prep_dif_check(&op, whole, all, &read);
		expect_dif("check of what is damaged", block, 0, -EILSEQ, error[at], block + 8);
		memset(out, 0, all + 1);
		memset(expected, 0, all + 1);
		memcpy(expected, plain, block);
		sva_prep_dif_strip(&op, out, whole, all, &read);
		expect_dif("strip of what is damaged", block, block, -EILSEQ, error[at], block + 8);
		whole[where] ^= 1;
	}
}

static void difs(void)
{
	for (unsigned int code = 0; code < 4; code++)
		for (unsigned int flags = 0; flags < 8; flags += rig_way->how == RIG_RUN ? 1 : 5)
			dif_one(code, flags);
	report("protection information");
}

/* ------------------------------------------------------------------ the others */

static void without_effect(void)
{
	fresh();
	sva_prep_noop(&op);
	expect(0, "no-op", 0);
	sva_prep_drain(&op);
	/* in a batch a drain is done by the library */
	if (rig_way->how != RIG_BATCH || rig_do(&op))
		expect(0, "drain", 0);
	for (size_t len = 0; len <= MOST; len += 11) {
		sva_prep_cache_flush(&op, arena + ref_below(ARENA - MOST), len);
		expect(0, "cache flush", len);
		sva_prep_translation_fetch(&op, arena + ref_below(ARENA - MOST), len);
		expect(0, "translation fetch", len);
	}
	report("no-op, drain, cache flush, translation fetch");
}

/* Each flag with each operation: it must not change the output. */
static void with_flags(void)
{
	static const uint32_t flags[] = {
		SVA_OP_FAULT_TOUCH, SVA_OP_FAULT_BLOCK, SVA_OP_FAULT_CPU,
		SVA_OP_CACHE,	    SVA_OP_NO_CACHE,	SVA_OP_STRICT_ORDER,
		SVA_OP_NODE(0),	    SVA_OP_NODE(1),	SVA_OP_NODE(254),
	};
	static const struct sva_desc_dif dif = { .flags = SVA_DIF_BLOCK_512 };

	for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		for (unsigned int kind = 0; kind < 18; kind++) {
			uint8_t *a = arena, *b = arena + RIG_PAGE, *c = arena + 2 * RIG_PAGE;

			memset(arena, 0, ARENA);
			memset(a, 1, RIG_PAGE);
			switch (kind) {
			case 0: sva_prep_noop(&op); break;
			case 1: sva_prep_drain(&op); break;
			case 2: sva_prep_memcpy(&op, b, a, 100); break;
			case 3: sva_prep_memfill(&op, b, 5, 100); break;
			case 4: sva_prep_compare(&op, b, a, 100); break;
			case 5: sva_prep_compare_pattern(&op, b, 5, 100); break;
			case 6: sva_prep_create_delta(&op, a, b, 64, c, 80); break;
			case 7: sva_prep_apply_delta(&op, b, 64, c, 10); break;
			case 8: sva_prep_dualcast(&op, b, c, a, 100); break;
			case 9: sva_prep_translation_fetch(&op, a, 100); break;
			case 10: sva_prep_crc(&op, a, 100, 0, 0); break;
			case 11: sva_prep_copy_crc(&op, b, a, 100, 0, 0); break;
			case 12: sva_prep_dif_insert(&op, b, a, 512, &dif); break;
			case 13: sva_prep_dif_strip(&op, b, c, 520, &dif); break;
			case 14: sva_prep_dif_update(&op, b, c, 520, &dif); break;
			case 15: sva_prep_dif_check(&op, c, 520, &dif); break;
			case 16: sva_prep_dix_generate(&op, b, a, 512, &dif); break;
			default: sva_prep_cache_flush(&op, b, 100); break;
			}
			op.flags |= flags[i];
			cases++;
			if (rig_do(&op))
				complain("operation %#x with flag %#x: %d, status %s",
					 sva_desc_opcode(&op.desc), flags[i],
					 sva_op_result(&op)->error,
					 sva_status_name(sva_op_result(&op)->status));
		}
	}
	report("every operation with every flag");
}

/* Lengths that are no multiple of any unit, and longer than one chunk of any queue. */
static void big(void)
{
	static const size_t lengths[] = {65537, (2u << 20) - 1, (2u << 20) + 4097, (5u << 20) + 3};
	uint8_t *a = malloc(6u << 20), *b = malloc(6u << 20);

	ref_random_bytes(a, 6u << 20);
	for (unsigned int i = 0; i < 4; i++) {
		size_t len = lengths[i], to = ref_below(63);

		memset(b, 0, 6u << 20);
		sva_prep_memcpy(&op, b + to, a, len);
		ok(!rig_do(&op) && !memcmp(b + to, a, len) && !b[to + len] && (!to || !b[to - 1]),
		   "%s: copy of %zu bytes", rig_way->name, len);
		sva_prep_compare(&op, b + to, a, len);
		b[to + len - 1] ^= 1;
		ok(!rig_do(&op) && sva_op_result(&op)->value == len - 1,
		   "%s: compare of %zu bytes that differ in the last", rig_way->name, len);
		/* A fill compared with itself 8 bytes on shows that the pattern continues. */
		sva_prep_memfill(&op, b + to, 0x1122334455667788, len);
		ok(!rig_do(&op) && !memcmp(b + to, b + to + 8, len - 8) && b[to] == 0x88 &&
			   b[to + 7] == 0x11 && !b[to + len],
		   "%s: fill of %zu bytes", rig_way->name, len);
		/* Overlapping from above: the last bytes have to go first. */
		memcpy(b, a, len);
		sva_prep_memcpy(&op, b + 513, b, len - 513);
		ok(!rig_do(&op) && !memcmp(b + 513, a, len - 513),
		   "%s: overlapping copy of %zu bytes", rig_way->name, len - 513);
	}
	free(a);
	free(b);
}

/* The verifier reports wrong bytes. */
static void controls(void)
{
	for (int i = 0; i < 3; i++) {
		fresh();
		sva_prep_memcpy(&op, arena + 100, arena + 1000, 50);
		memcpy(want + 100, start + 1000, 50);
		want[i == 0 ? 120 : i == 1 ? 99 : 150] ^= 1;
		expect(0, "copy", 50);
	}
	sva_prep_crc(&op, arena, 50, 0, 0);
	memcpy(want, arena, ARENA);
	expect_value(0, "CRC", 50, 0, ref_crc32c(arena, 50, 0, false, false) ^ 1);
	is(wrong, 4,
	   "control: a byte that is wrong in, before or behind a buffer is seen, and a wrong CRC");
	cases = wrong = 0;
}

int main(int argc, char **argv)
{
	rig_begin();
	rig_arguments(argc, argv);
	arena = rig_pages(ARENA / RIG_PAGE);
	plain = rig_pages(4);
	whole = rig_pages(4);
	out = rig_pages(4);
	expected = rig_pages(4);
	for (unsigned int i = 0; i < rig_way_count; i++) {
		rig_way_begin(&rig_ways[i]);
		copies();
		fills();
		dualcasts();
		compares();
		deltas();
		bad_deltas();
		crcs();
		difs();
		without_effect();
		with_flags();
		big();
		if (!i)
			controls();
		rig_way_end();
	}
	return done();
}
