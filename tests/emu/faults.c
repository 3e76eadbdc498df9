/* SPDX-License-Identifier: MIT */
/*
 * Run under sva-emu: page faults of the engine. Bad addresses lead to a record, never to a crash,
 * also if memory is unmapped while it is in use. With the argument strict, the run has
 * --strict-faults.
 */
#include <pthread.h>
#include <sys/resource.h>

#include "client.h"
#include "../tap.h"

#define PAGE 4096ul

static void *portal;
static struct sva_desc desc;
static struct sva_comp comp;

static uint8_t *map(size_t pages)
{
	return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static uint8_t submit(enum sva_opcode op, uint32_t flags, const void *src, void *dst, size_t size)
{
	prep(&desc, &comp, op, src, dst, size);
	desc.flags_opcode |= flags;
	if (enqcmd(portal, &desc))
		return 0xff;
	return wait_record(&comp, 5);
}

static void test_bad_addresses(void)
{
	uint8_t *good = map(3), *hole = map(3);

	memset(good, 1, 3 * PAGE);
	memset(hole, 2, 3 * PAGE);
	munmap(hole + PAGE, PAGE);
	is(submit(SVA_OPCODE_MEMMOVE, 0, hole, good, 3 * PAGE), SVA_STATUS_PAGE_FAULT,
	   "a copy from a source with a hole ends with a page fault");
	is(comp.bytes, PAGE, "source with a hole: the record counts the page before it");
	is(comp.fault_addr & ~(PAGE - 1), (uintptr_t)hole + PAGE,
	   "source with a hole: the record has the address of the hole");
	is(submit(SVA_OPCODE_MEMMOVE, 0, good, hole, 3 * PAGE),
	   SVA_STATUS_PAGE_FAULT | SVA_STATUS_WRITE,
	   "a copy to a destination with a hole ends with a page fault of a write");
	is(comp.bytes, PAGE, "destination with a hole: the record counts the page before it");
	is(submit(SVA_OPCODE_MEMMOVE, SVA_DESC_BOF, good, hole + PAGE, 64) & SVA_STATUS_MASK,
	   SVA_STATUS_PAGE_FAULT_IR,
	   "a hole with block on fault: a page fault that cannot be resolved");
	is(submit(SVA_OPCODE_MEMMOVE, 0, (void *)0x10, good, 64), SVA_STATUS_PAGE_FAULT,
	   "a source in page 0: page fault");
	is(submit(SVA_OPCODE_MEMMOVE, 0, (void *)0xffffffff80000000ul, good, 64),
	   SVA_STATUS_PAGE_FAULT, "a source in the kernel: page fault");
	is(submit(SVA_OPCODE_MEMMOVE, 0, (void *)0x8000000000000000ul, good, 64),
	   SVA_STATUS_PAGE_FAULT, "a source that is no canonical address: page fault");
	is(submit(SVA_OPCODE_MEMMOVE, 0, portal, good, 64), SVA_STATUS_PAGE_FAULT,
	   "a source that is a portal: page fault");
	mprotect(hole, PAGE, PROT_READ);
	is(submit(SVA_OPCODE_MEMMOVE, 0, good, hole, 64), SVA_STATUS_PAGE_FAULT | SVA_STATUS_WRITE,
	   "a destination that is read-only: page fault of a write");
	is(submit(SVA_OPCODE_MEMMOVE, 0, hole, good, 64), SVA_STATUS_SUCCESS,
	   "a source that is read-only is copied");
	munmap(good, 3 * PAGE);
}

static void test_bad_records(void)
{
	uint8_t *a = map(1), *gone = map(1);

	memset(a, 1, PAGE);
	munmap(gone, PAGE);
	prep(&desc, &comp, SVA_OPCODE_MEMMOVE, a, a + 2048, 64);
	desc.completion_addr = (uintptr_t)gone;
	ok(!enqcmd(portal, &desc), "a descriptor whose record is not mapped is accepted");
	memset(a, 2, 64);
	is(submit(SVA_OPCODE_MEMMOVE, 0, a, a + 2048, 64), SVA_STATUS_SUCCESS,
	   "the queue executes the next descriptor after a lost record");
	prep(&desc, &comp, SVA_OPCODE_MEMMOVE, a, a + 2048, 64);
	desc.completion_addr += 8;
	ok(!enqcmd(portal, &desc) && wait_record(&comp, 0) == 0,
	   "a record that is not aligned is not written");
	munmap(a, PAGE);
}

static long page_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/*
 * Most kernels, but not all, map one page of zeros when untouched memory is read, so that a write
 * to it faults once more.
 */
static bool has_zero_page(void)
{
	volatile uint8_t *page = map(1);
	long before;

	(void)*page;
	before = page_faults();
	*page = 1;
	before = page_faults() - before;
	munmap((void *)page, PAGE);
	return before > 0;
}

/*
 * Untouched pages: paged in for the engine, unless the run is strict and the descriptor does not
 * block on faults.
 */
static void test_untouched(bool strict)
{
	uint8_t *from = map(4), *to = map(4);

	memset(from, 7, 4 * PAGE);
	to[0] = 1;
	if (strict) {
		is(submit(SVA_OPCODE_MEMMOVE, 0, from, to, 4 * PAGE),
		   SVA_STATUS_PAGE_FAULT | SVA_STATUS_WRITE,
		   "strict: an untouched destination faults");
		is(comp.bytes, PAGE,
		   "strict: the record counts the bytes before the untouched page");
		is(comp.fault_addr, (uintptr_t)to + PAGE,
		   "strict: the record has the address of the untouched page");
		if (has_zero_page()) {
			(void)*(volatile uint8_t *)(to + PAGE);
			is(submit(SVA_OPCODE_MEMMOVE, 0, from + PAGE, to + PAGE, PAGE),
			   SVA_STATUS_PAGE_FAULT | SVA_STATUS_WRITE,
			   "strict: a destination that was only read is the zero page, and faults");
		} else {
			skip("strict: a destination that was only read faults",
			     "this kernel gives a page of one's own for a read");
		}
		is(submit(SVA_OPCODE_FILL, SVA_DESC_BOF, NULL, to, 4 * PAGE), SVA_STATUS_SUCCESS,
		   "strict: with block on fault an untouched destination does not fault");
	}
	is(submit(SVA_OPCODE_MEMMOVE, 0, from, to, 4 * PAGE), SVA_STATUS_SUCCESS,
	   "a copy between pages that are present succeeds");
	ok(!memcmp(from, to, 4 * PAGE), "a copy between pages that are present copies all bytes");
	munmap(from, 4 * PAGE);
	munmap(to, 4 * PAGE);
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

#define DELTA_SOURCE (512ul << 10)
#define DELTA_ENTRY 10ul

/* The time of a plain loop over the two buffers, for a limit that holds on a slow machine as well.
 */
static double loop_seconds(const uint8_t *a, const uint8_t *b)
{
	double seconds = cpu_seconds();

	for (unsigned int round = 0; round < 20; round++)
		for (size_t i = 0; i < DELTA_SOURCE; i += 8)
			(void)(*(const volatile uint64_t *)(a + i) ==
			       *(const volatile uint64_t *)(b + i));
	return cpu_seconds() - seconds;
}

/*
 * A delta of two buffers that differ everywhere has 65536 entries, each a window of its own: if
 * pages were looked up for each entry and not once, strict faults would take a thousand times as
 * long, which is seconds on a fast machine. The time is that of the processor, so that a busy
 * machine does not matter; an emulated one may be a hundred times as slow.
 */
static void test_small_pieces(void)
{
	size_t delta_size = DELTA_SOURCE / 8 * DELTA_ENTRY;
	uint8_t *a = map(DELTA_SOURCE / PAGE), *b = map(DELTA_SOURCE / PAGE),
		*delta = map(delta_size / PAGE + 1);
	double seconds, limit;

	memset(a, 0x11, DELTA_SOURCE);
	memset(b, 0x22, DELTA_SOURCE);
	memset(delta, 0xee, delta_size);
	limit = 2 + 500 * loop_seconds(a, b);
	seconds = cpu_seconds();
	prep(&desc, &comp, SVA_OPCODE_CREATE_DELTA, a, b, DELTA_SOURCE);
	desc.op.delta.addr_or_size = (uintptr_t)delta;
	desc.op.delta.max_size = (uint32_t)delta_size;
	ok(!enqcmd(portal, &desc) && wait_record(&comp, 60) == SVA_STATUS_SUCCESS &&
		   comp.op.delta_size == delta_size,
	   "create-delta of 512 KiB, all bytes different: every entry is written");
	prep(&desc, &comp, SVA_OPCODE_APPLY_DELTA, delta, a, DELTA_SOURCE);
	desc.op.delta.addr_or_size = delta_size;
	ok(!enqcmd(portal, &desc) && wait_record(&comp, 60) == SVA_STATUS_SUCCESS &&
		   !memcmp(a, b, DELTA_SOURCE),
	   "apply-delta of these entries makes both buffers equal");
	seconds = cpu_seconds() - seconds;
	ok(seconds < limit,
	   "create-delta and apply-delta took %.3f s of processor time, less than %.3f s", seconds,
	   limit);
	munmap(a, DELTA_SOURCE);
	munmap(b, DELTA_SOURCE);
	munmap(delta, (delta_size / PAGE + 1) * PAGE);
}

static uint8_t *volatile moving;
static bool stop;

static void *unmapper(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		mmap(moving + PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		     0);
		mmap(moving + PAGE, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	return NULL;
}

static void test_race(void)
{
	unsigned int i, lost = 0, faulted = 0;
	uint8_t *from = map(4), status;
	pthread_t thread;

	moving = map(4);
	memset(from, 3, 4 * PAGE);
	pthread_create(&thread, NULL, unmapper, NULL);
	for (i = 0; i < 300; i++) {
		status = submit(i % 2 ? SVA_OPCODE_MEMMOVE : SVA_OPCODE_COMPARE, 0, from, moving,
				4 * PAGE);
		lost += status == 0 || status == 0xff;
		faulted += (status & SVA_STATUS_MASK) == SVA_STATUS_PAGE_FAULT;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	is(lost, 0,
	   "memory that is unmapped during 300 operations: each descriptor gets its record");
	printf("# %u of %u with a page fault\n", faulted, i);
}

int main(int argc, char **argv)
{
	portal = map_queue("/dev/dsa/wq0.0", NULL);
	if (!ok(portal != MAP_FAILED, "the queue can be mapped"))
		return done();
	test_untouched(argc > 1 && !strcmp(argv[1], "strict"));
	test_small_pieces();
	test_bad_addresses();
	test_bad_records();
	test_race();
	return done();
}
