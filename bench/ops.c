/* SPDX-License-Identifier: MIT */
/*
 * The operations: the call of each, how it is prepared for the asynchronous modes, and what libc
 * has that does the same.
 */
#include "bench.h"

#include <string.h>

static const struct sva_desc_dif dif_to = { .flags = SVA_DIF_BLOCK_512, .dst_ref = 1 };
static const struct sva_desc_dif dif_from = { .flags = SVA_DIF_BLOCK_512, .src_ref = 1 };
static const struct sva_desc_dif dif_both = {
	.flags = SVA_DIF_BLOCK_512,
	.src_ref = 1,
	.dst_ref = 1,
};

static const struct {
	const char *name, *libc;
	size_t multiple, most; /* of the size; 0: any */
} ops[BENCH_OP_COUNT] = {
	[BENCH_COPY] = { "copy", "memcpy", 0, 0 },
	[BENCH_FILL] = { "fill", "memset", 0, 0 },
	[BENCH_FILL16] = { "fill16", NULL, 0, 0 },
	[BENCH_COMPARE] = { "compare", "memcmp", 0, 0 },
	[BENCH_COMPARE_PATTERN] = { "compare-pattern", NULL, 0, 0 },
	[BENCH_CRC] = { "crc", NULL, 0, 0 },
	[BENCH_COPY_CRC] = { "copy-crc", NULL, 0, 0 },
	[BENCH_DUALCAST] = { "dualcast", "memcpy twice", 0, 0 },
	[BENCH_CREATE_DELTA] = { "create-delta", NULL, 8, SVA_DELTA_MAX_REGION },
	[BENCH_APPLY_DELTA] = { "apply-delta", NULL, 8, SVA_DELTA_MAX_REGION },
	[BENCH_DIF_CHECK] = { "dif-check", NULL, BENCH_BLOCK, 0 },
	[BENCH_DIF_INSERT] = { "dif-insert", NULL, BENCH_BLOCK, 0 },
	[BENCH_DIF_STRIP] = { "dif-strip", NULL, BENCH_BLOCK, 0 },
	[BENCH_DIF_UPDATE] = { "dif-update", NULL, BENCH_BLOCK, 0 },
	[BENCH_DIX_GENERATE] = { "dix-generate", NULL, BENCH_BLOCK, 0 },
	[BENCH_CACHE_FLUSH] = { "cache-flush", NULL, 0, 0 },
	[BENCH_NOOP] = { "noop", NULL, 0, 0 },
};

const char *bench_op_name(int op)
{
	return ops[op].name;
}

const char *bench_op_libc(enum bench_op op)
{
	return ops[op].libc;
}

const char *bench_op_refuses(enum bench_op op, size_t size)
{
	if (ops[op].multiple && size % ops[op].multiple)
		return ops[op].multiple == 8 ? "the size is no multiple of 8" :
					       "the size is no multiple of 512, the block";
	if (ops[op].most && size > ops[op].most)
		return "a delta covers at most 512 KiB";
	return NULL;
}

bool bench_op_has_mapped(enum bench_op op)
{
	return op == BENCH_COPY || op == BENCH_FILL;
}

static uint32_t record_size(const struct bench_buffers *b)
{
	return (uint32_t)(b->dst_size < SVA_DELTA_MIN_SIZE ? SVA_DELTA_MIN_SIZE : b->dst_size);
}

static void prepare_mapped(struct bench_worker *w, unsigned int slot)
{
	size_t at = slot * w->buffers.stride;

	if (w->what->op == BENCH_COPY)
		sva_prep_dma_copy(&w->ops[slot], w->dst, at, w->src, at, w->what->size);
	else
		sva_prep_dma_fill(&w->ops[slot], w->dst, at, bench_pattern(slot), w->what->size);
}

static void prepare_dif(struct bench_worker *w, struct sva_op *op, unsigned int slot)
{
	const struct bench_buffers *b = &w->buffers;
	unsigned char *src = bench_src(b, slot), *dst = bench_dst(b, slot);

	if (w->what->op == BENCH_DIF_CHECK)
		sva_prep_dif_check(op, src, b->src_size, &dif_from);
	else if (w->what->op == BENCH_DIF_INSERT)
		sva_prep_dif_insert(op, dst, src, b->src_size, &dif_to);
	else if (w->what->op == BENCH_DIF_STRIP)
		sva_prep_dif_strip(op, dst, src, b->src_size, &dif_from);
	else if (w->what->op == BENCH_DIF_UPDATE)
		sva_prep_dif_update(op, dst, src, b->src_size, &dif_both);
	else
		sva_prep_dix_generate(op, dst, src, b->src_size, &dif_to);
}

static void prepare_delta(struct bench_worker *w, struct sva_op *op, unsigned int slot)
{
	const struct bench_buffers *b = &w->buffers;

	if (w->what->op == BENCH_CREATE_DELTA)
		sva_prep_create_delta(op, bench_src(b, slot), bench_aux(b, slot), b->size,
				      bench_dst(b, slot), record_size(b));
	else
		sva_prep_apply_delta(op, bench_dst(b, slot), b->size, bench_src(b, slot),
				     (uint32_t)b->src_size);
}

