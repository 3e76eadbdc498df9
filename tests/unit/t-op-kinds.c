/* SPDX-License-Identifier: MIT */
/*
 * The table of operations: what is refused before anything is submitted, and with which errno;
 * block sizes; which operand an address belongs to; touching. Each refusal stands beside the same
 * operation without the mistake, which is accepted.
 */
#include <errno.h>
#include <sys/mman.h>

#include "lib/base/memory.h"
#include "lib/op/kinds.h"
#include "tap.h"
#include "unit/rig.h"

#define P(address) ((void *)(uintptr_t)(address))
#define A P(0x100000)
#define B P(0x200000)
#define C P(0x300000)
#define TOP 0x8000000000000000ull /* no address of a program is above */

static struct sva_op op;
static const struct sva_desc_dif dif512 = { .flags = SVA_DIF_BLOCK_512 };

/* sva_progress_check() of the operation as it is returns WANT and does not change it. */
static void check(int want, const char *name)
{
	struct sva_op before = op;

	is_rc(sva_progress_check(&op), want, name);
	if (memcmp(&before, &op, sizeof(op)))
		ok(false, "%s: the check does not change the operation", name);
}

/* ------------------------------------------------------------------ prepared well */

enum kind {
	NOOP,
	DRAIN,
	COPY,
	FILL,
	FILL16,
	COMPARE,
	COMPARE_PATTERN,
	CREATE_DELTA,
	APPLY_DELTA,
	DUALCAST,
	FETCH,
	CRC,
	COPY_CRC,
	DIF_CHECK,
	DIF_INSERT, DIF_STRIP, DIF_UPDATE, DIX, FLUSH, BATCH, KINDS
};

static const char *const names[KINDS] = {
	"no-op",
	"drain",
	"copy",
	"fill",
	"16-byte fill",
	"compare",
	"compare pattern",
	"create delta",
	"apply delta",
	"dualcast",
	"translation fetch",
	"CRC",
	"copy with CRC",
	"DIF check",
	"DIF insert",
	"DIF strip",
	"DIF update",
	"DIX generate",
	"cache flush",
	"batch",
};

static struct sva_op *entries[2];

static void prepare(enum kind kind)
{
	switch (kind) {
	case NOOP: sva_prep_noop(&op); break;
	case DRAIN: sva_prep_drain(&op); break;
	case COPY: sva_prep_memcpy(&op, B, A, 4160); break;
	case FILL: sva_prep_memfill(&op, B, 0, 4160); break;
	case FILL16: sva_prep_memfill16(&op, B, 0, 0, 4160); break;
	case COMPARE: sva_prep_compare(&op, A, B, 4160); break;
	case COMPARE_PATTERN: sva_prep_compare_pattern(&op, A, 0, 4160); break;
	case CREATE_DELTA: sva_prep_create_delta(&op, A, B, 4160, C, 80); break;
	case APPLY_DELTA: sva_prep_apply_delta(&op, B, 4160, A, 10); break;
	case DUALCAST: sva_prep_dualcast(&op, B, C, A, 4160); break;
	case FETCH: sva_prep_translation_fetch(&op, A, 4160); break;
	case CRC: sva_prep_crc(&op, A, 4160, 0, 0); break;
	case COPY_CRC: sva_prep_copy_crc(&op, B, A, 4160, 0, 0); break;
	case DIF_CHECK: sva_prep_dif_check(&op, A, 4160, &dif512); break;
	case DIF_INSERT: sva_prep_dif_insert(&op, B, A, 4096, &dif512); break;
	case DIF_STRIP: sva_prep_dif_strip(&op, B, A, 4160, &dif512); break;
	case DIF_UPDATE: sva_prep_dif_update(&op, B, A, 4160, &dif512); break;
	case DIX: sva_prep_dix_generate(&op, B, A, 4096, &dif512); break;
	case FLUSH: sva_prep_cache_flush(&op, B, 4160); break;
	default: sva_prep_batch(&op, entries, 2); break;
	}
}

