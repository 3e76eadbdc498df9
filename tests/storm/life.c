/* SPDX-License-Identifier: MIT */
/*
 * What comes and goes while operations are in flight: references to bonds, contexts, threads; and
 * the tray, through which operations go from one thread to another, which ends them.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "storm/storm.h"

#define TRAY 32u
#define POOL 4u
#define QUEUES 16u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct job *tray[TRAY];
static unsigned int tray_count;
static struct tie pool[POOL]; /* references that a thread has left for another */
static unsigned int pool_count;
static struct sva *common;
static char queue_names[QUEUES][32];
static unsigned int queues;

struct sva *common_context(void)
{
	return common;
}

unsigned int queue_count(void)
{
	return queues;
}

const char *queue_name(unsigned int i)
{
	return queue_names[i];
}

/* Of those words of the list that name paths which submit to queues of devices. */
static bool has_queue_path(void)
{
	return options.paths &
	       (1u << SVA_PATH_ENQCMD | 1u << SVA_PATH_MOVDIR64B | 1u << SVA_PATH_WRITE);
}

static bool binds(const struct sva_queue_info *info)
{
	unsigned int path = info->mode == SVA_MODE_DEDICATED ? SVA_PATH_MOVDIR64B : SVA_PATH_ENQCMD;
	struct sva_bond *bond;

	/* Queues that are not enabled are listed, too. */
	if (!(options.paths & (1u << path | 1u << SVA_PATH_WRITE)) ||
	    sva_bind(common, info->name, 0, &bond))
		return false;
	sva_unbind(bond);
	return true;
}

void life_setup(void)
{
	struct sva_queue_info info = {.size = sizeof(info)};
	int err = sva_open(&common, NULL);

	if (err)
		fail_plainly("sva_open: %d", err);
	for (unsigned int i = 0; has_queue_path() && queues < QUEUES - 1; i++) {
		if (sva_queue_describe(common, i, 0, &info))
			break;
		if (binds(&info))
			snprintf(queue_names[queues++], sizeof(queue_names[0]), "%s", info.name);
	}
	if (options.paths & 1u << SVA_PATH_SOFT)
		snprintf(queue_names[queues++], sizeof(queue_names[0]), "soft");
}

void life_end(void)
{
	while (pool_count)
		sva_unbind(pool[--pool_count].bond);
	sva_close(common);
	common = NULL;
}

/* ------------------------------------------------------------------ the tray */

static bool put_on_tray(struct job *job)
{
	bool room;

	pthread_mutex_lock(&lock);
	room = tray_count < TRAY;
	if (room)
		tray[tray_count++] = job;
	pthread_mutex_unlock(&lock);
	return room;
}

static struct job *take_from_tray(struct worker *worker)
{
	struct job *job = NULL;

	pthread_mutex_lock(&lock);
	if (tray_count) {
		unsigned int i = (unsigned int)chance_below(&worker->timing, tray_count);

		job = tray[i];
		tray[i] = tray[--tray_count];
	}
	pthread_mutex_unlock(&lock);
	return job;
}

bool hand_take(struct worker *worker)
{
	struct job *job = take_from_tray(worker);

	if (!job)
		return false;
	if (job->owner == worker) {
		/* No other thread has taken it. */
		if (job->place)
			job->place->away--;
		worker->away--;
		worker->flying[worker->flying_count++] = job;
	}
	job_finish(worker, job);
	return true;
}

static void hand_over(struct worker *worker, unsigned int i)
{
	struct job *job = worker->flying[i];

	worker->flying[i] = worker->flying[--worker->flying_count];
	if (job->place)
		job->place->away++;
	worker->away++;
	if (put_on_tray(job))
		return;
	if (job->place)
		job->place->away--;
	worker->away--;
	worker->flying[worker->flying_count++] = job;
}

