// SPDX-License-Identifier: MIT
/*
 * How much of a channel each user, process and open file gets while all of them have enough to do.
 * For a provider with one channel.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define LEN (32UL << 10)
#define FILES 15
#define MAX 4

/* The work of a process, and how much of it is done; in shared memory. */
struct worker {
	uid_t user;
	unsigned int files;
	unsigned int each; /* operations on each file */
	volatile bool ready;
	volatile unsigned int done;
	pid_t pid;
};

static struct worker *workers;

static void submit(struct dma *dma, const struct worker *worker)
{
	struct sva_dma_op op = {.opcode = SVA_DMA_OP_COPY, .len = LEN};
	char *from = dma_alloc(LEN), *to = dma_alloc(LEN);
	unsigned int taken;

	dma_open(dma);
	dma_ring(dma);
	if (dma_map(dma, from, LEN, SVA_DMA_MAP_READ, &op.src_handle) ||
	    dma_map(dma, to, LEN, SVA_DMA_MAP_WRITE, &op.dst_handle))
		dma_die("MAP");
	for (unsigned int i = 0; i < worker->each; i++) {
		if (dma_submit(dma, &op, 1, 0, &taken) || op.result)
			dma_die("SUBMIT");
	}
}

static void work(struct worker *worker)
{
	static struct dma dmas[FILES];
	struct sva_dma_cqe cqe;

	if (setresgid(worker->user, worker->user, worker->user) ||
	    setresuid(worker->user, worker->user, worker->user))
		dma_die("setresuid");
	for (unsigned int i = 0; i < worker->files; i++)
		submit(&dmas[i], worker);
	worker->ready = true;
	while (worker->done < worker->files * worker->each) {
		for (unsigned int i = 0; i < worker->files; i++) {
			while (dma_reap(&dmas[i], &cqe))
				worker->done++;
		}
		usleep(500);
	}
}

/* Runs the workers until the last of them is done; @done gets what each has done by then. */
static void race(unsigned int nr, unsigned int *done)
{
	struct worker *last = &workers[nr - 1];

	dma_provider("stall", 1);
	fflush(stdout);
	for (unsigned int i = 0; i < nr; i++) {
		workers[i].pid = fork();
		if (!workers[i].pid) {
			work(&workers[i]);
			_exit(0);
		}
		while (!workers[i].ready)
			usleep(1000);
	}
	dma_provider("stall", 0);
	while (last->done < last->files * last->each)
		usleep(500);
	for (unsigned int i = 0; i < nr; i++)
		done[i] = workers[i].done;
	for (unsigned int i = 0; i < nr; i++)
		waitpid(workers[i].pid, NULL, 0);
}

static void worker_set(unsigned int nr, uid_t user, unsigned int files, unsigned int each)
{
	workers[nr] = (struct worker){.user = user, .files = files, .each = each};
}

int main(void)
{
	unsigned int got[MAX], sum;

	workers = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (workers == MAP_FAILED || chmod(DMA_NODE, 0666))
		dma_die("set up");
	dma_provider("delay_us", 1000);

	/* The other user has three times as much to do, and begins. */
	worker_set(0, 1000, FILES, 20);
	worker_set(1, 1000, 1, 100);
	race(2, got);
	printf("# %u operations of the process with %u files, %u of the one with one\n", got[0],
	       FILES, got[1]);
	ok(got[0] >= 30 && got[0] <= 160,
	   "a process with 15 files gets no more of a channel than one with one file");

	for (unsigned int i = 0; i < 3; i++)
		worker_set(i, 1000, 1, 100);
	worker_set(3, 1001, 1, 100);
	race(4, got);
	sum = got[0] + got[1] + got[2];
	printf("# %u operations of the user with 3 processes (%u, %u, %u), %u of the one with 1\n",
	       sum, got[0], got[1], got[2], got[3]);
	ok(sum >= 30 && sum <= 160,
	   "a user with three processes gets no more of a channel than one with one process");
	ok(got[0] >= sum / 5 && got[1] >= sum / 5 && got[2] >= sum / 5,
	   "the three processes of one user get about the same");

	dma_provider("delay_us", 0);
	if (chmod(DMA_NODE, 0600))
		dma_die("chmod");
	ok(dma_all_zero(5), "after the processes have ended, the module's counters are zero");
	return done();
}