/* Which fields are addresses; the third is in bytes 40-47. */
static const struct { bool src, dst, third;
} addresses[KINDS] = {
	[COPY] = {true, true, false},
	[FILL] = {false, true, false},
	[FILL16] = {false, true, false},
	[COMPARE] = {true, true, false},
	[COMPARE_PATTERN] = {true, false, false},
	[CREATE_DELTA] = {true, true, true},
	[APPLY_DELTA] = {true, true, false},
	[DUALCAST] = {true, true, true},
	[FETCH] = {true, false, false},
	[CRC] = {true, false, false},
	[COPY_CRC] = {true, true, false},
	[DIF_CHECK] = {true, false, false},
	[DIF_INSERT] = {true, true, false},
	[DIF_STRIP] = {true, true, false},
	[DIF_UPDATE] = {true, true, false},
	[DIX] = {true, true, false},
	[FLUSH] = {false, true, false},
};

static uint64_t *field(int which)
{
	return which == 0 ? &op.desc.src : which == 1 ? &op.desc.dst : &op.desc.op.dualcast.dst2;
}

/* The bytes of an operand: most have the operation's length. */
static uint64_t extent(enum kind kind, int which)
{
	switch (kind) {
	case APPLY_DELTA: return which == 0 ? 10 : 4160;
	case CREATE_DELTA: return which == 2 ? 80 : 4160;
	case DIF_INSERT: return which == 0 ? 4096 : 4160;
	case DIF_STRIP: return which == 0 ? 4160 : 4096;
	case DIX: return which == 0 ? 4096 : 64;
	default: return 4160;
	}
}

static void check_addresses(enum kind kind)
{
	static const char *const operand[3] = { "first", "second", "third" };
	const bool is_address[3] = {addresses[kind].src, addresses[kind].dst,
				    addresses[kind].third};

	for (int which = 0; which < 3; which++) {
		uint64_t len = extent(kind, which), end = (TOP - len) & ~7ull;

		if (!is_address[which])
			continue;
		subject("%s, %s address", names[kind], operand[which]);
		prepare(kind);
		*field(which) = 0;
		check(-EFAULT, "a null pointer");
		prepare(kind);
		*field(which) = 0 - len / 2 / 4096 * 4096 - 4096;
		check(-EINVAL, "a range that wraps around or is the kernel's");
		prepare(kind);
		*field(which) = (TOP - len + 8) & ~7ull;
		if (kind != DUALCAST) /* whose bits 11:0 belong together */
			check(-EINVAL, "a range that ends above the addresses of programs");
		prepare(kind);
		*field(which) = end;
		if (kind != DUALCAST)
			check(0, "a range that ends with the last address of programs");
	}
}

static void each_kind(void)
{
	for (enum kind kind = 0; kind < KINDS; kind++) {
		subject("%s", names[kind]);
		prepare(kind);
		check(0, "without mistake");
		check_addresses(kind);
		subject("%s", names[kind]);
		prepare(kind);
		op.flags = 0x80;
		check(-EINVAL, "unknown flag 0x80");
		op.flags = 0x1000000;
		check(-EINVAL, "unknown flag 0x1000000");
		op.flags = SVA_OP_CACHE | SVA_OP_NO_CACHE;
		check(-EINVAL, "SVA_OP_CACHE and SVA_OP_NO_CACHE together");
		op.flags = SVA_OP_CHECK;
		check(kind == COMPARE || kind == COMPARE_PATTERN || kind == CREATE_DELTA ? 0 :
											   -EINVAL,
		      "SVA_OP_CHECK, which only operations with a result have");
		if (kind == NOOP || kind == DRAIN)
			continue;
		prepare(kind);
		op.length = TOP;
		check(-EINVAL, "a length of 2^63");
		op.length = UINT64_MAX;
		check(-EINVAL, "a length of 2^64 - 1");
		prepare(kind);
		op.length = 0;
		check(kind == BATCH ? -EINVAL : 0, "a length of 0");
		if (kind == BATCH)
			continue;
		op.desc.src = op.desc.dst = op.desc.op.dualcast.dst2 = 0;
		check(0, "a length of 0, null pointers");
	}
}

