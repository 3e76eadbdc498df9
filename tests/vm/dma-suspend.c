// SPDX-License-Identifier: MIT
/*
 * The system is suspended while operations are in flight and queued. The provider warns if it has
 * descriptors when it is suspended, or gets one before it is resumed. This uses the kernel's own
 * test of suspending (pm_test), so nothing has to wake the machine: the kernel suspends all
 * devices, waits a second and resumes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define PIECE (64UL << 10)
#define OPS 64
#define ROUNDS 3

static char *src, *dst;
static volatile unsigned int *rounds;

static int suspend(void)
{
	return dma_write("/sys/power/state", "freeze");
}

/* Keeps the hardware busy and compares every byte, until rounds[1] is set. */
static int busy(void)
{
	static struct sva_dma_op ops[OPS];
	unsigned int taken, available, left;
	struct sva_dma_cqe cqe;
	struct dma dma;
	int ret;

	dma_open(&dma);
	dma_ring(&dma);
	while (rounds[1] == 0) {
		memset(dst, 0, OPS * PIECE);
		for (unsigned int i = 0; i < OPS; i++)
			ops[i] = dma_op_copy(dst + i * PIECE, src + i * PIECE, PIECE, i);
		if (dma_submit(&dma, ops, OPS, 0, &taken) || taken != OPS)
			return 1;
		for (left = OPS; left;) {
			/* Being frozen may interrupt a call, as a signal does. */
			ret = dma_wait(&dma, 1, 30000000000, &available);
			if (ret && ret != -EINTR)
				return 2;
			while (dma_reap(&dma, &cqe)) {
				left--;
				if (cqe.result)
					return 3;
			}
		}
		if (memcmp(src, dst, OPS * PIECE))
			return 4;
		rounds[0]++;
	}
	return 0;
}

int main(void)
{
	unsigned int taken, available;
	uint64_t seed = 1, begin;
	struct sva_dma_op op;
	struct dma dma;
	int status, bad = 0;
	pid_t pid;

	if (dma_write("/sys/power/pm_test", "devices"))
		skip_all("this kernel cannot test suspending (CONFIG_PM_DEBUG)");
	dma_write("/sys/module/suspend/parameters/pm_test_delay", "1");
	src = dma_alloc(OPS * PIECE);
	dst = dma_alloc(OPS * PIECE);
	rounds = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	dma_scramble(src, OPS * PIECE, &seed);
	dma_provider("delay_us", 3000);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(busy());
	while (!rounds[0])
		usleep(1000);
	for (int i = 0; i < ROUNDS; i++) {
		usleep(20000);
		bad += suspend() != 0;
	}
	is(bad, 0, "the system is suspended and resumed three times with operations in flight");
	rounds[1] = 1;
	waitpid(pid, &status, 0);
	is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0,
	   "all operations around a suspend were done, and every byte is right");
	dma_provider("delay_us", 0);

	dma_open(&dma);
	dma_ring(&dma);
	dma_provider("stall", 1);
	op = dma_op_copy(dst, src, PIECE, 1);
	if (dma_submit(&dma, &op, 1, 0, &taken))
		dma_die("SUBMIT");
	begin = dma_now();
	is(suspend(), -EBUSY,
	   "the system is not suspended while hardware keeps a descriptor (-EBUSY)");
	ok(dma_now() - begin < 15000000000, "that is reported within a few seconds (%.1f s)",
	   (double)(dma_now() - begin) / 1e9);
	dma_provider("stall", 0);
	is(dma_wait(&dma, 1, 5000000000, &available), 0,
	   "when the hardware goes on, the operation it kept is done");
	is(suspend(), 0, "when the hardware has gone on, the system can be suspended");
	is(dma_copy(&dma, dst, src, OPS * PIECE), 0, "COPY succeeds after the system was resumed");
	dma_close(&dma);
	dma_write("/sys/power/pm_test", "none");
	ok(dma_all_zero(5), "after the file is closed, the module's counters are zero");
	return done();
}
