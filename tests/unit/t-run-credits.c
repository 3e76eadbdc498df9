/* SPDX-License-Identifier: MIT */
/*
 * Credits of a dedicated queue that belong to operations which the device has finished and their
 * owners have not polled: calls that wait get them, each one once, by write(2) and through a
 * portal; by one thread, and by several that end each other's operations.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "lib/base/machine.h"
#include "lib/run/run.h"
#include "tap.h"
#include "unit/doorbell.h"
#include "unit/load.h"
#include "unit/rig.h"

#define ENTRIES 2u
#define KEYS "max-transfer=4096 op-cap=0x1003f07ff gen-cap=0x40915f010f "

static struct sva_bond *bond;
static const char *path_name;

static void set_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 5000;
}

/* A queue of two, on a path; batches: it takes them as one descriptor. */
static void begin(const char *path, bool batches, enum kernel_mode mode)
{
	char line[200];

	path_name = path;
	kernel_begin();
	kernel_cpu = SVA_CPU_MOVDIR64B;
	snprintf(line, sizeof(line), KEYS "max-batch=%u", batches ? 32 : 1);
	queue = kernel_add("wq0.0", true, ENTRIES, line);
	queue->rings = !strcmp(path, "movdir64b");
	queue->profile = sva_model_dsa2;
	queue->mode = mode;
	sva = rig_open_opts(path, set_timeout);
	if (sva_bind(sva, "wq0.0", 0, &bond)) {
		printf("Bail out! sva_bind\n");
		exit(1);
	}
}

static void end(void)
{
	sva_unbind(bond);
	sva_close(sva);
}

static void check_queue(void)
{
	is(load_free_credits(bond), ENTRIES, "the queue has as many credits as entries afterwards");
	is(queue->dropped, 0, "the device has dropped no descriptor");
	ok(queue->most_held <= ENTRIES, "it never had more descriptors than entries");
}

/* ------------------------------------------------------------------ one thread */

static int wait_for_batch(struct sva_op **entries, unsigned int n, struct sva_op *batch)
{
	int err;

	sva_prep_batch(batch, entries, n);
	while ((err = sva_bond_submit(bond, batch)) == -EAGAIN)
		;
	return err ? err : sva_wait(batch, -1);
}

/* Two operations that are finished but not polled, on the short road or on the long one. */
static void submit_two(bool short_road)
{
	load_prepare(5);
	/* On the short road the lease has to have a credit for each. */
	for (unsigned int i = 0; i < 9 && short_road; i++)
		if (sva_tls.current->recent->credits < (int)ENTRIES)
			sva_lease_refill(sva_tls.current->recent);
	for (unsigned int i = 0; i < 2; i++) {
		if (!short_road)
			sva_tls.current->recent = NULL;
		is_rc(sva_submit(sva, &ops[i]), 0, "one of two is submitted");
		is(sva_op_is_in(&ops[i], SVA_OP_FAST), short_road, "it takes that road");
	}
}

static void one_thread(const char *path, bool batches, bool short_road)
{
	begin(path, batches, KERNEL_AT_ONCE);
	subject("%s, %s, %s road", path, batches ? "batches" : "no batches",
		short_road ? "short" : "long");
	load_prepare(1);
	is_rc(sva_submit(sva, &ops[0]), 0, "a first operation, which opens the queue");
	is_rc(sva_wait(&ops[0], -1), 0, "wait for it");
	for (unsigned int round = 0; round < 3; round++) {
		queue->mode = KERNEL_HELD;
		submit_two(short_road);
		queue->mode = KERNEL_AT_ONCE;
		kernel_run(queue, 2);
		if (batches)
			/* The batch is one operation that was not submitted yet: it needs room. */
			is(sva_poll(&ops[0]), 1, "one of the two is polled");
		is_rc(wait_for_batch(list + 2, 3, &ops[10]), 0, "a batch of three is waited for");
		is_rc(sva_memcpy(sva, to + 1000, from + 1000, 100), 0, "a copy is waited for");
		is_rc(sva_memcpy(sva, to + 1100, from + 1100, 100), 0, "and another one");
		is(sva_poll(&ops[0]), 1, "the first of the two operations is polled");
		is(sva_poll(&ops[1]), 1, "the second of the two operations is polled");
		ok(!memcmp(to, from, 500) && !memcmp(to + 1000, from + 1000, 200),
		   "all bytes are copied");
		check_queue();
	}
	end();
}

/* Its owner is another thread than the one that is short of credits. */
static void *poll_both(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)(sva_poll(&ops[0]) == 1 && sva_poll(&ops[1]) == 1);
}

static void *copy_once(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)sva_memcpy(sva, to + 1000, from + 1000, 100);
}

static void two_threads(const char *path, bool by_other)
{
	begin(path, true, KERNEL_AT_ONCE);
	subject("%s, two threads", path);
	load_prepare(1);
	sva_submit(sva, &ops[0]);
	sva_wait(&ops[0], -1);
	queue->mode = KERNEL_HELD;
	submit_two(true);
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 2);
	is(load_in_thread(copy_once), 0, "another thread waits for a copy");
	if (by_other)
		is(load_in_thread(poll_both), 1, "a third thread polls both operations");
	else
		ok(sva_wait(&ops[0], -1) == 0 && sva_wait(&ops[1], 0) == 0,
		   "the owner waits for both operations");
	check_queue();
	end();
}

/* ------------------------------------------------------------------ many rounds */

#define THREADS 3u
#define SETS    4u
#define SLOT    1024u /* bytes of a thread, in which each set has two copies of 64 */

struct set {
	struct sva_op op[2];
	unsigned int n;
	atomic_bool handed; /* to the next thread, which ends what is in it */
};

