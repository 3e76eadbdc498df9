/* SPDX-License-Identifier: MIT */
/*
 * Submitting to queues, on a kernel that this test plays (kernel.h): several descriptors in one
 * write, short counts, full queues, the credits of a dedicated one, the next queue and the next
 * path, operations that a device does not have, and closing with work in flight.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "lib/queue/ways.h"
#include "lib/run/run.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define BYTES 65536u
#define MANY  100u

static uint8_t *from, *to;
static struct kernel_queue *queue, *second;
static struct sva *sva;
static struct sva_op ops[MANY];
static struct sva_op *list[MANY];

static void set_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 200;
}

static void begin(bool dedicated, unsigned int entries, const char *paths)
{
	kernel_begin();
	queue = kernel_add("wq0.0", dedicated, entries, "max-transfer=4096");
	sva = rig_open_opts(paths, set_timeout);
}

static void prepare(unsigned int n)
{
	memset(to, 0, BYTES);
	for (unsigned int i = 0; i < n; i++) {
		sva_prep_memcpy(&ops[i], to + i * 100, from + i * 100, 100);
		ops[i].user_data = i;
		list[i] = &ops[i];
	}
}

static unsigned int finish(unsigned int n)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < n; i++)
		good += sva_wait(&ops[i], -1) == 0 && !memcmp(to + i * 100, from + i * 100, 100);
	return good;
}

/* ------------------------------------------------------------------ several in one call */

static void many(bool dedicated)
{
	begin(dedicated, 64, "write");
	prepare(50);
	is(sva_submit_many(sva, list, 50), 50, "fifty operations");
	is(finish(50), 50, "are done");
	is(queue->taken, 51, "after the no-op that the path begins with");
	/*
	 * One for the first, and one for as many as there are credits in a block of a dedicated
	 * queue.
	 */
	ok(queue->writes - 1 <= (dedicated ? 8 : 3), "in %u writes", queue->writes - 1);
	prepare(50);
	queue->writes = 0;
	queue->take = 7;
	is(sva_submit_many(sva, list, 50), 50, "when the kernel takes seven at a time");
	is(finish(50), 50, "they are done all the same");
	ok(queue->writes >= 50 / 7, "in %u writes", queue->writes);
	queue->take = 0;
	prepare(50);
	kernel_fail(KERNEL_WRITE, EINTR, 5);
	is(sva_submit_many(sva, list, 50), 50, "when signals interrupt it");
	is(finish(50), 50, "they are done all the same");
	is_rc(sva_submit_many(sva, list, 0), 0, "no operations");
	is_rc(sva_submit_many(sva, NULL, 0), 0, "and no list");
	is_rc(sva_submit_many(sva, NULL, 1), -EINVAL, "a list that is not there");
	is_rc(sva_submit_many(sva, list, 0x80000000u), -EINVAL, "more than can be");
	sva_close(sva);
}

/*
 * One in the middle that can not be: the ones before are taken, it is the first that is refused
 * next.
 */
