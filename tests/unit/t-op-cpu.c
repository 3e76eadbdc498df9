/* SPDX-License-Identifier: MIT */
/*
 * The plain work of the cpu route against the model: the same operation, on the same memory, must
 * leave the same bytes and the same result, for each set of vector instructions that this CPU has.
 * Operations are drawn at random: lengths, alignments, overlaps, differences, flags that a device
 * refuses, and parts that a device has done before.
 *
 *   t-op-cpu [CASES [SEED]]
 */
#include "lib/op/cpu.h"
#include "lib/op/kinds.h"
#include "lib/queue/soft.h"
#include "lib/run/run.h"
#include "model/model.h"
#include "tap.h"
#include "unit/reference.h"
#include "unit/rig.h"

#define ARENA (12 * RIG_PAGE)
#define CASES 30000u

static uint8_t *arena, start[ARENA], plain_memory[ARENA];
static struct sva ctx;
static struct sva_op op, by_plain;

/* How an operation goes: what a device has done before is the same in both runs. */
struct prelude {
	uint64_t max_transfer; /* 0: no device */
	unsigned int chunks;
	uint32_t part; /* of the next chunk, in thousandths; 0: none */
};

/* ------------------------------------------------------------------ random operations */

static const uint8_t opcodes[] = {
	SVA_OPCODE_NOOP,	 SVA_OPCODE_DRAIN,
	SVA_OPCODE_MEMMOVE,	 SVA_OPCODE_FILL,
	SVA_OPCODE_COMPARE,	 SVA_OPCODE_COMPARE_PATTERN,
	SVA_OPCODE_CREATE_DELTA, SVA_OPCODE_APPLY_DELTA,
	SVA_OPCODE_DUALCAST,	 SVA_OPCODE_TRANSLATION_FETCH,
	SVA_OPCODE_CRC,		 SVA_OPCODE_COPY_CRC,
	SVA_OPCODE_DIF_CHECK,	 SVA_OPCODE_DIF_INSERT,
	SVA_OPCODE_DIF_STRIP,	 SVA_OPCODE_DIF_UPDATE,
	SVA_OPCODE_DIX_GENERATE, SVA_OPCODE_CACHE_FLUSH,
};

#define OPCODES (sizeof(opcodes) / sizeof(opcodes[0]))

static unsigned int seen_ok[64], seen_refused, seen_other, seen_begun;

static bool one_in(uint32_t n)
{
	return !ref_below(n);
}

static uint64_t random8(void)
{
	return (uint64_t)ref_random() << 32 | ref_random();
}

static size_t random_length(size_t most)
{
	static const size_t limits[] = {16, 64, 300, 1100, 4200, 8192};
	size_t limit = limits[ref_below(6)];

	return ref_below((uint32_t)(limit < most ? limit : most) + 1);
}

/* Buffers of the same bytes but for a few. */
static void spoil(uint8_t *bytes, size_t len)
{
	unsigned int n = one_in(3) ? 0 : one_in(2) ? 1 : ref_below(40);

	while (len && n--)
		bytes[ref_below((uint32_t)len)] ^= (uint8_t)(1u << ref_below(8));
}

static void draw_compare(void)
{
	size_t len = random_length(2 * RIG_PAGE), a = ref_below(RIG_PAGE),
	       b = 4 * RIG_PAGE + ref_below(RIG_PAGE);

	memcpy(arena + b, arena + a, len);
	spoil(arena + b, len);
	sva_prep_compare(&op, arena + a, arena + b, len);
	op.desc.op.compare.expected = (uint8_t)ref_below(2);
	op.flags = one_in(2) ? SVA_OP_CHECK : 0;
}

static void draw_compare_pattern(void)
{
	size_t len = random_length(2 * RIG_PAGE), a = ref_below(RIG_PAGE);
	uint64_t pattern = one_in(3) ? 0x4141414141414141 : random8();

	ref_fill(arena + a, len, (uint8_t *)&pattern, 8);
	spoil(arena + a, len);
	sva_prep_compare_pattern(&op, arena + a, pattern, len);
	op.desc.op.compare.expected = (uint8_t)ref_below(2);
	op.flags = one_in(2) ? SVA_OP_CHECK : 0;
}

