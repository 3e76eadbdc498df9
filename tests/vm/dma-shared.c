// SPDX-License-Identifier: MIT
/*
 * The same memory in several buffers is mapped for a device once. A kernel with
 * CONFIG_DMA_API_DEBUG warns if it is mapped more often; this reads the module's counter, which
 * every kernel has. For a provider with one device.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define PAGE 4096UL
#define PAGES 16
#define LEN (PAGES * PAGE)
#define MANY 12

static struct dma dma;
static char *src, *dst;
static bool bounces;

static uint32_t map(void *addr, size_t len, unsigned int flags)
{
	struct sva_dma_map_args args = {
		.size = sizeof(args),
		.flags = flags,
		.addr = (uintptr_t)addr,
		.len = len,
		.node = SVA_DMA_NODE_ANY,
	};

	if (dma_call(&dma, SVA_DMA_MAP, &args))
		dma_die("MAP");
	bounces = args.state & SVA_DMA_STATE_NEEDS_SYNC;
	return args.handle;
}

/* Mappings for devices. Where the machine bounces, mappings are not shared: SKIP. */
static void mapped_is(long want, const char *name)
{
	if (bounces)
		skip(name, "this device bounces, each buffer has a mapping of its own");
	else
		is(dma_counter("mapped"), want, name);
}

/* Copies between handles, at offsets in them, and compares the bytes. */
static bool copies(uint32_t to, char *at, size_t off, uint32_t from, size_t src_off, size_t len)
{
	struct sva_dma_op op = {
		.opcode = SVA_DMA_OP_COPY,
		.dst_handle = to,
		.src_handle = from,
		.dst = off,
		.src = src_off,
		.len = len,
	};
	unsigned int taken;

	memset(at + off, 0, len);
	if (bounces && dma_sync(&dma, to, off, len, SVA_DMA_SYNC_DEVICE))
		return false;
	if (dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken) || op.result)
		return false;
	if (bounces && dma_sync(&dma, to, off, len, SVA_DMA_SYNC_CPU))
		return false;
	return !memcmp(at + off, src + src_off, len);
}

static void same_range(void)
{
	uint32_t from = map(src, LEN, SVA_DMA_MAP_READ), to[MANY], reads;
	int bad = 0;

	mapped_is(1, "a buffer is mapped");
	for (int i = 0; i < MANY; i++)
		to[i] = map(dst, LEN, SVA_DMA_MAP_WRITE | (i % 2 ? SVA_DMA_MAP_READ : 0));
	mapped_is(2, "12 handles of the same memory have one mapping");
	reads = map(dst, LEN, SVA_DMA_MAP_READ);
	mapped_is(2, "a handle for reading shares one for writing");
	for (int i = 0; i < MANY; i++)
		bad += !copies(to[i], dst, (size_t)i * 100, from, (size_t)i * 7,
			       LEN / 2 + (size_t)i);
	is(bad, 0, "copies through each of 12 handles of the same memory are right");
	for (int i = 0; i < MANY - 1; i++)
		bad += dma_unmap(&dma, to[i]) != 0;
	bad += dma_unmap(&dma, reads) != 0;
	is(bad, 0, "11 of the 12 handles, and the one for reading, can be unmapped");
	mapped_is(2, "the last one still has the mapping");
	ok(copies(to[MANY - 1], dst, 3, from, 5, LEN - 9),
	   "a copy through the last of 12 handles is right");
	is(dma_unmap(&dma, to[MANY - 1]), 0, "the last of 12 handles can be unmapped");
	mapped_is(1, "then the mapping is gone");
	is(dma_unmap(&dma, from), 0, "the handle of the source can be unmapped");
	is(dma_counter("mapped"), 0, "without handles no buffer is mapped");
}

/*
 * Ranges of bytes in the same pages, ranges that overlap in part, and other memory at the same
 * address.
 */