static void many_with_bad(void)
{
	int taken;

	begin(false, 64, "write");
	prepare(10);
	ops[5].flags = 0x80;
	is(sva_submit_many(sva, list, 10), 5, "up to the bad one");
	is_rc(sva_submit_many(sva, list + 5, 5), -EINVAL, "which is told when it is the first");
	is(sva_submit_many(sva, list + 6, 4), 4, "those behind it");
	ops[5].flags = 0;
	is_rc(sva_submit(sva, &ops[5]), 0, "and itself when it is mended");
	is(finish(10), 10, "are done");
	prepare(10);
	list[3] = NULL;
	is(sva_submit_many(sva, list, 10), 3, "up to the null pointer");
	is_rc(sva_submit_many(sva, list + 3, 1), -EINVAL, "which is told");
	is(finish(3), 3, "are done");
	prepare(10);
	list[4] = list[2];
	is(sva_submit_many(sva, list, 10), 4, "up to one that stands there twice");
	is(sva_submit_many(sva, list + 4, 1), queue->taken ? -EBUSY : 0, "which is busy");
	is(finish(4), 4, "are done");
	/*
	 * Longer than the queue's limit: several descriptors each, which go along as chunks of
	 * their own.
	 */
	prepare(3);
	sva_prep_memcpy(&ops[1], to + 20000, from + 20000, 10000);
	is(sva_submit_many(sva, list, 3), 3, "a long one among them");
	ok(!sva_wait(&ops[0], -1) && !sva_wait(&ops[1], -1) && !sva_wait(&ops[2], -1) &&
		   !memcmp(to + 20000, from + 20000, 10000),
	   "is done");
	is(sva_op_result(&ops[1])->chunks, 3, "in three chunks");
	/*
	 * A delta record counts against the queue's limit of 4096 bytes; the CPU is not permitted
	 * here.
	 */
	prepare(2);
	sva_prep_create_delta(&ops[1], from, from, 4096, to + 20480, 5120);
	taken = sva_submit_many(sva, list, 2);
	is(taken, 1, "a create delta whose record may exceed the queue's limit does not go along");
	for (int i = 0; i < taken; i++)
		sva_wait(&ops[i], -1);
	sva_prep_create_delta(&ops[1], from, from, 4096, to + 20480, 5120);
	is_rc(sva_submit_many(sva, list + 1, 1), -EOPNOTSUPP,
	   "alone it is refused, as by sva_submit()");
	/* Zero length and other kinds. */
	sva_prep_memcpy(&ops[0], NULL, NULL, 0);
	sva_prep_crc(&ops[1], from, 100, 0, 0);
	sva_prep_noop(&ops[2]);
	is(sva_submit_many(sva, list, 3), 3, "one of nothing, a CRC, a no-op");
	ok(!sva_wait(&ops[0], -1) && !sva_wait(&ops[1], -1) && !sva_wait(&ops[2], -1), "are done");
	sva_close(sva);
}

static void many_full(void)
{
	unsigned int got;

	begin(false, 16, "write");
	prepare(1);
	sva_submit(sva, &ops[0]);
	finish(1);
	queue->mode = KERNEL_HELD;
	prepare(40);
	is(sva_submit_many(sva, list, 40), 16, "as many as the queue has room for");
	is_rc(sva_submit_many(sva, list + 16, 24), -EAGAIN, "and no more");
	is_rc(sva_op_result(&ops[16])->error, -EINVAL, "what was not taken was never submitted");
	kernel_run(queue, 5);
	got = (unsigned int)sva_submit_many(sva, list + 16, 24);
	is(got, 5, "as many as there is room again");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 100);
	is(sva_submit_many(sva, list + 21, 19), 19, "the rest");
	is(finish(40), 40, "all are done");
	sva_close(sva);
}

/* ------------------------------------------------------------------ credits */

static void never_overfilled(unsigned int entries)
{
	unsigned int taken = 0, before;

	begin(true, entries, "write");
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "first");
	finish(1);
	queue->mode = KERNEL_HELD;
	before = queue->taken;
	prepare(MANY);
	while (taken < MANY && !sva_submit(sva, &ops[taken]))
		taken++;
	is(taken, entries, "as many as the dedicated queue has entries");
	is(queue->taken - before, entries, "went out");
	is_rc(sva_submit(sva, &ops[taken]), -EAGAIN, "one more is refused");
	for (unsigned int i = 0; i < 3 * entries && taken < MANY; i++) {
		kernel_run(queue, 1);
		while (!sva_poll(&ops[taken - entries]))
			;
		if (sva_submit(sva, &ops[taken]))
			ok(false, "a slot that is free again is not given");
		taken++;
	}
	is(queue->dropped, 0, "nothing was dropped");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, MANY);
	is(finish(taken), taken, "all are done");
	sva_close(sva);
}

/* Whatever becomes of operations, the credits are all there afterwards. */
static void credits_come_back(void)
{
	unsigned int taken = 0;

	begin(true, 4, "write,cpu");
	setenv("SVA_THRESHOLD", "1", 1);
	for (int i = 0; i < 30; i++) { /* faults on the quick road */
		kernel_absent(to, 1);
		if (sva_memcpy(sva, to, from, 4096))
			ok(false, "a copy with a page fault");
		if (sva_last_result()->path_bytes[SVA_PATH_CPU])
			ok(false, "copy %d went to the CPU: the credits are used up", i);
	}
	for (int i = 0; i < 30; i++) { /* the device's own refusals */
		sva_prep_memcpy(&ops[0], to, from, 100);
		ops[0].desc.reserved = 7;
		if (sva_run(sva, &ops[0]) != -EINVAL ||
		    sva_op_result(&ops[0])->status != SVA_STATUS_RESERVED_FIELD)
			ok(false, "a descriptor that the device refuses");
	}
	for (int i = 0; i < 30; i++) { /* write fails */
		kernel_fail(KERNEL_WRITE, ENXIO, 1);
		prepare(1);
		sva_submit(sva, &ops[0]);
		finish(1);
	}
	for (int i = 0; i < 30; i++) { /* chunks, a batch */
		if (sva_memcpy(sva, to, from, 9000))
			ok(false, "a copy in chunks");
		prepare(3);
		sva_prep_batch(&ops[3], list, 3);
		if (sva_run(sva, &ops[3]))
			ok(false, "a batch");
	}
	queue->mode = KERNEL_HELD;
	prepare(MANY);
	while (taken < MANY && !sva_submit(sva, &ops[taken]))
		taken++;
	is(taken, 4,
	   "all credits of a dedicated queue are there after faults, refusals, failed writes, chunks, batches");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, MANY);
	is(finish(taken), taken, "all are done");
	is(queue->dropped, 0, "nothing was dropped");
	sva_close(sva);
}

