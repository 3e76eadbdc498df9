// SPDX-License-Identifier: MIT
/* Operations through io_uring: all kinds of rings, errors, and rings that go away too early. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"
#include "uring.h"

#define PAGE 4096UL
#define COUNT 48

static struct dma dma;
static char *src, *dst;
static uint32_t src_handle, dst_handle;

static void make_ops(struct sva_dma_op *ops, bool handles)
{
	for (unsigned int i = 0; i < COUNT; i++) {
		ops[i] = dma_op_copy(dst + i * PAGE, src + i * PAGE, PAGE - i, 0);
		if (handles) {
			ops[i].dst_handle = dst_handle;
			ops[i].src_handle = src_handle;
			ops[i].dst = ops[i].src = i * PAGE;
		}
	}
}

static bool copied(void)
{
	for (unsigned int i = 0; i < COUNT; i++)
		if (memcmp(dst + i * PAGE, src + i * PAGE, PAGE - i))
			return false;
	return true;
}

/* Runs COUNT operations on a ring with these flags; returns how many succeeded. */
static int run_ring(unsigned int flags, bool handles)
{
	struct io_uring_params params = { .flags = flags };
	struct sva_dma_op ops[COUNT];
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int good = 0, ret;

	params.sq_thread_idle = 100;
	ret = io_uring_queue_init_params(COUNT, &ring, &params);
	if (ret)
		return ret;
	memset(dst, 0, COUNT * PAGE);
	make_ops(ops, handles);
	for (unsigned int i = 0; i < COUNT; i++) {
		sqe = io_uring_get_sqe(&ring);
		uring_prep(sqe, dma.fd, &ops[i], i);
	}
	ret = io_uring_submit(&ring);
	for (unsigned int i = 0; i < COUNT && ret >= 0; i++) {
		ret = io_uring_wait_cqe(&ring, &cqe);
		if (ret)
			break;
		if (cqe->res)
			printf("# operation %llu: %d\n", (unsigned long long)cqe->user_data,
			       cqe->res);
		good += !cqe->res;
		io_uring_cqe_seen(&ring, cqe);
	}
	io_uring_queue_exit(&ring);
	return copied() ? good : -1;
}

static void rings(void)
{
	static const struct { unsigned int flags; const char *name;
	} kinds[] = {
		{0, "an ordinary ring"},
		{IORING_SETUP_IOPOLL, "a ring that polls"},
		{IORING_SETUP_SQPOLL, "a ring with a submission thread"},
		{IORING_SETUP_SQPOLL | IORING_SETUP_IOPOLL, "a ring with a thread that polls"},
		{IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		 "a ring that defers its work"},
		{IORING_SETUP_COOP_TASKRUN, "a cooperative ring"},
		{IORING_SETUP_SQE128 | IORING_SETUP_CQE32, "a ring of large entries"},
	};
	int ret;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		for (int handles = 0; handles < 2; handles++) {
			ret = run_ring(kinds[i].flags, handles);
			if (ret == -EINVAL)
				skip(kinds[i].name, "this kernel has no such rings");
			else
				ok(ret == COUNT, "%s, %s: all copies complete and are right (%d)",
				   kinds[i].name, handles ? "handles" : "addresses", ret);
		}
	}
}

/* Submits one operation, changed by @edit, and returns its result. */
static int one(struct sva_dma_op *op, void (*edit)(struct io_uring_sqe *sqe))
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int res;

	if (io_uring_queue_init(4, &ring, 0))
		dma_die("io_uring");
	sqe = io_uring_get_sqe(&ring);
	uring_prep(sqe, dma.fd, op, 0);
	if (edit)
		edit(sqe);
	io_uring_submit(&ring);
	if (io_uring_wait_cqe(&ring, &cqe))
		dma_die("io_uring_wait_cqe");
	res = cqe->res;
	io_uring_queue_exit(&ring);
	return res;
}

static void other_command(struct io_uring_sqe *sqe)
{
	sqe->cmd_op = SVA_DMA_COPY;
}

static void bad_address(struct io_uring_sqe *sqe)
{
	uint64_t address = 0xffff888000000000;

	memcpy(sqe->cmd, &address, sizeof(address));
}

static void bad_size(struct io_uring_sqe *sqe)
{
	uint32_t size = 5;

	memcpy(sqe->cmd + 8, &size, sizeof(size));
}

static void bad_node(struct io_uring_sqe *sqe)
{
	int32_t node = -77;

	memcpy(sqe->cmd + 12, &node, sizeof(node));
}