static struct set sets[THREADS][SETS];
static struct sva_op entries[THREADS][3], batch[THREADS];
static unsigned int rounds = 3000;
static atomic_uint wrong, handed_over, batched;

static uint8_t *slot(uint8_t *buffer, unsigned int t, unsigned int set, unsigned int i)
{
	return buffer + t * SLOT + set * 128 + i * 64;
}

static void complain(const char *what, unsigned int t, int err)
{
	if (!atomic_fetch_add(&wrong, 1))
		printf("# %s, thread %u: %d\n", what, t, err);
}

static void fill_sets(unsigned int t, unsigned int round)
{
	struct sva_op *both[2];

	for (unsigned int s = 0; s < SETS; s++) {
		struct set *set = &sets[t][s];
		int n;

		if (atomic_load_explicit(&set->handed, memory_order_acquire))
			continue;
		for (unsigned int i = 0; i < 2; i++) {
			memset(slot(to, t, s, i), 0, 64);
			sva_prep_memcpy(&set->op[i], slot(to, t, s, i), slot(from, t, s, i), 64);
			both[i] = &set->op[i];
		}
		n = sva_submit_many(sva, both, round % 3 ? 2 : 1);
		if (n == -EAGAIN)
			continue;
		if (n < 0) {
			complain("submit", t, n);
			continue;
		}
		set->n = (unsigned int)n;
		atomic_store_explicit(&set->handed, true, memory_order_release);
	}
}

/* End what the thread before this one has submitted. */
static void end_sets(unsigned int t, bool wait)
{
	unsigned int other = (t + THREADS - 1) % THREADS;

	for (unsigned int s = 0; s < SETS; s++) {
		struct set *set = &sets[other][s];

		if (!atomic_load_explicit(&set->handed, memory_order_acquire))
			continue;
		for (unsigned int i = 0; i < set->n; i++) {
			int err = wait || i ? sva_wait(&set->op[i], -1) : sva_poll(&set->op[i]);

			if (!err && !wait && !i)
				err = sva_wait(&set->op[i], -1);
			if (err < 0 || memcmp(slot(to, other, s, i), slot(from, other, s, i), 64))
				complain("operation of another thread", other, err);
		}
		atomic_fetch_add(&handed_over, set->n);
		atomic_store_explicit(&set->handed, false, memory_order_release);
	}
}

static void run_batch(unsigned int t)
{
	struct sva_op *all[3];
	int err;

	for (unsigned int i = 0; i < 3; i++) {
		memset(slot(to, t, SETS, i), 0, 64);
		sva_prep_memcpy(&entries[t][i], slot(to, t, SETS, i), slot(from, t, SETS, i), 64);
		all[i] = &entries[t][i];
	}
	sva_prep_batch(&batch[t], all, 3);
	err = sva_bond_submit(bond, &batch[t]);
	if (err == -EAGAIN)
		return;
	if (!err)
		err = sva_wait(&batch[t], -1);
	if (err || memcmp(slot(to, t, SETS, 0), slot(from, t, SETS, 0), 192))
		complain("batch", t, err);
	atomic_fetch_add(&batched, 1);
}

static void *storm(void *arg)
{
	unsigned int t = (unsigned int)(uintptr_t)arg;
	uint8_t *dst = slot(to, t, SETS + 2, 0);
	int err;

	for (unsigned int round = 0; round < rounds; round++) {
		fill_sets(t, round);
		if (round % 2)
			run_batch(t);
		memset(dst, 0, 64);
		err = sva_memcpy(sva, dst, slot(from, t, SETS + 2, 0), 64);
		if (err || memcmp(dst, slot(from, t, SETS + 2, 0), 64))
			complain("copy", t, err);
		if (round % 3 == t)
			end_sets(t, round % 2);
	}
	return NULL;
}

static void many_rounds(const char *path, bool batches)
{
	pthread_t thread[THREADS];

	begin(path, batches, KERNEL_THREAD);
	subject("%s, %s, %u rounds of %u threads", path, batches ? "batches" : "no batches",
		rounds, THREADS);
	atomic_store(&wrong, 0);
	atomic_store(&handed_over, 0);
	atomic_store(&batched, 0);
	for (unsigned int t = 0; t < THREADS; t++)
		pthread_create(&thread[t], NULL, storm, (void *)(uintptr_t)t);
	for (unsigned int t = 0; t < THREADS; t++)
		pthread_join(thread[t], NULL);
	for (unsigned int t = 0; t < THREADS; t++)
		end_sets(t, true);
	is(atomic_load(&wrong), 0, "every operation succeeds, and every byte is right");
	ok(atomic_load(&handed_over) > 100, "other threads ended operations (%u)",
	   atomic_load(&handed_over));
	ok(atomic_load(&batched) > 100 || !batches, "batches were waited for (%u)",
	   atomic_load(&batched));
	check_queue();
	end();
}

int main(void)
{
	const char *sanitizers = getenv("SANITIZERS");

	rig_begin();
	doorbell_begin();
	load_init();
	if (sanitizers && strcmp(sanitizers, "no"))
		rounds /= 3;
	one_thread("write", false, true);
	one_thread("write", false, false);
	one_thread("movdir64b", false, true);
	one_thread("movdir64b", false, false);
	one_thread("movdir64b", true, true);
	one_thread("movdir64b", true, false);
	two_threads("write", false);
	two_threads("write", true);
	two_threads("movdir64b", false);
	two_threads("movdir64b", true);
	many_rounds("write", false);
	many_rounds("movdir64b", false);
	many_rounds("movdir64b", true);
	return done();
}
