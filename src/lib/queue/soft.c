/* SPDX-License-Identifier: MIT */
/*
 * The model as a queue of this process: run at submit, or by engine threads when there are any.
 * Memory is reached through sva_touch() first, so that a bad pointer becomes a page fault in the
 * record and not a signal. Another thread that unmaps a buffer while it is in use gets what it
 * would get from memcpy.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "model/model.h"
#include "lib/find/log.h"
#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/queue/soft.h"
#include "lib/queue/ways.h"

#define RING 128u     /* descriptors that wait for an engine thread */
#define WINDOW (2u << 20) /* bytes touched at a time */

struct sva_soft {
	struct sva_model_profile profile;
	/* engines that were started; 0: operations run when they are submitted */
	atomic_uint threads;
	unsigned int wanted;
	/* of the engines that could not be started; sva_soft::starting */
	struct sva_retry retry;
	pthread_mutex_t starting;
	bool stop;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t thread[64];
	struct sva_desc ring[RING];
	unsigned int head, count;
	/* For drains: descriptors are numbered as they are taken from the ring. */
	pthread_cond_t finished;
	unsigned int engines, drains; /* how many have begun; how many drains wait */
	uint64_t taken;
	uint64_t working[64];       /* the number that each engine is busy with; 0: none */
};

static void *map_own(void *ctx, uint64_t addr, size_t *len, unsigned int access, uint64_t *fault)
{
	uint64_t bad;

	(void)ctx;
	if (*len > WINDOW && !(access & SVA_MODEL_RECORD))
		*len = WINDOW;
	if (sva_touch(addr, *len, access & SVA_MODEL_WRITE, &bad)) {
		if (bad <= addr || (access & SVA_MODEL_RECORD)) {
			*fault = bad;
			return NULL;
		}
		*len = bad - addr;
	}
	return (void *)(uintptr_t)addr;
}

static const struct sva_model_mem own_memory = { .map = map_own };

/* The record lies in an operation: no need to ask the kernel whether it can be written. */
int sva_soft_execute(const struct sva_model_profile *profile, const struct sva_desc *desc,
		     struct sva_comp *comp)
{
	struct sva_model_outcome outcome;

	sva_model_execute(profile, &own_memory, desc, &outcome);
	if (comp)
		*comp = outcome.comp;
	return outcome.end == SVA_MODEL_LOST ? -EIO : 0;
}

/*
 * With lock held. Whatever an engine takes from the ring from now on has a higher number, so one
 * look at each engine is enough.
 */
static void wait_for_earlier(struct sva_soft *soft, uint64_t number)
{
	soft->drains++;
	for (unsigned int i = 0; i < soft->engines; i++)
		while (soft->working[i] && soft->working[i] < number)
			pthread_cond_wait(&soft->finished, &soft->lock);
	soft->drains--;
}

static void *engine(void *arg)
{
	struct sva_soft *soft = arg;
	struct sva_desc desc;
	unsigned int self;

	pthread_mutex_lock(&soft->lock);
	self = soft->engines++;
	for (;;) {
		while (!soft->count && !soft->stop)
			pthread_cond_wait(&soft->work, &soft->lock);
		if (!soft->count)
			break; /* stopped, and drained */
		desc = soft->ring[soft->head];
		soft->head = (soft->head + 1) % RING;
		soft->count--;
		soft->working[self] = ++soft->taken;
		if (sva_desc_opcode(&desc) == SVA_OPCODE_DRAIN)
			wait_for_earlier(soft, soft->working[self]);
		pthread_mutex_unlock(&soft->lock);
		sva_soft_execute(&soft->profile, &desc, NULL);
		pthread_mutex_lock(&soft->lock);
		soft->working[self] = 0;
		if (soft->drains)
			pthread_cond_broadcast(&soft->finished);
	}
	pthread_mutex_unlock(&soft->lock);
	return NULL;
}

/*
 * Start what is missing of the engines; what pthread_create(3) says when there is no room for one.
 * With sva_soft::starting held.
 */
