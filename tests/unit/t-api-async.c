/* SPDX-License-Identifier: MIT */
/*
 * Submit, poll, wait, reap, retire: on a device that executes only when the test calls kernel_run()
 * (kernel.h), on soft with and without engine threads, and on the CPU. A time-out leaves its
 * operation pending; each operation is reaped once, by its thread; another thread may poll it.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "lib/run/run.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define MANY  300u
#define TOKEN 0xfeedfacecafebeefull

static uint8_t *from, *to;
static struct kernel_queue *queue;
static struct sva *sva;
static struct sva_op ops[MANY];

/* A queue that holds its descriptors until kernel_run(). */
static void begin(const char *keys)
{
	kernel_begin();
	queue = kernel_add("wq0.0", false, 128, keys);
	sva = rig_open("write", 0);
	sva_prep_noop(&ops[0]);
	is_rc(sva_run(sva, &ops[0]), 0, "a no-op, which opens the queue");
	queue->mode = KERNEL_HELD;
}

static void prepare(unsigned int n)
{
	memset(to, 0, 64 * MANY);
	for (unsigned int i = 0; i < n; i++) {
		sva_prep_memcpy(&ops[i], to + 64 * i, from + 64 * i, 64);
		ops[i].user_data = TOKEN + i;
	}
}

static bool all_right(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (sva_op_result(&ops[i])->error || ops[i].user_data != TOKEN + i ||
		    memcmp(to + 64 * i, from + 64 * i, 64))
			return false;
	return true;
}

/* ------------------------------------------------------------------ one operation */

static uint64_t wait_for(int64_t timeout, int want, const char *name)
{
	uint64_t before = sva_now_ns();

	is_rc(sva_wait(&ops[0], timeout), want, name);
	return sva_now_ns() - before;
}

static void waiting(void)
{
	struct sva_op before;

	subject("one operation");
	begin(NULL);
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit");
	is_rc(sva_poll(&ops[0]), 0, "poll while it is pending");
	is_rc(sva_op_result(&ops[0])->error, -EINPROGRESS, "its result while it is pending");
	is_rc(sva_submit(sva, &ops[0]), -EBUSY, "submit it a second time while it is pending");
	ok(wait_for(0, -ETIME, "wait for no time") < 1000000000,
	   "a wait for no time takes less than 1 s");
	ok(wait_for(2000000, -ETIME, "wait for two milliseconds") >= 2000000,
	   "a wait for two milliseconds takes at least as long");
	ok(wait_for(1, -ETIME, "wait for a nanosecond") < 1000000000,
	   "a wait for a nanosecond takes less than 1 s");
	is_rc(sva_op_result(&ops[0])->error, -EINPROGRESS, "its result after the time-outs");
	is(queue->held, 1, "the device still has it after the time-outs");
	ok(!to[0], "no byte was copied before the device executed it");
	kernel_run(queue, 1);
	is_rc(sva_wait(&ops[0], 0), 0, "wait for no time when it has ended");
	ok(all_right(1), "its bytes are copied, user_data is the caller's");
	is(sva_poll(&ops[0]), 1, "poll after its end returns 1");
	is_rc(sva_wait(&ops[0], -1), 0, "wait without limit after its end");
	is_rc(sva_wait(&ops[0], INT64_MAX), 0, "wait for the longest time after its end");
	sva_op_retire(&ops[0]);
	is(sva_poll(&ops[0]), 1, "poll after its end and sva_op_retire() returns 1");
	before = ops[0];
	is_rc(sva_submit(sva, &ops[0]), -EINVAL, "submit it again without preparing it");
	ok(!memcmp(&before, &ops[0], sizeof(before)), "the refused submit has not changed it");
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit it again, prepared again");
	kernel_run(queue, 1);
	is_rc(sva_wait(&ops[0], INT64_MAX), 0, "wait for it for the longest time");

	prepare(1);
	subject("one operation that the device refuses");
	ops[0].desc.reserved = 3;
	is_rc(sva_submit(sva, &ops[0]), 0, "submit");
	kernel_run(queue, 1);
	is_rc(sva_poll(&ops[0]), -EINVAL, "poll when it has ended");
	is_rc(sva_poll(&ops[0]), -EINVAL, "poll a second time");
	is_rc(sva_wait(&ops[0], -1), -EINVAL, "wait after polling");
	is(sva_op_result(&ops[0])->status, SVA_STATUS_RESERVED_FIELD,
	   "its result has the status RESERVED_FIELD");
	sva_close(sva);
}

