/* SPDX-License-Identifier: MIT */
/*
 * Bad pointers and bad input, through every way of the library that needs no device. A page that
 * cannot be read or written is reported with its address and direction, wherever in a buffer it
 * lies; input that cannot be right is refused before anything is done.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#include "sva/sva.h"
#include "tap.h"
#include "unit/rig.h"

#define PAGES  3u
#define OFFSET 64u
#define LENGTH (2 * RIG_PAGE + 128u) /* so each buffer is in three pages */

static struct sva_op op;
static uint8_t *area[3];
static const struct sva_desc_dif dif512 = { .flags = SVA_DIF_BLOCK_512 };

/* ------------------------------------------------------------------ bad pages */

struct kind {
	const char *name;
	void (*prepare)(uint8_t *a, uint8_t *b, uint8_t *c);
	char use[4]; /* of the three areas: r read, w written, - not at all */
};

static void copy(uint8_t *a, uint8_t *b, uint8_t *c)
{
	(void)c;
	sva_prep_memcpy(&op, b, a, LENGTH);
}

static void fill(uint8_t *a, uint8_t *b, uint8_t *c)
{
	(void)a, (void)c;
	sva_prep_memfill(&op, b, 0x0102030405060708, LENGTH);
}

static void compare(uint8_t *a, uint8_t *b, uint8_t *c)
{
	(void)c;
	sva_prep_compare(&op, a, b, LENGTH);
}

static void compare_pattern(uint8_t *a, uint8_t *b, uint8_t *c)
{
	(void)b, (void)c;
	sva_prep_compare_pattern(&op, a, 0, LENGTH);
}

static void create_delta(uint8_t *a, uint8_t *b, uint8_t *c)
{
	sva_prep_create_delta(&op, a, b, LENGTH, c, 12220);
}

static void apply_delta(uint8_t *a, uint8_t *b, uint8_t *c)
{
	(void)c;
	sva_prep_apply_delta(&op, b, LENGTH, a, 10400);
}

static void dualcast(uint8_t *a, uint8_t *b, uint8_t *c)
{
	sva_prep_dualcast(&op, b, c, a, LENGTH);
}

static void crc(uint8_t *a, uint8_t *b, uint8_t *c)
{
	(void)b, (void)c;
	sva_prep_crc(&op, a, LENGTH, 0, 0);
}

static void copy_crc(uint8_t *a, uint8_t *b, uint8_t *c)
{
	(void)c;
	sva_prep_copy_crc(&op, b, a, LENGTH, 0, 0);
}

static void dif_insert(uint8_t *a, uint8_t *b, uint8_t *c)
{
	(void)c;
	sva_prep_dif_insert(&op, b, a, 17 * 512, &dif512);
}

static void dif_strip(uint8_t *a, uint8_t *b, uint8_t *c)
{
	static const struct sva_desc_dif unchecked = {
		.flags = SVA_DIF_BLOCK_512,
		.src_flags = SVA_DIF_SRC_NO_GUARD | SVA_DIF_SRC_NO_REF,
		.src_app_mask = 0xffff,
	};

	(void)c;
	sva_prep_dif_strip(&op, b, a, 17 * 520, &unchecked);
}

/* In area 0 all bytes are 0, in area 1 all are 1, but a delta record has its offsets. */
static const struct kind kinds[] = {
	{ "copy", copy, "rw-" },
	{ "fill", fill, "-w-" },
	{ "compare pattern", compare_pattern, "r--" },
	{ "create delta", create_delta, "rrw" },
	{ "dualcast", dualcast, "rww" },
	{ "CRC", crc, "r--" },
	{ "copy with CRC", copy_crc, "rw-" },
	{ "DIF insert", dif_insert, "rw-" },
	{ "DIF strip", dif_strip, "rw-" },
	{ "apply delta", apply_delta, "rw-" },
	{ "compare", compare, "rr-" },
};

static void make_record(uint8_t *record)
{
	for (unsigned int i = 0; i < 1040; i++, record += 10) {
		memset(record, 1, 10);
		record[0] = (uint8_t)i;
		record[1] = (uint8_t)(i >> 8);
	}
}

static void make_content(const struct kind *kind)
{
	for (unsigned int i = 0; i < 3; i++)
		memset(area[i], kind->prepare == create_delta && i == 1, PAGES * RIG_PAGE);
	if (kind->prepare == apply_delta)
		make_record(area[0] + OFFSET);
}

static void run_on(const struct kind *kind)
{
	kind->prepare(area[0] + OFFSET, area[1] + OFFSET, area[2] + OFFSET);
}