/* A shared queue has no credits; what counts submissions must not run out. */
static void no_credits_needed(void)
{
	struct sva_lease *lease;

	begin(false, 64, "write");
	prepare(20);
	is(sva_submit_many(sva, list, 20), 20, "on a shared queue");
	finish(20);
	lease = sva_tls.current->leases[0];
	lease->credits = 5; /* as after a thousand million operations */
	for (int i = 0; i < 4; i++) {
		prepare(20);
		is(sva_submit_many(sva, list, 20), 20, "a long time later");
		is(finish(20), 20, "are done");
		sva_prep_crc(&ops[0], from, 100, 0, 0);
		is_rc(sva_run(sva, &ops[0]), 0, "a call");
	}
	sva_close(sva);
}

/*
 * ------------------------------------------------------------------ the next queue, the next path
 */

static void spill(void)
{
	begin(false, 8, "write");
	sva_close(sva);
	second = kernel_add("wq1.0", false, 8, "max-transfer=4096");
	sva = rig_open_opts("write,cpu", set_timeout);
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "with room in both queues");
	is(finish(1), 1, "it is done");
	ok(queue->taken == 2 || second->taken == 2, "by one of them");
	if (second->taken == 2) { /* equally near queues are taken in turns */
		struct kernel_queue *other = queue;

		queue = second;
		second = other;
	}
	queue->full_for = 1000000;
	prepare(10);
	is(sva_submit_many(sva, list, 10), 10, "when the first is full");
	is(finish(10), 10, "all is done");
	is(second->taken, 11, "by the second");
	is_str(sva_op_result(&ops[5])->queue, second->name, "which is told");
	is_rc(sva_memcpy(sva, to, from, 4096), 0, "a call");
	is(sva_last_result()->path, SVA_PATH_WRITE, "does the same");
	second->full_for = 1000000;
	is_rc(sva_submit(sva, &(struct sva_op){.state = 0}), -EINVAL,
	   "garbage is garbage all the same");
	prepare(2);
	is_rc(sva_submit(sva, &ops[0]), -EAGAIN, "when both are full, it is the program that waits");
	is_rc(sva_submit_many(sva, list, 2), -EAGAIN, "also with several");
	is_rc(sva_memcpy(sva, to, from, 4096), 0, "but a call is not kept waiting");
	is(sva_last_result()->path, SVA_PATH_CPU, "it takes the CPU");
	is(sva_last_result()->reason, SVA_REASON_FULL, "why");
	queue->full_for = second->full_for = 0;
	is(sva_submit_many(sva, list, 2), 2, "when there is room again");
	is(finish(2), 2, "all is done");
	sva_close(sva);

	sva = rig_open_opts("write,soft", set_timeout);
	queue->full_for = second->full_for = 1000000;
	prepare(2);
	is_rc(sva_submit(sva, &ops[0]), 0, "full, but soft is permitted");
	is(finish(1), 1, "done");
	is(sva_op_result(&ops[0])->path, SVA_PATH_SOFT, "by soft");
	sva_close(sva);
}

