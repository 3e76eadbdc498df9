/* SPDX-License-Identifier: MIT */
/*
 * A load for completion queues: threads that submit copies to one, and threads that collect them,
 * by sva_cq_reap(), sva_cq_wait() or epoll, on whatever paths SVA_PATHS permits. Each copy is
 * compared when it is collected, and must be collected once. Prints what was done, and ends with 0
 * if all of it was right. t-run-cq-load.sh runs it on soft and on emulated devices.
 *
 *	cq-load [--operations N] [--submitters N] [--collectors N] [--epoll] [--window N]
 *		[--queues N] [--batch N] [--pages] [--losses] [--twice]
 *
 * --pages drops the pages of a destination before each copy, --losses permits -EIO and -ENODEV,
 * --twice is a control: it reports one operation a second time, which must be noticed.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sva/sva.h"

#define BYTES     3000u
#define ROOM      4096u /* of an operation's buffer */
#define MOST_CQS  8u
#define AT_ONCE   16u

/* One operation, with its buffers: owned by a submitter, or by the thread that collects it. */
struct item {
	struct sva_op op;
	struct item *next;    /* in its submitter's list of free ones */
	struct submitter *of;
	uint8_t *from, *to;
	atomic_uint in_flight; /* 1 from before it is submitted until it is collected */
	unsigned int round;
};

struct submitter {
	pthread_t thread;
	pthread_mutex_t lock;
	struct item *free, *items;
	uint8_t *memory;
	unsigned long quota;
};

static struct {
	unsigned long operations;
	unsigned int submitters, collectors, window, queues, batch;
	bool epoll, pages, losses, twice;
} opt = { 20000, 4, 4, 16, 1, 1, false, false, false, false };

static struct sva_cq *cqs[MOST_CQS];
static struct submitter *submitters;
static atomic_ulong collected, wrong, lost, doubled, full, faults;
static atomic_bool refused;

/* ------------------------------------------------------------------ collecting */

static void judge(struct item *item)
{
	const struct sva_result *result = sva_op_result(&item->op);
	size_t len = item->op.length;

	atomic_fetch_add_explicit(&faults, result->faults, memory_order_relaxed);
	if (!result->error) {
		if (memcmp(item->from, item->to, len))
			atomic_fetch_add(&wrong, 1);
	} else if (opt.losses && (result->error == -EIO || result->error == -ENODEV)) {
		atomic_fetch_add(&lost, 1);
	} else {
		fprintf(stderr, "cq-load: %s\n", strerror(-result->error));
		atomic_fetch_add(&wrong, 1);
	}
}

static void return_item(struct item *item)
{
	struct submitter *s = item->of;

	atomic_fetch_add(&collected, 1);
	pthread_mutex_lock(&s->lock);
	item->next = s->free;
	s->free = item;
	pthread_mutex_unlock(&s->lock);
}

static void take_back(struct sva_op *op)
{
	struct item *item = (struct item *)(void *)op;

	if (atomic_exchange(&item->in_flight, 0) != 1) {
		atomic_fetch_add(&doubled, 1);
		return;
	}
	judge(item);
	return_item(item);
}

static bool is_over(void)
{
	return atomic_load(&collected) >= opt.operations || atomic_load(&refused);
}

/* Returns how many were collected. */
static int collect(struct sva_cq *cq, bool sleep)
{
	struct sva_op *done[AT_ONCE];
	int n = sleep ? sva_cq_wait(cq, done, AT_ONCE, 10000000) : sva_cq_reap(cq, done, AT_ONCE);

	for (int i = 0; i < n; i++)
		take_back(done[i]);
	if (n > 0 && opt.twice && atomic_load(&collected) > opt.operations / 2) {
		opt.twice = false;
		take_back(done[0]);
	}
	if (n < 0 && n != -ETIME) {
		fprintf(stderr, "cq-load: collecting: %s\n", strerror(-n));
		atomic_store(&refused, true);
	}
	return n;
}

static int epoll_fd;

static void *collect_by_epoll(void *arg)
{
	struct epoll_event event;

	while (!is_over())
		if (epoll_wait(epoll_fd, &event, 1, 20) == 1)
			(void)collect(event.data.ptr, false);
	return arg;
}

static void *collect_by_waiting(void *arg)
{
	unsigned int number = (unsigned int)(uintptr_t)arg;

	while (!is_over())
		if (!collect(cqs[number % opt.queues], number / opt.queues % 2 == 0))
			usleep(100);
	return NULL;
}

/* ------------------------------------------------------------------ submitting */

static struct item *take_item(struct submitter *s)
{
	struct item *item;

	pthread_mutex_lock(&s->lock);
	item = s->free;
	if (item)
		s->free = item->next;
	pthread_mutex_unlock(&s->lock);
	return item;
}

static void prepare(struct item *item)
{
	size_t len = 1 + (item->round * 977u) % BYTES;

	if (opt.pages)
		madvise(item->to, ROOM, MADV_DONTNEED);
	else
		memset(item->to, (int)~item->round, len);
	memset(item->from, (int)item->round, len);
	item->from[len / 2] = (uint8_t)(item->round >> 8);
	item->round++;
	sva_prep_memcpy(&item->op, item->to, item->from, len);
	atomic_store(&item->in_flight, 1);
}