void act_hand(struct worker *worker)
{
	if (worker->flying_count && chance_one_in(&worker->chance, 2))
		hand_over(worker,
			  (unsigned int)chance_below(&worker->timing, worker->flying_count));
	else
		hand_take(worker);
	bring_home(worker);
}

/* Others may still have something on the tray that waits for a thread. */
void life_leave(struct worker *worker)
{
	while (hand_take(worker))
		bring_home(worker);
}

/* ------------------------------------------------------------------ bonds */

static void check_bond(const struct tie *tie)
{
	uint32_t pasid;
	int path = sva_bond_path(tie->bond), err = sva_bond_pasid(tie->bond, &pasid);

	if (path == -EIO && options.losses)
		return;
	if (path != tie->path)
		fail_plainly("sva_bond_path() of %s is %d and was %d", tie->queue, path, tie->path);
	if (err && err != -ENODATA)
		fail_plainly("sva_bond_pasid() of %s: %d", tie->queue, err);
}

static bool take_from_pool(struct tie *tie)
{
	bool found;

	pthread_mutex_lock(&lock);
	found = pool_count;
	if (found)
		*tie = pool[--pool_count];
	pthread_mutex_unlock(&lock);
	return found;
}

static bool leave_in_pool(struct tie *tie)
{
	bool room;

	pthread_mutex_lock(&lock);
	room = pool_count < POOL && !tie->flying;
	if (room)
		pool[pool_count++] = *tie;
	pthread_mutex_unlock(&lock);
	if (room)
		tie->bond = NULL;
	return room;
}

static void bind_one(struct worker *worker, struct tie *tie)
{
	struct sva *sva = chance_one_in(&worker->chance, 2) ? common : NULL;
	const char *name = queue_names[chance_below(&worker->chance, queues)];
	int err = sva_bind(sva, name, 0, &tie->bond);

	if (err) {
		tie->bond = NULL;
		if (!options.losses)
			fail_plainly("sva_bind() of %s: %d", name, err);
		return;
	}
	tie->queue = name;
	tie->path = sva_bond_path(tie->bond);
	tie->flying = 0;
	if (tie->path < 0 && options.losses) {
		sva_unbind(tie->bond);
		tie->bond = NULL;
	} else if (tie->path < 0 || !(options.paths & 1u << tie->path)) {
		fail_plainly("sva_bond_path() of %s: %d", name, tie->path);
	}
}

/* What it has in flight goes on without it. */
static void release(struct worker *worker, struct tie *tie)
{
	for (unsigned int i = 0; i < JOBS; i++)
		if (worker->job[i].tie == tie)
			worker->job[i].tie = NULL;
	sva_unbind(tie->bond);
	*tie = (struct tie){0};
}

void act_bind(struct worker *worker)
{
	struct tie *tie = &worker->tie[chance_below(&worker->chance, options.ties)];

	if (!queues)
		return;
	if (!tie->bond) {
		if (chance_one_in(&worker->chance, 3) && take_from_pool(tie))
			check_bond(tie);
		else
			bind_one(worker, tie);
		return;
	}
	check_bond(tie);
	bring_home(worker);
	if (chance_one_in(&worker->chance, 4) && leave_in_pool(tie))
		return;
	if (!tie->flying || options.early_unbind)
		release(worker, tie);
}

void ties_release(struct worker *worker)
{
	for (unsigned int i = 0; i < TIES; i++)
		if (worker->tie[i].bond)
			release(worker, &worker->tie[i]);
}

/* ------------------------------------------------------------------ contexts */

/* Some of the words of the list, in their order; cpu always, where it is there. */
static unsigned int pick_paths(struct worker *worker, char *text, size_t size)
{
	char list[128], *word, *save = NULL;
	unsigned int paths = 0;
	size_t at = 0;

	snprintf(list, sizeof(list), "%s", options.path_list);
	for (word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (strcmp(word, "cpu") && chance_one_in(&worker->chance, 2))
			continue;
		at += (size_t)snprintf(text + at, size - at, "%s%s", at ? "," : "", word);
		for (int path = 0; path < SVA_PATH_COUNT; path++)
			if (!strcmp(word, sva_path_name(path)))
				paths |= 1u << path;
	}
	if (paths)
		return paths;
	snprintf(text, size, "%s", options.path_list);
	return options.paths;
}

