/* SPDX-License-Identifier: MIT */
/* The ways to have operations done, and to learn that they have ended. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "storm/storm.h"

const struct kind kind_batch = {"batch", NULL, NULL, 0, 0};
static const struct kind kind_chained = {"copy of the entry before", NULL, NULL, 0, KIND_SIMPLE};

struct place *place_pick(struct worker *worker)
{
	struct place *place;

	do {
		place = &worker->place[chance_below(&worker->chance, PLACES)];
	} while (!place->open);
	return place;
}

static struct tie *tie_pick(struct worker *worker)
{
	struct tie *tie = &worker->tie[chance_below(&worker->chance, options.ties)];

	return tie->bond ? tie : NULL;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ------------------------------------------------------------------ synchronous */

/* Nothing of it is in flight; the error and the result are those that the call left. */
void end_at_once(struct worker *worker, struct job *job, int error, const struct sva_result *r)
{
	if (error == -EAGAIN && options.losses && !(job->paths & 1u << SVA_PATH_CPU)) {
		memory_restore(job);
	} else if (error && error != job->expect.error && !r->bytes && !r->chunks &&
		   error != -EAGAIN) {
		(void)may_be_refused(worker, job, error);
	} else {
		judge(worker, job, error, r);
		job->settled = !error && !job->expect.error;
	}
	job_recycle(worker, job);
}

/* A call that waits polls nothing else meanwhile; see poll_everything(). */
void before_waiting(struct worker *worker)
{
	if (options.tiny)
		collect_all(worker);
}

void act_sync(struct worker *worker)
{
	struct place *place = place_pick(worker);
	struct job *job = job_take_made(worker, NULL, WAY_SYNC, place, NULL);
	struct sva_result result;
	int err;

	before_waiting(worker);
	err = job->kind->call ? job->kind->call(job, place->sva) : sva_run(place->sva, &job->op);
	result = *sva_last_result();
	/* A record that did not fit is an error of the call only. */
	if (result.error == -EOVERFLOW && !err)
		result.error = 0;
	end_at_once(worker, job, err, &result);
}

void act_run(struct worker *worker)
{
	struct place *place = place_pick(worker);
	struct job *job = job_take_made(worker, NULL, WAY_RUN, place, NULL);
	const struct sva_result *r;
	struct sva_result last;
	int err;

	before_waiting(worker);
	err = sva_run(place->sva, &job->op);
	r = sva_op_result(&job->op);
	last = *sva_last_result();
	if (last.error != err)
		fail(job, "sva_run() returned %d, and sva_last_result() has %d", err, last.error);
	end_at_once(worker, job, err, r->error == err ? r : &last);
}

/* ------------------------------------------------------------------ asynchronous */

/*
 * A queue that was disabled says that it is full, for as long as it is asked. Only the CPU can do
 * the work then, and what goes to a bond, or may not use the CPU, has to be given up.
 */
static bool gives_up(unsigned int paths, const struct sva_bond *bond, double since)
{
	return options.losses && (bond || !(paths & 1u << SVA_PATH_CPU)) && now() > since + 0.05;
}

/* Until it is taken; false if it was refused, and rightly so. It is in flight afterwards. */
bool job_submit(struct worker *worker, struct job *job, struct sva_bond *bond)
{
	double since = now();

	for (;;) {
		int err = bond ? sva_bond_submit(bond, &job->op) :
				 sva_submit(job->place->sva, &job->op);

		if (!err) {
			job_fly(worker, job);
			return true;
		}
		if (!may_be_refused(worker, job, err))
			return false;
		if (gives_up(job->paths, bond, since)) {
			memory_restore(job);
			return false;
		}
		if (now() > since + options.patience)
			fail(job, "the queue was full for %u seconds", options.patience);
		make_room(worker);
	}
}

void act_submit(struct worker *worker)
{
	struct place *place = place_pick(worker);
	struct job *job = job_take_made(worker, NULL, WAY_SUBMIT, place, NULL);

	if (!job_submit(worker, job, NULL))
		job_recycle(worker, job);
}

void act_bond(struct worker *worker)
{
	struct tie *tie = tie_pick(worker);
	struct job *job;

	if (!tie)
		return;
	job = job_take_made(worker, NULL, WAY_BOND, NULL, tie);
	if (!job_submit(worker, job, tie->bond))
		job_recycle(worker, job);
}

