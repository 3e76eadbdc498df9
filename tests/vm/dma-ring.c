// SPDX-License-Identifier: MIT
/* The completion ring: mapping it, filling it, waiting for it, lying to it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define PAGE 4096UL

static struct dma dma;
static char *src, *dst;

static int mmap_error(size_t len, int flags, off_t offset)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, dma.fd, offset);

	if (at == MAP_FAILED)
		return errno;
	munmap(at, len);
	return 0;
}

static int poll_now(void)
{
	struct pollfd fd = { .fd = dma.fd, .events = POLLIN };

	return poll(&fd, 1, 0) < 0 ? -errno : fd.revents;
}

static unsigned int drain(void)
{
	struct sva_dma_cqe cqe;
	unsigned int n = 0;

	while (dma_reap(&dma, &cqe))
		n++;
	return n;
}

static void mapping(void)
{
	unsigned int available;

	is(poll_now(), POLLERR, "without a ring there is nothing to poll for");
	is(dma_wait(&dma, 1, 0, &available), -ENXIO, "nor to wait for");
	is(mmap_error(dma.info.ring_bytes + PAGE, MAP_SHARED, 0), EINVAL, "a ring has one length");
	is(mmap_error(PAGE, MAP_SHARED, 0), EINVAL, "and no other");
	is(mmap_error(dma.info.ring_bytes, MAP_SHARED, PAGE), EINVAL, "it has no offset");
	is(mmap_error(dma.info.ring_bytes, MAP_PRIVATE, 0), EINVAL, "and is no private copy");
	is(mmap_error(dma.info.ring_bytes, MAP_SHARED, 0), 0, "this is how it is mapped");
	dma_ring(&dma);
	ok(!dma.ring->head && !dma.ring->tail, "it begins empty");
	is(poll_now(), 0, "and nothing is ready");
}

static void completions(void)
{
	struct sva_dma_op ops[3];
	unsigned int taken, available;
	struct sva_dma_cqe cqe;

	for (unsigned int i = 0; i < 3; i++)
		ops[i] = dma_op_copy(dst + i * PAGE, src, PAGE, 1000 + i);
	ops[1].len = 0;
	ops[2].dst = 0;
	is(dma_submit(&dma, ops, 3, 0, &taken), 0, "submit one, nothing, and a bad one");
	is(taken, 3, "all get an answer");
	is(ops[2].result, -EFAULT, "the bad one at once");
	is(dma_wait(&dma, 2, 5000000000, &available), 0, "the others arrive");
	is(poll_now(), POLLIN, "and poll says so");
	is(dma_wait(&dma, 3, -1, &available), -EDEADLK, "a third can not arrive");
	is(available, 2, "there are two");
	ok(dma_reap(&dma, &cqe) && cqe.user_data >= 1000 && cqe.user_data < 1002 && !cqe.result, "take one");
	ok(dma_reap(&dma, &cqe) && cqe.user_data >= 1000 && cqe.user_data < 1002 && !cqe.result, "take the other");
	ok(!dma_reap(&dma, &cqe), "there is no more");
	is(poll_now(), 0, "nothing is ready");
	ok(!memcmp(src, dst, PAGE), "the bytes are there");
}

static void interrupted(int signal)
{
	(void)signal;
}

static void waiting(void)
{
	struct itimerval soon = { .it_value = { .tv_usec = 50000 } };
	struct sigaction action = { .sa_handler = interrupted };
	struct sva_dma_op op = dma_op_copy(dst, src, PAGE, 1);
	unsigned int taken, available;
	uint64_t begin;

	sigaction(SIGALRM, &action, NULL);
	dma_provider("stall", 1);
	is(dma_submit(&dma, &op, 1, 0, &taken), 0, "submit to hardware that does nothing");
	is(dma_wait(&dma, 1, 0, &available), -ETIME, "looking finds nothing");
	begin = dma_now();
	is(dma_wait(&dma, 1, 50000000, &available), -ETIME, "waiting for a while neither");
	ok(dma_now() - begin >= 50000000, "and takes that while");
	setitimer(ITIMER_REAL, &soon, NULL);
	is(dma_wait(&dma, 1, -1, &available), -EINTR, "a signal ends it");
	dma_provider("stall", 0);
	is(dma_wait(&dma, 1, -1, &available), 0, "then the hardware goes on");
	is(drain(), 1, "and the completion arrives");
}

/* As many as the ring holds, and not one more: nothing is lost. */
static void full(void)
{
	static struct sva_dma_op ops[1024];
	unsigned int taken, available, total = 0, n;
	int ret;

	for (n = 0; n < 1024; n++)
		ops[n] = dma_op_copy(dst, src, 0, n);
	do {
		ret = dma_submit(&dma, ops, 1000, 0, &taken);
		total += taken;
	} while (!ret);
	is(ret, -EAGAIN, "a full ring is told");
	is(total, dma.info.ring_entries, "when it is full");
	is(dma_wait(&dma, total, 0, &available), 0, "all of them have arrived");
	is(drain(), total, "and can be taken");
	is(dma_submit(&dma, ops, 5, 0, &taken), 0, "then there is room again");
	is(drain(), 5, "for these");

	dma_provider("stall", 1);
	for (n = 0; n < 1024; n++)
		ops[n] = dma_op_copy(dst + n * 8, src, 8, n);
	total = 0;
	do {
		ret = dma_submit(&dma, ops, 1024, 0, &taken);
		total += taken;
	} while (!ret);
	is(ret, -EAGAIN, "so are operations in flight that the ring could not hold");
	is(total, dma.info.max_in_flight, "or that are too many");
	dma_provider("stall", 0);
	is(dma_wait(&dma, total, 60000000000, &available), 0, "all of them arrive");
	is(drain(), total, "none is lost");
}

/* A head that is nonsense costs completions, and nothing else. */
static void lies(void)
{
	struct sva_dma_op op = dma_op_copy(dst, src, 64, 7);
	unsigned int taken, available, good = 0;
	uint64_t seed = 3;

	for (int i = 0; i < 300; i++) {
		dma.ring->head = (uint32_t)dma_random(&seed);
		if (i % 3 == 0)
			dma.ring->tail = (uint32_t)dma_random(&seed);
		dma_submit(&dma, &op, 1, 0, &taken);
		dma_wait(&dma, 1, 0, &available);
		good += available <= dma.info.ring_entries;
	}
	is(good, 300, "no lie makes more completions than the ring has");
	usleep(100000);
	is(dma_copy(&dma, dst, src, PAGE), 0, "and everything else still works");
}

int main(void)
{
	src = dma_alloc(4 * PAGE);
	dst = dma_alloc(4 * PAGE);
	memset(src, 0x3c, 4 * PAGE);
	dma_open(&dma);
	mapping();
	completions();
	waiting();
	full();
	lies();
	dma_close(&dma);
	ok(dma_all_zero(5), "nothing is left");
	return done();
}
