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
#include "unit/load.h"
#include "unit/rig.h"

static struct kernel_queue *second;

/* ------------------------------------------------------------------ several in one call */

static void many(bool dedicated)
{
	load_begin(dedicated, 64, "write");
	subject("fifty operations at a time, %s queue", dedicated ? "dedicated" : "shared");
	load_prepare(50);
	is(sva_submit_many(sva, list, 50), 50, "all are taken");
	is(load_finish(50), 50, "all are done");
	is(queue->taken, 51, "the queue got a no-op and fifty descriptors");
	/*
	 * One for the first operation, and one for as many as a thread takes credits of a dedicated
	 * queue at once.
	 */
	ok(queue->writes - 1 <= (dedicated ? 8 : 3), "with %u calls of write(2)",
	   queue->writes - 1);
	load_prepare(50);
	queue->writes = 0;
	queue->take = 7;
	is(sva_submit_many(sva, list, 50), 50,
	   "all are taken by a kernel that takes seven in a write");
	is(load_finish(50), 50, "all are done by a kernel that takes seven in a write");
	ok(queue->writes >= 50 / 7, "with %u calls of write(2), of seven each", queue->writes);
	queue->take = 0;
	load_prepare(50);
	kernel_fail(KERNEL_WRITE, EINTR, 5);
	is(sva_submit_many(sva, list, 50), 50, "all are taken when signals interrupt the write");
	is(load_finish(50), 50, "all are done when signals interrupt the write");
	subject("sva_submit_many(), %s queue", dedicated ? "dedicated" : "shared");
	is_rc(sva_submit_many(sva, list, 0), 0, "no operations");
	is_rc(sva_submit_many(sva, NULL, 0), 0, "no operations, no list");
	is_rc(sva_submit_many(sva, NULL, 1), -EINVAL, "one operation, no list");
	is_rc(sva_submit_many(sva, list, 0x80000000u), -EINVAL, "2^31 operations");
	sva_close(sva);
}

/*
 * A bad operation in the middle: those before it are taken, and the next call, which begins with
 * it, refuses it.
 */
static void many_with_bad(void)
{
	int taken;

	load_begin(false, 64, "write");
	load_prepare(10);
	subject("ten operations, the sixth with an unknown flag");
	ops[5].flags = 0x80;
	is(sva_submit_many(sva, list, 10), 5, "the five before it are taken");
	is_rc(sva_submit_many(sva, list + 5, 5), -EINVAL, "submit it and those behind it");
	is(sva_submit_many(sva, list + 6, 4), 4, "those behind it are taken");
	ops[5].flags = 0;
	is_rc(sva_submit(sva, &ops[5]), 0, "submit it without that flag");
	is(load_finish(10), 10, "all are done");
	load_prepare(10);
	subject("ten operations, the fourth a null pointer");
	list[3] = NULL;
	is(sva_submit_many(sva, list, 10), 3, "the three before it are taken");
	is_rc(sva_submit_many(sva, list + 3, 1), -EINVAL, "submit the null pointer");
	is(load_finish(3), 3, "the three are done");
	load_prepare(10);
	subject("ten operations, the fifth is the third again");
	list[4] = list[2];
	is(sva_submit_many(sva, list, 10), 4, "the four before it are taken");
	is_rc(sva_submit_many(sva, list + 4, 1), queue->taken ? -EBUSY : 0, "submit it");
	is(load_finish(4), 4, "the four are done");
	/* Longer than the queue's limit: several descriptors, one for each chunk. */
	load_prepare(3);
	subject("three operations, the second longer than the queue's limit");
	sva_prep_memcpy(&ops[1], to + 20000, from + 20000, 10000);
	is(sva_submit_many(sva, list, 3), 3, "all are taken");
	ok(!sva_wait(&ops[0], -1) && !sva_wait(&ops[1], -1) && !sva_wait(&ops[2], -1) &&
		   !memcmp(to + 20000, from + 20000, 10000),
	   "all are done");
	is(sva_op_result(&ops[1])->chunks, 3, "the long one had three chunks");
	/*
	 * A delta record counts against the queue's limit of 4096 bytes; the CPU is not permitted
	 * here.
	 */
	load_prepare(2);
	subject("two operations, the second a create delta with too long a record");
	sva_prep_create_delta(&ops[1], from, from, 4096, to + 20480, 5120);
	taken = sva_submit_many(sva, list, 2);
	is(taken, 1, "the first is taken, the create delta is not");
	for (int i = 0; i < taken; i++)
		sva_wait(&ops[i], -1);
	sva_prep_create_delta(&ops[1], from, from, 4096, to + 20480, 5120);
	is_rc(sva_submit_many(sva, list + 1, 1), -EOPNOTSUPP,
	   "submit the create delta alone");
	/* Zero length and other kinds. */
	subject("a copy of no bytes, a CRC and a no-op");
	sva_prep_memcpy(&ops[0], NULL, NULL, 0);
	sva_prep_crc(&ops[1], from, 100, 0, 0);
	sva_prep_noop(&ops[2]);
	is(sva_submit_many(sva, list, 3), 3, "all are taken");
	ok(!sva_wait(&ops[0], -1) && !sva_wait(&ops[1], -1) && !sva_wait(&ops[2], -1),
	   "all are done");
	sva_close(sva);
}