static void *submit_all(void *arg)
{
	struct submitter *s = arg;
	struct sva_op *ops[AT_ONCE];
	unsigned int have = 0;
	unsigned long left = s->quota;

	while (left && !atomic_load(&refused)) {
		struct sva_cq *cq = cqs[left % opt.queues];
		int n;

		while (have < opt.batch && have < left) {
			struct item *item = take_item(s);

			if (!item)
				break;
			prepare(item);
			ops[have++] = &item->op;
		}
		if (!have) {
			sched_yield();
			continue;
		}
		n = have == 1 ? sva_cq_submit(cq, ops[0]) : sva_cq_submit_many(cq, ops, have);
		if (!n && have == 1)
			n = 1;
		if (n == -EAGAIN) {
			atomic_fetch_add(&full, 1);
			sched_yield();
			continue;
		}
		if (n < 0 && opt.losses && (n == -ENODEV || n == -EIO)) {
			/* What is refused is not in flight. */
			atomic_fetch_add(&lost, 1);
			return_item((struct item *)(void *)ops[0]);
			memmove(ops, ops + 1, --have * sizeof(ops[0]));
			left--;
			continue;
		}
		if (n <= 0) {
			fprintf(stderr, "cq-load: submitting: %s\n", strerror(-n));
			atomic_store(&refused, true);
			break;
		}
		left -= (unsigned int)n;
		have -= (unsigned int)n;
		memmove(ops, ops + n, have * sizeof(ops[0]));
	}
	return NULL;
}

/* ------------------------------------------------------------------ set-up */

static void make_items(struct submitter *s)
{
	void *memory;

	pthread_mutex_init(&s->lock, NULL);
	if (posix_memalign(&memory, 64, opt.window * sizeof(*s->items)))
		exit(2);
	memset(memory, 0, opt.window * sizeof(*s->items));
	s->items = memory;
	s->memory = mmap(NULL, 2ul * ROOM * opt.window, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->memory == MAP_FAILED)
		exit(2);
	for (unsigned int i = 0; i < opt.window; i++) {
		s->items[i].of = s;
		s->items[i].from = s->memory + 2ul * ROOM * i;
		s->items[i].to = s->items[i].from + ROOM;
		s->items[i].round = i * 131u;
		s->items[i].next = s->free;
		s->free = &s->items[i];
	}
}

static void open_queues(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	epoll_fd = opt.epoll ? epoll_create1(EPOLL_CLOEXEC) : -1;
	for (unsigned int i = 0; i < opt.queues; i++) {
		int err = sva_cq_open(NULL, 0, &cqs[i]), fd;

		if (!err && opt.epoll) {
			fd = sva_cq_fd(cqs[i]);
			event.data.ptr = cqs[i];
			err = fd < 0 ? fd : 0;
			if (!err && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
				err = -errno;
		}
		if (err) {
			fprintf(stderr, "cq-load: completion queue: %s\n", strerror(-err));
			exit(2);
		}
	}
}

static bool read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "operations", required_argument, NULL, 'o' },
		{ "submitters", required_argument, NULL, 's' },
		{ "collectors", required_argument, NULL, 'c' },
		{ "window", required_argument, NULL, 'w' },
		{ "queues", required_argument, NULL, 'q' },
		{ "batch", required_argument, NULL, 'b' },
		{ "epoll", no_argument, NULL, 'e' },
		{ "pages", no_argument, NULL, 'p' },
		{ "losses", no_argument, NULL, 'l' },
		{ "twice", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned long value = optarg ? strtoul(optarg, NULL, 0) : 0;

		switch (option) {
		case 'o': opt.operations = value; break;
		case 's': opt.submitters = (unsigned int)value; break;
		case 'c': opt.collectors = (unsigned int)value; break;
		case 'w': opt.window = (unsigned int)value; break;
		case 'q': opt.queues = (unsigned int)value; break;
		case 'b': opt.batch = (unsigned int)value; break;
		case 'e': opt.epoll = true; break;
		case 'p': opt.pages = true; break;
		case 'l': opt.losses = true; break;
		case 't': opt.twice = true; break;
		default: return false;
		}
	}
	return opt.submitters && opt.collectors && opt.window && opt.queues &&
	       opt.queues <= MOST_CQS && opt.batch && opt.batch <= AT_ONCE;
}

int main(int argc, char **argv)
{
	pthread_t *collectors;
	unsigned long each;

	if (!read_options(argc, argv)) {
		fprintf(stderr, "cq-load: see the comment in cq-load.c\n");
		return 2;
	}
	each = opt.operations / opt.submitters;
	opt.operations = each * opt.submitters;
	submitters = calloc(opt.submitters, sizeof(*submitters));
	collectors = calloc(opt.collectors, sizeof(*collectors));
	if (!submitters || !collectors)
		return 2;
	open_queues();
	for (unsigned int i = 0; i < opt.submitters; i++) {
		submitters[i].quota = each;
		make_items(&submitters[i]);
		if (pthread_create(&submitters[i].thread, NULL, submit_all, &submitters[i]))
			return 2;
	}
	for (unsigned int i = 0; i < opt.collectors; i++)
		if (pthread_create(&collectors[i], NULL,
				   opt.epoll ? collect_by_epoll : collect_by_waiting,
				   (void *)(uintptr_t)i))
			return 2;
	for (unsigned int i = 0; i < opt.submitters; i++)
		pthread_join(submitters[i].thread, NULL);
	for (unsigned int i = 0; i < opt.collectors; i++)
		pthread_join(collectors[i], NULL);
	for (unsigned int i = 0; i < opt.queues; i++)
		sva_cq_close(cqs[i]);
	for (unsigned int i = 0; i < opt.submitters; i++) {
		free(submitters[i].items);
		munmap(submitters[i].memory, 2ul * ROOM * opt.window);
	}
	free(submitters);
	free(collectors);
	printf("collected=%lu wrong=%lu doubled=%lu lost=%lu full=%lu faults=%lu\n", collected,
	       wrong, doubled, lost, full, faults);
	return collected == opt.operations && !wrong && !doubled && !refused ? 0 : 1;
}