/* ------------------------------------------------------------------ by operation */

static void overlaps(void)
{
	/* dst from src: the last that touches and the first that does not, on either side. */
	static const struct { int64_t by; bool bad; } where[] = {
		{ -4160, false }, { -4159, true }, { 0, true }, { 4159, true }, { 4160, false },
	};

	for (unsigned int i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		void *to = (char *)A + where[i].by;

		subject("4160 bytes, destination at source %+lld", (long long)where[i].by);

		sva_prep_memcpy(&op, to, A, 4160);
		check(0, "copy, which may overlap");
		sva_prep_compare(&op, to, A, 4160);
		check(0, "compare, which may overlap since it only reads");
		sva_prep_copy_crc(&op, to, A, 4160, 0, 0);
		check(where[i].bad ? -EINVAL : 0, "copy with CRC, which may not overlap");
		sva_prep_dif_update(&op, to, A, 4160, &dif512);
		check(where[i].bad ? -EINVAL : 0, "DIF update, which may not overlap");
	}
	subject("overlap");
	sva_prep_dif_strip(&op, (char *)A - 4096, A, 4160, &dif512);
	check(0, "DIF strip to directly below its source");
	sva_prep_dif_strip(&op, (char *)A - 4095, A, 4160, &dif512);
	check(-EINVAL, "DIF strip to one byte higher");
	sva_prep_dif_insert(&op, (char *)A - 4159, A, 4096, &dif512);
	check(-EINVAL, "DIF insert whose longer destination reaches its source");
	sva_prep_dif_insert(&op, (char *)A - 4160, A, 4096, &dif512);
	check(0, "DIF insert to directly below its source");
	sva_prep_dualcast(&op, A, (char *)A + 4096, B, 4096);
	check(0, "dualcast to destinations side by side");
	sva_prep_dualcast(&op, A, (char *)A + 4096, B, 4097);
	check(-EINVAL, "dualcast to destinations that overlap");
	sva_prep_dualcast(&op, A, B, (char *)A + 1, 4096);
	check(-EINVAL, "dualcast whose second destination overlaps its source");
	sva_prep_dualcast(&op, A, B, (char *)B + 1, 4096);
	check(-EINVAL, "dualcast whose source overlaps its second destination by all but a byte");
	sva_prep_create_delta(&op, A, B, 4096, (char *)B + 4095, 80);
	check(-EINVAL, "a delta record that overlaps the new version");
	sva_prep_create_delta(&op, A, B, 4096, (char *)A - 79, 80);
	check(-EINVAL, "a delta record that overlaps the old version");
	sva_prep_create_delta(&op, A, B, 4096, (char *)A - 80, 80);
	check(0, "a delta record directly below the old version");
	sva_prep_apply_delta(&op, B, 4096, (char *)B + 4090, 10);
	check(-EINVAL, "a delta record that overlaps the buffer that it is applied to");
}