static void draw_create_delta(void)
{
	size_t len = random_length(2 * RIG_PAGE) & ~(size_t)7, a = 8 * ref_below(256),
	       b = 3 * RIG_PAGE + 8 * ref_below(256);
	uint32_t max = one_in(3) ? 80 + 10 * ref_below(40) : (uint32_t)len / 8 * 10 + 80;

	memcpy(arena + b, arena + a, len);
	if (one_in(3))
		ref_random_bytes(arena + b, ref_below((uint32_t)len + 1));
	spoil(arena + b, len);
	sva_prep_create_delta(&op, arena + a, arena + b, len, arena + 6 * RIG_PAGE + ref_below(64),
			      max);
	op.desc.op.delta.expected = (uint8_t)ref_below(8);
	op.flags = one_in(2) ? SVA_OP_CHECK : 0;
}

static void draw_apply_delta(void)
{
	size_t len = random_length(2 * RIG_PAGE) & ~(size_t)7, dst = 8 * ref_below(256);
	uint8_t *record = arena + 6 * RIG_PAGE + ref_below(64);
	uint32_t size = (uint32_t)ref_create_delta(arena + dst, arena + 3 * RIG_PAGE, len, record);

	if (one_in(2))
		size = size / 10 * ref_below(11) / 10 * 10;
	if (one_in(4) && size)
		record[10 * ref_below(size / 10) + ref_below(2)] ^= (uint8_t)(1u << ref_below(8));
	sva_prep_apply_delta(&op, arena + dst, len, record, size + (one_in(30) ? 3 : 0));
}

static void draw_dualcast(void)
{
	size_t len = random_length(2 * RIG_PAGE), at = ref_below(RIG_PAGE);

	sva_prep_dualcast(&op, arena + 3 * RIG_PAGE + at, arena + 6 * RIG_PAGE + at,
			  arena + ref_below(RIG_PAGE), len);
}

static void draw_crc(bool copy)
{
	size_t len = random_length(2 * RIG_PAGE);
	uint32_t flags = ref_below(8) << 17;
	uint8_t *src = arena + ref_below(RIG_PAGE);

	flags &= SVA_CRC_BYPASS_INVERSION | SVA_CRC_BYPASS_REFLECTION | SVA_CRC_64;
	if (copy)
		sva_prep_copy_crc(&op, arena + 3 * RIG_PAGE + ref_below(RIG_PAGE), src, len,
				  random8(), flags);
	else
		sva_prep_crc(&op, src, len, random8(), flags);
	if (one_in(4)) {
		op.desc.flags_opcode |= SVA_DESC_CRC_SEED_MEM;
		op.desc.op.crc.seed = 0;
		op.desc.op.crc.seed_addr =
			(uintptr_t)arena + (one_in(8) ? ref_below(RIG_PAGE) : 8 * ref_below(512));
	}
}

/* Tuples that special rules apply to, here and there. */
static void spoil_tuples(uint8_t *bytes, size_t blocks, size_t block)
{
	static const uint8_t from[] = {0, 2, 4};

	for (size_t i = 0; i < blocks; i++) {
		uint8_t *tuple = bytes + i * (block + 8) + block;
		unsigned int at = from[ref_below(3)];

		if (one_in(12))
			memset(tuple + at, 0xff, 8 - at - (one_in(2) && !at ? 4 : 0));
	}
	if (one_in(3))
		spoil(bytes, blocks * (block + 8));
}

static struct sva_desc_dif random_tags(void)
{
	return (struct sva_desc_dif){
		.flags = (uint8_t)ref_below(16),
		.src_ref = one_in(4) ? 0xffffffff : ref_random(),
		.src_app = one_in(4) ? 0xffff : (uint16_t)ref_random(),
		.src_app_mask = one_in(2) ? 0 : (uint16_t)ref_random(),
		.dst_ref = ref_random(),
		.dst_app = (uint16_t)ref_random(),
		.dst_app_mask = one_in(2) ? 0 : (uint16_t)ref_random(),
	};
}

