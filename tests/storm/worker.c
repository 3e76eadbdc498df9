/* SPDX-License-Identifier: MIT */
/*
 * A worker: its jobs, from the moment that one is taken until it is idle again, and its loop. What
 * it does in each step follows from the seed, the number of the thread and that of the step alone;
 * only how it waits for operations follows from what has ended by then.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "storm/storm.h"

#define POISON 0xdb /* the bytes of an idle operation, which must never change */

uint64_t chance_of(uint64_t thread, uint64_t n, uint64_t purpose)
{
	struct chance chance = {options.seed * 0x2545f4914f6cdd1dull + thread};

	chance.state = chance_next(&chance) + n;
	return chance_next(&chance) ^ purpose << 56;
}

/* ------------------------------------------------------------------ jobs that are idle */

static void check_idle(const struct job *job)
{
	const uint8_t *byte = (const uint8_t *)&job->op;

	for (size_t i = 0; i < sizeof(job->op); i++)
		if (byte[i] != POISON)
			fail(job, "byte %zu of the operation was written after it had ended", i);
}

static void check_settled(struct worker *worker, struct job *job)
{
	char text[200];
	const char *wrong;

	if (!job->settled || !chance_one_in(&worker->timing, 4))
		return;
	wrong = memory_compare(job, text, sizeof(text));
	if (wrong)
		fail(job, "after it had ended: %s", wrong);
}

struct job *job_take(struct worker *worker)
{
	struct job *job;

	for (;;) {
		bring_home(worker);
		if (worker->idle_count)
			break;
		make_room(worker);
	}
	/* Any of them, so that one is idle for long now and then. */
	job = worker->idle[chance_below(&worker->timing, worker->idle_count)];
	for (unsigned int i = 0; i < worker->idle_count; i++) {
		if (worker->idle[i] == job) {
			worker->idle[i] = worker->idle[--worker->idle_count];
			break;
		}
	}
	if (!job->fresh) {
		check_idle(job);
		check_settled(worker, job);
	}
	job->fresh = job->settled = false;
	return job;
}

static bool suits(const struct kind *kind, const struct job *job)
{
	return !has_trait(kind, KIND_MAPPED) ||
	       (job->place && job->way != WAY_ENTRY && !job->owner->visiting);
}

struct job *job_take_made(struct worker *worker, const struct kind *kind, enum way way,
			  struct place *place, struct tie *tie)
{
	struct job *job = job_take(worker);

	job->number = worker->made++;
	job->chance.state = chance_of(worker->number, job->number, 1);
	job->way = way;
	job->place = place;
	job->tie = tie;
	job->queue = tie ? tie->queue : NULL;
	job->paths = place ? place->paths : 1u << tie->path | (options.paths & 1u << SVA_PATH_CPU);
	job->fault_tries = place ? place->fault_tries : 0;
	job->entries = 0;
	job->mapped[0] = job->mapped[1] = NULL;
	while (!kind || !suits(kind, job))
		kind = kind_pick(&job->chance);
	kind_make(job, kind);
	return job;
}

/* Its owner has it again, and it is not in flight. */
static void settle(struct worker *worker, struct job *job)
{
	for (unsigned int i = 0; i < job->entries; i++)
		settle(worker, job_of(job->list[i]));
	job->entries = 0;
	if (options.spoil == SPOIL_LATE && !worker->spoiled && worker->made >= options.spoil_at) {
		memset(&job->op, POISON, sizeof(job->op));
		job->op.comp.status ^= 1;
		worker->spoiled = true;
	} else {
		memset(&job->op, POISON, sizeof(job->op));
	}
	worker->idle[worker->idle_count++] = job;
}

/* What was counted when it was submitted; entries are counted as their batch. */
static void uncount(struct job *job)
{
	if (job->place)
		job->place->flying--;
	if (job->tie)
		job->tie->flying--;
	job->place = NULL;
	job->tie = NULL;
}

static void send_home(struct job *job)
{
	struct worker *owner = job->owner;

	pthread_mutex_lock(&owner->lock);
	owner->home[owner->home_count++] = job;
	pthread_mutex_unlock(&owner->lock);
}

void bring_home(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	while (worker->home_count) {
		struct job *job = worker->home[--worker->home_count];

		if (job->place)
			job->place->away--;
		worker->away--;
		uncount(job);
		settle(worker, job);
	}
	pthread_mutex_unlock(&worker->lock);
}