/* Full for ever while an operation has chunks to go: it must come to an end. */
static void stalled(const char *paths, int want)
{
	uint64_t start;

	begin(false, 8, paths);
	sva_prep_noop(&ops[0]);
	sva_run(sva, &ops[0]);
	sva_prep_memcpy(&ops[0], to, from, 12000);
	memset(to, 0, BYTES);
	queue->mode = KERNEL_HELD;
	is_rc(sva_submit(sva, &ops[0]), 0, "a copy of three chunks");
	queue->full_for = 1000000000;
	kernel_run(queue, 1);
	is_rc(sva_poll(&ops[0]), 0, "the second finds the queue full");
	start = rig_now_ms();
	is_rc(sva_wait(&ops[0], 1000000), -ETIME, "a short wait");
	is(sva_wait(&ops[0], -1), want, "a long one comes to an end");
	ok(rig_now_ms() - start >= 150, "after the record timeout, not before");
	is(sva_op_result(&ops[0])->path_bytes[SVA_PATH_WRITE], 4096, "the first chunk is told");
	if (!want)
		ok(!memcmp(to, from, 12000), "and all bytes are there");
	queue->full_for = 0;
	sva_close(sva);
}

/* The same for the entries of a batch, none of which found room. */
static void stalled_batch(void)
{
	begin(false, 8, "write");
	prepare(1);
	sva_submit(sva, &ops[0]);
	finish(1);
	prepare(3);
	sva_prep_batch(&ops[3], list, 3);
	queue->full_for = 1000000000;
	is_rc(sva_submit(sva, &ops[3]), 0, "a batch on a full queue");
	is_rc(sva_wait(&ops[3], -1), -EIO, "comes to an end");
	is_rc(sva_op_result(&ops[0])->error, -EIO, "and so do its entries");
	queue->full_for = 0;
	prepare(3);
	sva_prep_batch(&ops[3], list, 3);
	is_rc(sva_run(sva, &ops[3]), 0, "and when there is room, all is well");
	sva_close(sva);
}

/*
 * A device that has halted answers "full" for ever. A program that waits for room, as it should,
 * must not wait for ever.
 */
static int submit_until(uint64_t ms, struct sva_op *op)
{
	uint64_t start = rig_now_ms();
	int err;

	while ((err = sva_submit(sva, op)) == -EAGAIN && rig_now_ms() - start < ms)
		;
	return err;
}

static void full_for_ever(void)
{
	uint64_t start;

	begin(false, 8, "write,cpu");
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "an operation");
	is(finish(1), 1, "done");
	queue->full_for = 1000000000;
	prepare(1);
	start = rig_now_ms();
	is(submit_until(20000, &ops[0]), 0, "a queue that is never other than full is given up");
	ok(rig_now_ms() - start >= 150, "after the record timeout, not before");
	is(finish(1), 1, "done");
	is(sva_op_result(&ops[0])->path, SVA_PATH_CPU, "by the CPU");
	is(sva_op_result(&ops[0])->reason, SVA_REASON_FULL, "why");
	prepare(3);
	is_rc(sva_submit(sva, &ops[0]), 0, "the next does not wait");
	sva_wait(&ops[0], -1);
	sva_prep_batch(&ops[3], list + 1, 2);
	is_rc(sva_submit(sva, &ops[3]), 0, "nor does a batch");
	is_rc(sva_wait(&ops[3], -1), 0, "done");
	is(sva_op_result(&ops[2])->path, SVA_PATH_CPU, "by the CPU");
	queue->full_for = 0;
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "when there is room again");
	is(finish(1), 1, "done");
	is(sva_op_result(&ops[0])->path, SVA_PATH_WRITE, "by the queue");
	queue->full_for = 1000000000;
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), -EAGAIN, "and from now on it has as much time as before");
	queue->full_for = 0;
	sva_close(sva);

	begin(false, 8, "write");
	queue->full_for = 1000000000;
	prepare(1);
	is_rc(submit_until(600, &ops[0]), -EAGAIN, "without the CPU, it is the program that decides");
	queue->full_for = 0;
	sva_close(sva);
}

/* ------------------------------------------------------------------ what a device can not do */