static void delta_rules(void)
{
	static const struct { uint64_t len; uint32_t max; int want;
	} creates[] = {
		{8, 80, 0},
		{7, 80, -EINVAL},
		{12, 80, -EINVAL},
		{0x80000, 80, 0},
		{0x80008, 80, -EINVAL},
		{8, 79, -EINVAL},
		{8, 85, -EINVAL},
		{8, 90, 0},
		{8, 0, -EINVAL},
		{8, 0xffffffff, -EINVAL},
		{8, 0xfffffff0, 0},
	};
	static const struct { uint64_t len; uint32_t size; int want;
	} applies[] = {
		{8, 10, 0},	  {8, 9, -EINVAL},  {8, 0, -EINVAL},
		{9, 10, -EINVAL}, {0x80000, 10, 0}, {0x80008, 10, -EINVAL},
	};

	for (unsigned int i = 0; i < sizeof(creates) / sizeof(creates[0]); i++) {
		sva_prep_create_delta(&op, A, P(0x700000), creates[i].len, P(0x10000000),
				      creates[i].max);
		subject("create delta of %#llx bytes, room for a record of %#x",
			(unsigned long long)creates[i].len, creates[i].max);
		check(creates[i].want, "check");
	}
	for (unsigned int i = 0; i < sizeof(applies) / sizeof(applies[0]); i++) {
		sva_prep_apply_delta(&op, A, applies[i].len, P(0x700000), applies[i].size);
		subject("apply delta to %#llx bytes, a record of %#x",
			(unsigned long long)applies[i].len, applies[i].size);
		check(applies[i].want, "check");
	}
	subject("alignment");
	sva_prep_create_delta(&op, (char *)A + 4, B, 64, C, 80);
	check(-EINVAL, "create delta: the old version is misaligned");
	sva_prep_create_delta(&op, A, (char *)B + 4, 64, C, 80);
	check(-EINVAL, "create delta: the new version is misaligned");
	sva_prep_create_delta(&op, A, B, 64, (char *)C + 3, 80);
	check(0, "create delta: the record need not be aligned");
	sva_prep_apply_delta(&op, (char *)B + 4, 64, A, 10);
	check(-EINVAL, "apply delta: the destination is misaligned");
	sva_prep_apply_delta(&op, B, 64, (char *)A + 1, 10);
	check(0, "apply delta: the record need not be aligned");
}

static void block_rules(void)
{
	static const unsigned int sizes[4] = { 512, 520, 4096, 4104 };

	for (unsigned int code = 0; code < 4; code++) {
		struct sva_desc_dif dif = { .flags = (uint8_t)code };
		uint64_t block = sizes[code], n = 3;

		subject("DIF blocks of %u bytes", sizes[code]);

		sva_prep_dif_insert(&op, B, A, n * block, &dif);
		check(0, "insert of whole blocks");
		is(sva_kind_unit(&op), block, "unit in which the operation is cut: insert");
		is(sva_kind_dst_bytes(&op, n * block), n * (block + 8), "bytes that insert writes");
		sva_prep_dif_insert(&op, B, A, n * block + 8, &dif);
		check(-EINVAL, "insert of parts of blocks");
		sva_prep_dix_generate(&op, B, A, n * block, &dif);
		check(0, "DIX of whole blocks");
		is(sva_kind_unit(&op), block, "unit in which the operation is cut: DIX");
		is(sva_kind_dst_bytes(&op, n * block), n * 8, "bytes that DIX writes");
		sva_prep_dif_strip(&op, B, A, n * (block + 8), &dif);
		check(0, "strip of whole blocks");
		is(sva_kind_unit(&op), block + 8, "unit in which the operation is cut: strip");
		is(sva_kind_dst_bytes(&op, n * (block + 8)), n * block, "bytes that strip writes");
		sva_prep_dif_strip(&op, B, A, n * block, &dif);
		check(-EINVAL, "strip of parts of blocks");
		sva_prep_dif_check(&op, A, n * (block + 8), &dif);
		check(0, "check of whole blocks");
		sva_prep_dif_check(&op, A, n * (block + 8) - 1, &dif);
		check(-EINVAL, "check of parts of blocks");
		sva_prep_dif_update(&op, B, A, n * (block + 8), &dif);
		check(0, "update of whole blocks");
		is(sva_kind_dst_bytes(&op, n * (block + 8)), n * (block + 8),
		   "bytes that update writes");
	}
	subject("alignment");
	sva_prep_dix_generate(&op, (char *)B + 4, A, 512, &dif512);
	check(-EINVAL, "DIX to a misaligned destination");
	sva_prep_dif_insert(&op, (char *)B + 1, (char *)A + 3, 512, &dif512);
	check(0, "insert, which needs no alignment");
}