static void many_full(void)
{
	unsigned int got;

	load_begin(false, 16, "write");
	load_prepare(1);
	sva_submit(sva, &ops[0]);
	load_finish(1);
	queue->mode = KERNEL_HELD;
	subject("forty operations, a queue of sixteen");
	load_prepare(40);
	is(sva_submit_many(sva, list, 40), 16, "sixteen are taken");
	is_rc(sva_submit_many(sva, list + 16, 24), -EAGAIN, "submit the others to the full queue");
	is_rc(sva_op_result(&ops[16])->error, -EINVAL,
	      "the result of one that was not taken, as of one that was never submitted");
	kernel_run(queue, 5);
	got = (unsigned int)sva_submit_many(sva, list + 16, 24);
	is(got, 5, "five more are taken when five have ended");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 100);
	is(sva_submit_many(sva, list + 21, 19), 19,
	   "the other nineteen are taken by a queue with room");
	is(load_finish(40), 40, "all are done");
	sva_close(sva);
}

/* ------------------------------------------------------------------ credits */

static void never_overfilled(unsigned int entries)
{
	unsigned int taken = 0, before;

	load_begin(true, entries, "write");
	load_prepare(1);
	subject("a dedicated queue of %u entries", entries);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit an operation");
	load_finish(1);
	queue->mode = KERNEL_HELD;
	before = queue->taken;
	load_prepare(MANY);
	while (taken < MANY && !sva_submit(sva, &ops[taken]))
		taken++;
	is(taken, entries, "as many operations are taken as it has entries");
	is(queue->taken - before, entries, "the device got as many descriptors");
	is_rc(sva_submit(sva, &ops[taken]), -EAGAIN, "submit one more");
	for (unsigned int i = 0; i < 3 * entries && taken < MANY; i++) {
		kernel_run(queue, 1);
		while (!sva_poll(&ops[taken - entries]))
			;
		if (sva_submit(sva, &ops[taken]))
			ok(false, "a slot that is free again is used");
		taken++;
	}
	is(queue->dropped, 0, "the device has dropped no descriptor");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, MANY);
	is(load_finish(taken), taken, "all operations are done");
	sva_close(sva);
}