/* A job that was not submitted, or not by itself. */
void job_recycle(struct worker *worker, struct job *job)
{
	for (unsigned int i = 0; i < 2; i++) {
		int err = sva_dma_unmap(job->mapped[i]);

		if (err)
			fail(job, "sva_dma_unmap: %d", err);
		job->mapped[i] = NULL;
	}
	job->place = NULL;
	job->tie = NULL;
	settle(worker, job);
}

/* ------------------------------------------------------------------ jobs in flight */

void job_fly(struct worker *worker, struct job *job)
{
	if (job->place)
		job->place->flying++;
	if (job->tie)
		job->tie->flying++;
	worker->flying[worker->flying_count++] = job;
}

static void remove_flying(struct worker *worker, struct job *job)
{
	for (unsigned int i = 0; i < worker->flying_count; i++) {
		if (worker->flying[i] == job) {
			memmove(&worker->flying[i], &worker->flying[i + 1],
				(--worker->flying_count - i) * sizeof(worker->flying[0]));
			return;
		}
	}
	fail(job, "it was collected, but is not in flight");
}

/* It has ended with this error; it may be another worker's. */
void job_end(struct worker *worker, struct job *job, int error, const struct sva_result *result)
{
	if (job->kind == &kind_batch) {
		judge_batch(worker, job, error);
	} else {
		judge(worker, job, error, result);
		job->settled = !error && !job->expect.error;
	}
	for (unsigned int i = 0; i < 2; i++) {
		int err = sva_dma_unmap(job->mapped[i]);

		if (err)
			fail(job, "sva_dma_unmap: %d", err);
		job->mapped[i] = NULL;
	}
	if (job->owner != worker) {
		send_home(job);
		return;
	}
	remove_flying(worker, job);
	uncount(job);
	settle(worker, job);
}

static int wait_in_parts(struct worker *worker, struct job *job)
{
	int err;

	do {
		err = sva_wait(&job->op, (int64_t)chance_below(&worker->timing, 200000));
	} while (err == -ETIME);
	return err;
}

static int poll_to_the_end(struct job *job)
{
	int done;

	for (unsigned int i = 0; !(done = sva_poll(&job->op)); i++)
		if (i % 64 == 63)
			sched_yield();
	return done > 0 ? 0 : done;
}

/*
 * What has ended keeps its entry of a dedicated queue until it is polled. Where there are fewer
 * entries than operations, all of them are polled, or the next chunk of this one finds no entry.
 */
static int poll_everything(struct worker *worker, struct job *job)
{
	int done;

	while (!(done = sva_poll(&job->op))) {
		for (unsigned int i = worker->flying_count; i--;) {
			struct job *other = i < worker->flying_count ? worker->flying[i] : job;
			int ended = other != job ? sva_poll(&other->op) : 0;

			if (ended)
				job_end(worker, other, ended > 0 ? 0 : ended,
					sva_op_result(&other->op));
		}
		sched_yield();
	}
	return done > 0 ? 0 : done;
}

/* Wait for its end, in one of the ways that there are. */
void job_finish(struct worker *worker, struct job *job)
{
	int err, again;

	switch (options.tiny ? 5 : chance_below(&worker->timing, 5)) {
	case 5:
		err = poll_everything(worker, job);
		break;
	case 0:
		err = poll_to_the_end(job);
		break;
	case 1:
		err = wait_in_parts(worker, job);
		break;
	case 2:
		sva_op_retire(&job->op);
		err = sva_op_result(&job->op)->error;
		break;
	default:
		err = sva_wait(&job->op, -1);
		break;
	}
	again = sva_poll(&job->op);
	if (again != (err ? err : 1))
		fail(job, "it ended with %d, and sva_poll() answers %d afterwards", err, again);
	job_end(worker, job, err, sva_op_result(&job->op));
}

void collect_one(struct worker *worker)
{
	job_finish(worker,
		   worker->flying[chance_one_in(&worker->timing, 3) ?
					  chance_below(&worker->timing, worker->flying_count) :
					  0]);
}

void make_room(struct worker *worker)
{
	if (worker->flying_count)
		collect_one(worker);
	else if (!hand_take(worker))
		sched_yield();
	bring_home(worker);
}

void collect_all(struct worker *worker)
{
	while (worker->flying_count)
		collect_one(worker);
	while (worker->away) {
		hand_take(worker);
		bring_home(worker);
		sched_yield();
	}
}