static void states(void)
{
	static char memory[sizeof(op) + 64] __attribute__((aligned(64)));
	static const uint32_t pending[] = {SVA_OP_IN_FLIGHT, SVA_OP_STALLED, SVA_OP_IN_BATCH,
					   SVA_OP_BATCHING};
	struct sva_op *badly = (struct sva_op *)(void *)(memory + 32);

	subject("an operation");

	for (unsigned int i = 0; i < 4; i++) {
		prepare(COPY);
		op.state = pending[i];
		subject("an operation in state %u", pending[i]);
		check(-EBUSY, "it is in flight");
	}
	subject("an operation");
	op.state = SVA_OP_ENDED;
	check(-EINVAL, "that has ended and was not prepared again");
	op.state = 0;
	check(-EINVAL, "in state 0, as zeroed memory has it");
	memset(&op, 0xa5, sizeof(op));
	check(-EINVAL, "that is garbage");
	memset(memory, 0, sizeof(memory));
	/* By its bytes: the type promises an alignment that this one does not have. */
	memcpy(memory + 32 + offsetof(struct sva_op, state), &(uint32_t){ SVA_OP_PREPARED }, 4);
	is_rc(sva_progress_check(badly), -EINVAL, "that is misaligned in memory");
	sva_prep_dualcast(&op, B, (char *)C + 1, A, 64);
	check(-EINVAL, "dualcast to destinations whose bits 11:0 differ");
	sva_prep_dualcast(&op, B, (char *)C + 4096, A, 64);
	check(0, "dualcast to destinations whose bits 11:0 are the same");
	sva_prep_batch(&op, NULL, 1);
	check(-EFAULT, "a batch without a list");
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		bool known = opcode <= 0x0a || (opcode >= 0x10 && opcode <= 0x15) ||
			     opcode == 0x17 || opcode == 0x20 || opcode == SVA_OPCODE_DMA_FILL ||
			     opcode == SVA_OPCODE_DMA_COPY;

		sva_prep(&op, (enum sva_opcode)opcode, 0, 0, 0);
		op.desc.src = opcode == 1;
		op.length = opcode == 1;
		subject("operation code %#x", opcode);
		is_rc(sva_progress_check(&op), known ? 0 : -EOPNOTSUPP,
		      known ? "supported" : "not supported");
	}
}

/* ------------------------------------------------------------------ operands and touching */

static void operands(void)
{
	subject("end of the operand of an address");
	sva_prep_memcpy(&op, P(0x20ff0), P(0x10010), 100);
	is(sva_kind_operand_end(&op, 0x10020, false), 0x10010 + 100, "an address in the source");
	is(sva_kind_operand_end(&op, 0x10000, false), 0x10010 + 100,
	   "the page that the source begins in");
	is(sva_kind_operand_end(&op, 0x0ffff, false), 0, "the page before the source has none");
	is(sva_kind_operand_end(&op, 0x10010 + 99, false), 0x10010 + 100,
	   "the last byte of the source");
	is(sva_kind_operand_end(&op, 0x10010 + 100, false), 0,
	   "the byte behind the source has none");
	is(sva_kind_operand_end(&op, 0x10020, true), 0, "the source has none that is written");
	is(sva_kind_operand_end(&op, 0x21000, true), 0x20ff0 + 100,
	   "the second page of the destination");
	sva_prep_create_delta(&op, A, B, 64, C, 800);
	is(sva_kind_operand_end(&op, 0x300000, true), 0x300000 + 800, "the record of create delta");
	sva_prep_apply_delta(&op, B, 64, A, 30);
	is(sva_kind_operand_end(&op, 0x100000, false), 0x100000 + 30, "the record of apply delta");
	sva_prep_memfill(&op, B, 0x100000, 64);
	is(sva_kind_operand_end(&op, 0x100000, false), 0, "a fill's pattern is not an address");
	sva_prep_noop(&op);
	is(sva_kind_operand_end(&op, 0, false), 0, "a no-op has no operand");
}

