/* SPDX-License-Identifier: MIT */
/*
 * Submit, poll, wait, reap, retire: on a device that does nothing until it is told to (kernel.h),
 * on soft with and without engine threads, and on the CPU. Time-outs leave an operation pending;
 * each is reaped once, by its thread; another thread may poll.
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

/* A queue that holds what it is given. */
static void begin(const char *keys)
{
	kernel_begin();
	queue = kernel_add("wq0.0", false, 128, keys);
	sva = rig_open("write", 0);
	sva_prep_noop(&ops[0]);
	is_rc(sva_run(sva, &ops[0]), 0, "open");
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

	is(sva_wait(&ops[0], timeout), want, name);
	return sva_now_ns() - before;
}

static void waiting(void)
{
	struct sva_op before;

	begin(NULL);
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit");
	is_rc(sva_poll(&ops[0]), 0, "not yet");
	is_rc(sva_op_result(&ops[0])->error, -EINPROGRESS, "which the result says, too");
	is_rc(sva_submit(sva, &ops[0]), -EBUSY, "it can not be submitted now");
	ok(wait_for(0, -ETIME, "wait for no time") < 1000000000, "is quick");
	ok(wait_for(2000000, -ETIME, "wait for two milliseconds") >= 2000000, "lasts as long");
	ok(wait_for(1, -ETIME, "wait for a nanosecond") < 1000000000, "is quick");
	is_rc(sva_op_result(&ops[0])->error, -EINPROGRESS, "it is pending still");
	is(queue->held, 1, "with the device");
	ok(!to[0], "and nothing is done");
	kernel_run(queue, 1);
	is_rc(sva_wait(&ops[0], 0), 0, "done, with no time to wait");
	ok(all_right(1), "the bytes are there, user_data is the caller's");
	is(sva_poll(&ops[0]), 1, "the same answer again");
	is_rc(sva_wait(&ops[0], -1), 0, "and again");
	is_rc(sva_wait(&ops[0], INT64_MAX), 0, "and again");
	sva_op_retire(&ops[0]);
	is(sva_poll(&ops[0]), 1, "also after retiring it");
	before = ops[0];
	is_rc(sva_submit(sva, &ops[0]), -EINVAL, "it is not submitted twice");
	ok(!memcmp(&before, &ops[0], sizeof(before)), "nor changed by trying");
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "but prepared anew it is");
	kernel_run(queue, 1);
	is_rc(sva_wait(&ops[0], INT64_MAX), 0, "and waited for, very long");

	prepare(1);
	ops[0].desc.reserved = 3;
	is_rc(sva_submit(sva, &ops[0]), 0, "one that fails");
	kernel_run(queue, 1);
	is_rc(sva_poll(&ops[0]), -EINVAL, "says so");
	is_rc(sva_poll(&ops[0]), -EINVAL, "again and again");
	is_rc(sva_wait(&ops[0], -1), -EINVAL, "whoever asks");
	is(sva_op_result(&ops[0])->status, SVA_STATUS_RESERVED_FIELD, "and why");
	sva_close(sva);
}

/* An operation of chunks goes on when somebody looks. */
static void chunks(void)
{
	begin("max-transfer=1024");
	sva_prep_memcpy(&ops[0], to, from, 4000);
	memset(to, 0, 4000);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit four chunks");
	for (unsigned int i = 0; i < 4; i++) {
		is(queue->held, 1, "one at a time");
		is_rc(sva_poll(&ops[0]), 0, "not yet");
		kernel_run(queue, 1);
		is(queue->held, 0, "nothing more before somebody looks");
		is(sva_poll(&ops[0]), i == 3, "looking sends the next");
	}
	is(sva_op_result(&ops[0])->chunks, 4, "four descriptors");
	ok(!memcmp(to, from, 4000), "all is done");
	sva_close(sva);
}