static void other_ranges(void)
{
	uint32_t from = map(src, LEN, SVA_DMA_MAP_READ), a, b, c, d;
	char *fresh;

	a = map(dst + 100, LEN - 200, SVA_DMA_MAP_WRITE);
	b = map(dst + 7, LEN - 1000, SVA_DMA_MAP_WRITE);
	mapped_is(2, "ranges of bytes in the same pages have one mapping");
	ok(copies(a, dst + 100, 11, from, 1000, 5 * PAGE),
	   "the bytes of the first of two ranges are right");
	ok(copies(b, dst + 7, 4 * PAGE + 1, from, 77, 9 * PAGE),
	   "the bytes of the second of two ranges are right");
	c = map(dst + 4 * PAGE, 8 * PAGE, SVA_DMA_MAP_WRITE);
	mapped_is(3, "pages in the middle of others have a mapping of their own");
	ok(copies(c, dst + 4 * PAGE, 1, from, 2, 8 * PAGE - 1),
	   "the bytes of pages in the middle of other ranges are right");
	fresh = mmap(dst, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		     0);
	if (fresh != dst)
		dma_die("mmap");
	d = map(dst, LEN, SVA_DMA_MAP_WRITE);
	mapped_is(4, "other memory at the same address has a mapping of its own");
	ok(copies(d, dst, 0, from, 0, LEN),
	   "a copy to the new memory at the same address is right");
	ok(!dma_unmap(&dma, a) && !dma_unmap(&dma, b) && !dma_unmap(&dma, c) &&
		   !dma_unmap(&dma, d) && !dma_unmap(&dma, from),
	   "the handles of all ranges can be unmapped");
	is(dma_counter("mapped"), 0, "without handles of ranges no buffer is mapped");
}

/* Operations on addresses in one page, all in flight at the same time. */
static void one_page(void)
{
	struct sva_dma_op ops[256];
	struct sva_dma_cqe cqe;
	unsigned int taken, available, good = 0;

	dma_provider("stall", 1);
	memset(dst, 0, PAGE);
	for (unsigned int i = 0; i < 256; i++)
		ops[i] = dma_op_copy(dst + i * 3, src + i * 3, 3, i);
	is(dma_submit(&dma, ops, 256, 0, &taken), 0,
	   "SUBMIT of 256 operations of three bytes in one page succeeds");
	is(taken, 256, "all 256 operations in one page are taken");
	mapped_is(2, "the page is mapped once as a source and once as a destination");
	dma_provider("stall", 0);
	is(dma_wait(&dma, 256, 20000000000, &available), 0,
	   "WAIT returns when all 256 operations are completed");
	while (dma_reap(&dma, &cqe))
		good += !cqe.result;
	is(good, 256, "all 256 operations have the result 0");
	ok(!memcmp(dst, src, 256 * 3), "the bytes of all 256 operations are right");
}

/* Memory that processes share. */
static void processes(void)
{
	char *shared = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile int *ready =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, bad = 0;
	uint32_t to, from;

	if (shared == MAP_FAILED || ready == MAP_FAILED)
		dma_die("mmap");
	fflush(stdout);
	for (int i = 0; i < MANY; i++) {
		if (fork())
			continue;
		dma_open(&dma);
		to = map(shared, LEN, SVA_DMA_MAP_WRITE);
		from = map(src, LEN, SVA_DMA_MAP_READ);
		__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
		while (*ready < MANY + 1)
			usleep(1000);
		_exit(!bounces && !copies(to, shared, (size_t)i * PAGE, from, 0, PAGE));
	}
	while (*ready < MANY)
		usleep(1000);
	mapped_is(2, "memory that 12 processes share is mapped once, and so is their source");
	*ready = MANY + 1;
	for (int i = 0; i < MANY; i++) {
		wait(&status);
		bad += !WIFEXITED(status) || WEXITSTATUS(status);
	}
	is(bad, 0, "each of the processes that share memory copies its part of it");
}

int main(void)
{
	uint64_t seed = 1;

	/* MAP_SHARED: after fork() a pinned private page would be copied for the children. */
	src = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	dst = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (src == MAP_FAILED || dst == MAP_FAILED)
		dma_die("mmap");
	dma_scramble(src, LEN, &seed);
	dma_open(&dma);
	dma_ring(&dma);
	same_range();
	other_ranges();
	one_page();
	processes();
	dma_close(&dma);
	ok(dma_all_zero(5), "after the file is closed, the module's counters are zero");
	return done();
}