/* One page of one operand is bad. */
static bool bad_page(const struct kind *kind, unsigned int which, unsigned int page,
		     void (*make_bad)(uint8_t *page))
{
	uint8_t *bad = area[which] + page * RIG_PAGE;
	bool write = kind->use[which] == 'w', good;
	const struct sva_result *result;
	int err;

	make_content(kind);
	make_bad(bad);
	run_on(kind);
	err = rig_do(&op);
	result = sva_op_result(&op);
	good = err == -EFAULT && result->error == -EFAULT &&
	       (result->fault_addr & ~4095ull) == (uintptr_t)bad && result->fault_write == write &&
	       result->bytes < op.length && result->status == SVA_STATUS_PAGE_FAULT;
	if (!good)
		printf("# %s, area %u, page %u: %d, status %#x, fault %#llx of %p, write %u, "
		       "%llu bytes\n",
		       kind->name, which, page, err, result->status,
		       (unsigned long long)result->fault_addr, (void *)bad, result->fault_write,
		       (unsigned long long)result->bytes);
	rig_page_good(bad);
	make_content(kind);
	run_on(kind);
	return good && !rig_do(&op);
}

static void bad_pages(void)
{
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool good = true;

		for (unsigned int which = 0; which < 3; which++) {
			for (unsigned int page = 0; page < PAGES && kinds[i].use[which] != '-';
			     page++) {
				good &= bad_page(&kinds[i], which, page, rig_page_deny);
				good &= bad_page(&kinds[i], which, page, rig_page_gone);
				if (kinds[i].use[which] == 'w')
					good &= bad_page(&kinds[i], which, page, rig_page_readonly);
			}
		}
		ok(good, "%s: a bad page in any place of any operand is reported", kinds[i].name);
	}
}

/* On the cpu route without the guard a bad pointer is a signal, as in C. */
static int use_bad_page(void *arg)
{
	const struct kind *kind = arg;
	unsigned int which = 0;

	/* Contexts from before the fork are of no use here. */
	rig_way_begin(rig_way);
	while (kind->use[which] == '-')
		which++;
	rig_page_deny(area[which]);
	run_on(kind);
	return rig_do(&op) == -EFAULT ? 8 : 9;
}

static void signals(void)
{
	const char *sanitizers = getenv("SANITIZERS");

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		make_content(&kinds[i]);
		subject("%s, %s", rig_way->name, kinds[i].name);
		if (sanitizers && strcmp(sanitizers, "no"))
			skip("a bad page is SIGSEGV", "sanitizers handle the signal themselves");
		else
			is(rig_in_child(use_bad_page, (void *)(uintptr_t)&kinds[i]), 1000 + SIGSEGV,
			   "a bad page is SIGSEGV");
	}
	subject("%s", rig_way->name);
}

/* What comes before the bad page is done, and counted. */
static void before_the_fault(void)
{
	uint8_t *bad = area[0] + 2 * RIG_PAGE;
	size_t reach = 2 * RIG_PAGE - OFFSET;
	const struct sva_result *result;

	make_content(&kinds[0]);
	memset(area[0], 7, 2 * RIG_PAGE);
	rig_page_deny(bad);
	run_on(&kinds[0]);
	rig_do(&op);
	result = sva_op_result(&op);
	ok(result->bytes == reach && result->path_bytes[rig_way->path] == reach &&
		   area[1][OFFSET + reach - 1] == 7 && !area[1][OFFSET + reach],
	   "a copy is done and counted up to the bad page");
	area[0][OFFSET + 100] = 9;
	area[1][OFFSET + 50] = 7;
	sva_prep_compare(&op, area[0] + OFFSET, area[1] + OFFSET, LENGTH);
	ok(!rig_do(&op) && sva_op_result(&op)->result == 1 && sva_op_result(&op)->value == 100,
	   "a compare finds a difference before the bad page and reports no fault");
	/* The destination overlaps the source from above: the end goes first. */
	rig_page_good(bad);
	memset(area[0], 3, PAGES * RIG_PAGE);
	rig_page_readonly(area[0]);
	sva_prep_memcpy(&op, area[0] + OFFSET + 8, area[0] + OFFSET, LENGTH);
	ok(rig_do(&op) == -EFAULT &&
		   sva_op_result(&op)->fault_addr / 4096 == (uintptr_t)area[0] / 4096 &&
		   sva_op_result(&op)->bytes == LENGTH - (RIG_PAGE - OFFSET - 8),
	   "a copy that begins at the end stops at a bad first page");
	rig_page_good(area[0]);
}

/* ------------------------------------------------------------------ input that cannot be right */

static int answer(void)
{
	struct sva_op before = op;
	int err = rig_do(&op);

	/* It is as it was, so that it can be put right and submitted. */
	if (err && (memcmp(&op.desc, &before.desc, sizeof(op.desc)) || op.state != before.state ||
		    op.length != before.length))
		ok(false, "what is refused stays as it was");
	return err;
}