/* A source whose protection information is right, by the model. */
static void protect(uint8_t *to, size_t blocks, size_t block, const struct sva_desc_dif *want)
{
	struct sva_desc_dif dif = {
		.flags = want->flags,
		.dst_ref = want->src_ref,
		.dst_app = want->src_app,
		.dst_flags = (want->src_flags & SVA_DIF_SRC_REF_FIXED ? SVA_DIF_DST_REF_FIXED : 0) |
			     (want->src_flags & SVA_DIF_SRC_APP_INC ? SVA_DIF_DST_APP_INC : 0),
	};
	static uint8_t bare[ARENA];

	ref_random_bytes(bare, blocks * block);
	sva_prep_dif_insert(&op, to, bare, blocks * block, &dif);
	sva_operation_begin(&op, &ctx, &ctx.policy);
	sva_issue_on_model(&op);
}

static void draw_dif(unsigned int opcode)
{
	static const uint16_t sizes[4] = {512, 520, 4096, 4104};
	struct sva_desc_dif dif = random_tags();
	const size_t block = sizes[dif.flags & 3], blocks = ref_below(block < 1000 ? 9 : 3);
	const bool bare = opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIX_GENERATE;
	uint8_t *src = arena + ref_below(512), *dst = arena + 6 * RIG_PAGE + 8 * ref_below(64);

	if (!bare)
		dif.src_flags = (uint8_t)(one_in(2) ? ref_random() : 0);
	if (opcode == SVA_OPCODE_DIF_UPDATE || bare)
		dif.dst_flags = (uint8_t)(one_in(2) ? ref_random() & 0xf8 : 0);
	if (!bare && blocks) {
		protect(src, blocks, block, &dif);
		spoil_tuples(src, blocks, block);
	}
	if (bare)
		dif.src_ref = dif.src_app = dif.src_app_mask = 0;
	if (opcode == SVA_OPCODE_DIF_CHECK || opcode == SVA_OPCODE_DIF_STRIP)
		dif.dst_ref = dif.dst_app = dif.dst_app_mask = 0;
	sva_prep(&op, (enum sva_opcode)opcode, (uintptr_t)src,
		 opcode == SVA_OPCODE_DIF_CHECK ? 0 : (uintptr_t)dst,
		 blocks * (block + (bare ? 0 : 8)));
	op.desc.op.dif = dif;
}

static void draw_plain(unsigned int opcode)
{
	size_t len = random_length(2 * RIG_PAGE);

	switch (opcode) {
	case SVA_OPCODE_MEMMOVE:
		sva_prep_memcpy(&op, arena + ref_below(2 * RIG_PAGE),
				arena + ref_below(2 * RIG_PAGE), len);
		break;
	case SVA_OPCODE_FILL:
		if (one_in(2))
			sva_prep_memfill(&op, arena + ref_below(RIG_PAGE),
					 one_in(4) ? 0x5a5a5a5a5a5a5a5a : random8(), len);
		else
			sva_prep_memfill16(&op, arena + ref_below(RIG_PAGE), random8(), random8(),
					   len);
		break;
	case SVA_OPCODE_TRANSLATION_FETCH:
		sva_prep_translation_fetch(&op, arena + ref_below(RIG_PAGE), len);
		if (one_in(3)) {
			op.desc.flags_opcode |= SVA_DESC_STRIDE;
			op.desc.op.fetch.stride = 2048u << ref_below(4);
		}
		break;
	case SVA_OPCODE_CACHE_FLUSH:
		sva_prep_cache_flush(&op, arena + ref_below(RIG_PAGE), len);
		break;
	default:
		sva_prep(&op, (enum sva_opcode)opcode, 0, 0, 0);
	}
}