static int start_engines(struct sva_soft *soft)
{
	unsigned int threads = atomic_load(&soft->threads);
	sigset_t all, old;
	int err = 0;

	/* The program's signals are for the program's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (!err && threads < soft->wanted) {
		err = pthread_create(&soft->thread[threads], NULL, engine, soft);
		if (!err)
			atomic_store(&soft->threads, ++threads);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		sva_retry_failed(&soft->retry);
	return -err;
}

/*
 * Fewer engines than were asked for work all the same, and none means that operations run when they
 * are submitted.
 */
static void start_first(struct sva_soft *soft, const struct sva_config *config)
{
	int err;

	soft->wanted = config->soft_threads;
	err = start_engines(soft);
	if (err)
		sva_log(config, LOG_WARNING,
			"soft: %u of %u engine threads could be started (%s)%s; it is tried again",
			atomic_load(&soft->threads), soft->wanted, strerror(-err),
			atomic_load(&soft->threads) ? "" :
						      ": operations run when they are submitted");
}

/* Engine threads were asked for, and none could be started. */
static bool lacks_threads(const struct sva_soft *soft)
{
	return !atomic_load_explicit(&soft->threads, memory_order_relaxed) && soft->wanted;
}

static struct sva_soft *new_soft(const struct sva_config *config)
{
	const struct sva_model_profile *profile = sva_model_profile_find(config->soft_profile);
	struct sva_soft *soft = calloc(1, sizeof(*soft));

	if (!soft)
		return NULL;
	soft->profile = profile ? *profile : sva_model_dsa2;
	/* A queue in memory needs no small limits for fairness: what the device could carry. */
	soft->profile.max_transfer = SVA_GENCAP_MAX_XFER(soft->profile.gen_cap);
	soft->profile.max_batch = SVA_GENCAP_MAX_BATCH(soft->profile.gen_cap);
	pthread_mutex_init(&soft->lock, NULL);
	pthread_cond_init(&soft->work, NULL);
	pthread_cond_init(&soft->finished, NULL);
	pthread_mutex_init(&soft->starting, NULL);
	start_first(soft, config);
	return soft;
}

/* ------------------------------------------------------------------ the row of the table */

static const struct sva_queue *soft_queue(void)
{
	static char none[] = "";
	static const struct sva_queue queue = {
		.name = "soft", .device = "soft", .plugin = "", .node = none, .label = none,
		.mode = SVA_MODE_SHARED, .entries = RING, .threshold = RING, .trust = SVA_TRUST_YES,
		.numa_node = -1, .max_transfer = 1u << 31, .max_batch = 1024,
	};

	return &queue;
}

static int open_soft(struct sva_bond *bond, const struct sva_config *config, uint32_t *reason)
{
	const struct sva_model_profile *profile;
	struct sva_soft *soft = new_soft(config);

	if (!soft) {
		*reason = SVA_REASON_SHORTAGE;
		return -ENOMEM;
	}
	profile = &soft->profile;
	bond->side = soft;
	bond->version = profile->version;
	bond->gen_cap = profile->gen_cap;
	memcpy(bond->op_cap, profile->op_cap, sizeof(bond->op_cap));
	bond->max_transfer = profile->max_transfer;
	bond->max_batch = profile->max_batch;
	bond->block_on_fault = profile->block_on_fault;
	return 0;
}

static int submit_soft(struct sva_lease *lease, const struct sva_desc *desc)
{
	struct sva_soft *soft = lease->bond->side;
	int err = 0;

	if (!atomic_load_explicit(&soft->threads, memory_order_relaxed))
		return sva_soft_execute(&soft->profile, desc, NULL);
	pthread_mutex_lock(&soft->lock);
	if (soft->count == RING) {
		err = -EAGAIN;
	} else {
		soft->ring[(soft->head + soft->count) % RING] = *desc;
		soft->count++;
		pthread_cond_signal(&soft->work);
	}
	pthread_mutex_unlock(&soft->lock);
	return err;
}

static bool mend_soft(struct sva_bond *bond)
{
	struct sva_soft *soft = bond->side;

	if (atomic_load(&soft->threads) != soft->wanted &&
	    !pthread_mutex_trylock(&soft->starting)) {
		if (sva_retry_is_due(&soft->retry))
			(void)start_engines(soft);
		pthread_mutex_unlock(&soft->starting);
	}
	return lacks_threads(soft);
}

/* What the engines have in hand and in the ring is executed first. */
static void close_soft(struct sva_bond *bond)
{
	struct sva_soft *soft = bond->side;

	if (!soft)
		return;
	pthread_mutex_lock(&soft->lock);
	soft->stop = true;
	pthread_cond_broadcast(&soft->work);
	pthread_mutex_unlock(&soft->lock);
	for (unsigned int i = 0; i < soft->threads; i++)
		pthread_join(soft->thread[i], NULL);
	pthread_cond_destroy(&soft->work);
	pthread_cond_destroy(&soft->finished);
	pthread_mutex_destroy(&soft->lock);
	pthread_mutex_destroy(&soft->starting);
	free(soft);
	bond->side = NULL;
}

const struct sva_submit_ops sva_submit_soft = {
	.path = SVA_PATH_SOFT,
	.mode = SVA_MODE_UNKNOWN,
	.batch_opcode = true,
	.always_completes = true,
	.is_software = true,
	.bindable = true,
	.queue = soft_queue,
	.open = open_soft,
	.submit = submit_soft,
	.mend = mend_soft,
	.retire = close_soft,
	.close = close_soft,
};