static void touching(void)
{
	uint8_t *pages = rig_pages(6);
	uint64_t bad = 0;
	bool write = false;

	subject("sva_touch()");
	is_rc(sva_touch((uintptr_t)pages + 10, 2 * RIG_PAGE, true, &bad), 0,
	   "two pages and 10 bytes, to write");
	ok(rig_page_resident(pages) && rig_page_resident(pages + 2 * RIG_PAGE) &&
		   !rig_page_resident(pages + 3 * RIG_PAGE),
	   "these three pages are resident, the next is not");
	is_rc(sva_touch((uintptr_t)pages + 3 * RIG_PAGE, 1, false, &bad), 0,
	   "one byte, to read");
	ok(rig_page_resident(pages + 3 * RIG_PAGE) && pages[3 * RIG_PAGE] == 0,
	   "its page is resident");
	is_rc(sva_touch((uintptr_t)pages, 0, true, &bad), 0, "no bytes of a good page");
	pages[RIG_PAGE] = 42;
	rig_page_readonly(pages + RIG_PAGE);
	is_rc(sva_touch((uintptr_t)pages + 10, 3 * RIG_PAGE, true, &bad), -EFAULT,
	   "a page that cannot be written, to write");
	is(bad, (uintptr_t)pages + RIG_PAGE,
	   "a page that cannot be written: its address is returned");
	is_rc(sva_touch((uintptr_t)pages + 10, 3 * RIG_PAGE, false, &bad), 0,
	      "a page that cannot be written, to read");
	is(pages[RIG_PAGE], 42, "a touched page keeps its content");
	rig_page_gone(pages + 2 * RIG_PAGE);
	is_rc(sva_touch((uintptr_t)pages + 10, 3 * RIG_PAGE, false, &bad), -EFAULT,
	   "a page that is not mapped");
	is(bad, (uintptr_t)pages + 2 * RIG_PAGE,
	   "a page that is not mapped: its address is returned");
	is_rc(sva_touch((uintptr_t)pages + 2 * RIG_PAGE + 100, 8, false, &bad), -EFAULT,
	      "a range that begins within a page that is not mapped");
	is(bad, (uintptr_t)pages + 2 * RIG_PAGE + 100, "the address of its first byte is returned");
	is_rc(sva_touch(UINT64_MAX - 10, 20, false, &bad), -EFAULT, "a range that wraps around");
	is_rc(sva_touch(UINT64_MAX - 4095, 4096, false, &bad), -EFAULT,
	      "the last page of the address space");
	is_rc(sva_touch(0, 1, false, &bad), -EFAULT, "the first page of the address space");
	is_rc(sva_touch(0x800000000000, 4096, true, &bad), -EFAULT,
	      "a page above the addresses of programs");

	subject("sva_kind_touch() of a copy");
	sva_prep_memcpy(&op, pages + 4 * RIG_PAGE, pages, 100);
	is_rc(sva_kind_touch(&op, &bad, &write), 0, "both operands are good");
	ok(rig_page_resident(pages + 4 * RIG_PAGE), "the page of the destination is resident");
	sva_prep_memcpy(&op, pages + RIG_PAGE - 8, pages, 100);
	ok(sva_kind_touch(&op, &bad, &write) == -EFAULT && write &&
		   bad == (uintptr_t)pages + RIG_PAGE,
	   "a bad destination: -EFAULT, its address, a write");
	sva_prep_memcpy(&op, pages, pages + 2 * RIG_PAGE, 100);
	ok(sva_kind_touch(&op, &bad, &write) == -EFAULT && !write &&
		   bad == (uintptr_t)pages + 2 * RIG_PAGE,
	   "a bad source: -EFAULT, its address, a read");
}

int main(void)
{
	rig_begin();
	each_kind();
	overlaps();
	delta_rules();
	block_rules();
	states();
	operands();
	touching();
	return done();
}
