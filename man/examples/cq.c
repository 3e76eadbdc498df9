/* SPDX-License-Identifier: MIT */
/*
 * Four threads wait in epoll for whatever happens; the accelerator's completions are one of the
 * things that do. The main thread submits, any thread collects, each operation once.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sva/sva.h>

enum { BLOCKS = 256, BLOCK = 4096, THREADS = 4 };

static char from[BLOCKS][BLOCK], to[BLOCKS][BLOCK];
static struct sva_op ops[BLOCKS];
static struct sva_cq *cq;
static int epoll_fd;
static atomic_int ended, failed;

static void collect(void)
{
	struct sva_op *done[16];
	int n = sva_cq_reap(cq, done, 16);

	/* 0: another thread was woken for the same ones and was faster. */
	for (int i = 0; i < n; i++)
		if (sva_op_result(done[i])->error)
			failed++;
	if (n > 0)
		ended += n;
}

static void *serve(void *arg)
{
	struct epoll_event event;

	while (ended < BLOCKS)
		if (epoll_wait(epoll_fd, &event, 1, 100) == 1 && event.data.ptr == cq)
			collect();
	return arg;
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	pthread_t threads[THREADS];
	int err = sva_cq_open(NULL, 0, &cq), fd = err ? err : sva_cq_fd(cq);

	if (fd < 0) {
		fprintf(stderr, "completion queue: %s\n", strerror(-fd));
		return EXIT_FAILURE;
	}
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	event.data.ptr = cq;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return EXIT_FAILURE;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, serve, NULL))
			return EXIT_FAILURE;
	for (int i = 0; i < BLOCKS; i++) {
		memset(from[i], i, BLOCK);
		sva_prep_memcpy(&ops[i], to[i], from[i], BLOCK);
		while ((err = sva_cq_submit(cq, &ops[i])) == -EAGAIN)
			collect(); /* the device's queue is full */
		if (err) {
			fprintf(stderr, "submit: %s\n", strerror(-err));
			return EXIT_FAILURE;
		}
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	sva_cq_close(cq);
	printf("%d blocks, %d failed, %s\n", ended, failed,
	       memcmp(from, to, sizeof(to)) ? "different" : "equal");
	return EXIT_SUCCESS;
}