static void refused(void)
{
	static char memory[sizeof(struct sva_op) + 64] __attribute__((aligned(64)));
	struct sva_op *misaligned = (struct sva_op *)(void *)(memory + 16);
	struct sva_op *done[4];

	begin(NULL);
	memset(&ops[0], 0xa5, sizeof(ops[0]));
	is_rc(sva_submit(sva, &ops[0]), -EINVAL, "garbage");
	is_rc(sva_poll(&ops[0]), -EINVAL, "is not polled");
	is_rc(sva_wait(&ops[0], -1), -EINVAL, "nor waited for");
	sva_op_retire(&ops[0]);
	memset(&ops[0], 0, sizeof(ops[0]));
	is_rc(sva_submit(sva, &ops[0]), -EINVAL, "zeros");
	is_rc(sva_poll(&ops[0]), -EINVAL, "are not polled");
	sva_prep_memcpy(&ops[0], to, from, 64);
	memcpy(memory + 16, &ops[0], sizeof(ops[0]));
	is_rc(sva_submit(sva, misaligned), -EINVAL, "one that is misaligned");
	is_rc(sva_bond_submit(NULL, misaligned), -EINVAL, "on no bond");
	for (unsigned int bit = 0; bit < 32; bit++) {
		if (1u << bit & SVA_OP_FLAGS_ALL)
			continue;
		prepare(1);
		ops[0].flags = 1u << bit;
		is_rc(sva_submit(sva, &ops[0]), -EINVAL, "an unknown flag");
	}
	is_rc(sva_submit((struct sva *)(void *)from, &ops[0]), -EINVAL, "what is no context");
	is_rc(sva_reap((struct sva *)(void *)from, done, 4), -EINVAL, "what is no context");
	is_rc(sva_reap(sva, NULL, 4), -EINVAL, "reap into nowhere");
	is_rc(sva_reap(sva, NULL, 0), 0, "reap nothing into nowhere");
	is(queue->held, 0, "the device has seen none of it");
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

	begin(NULL);
	memset(seen, 0, sizeof(seen));
	prepare(100);
	for (unsigned int i = 0; i < 100; i++)
		if (sva_submit(sva, &ops[i]))
			ok(false, "submit %u", i);
	is(reap(MANY), 0, "nothing has ended");
	kernel_run(queue, 30);
	is(reap(10), 10, "as many as there is room for");
	is(reap(MANY), 20, "the others that have ended");
	is(reap(MANY), 0, "and none twice");
	kernel_run(queue, 10);
	is(sva_poll(&ops[35]), 1, "one that was polled");
	is_rc(sva_wait(&ops[36], -1), 0, "and one that was waited for");
	seen[35]++;
	seen[36]++;
	pthread_create(&thread, NULL, reap_elsewhere, NULL);
	pthread_join(thread, &got);
	is((uintptr_t)got, 0, "another thread reaps none of these");
	is(reap(MANY), 8, "are not reaped");
	kernel_run(queue, 10);
	is(reap(3), 3, "three of them");
	kernel_run(queue, 100);
	is(reap(UINT32_MAX), 57, "all, without a limit");
	ok(each_once(100) && all_right(100), "each was reaped once, and is done");
	is(atomic_load(&sva_tls.current->in_flight), 0, "nothing is left on the list");

	/* One that fails is reaped too; one that has ended when submit returns, too. */
	memset(seen, 0, sizeof(seen));
	prepare(3);
	ops[1].desc.reserved = 1;
	sva_prep_memcpy(&ops[2], NULL, NULL, 0);
	ops[2].user_data = TOKEN + 2;
	for (unsigned int i = 0; i < 3; i++)
		is_rc(sva_submit(sva, &ops[i]), 0, "submit");
	kernel_run(queue, 10);
	is(reap(UINT32_MAX), 3, "whatever became of them");
	ok(each_once(3) && sva_op_result(&ops[1])->error == -EINVAL, "each once");
	sva_close(sva);
}

/* Of each context its own. */
static void two_contexts(void)
{
	struct sva *other;
	struct sva_op *done[4];

	begin(NULL);
	other = rig_open("write", 0);
	prepare(2);
	is_rc(sva_submit(sva, &ops[0]), 0, "one here");
	is_rc(sva_submit(other, &ops[1]), 0, "one there");
	kernel_run(queue, 2);
	ok(sva_reap(other, done, 4) == 1 && done[0] == &ops[1], "reap there");
	ok(sva_reap(sva, done, 4) == 1 && done[0] == &ops[0], "reap here");
	sva_close(other);
	sva_close(sva);
}

