/* SPDX-License-Identifier: MIT */
/*
 * Mapped buffers (sva_dma_map() and its family) and operations on them, with the sva_dma module
 * played by the test (module.h) and without it: calls, batches, refusals, io_uring.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <unistd.h>

#include "sva/dma.h"
#include "tap.h"
#include "unit/module.h"
#include "unit/words.h"

static void test_mapped(void)
{
	struct sva_dma_buf *a = NULL, *b = NULL, *small = NULL;
	struct sva_op op;
	struct sva *sva;

	module_reset();
	sva = module_open("dma,cpu");
	subject("with the module");
	is_rc(sva_dma_map(sva, from, sizeof(from), SVA_DMA_SOURCE, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), SVA_DMA_DESTINATION, &b), 0, "map a destination");
	is(sva_dma_is_mapped(a), 1, "the source is mapped for a device");
	is(module.maps, 2, "the module has two mappings");
	is_rc(sva_dma_copy(sva, b, 10, a, 500000, 400000), 0, "a copy by handle");
	ok(!memcmp(to + 10, from + 500000, 400000), "its bytes are right");
	is_path(sva_last_result()->path, SVA_PATH_DMA, "the call's result has the path");
	is_rc(sva_dma_sync(b, 0, 100, SVA_DMA_FOR_CPU), 0, "sync for the CPU");
	is(module.syncs, 1, "the module has got one sync");
	is_rc(sva_dma_sync(b, sizeof(to), 1, SVA_DMA_FOR_CPU), -EINVAL,
	      "sync beyond the end of the buffer");
	is_rc(sva_dma_sync(b, 0, 1, 3), -EINVAL, "sync in two directions");
	is_rc(sva_dma_copy(sva, a, 0, b, 0, 10), -EINVAL,
	      "a copy against the direction of a mapping");
	is_rc(sva_dma_copy(sva, b, 0, a, sizeof(from) - 5, 10), -EINVAL,
	   "a copy beyond the end of a buffer");
	is_rc(sva_dma_fill(sva, b, 3, 0x0101010101010101, 77), 0, "a fill by handle");
	ok(to[3] == 1 && to[79] == 1, "the bytes of the fill are right");
	module.hold = true;
	sva_prep_dma_copy(&op, b, 0, a, 0, 1000);
	is_rc(sva_submit(sva, &op), 0, "submit a copy by handle");
	is_rc(sva_dma_unmap(b), -EBUSY, "unmap a buffer that is in use");
	is_rc(sva_wait(&op, -1), 0, "wait for the copy");
	module.hold = false;
	is_rc(sva_dma_unmap(a), 0, "unmap the source");
	is_rc(sva_dma_unmap(b), 0, "unmap the destination");
	is(module.unmaps, 2, "the module has removed two mappings");
	is_rc(sva_dma_map(sva, NULL, 10, 0, &small), -EFAULT, "map a buffer at null");
	is_rc(sva_dma_map(sva, from, 0, 0, &small), -EINVAL, "map a buffer of no bytes");
	is_rc(sva_dma_map(sva, from, 10, 8, &small), -EINVAL, "map with unknown flags");
	is_rc(sva_dma_unmap(NULL), 0, "unmap without a buffer");
	sva_close(sva);

	/* The same program without the module. */
	module_reset();
	module.open_error = ENOENT;
	sva = module_open(NULL);
	subject("without the module");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	is_rc(sva_dma_is_mapped(a), 0, "sva_dma_is_mapped() of the source");
	is_rc(sva_dma_copy(sva, b, 0, a, 1, 100000), 0, "a copy by handle");
	ok(!memcmp(to, from + 1, 100000), "its bytes are right");
	ok(sva_last_result()->path != SVA_PATH_DMA, "its path is not dma");
	is_rc(sva_dma_copy(sva, b, 5, b, 0, 1000), 0, "a copy within one buffer that overlaps");
	ok(!memcmp(to + 5, from + 1, 1000), "the bytes of that copy are right");
	is_rc(sva_dma_map(sva, (void *)0x10000, 4096, 0, &small), -EFAULT,
	   "map a range that is not memory");
	is_rc(sva_dma_unmap(a), 0, "unmap the source");
	is_rc(sva_dma_unmap(b), 0, "unmap the destination");
	sva_close(sva);
}