/* However operations end, all credits are there afterwards. */
static void credits_come_back(void)
{
	unsigned int taken = 0;

	load_begin(true, 4, "write,cpu");
	subject("credits of a dedicated queue");
	for (int i = 0; i < 30; i++) { /* faults on the fast path */
		kernel_absent(to, 1);
		if (sva_memcpy(sva, to, from, 4096))
			ok(false, "a copy with a page fault is done");
		if (sva_last_result()->path_bytes[SVA_PATH_CPU])
			ok(false, "copy %d, after page faults, is not done by the CPU", i);
	}
	for (int i = 0; i < 30; i++) { /* the device's own refusals */
		sva_prep_memcpy(&ops[0], to, from, 100);
		ops[0].desc.reserved = 7;
		if (sva_run(sva, &ops[0]) != -EINVAL ||
		    sva_op_result(&ops[0])->status != SVA_STATUS_RESERVED_FIELD)
			ok(false, "a descriptor that the device refuses fails with its status");
	}
	for (int i = 0; i < 30; i++) { /* write fails */
		kernel_fail(KERNEL_WRITE, ENXIO, 1);
		load_prepare(1);
		sva_submit(sva, &ops[0]);
		load_finish(1);
	}
	for (int i = 0; i < 30; i++) { /* chunks, a batch */
		if (sva_memcpy(sva, to, from, 9000))
			ok(false, "a copy in chunks is done");
		load_prepare(3);
		sva_prep_batch(&ops[3], list, 3);
		if (sva_run(sva, &ops[3]))
			ok(false, "a batch is done");
	}
	queue->mode = KERNEL_HELD;
	load_prepare(MANY);
	while (taken < MANY && !sva_submit(sva, &ops[taken]))
		taken++;
	is(taken, 4,
	   "all are there after faults, refusals, failed writes, chunks and batches");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, MANY);
	is(load_finish(taken), taken, "the operations that took them are done");
	is(queue->dropped, 0, "the device has dropped no descriptor");
	sva_close(sva);
}

/* A shared queue has no credits; the counter of its lease must not run out. */
static void no_credits_needed(void)
{
	struct sva_lease *lease;

	load_begin(false, 64, "write");
	subject("a shared queue");
	load_prepare(20);
	is(sva_submit_many(sva, list, 20), 20, "twenty operations are taken");
	load_finish(20);
	lease = sva_tls.current->leases[0];
	lease->credits = 5; /* as after 10^9 operations */
	for (int i = 0; i < 4; i++) {
		load_prepare(20);
		is(sva_submit_many(sva, list, 20), 20,
		   "twenty are taken with 5 left on its counter");
		is(load_finish(20), 20, "these twenty are done");
		sva_prep_crc(&ops[0], from, 100, 0, 0);
		is_rc(sva_run(sva, &ops[0]), 0, "a CRC after them");
	}
	sva_close(sva);
}

/* ---------------------------------------------------------------- the next queue, the next path */

static void spill(void)
{
	load_begin(false, 8, "write");
	sva_close(sva);
	second = kernel_add("wq1.0", false, 8, "max-transfer=4096");
	sva = rig_open_opts("write,cpu", load_timeout);
	load_prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "two shared queues: submit with room in both");
	is(load_finish(1), 1, "the operation is done");
	ok(queue->taken == 2 || second->taken == 2, "one of the queues has got it");
	if (second->taken == 2) { /* equally near queues are taken in turns */
		struct kernel_queue *other = queue;

		queue = second;
		second = other;
	}
	queue->full_for = 1000000;
	load_prepare(10);
	is(sva_submit_many(sva, list, 10), 10, "ten operations are taken when the first is full");
	is(load_finish(10), 10, "all ten are done");
	is(second->taken, 11, "the second has got all ten");
	subject("two shared queues");
	is_str(sva_op_result(&ops[5])->queue, second->name, "their results name the second");
	is_rc(sva_memcpy(sva, to, from, 4096), 0, "a copy when the first is full");
	is_path(sva_last_result()->path, SVA_PATH_WRITE, "its result has the path");
	second->full_for = 1000000;
	is_rc(sva_submit(sva, &(struct sva_op){.state = 0}), -EINVAL,
	   "submit an operation that was not prepared, both are full");
	load_prepare(2);
	is_rc(sva_submit(sva, &ops[0]), -EAGAIN, "submit one operation, both are full");
	is_rc(sva_submit_many(sva, list, 2), -EAGAIN, "submit two operations, both are full");
	is_rc(sva_memcpy(sva, to, from, 4096), 0, "a copy, both are full");
	is_path(sva_last_result()->path, SVA_PATH_CPU, "the call's result has the path");
	is_reason(sva_last_result()->reason, SVA_REASON_FULL, "the call's result has the reason");
	queue->full_for = second->full_for = 0;
	is(sva_submit_many(sva, list, 2), 2, "two operations are taken when there is room again");
	is(load_finish(2), 2, "these two are done");
	sva_close(sva);

	sva = rig_open_opts("write,soft", load_timeout);
	queue->full_for = second->full_for = 1000000;
	load_prepare(2);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit with soft permitted, both are full");
	is(load_finish(1), 1, "that operation is done");
	is_path(sva_op_result(&ops[0])->path, SVA_PATH_SOFT, "the operation's result has the path");
	sva_close(sva);
}