/* The next chunk of an operation is submitted when the operation is polled. */
static void chunks(void)
{
	subject("an operation of four chunks");
	begin("max-transfer=1024");
	sva_prep_memcpy(&ops[0], to, from, 4000);
	memset(to, 0, 4000);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit");
	for (unsigned int i = 0; i < 4; i++) {
		is(queue->held, 1, "the device has one chunk at a time");
		is_rc(sva_poll(&ops[0]), 0, "poll while a chunk is with the device");
		kernel_run(queue, 1);
		is(queue->held, 0, "the next chunk is not sent before a poll");
		is(sva_poll(&ops[0]), i == 3,
		   i == 3 ? "the poll after the last chunk returns 1" :
			    "the poll that sends the next chunk returns 0");
	}
	is(sva_op_result(&ops[0])->chunks, 4, "its result has four chunks");
	ok(!memcmp(to, from, 4000), "all of its bytes are copied");
	sva_close(sva);
}

static void refused(void)
{
	static char memory[sizeof(struct sva_op) + 64] __attribute__((aligned(64)));
	struct sva_op *misaligned = (struct sva_op *)(void *)(memory + 16);
	struct sva_op *done[4];

	begin(NULL);
	subject("an operation of garbage");
	memset(&ops[0], 0xa5, sizeof(ops[0]));
	is_rc(sva_submit(sva, &ops[0]), -EINVAL, "submit");
	is_rc(sva_poll(&ops[0]), -EINVAL, "poll");
	is_rc(sva_wait(&ops[0], -1), -EINVAL, "wait");
	sva_op_retire(&ops[0]);
	subject("an operation of zeros");
	memset(&ops[0], 0, sizeof(ops[0]));
	is_rc(sva_submit(sva, &ops[0]), -EINVAL, "submit");
	is_rc(sva_poll(&ops[0]), -EINVAL, "poll");
	subject("refused");
	sva_prep_memcpy(&ops[0], to, from, 64);
	memcpy(memory + 16, &ops[0], sizeof(ops[0]));
	is_rc(sva_submit(sva, misaligned), -EINVAL,
	      "submit an operation that is misaligned in memory");
	is_rc(sva_bond_submit(NULL, misaligned), -EINVAL, "submit to no bond");
	for (unsigned int bit = 0; bit < 32; bit++) {
		if (1u << bit & SVA_OP_FLAGS_ALL)
			continue;
		prepare(1);
		ops[0].flags = 1u << bit;
		is_rc(sva_submit(sva, &ops[0]), -EINVAL,
		      "submit an operation with an unknown flag");
	}
	is_rc(sva_submit((struct sva *)(void *)from, &ops[0]), -EINVAL,
	      "submit to a pointer that is not a context");
	is_rc(sva_reap((struct sva *)(void *)from, done, 4), -EINVAL,
	      "reap from a pointer that is not a context");
	is_rc(sva_reap(sva, NULL, 4), -EINVAL, "reap with room for 4 at null");
	is_rc(sva_reap(sva, NULL, 0), 0, "reap with room for none at null");
	is(queue->held, 0, "the device has got no descriptor");
	sva_close(sva);
}

/* ------------------------------------------------------------------ reaping */

static unsigned int seen[MANY];

static unsigned int reap(unsigned int room)
{
	struct sva_op *done[MANY];
	int n = sva_reap(sva, done, room);

	for (int i = 0; i < n; i++)
		seen[done[i]->user_data - TOKEN]++;
	return n < 0 ? 0 : (unsigned int)n;
}

static bool each_once(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (seen[i] != 1)
			return false;
	return true;
}

static void *reap_elsewhere(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)reap(MANY);
}

