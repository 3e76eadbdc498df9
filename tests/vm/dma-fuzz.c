// SPDX-License-Identifier: MIT
/*
 * Random arguments, through ioctl and io_uring: valid calls with some of their fields replaced by
 * random values, while another thread unmaps the memory and maps it again. Any result will do, but
 * each call must return.
 *
 * 	dma-fuzz [CALLS [SEED]]		(100000, 1)
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"
#include "uring.h"

#define PAGE	4096UL
#define ARENA	(64 * PAGE)
#define MAX_OPS	6

static struct dma dma;
static struct io_uring uring;
static char *arena, *volatile_part, *readonly, *file;
static volatile bool stop;
static long answers[200], done_calls;

union args {
	uint32_t size;
	uint64_t words[64];
	struct sva_dma_info info;
	struct sva_dma_channel channel;
	struct sva_dma_copy_args copy;
	struct sva_dma_fill_args fill;
	struct sva_dma_map_args map;
	struct sva_dma_unmap_args unmap;
	struct sva_dma_sync_args sync;
	struct sva_dma_submit_args submit;
	struct sva_dma_wait_args wait;
};

static uint64_t some_address(uint64_t *seed)
{
	uint64_t off = dma_random(seed) % ARENA;

	switch (dma_random(seed) % 16) {
	case 0:
		return 0;
	case 1:
		return ~0ULL - off;
	case 2:
		return 0xffff888000000000 + off;
	case 3:
		return 0x7ffffffff000 + off % 8192;
	case 4:
		return (uintptr_t)readonly + off % PAGE;
	case 5:
		return (uintptr_t)file + off % (4 * PAGE);
	case 6:
		return (uintptr_t)dma.ring + off % dma.info.ring_bytes;
	case 7:
		return dma_random(seed) | 1ULL << 63;
	case 8:
	case 9:
		return (uintptr_t)volatile_part + off % (8 * PAGE);
	default:
		return (uintptr_t)arena + off;
	}
}

static uint64_t some_number(uint64_t *seed)
{
	static const uint64_t edges[] = {
		0,
		1,
		2,
		7,
		8,
		63,
		64,
		4095,
		4096,
		4097,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		0x100000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0xfffffffffffff000,
		0xffffffffffffffff,
	};

	if (dma_random(seed) % 2)
		return edges[dma_random(seed) % (sizeof(edges) / sizeof(*edges))];
	return dma_random(seed) >> (dma_random(seed) % 64);
}

static uint64_t some_len(uint64_t *seed)
{
	return dma_random(seed) % 8 ? dma_random(seed) % (8 * PAGE) : some_number(seed);
}

static void some_op(struct sva_dma_op *op, uint64_t *seed)
{
	memset(op, 0, sizeof(*op));
	op->opcode = 1 + dma_random(seed) % 2;
	op->dst = some_address(seed);
	op->src = some_address(seed);
	op->len = some_len(seed);
	op->user_data = dma_random(seed);
	if (dma_random(seed) % 3 == 0) {
		op->dst_handle = (uint32_t)(dma_random(seed) % 40);
		op->dst = dma_random(seed) % (4 * PAGE);
	}
	if (op->opcode == SVA_DMA_OP_COPY && dma_random(seed) % 3 == 0) {
		op->src_handle = (uint32_t)(dma_random(seed) % 40);
		op->src = dma_random(seed) % (4 * PAGE);
	}
	if (dma_random(seed) % 16 == 0)
		((uint64_t *)op)[dma_random(seed) % 8] = some_number(seed);
}

/* The array lies in the arena, where other operations may write to it. */
static struct sva_dma_op *some_ops(uint64_t *seed)
{
	struct sva_dma_op *ops =
		(struct sva_dma_op *)(arena + dma_random(seed) % (ARENA / 2) / 8 * 8);
	struct sva_dma_op op;

	for (int i = 0; i < MAX_OPS; i++) {
		some_op(&op, seed);
		memcpy(&ops[i], &op, sizeof(op));
	}
	return ops;
}

