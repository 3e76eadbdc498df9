/* SPDX-License-Identifier: MIT */
/*
 * How fast the model is where it stands in for hardware, beside what this CPU's C library and ISA-L
 * do: the median of rounds that alternate between the two. Not a test: run it by hand on a quiet
 * machine. These are times of the model on a CPU and say nothing about a DSA.
 */
#include <inttypes.h>
#include <isa-l.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/model.h"

#define ROUNDS 41
#define MAX (32u << 20)

static uint8_t *a, *b;
static size_t size;
static struct sva_desc desc;
static struct sva_model_profile profile;
static volatile uint64_t sink;

static void *map(void *ctx, uint64_t addr, size_t *len, unsigned int access, uint64_t *fault)
{
	(void)ctx;
	(void)len;
	(void)access;
	(void)fault;
	return (void *)(uintptr_t)addr;
}

static void by_model(void)
{
	static const struct sva_model_mem mem = { .map = map };
	struct sva_model_outcome outcome;

	sva_model_execute(&profile, &mem, &desc, &outcome);
	if (outcome.comp.status != SVA_STATUS_SUCCESS) {
		fprintf(stderr, "status %#x\n", outcome.comp.status);
		exit(1);
	}
}

static void by_memmove(void)
{
	memmove(b, a, size);
}

static void by_memset(void)
{
	memset(b, 0x11, size);
}

static void by_memcmp(void)
{
	sink = (uint64_t)memcmp(a, b, size);
}

static void by_crc32_iscsi(void)
{
	sink = crc32_iscsi(a, (int)size, 0);
}

static void by_crc64(void)
{
	sink = crc64_ecma_refl(0, a, size);
}

static void by_t10(void)
{
	for (size_t i = 0; i + 512 <= size; i += 520)
		sink = crc16_t10dif(0, a + i, 512);
}

static const struct kind {
	const char *name, *other;
	enum sva_opcode opcode;
	uint32_t flags;
	void (*by)(void);
} kinds[] = {
	{"memmove", "memmove", SVA_OPCODE_MEMMOVE, 0, by_memmove},
	{"memmove, to cache", "memmove", SVA_OPCODE_MEMMOVE, SVA_DESC_CC, by_memmove},
	{"fill", "memset", SVA_OPCODE_FILL, 0, by_memset},
	{"fill, to cache", "memset", SVA_OPCODE_FILL, SVA_DESC_CC, by_memset},
	{"compare", "memcmp", SVA_OPCODE_COMPARE, 0, by_memcmp},
	{"compare pattern", "memcmp", SVA_OPCODE_COMPARE_PATTERN, 0, by_memcmp},
	{"create delta", "memcmp", SVA_OPCODE_CREATE_DELTA, 0, by_memcmp},
	{"CRC-32C", "crc32_iscsi", SVA_OPCODE_CRC, 0, by_crc32_iscsi},
	{"CRC-32C, reversed data", "crc32_iscsi", SVA_OPCODE_CRC, SVA_DESC_CRC_BYPASS_REF,
	 by_crc32_iscsi},
	{"CRC-64", "crc64_ecma_refl", SVA_OPCODE_CRC, SVA_DESC_CRC64, by_crc64},
	{"copy with CRC", "memmove", SVA_OPCODE_COPY_CRC, 0, by_memmove},
	{"DIF check", "crc16_t10dif", SVA_OPCODE_DIF_CHECK, 0, by_t10},
	{"cache flush", "memset", SVA_OPCODE_CACHE_FLUSH, 0, by_memset},
};

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int order(const void *x, const void *y)
{
	const double *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static double time_of(void (*by)(void), unsigned int times)
{
	uint64_t begin = nanoseconds();

	for (unsigned int i = 0; i < times; i++)
		by();
	return (double)(nanoseconds() - begin) / times;
}

static void prepare(const struct kind *kind)
{
	static struct sva_comp comp;

	memset(a, 0, MAX);
	memset(b, 0, MAX);
	memset(&desc, 0, sizeof(desc));
	desc.flags_opcode = sva_desc_word(kind->opcode, kind->flags | SVA_DESC_CRAV | SVA_DESC_RCR);
	desc.completion_addr = (uintptr_t)&comp;
	desc.src = (uintptr_t)a;
	desc.dst = (uintptr_t)b;
	desc.size = (uint32_t)size;
	switch (kind->opcode) {
	case SVA_OPCODE_FILL:
		desc.src = 0x1111111111111111;
		break;
	case SVA_OPCODE_COMPARE_PATTERN:
	case SVA_OPCODE_CRC:
		desc.dst = 0;
		break;
	case SVA_OPCODE_CREATE_DELTA:
		desc.op.delta.addr_or_size = (uintptr_t)b + MAX / 2;
		desc.op.delta.max_size = 80;
		break;
	case SVA_OPCODE_DIF_CHECK:
		desc.dst = 0;
		desc.size -= desc.size % 520;
		desc.op.dif.src_flags = SVA_DIF_SRC_REF_FIXED; /* zeros, whose guard is 0 */
		break;
	case SVA_OPCODE_CACHE_FLUSH:
		desc.src = 0;
		break;
	default:
		break;
	}
}

static void measure(const struct kind *kind, size_t bytes)
{
	const unsigned int times = bytes >= (1 << 20) ? 1 : (unsigned int)((1 << 20) / bytes);
	double mine[ROUNDS], theirs[ROUNDS], ratio[ROUNDS];

	size = bytes;
	prepare(kind);
	for (int round = 0; round < ROUNDS; round++) {
		mine[round] = time_of(by_model, times);
		theirs[round] = time_of(kind->by, times);
		ratio[round] = theirs[round] / mine[round];
	}
	qsort(mine, ROUNDS, sizeof(double), order);
	qsort(theirs, ROUNDS, sizeof(double), order);
	qsort(ratio, ROUNDS, sizeof(double), order);
	printf("%-24s %8zu  %10.0f ns %6.2f GB/s   %-16s %10.0f ns   %5.2f\n", kind->name, size,
	       mine[ROUNDS / 2], (double)size / mine[ROUNDS / 2], kind->other, theirs[ROUNDS / 2],
	       ratio[ROUNDS / 2]);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {64,     520,    4096,	16384,	 65536,
				       131072, 524288, 1 << 20, 2 << 20, MAX};
	const char *only = argc > 1 ? argv[1] : "";

	profile = sva_model_dsa2;
	profile.max_transfer = 1u << 31;
	a = aligned_alloc(4096, MAX);
	b = aligned_alloc(4096, MAX);
	if (!a || !b)
		return 1;
	printf("model, bytes, median of %d, GB/s; the other, its median, "
	       "median of ratios (above 1: model is faster)\n",
	       ROUNDS);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			if (strncmp(kinds[k].name, only, strlen(only)) ||
			    (kinds[k].opcode == SVA_OPCODE_DIF_CHECK && sizes[s] < 520) ||
			    (kinds[k].opcode == SVA_OPCODE_CREATE_DELTA &&
			     sizes[s] > SVA_DELTA_MAX_REGION))
				continue;
			measure(&kinds[k], sizes[s]);
		}
	}
	free(a);
	free(b);
	return 0;
}
