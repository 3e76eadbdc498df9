// SPDX-License-Identifier: MIT
/*
 * Correctness over random sizes, alignments, directions and ways of submitting, against plain C.
 *
 *	dma-random [ROUNDS [SEED]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dma.h"
#include "tap.h"

#define ARENA	(6UL << 20)
#define BATCH	24

static struct dma dma;
static uint64_t seed = 1;
static unsigned char *src, *dst, *want;
static uint32_t src_handle, dst_handle;

/* Sizes of all magnitudes, often around a page or a segment. */
static size_t random_len(size_t max)
{
	size_t len = dma_random(&seed) >> (dma_random(&seed) % 64);

	if (dma_random(&seed) % 4 == 0)
		len = (4096UL << (dma_random(&seed) % 9)) + dma_random(&seed) % 5 - 2;
	return len % (max + 1);
}

static void expect(size_t doff, size_t soff, uint64_t pattern, bool fill, size_t len)
{
	if (!fill) {
		memcpy(want + doff, src + soff, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		want[doff + i] = (unsigned char)(pattern >> (i % 8 * 8));
}

/* Compares the whole arena, so that a byte written anywhere else is found. */
static bool same(const char *what, size_t doff, size_t soff, size_t len)
{
	size_t i = 0;

	if (!memcmp(dst, want, ARENA))
		return true;
	while (dst[i] == want[i])
		i++;
	printf("# %s of %zu bytes to %#zx from %#zx: byte %#zx is %#x, not %#x\n", what, len, doff,
	       soff, i, dst[i], want[i]);
	memcpy(want, dst, ARENA);
	return false;
}

static bool one_shot(void)
{
	bool fill = dma_random(&seed) % 3 == 0;
	size_t len = random_len(ARENA), doff = dma_random(&seed) % (ARENA - len + 1);
	size_t soff = dma_random(&seed) % (ARENA - len + 1);
	uint64_t pattern = dma_random(&seed);
	int ret = fill ? dma_fill(&dma, dst + doff, pattern, len) :
			 dma_copy(&dma, dst + doff, src + soff, len);

	if (ret)
		printf("# %zu bytes: %s\n", len, strerror(-ret));
	expect(doff, soff, pattern, fill, len);
	return !ret && same(fill ? "fill" : "copy", doff, soff, len);
}

/*
 * Operations on parts of the destination that do not overlap, each with handles or addresses at
 * random.
 */
static unsigned int random_batch(struct sva_dma_op *ops)
{
	size_t room = ARENA / BATCH, doff, soff, len;
	unsigned int nr = 1 + (unsigned int)(dma_random(&seed) % BATCH);

	for (unsigned int i = 0; i < nr; i++) {
		len = random_len(room);
		doff = i * room + dma_random(&seed) % (room - len + 1);
		soff = dma_random(&seed) % (ARENA - len + 1);
		ops[i] = dma_op_copy(dst + doff, src + soff, len, i);
		if (dma_random(&seed) % 4 == 0) {
			ops[i].opcode = SVA_DMA_OP_FILL;
			ops[i].src = dma_random(&seed);
		} else if (dma_random(&seed) % 2) {
			ops[i].src_handle = src_handle;
			ops[i].src = soff;
		}
		if (dma_random(&seed) % 2) {
			ops[i].dst_handle = dst_handle;
			ops[i].dst = doff;
		}
		expect(doff, soff, ops[i].src, ops[i].opcode == SVA_DMA_OP_FILL, len);
	}
	return nr;
}

/* On a machine with bounce buffers, memory with a handle has the bytes after this. */
static void hand_over(const struct sva_dma_op *ops, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (ops[i].dst_handle && ops[i].len)
			dma_sync(&dma, dst_handle, ops[i].dst, ops[i].len, SVA_DMA_SYNC_CPU);
}

static bool waiting_batch(void)
{
	struct sva_dma_op ops[BATCH];
	unsigned int nr = random_batch(ops), taken;
	int ret = dma_submit(&dma, ops, nr, SVA_DMA_SUBMIT_WAIT, &taken);

	for (unsigned int i = 0; i < nr && !ret; i++)
		ret = ops[i].result;
	hand_over(ops, nr);
	return !ret && taken == nr && same("batch", 0, 0, nr);
}

static bool ring_batch(void)
{
	struct sva_dma_op ops[BATCH];
	unsigned int nr = random_batch(ops), taken, available, left = nr;
	bool seen[BATCH] = { false }, good = true;
	struct sva_dma_cqe cqe;
	int ret = dma_submit(&dma, ops, nr, 0, &taken);

	if (ret || taken != nr)
		return false;
	while (left) {
		if (dma_wait(&dma, 1, 10000000000, &available))
			return false;
		while (dma_reap(&dma, &cqe)) {
			good &= cqe.user_data < nr && !seen[cqe.user_data] && !cqe.result;
			seen[cqe.user_data % BATCH] = true;
			left--;
		}
	}
	hand_over(ops, nr);
	return good && same("ring", 0, 0, nr);
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 100, bad[3] = { 0 };

	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	printf("# %ld rounds, seed %llu\n", rounds, (unsigned long long)seed);
	dma_open(&dma);
	dma_ring(&dma);
	src = dma_alloc(ARENA);
	dst = dma_alloc(ARENA);
	want = dma_alloc(ARENA);
	dma_scramble(src, ARENA, &seed);
	dma_scramble(dst, ARENA, &seed);
	memcpy(want, dst, ARENA);
	is(dma_map(&dma, src, ARENA, SVA_DMA_MAP_READ, &src_handle), 0,
	   "MAP of the source succeeds");
	is(dma_map(&dma, dst, ARENA, SVA_DMA_MAP_WRITE, &dst_handle), 0,
	   "MAP of the destination succeeds");
	for (long i = 0; i < rounds; i++) {
		bad[0] += !one_shot();
		bad[1] += !waiting_batch();
		bad[2] += !ring_batch();
	}
	/*
	 * Bytes that were not written through the handle must be in the bounce buffers as well, or
	 * UNMAP would overwrite them with older ones.
	 */
	is(dma_sync(&dma, dst_handle, 0, ARENA, SVA_DMA_SYNC_DEVICE), 0,
	   "SYNC of the whole destination for the device succeeds");
	is(bad[0], 0, "random calls of COPY and FILL agree with plain C");
	is(bad[1], 0, "random calls of SUBMIT that wait agree with plain C");
	is(bad[2], 0, "random calls of SUBMIT that complete in the ring agree with plain C");
	is(dma_unmap(&dma, src_handle), 0, "UNMAP of the source succeeds");
	is(dma_unmap(&dma, dst_handle), 0, "UNMAP of the destination succeeds");
	ok(same("unmap", 0, 0, 0), "UNMAP changes no byte of the memory");
	dma_close(&dma);
	ok(dma_all_zero(5), "after the file is closed, the module's counters are zero");
	return done();
}