void bench_op_prepare(struct bench_worker *w, unsigned int slot)
{
	const struct bench_buffers *b = &w->buffers;
	unsigned char *src = bench_src(b, slot), *dst = bench_dst(b, slot);
	uint64_t pattern = bench_pattern(slot);
	struct sva_op *op = &w->ops[slot];
	size_t size = w->what->size;

	if (w->mapped_now) {
		prepare_mapped(w, slot);
		return;
	}
	switch (w->what->op) {
	case BENCH_COPY:
		sva_prep_memcpy(op, dst, src, size);
		break;
	case BENCH_FILL:
		sva_prep_memfill(op, dst, pattern, size);
		break;
	case BENCH_FILL16:
		sva_prep_memfill16(op, dst, pattern, ~pattern, size);
		break;
	case BENCH_COMPARE:
		sva_prep_compare(op, src, dst, size);
		break;
	case BENCH_COMPARE_PATTERN:
		sva_prep_compare_pattern(op, src, pattern, size);
		break;
	case BENCH_CRC:
		sva_prep_crc(op, src, size, 0, 0);
		break;
	case BENCH_COPY_CRC:
		sva_prep_copy_crc(op, dst, src, size, 0, 0);
		break;
	case BENCH_DUALCAST:
		sva_prep_dualcast(op, dst, bench_aux(b, slot), src, size);
		break;
	case BENCH_CREATE_DELTA:
	case BENCH_APPLY_DELTA:
		prepare_delta(w, op, slot);
		break;
	case BENCH_CACHE_FLUSH:
		sva_prep_cache_flush(op, dst, size);
		break;
	case BENCH_NOOP:
		sva_prep_noop(op);
		break;
	default:
		prepare_dif(w, op, slot);
	}
}

/*
 * Makes a mapped buffer readable by the CPU, as its contract asks; costs nothing on most machines.
 */
static int run_mapped(struct bench_worker *w, unsigned int slot)
{
	size_t at = slot * w->buffers.stride;
	int rc;

	if (w->what->op == BENCH_COPY)
		rc = sva_dma_copy(w->now, w->dst, at, w->src, at, w->what->size);
	else
		rc = sva_dma_fill(w->now, w->dst, at, bench_pattern(slot), w->what->size);
	return rc ? rc : sva_dma_sync(w->dst, at, w->what->size, SVA_DMA_FOR_CPU);
}

/* Returns a negative errno, or else 0 or what the call reports. */
int bench_op_run(struct bench_worker *w, unsigned int slot)
{
	const struct bench_buffers *b = &w->buffers;
	unsigned char *src = bench_src(b, slot), *dst = bench_dst(b, slot);
	uint64_t pattern = bench_pattern(slot);
	size_t size = w->what->size;
	uint32_t value = 0;

	if (w->mapped_now)
		return run_mapped(w, slot);
	switch (w->what->op) {
	case BENCH_COPY:
		return sva_memcpy(w->now, dst, src, size);
	case BENCH_FILL:
		return sva_memfill(w->now, dst, pattern, size);
	case BENCH_FILL16:
		return sva_memfill16(w->now, dst, pattern, ~pattern, size);
	case BENCH_COMPARE:
		return sva_compare(w->now, src, dst, size, NULL);
	case BENCH_COMPARE_PATTERN:
		return sva_compare_pattern(w->now, src, pattern, size, NULL);
	case BENCH_CRC:
		return sva_crc32c(w->now, src, size, &value);
	case BENCH_COPY_CRC:
		return sva_copy_crc32c(w->now, dst, src, size, &value);
	case BENCH_DUALCAST:
		return sva_dualcast(w->now, dst, bench_aux(b, slot), src, size);
	case BENCH_CREATE_DELTA:
		return sva_create_delta(w->now, src, bench_aux(b, slot), size, dst, record_size(b),
					&value);
	case BENCH_APPLY_DELTA:
		return sva_apply_delta(w->now, dst, size, src, (uint32_t)b->src_size);
	case BENCH_CACHE_FLUSH:
		return sva_cache_flush(w->now, dst, size);
	default:
		bench_op_prepare(w, slot);
		return sva_run(w->now, &w->ops[slot]);
	}
}

void bench_op_run_libc(struct bench_worker *w, unsigned int slot)
{
	const struct bench_buffers *b = &w->buffers;
	void *src = bench_src(b, slot), *dst = bench_dst(b, slot);
	size_t size = w->what->size;
	int differ = 0;

	if (w->what->op == BENCH_FILL)
		memset(dst, (int)(bench_pattern(slot) & 0xff), size);
	else if (w->what->op == BENCH_COMPARE)
		differ = memcmp(src, dst, size);
	else
		memcpy(dst, src, size);
	if (w->what->op == BENCH_DUALCAST)
		memcpy(bench_aux(b, slot), src, size);
	/* Keeps the compiler from removing work whose result is not read. */
	__asm__ volatile("" : : "r"(dst), "r"(differ) : "memory");
}

uint64_t bench_op_value(enum bench_op op, const struct sva_result *result)
{
	switch (op) {
	case BENCH_CRC:
	case BENCH_COPY_CRC:
	case BENCH_CREATE_DELTA:
		return result->value;
	case BENCH_COMPARE:
	case BENCH_COMPARE_PATTERN:
	case BENCH_DIF_CHECK:
		return result->result;
	default:
		return 0;
	}
}
