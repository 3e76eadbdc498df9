// SPDX-License-Identifier: MIT
/*
 * The library's mapped buffers on the real module: synchronous, asynchronous, many at a time, in a
 * batch, and on io_uring rings of the program.
 */
#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <sva/sva.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define COUNT 64u
#define SIZE (1u << 20)

static struct sva *sva;
static unsigned char *src, *dst, *want;
static struct sva_dma_buf *from, *to;
static struct sva_op *ops;
static uint64_t seed = 20261125;

/*
 * Prepares COUNT operations on parts of dst that do not overlap, with any alignment; want gets the
 * bytes that dst must have afterwards.
 */
static void prepare(void)
{
	dma_scramble(src, SIZE, &seed);
	dma_scramble(dst, SIZE, &seed);
	memcpy(want, dst, SIZE);
	for (unsigned int i = 0; i < COUNT; i++) {
		size_t room = SIZE / COUNT, at = dma_random(&seed) % (room / 2),
		       len = dma_random(&seed) % (room / 2) + 1;
		size_t doff = i * room + at, soff = dma_random(&seed) % (SIZE - len);
		uint64_t pattern = dma_random(&seed);

		if (i % 4 == 3) {
			sva_prep_dma_fill(&ops[i], to, doff, pattern, len);
			for (size_t k = 0; k < len; k++)
				want[doff + k] = (unsigned char)(pattern >> k % 8 * 8);
		} else {
			sva_prep_dma_copy(&ops[i], to, doff, from, soff, len);
			memcpy(want + doff, src + soff, len);
		}
	}
}

static bool right(void)
{
	for (unsigned int i = 0; i < COUNT; i++)
		if (sva_op_result(&ops[i])->path != SVA_PATH_DMA ||
		    sva_op_result(&ops[i])->bytes != ops[i].length)
			return false;
	return !memcmp(dst, want, SIZE);
}

static void by_the_library(void)
{
	struct sva_op *list[COUNT], batch __attribute__((aligned(64)));
	unsigned int taken = 0;
	int err = 0, n;

	for (unsigned int i = 0; i < COUNT; i++)
		list[i] = &ops[i];
	prepare();
	for (unsigned int i = 0; i < COUNT; i++)
		err |= sva_run(sva, &ops[i]);
	ok(!err && right(), "operations that are run one after the other take dma and are right");
	prepare();
	for (unsigned int i = 0; i < COUNT; i++)
		err |= sva_submit(sva, &ops[i]);
	for (unsigned int i = COUNT; i-- > 0;)
		err |= sva_wait(&ops[i], -1);
	ok(!err && right(), "operations that are in flight together take dma and are right");
	prepare();
	while (taken < COUNT) {
		n = sva_submit_many(sva, list + taken, COUNT - taken);
		if (n < 0 && n != -EAGAIN)
			break;
		taken += n > 0 ? (unsigned int)n : 0;
	}
	for (unsigned int i = 0; i < taken; i++)
		err |= sva_wait(&ops[i], -1);
	ok(taken == COUNT && !err && right(),
	   "operations that are submitted in one call take dma and are right");
	prepare();
	sva_prep_batch(&batch, list, COUNT);
	err = sva_run(sva, &batch);
	ok(!err && right(), "operations in a batch take dma and are right");
	ok(!sva_dma_copy(sva, to, 100, to, 50, 1000) && sva_last_result()->path != SVA_PATH_DMA,
	   "a copy that overlaps takes another path, which the result names");
}

/* Runs the operations on a ring with these flags; 0 or an error. */
static int run_ring(unsigned int flags)
{
	struct io_uring_params params = { .flags = flags, .sq_thread_idle = 100 };
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	unsigned int ended = 0;
	int err = 0, ret;

	ret = io_uring_queue_init_params(COUNT, &ring, &params);
	if (ret)
		return ret;
	prepare();
	for (unsigned int i = 0; i < COUNT && !err; i++)
		err = sva_dma_uring_prep(&ops[i], io_uring_get_sqe(&ring));
	if (!err && sva_dma_unmap(from) != -EBUSY)
		err = -EBADE;
	ret = io_uring_submit(&ring);
	for (; ended < COUNT && ret >= 0; ended++) {
		ret = io_uring_wait_cqe(&ring, &cqe);
		if (ret)
			break;
		ret = sva_dma_uring_done(io_uring_cqe_get_data(cqe), cqe->res);
		err = err ? err : ret;
		io_uring_cqe_seen(&ring, cqe);
	}
	io_uring_queue_exit(&ring);
	if (ret < 0)
		return ret;
	return err ? err : right() ? 0 : -EBADMSG;
}