static void capabilities(void)
{
	/* op-cap: no-op, copy, fill. */
	kernel_begin();
	queue = kernel_add("wq0.0", false, 8,
			   "op-cap=0x19 gen-cap=0x40915f010f max-transfer=65536");
	sva = rig_open("write,cpu", 0);
	sva_prep_memcpy(&ops[0], to, from, 1000);
	is_rc(sva_run(sva, &ops[0]), 0, "what it has");
	is(sva_op_result(&ops[0])->path, SVA_PATH_WRITE, "it does");
	sva_prep_crc(&ops[0], from, 1000, 0, 0);
	is_rc(sva_run(sva, &ops[0]), 0, "what it has not");
	is(sva_op_result(&ops[0])->path, SVA_PATH_CPU, "the CPU does");
	is(sva_op_result(&ops[0])->reason, SVA_REASON_NO_OPERATION, "why");
	sva_prep_memfill16(&ops[0], to, 1, 2, 1000);
	is_rc(sva_run(sva, &ops[0]), 0, "a 16-byte fill, which is not a fill to every device");
	is(sva_op_result(&ops[0])->path, SVA_PATH_CPU, "the CPU does it");
	is(queue->taken, 2, "the queue was not bothered");
	sva_close(sva);

	/* A file that tells nothing: it is tried, and remembered. */
	kernel_begin();
	queue = kernel_add("wq0.0", false, 8, "max-transfer=65536");
	queue->profile.op_cap[0] = 0x19;
	sva = rig_open("write,cpu", 0);
	for (int i = 0; i < 3; i++) {
		uint32_t crc = 0;

		is_rc(sva_crc32c(sva, "123456789", 9, &crc), 0,
		   "an operation that the queue turns out not to have");
		is(crc, 0xe3069283, "is done right");
		is(sva_last_result()->path, SVA_PATH_CPU, "by the CPU");
	}
	is(queue->taken, 2, "it was tried once");
	sva_close(sva);

	kernel_begin();
	queue = kernel_add("wq0.0", false, 8, "max-transfer=65536");
	queue->profile.op_cap[0] = 0x19;
	sva = rig_open("write", 0);
	sva_prep_crc(&ops[0], from, 1000, 0, 0);
	is_rc(sva_run(sva, &ops[0]), -EOPNOTSUPP, "where nothing else is permitted");
	is(sva_last_result()->reason, SVA_REASON_NO_OPERATION, "why");
	sva_close(sva);
}

/*
 * ------------------------------------------------------------------ batches on a queue that takes
 * none
 */

static void batches(void)
{
	begin(true, 4, "write");
	prepare(40);
	sva_prep_batch(&ops[40], list, 40);
	is_rc(sva_run(sva, &ops[40]), 0, "a batch of ten times what the queue holds");
	is(finish(0), 0, "");
	ok(!memcmp(to, from, 4000), "is done");
	is(sva_op_result(&ops[40])->bytes, 4000, "and counted");
	is(sva_op_result(&ops[40])->reason, SVA_REASON_NO_OPERATION,
	   "why it was not one descriptor can be asked");
	is(queue->dropped, 0, "nothing was dropped");
	for (unsigned int i = 0; i < queue->taken && i < KERNEL_LOG; i++)
		if (queue->log[i] >> 24 == SVA_OPCODE_BATCH || queue->log[i] & SVA_DESC_FENCE)
			ok(false, "descriptor %u is a batch or has a fence", i);
	prepare(6);
	ops[3].flags = SVA_OP_FENCE;
	queue->mode = KERNEL_HELD;
	sva_prep_batch(&ops[40], list, 6);
	is_rc(sva_submit(sva, &ops[40]), 0, "a batch with a fence");
	is(queue->held, 3, "what is before the fence");
	kernel_run(queue, 2);
	is_rc(sva_poll(&ops[40]), 0, "not all of it");
	is(queue->held, 1, "has nothing behind it");
	kernel_run(queue, 1);
	is_rc(sva_poll(&ops[40]), 0, "all of it");
	is(queue->held, 3, "lets the rest go");
	kernel_run(queue, 3);
	is_rc(sva_wait(&ops[40], -1), 0, "done");
	sva_close(sva);
}

static void reason_of_batch(const char *paths, unsigned int entries, uint32_t reason,
			    const char *what)
{
	sva = rig_open_opts(paths, set_timeout);
	sva_prep_batch(&ops[40], list, entries);
	ok(!sva_submit(sva, &ops[40]) && !sva_wait(&ops[40], -1), "%s is done", what);
	ok(sva_op_result(&ops[40])->reason == reason, "%s reports the reason %s (got %s)", what,
	   sva_reason_name(reason), sva_reason_name(sva_op_result(&ops[40])->reason));
	sva_close(sva);
}

/*
 * Software takes a batch as one descriptor, the path write takes none: the reason is that of the
 * first choice.
 */