static void refused(void)
{
	static uint8_t memory[8192] __attribute__((aligned(4096)));
	uint8_t *a = memory, *b = memory + 4096;

	sva_prep_memcpy(&op, NULL, a, 10);
	is_rc(answer(), -EFAULT, "a copy to null");
	sva_prep_memcpy(&op, a, NULL, 10);
	is_rc(answer(), -EFAULT, "a copy from null");
	sva_prep_memcpy(&op, (void *)(UINTPTR_MAX - 5), a, 10);
	is_rc(answer(), -EINVAL, "a copy to a destination that wraps around");
	sva_prep_memcpy(&op, a, b, SIZE_MAX / 2);
	is_rc(answer(), -EINVAL, "a copy longer than the address space");
	sva_prep_copy_crc(&op, a + 1, a, 10, 0, 0);
	is_rc(answer(), -EINVAL, "copy with CRC, operands that overlap");
	sva_prep_crc(&op, a, 10, 0, 0xff00);
	is_rc(rig_do(&op), -EINVAL, "CRC with flags that it does not have");
	sva_prep_copy_crc(&op, b, a, 10, 0, 0x80000000u | SVA_CRC_BYPASS_REFLECTION);
	is_rc(rig_do(&op), -EINVAL, "copy with CRC with a flag that it does not have");
	sva_prep_dualcast(&op, a, a + 1001, b, 10);
	is_rc(answer(), -EINVAL, "dualcast to destinations whose bits 11:0 differ");
	sva_prep_create_delta(&op, a, b, 20, a + 100, 80);
	is_rc(answer(), -EINVAL, "create delta of 20 bytes, not a multiple of 8");
	sva_prep_memcpy(&op, a, b, 10);
	op.flags = 0x80;
	is_rc(answer(), -EINVAL, "a copy with an unknown flag");
	sva_prep(&op, SVA_OPCODE_REDUCE, 0, 0, 0);
	is_rc(answer(), -EOPNOTSUPP, "an operation that is not supported");
	memset(&op, 0x33, sizeof(op));
	is_rc(answer(), -EINVAL, "an operation of garbage");
	memset(&op, 0, sizeof(op));
	is_rc(answer(), -EINVAL, "an operation of zeros");
	sva_prep_memcpy(&op, a, b, 10);
	is_rc(rig_do(&op), 0, "a copy without mistake");
	is_rc(rig_do(&op), -EINVAL, "an operation that has ended, not prepared again");
	for (unsigned int i = 0; i < sizeof(memory); i++)
		if (memory[i])
			ok(false, "no refused operation has written to byte %u", i);
	if (rig_way->how == RIG_BATCH)
		return;
	sva_prep_memcpy(&op, a, b, 10);
	op.flags = SVA_OP_FENCE;
	is_rc(answer(), -EINVAL, "a fence outside a batch");
	op.flags = 0;
	is_rc(rig_do(&op), 0, "the same copy without a fence");
}

/*
 * Bits and fields that only the device checks: the operation fails with -EINVAL, and the record's
 * status says which rule was broken.
 */
static void device_refuses(void)
{
	static uint8_t memory[1024];
	static const struct sva_desc_dif two_kinds = {
		.flags = SVA_DIF_BLOCK_512, .src_flags = 1, .dst_ref = 1};

	sva_prep_memcpy(&op, memory, memory + 100, 10);
	op.desc.reserved = 1;
	ok(rig_do(&op) == -EINVAL && sva_op_result(&op)->status == SVA_STATUS_RESERVED_FIELD,
	   "a reserved field that is not zero: -EINVAL, status RESERVED_FIELD");
	sva_prep_memcpy(&op, memory, memory + 100, 10);
	op.desc.flags_opcode |= 1u << 6;
	ok(rig_do(&op) == -EINVAL && sva_op_result(&op)->status == SVA_STATUS_INVALID_FLAGS,
	   "a reserved flag: -EINVAL, status INVALID_FLAGS");
	sva_prep_dif_insert(&op, memory, memory + 520, 0, &two_kinds);
	op.length = 0;
	is_rc(rig_do(&op), 0, "DIF insert of no blocks with contradictory fields");
}

static bool reported(const uint8_t *bad, bool write)
{
	const struct sva_result *last = sva_last_result();

	return last->error == -EFAULT && last->fault_addr / RIG_PAGE == (uintptr_t)bad / RIG_PAGE &&
	       last->fault_write == write;
}