static void errors(void)
{
	struct sva_dma_op op = dma_op_copy(dst, src, PAGE, 0);

	is(one(&op, NULL), 0, "a copy as a command succeeds");
	ok(one(&op, other_command) < 0, "an unknown command is refused");
	is(one(&op, bad_address), -EFAULT,
	   "a command with an operation at a kernel address is -EFAULT");
	is(one(&op, bad_size), -EINVAL, "a command with an operation that is too small is -EINVAL");
	is(one(&op, bad_node), -EINVAL, "a command with the node -77 is -EINVAL");
	op.dst = 0;
	is(one(&op, NULL), -EFAULT, "a copy to a null pointer is -EFAULT");
	op = dma_op_copy(dst, src, 0, 0);
	is(one(&op, NULL), 0, "a copy of no bytes succeeds");
	op = dma_op_copy(dst, dst + 1, PAGE, 0);
	is(one(&op, NULL), -EOPNOTSUPP, "a copy that overlaps is -EOPNOTSUPP");
	op = dma_op_copy(dst, src, PAGE, 0);
	op.dst_handle = 99;
	is(one(&op, NULL), -EBADF, "a copy to an unknown handle is -EBADF");
	dma_provider("error_every", 1);
	op = dma_op_copy(dst, src, PAGE, 0);
	is(one(&op, NULL), -EIO, "an error of the hardware is -EIO");
	dma_provider("error_every", 0);
}

/* How many descriptors the provider has worked on. */
static long descriptors(void)
{
	char path[64];
	long sum = 0, n;
	FILE *file;

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/swdma/swdma.engine.%d/stats", i);
		file = fopen(path, "r");
		while (file && fscanf(file, "%*s %*d %ld %*d %*d", &n) == 1)
			sum += n;
		if (file)
			fclose(file);
	}
	return sum;
}

/* Kills a process that has submitted far more than the hardware takes at a time. */
static void goes_away(bool handles)
{
	static struct sva_dma_op ops[COUNT];
	struct io_uring ring;
	long before, after;
	int pipe_fd[2], status;
	char byte;
	pid_t pid;

	dma_provider("stall", 1);
	before = descriptors();
	if (pipe(pipe_fd))
		dma_die("pipe");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dma_open(&dma);
		if (dma_map(&dma, src, COUNT * PAGE, SVA_DMA_MAP_READ, &src_handle) ||
		    dma_map(&dma, dst, COUNT * PAGE, SVA_DMA_MAP_WRITE, &dst_handle) ||
		    io_uring_queue_init(512, &ring, 0))
			dma_die("setup");
		make_ops(ops, handles);
		for (unsigned int i = 0; i < 480; i++)
			uring_prep(io_uring_get_sqe(&ring), dma.fd, &ops[i % COUNT], i);
		status = io_uring_submit(&ring);
		if (write(pipe_fd[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(pipe_fd[0], &byte, 1) != 1)
		dma_die("read");
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	usleep(200000);
	kill(pid, SIGKILL);
	usleep(300000);
	dma_provider("stall", 0);
	waitpid(pid, &status, 0);
	usleep(100000);
	after = descriptors();
	if (dma.info.features & SVA_DMA_FEATURE_CANCEL)
		ok(after - before < 400,
		   "commands without a descriptor end with their ring (%ld of 480 ran, %s)",
		   after - before, handles ? "handles" : "addresses");
	else
		skip("commands without a descriptor are cancelled with their ring",
		     "this kernel's io_uring cannot cancel commands");
}

int main(void)
{
	dma_open(&dma);
	if (!(dma.info.features & SVA_DMA_FEATURE_URING))
		skip_all("this kernel has no io_uring");
	src = dma_alloc(COUNT * PAGE);
	dst = dma_alloc(COUNT * PAGE);
	for (size_t i = 0; i < COUNT * PAGE; i++)
		src[i] = (char)(i * 31 + i / PAGE);
	if (dma_map(&dma, src, COUNT * PAGE, SVA_DMA_MAP_READ, &src_handle) ||
	    dma_map(&dma, dst, COUNT * PAGE, SVA_DMA_MAP_WRITE, &dst_handle))
		dma_die("MAP");
	rings();
	errors();
	goes_away(true);
	goes_away(false);
	dma_close(&dma);
	ok(dma_all_zero(10), "after the files are closed, the module's counters are zero");
	return done();
}