/* A few finished ones among many that are not: a look at each in turn finds them all. */
static void few_among_many(void)
{
	struct sva_op *done[2];
	unsigned int found = 0, calls = 0;

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
	is(found, 11, "all that have ended are found");
	ok(calls < 60, "in %u calls", calls);
	kernel_run(queue, 100);
	sva_close(sva);
	is_rc(sva_op_result(&ops[50])->error, 0, "closing has waited for the others");
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
	begin("max-transfer=1024");
	sva_prep_memcpy(&ops[0], to, from, 10000);
	memset(to, 0, 10000);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit here");
	is(in_thread(poll_elsewhere, &ops[0]), 1, "poll there, which sends the chunks");
	ok(!memcmp(to, from, 10000), "it is done");
	is(sva_op_result(&ops[0])->chunks, 10, "in ten chunks");
	is(sva_poll(&ops[0]), 1, "and poll here");
	sva_prep_memcpy(&ops[0], to, from, 3000);
	is(in_thread(submit_elsewhere, &ops[0]), 0, "submit in a thread that ends");
	kernel_run(queue, 1);
	is_rc(sva_poll(&ops[0]), 0, "poll here");
	kernel_run(queue, 1);
	is(in_thread(poll_elsewhere, &ops[0]), 1, "and in a third thread");
	sva_prep_memcpy(&ops[0], to, from, 64);
	is(in_thread(submit_elsewhere, &ops[0]), 0, "submit in another thread that ends");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 1);
	is(in_thread(wait_elsewhere, &ops[0]), 0, "wait in yet another");
	ok(atomic_load(&sva->threads) != NULL && !atomic_load(&sva_tls.current->in_flight),
	   "nothing is left");
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

	begin(NULL);
	prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit");
	is_rc(sva_wait(&ops[0], 1000000), -ETIME, "it takes too long");
	pthread_create(&thread, NULL, run_soon, NULL);
	sva_op_retire(&ops[0]);
	ok(all_right(1), "retiring waits for its end");
	pthread_join(thread, NULL);
	sva_prep_noop(&ops[0]);
	sva_op_retire(&ops[0]);
	is_rc(sva_submit(sva, &ops[0]), 0,
	   "one that was never submitted is not changed by retiring it");
	kernel_run(queue, 1);
	is_rc(sva_wait(&ops[0], -1), 0, "done");
	sva_close(sva);
}

/* ------------------------------------------------------------------ where no device is needed */

static void everywhere(const char *paths, unsigned int threads)
{
	unsigned int found = 0;

	kernel_begin();
	sva = rig_open(paths, threads);
	memset(seen, 0, sizeof(seen));
	prepare(MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		int err;

		while ((err = sva_submit(sva, &ops[i])) == -EAGAIN)
			found += reap(16);
		if (err)
			ok(false, "submit %u: %d", i, err);
	}
	for (uint64_t end = rig_now_ms() + 10000; found < MANY && rig_now_ms() < end;)
		found += reap(16);
	is(found, MANY, "all are reaped");
	ok(each_once(MANY) && all_right(MANY), "%s, %u threads: each once, and all is done",
	   paths ? paths : "by default", threads);
	/* Left alone, some polled, the rest is closing's. */
	prepare(100);
	for (unsigned int i = 0; i < 100; i++)
		while (sva_submit(sva, &ops[i]) == -EAGAIN)
			;
	sva_close(sva);
	ok(all_right(100), "closing waits for what is in flight");
}

static void default_context(void)
{
	struct sva_op *done[4];

	kernel_begin();
	prepare(2);
	is_rc(sva_submit(NULL, &ops[0]), 0, "the default context");
	is_rc(sva_wait(&ops[0], -1), 0, "done");
	is_rc(sva_submit(NULL, &ops[1]), 0, "another");
	ok(sva_reap(NULL, done, 4) == 1 && done[0] == &ops[1], "reaped");
	ok(all_right(2), "done");
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