static void open_place(struct worker *worker, struct place *place)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	char paths[128];
	int err;

	*place = (struct place){.paths = pick_paths(worker, paths, sizeof(paths))};
	opts.paths = paths;
	opts.threshold =
		chance_one_in(&worker->chance, 2) ? 1 : 1 + chance_below(&worker->chance, 40000);
	opts.fault_policy = (uint32_t)chance_below(&worker->chance, 4);
	opts.fault_tries = 1 + (uint32_t)chance_below(&worker->chance, 8);
	opts.flags = chance_one_in(&worker->chance, 2) ? SVA_OPEN_GUARD : 0;
	err = sva_open(&place->sva, &opts);
	if (err)
		fail_plainly("sva_open() with the paths %s: %d", paths, err);
	place->fault_tries = opts.fault_tries;
	place->open = true;
}

/* sva_close() waits for what is in flight: nothing of it may be missing afterwards. */
static void close_place(struct worker *worker, struct place *place)
{
	char text[200];
	const char *wrong;

	sva_close(place->sva);
	place->open = false;
	for (unsigned int i = 0; i < worker->flying_count; i++) {
		struct job *job = worker->flying[i];

		if (job->place != place || job->expect.error || options.errors || options.losses ||
		    job->kind == &kind_batch || !(place->paths & 1u << SVA_PATH_CPU))
			continue;
		wrong = memory_compare(job, text, sizeof(text));
		if (wrong)
			fail(job, "sva_close() returned, and %s", wrong);
	}
	for (unsigned int i = worker->flying_count; i--;)
		if (i < worker->flying_count && worker->flying[i]->place == place)
			job_finish(worker, worker->flying[i]);
}

void act_context(struct worker *worker)
{
	struct place *place = &worker->place[2 + chance_below(&worker->chance, PLACES - 2)];
	bool empty = chance_one_in(&worker->chance, 2);

	if (!place->open) {
		open_place(worker, place);
		return;
	}
	bring_home(worker);
	if (place->away)
		return;
	for (unsigned int i = worker->flying_count; empty && i--;)
		if (i < worker->flying_count && worker->flying[i]->place == place)
			job_finish(worker, worker->flying[i]);
	close_place(worker, place);
}

void places_close(struct worker *worker)
{
	for (unsigned int i = 2; i < PLACES; i++)
		if (worker->place[i].open)
			close_place(worker, &worker->place[i]);
}

/* ------------------------------------------------------------------ threads that come and go */

static void *visit(void *arg)
{
	static const enum action can[] = {ACTION_SYNC, ACTION_MANY, ACTION_BOND, ACTION_SUBMIT,
					  ACTION_SUBMIT};
	struct worker *worker = arg;
	unsigned int n = 1 + (unsigned int)chance_below(&worker->chance, 5);

	while (n--) {
		enum action action =
			can[chance_below(&worker->chance, sizeof(can) / sizeof(can[0]))];

		if (!(options.actions & 1u << action))
			continue;
		if (action == ACTION_SYNC)
			act_sync(worker);
		else if (action == ACTION_MANY)
			act_many(worker);
		else if (action == ACTION_BOND)
			act_bond(worker);
		else
			act_submit(worker);
	}
	return NULL;
}

/* A thread begins, does something in the worker's place, and ends with operations in flight. */
void act_visit(struct worker *worker)
{
	pthread_t thread;

	worker->visiting = true;
	if (pthread_create(&thread, NULL, visit, worker))
		fail_plainly("a thread could not be created");
	pthread_join(thread, NULL);
	worker->visiting = false;
}