void act_many(struct worker *worker)
{
	unsigned int n = 1 + (unsigned int)chance_below(&worker->chance, 8), done = 0;
	struct place *place = place_pick(worker);
	double since = now();
	struct sva_op *ops[8];

	for (unsigned int i = 0; i < n; i++)
		ops[i] = &job_take_made(worker, NULL, WAY_MANY, place, NULL)->op;
	while (done < n) {
		int taken = sva_submit_many(place->sva, ops + done, n - done);

		if (taken > (int)(n - done) || !taken)
			fail(job_of(ops[done]), "sva_submit_many() took %d of %u", taken, n - done);
		for (int i = 0; i < taken; i++)
			job_fly(worker, job_of(ops[done++]));
		if (taken > 0)
			continue;
		if (gives_up(place->paths, NULL, since))
			memory_restore(job_of(ops[done]));
		else if (may_be_refused(worker, job_of(ops[done]), taken))
			taken = 0;
		if (taken) {
			job_recycle(worker, job_of(ops[done++]));
			continue;
		}
		if (now() > since + options.patience)
			fail(job_of(ops[done]), "the queue was full for %u seconds",
			     options.patience);
		make_room(worker);
	}
}

/* ------------------------------------------------------------------ batches */

/* A copy of what the entry before writes, behind a fence. */
static void make_chained(struct job *job, struct job *before)
{
	const struct buffer *source = &before->buffer[1];

	job->kind = &kind_chained;
	job->expect = (struct expectation){.bytes = source->len};
	job->length = source->len;
	job->data = job->op.user_data;
	job->buffer[0].used = job->buffer[2].used = false;
	buffer_place(job, 1, source->len, 1);
	buffer_fill_stale(job, 1);
	sva_prep_memcpy(&job->op, buffer_live(job, 1), buffer_live(before, 1), source->len);
	memcpy(buffer_image(job, 1), buffer_image(before, 1), source->len);
	job->op.flags = job->flags = SVA_OP_FENCE;
	job->borrowed = (uint64_t)(uintptr_t)buffer_live(before, 1);
}

static bool can_be_chained(const struct job *before)
{
	return has_trait(before->kind, KIND_SIMPLE) && before->buffer[1].used &&
	       before->buffer[1].plain && before->length && !before->expect.error;
}

static void make_entries(struct worker *worker, struct job *batch, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct job *job = job_take_made(worker, NULL, WAY_ENTRY, batch->place, batch->tie);
		bool chained = chance_one_in(&job->chance, 4),
		     fence = chance_one_in(&job->chance, 4);
		struct job *before = i ? job_of(batch->list[i - 1]) : NULL;

		if (chained && job->bad == BAD_NOTHING && before && can_be_chained(before))
			make_chained(job, before);
		else if (fence)
			job->flags = job->op.flags |= SVA_OP_FENCE;
		/* The batch is what is counted. */
		job->place = NULL;
		job->tie = NULL;
		batch->list[i] = &job->op;
		batch->entries = i + 1;
	}
}

static struct job *make_batch(struct worker *worker, struct place *place, struct tie *tie,
			      unsigned int n)
{
	struct job *batch =
		job_take_made(worker, &kind_batch, place ? WAY_SUBMIT : WAY_BOND, place, tie);

	make_entries(worker, batch, n);
	sva_prep_batch(&batch->op, batch->list, n);
	return batch;
}

void act_batch(struct worker *worker)
{
	unsigned int n = 1 + (unsigned int)chance_below(&worker->chance, ENTRIES);
	bool run = chance_one_in(&worker->chance, 3);
	struct tie *tie = chance_one_in(&worker->chance, 3) ? tie_pick(worker) : NULL;
	struct place *place = tie ? NULL : place_pick(worker);
	struct job *batch = make_batch(worker, place, tie, n);

	if (run && place) {
		int err;

		before_waiting(worker);
		err = sva_run(place->sva, &batch->op);
		if (err == -EAGAIN && !options.losses)
			fail(batch, "sva_run() of a batch: every queue stayed full");
		judge_batch(worker, batch, err);
		job_recycle(worker, batch);
	} else if (!job_submit(worker, batch, tie ? tie->bond : NULL)) {
		for (unsigned int i = 0; i < n; i++)
			memory_restore(job_of(batch->list[i]));
		job_recycle(worker, batch);
	}
}

