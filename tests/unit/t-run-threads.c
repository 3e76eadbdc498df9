/* SPDX-License-Identifier: MIT */
/*
 * Many threads: on soft with and without engine threads, on a shared queue, on a dedicated one
 * whose few credits they have to collect from each other (the kernel drops what there is no room
 * for, and counts it; kernel.h), with operations that other threads wait for, threads that end with
 * work in flight, contexts and bonds that are opened and closed, and a queue whose records stop
 * coming under load. Meant for the thread sanitizer, too.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "lib/run/run.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define THREADS 6u
#define OPS     12u
#define BYTES   3000u

static struct kernel_queue *queue, *second;
static struct sva *sva;
static struct sva_bond *bond;
static unsigned int rounds = 120;
static atomic_uint wrong, lost;

/* ------------------------------------------------------------------ what a thread does */

struct worker {
	pthread_t thread;
	unsigned int number;
	uint32_t seed;
	struct sva_op *ops;
	uint8_t *from, *to;
	bool may_fail; /* records may stop coming: see judge() */
};

static struct worker workers[THREADS];

static uint32_t next(struct worker *w, uint32_t below)
{
	w->seed = w->seed * 1103515245 + 12345;
	return (w->seed >> 8) % below;
}

/*
 * When records stop coming, an operation may fail in three ways: EIO for one in flight, ENODEV for
 * one that finds no path, and EAGAIN for a synchronous call that found the queue full for the whole
 * record timeout, which can happen before the wait of another thread retires the bond
 * (sva_memcpy(3)).
 */
static void judge(struct worker *w, int err, size_t at, size_t len)
{
	if ((err == -EIO || err == -ENODEV || err == -EAGAIN) && w->may_fail) {
		atomic_fetch_add(&lost, 1);
	} else if (err || memcmp(w->to + at, w->from + at, len)) {
		atomic_fetch_add(&wrong, 1);
		printf("# thread %u: %s\n", w->number, err ? strerror(-err) : "other bytes");
	}
}

static void sync_calls(struct worker *w)
{
	size_t at = next(w, BYTES), len = 1 + next(w, BYTES);

	memset(w->to + at, 0, len);
	judge(w, sva_memcpy(sva, w->to + at, w->from + at, len), at, len);
}

static int submit(struct worker *w, struct sva_op *op, bool on_bond)
{
	int err;

	/* The operations that keep it full may be our own: poll them. */
	while ((err = on_bond ? sva_bond_submit(bond, op) : sva_submit(sva, op)) == -EAGAIN) {
		for (unsigned int i = 0; i < OPS; i++)
			if (&w->ops[i] != op && sva_op_is_pending(&w->ops[i]))
				(void)sva_poll(&w->ops[i]);
		sched_yield();
	}
	return err;
}

/* Several in flight, waited for in another order. */
static void async_calls(struct worker *w, bool on_bond)
{
	unsigned int n = 1 + next(w, OPS);
	int err[OPS];

	memset(w->to, 0, OPS * 200);
	for (unsigned int i = 0; i < n; i++) {
		sva_prep_memcpy(&w->ops[i], w->to + 200 * i, w->from + 200 * i, 200);
		err[i] = submit(w, &w->ops[i], on_bond);
	}
	for (unsigned int k = 0; k < n; k++) {
		unsigned int i = (k * 5 + 3) % n;

		/*
		 * 5 and n may have a common divisor: then some are waited for twice, and the others
		 * below.
		 */
		if (!err[i])
			(void)sva_wait(&w->ops[i], -1);
	}
	for (unsigned int i = 0; i < n; i++)
		judge(w, err[i] ? err[i] : sva_wait(&w->ops[i], -1), 200 * i, 200);
}

static void many_calls(struct worker *w)
{
	struct sva_op *list[OPS], *done[OPS];
	unsigned int taken = 0, reaped = 0;

	memset(w->to, 0, OPS * 200);
	for (unsigned int i = 0; i < OPS; i++) {
		sva_prep_memcpy(&w->ops[i], w->to + 200 * i, w->from + 200 * i, 200);
		list[i] = &w->ops[i];
	}
	while (reaped < OPS) {
		int n = taken < OPS ? sva_submit_many(sva, list + taken, OPS - taken) : 0;

		if (n < 0 && n != -EAGAIN) {
			judge(w, n, 0, 1);
			reaped++; /* never submitted, so it is not reaped */
			taken++;
		}
		taken += n > 0 ? (unsigned int)n : 0;
		n = sva_reap(sva, done, OPS);
		for (int i = 0; i < n; i++) {
			size_t at = (size_t)(done[i] - w->ops) * 200;

			judge(w, sva_op_result(done[i])->error, at, 200);
		}
		reaped += n > 0 ? (unsigned int)n : 0;
		if (n <= 0)
			sched_yield();
	}
}