static void on_rings(void)
{
	static const struct { unsigned int flags; const char *name;
	} kinds[] = {
		{0, "io_uring: operations on an ordinary ring are right"},
		{IORING_SETUP_IOPOLL, "io_uring: operations on a ring that polls are right"},
		{IORING_SETUP_SQPOLL,
		 "io_uring: operations on a ring with a submission thread are right"},
		{IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		 "io_uring: operations on a ring that defers its work are right"},
		{IORING_SETUP_SQE128 | IORING_SETUP_CQE32,
		 "io_uring: operations on a ring of large entries are right"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		is(run_ring(kinds[i].flags), 0, kinds[i].name);
}

/* Runs one operation on a ring and returns the library's result. */
static int one(struct sva_op *op)
{
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int err;

	if (io_uring_queue_init(4, &ring, 0))
		dma_die("io_uring");
	err = sva_dma_uring_prep(op, io_uring_get_sqe(&ring));
	if (!err) {
		io_uring_submit(&ring);
		if (io_uring_wait_cqe(&ring, &cqe))
			dma_die("io_uring_wait_cqe");
		err = sva_dma_uring_done(op, cqe->res);
	}
	io_uring_queue_exit(&ring);
	return err;
}

static void errors(void)
{
	struct io_uring_sqe sqe;
	int status;
	pid_t pid;

	sva_prep_dma_copy(&ops[0], to, 0, from, SIZE, 1);
	is(one(&ops[0]), -EINVAL, "io_uring: an operation beyond the end of a buffer is -EINVAL");
	sva_prep_dma_copy(&ops[0], to, 0, to, 1, 100);
	is(one(&ops[0]), -EOPNOTSUPP, "io_uring: a copy that overlaps is -EOPNOTSUPP");
	is(sva_run(sva, &ops[0]), 0, "sva_run: a copy that overlaps succeeds");
	dma_provider("error_every", 1);
	sva_prep_dma_copy(&ops[0], to, 0, from, 0, 4096);
	is(one(&ops[0]), -EIO, "io_uring: an error of the hardware is -EIO");
	is(sva_op_result(&ops[0])->path, SVA_PATH_DMA,
	   "io_uring: the result of a failed operation names the path dma");
	dma_provider("error_every", 0);
	sva_prep_dma_copy(&ops[0], to, 0, from, 0, 0);
	is(one(&ops[0]), 0, "io_uring: a copy of no bytes succeeds");
	sva_prep_dma_copy(&ops[0], to, 0, from, 0, 4096);
	is(sva_dma_uring_prep(&ops[0], &sqe), 0,
	   "an operation is prepared for a ring and not submitted");
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(sva_dma_uring_done(&ops[0], 0) != -ESTALE ||
		      sva_dma_uring_prep(&ops[1], &sqe) >= 0);
	waitpid(pid, &status, 0);
	is(status, 0, "a forked child gets -ESTALE for its parent's operation");
	is(sva_dma_uring_done(&ops[0], -ECANCELED), -ECANCELED,
	   "the operation that was not submitted can end with -ECANCELED");
}

int main(void)
{
	struct dma dma;
	bool uring;

	dma_open(&dma);
	uring = dma.info.features & SVA_DMA_FEATURE_URING;
	dma_close(&dma);
	src = dma_alloc(SIZE);
	dst = dma_alloc(SIZE);
	want = malloc(SIZE);
	ops = aligned_alloc(64, COUNT * sizeof(*ops));
	if (!want || !ops || sva_open(&sva, NULL) ||
	    sva_dma_map(sva, src, SIZE, SVA_DMA_SOURCE, &from) ||
	    sva_dma_map(sva, dst, SIZE, 0, &to))
		dma_die("setup");
	is(sva_dma_is_mapped(to), 1, "sva_dma_map() maps the buffers for a device");
	by_the_library();
	if (uring) {
		on_rings();
		errors();
	} else {
		skip("operations in io_uring", "this kernel has no io_uring");
	}
	is(sva_dma_unmap(from), 0, "after all operations the source can be unmapped");
	is(sva_dma_unmap(to), 0, "after all operations the destination can be unmapped");
	sva_close(sva);
	ok(dma_all_zero(10), "after sva_close() the module's counters are zero");
	return done();
}