static void draw_operation(void)
{
	unsigned int opcode = opcodes[ref_below(OPCODES)];

	switch (opcode) {
	case SVA_OPCODE_COMPARE:
		draw_compare();
		break;
	case SVA_OPCODE_COMPARE_PATTERN:
		draw_compare_pattern();
		break;
	case SVA_OPCODE_CREATE_DELTA:
		draw_create_delta();
		break;
	case SVA_OPCODE_APPLY_DELTA:
		draw_apply_delta();
		break;
	case SVA_OPCODE_DUALCAST:
		draw_dualcast();
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		draw_crc(opcode == SVA_OPCODE_COPY_CRC);
		break;
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
	case SVA_OPCODE_DIX_GENERATE:
		draw_dif(opcode);
		break;
	default:
		draw_plain(opcode);
	}
	/* What no prep function sets: a flag, or a byte of the specific part or of another field.
	 */
	if (one_in(6))
		op.desc.flags_opcode |= 1u << ref_below(24);
	if (one_in(20))
		op.desc.op.bytes[ref_below(24)] ^= (uint8_t)(1u << ref_below(8));
	if (one_in(60))
		op.desc.reserved = 1;
	if (one_in(60))
		op.desc.pasid_priv = 1u << ref_below(32);
}

static struct prelude draw_prelude(void)
{
	struct prelude prelude = {0};
	uint64_t unit = sva_kind_unit(&op);

	if (sva_desc_opcode(&op.desc) == SVA_OPCODE_NOOP || one_in(2))
		return prelude;
	prelude.max_transfer = unit * (1 + ref_below(3)) + ref_below(2000);
	prelude.chunks = ref_below(4);
	prelude.part = one_in(3) ? 0 : ref_below(1000);
	return prelude;
}

/* A flipped bit may have made an address bad, which is for other tests. */
static bool stays_in_arena(void)
{
	struct sva_range range[3];
	unsigned int n = sva_kind_ranges(&op.desc, op.length, range);

	for (unsigned int i = 0; i < n; i++)
		if (range[i].addr && (range[i].addr < (uintptr_t)arena ||
				      range[i].addr + range[i].len > (uintptr_t)arena + ARENA))
			return false;
	return true;
}

/* ------------------------------------------------------------------ one operation, twice */

/* Of the next chunk, a device does a part, and then reports a page fault. */
static void do_part(uint32_t part)
{
	struct sva_desc whole = op.desc;
	uint64_t unit = sva_kind_unit(&op), n = op.desc.size * (uint64_t)part / 1000 / unit * unit;
	const unsigned int opcode = sva_desc_opcode(&op.desc);
	const bool from_end = opcode == SVA_OPCODE_MEMMOVE && op.desc.dst > op.desc.src;

	if (opcode == SVA_OPCODE_CREATE_DELTA)
		n = n / 64 * 64;
	if (opcode == SVA_OPCODE_APPLY_DELTA) {
		n = op.desc.op.delta.addr_or_size * part / 10000 * 10;
		op.desc.op.delta.addr_or_size = n;
	} else {
		op.desc.size = (uint32_t)n;
	}
	if (!n) {
		op.desc = whole;
		return;
	}
	if (from_end) {
		op.desc.src += whole.size - n;
		op.desc.dst += whole.size - n;
	}
	sva_soft_execute(&sva_model_dsa2, &op.desc, NULL);
	op.desc = whole;
	/* A comparison that found a difference ends, and what failed does, too. */
	if (op.comp.status != SVA_STATUS_SUCCESS ||
	    (op.comp.result && opcode != SVA_OPCODE_CREATE_DELTA) || op.comp.result == 2)
		return;
	op.comp.status = SVA_STATUS_PAGE_FAULT;
	op.comp.bytes = (uint32_t)n;
	op.comp.result = from_end;
	sva_progress_partial(&op, SVA_PATH_SOFT);
}