/* A call with valid arguments. */
static unsigned int some_call(union args *args, uint64_t *seed)
{
	unsigned int nr = (unsigned int)(dma_random(seed) % 12);

	memset(args, 0, sizeof(*args));
	switch (nr) {
	case 0:
		args->size = sizeof(args->info);
		return SVA_DMA_INFO;
	case 1:
		args->size = sizeof(args->channel);
		args->channel.index = (uint32_t)(dma_random(seed) % 6);
		return SVA_DMA_CHANNEL;
	case 2:
		args->size = sizeof(args->fill);
		args->fill.dst = some_address(seed);
		args->fill.len = some_len(seed);
		args->fill.node = -1;
		return SVA_DMA_FILL;
	case 3:
	case 4:
		args->size = sizeof(args->map);
		args->map.flags = 1 + dma_random(seed) % 3;
		args->map.addr = some_address(seed);
		args->map.len = some_len(seed);
		args->map.node = -1;
		return SVA_DMA_MAP;
	case 5:
		args->size = sizeof(args->unmap);
		args->unmap.handle = (uint32_t)(dma_random(seed) % 40);
		return SVA_DMA_UNMAP;
	case 6:
		args->size = sizeof(args->sync);
		args->sync.flags = 1 + dma_random(seed) % 2;
		args->sync.handle = (uint32_t)(dma_random(seed) % 40);
		args->sync.offset = some_len(seed);
		args->sync.len = some_len(seed);
		return SVA_DMA_SYNC;
	case 7:
	case 8:
		args->size = sizeof(args->submit);
		args->submit.flags = dma_random(seed) % 2;
		args->submit.ops = (uintptr_t)some_ops(seed);
		args->submit.nr = 1 + dma_random(seed) % MAX_OPS;
		args->submit.op_size = sizeof(struct sva_dma_op);
		args->submit.node = -1;
		return SVA_DMA_SUBMIT;
	case 9:
		args->size = sizeof(args->wait);
		args->wait.timeout_ns = (int64_t)(dma_random(seed) % 100000);
		args->wait.min = 1;
		return SVA_DMA_WAIT;
	default:
		args->size = sizeof(args->copy);
		args->copy.dst = some_address(seed);
		args->copy.src = some_address(seed);
		args->copy.len = some_len(seed);
		args->copy.node = -1;
		return SVA_DMA_COPY;
	}
}

static void count(int answer)
{
	if (answer <= 0 && answer > -200)
		__atomic_add_fetch(&answers[-answer], 1, __ATOMIC_RELAXED);
}

static void call(uint64_t *seed)
{
	static const uint32_t sizes[] = {0,   4,   15,	 16,   40,	   56,	      80,
					 200, 511, 4096, 4097, 0x80000000, 0xffffffff};
	union args args;
	unsigned int nr = some_call(&args, seed);
	void *where = &args;

	if (dma_random(seed) % 3 == 0)
		args.words[dma_random(seed) % 8] =
			dma_random(seed) % 2 ? some_number(seed) : some_address(seed);
	if (dma_random(seed) % 12 == 0)
		args.size = sizes[dma_random(seed) % (sizeof(sizes) / sizeof(*sizes))];
	if (dma_random(seed) % 40 == 0)
		nr = (unsigned int)some_number(seed);
	/* Without a timeout it would wait forever. */
	if (nr == SVA_DMA_WAIT && (args.wait.timeout_ns < 0 || args.wait.timeout_ns > 1000000))
		args.wait.timeout_ns = 1000;
	/* Where other operations can write to it. */
	if (dma_random(seed) % 8 == 0) {
		where = (void *)(uintptr_t)some_address(seed);
		if ((char *)where >= arena && (char *)where < arena + ARENA - sizeof(args))
			memcpy(where, &args, sizeof(args));
		else if (nr == SVA_DMA_WAIT)
			return;
	}
	/* Ioctls of terminals and files are not the module's. */
	if ((nr >> 8 & 0xff) != SVA_DMA_IOC)
		nr = _IO(SVA_DMA_IOC, nr & 0xff);
	count(ioctl(dma.fd, nr, where) ? -errno : 0);
}