/* A queue that stays full while an operation has chunks left: the operation must end. */
static void stalled(const char *paths, int want)
{
	uint64_t start;

	load_begin(false, 8, paths);
	subject("a queue stays full after the first chunk, paths %s", paths);
	sva_prep_noop(&ops[0]);
	sva_run(sva, &ops[0]);
	sva_prep_memcpy(&ops[0], to, from, 12000);
	memset(to, 0, BYTES);
	queue->mode = KERNEL_HELD;
	is_rc(sva_submit(sva, &ops[0]), 0, "submit a copy of three chunks");
	queue->full_for = 1000000000;
	kernel_run(queue, 1);
	is_rc(sva_poll(&ops[0]), 0, "poll, which finds the queue full");
	start = rig_now_ms();
	is_rc(sva_wait(&ops[0], 1000000), -ETIME, "wait for 1 ms");
	is_rc(sva_wait(&ops[0], -1), want, "wait without limit");
	ok(rig_now_ms() - start >= 150, "it does not end before the record timeout");
	is(sva_op_result(&ops[0])->path_bytes[SVA_PATH_WRITE], 4096,
	   "its result has the bytes of the first chunk");
	if (!want)
		ok(!memcmp(to, from, 12000), "all bytes are copied");
	queue->full_for = 0;
	sva_close(sva);
}

/*
 * The queue of a halted device stays full. A program that waits for room, as it should, must not
 * wait forever.
 */
static int submit_until(uint64_t ms, struct sva_op *op)
{
	uint64_t start = rig_now_ms();
	int err;

	while ((err = sva_submit(sva, op)) == -EAGAIN && rig_now_ms() - start < ms)
		;
	return err;
}

static void queue_stays_full(void)
{
	uint64_t start;

	load_begin(false, 8, "write,cpu");
	subject("a queue that stays full, the CPU is permitted");
	load_prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit while it has room");
	is(load_finish(1), 1, "that operation is done");
	queue->full_for = 1000000000;
	load_prepare(1);
	start = rig_now_ms();
	is_rc(submit_until(20000, &ops[0]), 0, "submit again and again until it is taken");
	ok(rig_now_ms() - start >= 150, "it is not taken before the record timeout");
	is(load_finish(1), 1, "it is done");
	is_path(sva_op_result(&ops[0])->path, SVA_PATH_CPU, "its result has the path");
	is_reason(sva_op_result(&ops[0])->reason, SVA_REASON_FULL,
		  "the operation's result has the reason");
	load_prepare(3);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit the next, which does not wait");
	sva_wait(&ops[0], -1);
	sva_prep_batch(&ops[3], list + 1, 2);
	is_rc(sva_submit(sva, &ops[3]), 0, "submit a batch, which does not wait");
	is_rc(sva_wait(&ops[3], -1), 0, "wait for the batch");
	is_path(sva_op_result(&ops[2])->path, SVA_PATH_CPU, "its last entry has the path");
	queue->full_for = 0;
	load_prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit when it has room again");
	is(load_finish(1), 1, "the operation after that is done");
	is_path(sva_op_result(&ops[0])->path, SVA_PATH_WRITE, "its result has the path");
	queue->full_for = 1000000000;
	load_prepare(1);
	is_rc(sva_submit(sva, &ops[0]), -EAGAIN,
	      "submit when it is full again, which does not take the CPU at once");
	queue->full_for = 0;
	sva_close(sva);

	load_begin(false, 8, "write");
	subject("a queue that stays full, no other path");
	queue->full_for = 1000000000;
	load_prepare(1);
	is_rc(submit_until(600, &ops[0]), -EAGAIN,
	      "submit again and again for three record timeouts");
	queue->full_for = 0;
	sva_close(sva);
}