/* true: nothing is left. */
static bool do_prelude(const struct prelude *prelude)
{
	struct sva_model_profile profile = sva_model_dsa2;
	struct sva_op_private *p = SVA_OP_PRIVATE(&op);

	if (!prelude->max_transfer || sva_kind_of(&op)->shape == SVA_SHAPE_EMPTY)
		return false;
	profile.max_transfer = 1u << 31;
	for (unsigned int i = 0; i < prelude->chunks && sva_kind_of(&op)->shape == SVA_SHAPE_BYTES;
	     i++) {
		sva_progress_next(&op, prelude->max_transfer);
		op.desc.flags_opcode = p->word;
		op.comp.status = 0;
		sva_soft_execute(&profile, &op.desc, NULL);
		if (op.comp.status != SVA_STATUS_SUCCESS || op.comp.result ||
		    sva_progress_chunk_done(&op, SVA_PATH_SOFT))
			return true;
	}
	sva_progress_next(&op, prelude->max_transfer);
	op.desc.flags_opcode = p->word;
	if (prelude->part)
		do_part(prelude->part);
	return false;
}

static bool result_differs(const struct sva_result *a, const struct sva_result *b)
{
	return a->error != b->error || a->status != b->status || a->result != b->result ||
	       a->path != b->path || a->bytes != b->bytes || a->value != b->value ||
	       memcmp(a->path_bytes, b->path_bytes, sizeof(a->path_bytes)) ||
	       a->chunks != b->chunks || a->fault_addr != b->fault_addr;
}

/*
 * After an error they are those of the last descriptor before, of which the model may have made
 * more.
 */
static bool tags_differ(const struct sva_result *a, const struct sva_result *b, bool alone)
{
	return (alone || !b->error) && memcmp(&a->dif, &b->dif, sizeof(a->dif));
}

/*
 * What the model refuses before it looks at memory; 0: it does not even write a record. A drain's
 * readback is not known here, and its address is 0.
 */
static bool is_refusal(uint8_t status)
{
	return !status || (status >= SVA_STATUS_BAD_OPCODE && status <= SVA_STATUS_READBACK_FAULT);
}

enum verdict {
	SAME,
	KNOWN,
	MEMORY,
	RESULT,
	RECORD
};
static const char *const verdicts[] = {"", "known here and refused by the model, or the reverse",
				       "memory", "result", "record"};

/* Nothing that an operation writes; spoilt: the control's byte, none if it is 0. */
static enum verdict compare_runs(bool known, bool alone, unsigned int spoilt)
{
	const struct sva_result *model = &SVA_OP_PRIVATE(&op)->result;

	if (known == is_refusal(model->status))
		return KNOWN;
	if (!known)
		return SAME;
	if (spoilt && spoilt <= ARENA)
		plain_memory[spoilt - 1] ^= 1;
	if (spoilt == ARENA + 1)
		SVA_OP_PRIVATE(&by_plain)->result.value ^= 1;
	if (memcmp(arena, plain_memory, ARENA))
		return MEMORY;
	if (result_differs(&SVA_OP_PRIVATE(&by_plain)->result, model) ||
	    tags_differ(&SVA_OP_PRIVATE(&by_plain)->result, model, alone))
		return RESULT;
	if (alone && memcmp(&by_plain.comp, &op.comp, sizeof(op.comp)))
		return RECORD;
	return SAME;
}

static enum verdict one_case(unsigned int spoilt, unsigned int how)
{
	struct prelude prelude;
	struct sva_op prepared;
	int error = 0;
	bool known;

	draw_operation();
	if (sva_progress_check(&op) || sva_progress_is_empty(&op) || !stays_in_arena()) {
		seen_refused++;
		return SAME;
	}
	prelude = draw_prelude();
	prepared = op;
	memcpy(start, arena, ARENA);
	sva_operation_begin(&op, &ctx, &ctx.policy);
	if (do_prelude(&prelude)) {
		seen_other++;
		memcpy(arena, start, ARENA);
		return SAME;
	}
	seen_begun += SVA_OP_PRIVATE(&op)->result.bytes || SVA_OP_PRIVATE(&op)->mid_chunk;
	known = sva_cpu_finish(&op, how, &error);
	if (known)
		sva_operation_end(&op, NULL, error);
	by_plain = op;
	memcpy(plain_memory, arena, ARENA);
	memcpy(arena, start, ARENA);
	op = prepared;
	sva_operation_begin(&op, &ctx, &ctx.policy);
	(void)do_prelude(&prelude);
	sva_issue_on_model(&op);
	if (known && !SVA_OP_PRIVATE(&op)->result.error)
		seen_ok[sva_desc_opcode(&op.desc)]++;
	return compare_runs(known, !prelude.max_transfer, spoilt);
}