/* ------------------------------------------------------------------ the loop */

static void (*const acts[ACTION_COUNT])(struct worker *worker) = {
	[ACTION_SYNC] = act_sync,   [ACTION_RUN] = act_run,	    [ACTION_SUBMIT] = act_submit,
	[ACTION_MANY] = act_many,   [ACTION_BOND] = act_bond,	    [ACTION_BATCH] = act_batch,
	[ACTION_LISTS] = act_lists, [ACTION_COLLECT] = act_collect, [ACTION_HAND] = act_hand,
	[ACTION_BIND] = act_bind,   [ACTION_CONTEXT] = act_context, [ACTION_VISIT] = act_visit,
	[ACTION_BAD] = act_bad,	    [ACTION_DROP] = act_drop,	    [ACTION_UNMAP] = act_unmap,
};

static const char *const action_names[ACTION_COUNT] = {
#define ACTION_NAME(name, text) [ACTION_##name] = text,
	ACTIONS(ACTION_NAME)
#undef ACTION_NAME
};

static const unsigned int weights[ACTION_COUNT] = {
	[ACTION_SYNC] = 20, [ACTION_RUN] = 8,	[ACTION_SUBMIT] = 24, [ACTION_MANY] = 8,
	[ACTION_BOND] = 20, [ACTION_BATCH] = 8, [ACTION_LISTS] = 3,   [ACTION_COLLECT] = 20,
	[ACTION_HAND] = 16, [ACTION_BIND] = 6,	[ACTION_CONTEXT] = 1, [ACTION_VISIT] = 1,
	[ACTION_BAD] = 6,   [ACTION_DROP] = 3,	[ACTION_UNMAP] = 2,
};

static enum action action_pick(struct worker *worker)
{
	unsigned int sum = 0, n;

	for (unsigned int i = 0; i < ACTION_COUNT; i++)
		if (options.actions & 1u << i)
			sum += weights[i];
	n = (unsigned int)chance_below(&worker->chance, sum);
	for (unsigned int i = 0;; i++) {
		if (!(options.actions & 1u << i))
			continue;
		if (n < weights[i])
			return (enum action)i;
		n -= weights[i];
	}
}

void *worker_run(void *arg)
{
	struct worker *worker = arg;

	while (!storm_is_over(worker)) {
		enum action action;

		worker->chance.state = chance_of(worker->number, worker->step++, 2);
		action = action_pick(worker);
		atomic_store_explicit(&worker->doing, action_names[action], memory_order_relaxed);
		acts[action](worker);
		worker->stats.action[action]++;
	}
	atomic_store_explicit(&worker->doing, "collecting what is left", memory_order_relaxed);
	collect_all(worker);
	life_leave(worker);
	ties_release(worker);
	places_close(worker);
	atomic_store_explicit(&worker->doing, NULL, memory_order_relaxed);
	return NULL;
}

bool worker_setup(struct worker *worker, unsigned int number)
{
	size_t capacity = options.length + options.length / 4 + 6000 + 3 * PAGE;

	worker->number = number;
	worker->timing.state = chance_of(number, 0, 3);
	pthread_mutex_init(&worker->lock, NULL);
	worker->stats.kind = calloc(kind_count, sizeof(worker->stats.kind[0]));
	worker->job = aligned_alloc(64, JOBS * sizeof(struct job));
	if (!worker->stats.kind || !worker->job)
		return false;
	memset(worker->job, 0, JOBS * sizeof(struct job));
	for (unsigned int i = 0; i < JOBS; i++) {
		struct job *job = &worker->job[i];

		memset(job->before, 0xc5, GUARD);
		memset(job->after, 0xc5, GUARD);
		job->owner = worker;
		job->fresh = true;
		worker->idle[worker->idle_count++] = job;
		for (unsigned int k = 0; k < BUFFERS; k++)
			if (!memory_make(&job->buffer[k], capacity, i % 2))
				return false;
	}
	for (unsigned int i = 0; i < 2; i++)
		worker->place[i] =
			(struct place){i ? common_context() : NULL, true, options.paths, 8, 0, 0};
	return true;
}

void worker_free(struct worker *worker)
{
	for (unsigned int i = 0; i < JOBS; i++)
		for (unsigned int k = 0; k < BUFFERS; k++)
			memory_free(&worker->job[i].buffer[k]);
	free(worker->job);
	free(worker->stats.kind);
	pthread_mutex_destroy(&worker->lock);
}
