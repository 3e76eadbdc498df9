// SPDX-License-Identifier: MIT
/* The completion ring: mapping it, filling it, waiting for it, lying to it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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

static struct sva_dma_op *doomed;

static void *submitter(void *arg)
{
	unsigned int taken;

	(void)arg;
	return (void *)(intptr_t)dma_submit(&dma, doomed, 1, 0, &taken);
}

static void *waiter(void *arg)
{
	unsigned int available;
	uint64_t begin = dma_now();
	int ret = dma_wait(&dma, 2, 20000000000, &available);

	*(uint64_t *)arg = dma_now() - begin;
	return (void *)(intptr_t)ret;
}

/* A page of zeros where userfaultfd has kept others waiting. */
static int zero_page(int uffd, char *page)
{
	struct uffdio_zeropage zero = {.range = {.start = (uintptr_t)page, .len = PAGE}};

	return ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
}

/*
 * One operation is stuck in the hardware, and the place in the ring for a second one is taken. A
 * thread that waits for two is right to wait; then the second one is refused, since its result
 * cannot be written.
 */
static void refused(void)
{
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC), flags = PROT_READ | PROT_WRITE;
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register area = {.range.len = PAGE, .mode = UFFDIO_REGISTER_MODE_MISSING};
	struct sva_dma_op stuck = dma_op_copy(dst, src, PAGE, 1);
	char *slow = mmap(NULL, PAGE, flags, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t submits, waits;
	unsigned int taken;
	uint64_t took = 0;
	void *ret;

	if (uffd < 0) {
		skip("a thread that waits for a refused operation", "no userfaultfd");
		return;
	}
	area.range.start = (uintptr_t)slow;
	if (ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &area))
		dma_die("userfaultfd");
	doomed = mmap(NULL, PAGE, flags, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*doomed = dma_op_copy(dst + PAGE, slow, 64, 2);
	if (mprotect(doomed, PAGE, PROT_READ))
		dma_die("mprotect");
	dma_provider("stall", 1);
	is(dma_submit(&dma, &stuck, 1, 0, &taken), 0,
	   "an operation for hardware that does nothing");
	pthread_create(&submits, NULL, submitter, NULL);
	usleep(200000);
	pthread_create(&waits, NULL, waiter, &took);
	usleep(300000);
	is(zero_page(uffd, slow), 0, "the source of a second operation appears");
	pthread_join(submits, &ret);
	is((int)(intptr_t)ret, -EFAULT,
	   "the second operation is refused: its result cannot be written");
	pthread_join(waits, &ret);
	is((int)(intptr_t)ret, -EDEADLK,
	   "a thread that waits for both learns that the second will not come");
	ok(took < 10000000000, "at once, and not when its time is over (%.1f s)",
	   (double)took / 1e9);
	dma_provider("stall", 0);
	is(dma_wait(&dma, 1, 5000000000, &taken), 0, "the first one arrives");
	is(drain(), 1, "and is the only one");
	munmap(doomed, PAGE);
	munmap(slow, PAGE);
	close(uffd);
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
	refused();
	lies();
	dma_close(&dma);
	ok(dma_all_zero(5), "nothing is left");
	return done();
}