static void report(enum verdict verdict, unsigned int i)
{
	const struct sva_result *a = &SVA_OP_PRIVATE(&by_plain)->result,
				*b = &SVA_OP_PRIVATE(&op)->result;

	printf("# case %u, operation %#x, %llu bytes: %s\n", i, sva_desc_opcode(&op.desc),
	       (unsigned long long)op.length, verdicts[verdict]);
	printf("# plain: error %d status %#x result %u bytes %llu value %#llx\n", a->error,
	       a->status, a->result, (unsigned long long)a->bytes, (unsigned long long)a->value);
	printf("# model: error %d status %#x result %u bytes %llu value %#llx\n", b->error,
	       b->status, b->result, (unsigned long long)b->bytes, (unsigned long long)b->value);
}

static void random_cases(unsigned int cases, unsigned int how, const char *name)
{
	unsigned int wrong = 0, never = 0;

	memset(seen_ok, 0, sizeof(seen_ok));
	seen_refused = seen_other = seen_begun = 0;
	for (unsigned int i = 0; i < cases; i++) {
		enum verdict verdict;

		if (i % 64 == 0)
			ref_random_bytes(arena, ARENA);
		verdict = one_case(0, how);
		if (verdict != SAME && !wrong++)
			report(verdict, i);
	}
	for (unsigned int i = 0; i < OPCODES; i++)
		never += !seen_ok[opcodes[i]];
	ok(!wrong && !never && seen_begun > cases / 20,
	   "%s: %u random operations leave the bytes and the result of the model", name, cases);
	printf("# %u different, %u kinds never ended well, %u were begun by a device, "
	       "%u refused, %u ended there\n",
	       wrong, never, seen_begun, seen_refused, seen_other);
}

/* One flipped bit of the memory, or of the result, is noticed wherever it is. */
static void control(void)
{
	unsigned int noticed = 0, compared = 0;

	for (unsigned int i = 0; i < 400; i++) {
		unsigned int before = seen_refused + seen_other;
		enum verdict verdict = one_case(1 + ref_below(ARENA + 1), 0);

		if (before != seen_refused + seen_other ||
		    is_refusal(SVA_OP_PRIVATE(&op)->result.status))
			continue;
		compared++;
		noticed += verdict == MEMORY || verdict == RESULT;
	}
	ok(compared > 100 && noticed == compared,
	   "control: one flipped bit is noticed in each of %u operations", compared);
}

/* ------------------------------------------------------------------ the loops, directed */

static void fills_of_each_length(const char *name)
{
	static uint8_t got[600], want[600];
	unsigned int wrong = 0;
	uint64_t half[2];

	for (size_t offset = 0; offset < 65; offset++)
		for (size_t len = 0; len <= 400; len += offset % 8 ? 7 : 1) {
			half[0] = random8();
			half[1] = len % 3 ? random8() : half[0];
			memset(got, 0x55, sizeof(got));
			memset(want, 0x55, sizeof(want));
			ref_fill(want + offset, len, (uint8_t *)half, 16);
			sva_cpu_fill16(got + offset, half[0], half[1], len);
			wrong += !!memcmp(got, want, sizeof(got));
		}
	ok(!wrong, "%s: fills of 0 to 400 bytes at 65 offsets", name);
}