/* ------------------------------------------------------------------ what a device cannot do */

static void capabilities(void)
{
	/* op-cap: no-op, copy, fill. */
	kernel_begin();
	queue = kernel_add("wq0.0", false, 8,
			   "op-cap=0x19 gen-cap=0x40915f010f max-transfer=65536");
	sva = rig_open("write,cpu", 0);
	subject("a queue that reports no-op, copy and fill");
	sva_prep_memcpy(&ops[0], to, from, 1000);
	is_rc(sva_run(sva, &ops[0]), 0, "a copy");
	is_path(sva_op_result(&ops[0])->path, SVA_PATH_WRITE,
		"the operation's result has the path");
	sva_prep_crc(&ops[0], from, 1000, 0, 0);
	is_rc(sva_run(sva, &ops[0]), 0, "a CRC, which it lacks");
	is_path(sva_op_result(&ops[0])->path, SVA_PATH_CPU, "the operation's result has the path");
	is_reason(sva_op_result(&ops[0])->reason, SVA_REASON_NO_OPERATION,
		  "the operation's result has the reason");
	sva_prep_memfill16(&ops[0], to, 1, 2, 1000);
	is_rc(sva_run(sva, &ops[0]), 0, "a 16-byte fill, which not every device with fill has");
	is_path(sva_op_result(&ops[0])->path, SVA_PATH_CPU, "the operation's result has the path");
	is(queue->taken, 2, "the queue has got only the no-op and the copy");
	sva_close(sva);

	/* A list that does not name the operations: each is tried once. */
	kernel_begin();
	queue = kernel_add("wq0.0", false, 8, "max-transfer=65536");
	queue->profile.op_cap[0] = 0x19;
	sva = rig_open("write,cpu", 0);
	subject("a queue that does not report that it lacks CRC");
	for (int i = 0; i < 3; i++) {
		uint32_t crc = 0;

		is_rc(sva_crc32c(sva, "123456789", 9, &crc), 0,
		   "a CRC with the CPU permitted");
		is(crc, 0xe3069283, "the CRC is right");
		is_path(sva_last_result()->path, SVA_PATH_CPU, "the call's result has the path");
	}
	is(queue->taken, 2, "the queue was tried with one CRC");
	sva_close(sva);

	kernel_begin();
	queue = kernel_add("wq0.0", false, 8, "max-transfer=65536");
	queue->profile.op_cap[0] = 0x19;
	sva = rig_open("write", 0);
	sva_prep_crc(&ops[0], from, 1000, 0, 0);
	is_rc(sva_run(sva, &ops[0]), -EOPNOTSUPP, "a CRC with only the queue permitted");
	is_reason(sva_last_result()->reason, SVA_REASON_NO_OPERATION,
		  "the call's result has the reason");
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

	load_begin(false, 64, "write");
	load_prepare(1);
	sva_submit(sva, &ops[0]);
	load_finish(1);
	queue->mode = KERNEL_HELD;
	subject("sva_close()");
	load_prepare(20);
	is(sva_submit_many(sva, list, 20), 20, "twenty operations are in flight");
	pthread_create(&thread, NULL, run_later, queue);
	sva_close(sva);
	ok(!memcmp(to, from, 2000), "it waits for all of them");
	for (int i = 0; i < 20; i++)
		if (sva_op_result(&ops[i])->error)
			ok(false, "operation %d has ended with error %d", i,
			   sva_op_result(&ops[i])->error);
	pthread_join(thread, &ran);
	is((uintptr_t)ran, 20, "the device has done all of them");
	is(queue->open_now, 0, "the queue is closed");
}

int main(void)
{
	rig_begin();
	load_init();
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
	queue_stays_full();
	capabilities();
	closing();
	return done();
}