static void reaping(void)
{
	pthread_t thread;
	void *got;

	subject("reaping of 100 operations");
	begin(NULL);
	memset(seen, 0, sizeof(seen));
	prepare(100);
	for (unsigned int i = 0; i < 100; i++)
		if (sva_submit(sva, &ops[i]))
			ok(false, "submit operation %u", i);
	is(reap(MANY), 0, "none, since none has ended");
	kernel_run(queue, 30);
	is(reap(10), 10, "10 of 30 that have ended, as there is room for 10");
	is(reap(MANY), 20, "the other 20 that have ended");
	is(reap(MANY), 0, "none a second time");
	kernel_run(queue, 10);
	is(sva_poll(&ops[35]), 1, "poll one that has ended");
	is_rc(sva_wait(&ops[36], -1), 0, "wait for one that has ended");
	seen[35]++;
	seen[36]++;
	pthread_create(&thread, NULL, reap_elsewhere, NULL);
	pthread_join(thread, &got);
	is((uintptr_t)got, 0, "another thread reaps none of them");
	is(reap(MANY), 8, "8 of 10: not the one that was polled and the one that was waited for");
	kernel_run(queue, 10);
	is(reap(3), 3, "3 of 10, as there is room for 3");
	kernel_run(queue, 100);
	is(reap(UINT32_MAX), 57, "all of the others, with the greatest limit");
	ok(each_once(100) && all_right(100), "each was reaped once, and is done");
	ok(sva_thread_is_idle(sva_tls.current), "none is left on the thread's list");

	/* One that fails is reaped too; one that has ended when submit returns, too. */
	subject("reaping of a success, a failure, and one that ended at submit");
	memset(seen, 0, sizeof(seen));
	prepare(3);
	ops[1].desc.reserved = 1;
	sva_prep_memcpy(&ops[2], NULL, NULL, 0);
	ops[2].user_data = TOKEN + 2;
	for (unsigned int i = 0; i < 3; i++)
		is_rc(sva_submit(sva, &ops[i]), 0, "submit");
	kernel_run(queue, 10);
	is(reap(UINT32_MAX), 3, "all three are reaped");
	ok(each_once(3) && sva_op_result(&ops[1])->error == -EINVAL,
	   "each is reaped once, one with -EINVAL");
	sva_close(sva);
}

/* Each context reaps its own operations. */
static void two_contexts(void)
{
	struct sva *other;
	struct sva_op *done[4];

	subject("reaping in two contexts");
	begin(NULL);
	other = rig_open("write", 0);
	prepare(2);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit in the first");
	is_rc(sva_submit(other, &ops[1]), 0, "submit in the second");
	kernel_run(queue, 2);
	ok(sva_reap(other, done, 4) == 1 && done[0] == &ops[1], "the second reaps its own");
	ok(sva_reap(sva, done, 4) == 1 && done[0] == &ops[0], "the first reaps its own");
	sva_close(other);
	sva_close(sva);
}

/* 11 of 100 have ended: sva_reap() looks at a few in each call and finds them all. */
static void few_among_many(void)
{
	struct sva_op *done[2];
	unsigned int found = 0, calls = 0;

	subject("11 of 100 operations have ended");
	begin(NULL);
	prepare(100);
	for (unsigned int i = 0; i < 100; i++)
		sva_submit(sva, &ops[i]);
	kernel_run(queue, 1);
	/* The device ends the last ones first, as it may. */
	for (unsigned int i = 90; i < 100; i++)
		__atomic_store_n(&ops[i].comp.status, SVA_STATUS_SUCCESS, __ATOMIC_RELEASE);
	for (; found < 11 && calls < 200; calls++)
		found += (unsigned int)sva_reap(sva, done, 2);
	is(found, 11, "sva_reap() finds all of them");
	ok(calls < 60, "%u calls with room for 2 have found them", calls);
	kernel_run(queue, 100);
	sva_close(sva);
	is_rc(sva_op_result(&ops[50])->error, 0, "sva_close() has waited for the others");
}

/* ------------------------------------------------------------------ other threads */

static void *poll_elsewhere(void *arg)
{
	struct sva_op *op = arg;
	int done;

	while (!(done = sva_poll(op)))
		kernel_run(queue, 1);
	return (void *)(intptr_t)done;
}

static void *submit_elsewhere(void *arg)
{
	return (void *)(intptr_t)sva_submit(sva, arg);
}

static void *wait_elsewhere(void *arg)
{
	return (void *)(intptr_t)sva_wait(arg, -1);
}

static intptr_t in_thread(void *(*fn)(void *arg), void *arg)
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, fn, arg);
	pthread_join(thread, &result);
	return (intptr_t)result;
}