/* Long enough to go past the caches. */
static void long_fill(const char *name)
{
	size_t len = (16u << 20) + 4096 + 77, wrong = 0;
	uint8_t *bytes = malloc(len + 128);
	uint64_t half[2] = {random8(), random8()};

	memset(bytes, 0x11, len + 128);
	sva_cpu_fill16(bytes + 5, half[0], half[1], len);
	for (size_t i = 0; i < len; i++)
		wrong += bytes[5 + i] != ((uint8_t *)half)[i % 16];
	wrong += bytes[4] != 0x11 || bytes[5 + len] != 0x11;
	ok(!wrong, "%s: a fill of 16 MiB and an odd rest", name);
	free(bytes);
}

static void each_difference(const char *name)
{
	static uint8_t a[700], b[700];
	unsigned int wrong = 0;
	uint64_t pattern = random8();

	for (size_t len = 0; len <= 300; len++) {
		uint8_t *x = a + len % 33, *y = b + len % 31;

		ref_fill(x, len, (uint8_t *)&pattern, 8);
		ref_fill(y, len, (uint8_t *)&pattern, 8);
		x[len] = (uint8_t)~y[len];
		wrong += sva_cpu_compare(x, y, len) != len;
		wrong += sva_cpu_compare_pattern(y, pattern, len) != len;
		for (size_t at = 0; at < len; at++) {
			y[at] ^= 0x10;
			if (at + 3 < len)
				y[at + 3] ^= 1;
			wrong += sva_cpu_compare(x, y, len) != at;
			wrong += sva_cpu_compare_pattern(y, pattern, len) != at;
			if (at + 3 < len)
				y[at + 3] ^= 1;
			y[at] ^= 0x10;
		}
	}
	ok(!wrong, "%s: the first difference is found at each offset of each length to 300", name);
}

/* More than ISA-L's length, or a piece of a copy, holds. */
static void long_crc(void)
{
	size_t len = 3 * 16384 + 1000;
	uint8_t *from = malloc(len), *to = malloc(len);
	unsigned int wrong = 0;

	ref_random_bytes(from, len);
	for (unsigned int i = 0; i < 8; i++) {
		bool inversion = i & 1, reflection = i & 2;
		uint32_t flags = (inversion ? SVA_CRC_BYPASS_INVERSION : 0) |
				 (reflection ? SVA_CRC_BYPASS_REFLECTION : 0) |
				 (i & 4 ? SVA_CRC_64 : 0);
		uint64_t seed = i & 4 ? random8() : ref_random();
		uint64_t want =
			i & 4 ? ref_crc64(from, len, seed, inversion, reflection) :
				ref_crc32c(from, len, (uint32_t)seed, inversion, reflection);

		wrong += sva_cpu_crc(from, len, seed, flags) != want;
		memset(to, 0, len);
		wrong += sva_cpu_copy_crc(to, from, len, seed, flags) != want ||
			 memcmp(to, from, len);
	}
	ok(!wrong, "CRC, and copy with CRC, of 50152 bytes with each set of flags");
	free(from);
	free(to);
}

int main(int argc, char **argv)
{
	unsigned int cases = argc > 1 ? (unsigned int)atoi(argv[1]) : CASES, tables = 0;

	rig_begin();
	for (unsigned int i = argc > 2 ? (unsigned int)atoi(argv[2]) : 0; i; i--)
		(void)random8();
	arena = rig_pages(ARENA / RIG_PAGE);
	ref_random_bytes(arena, ARENA);
	for (const struct sva_wide *const *wide = sva_wide_all; *wide; wide++) {
		if (!(*wide)->is_usable()) {
			skip((*wide)->name, "this CPU does not have it");
			continue;
		}
		sva_wide = *wide;
		fills_of_each_length(sva_wide->name);
		long_fill(sva_wide->name);
		each_difference(sva_wide->name);
		random_cases(cases, 0, sva_wide->name);
		tables++;
	}
	ok(tables > 0, "%u sets of instructions were tried", tables);
	random_cases(cases / 3, SVA_CPU_TOUCH, "with touched pages");
	if (sva_guard_setup())
		return 1;
	random_cases(cases / 3, SVA_CPU_GUARD, "under the guard");
	long_crc();
	control();
	return done();
}