/* ------------------------------------------------------------------ collecting */

static void reap(struct worker *worker)
{
	struct place *place = &worker->place[chance_below(&worker->timing, PLACES)];
	unsigned int most = 1 + (unsigned int)chance_below(&worker->timing, 8);
	struct sva_op *done[8];
	int n;

	/* What other threads may be polling is not to be looked at by two at a time. */
	if (!place->open || place->away)
		return;
	n = sva_reap(place->sva, done, most);
	if (n < 0 || n > (int)most)
		fail_plainly("sva_reap() returned %d", n);
	for (int i = 0; i < n; i++) {
		struct job *job = job_of(done[i]);
		const struct sva_result *r = sva_op_result(done[i]);

		if (job->place != place || job->owner != worker)
			fail(job, "it was reaped from another context");
		job_end(worker, job, r->error, r);
	}
}

static void poll_some(struct worker *worker)
{
	unsigned int n = worker->flying_count;

	while (n--) {
		struct job *job = worker->flying[n];
		int done = sva_poll(&job->op);

		if (done)
			job_end(worker, job, done > 0 ? 0 : done, sva_op_result(&job->op));
		else if (sva_op_result(&job->op)->error != -EINPROGRESS)
			fail(job, "sva_poll() returned 0, and its result is not pending");
	}
}

/* For a moment at most. */
static void wait_shortly(struct worker *worker)
{
	struct job *job = worker->flying[chance_below(&worker->timing, worker->flying_count)];
	int err = sva_wait(&job->op, (int64_t)chance_below(&worker->timing, 3) * 20000);

	if (err != -ETIME)
		job_end(worker, job, err, sva_op_result(&job->op));
}

void act_collect(struct worker *worker)
{
	if (!worker->flying_count)
		return;
	switch (chance_below(&worker->timing, 4)) {
	case 0:
		poll_some(worker);
		break;
	case 1:
		wait_shortly(worker);
		break;
	case 2:
		collect_one(worker);
		break;
	default:
		reap(worker);
		break;
	}
}

/* ------------------------------------------------------------------ memory that comes and goes */

void act_drop(struct worker *worker)
{
	for (unsigned int i = 0; i < worker->flying_count; i++) {
		struct job *job = worker->flying[i];

		memory_drop(job);
		for (unsigned int k = 0; k < job->entries; k++)
			memory_drop(job_of(job->list[k]));
	}
}

/* The memory of the operation is gone as soon as it has ended. */
void act_unmap(struct worker *worker)
{
	struct place *place = place_pick(worker);
	/* A context holds a reference of its own: without sva_submit(), only bonds are used. */
	bool contexts = options.actions & 1u << ACTION_SUBMIT;
	struct tie *tie = contexts && chance_one_in(&worker->chance, 2) ? NULL : tie_pick(worker);
	uint8_t *from, *to;
	struct sva_op *op;
	double since = now();
	void *memory;
	int err;

	if (!tie && !contexts)
		return;
	memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return;
	op = memory;
	from = (uint8_t *)memory + PAGE;
	to = from + PAGE;
	memset(from, 1 + (int)chance_below(&worker->chance, 255), PAGE);
	sva_prep_memcpy(op, to, from, PAGE);
	do {
		err = tie ? sva_bond_submit(tie->bond, op) : sva_submit(place->sva, op);
		if (err == -EAGAIN)
			make_room(worker);
	} while (err == -EAGAIN && !gives_up(place->paths, tie ? tie->bond : NULL, since));
	if (!err)
		err = sva_wait(op, -1);
	if (err ? !options.errors && !options.losses && err != -EIO : memcmp(from, to, PAGE) != 0)
		fail_plainly(
			"thread %u, step %llu: a copy in memory that is unmapped afterwards: %d",
			worker->number, (unsigned long long)worker->step, err);
	munmap(memory, 3 * PAGE);
	atomic_fetch_add_explicit(&worker->alive, 1, memory_order_relaxed);
}