static void reasons_of_batches(void)
{
	static struct sva_op *same[1025];
	static struct sva_op *more;
	void *memory;

	if (posix_memalign(&memory, 64, 1025 * sizeof(*more)))
		return;
	more = memory;
	kernel_begin();
	queue = kernel_add("wq0.0", false, 64, "max-transfer=4096");
	prepare(40);
	reason_of_batch("soft", 2, SVA_REASON_OK, "a batch of two on soft");
	prepare(40);
	reason_of_batch("soft,write", 1, SVA_REASON_BATCH_SIZE, "a batch of one");
	prepare(40);
	reason_of_batch("write,soft", 2, SVA_REASON_NO_OPERATION,
			"a batch on a path that takes none");
	for (unsigned int i = 0; i < 1025; i++) {
		sva_prep_memcpy(&more[i], to + i % 64, from + i % 64, 1);
		same[i] = &more[i];
	}
	sva = rig_open_opts("soft,write", set_timeout);
	sva_prep_batch(&ops[40], same, 1025);
	ok(!sva_submit(sva, &ops[40]) && !sva_wait(&ops[40], -1),
	   "a batch of one entry more than soft takes is done");
	is(sva_op_result(&ops[40])->reason, SVA_REASON_BATCH_SIZE, "its reason is its size");
	sva_close(sva);
	prepare(40);
	sva_prep_drain(&ops[1]);
	reason_of_batch("soft,write", 3, SVA_REASON_BATCH_ENTRY, "a batch with a drain");
	prepare(40);
	ops[1].length = 0;
	reason_of_batch("soft,write", 3, SVA_REASON_BATCH_ENTRY, "a batch with an empty entry");
	free(more);
}

/*
 * The queue does the entries that it has, one by one, before software does any of them; software
 * has the others, and whole batches of them.
 */
static void batches_before_soft(void)
{
	/* the kernel leaves batches out of op_cap, or not */
	for (int hidden = 0; hidden < 2; hidden++) {
		kernel_begin();
		queue = kernel_add("wq0.0", true, 64,
				   hidden ? "max-transfer=4096 op-cap=0x19" :
					    "max-transfer=4096 op-cap=0x1b");
		sva = rig_open_opts("write,soft", set_timeout);
		prepare(10);
		sva_prep_batch(&ops[20], list, 10);
		ok(!sva_submit(sva, &ops[20]) && !sva_wait(&ops[20], -1) && !memcmp(to, from, 1000),
		   "a batch, with soft permitted");
		is(sva_op_result(&ops[20])->path_bytes[SVA_PATH_WRITE], 1000, "is the queue's");
		is(sva_op_result(&ops[20])->reason, SVA_REASON_NO_OPERATION,
		   "one by one, and says why");
		prepare(3);
		sva_prep_crc(&ops[1], from, 100, 0, 0);
		sva_prep_batch(&ops[20], list, 3);
		ok(!sva_submit(sva, &ops[20]) && !sva_wait(&ops[20], -1),
		   "one with an entry that the queue has not");
		is(sva_op_result(&ops[1])->path, SVA_PATH_SOFT, "which is software's");
		is(sva_op_result(&ops[20])->path_bytes[SVA_PATH_WRITE], 200,
		   "and the others are the queue's");
		for (int i = 0; i < 3; i++)
			sva_prep_crc(&ops[i], from, 100, 0, 0);
		sva_prep_batch(&ops[20], list, 3);
		ok(!sva_submit(sva, &ops[20]) && !sva_wait(&ops[20], -1),
		   "one of such entries only");
		is(sva_op_result(&ops[20])->path_bytes[SVA_PATH_SOFT], 300, "is all software's");
		is(sva_op_result(&ops[20])->chunks, 4, "in three descriptors and their batch");
		sva_close(sva);
	}
}

/*
 * The bond is retired while a batch is under way: what may have been begun is not done a second
 * time.
 */
static void silent_batch(void)
{
	begin(false, 64, "write,cpu");
	prepare(1);
	sva_submit(sva, &ops[0]);
	finish(1);
	queue->mode = KERNEL_HELD;
	prepare(5);
	sva_prep_batch(&ops[5], list, 5);
	is_rc(sva_submit(sva, &ops[5]), 0, "a batch");
	kernel_run(queue, 2);
	is_rc(sva_wait(&ops[5], -1), -EIO, "whose later records never come");
	ok(!sva_op_result(&ops[0])->error && !sva_op_result(&ops[1])->error,
	   "the first two are done");
	ok(sva_op_result(&ops[2])->error == -EIO && sva_op_result(&ops[4])->error == -EIO,
	   "the others end with EIO");
	ok(!to[200] && !to[300] && !to[400], "and nobody did them");
	sva_close(sva);
}