static void other_threads(void)
{
	subject("other threads");
	begin("max-transfer=1024");
	sva_prep_memcpy(&ops[0], to, from, 10000);
	memset(to, 0, 10000);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit in the main thread");
	is(in_thread(poll_elsewhere, &ops[0]), 1,
	   "another thread polls it, which sends the chunks");
	ok(!memcmp(to, from, 10000), "all of its bytes are copied");
	is(sva_op_result(&ops[0])->chunks, 10, "its result has ten chunks");
	is(sva_poll(&ops[0]), 1, "the main thread polls it after its end");
	sva_prep_memcpy(&ops[0], to, from, 3000);
	is(in_thread(submit_elsewhere, &ops[0]), 0, "submit in a thread that ends");
	kernel_run(queue, 1);
	is_rc(sva_poll(&ops[0]), 0, "the main thread polls it while a chunk is left");
	kernel_run(queue, 1);
	is(in_thread(poll_elsewhere, &ops[0]), 1, "a third thread polls it to its end");
	sva_prep_memcpy(&ops[0], to, from, 64);
	is(in_thread(submit_elsewhere, &ops[0]), 0, "submit in another thread that ends");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 1);
	is(in_thread(wait_elsewhere, &ops[0]), 0, "a third thread waits for it");
	ok(atomic_load(&sva->threads) != NULL && sva_thread_is_idle(sva_tls.current),
	   "no operation is left on the list of the main thread");
	sva_close(sva);
}

/* ------------------------------------------------------------------ retiring */

static void *run_soon(void *arg)
{
	(void)arg;
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	kernel_run(queue, MANY);
	return NULL;
}

static void retiring(void)
{
	pthread_t thread;

	subject("sva_op_retire()");
	begin(NULL);
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit an operation");
	is_rc(sva_wait(&ops[0], 1000000), -ETIME, "wait for it for 1 ms");
	pthread_create(&thread, NULL, run_soon, NULL);
	sva_op_retire(&ops[0]);
	ok(all_right(1), "it waits for the end of the operation");
	pthread_join(thread, NULL);
	sva_prep_noop(&ops[0]);
	sva_op_retire(&ops[0]);
	is_rc(sva_submit(sva, &ops[0]), 0,
	   "submit an operation that was retired before");
	kernel_run(queue, 1);
	is_rc(sva_wait(&ops[0], -1), 0, "wait for that operation");
	sva_close(sva);
}

/* ------------------------------------------------------------------ where no device is needed */

static void everywhere(const char *paths, unsigned int threads)
{
	unsigned int found = 0;

	subject("300 operations, paths %s, %u engine threads", paths ? paths : "by default",
		threads);
	kernel_begin();
	sva = rig_open(paths, threads);
	memset(seen, 0, sizeof(seen));
	prepare(MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		int err;

		while ((err = sva_submit(sva, &ops[i])) == -EAGAIN)
			found += reap(16);
		if (err)
			ok(false, "submit operation %u: %d", i, err);
	}
	for (uint64_t end = rig_now_ms() + 10000; found < MANY && rig_now_ms() < end;)
		found += reap(16);
	is(found, MANY, "all are reaped");
	ok(each_once(MANY) && all_right(MANY), "each is reaped once and is done");
	/* These are neither polled nor reaped: sva_close() ends them. */
	prepare(100);
	for (unsigned int i = 0; i < 100; i++)
		while (sva_submit(sva, &ops[i]) == -EAGAIN)
			;
	sva_close(sva);
	ok(all_right(100), "sva_close() waits for 100 that are in flight");
}

static void default_context(void)
{
	struct sva_op *done[4];

	subject("the default context");
	kernel_begin();
	prepare(2);
	is_rc(sva_submit(NULL, &ops[0]), 0, "submit the first operation");
	is_rc(sva_wait(&ops[0], -1), 0, "wait for the first operation");
	is_rc(sva_submit(NULL, &ops[1]), 0, "submit the second operation");
	ok(sva_reap(NULL, done, 4) == 1 && done[0] == &ops[1], "the second operation is reaped");
	ok(all_right(2), "both operations are done");
	sva_close(NULL);
}

int main(void)
{
	rig_begin();
	from = rig_pages(64 * MANY / RIG_PAGE + 1);
	to = rig_pages(64 * MANY / RIG_PAGE + 1);
	for (unsigned int i = 0; i < 64 * MANY; i++)
		from[i] = (uint8_t)(i * 3 + i / 255 + 1);
	waiting();
	chunks();
	refused();
	reaping();
	two_contexts();
	few_among_many();
	other_threads();
	retiring();
	everywhere("soft", 0);
	everywhere("soft", 1);
	everywhere("soft", 4);
	everywhere("cpu", 0);
	everywhere(NULL, 2);
	default_context();
	return done();
}
