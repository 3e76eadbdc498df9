// SPDX-License-Identifier: MIT
/* The completion ring: mapping, filling, waiting, and random values in head and tail. */
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

	is(poll_now(), POLLERR, "without a ring poll() reports POLLERR");
	is(dma_wait(&dma, 1, 0, &available), -ENXIO, "without a ring WAIT is -ENXIO");
	is(mmap_error(dma.info.ring_bytes + PAGE, MAP_SHARED, 0), EINVAL,
	   "mmap() of a page more than the ring is EINVAL");
	is(mmap_error(PAGE, MAP_SHARED, 0), EINVAL, "mmap() of a part of the ring is EINVAL");
	is(mmap_error(dma.info.ring_bytes, MAP_SHARED, PAGE), EINVAL,
	   "mmap() of the ring with an offset is EINVAL");
	is(mmap_error(dma.info.ring_bytes, MAP_PRIVATE, 0), EINVAL,
	   "a private mmap() of the ring is EINVAL");
	is(mmap_error(dma.info.ring_bytes, MAP_SHARED, 0), 0,
	   "a shared mmap() of the ring's size succeeds");
	dma_ring(&dma);
	ok(!dma.ring->head && !dma.ring->tail, "head and tail of a new ring are 0");
	is(poll_now(), 0, "poll() reports nothing for a new ring");
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
	is(dma_submit(&dma, ops, 3, 0, &taken), 0,
	   "SUBMIT of a good operation, one of no bytes and a bad one succeeds");
	is(taken, 3, "SUBMIT takes the good, the empty and the bad operation");
	is(ops[2].result, -EFAULT, "the bad operation has its result when SUBMIT returns");
	is(dma_wait(&dma, 2, 5000000000, &available), 0,
	   "WAIT returns when the two other completions are there");
	is(poll_now(), POLLIN, "poll() reports POLLIN when completions are there");
	is(dma_wait(&dma, 3, -1, &available), -EDEADLK,
	   "WAIT for more completions than were promised is -EDEADLK");
	is(available, 2, "WAIT reports two completions");
	ok(dma_reap(&dma, &cqe) && cqe.user_data >= 1000 && cqe.user_data < 1002 && !cqe.result,
	   "the first completion is one of the two operations, with the result 0");
	ok(dma_reap(&dma, &cqe) && cqe.user_data >= 1000 && cqe.user_data < 1002 && !cqe.result,
	   "the second completion is one of the two operations, with the result 0");
	ok(!dma_reap(&dma, &cqe), "there is no third completion in the ring");
	is(poll_now(), 0, "poll() reports nothing when the completions are taken");
	ok(!memcmp(src, dst, PAGE), "the bytes of the good operation were copied");
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
	is(dma_submit(&dma, &op, 1, 0, &taken), 0,
	   "SUBMIT succeeds with hardware that has stopped");
	is(dma_wait(&dma, 1, 0, &available), -ETIME,
	   "WAIT without a timeout is -ETIME when nothing completes");
	begin = dma_now();
	is(dma_wait(&dma, 1, 50000000, &available), -ETIME,
	   "WAIT of 50 ms is -ETIME when nothing completes");
	ok(dma_now() - begin >= 50000000, "WAIT of 50 ms lasts 50 ms");
	setitimer(ITIMER_REAL, &soon, NULL);
	is(dma_wait(&dma, 1, -1, &available), -EINTR, "a signal ends WAIT with -EINTR");
	dma_provider("stall", 0);
	is(dma_wait(&dma, 1, -1, &available), 0, "WAIT returns when the hardware goes on");
	is(drain(), 1, "after that there is one completion");
}

/* The ring takes as many completions as it has entries, and loses none. */
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
	is(ret, -EAGAIN, "SUBMIT is -EAGAIN when the ring is full of completions");
	is(total, dma.info.ring_entries,
	   "SUBMIT has taken as many operations as the ring has entries");
	is(dma_wait(&dma, total, 0, &available), 0, "all completions of a full ring are there");
	is(drain(), total, "all completions of a full ring can be taken");
	is(dma_submit(&dma, ops, 5, 0, &taken), 0,
	   "SUBMIT succeeds again when completions were taken");
	is(drain(), 5, "the completions of that SUBMIT are there");

	dma_provider("stall", 1);
	for (n = 0; n < 1024; n++)
		ops[n] = dma_op_copy(dst + n * 8, src, 8, n);
	total = 0;
	do {
		ret = dma_submit(&dma, ops, 1024, 0, &taken);
		total += taken;
	} while (!ret);
	is(ret, -EAGAIN, "SUBMIT is -EAGAIN when too many operations are in flight");
	is(total, dma.info.max_in_flight,
	   "SUBMIT has taken as many operations as INFO allows in flight");
	dma_provider("stall", 0);
	is(dma_wait(&dma, total, 60000000000, &available), 0,
	   "WAIT returns when all of them have completed");
	is(drain(), total, "each of them has a completion in the ring");
}

/* A wrong head loses the program completions, and does no other harm. */
static void wrong_head(void)
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
	is(good, 300, "random values in head and tail make WAIT report no more than the ring has");
	usleep(100000);
	is(dma_copy(&dma, dst, src, PAGE), 0, "COPY succeeds after random values in head and tail");
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

/* Provides a page of zeros to threads that wait for userfaultfd. */
static int zero_page(int uffd, char *page)
{
	struct uffdio_zeropage zero = {.range = {.start = (uintptr_t)page, .len = PAGE}};

	return ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
}

/*
 * One operation is stuck in the hardware, and room in the ring is promised for a second one. A
 * thread that waits for two completions waits; then the second operation is refused, since its
 * result cannot be written.
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
		skip("WAIT beside a SUBMIT that is refused", "no userfaultfd");
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
	   "SUBMIT of a first operation succeeds with hardware that has stopped");
	pthread_create(&submits, NULL, submitter, NULL);
	usleep(200000);
	pthread_create(&waits, NULL, waiter, &took);
	usleep(300000);
	is(zero_page(uffd, slow), 0, "userfaultfd provides the source of a second operation");
	pthread_join(submits, &ret);
	is((int)(intptr_t)ret, -EFAULT,
	   "SUBMIT of the second operation is refused: its result cannot be written");
	pthread_join(waits, &ret);
	is((int)(intptr_t)ret, -EDEADLK,
	   "WAIT of another thread for both operations is -EDEADLK");
	ok(took < 10000000000, "that WAIT returns at once, before its timeout (%.1f s)",
	   (double)took / 1e9);
	dma_provider("stall", 0);
	is(dma_wait(&dma, 1, 5000000000, &taken), 0,
	   "WAIT for the first operation returns when the hardware goes on");
	is(drain(), 1, "the first operation has the only completion");
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
	wrong_head();
	dma_close(&dma);
	ok(dma_all_zero(5), "after the file is closed, the module's counters are zero");
	return done();
}