static void batches(struct worker *w)
{
	struct sva_op batch, *list[OPS];

	memset(w->to, 0, OPS * 200);
	for (unsigned int i = 0; i < OPS; i++) {
		sva_prep_memcpy(&w->ops[i], w->to + 200 * i, w->from + 200 * i, 200);
		w->ops[i].flags = i % 5 == 4 ? SVA_OP_FENCE : 0;
		list[i] = &w->ops[i];
	}
	sva_prep_batch(&batch, list, OPS);
	judge(w, sva_run(sva, &batch), 0, w->may_fail ? 0 : OPS * 200);
}

/* ------------------------------------------------------- operations that other threads wait for */

static struct sva_op *hands[THREADS];

/* Wait for the operation of another thread, and report its end in user_data. */
static void take(struct worker *w, struct sva_op *op)
{
	if (!op)
		return;
	if (sva_wait(op, -1) && !w->may_fail)
		atomic_fetch_add(&wrong, 1);
	__atomic_store_n(&op->user_data, 0, __ATOMIC_RELEASE);
}

/* false: it was not submitted, and no other thread has it. */
static bool hand_over(struct worker *w)
{
	struct sva_op *mine = &w->ops[0];
	int err;

	sva_prep_memcpy(mine, w->to, w->from, 200);
	err = submit(w, mine, false);
	if (err) {
		judge(w, err, 0, 0);
		return false;
	}
	/* The next thread waits for ours, and we wait for that of the thread before. */
	__atomic_store_n(&hands[(w->number + 1) % THREADS], mine, __ATOMIC_RELEASE);
	take(w, __atomic_exchange_n(&hands[w->number], NULL, __ATOMIC_ACQ_REL));
	return true;
}