static void call_uring(uint64_t *seed)
{
	struct sva_dma_op *op = some_ops(seed);
	struct io_uring_sqe *sqe = io_uring_get_sqe(&uring);
	struct io_uring_cqe *cqe;
	uint64_t word;

	if (sqe) {
		uring_prep(sqe, dma.fd, op, 1);
		if (dma_random(seed) % 8 == 0) {
			word = dma_random(seed) % 2 ? some_number(seed) : some_address(seed);
			memcpy(sqe->cmd + 8 * (dma_random(seed) % 2), &word, sizeof(word));
		}
		if (dma_random(seed) % 20 == 0)
			sqe->cmd_op = (uint32_t)some_number(seed);
		if (dma_random(seed) % 8 == 0)
			sqe->flags |= IOSQE_ASYNC;
	}
	io_uring_submit(&uring);
	while (!io_uring_peek_cqe(&uring, &cqe)) {
		count(cqe->res);
		io_uring_cqe_seen(&uring, cqe);
	}
}

/* Unmaps pages and maps them again, writes to the ring, sometimes takes completions. */
static void *mischief(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	struct sva_dma_cqe cqe;

	while (!stop) {
		mmap(volatile_part, 8 * PAGE, PROT_READ | (dma_random(&seed) % 4 ? PROT_WRITE : 0),
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (dma_random(&seed) % 2)
			madvise(arena, ARENA, dma_random(&seed) % 2 ? MADV_DONTNEED : MADV_COLD);
		munmap(volatile_part + 2 * PAGE, PAGE);
		if (dma_random(&seed) % 16 == 0)
			dma.ring->head = (uint32_t)dma_random(&seed);
		while (dma_reap(&dma, &cqe) && dma_random(&seed) % 64)
			;
		usleep(2000);
	}
	return NULL;
}

static void *fuzz(void *arg)
{
	uint64_t seed = (uintptr_t)arg;

	while (!stop) {
		call(&seed);
		__atomic_add_fetch(&done_calls, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void print_results(void)
{
	printf("# answers:");
	for (int i = 0; i < 200; i++)
		if (answers[i])
			printf(" %ld %s;", answers[i], i ? strerror(i) : "ok");
	printf("\n");
}

/* A mapping with nothing beside it: writes beyond its end must not hit this program. */
static void *map_guarded(size_t len, int fd)
{
	void *at = mmap(dma_alloc(len), len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);

	if (at == MAP_FAILED)
		dma_die("mmap");
	return at;
}

static void nothing(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 100000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	struct itimerval often = {.it_interval = {.tv_usec = 100000},
				  .it_value = {.tv_usec = 100000}};
	struct sigaction action = { .sa_handler = nothing };
	pthread_t ids[2];
	int fd = memfd_create("cut", 0);

	printf("# %ld calls, seed %llu\n", calls, (unsigned long long)seed);
	dma_open(&dma);
	dma.ring = map_guarded(dma.info.ring_bytes, dma.fd);
	arena = dma_alloc(ARENA);
	volatile_part = dma_alloc(8 * PAGE);
	readonly = dma_alloc(PAGE);
	mprotect(readonly, PAGE, PROT_READ);
	if (fd < 0 || ftruncate(fd, 2 * PAGE))
		dma_die("memfd");
	file = map_guarded(4 * PAGE, fd);
	if (io_uring_queue_init(64, &uring, 0))
		dma_die("setup");
	/* A signal interrupts calls that wait. */
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	if (pthread_create(&ids[0], NULL, mischief, (void *)(seed + 1)) ||
	    pthread_create(&ids[1], NULL, fuzz, (void *)(seed + 2)))
		dma_die("pthread_create");
	while (__atomic_load_n(&done_calls, __ATOMIC_RELAXED) < calls) {
		if (dma_random(&seed) % 8 == 0)
			call_uring(&seed);
		else
			call(&seed);
		__atomic_add_fetch(&done_calls, 1, __ATOMIC_RELAXED);
	}
	stop = true;
	pthread_join(ids[0], NULL);
	pthread_join(ids[1], NULL);
	print_results();
	ok(done_calls >= calls, "%ld calls with random arguments were made", done_calls);
	ok(answers[0] > calls / 20, "at least some of the random calls succeeded (%ld)",
	   answers[0]);
	ok(answers[EFAULT] && answers[EINVAL] && answers[E2BIG] && answers[EBADF],
	   "the other random calls failed with many different errors");
	io_uring_queue_exit(&uring);
	dma_close(&dma);
	ok(dma_all_zero(10), "after the files are closed, the module's counters are zero");
	return done();
}
