// SPDX-License-Identifier: MIT
/*
 * Processes with threads, each of which runs random operations and checks their bytes.
 *
 *	dma-stress [PROCESSES [THREADS [ROUNDS]]]	(8, 4, 60)
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define LEN (192UL << 10)

static struct dma dma;
static int rounds = 60;

/* One of the ways to copy, on the thread's own buffers. */
static int copy_somehow(uint64_t how, char *dst, char *src, uint32_t to, uint32_t from, size_t off,
			size_t len)
{
	struct sva_dma_op ops[4];
	unsigned int taken;
	size_t piece;
	int ret;

	if (how % 3 == 0)
		return dma_copy(&dma, dst + off, src + off, len);
	for (size_t i = 0; i < 4; i++) {
		piece = i < 3 ? len / 4 : len - len / 4 * 3;
		ops[i] =
			dma_op_copy(dst + off + i * (len / 4), src + off + i * (len / 4), piece, 0);
		if (how % 3 == 1) {
			ops[i].dst_handle = to;
			ops[i].src_handle = from;
			ops[i].dst -= (uintptr_t)dst;
			ops[i].src -= (uintptr_t)src;
		}
	}
	ret = dma_submit(&dma, ops, 4, SVA_DMA_SUBMIT_WAIT, &taken);
	for (int i = 0; i < 4 && !ret; i++)
		ret = ops[i].result;
	if (how % 3 == 1 && !ret)
		ret = dma_sync(&dma, to, off, len, SVA_DMA_SYNC_CPU);
	return ret;
}

static void *thread(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	char *src = dma_alloc(LEN), *dst = dma_alloc(LEN);
	uint32_t from, to;
	size_t off, len;
	long bad = 0;

	for (int i = 0; i < rounds; i++) {
		off = dma_random(&seed) % (LEN / 2);
		len = 4 + dma_random(&seed) % (LEN / 2);
		dma_scramble(src + off, len, &seed);
		if (dma_map(&dma, src, LEN, SVA_DMA_MAP_READ, &from) ||
		    dma_map(&dma, dst, LEN, SVA_DMA_MAP_WRITE, &to))
			bad++;
		if (copy_somehow(dma_random(&seed), dst, src, to, from, off, len) ||
		    memcmp(dst + off, src + off, len))
			bad++;
		if (dma_fill(&dma, dst + off, 0x0101010101010101 * (seed & 0xff), len) ||
		    memcmp(dst + off, dst + off + 1, len - 1) || dst[off] != (char)(seed & 0xff))
			bad++;
		if (dma_unmap(&dma, from) || dma_unmap(&dma, to))
			bad++;
	}
	dma_free(src, LEN);
	dma_free(dst, LEN);
	return (void *)bad;
}

static int process(int nr, int threads)
{
	pthread_t ids[64];
	void *bad;
	long sum = 0;

	dma_open(&dma);
	for (long i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, thread, (void *)(nr * 100 + i + 1)))
			dma_die("pthread_create");
	for (int i = 0; i < threads; i++) {
		pthread_join(ids[i], &bad);
		sum += (long)bad;
	}
	if (sum)
		printf("# process %d: %ld errors\n", nr, sum);
	fflush(stdout);
	return sum ? 1 : 0;
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? atoi(argv[1]) : 8, threads = argc > 2 ? atoi(argv[2]) : 4,
	    status, bad = 0;

	rounds = argc > 3 ? atoi(argv[3]) : rounds;
	for (int i = 0; i < processes; i++)
		if (!fork())
			_exit(process(i, threads));
	for (int i = 0; i < processes; i++) {
		wait(&status);
		bad += !WIFEXITED(status) || WEXITSTATUS(status);
	}
	ok(!bad, "%d processes with %d threads each: all bytes of %d rounds are right", processes,
	   threads, rounds);
	ok(dma_all_zero(10), "after the processes have ended, the module's counters are zero");
	return done();
}