/* The next thread has some time to wait for our operation; then we wait for it ourselves. */
static void take_back(struct worker *w)
{
	struct sva_op *mine = &w->ops[0], *expected = mine;

	for (unsigned int i = 0; __atomic_load_n(&mine->user_data, __ATOMIC_ACQUIRE); i++) {
		if (i >= 32 &&
		    __atomic_compare_exchange_n(&hands[(w->number + 1) % THREADS], &expected, NULL,
						false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			if (sva_wait(mine, -1) && !w->may_fail)
				atomic_fetch_add(&wrong, 1);
			break;
		}
		expected = mine;
		sched_yield();
	}
}

static void change_hands(struct worker *w)
{
	__atomic_store_n(&w->ops[0].user_data, 1, __ATOMIC_RELEASE);
	/* An operation that was refused was not handed over, so its end is not reported. */
	if (hand_over(w))
		take_back(w);
}

/* --------------------------------------------------------- threads that end with work in flight */

static void *submit_and_end(void *arg)
{
	struct worker *w = arg;

	for (unsigned int i = 0; i < 3; i++) {
		sva_prep_memcpy(&w->ops[i], w->to + 200 * i, w->from + 200 * i, 200);
		w->ops[i].user_data = (uint64_t)(int64_t)submit(w, &w->ops[i], false);
	}
	return NULL;
}

static void orphans(struct worker *w)
{
	pthread_t thread;

	memset(w->to, 0, 600);
	if (pthread_create(&thread, NULL, submit_and_end, w))
		return;
	pthread_join(thread, NULL);
	for (unsigned int i = 0; i < 3; i++)
		judge(w,
		      w->ops[i].user_data ? (int)(int64_t)w->ops[i].user_data :
					    sva_wait(&w->ops[i], -1),
		      200 * i, 200);
}

/* ------------------------------------------------------------------ all of it */

static void *work(void *arg)
{
	struct worker *w = arg;

	for (unsigned int i = 0; i < rounds; i++) {
		switch (next(w, 8)) {
		case 0:
		case 1: sync_calls(w); break;
		case 2: async_calls(w, false); break;
		case 3: async_calls(w, bond != NULL); break;
		case 4: many_calls(w); break;
		case 5: batches(w); break;
		case 6: change_hands(w); break;
		default:
			if (i % 4 == 0)
				orphans(w);
			break;
		}
	}
	return NULL;
}

static void start(void *(*fn)(void *arg), bool may_fail)
{
	atomic_store(&wrong, 0);
	atomic_store(&lost, 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		struct worker *w = &workers[i];

		w->number = i;
		w->seed = 77 + i;
		w->may_fail = may_fail;
		hands[i] = NULL;
	}
	for (unsigned int i = 0; i < THREADS; i++)
		if (pthread_create(&workers[i].thread, NULL, fn, &workers[i]))
			exit(1);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

static void on_soft(unsigned int threads)
{
	kernel_begin();
	sva = rig_open("soft", threads);
	subject("%u threads on soft, %u engine threads", THREADS, threads);
	is_rc(sva_bind(sva, "soft", 0, &bond), 0, "bind");
	start(work, false);
	ok(!atomic_load(&wrong), "every operation is right (%u are wrong)", atomic_load(&wrong));
	sva_unbind(bond);
	sva_close(sva);
}

/* All credits are there again: exactly as many operations can be in flight. */
static void count_credits(unsigned int entries)
{
	static struct sva_op ops[70];
	unsigned int taken = 0;

	queue->mode = KERNEL_HELD;
	while (taken < 70) {
		sva_prep_noop(&ops[taken]);
		if (sva_submit(sva, &ops[taken]))
			break;
		taken++;
	}
	is(taken, entries, "every credit of the queue is there afterwards");
	kernel_run(queue, 100);
	for (unsigned int i = 0; i < taken; i++)
		sva_wait(&ops[i], -1);
}

static void on_a_queue(bool dedicated, unsigned int entries, enum kernel_mode mode)
{
	kernel_begin();
	queue = kernel_add("wq0.0", dedicated, entries, "max-transfer=1024");
	queue->mode = mode;
	subject("%u threads on a %s queue of %u, %s", THREADS, dedicated ? "dedicated" : "shared",
		entries, mode == KERNEL_THREAD ? "a device thread" : "executed at once");
	sva = rig_open("write", 0);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	start(work, false);
	ok(!atomic_load(&wrong), "every operation is right (%u are wrong)", atomic_load(&wrong));
	is(queue->dropped, 0, "the device has dropped no descriptor");
	ok(queue->most_held <= entries, "the device has held at most %u descriptors",
	   queue->most_held);
	is(queue->opens, 1, "the queue was opened once");
	sva_unbind(bond);
	sva_close(sva);
	if (!dedicated)
		return;
	queue->mode = KERNEL_AT_ONCE;
	sva = rig_open("write", 0);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind again");
	start(work, false);
	count_credits(entries);
	sva_unbind(bond);
	sva_close(sva);
}

/* Records stop coming while all threads are submitting. */
static void set_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 150;
}

static void under_load(const char *paths)
{
	kernel_begin();
	queue = kernel_add("wq0.0", true, 8, "max-transfer=1024");
	queue->silent_after = 300;
	sva = rig_open_opts(paths, set_timeout);
	subject("%u threads, records stop coming, paths %s", THREADS, paths);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	start(work, true);
	ok(atomic_load(&lost) > 0, "%u operations have failed", atomic_load(&lost));
	is(atomic_load(&wrong), 0,
	   "each failed with an error that is permitted then");
	is(queue->dropped, 0, "the device has dropped no descriptor");
	sva_unbind(bond);
	sva_close(sva);
}

/* -------------------------------------------------------- contexts and bonds, opened and closed */

static void *come_and_go(void *arg)
{
	struct worker *w = arg;
	struct sva_opts opts = SVA_OPTS_INIT;

	opts.paths = "write";
	for (unsigned int i = 0; i < rounds / 8; i++) {
		/*
		 * In turns, so that a thread has leases of both while another closes one of them.
		 */
		const char *name = (w->number + i) % 2 ? "wq0.1" : "wq0.0";
		struct sva_bond *one, *two;
		struct sva *mine;

		if (sva_open(&mine, &opts)) {
			atomic_fetch_add(&wrong, 1);
			continue;
		}
		memset(w->to, 0, 400);
		if (sva_bind(mine, name, 0, &one) || sva_bind(sva, name, 0, &two)) {
			atomic_fetch_add(&wrong, 1);
			sva_close(mine);
			continue;
		}
		sva_prep_memcpy(&w->ops[0], w->to, w->from, 200);
		judge(w, sva_run(mine, &w->ops[0]), 0, 200);
		sva_prep_memcpy(&w->ops[1], w->to + 200, w->from + 200, 200);
		while (sva_bond_submit(one, &w->ops[1]) == -EAGAIN)
			sched_yield();
		if (i % 2)
			judge(w, sva_wait(&w->ops[1], -1), 200, 200);
		sva_unbind(two);
		sva_close(mine);
		if (!(i % 2))
			judge(w, sva_wait(&w->ops[1], -1), 200, 200);
		sva_unbind(one);
	}
	return NULL;
}

static void coming_and_going(void)
{
	kernel_begin();
	queue = kernel_add("wq0.0", false, 64, NULL);
	second = kernel_add("wq0.1", false, 64, NULL);
	sva = rig_open("write", 0);
	subject("%u threads that open and close contexts and bonds", THREADS);
	start(come_and_go, false);
	is(atomic_load(&wrong), 0, "every operation is right");
	ok(queue->most_open == 1 && second->most_open == 1, "no queue was open twice at a time");
	printf("# opened %u and %u times\n", queue->opens, second->opens);
	sva_close(sva);
	is(queue->open_now + second->open_now, 0, "both queues are closed in the end");
}

/* --------------------------------------------- a call from a destructor of thread-specific data */

static struct sva_thread *late_share;
static bool late_own;

static void call_late(void *arg)
{
	struct worker *w = arg;

	judge(w, sva_memcpy(sva, w->to, w->from, BYTES), 0, BYTES);
	late_share = sva_tls.current;
	late_own = sva_lessee_is_own(&late_share->lessee);
}

static void *end_late(void *arg)
{
	struct worker *w = arg;
	pthread_key_t key;

	/*
	 * The library's key is older, and glibc runs destructors in the order of the keys: ours
	 * runs after the library has given up the thread's share.
	 */
	judge(w, sva_memcpy(sva, w->to, w->from, BYTES), 0, BYTES);
	if (pthread_key_create(&key, call_late) || pthread_setspecific(key, w))
		atomic_fetch_add(&wrong, 1);
	return NULL;
}

static void late_calls(void)
{
	pthread_t thread;

	kernel_begin();
	sva = rig_open("soft", 0);
	subject("a copy in a destructor of thread-specific data");
	atomic_store(&wrong, 0);
	if (pthread_create(&thread, NULL, end_late, &workers[0]))
		exit(1);
	pthread_join(thread, NULL);
	ok(!atomic_load(&wrong) && late_share, "it is done");
	ok(late_own, "it uses a share of that thread, which no other thread uses");
	ok(late_share && !atomic_load(&late_share->lessee.owner),
	   "the share has no owner afterwards");
	sva_close(sva);
}

int main(void)
{
	const char *sanitizers = getenv("SANITIZERS");

	rig_begin();
	setenv("SVA_THRESHOLD", "1", 1);
	if (sanitizers && strcmp(sanitizers, "no"))
		rounds /= 2;
	for (unsigned int i = 0; i < THREADS; i++) {
		void *memory;

		if (posix_memalign(&memory, 64, OPS * sizeof(struct sva_op)))
			return 1;
		workers[i].ops = memset(memory, 0, OPS * sizeof(struct sva_op));
		workers[i].from = malloc(2 * BYTES);
		workers[i].to = malloc(2 * BYTES);
		for (unsigned int k = 0; k < 2 * BYTES; k++)
			workers[i].from[k] = (uint8_t)(k + i + 1) | 1;
	}
	on_soft(0);
	on_soft(2);
	on_a_queue(false, 16, KERNEL_AT_ONCE);
	on_a_queue(false, 8, KERNEL_THREAD);
	on_a_queue(true, 1, KERNEL_THREAD);
	on_a_queue(true, 4, KERNEL_THREAD);
	on_a_queue(true, 64, KERNEL_THREAD);
	under_load("write");
	under_load("write,cpu");
	coming_and_going();
	late_calls();
	for (unsigned int i = 0; i < THREADS; i++) {
		free(workers[i].ops);
		free(workers[i].from);
		free(workers[i].to);
	}
	return done();
}