/* A queue that takes batches: as if write were a portal in this. */
static void take_batches(void)
{
	static struct sva_submit_ops with_batches;

	prepare(1);
	sva_submit(sva, &ops[0]);
	finish(1);
	queue->profile = sva_model_dsa2;
	with_batches = *sva_tls.current->leases[0]->ops;
	with_batches.batch_opcode = true;
	sva_tls.current->leases[0]->ops = &with_batches;
}

/*
 * The queue takes batches, and is full: sva_run() leaves the entries to the CPU where that is
 * permitted.
 */
static void full_batch(void)
{
	uint64_t start;

	kernel_begin();
	queue = kernel_add(
		"wq0.0", false, 64,
		"max-transfer=4096 max-batch=32 op-cap=0x1003f07ff gen-cap=0x40915f010f");
	sva = rig_open_opts("write,cpu", set_timeout);
	take_batches();
	queue->full_for = 1000000000;
	prepare(3);
	sva_prep_batch(&ops[3], list, 3);
	start = rig_now_ms();
	is_rc(sva_run(sva, &ops[3]), 0,
	   "sva_run() of a batch on a full queue that takes batches, with the CPU permitted");
	ok(rig_now_ms() - start < 150, "it did not wait for the queue");
	ok(sva_op_result(&ops[3])->path_bytes[SVA_PATH_CPU] == 300 && !memcmp(to, from, 300),
	   "the CPU copied all entries");
	queue->full_for = 0;
	sva_close(sva);
}

static void batch_descriptors(void)
{
	kernel_begin();
	queue = kernel_add(
		"wq0.0", true, 64,
		"max-transfer=4096 max-batch=32 op-cap=0x1003f07ff gen-cap=0x40915f010f");
	sva = rig_open_opts("write,cpu", set_timeout);
	take_batches();
	prepare(20);
	ops[7].flags = SVA_OP_FENCE;
	sva_prep_batch(&ops[20], list, 20);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "a batch as one descriptor");
	is(queue->taken, 1, "it is one");
	is(sva_desc_opcode(&(struct sva_desc){.flags_opcode = queue->log[0]}), SVA_OPCODE_BATCH,
	   "a batch");
	is(queue->sizes[0], 20, "of twenty");
	is(sva_op_result(&ops[20])->bytes, 2000, "all of it is counted");
	ok(!memcmp(to, from, 2000), "and done");

	/*
	 * Entries that meet page faults go on by themselves; what the device dropped behind a fence
	 * has its turn.
	 */
	prepare(10);
	sva_prep_memcpy(&ops[4], to + 20480, from + 20480, 4096);
	kernel_absent(to + 20480, 4096);
	ops[6].flags = SVA_OP_FENCE;
	sva_prep_batch(&ops[20], list, 10);
	is_rc(sva_run(sva, &ops[20]), 0, "a batch with a page fault before a fence");
	is(sva_op_result(&ops[4])->faults, 1, "which was met");
	ok(!memcmp(to, from, 400) && !memcmp(to + 600, from + 600, 400) &&
		   !memcmp(to + 20480, from + 20480, 4096),
	   "is done in the end");
	is(sva_op_result(&ops[20])->bytes, 900 + 4096, "all of it is counted");

	/* What can not be is told by its own result. */
	prepare(6);
	ops[2].desc.reserved = 1;
	ops[4].flags = SVA_OP_FENCE;
	sva_prep_batch(&ops[20], list, 6);
	is_rc(sva_run(sva, &ops[20]), -EIO, "a batch with an entry that the device refuses");
	ok(sva_op_result(&ops[2])->error == -EINVAL &&
		   sva_op_result(&ops[2])->status == SVA_STATUS_RESERVED_FIELD,
	   "which says so");
	ok(!sva_op_result(&ops[3])->error && sva_op_result(&ops[4])->error == -ECANCELED &&
		   sva_op_result(&ops[5])->error == -ECANCELED,
	   "and what is behind the fence is cancelled");
	ok(!to[200] && to[300] && !to[400] && !to[500], "which memory shows");

	is(sva_op_result(&ops[20])->reason, SVA_REASON_OK,
	   "there is no better way that was not taken");

	/* Longer than one batch may be, or with an entry longer than one descriptor: one by one. */
	prepare(33);
	sva_prep_batch(&ops[40], list, 33);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[40]), 0, "more than a batch may have");
	is(queue->taken, 33, "one by one");
	prepare(3);
	sva_prep_memcpy(&ops[1], to + 20480, from + 20480, 4097);
	sva_prep_batch(&ops[20], list, 3);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "an entry that is too long");
	is(queue->taken, 4, "one by one, and that one in two");
	prepare(1);
	sva_prep_batch(&ops[20], list, 1);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "a batch of one");
	ok(queue->taken == 1 && queue->log[0] >> 24 == SVA_OPCODE_MEMMOVE,
	   "is no batch to a device");

	/* The device falls silent: nothing of the batch may be done once more. */
	queue->mode = KERNEL_HELD;
	prepare(5);
	sva_prep_batch(&ops[20], list, 5);
	is_rc(sva_submit(sva, &ops[20]), 0, "a batch");
	is(queue->held, 1, "as one descriptor");
	is_rc(sva_wait(&ops[20], -1), -EIO, "whose record never comes");
	for (int i = 0; i < 5; i++)
		is_rc(sva_op_result(&ops[i])->error, -EIO, "its entries");
	for (int i = 0; i < 500; i++)
		if (to[i])
			ok(false, "byte %d was written by somebody", i);
	sva_close(sva);
}