/* An operation that the device refuses takes another path, and its result has that path. */
static void test_mapped_refused(void)
{
	struct sva_dma_buf *a = NULL, *b = NULL;
	struct sva_desc before;
	struct sva_op op;
	struct sva *sva;

	module_reset();
	sva = module_open("dma,cpu");
	subject("refused by the device");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	/* By handle, and then by address. */
	module.refuse = EOPNOTSUPP;
	module.refusals = 2;
	is_rc(sva_dma_copy(sva, b, 1, a, 3, 5000), 0,
	   "a copy that is not aligned as the channel needs it");
	ok(!memcmp(to + 1, from + 3, 5000), "its bytes are right");
	is_path(sva_last_result()->path, SVA_PATH_CPU, "the call's result has the path");
	is_reason(sva_last_result()->reason, SVA_REASON_NO_OPERATION,
	   "the call's result has the reason");
	module.refusals = 2;
	is_rc(sva_dma_fill(sva, b, 7, 0x0807060504030201, 1001), 0,
	      "a fill that is not aligned as the channel needs it");
	ok(to[7] == 1 && to[8] == 2 && to[1007] == 1, "the bytes of the fill are right");
	module.refuse = ENODEV;
	module.refusals = 1;
	is_rc(sva_dma_copy(sva, b, 0, a, 0, 5000), 0,
	      "a copy, when the device of the handles has gone");
	ok(!memcmp(to, from, 5000), "the bytes of that copy are right");
	is_path(sva_last_result()->path, SVA_PATH_DMA, "that copy is done by address on the path");
	module.result_once = -EBADF;
	is_rc(sva_dma_copy(sva, b, 0, a, 100, 5000), 0,
	      "a copy, when the module does not know the handle");
	ok(!memcmp(to, from + 100, 5000), "the bytes of the copy without a handle are right");
	is_rc(sva_dma_unmap(a), 0, "unmap the source, no longer in use");
	is_rc(sva_dma_unmap(b), 0, "unmap the destination, no longer in use");
	sva_close(sva);

	module_reset();
	subject("a part is refused by the device");
	module.max_len = 1000;
	sva = module_open("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	module.good_before = 3;
	module.result_once = -EOPNOTSUPP;
	is_rc(sva_dma_copy(sva, b, 10, a, 20, 4501), 0,
	      "a copy whose fourth part of five is refused");
	ok(!memcmp(to + 10, from + 20, 4501) && !to[4511], "its bytes are right");
	is(sva_last_result()->path_bytes[SVA_PATH_DMA], 3000, "the device has copied 3000 bytes");
	is(sva_last_result()->path_bytes[SVA_PATH_CPU], 1501, "the CPU has copied 1501 bytes");
	module.good_before = 1;
	module.result_once = -EOPNOTSUPP;
	is_rc(sva_dma_fill(sva, b, 10, 0x0807060504030201, 2003), 0,
	   "a fill whose second part is refused");
	ok(to[10] == 1 && to[1010] == 1 && to[1011] == 2 && to[2012] == 3,
	   "the bytes of the fill are right");
	is_rc(sva_dma_unmap(a), 0, "unmap the source, no longer in use");
	is_rc(sva_dma_unmap(b), 0, "unmap the destination, no longer in use");
	sva_close(sva);

	module_reset();
	subject("refused by the device, only dma is permitted");
	sva = module_open("dma");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	sva_prep_dma_copy(&op, b, 1, a, 3, 500);
	before = op.desc;
	module.refuse = EOPNOTSUPP;
	module.refusals = 2;
	is_rc(sva_submit(sva, &op), -EOPNOTSUPP, "submit a copy by handle");
	ok(!memcmp(&op.desc, &before, sizeof(before)), "the refused operation is not changed");
	is_rc(sva_run(sva, &op), 0, "run it again when the device takes it");
	ok(!memcmp(to + 1, from + 3, 500), "its bytes are right");
	is_rc(sva_dma_unmap(a), 0, "unmap the source, no longer in use");
	is_rc(sva_dma_unmap(b), 0, "unmap the destination, no longer in use");
	sva_close(sva);
}

/* Many operations on mapped buffers: in one call of the module, and as entries of a batch. */
static void test_mapped_many(void)
{
	struct sva_op ops[41], *list[40];
	struct sva_dma_buf *a = NULL, *b = NULL;
	bool all = true;
	struct sva *sva;

	subject("forty copies by handle");

	module_reset();
	sva = module_open("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	for (int i = 0; i < 40; i++) {
		list[i] = &ops[i];
		sva_prep_dma_copy(&ops[i], b, (size_t)i * 1000, a, (size_t)i * 1000 + 7, 1000);
	}
	module.submits = 0;
	module.good_before = 20;
	module.result_once = -EOPNOTSUPP;
	is(sva_submit_many(sva, list, 40), 40, "all are taken at a time");
	ok(module.submits <= 4, "with %u calls of the module", module.submits);
	is_rc(sva_dma_unmap(a), -EBUSY, "unmap the source while they are in flight");
	for (int i = 0; i < 40; i++)
		all &= !sva_wait(&ops[i], -1);
	ok(all && !memcmp(to, from + 7, 40000),
	   "the bytes of all are right, also of the one that was refused");
	is_path(sva_op_result(&ops[0])->path, SVA_PATH_DMA, "the path of the first");

	for (int i = 0; i < 30; i++)
		sva_prep_dma_copy(&ops[i], b, (size_t)i * 1000, a, 100000 + (size_t)i * 1000, 1000);
	sva_prep_dma_fill(&ops[30], b, 30000, 0x4444444444444444, 1000);
	sva_prep_memcpy(&ops[31], to + 31000, from + 131000, 1000);
	sva_prep_batch(&ops[40], list, 32);
	ops[30].flags |= SVA_OP_FENCE;
	module.hold = true;
	subject("a batch of copies by handle and by address");
	is_rc(sva_submit(sva, &ops[40]), 0, "submit");
	is_rc(sva_dma_unmap(b), -EBUSY, "unmap the destination while it is in flight");
	module.hold = false;
	module_release();
	is_rc(sva_wait(&ops[40], -1), 0, "wait for it");
	ok(!memcmp(to, from + 100000, 30000) && to[30000] == 0x44 && to[30999] == 0x44 &&
		   !memcmp(to + 31000, from + 131000, 1000), "its bytes are right");
	is_path(sva_op_result(&ops[3])->path, SVA_PATH_DMA, "the path of an entry by handle");
	subject("batch of three copies by handle");
	for (int i = 0; i < 3; i++)
		sva_prep_dma_copy(&ops[i], b, (size_t)i * 1000, a, 0,
				  i == 2 ? sizeof(from) + 1 : 1000);
	sva_prep_batch(&ops[40], list, 3);
	is_rc(sva_run(sva, &ops[40]), -EINVAL,
	   "the third reaches beyond the end of a buffer");
	sva_prep_batch(&ops[40], list, 2);
	is_rc(sva_run(sva, &ops[40]), 0, "the first two again, without the third");
	ok(!memcmp(to + 1000, from, 1000), "the bytes of these two are right");
	subject("a batch whose second entry waits for the first");
	sva_prep_dma_copy(&ops[0], b, 0, a, 0, 1000);
	sva_prep_memcpy(&ops[1], to + 1000, from + 1000, 1000);
	ops[1].flags |= SVA_OP_FENCE;
	sva_prep_batch(&ops[40], list, 2);
	module.hold = true;
	is_rc(sva_submit(sva, &ops[40]), 0, "submit");
	module_release();
	is_rc(sva_poll(&ops[40]), 0, "poll it when its first entry is done");
	is_rc(sva_op_result(&ops[0])->error, 0, "the first entry has ended");
	is_rc(sva_dma_unmap(a), -EBUSY,
	   "unmap the source of the first entry before the batch has ended");
	module_release();
	module.hold = false;
	is(sva_poll(&ops[40]), 1, "poll it when its second entry is done");
	is_rc(sva_dma_unmap(a), 0, "unmap the source, no longer in use");
	is_rc(sva_dma_unmap(b), 0, "unmap the destination, no longer in use");
	sva_close(sva);

	module_reset();
	module.open_error = ENOENT;
	sva = module_open(NULL);
	subject("without the module");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	sva_prep_dma_copy(&ops[0], b, 5, a, 0, 1000);
	sva_prep_dma_copy(&ops[1], b, 1105, a, 1000, 1000);
	sva_prep_dma_copy(&ops[2], b, 0, a, 0, sizeof(from) + 1);
	sva_prep_batch(&ops[40], list, 3);
	is_rc(sva_run(sva, &ops[40]), -EINVAL, "a batch of three copies by handle with a bad one");
	sva_prep_batch(&ops[40], list, 2);
	is_rc(sva_run(sva, &ops[40]), 0, "a batch of two copies by handle");
	ok(!memcmp(to + 5, from, 1000) && !memcmp(to + 1105, from + 1000, 1000),
	   "the bytes of both copies are right");
	is_rc(sva_dma_unmap(a), 0, "unmap the source, no longer in use");
	is_rc(sva_dma_unmap(b), 0, "unmap the destination, no longer in use");
	sva_close(sva);
}

/* What the kernel does with the submission of an io_uring. */
static int play_uring(const struct io_uring_sqe *sqe)
{
	struct sva_dma_uring_cmd cmd;
	struct sva_dma_op op;
	uint32_t tail = module.ring->tail;
	int result;

	memcpy(&cmd, sqe->cmd, sizeof(cmd));
	if (sqe->opcode != IORING_OP_URING_CMD || sqe->fd != module.fd ||
	    sqe->cmd_op != SVA_DMA_OP_CMD || cmd.op_size != sizeof(op) ||
	    cmd.node != SVA_DMA_NODE_ANY)
		return -EINVAL;
	memcpy(&op, (void *)(uintptr_t)cmd.op, sizeof(op));
	result = module_run_op(&op);
	module.ring->tail = tail; /* the completion goes elsewhere */
	return result;
}

static void test_uring(void)
{
	struct sva_dma_buf *a = NULL, *b = NULL;
	struct io_uring_sqe sqe;
	struct sva_op op;
	struct sva *sva;

	module_reset();
	subject("sva_dma_uring_prep()");
	sva = module_open("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), SVA_DMA_SOURCE, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), SVA_DMA_DESTINATION, &b), 0, "map a destination");
	sva_prep_dma_copy(&op, b, 1, a, 2, 1000);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EOPNOTSUPP,
	      "a kernel whose io_uring has no commands");
	is_rc(sva_run(sva, &op), 0, "the same operation by sva_run()");
	sva_dma_unmap(a);
	sva_dma_unmap(b);
	sva_close(sva);

	module_reset();
	module.features = SVA_DMA_FEATURE_URING;
	sva = module_open("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), SVA_DMA_SOURCE, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	sva_prep_dma_copy(&op, b, 1, a, 2, sizeof(from) - 2);
	op.user_data = 77;
	memset(&sqe, 0xff, sizeof(sqe));
	is_rc(sva_dma_uring_prep(&op, &sqe), 0, "a copy by handle");
	is(sqe.user_data, (uintptr_t)&op, "the submission names the operation");
	ok(!sqe.flags && !sqe.ioprio && !sqe.rw_flags && !sqe.buf_index && !sqe.personality,
	   "the other fields of the submission are 0");
	is_rc(sva_submit(sva, &op), -EBUSY, "submit the operation while it is in the io_uring");
	is_rc(sva_dma_uring_prep(&op, &sqe), -EBUSY, "prepare it while it is in the io_uring");
	is_rc(sva_poll(&op), -EINVAL, "poll it while it is in the io_uring");
	is_rc(sva_dma_unmap(a), -EBUSY, "unmap its source while it is in the io_uring");
	is_rc(sva_dma_uring_done(&op, play_uring(&sqe)), 0, "sva_dma_uring_done()");
	ok(!memcmp(to + 1, from + 2, sizeof(from) - 2),
	   "its bytes are right, though it is longer than an operation by address");
	is_path(sva_op_result(&op)->path, SVA_PATH_DMA, "its result has the path");
	is(sva_op_result(&op)->bytes, sizeof(from) - 2, "its result has the bytes");
	is_str(sva_op_result(&op)->device, "played0", "its result names the device");
	is(op.user_data, 77, "its user_data is not changed");
	is_rc(sva_dma_uring_done(&op, 0), -EINVAL, "sva_dma_uring_done() a second time");
	sva_prep_dma_fill(&op, b, 5, 0x0807060504030201, 100);
	is_rc(sva_dma_uring_prep(&op, &sqe), 0, "a fill by handle");
	is_rc(sva_dma_uring_done(&op, play_uring(&sqe)), 0, "sva_dma_uring_done() of the fill");
	ok(to[5] == 1 && to[104] == 4, "the bytes of the fill are right");
	sva_prep_dma_copy(&op, b, 0, a, 0, 100);
	is_rc(sva_dma_uring_prep(&op, &sqe), 0, "a copy that fails in the device");
	is_rc(sva_dma_uring_done(&op, -EIO), -EIO, "sva_dma_uring_done() with an error");
	is_rc(sva_op_result(&op)->error, -EIO, "the result of that copy");
	is(sva_op_result(&op)->bytes, 0, "that copy has done no bytes");
	sva_prep_memcpy(&op, to, from, 100);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EINVAL, "a copy by address");
	sva_prep_dma_copy(&op, b, 0, a, 1, sizeof(from));
	is_rc(sva_dma_uring_prep(&op, &sqe), -EINVAL, "a copy beyond the end of a buffer");
	sva_prep_dma_copy(&op, a, 0, b, 0, 1);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EINVAL, "a copy against the direction of a buffer");
	sva_prep_dma_copy(&op, b, 0, b, 1, 100);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EOPNOTSUPP, "a copy that overlaps");
	is_rc(sva_run(sva, &op), 0, "the copy that overlaps by sva_run()");
	is_rc(sva_dma_uring_prep(&op, &sqe), -EINVAL, "an operation that has ended");
	is_rc(sva_dma_unmap(a), 0, "unmap the source, no longer in use");
	is_rc(sva_dma_unmap(b), 0, "unmap the destination, no longer in use");
	sva_close(sva);
}

int main(void)
{
	module_reset();
	test_mapped();
	test_mapped_refused();
	test_mapped_many();
	test_uring();
	return done();
}