/* The calls that need no operation. */
static void synchronous_calls(void)
{
	uint8_t *a = area[0], *b = area[1];

	is_rc(sva_memcpy(rig_sva, NULL, a, 100), -EFAULT, "sva_memcpy to null");
	ok(sva_last_result()->error == -EFAULT && sva_last_result()->fault_addr == 0 &&
		   sva_last_result()->fault_write,
	   "sva_memcpy to null: the result names address 0 and a write");
	is_rc(sva_memcpy(rig_sva, a, NULL, 100), -EFAULT, "sva_memcpy from null");
	ok(sva_last_result()->error == -EFAULT && !sva_last_result()->fault_write,
	   "sva_memcpy from null: the result names a read");
	is_rc(sva_memcpy(rig_sva, NULL, NULL, 0), 0, "sva_memcpy of no bytes from null to null");
	is_rc(sva_memcpy(rig_sva, a, (void *)(UINTPTR_MAX - 50), 100), -EINVAL,
	   "sva_memcpy of 100 bytes that wrap around");
	is_rc(sva_memcpy(rig_sva, a, (void *)(UINTPTR_MAX - 50000), 100000), -EINVAL,
	   "sva_memcpy of 100000 bytes that wrap around");
	is_rc(sva_memcpy(rig_sva, a, b, SIZE_MAX), -EINVAL, "sva_memcpy of SIZE_MAX bytes");
	is_rc(sva_memcpy(rig_sva, a, b, SIZE_MAX / 2 + 1), -EINVAL,
	   "sva_memcpy of SIZE_MAX / 2 + 1 bytes");
	is_rc(sva_memfill(rig_sva, NULL, 0, 100), -EFAULT, "sva_memfill of 100 bytes at null");
	is_rc(sva_memfill(rig_sva, NULL, 0, 0), 0, "sva_memfill of no bytes at null");
	is_rc(sva_memfill(rig_sva, (void *)(UINTPTR_MAX - 50), 0, 100), -EINVAL,
	   "sva_memfill of 100 bytes that wrap around");
	is_rc(sva_memfill(rig_sva, a, 0, SIZE_MAX), -EINVAL, "sva_memfill of SIZE_MAX bytes");
	is_rc(sva_run(rig_sva, NULL), -EINVAL, "sva_run without an operation");
	is_rc(sva_last_result()->error, -EINVAL, "sva_last_result() after it");
	is_rc(sva_submit(rig_sva, NULL), -EINVAL, "sva_submit without an operation");
	is_rc(sva_poll(NULL), -EINVAL, "sva_poll without an operation");
	is_rc(sva_wait(NULL, 0), -EINVAL, "sva_wait without an operation");
	sva_op_retire(NULL);
	if (rig_way->path == SVA_PATH_CPU)
		return; /* there it is as in C */
	for (int i = 0; i < 3; i++) { /* the second time takes the fast path */
		rig_page_deny(a + RIG_PAGE);
		is_rc(sva_memcpy(rig_sva, b, a, 2 * RIG_PAGE), -EFAULT,
		      "sva_memcpy from a bad page");
		ok(reported(a + RIG_PAGE, false) && sva_last_result()->bytes == RIG_PAGE,
		   "sva_memcpy from a bad page: address, direction and bytes are reported");
		is_rc(sva_memcpy(rig_sva, a, b, 2 * RIG_PAGE), -EFAULT, "sva_memcpy to a bad page");
		ok(reported(a + RIG_PAGE, true),
		   "sva_memcpy to a bad page: address and direction are reported");
		is_rc(sva_memfill(rig_sva, a, 1, 2 * RIG_PAGE), -EFAULT,
		      "sva_memfill of a bad page");
		ok(reported(a + RIG_PAGE, true),
		   "sva_memfill of a bad page: address and direction are reported");
		rig_page_good(a + RIG_PAGE);
		is_rc(sva_memcpy(rig_sva, b, a, 2 * RIG_PAGE), 0,
		      "sva_memcpy after the page has become good");
		ok(!sva_last_result()->error && sva_last_result()->path == rig_way->path &&
			   !sva_last_result()->fault_addr &&
			   sva_last_result()->bytes == 2 * RIG_PAGE,
		   "sva_memcpy after the page has become good: result, path and bytes");
	}
}

int main(int argc, char **argv)
{
	rig_begin();
	rig_arguments(argc, argv);
	for (int i = 0; i < 3; i++)
		area[i] = rig_pages(PAGES);
	for (unsigned int i = 0; i < rig_way_count; i++) {
		rig_way_begin(&rig_ways[i]);
		subject("%s", rig_ways[i].name);
		if (rig_way_reports_faults()) {
			bad_pages();
			before_the_fault();
		} else {
			signals();
		}
		refused();
		device_refuses();
		synchronous_calls();
		rig_way_end();
	}
	return done();
}