/*
 * The kernel hides batches of a DSA 1 from op_cap, since its write(2) refuses them; whoever has the
 * portal has them.
 */
static void hidden_batches(void)
{
	kernel_begin();
	queue = kernel_add(
		"wq0.0", true, 64,
		"max-transfer=4096 max-batch=32 op-cap=0x1003f03fd gen-cap=0x40915f010f");
	sva = rig_open_opts("write,cpu", set_timeout);
	take_batches();
	prepare(5);
	sva_prep_batch(&ops[20], list, 5);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "a batch that op_cap does not show");
	ok(!memcmp(to, from, 500), "is done");
	is(queue->taken, 1, "as one descriptor");
	/* And if the device really has none, it is tried once. */
	queue->profile.op_cap[0] &= ~(1ull << SVA_OPCODE_BATCH);
	prepare(5);
	sva_prep_batch(&ops[20], list, 5);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "a batch that the device has not");
	ok(!memcmp(to, from, 500), "is done");
	is(queue->taken, 6, "one by one, after it was refused");
	prepare(5);
	sva_prep_batch(&ops[20], list, 5);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "and the next");
	is(queue->taken, 5, "one by one at once");
	is(sva_op_result(&ops[20])->reason, SVA_REASON_NO_OPERATION, "why");
	sva_close(sva);
}

/* ------------------------------------------------------------------ closing */

static void *run_later(void *arg)
{
	nanosleep(&(struct timespec){ 0, 30000000 }, NULL);
	return (void *)(uintptr_t)kernel_run(arg, MANY);
}

static void closing(void)
{
	pthread_t thread;
	void *ran;

	begin(false, 64, "write");
	prepare(1);
	sva_submit(sva, &ops[0]);
	finish(1);
	queue->mode = KERNEL_HELD;
	prepare(20);
	is(sva_submit_many(sva, list, 20), 20, "twenty in flight");
	pthread_create(&thread, NULL, run_later, queue);
	sva_close(sva);
	ok(!memcmp(to, from, 2000), "closing waited for all of them");
	for (int i = 0; i < 20; i++)
		if (sva_op_result(&ops[i])->error)
			ok(false, "operation %d ended with %d", i, sva_op_result(&ops[i])->error);
	pthread_join(thread, &ran);
	is((uintptr_t)ran, 20, "they were done by the device");
	is(queue->open_now, 0, "the queue is closed");
}

int main(void)
{
	rig_begin();
	from = rig_pages(BYTES / RIG_PAGE);
	to = rig_pages(BYTES / RIG_PAGE);
	for (unsigned int i = 0; i < BYTES; i++)
		from[i] = (uint8_t)(i * 7 + i / 251 + 1);
	setenv("SVA_THRESHOLD", "1", 1);
	many(false);
	many(true);
	many_with_bad();
	many_full();
	never_overfilled(1);
	never_overfilled(2);
	never_overfilled(16);
	credits_come_back();
	no_credits_needed();
	spill();
	stalled("write", -EIO);
	stalled("write,cpu", 0);
	stalled_batch();
	full_for_ever();
	capabilities();
	batches();
	silent_batch();
	full_batch();
	batch_descriptors();
	hidden_batches();
	reasons_of_batches();
	batches_before_soft();
	closing();
	return done();
}
