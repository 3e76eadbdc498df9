// SPDX-License-Identifier: MIT
/*
 * Processes are killed while they use the device in all ways; the module keeps nothing of them.
 *
 *	dma-kill [TIMES]	(200)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"
#include "uring.h"

#define LEN	(256UL << 10)
#define OPS	8

struct victim {
	struct dma dma;
	struct io_uring uring;
	char *src, *dst;
	uint32_t from, to;
	struct sva_dma_op ops[OPS];
};

static void fill_ops(struct victim *v, bool handles)
{
	for (size_t i = 0; i < OPS; i++) {
		v->ops[i] = dma_op_copy(v->dst + i * (LEN / OPS), v->src + i * (LEN / OPS),
					LEN / OPS, i);
		if (handles) {
			v->ops[i].dst_handle = v->to;
			v->ops[i].src_handle = v->from;
			v->ops[i].dst = v->ops[i].src = i * (LEN / OPS);
		}
	}
}

static void through_uring(struct victim *v)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;

	for (unsigned int i = 0; i < OPS; i++) {
		sqe = io_uring_get_sqe(&v->uring);
		if (sqe)
			uring_prep(sqe, v->dma.fd, &v->ops[i], i);
	}
	io_uring_submit(&v->uring);
	while (!io_uring_peek_cqe(&v->uring, &cqe))
		io_uring_cqe_seen(&v->uring, cqe);
}

/* Forever, all ways in turn. */
static void live(uint64_t seed)
{
	struct victim v = { .src = dma_alloc(LEN), .dst = dma_alloc(LEN) };
	struct sva_dma_cqe cqe;
	unsigned int taken;

	dma_open(&v.dma);
	dma_ring(&v.dma);
	if (io_uring_queue_init(32, &v.uring, 0))
		dma_die("io_uring");
	for (;;) {
		if (!v.from || dma_random(&seed) % 4 == 0) {
			dma_unmap(&v.dma, v.from);
			dma_unmap(&v.dma, v.to);
			dma_map(&v.dma, v.src, LEN, SVA_DMA_MAP_READ, &v.from);
			dma_map(&v.dma, v.dst, LEN, SVA_DMA_MAP_WRITE, &v.to);
		}
		fill_ops(&v, dma_random(&seed) % 2);
		switch (dma_random(&seed) % 5) {
		case 0:
			dma_copy(&v.dma, v.dst, v.src, LEN);
			break;
		case 1:
			dma_fill(&v.dma, v.dst, seed, LEN);
			break;
		case 2:
			dma_submit(&v.dma, v.ops, OPS, SVA_DMA_SUBMIT_WAIT, &taken);
			break;
		case 3:
			dma_submit(&v.dma, v.ops, OPS, 0, &taken);
			while (dma_reap(&v.dma, &cqe))
				;
			break;
		default:
			through_uring(&v);
		}
	}
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 200, status, killed = 0;
	uint64_t seed = 5;
	struct dma dma;
	pid_t pid;

	/*
	 * The hardware is slow, so that there is always something in flight; a real provider is as
	 * slow as it is.
	 */
	if (dma_module_loaded("swdma"))
		dma_provider("delay_us", 300);
	/* An open file keeps the channels: searching for them each time is not tested here. */
	dma_open(&dma);
	for (int i = 0; i < times; i++) {
		pid = fork();
		if (!pid)
			live((uint64_t)i);
		usleep(2000 + (useconds_t)(dma_random(&seed) % 20000));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	is(killed, times, "each process was alive until it was killed");
	dma_close(&dma);
	ok(dma_all_zero(10), "after %d processes were killed, the module's counters are zero",
	   times);
	if (dma_module_loaded("swdma"))
		dma_provider("delay_us", 0);
	return done();
}
