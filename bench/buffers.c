/* SPDX-License-Identifier: MIT */
/*
 * The memory of the operations. Each slot has data of its own, which shows an operation that went
 * to the wrong slot, and canary bytes behind it, which show one that wrote too far.
 */
#include "bench.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/term/term.h"

#define LINE 64
#define CANARY 0xa5
#define HUGE_PAGE (2u << 20)
/* Of source, and as much of destination, for all threads together: 16 slots of 2 MiB fit. */
#define MOST_BYTES (33u << 20)

static const char node_name[] = "memory of the node";

static size_t longest(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* How many bytes of a slot the operation reads and writes. */
static void set_sizes(struct bench_buffers *b, enum bench_op op, size_t size)
{
	size_t blocks = size / BENCH_BLOCK, more = size + blocks * BENCH_TUPLE;
	size_t record = (size + BENCH_DELTA_EACH - 1) / BENCH_DELTA_EACH * SVA_DELTA_ENTRY_SIZE;

	b->op = op;
	b->size = b->src_size = b->dst_size = size;
	b->aux_size = 0;
	if (op == BENCH_CRC || op == BENCH_COMPARE_PATTERN || op == BENCH_DIF_CHECK)
		b->dst_size = 0;
	if (op == BENCH_DIF_CHECK || op == BENCH_DIF_STRIP || op == BENCH_DIF_UPDATE)
		b->src_size = more;
	if (op == BENCH_DIF_INSERT || op == BENCH_DIF_UPDATE)
		b->dst_size = more;
	if (op == BENCH_DIX_GENERATE)
		b->dst_size = blocks * BENCH_TUPLE;
	if (op == BENCH_DUALCAST || op == BENCH_CREATE_DELTA || op == BENCH_APPLY_DELTA)
		b->aux_size = size;
	if (op == BENCH_CREATE_DELTA)
		b->dst_size = record;
	if (op == BENCH_APPLY_DELTA)
		b->src_size = record;
	/* The least room of a record, for either operation on one. */
	b->stride = longest(longest(b->src_size, b->dst_size), size);
	if (op == BENCH_CREATE_DELTA || op == BENCH_APPLY_DELTA)
		b->stride = longest(b->stride, SVA_DELTA_MIN_SIZE);
	b->stride = (b->stride + LINE - 1) / LINE * LINE + LINE;
}

unsigned int bench_buffers_slots(const struct bench_options *options, enum bench_op op, size_t size)
{
	struct bench_buffers b;
	size_t fit;

	set_sizes(&b, op, size);
	fit = MOST_BYTES / options->threads / b.stride;
	if (fit >= options->depth)
		return options->depth;
	return fit < 2 ? 2 : (unsigned int)fit;
}

size_t bench_buffers_bytes(const struct bench_options *options)
{
	size_t most = 0;

	for (int op = 0; op < BENCH_OP_COUNT; op++) {
		for (unsigned int i = 0; options->ops[op] && i < options->size_count; i++) {
			size_t size = options->sizes[i];
			struct bench_buffers b;

			set_sizes(&b, (enum bench_op)op, size);
			most = longest(most, b.stride * bench_buffers_slots(
								options, (enum bench_op)op, size));
		}
	}
	return most;
}

static int refuse_memory(const struct bench_options *options, int error, const char *what)
{
	if (options->node >= 0 && what == node_name)
		term_error("cannot put the buffers on NUMA node %d: %s", options->node,
			   strerror(error));
	else
		term_error("cannot get %s for the buffers: %s", what, strerror(error));
	return -error;
}

/*
 * Only libsva's numa.c calls libnuma; this is the one system call that is needed here. MPOL_BIND is
 * 2: a page comes from this node or not at all.
 */
static int bind_pages(void *at, size_t bytes, int node)
{
	unsigned long mask[16] = { 0 };

	mask[(size_t)node / 64] = 1ul << node % 64;
	return syscall(SYS_mbind, at, bytes, 2, mask, 64 * 16 + 1, 0) ? errno : 0;
}

static int map_pages(unsigned char **to, size_t bytes, const struct bench_options *options)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS, error = 0;
	void *at;

	if (options->pages == BENCH_PAGES_HUGE)
		flags |= MAP_HUGETLB;
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (at == MAP_FAILED)
		return refuse_memory(options, errno,
				     flags & MAP_HUGETLB ? "huge pages (see nr_hugepages)" :
							   "memory");
	*to = at;
	if (options->pages == BENCH_PAGES_SMALL && madvise(at, bytes, MADV_NOHUGEPAGE) &&
	    errno != EINVAL) /* a kernel without transparent huge pages */
		return refuse_memory(options, errno, "small pages");
	if (options->pages == BENCH_PAGES_THP && madvise(at, bytes, MADV_HUGEPAGE))
		return refuse_memory(options, errno, "transparent huge pages");
	if (options->node >= 0)
		error = bind_pages(at, bytes, options->node);
	return error ? refuse_memory(options, error, node_name) : 0;
}

/* Bytes that repeat nowhere (xorshift). */
static void write_random(unsigned char *at, size_t bytes)
{
	uint64_t state = 0x9e3779b97f4a7c15u, *words = (uint64_t *)(void *)at;

	for (size_t i = 0; i < bytes / sizeof(*words); i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		words[i] = state;
	}
}

int bench_buffers_alloc(struct bench_buffers *buffers, size_t bytes,
			const struct bench_options *options)
{
	size_t page = options->pages >= BENCH_PAGES_THP ? HUGE_PAGE : 4096;
	int rc;

	buffers->bytes = (bytes + page - 1) & ~(page - 1);
	rc = map_pages(&buffers->src, buffers->bytes, options);
	if (!rc)
		rc = map_pages(&buffers->dst, buffers->bytes, options);
	if (!rc)
		rc = map_pages(&buffers->aux, buffers->bytes, options);
	if (rc)
		return rc;
	/* This also populates every page before the first measurement. */
	write_random(buffers->src, buffers->bytes);
	memset(buffers->dst, 0, buffers->bytes);
	return 0;
}

void bench_buffers_free(struct bench_buffers *buffers)
{
	if (buffers->src)
		munmap(buffers->src, buffers->bytes);
	if (buffers->dst)
		munmap(buffers->dst, buffers->bytes);
	if (buffers->aux)
		munmap(buffers->aux, buffers->bytes);
	buffers->src = buffers->dst = buffers->aux = NULL;
}

void bench_buffers_lay_out(struct bench_buffers *b, enum bench_op op, size_t size,
			   unsigned int slots)
{
	if (b->changed)
		write_random(b->src, b->bytes);
	set_sizes(b, op, size);
	for (unsigned int slot = 0; slot < slots; slot++) {
		bench_write_input(b, slot);
		bench_write_before(b, slot);
		memset(bench_dst(b, slot) + b->dst_size, CANARY, b->stride - b->dst_size);
		if (op == BENCH_DUALCAST)
			memset(bench_aux(b, slot) + size, CANARY, b->stride - size);
	}
	b->changed = op == BENCH_COMPARE_PATTERN || b->src_size != size;
}

/* Overwrites the destinations, so that the result of an earlier copy does not pass for the next. */
void bench_buffers_scribble(const struct bench_buffers *buffers, unsigned int slots)
{
	for (unsigned int slot = 0; slot < slots; slot++)
		bench_write_before(buffers, slot);
}

void bench_buffers_flip(const struct bench_buffers *buffers)
{
	if (buffers->dst_size)
		bench_dst(buffers, 0)[buffers->dst_size / 2] ^= 1;
	else
		bench_src(buffers, 0)[buffers->src_size / 2] ^= 1;
}
