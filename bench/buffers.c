/* SPDX-License-Identifier: MIT */
/*
 * The memory that is copied, and the check of what was written. Each slot has data of its own,
 * which shows an operation that went to the wrong slot, and canary bytes behind it, which show one
 * that wrote too far.
 */
#include "bench.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#define LINE 64
#define CANARY 0xa5
/* Of source, and as much of destination, for all threads together: 16 slots of 2 MiB fit. */
#define MOST_BYTES (33u << 20)

static size_t stride_of(size_t size)
{
	return (size + LINE - 1) / LINE * LINE + LINE;
}

unsigned int bench_buffers_slots(const struct bench_options *options, size_t size)
{
	size_t share = MOST_BYTES / options->threads, fit = share / stride_of(size);

	if (fit >= options->depth)
		return options->depth;
	return fit < 2 ? 2 : (unsigned int)fit;
}

size_t bench_buffers_bytes(const struct bench_options *options)
{
	size_t most = 0;

	for (unsigned int i = 0; i < options->size_count; i++) {
		size_t size = options->sizes[i],
		       bytes = stride_of(size) * bench_buffers_slots(options, size);

		if (bytes > most)
			most = bytes;
	}
	return most;
}

static void *pages(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

int bench_buffers_alloc(struct bench_buffers *buffers, size_t bytes)
{
	uint64_t state = 0x9e3779b97f4a7c15u, *words;

	buffers->bytes = (bytes + 4095) & ~(size_t)4095;
	buffers->src = pages(buffers->bytes);
	buffers->dst = pages(buffers->bytes);
	if (!buffers->src || !buffers->dst)
		return -ENOMEM;
	/*
	 * Bytes that repeat nowhere (xorshift). It also populates every page before the first
	 * measurement.
	 */
	words = (uint64_t *)(void *)buffers->src;
	for (size_t i = 0; i < buffers->bytes / sizeof(*words); i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		words[i] = state;
	}
	memset(buffers->dst, 0, buffers->bytes);
	return 0;
}

void bench_buffers_free(struct bench_buffers *buffers)
{
	if (buffers->src)
		munmap(buffers->src, buffers->bytes);
	if (buffers->dst)
		munmap(buffers->dst, buffers->bytes);
	buffers->src = buffers->dst = NULL;
}

void bench_buffers_lay_out(struct bench_buffers *buffers, size_t size, unsigned int slots)
{
	buffers->size = size;
	buffers->stride = stride_of(size);
	for (unsigned int slot = 0; slot < slots; slot++)
		memset(bench_dst(buffers, slot) + size, CANARY, buffers->stride - size);
}

/* Overwrites the destinations, so that the result of an earlier copy does not pass for the next. */
void bench_buffers_scribble(const struct bench_buffers *buffers, unsigned int slots)
{
	for (unsigned int slot = 0; slot < slots; slot++)
		memset(bench_dst(buffers, slot), ~bench_src(buffers, slot)[0], buffers->size);
}

uint64_t bench_pattern(unsigned int slot)
{
	return 0x0123456789abcdefu * (2 * slot + 1);
}

static unsigned int expected_byte(const struct bench_buffers *buffers, enum bench_op op,
				  unsigned int slot, size_t i)
{
	return op == BENCH_MEMCPY ? bench_src(buffers, slot)[i] :
				    bench_pattern(slot) >> (8 * (i % 8)) & 0xff;
}

/* By memcmp(), which is fast: a repeated pattern equals itself 8 bytes further on. */
static bool is_right(const struct bench_buffers *buffers, enum bench_op op, unsigned int slot)
{
	const unsigned char *dst = bench_dst(buffers, slot);
	size_t size = buffers->size;

	if (op == BENCH_MEMCPY)
		return !memcmp(dst, bench_src(buffers, slot), size);
	for (size_t i = 0; i < size && i < 8; i++)
		if (dst[i] != expected_byte(buffers, op, slot, i))
			return false;
	return size <= 8 || !memcmp(dst, dst + 8, size - 8);
}

static size_t first_wrong(const struct bench_buffers *buffers, enum bench_op op, unsigned int slot,
			  unsigned int *want)
{
	const unsigned char *dst = bench_dst(buffers, slot);
	size_t i = is_right(buffers, op, slot) ? buffers->size : 0;

	for (; i < buffers->stride; i++) {
		*want = i < buffers->size ? expected_byte(buffers, op, slot, i) : CANARY;
		if (dst[i] != *want)
			return i;
	}
	return i;
}

bool bench_buffers_verify(const struct bench_buffers *buffers, enum bench_op op, unsigned int slots,
			  char *text, size_t text_size)
{
	for (unsigned int slot = 0; slot < slots; slot++) {
		unsigned int want = 0;
		size_t at = first_wrong(buffers, op, slot, &want);

		if (at == buffers->stride)
			continue;
		snprintf(text, text_size,
			 "wrong data: byte %zu of buffer %u is 0x%02x instead of 0x%02x%s", at,
			 slot, bench_dst(buffers, slot)[at], want,
			 at < buffers->size ? "" : " (behind its end)");
		return false;
	}
	return true;
}
