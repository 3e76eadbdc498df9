/* SPDX-License-Identifier: MIT */
/*
 * The model as a queue of this process: operations run in the submitting thread, or on engine
 * threads if there are any. Memory is touched by sva_touch() first, so that a bad pointer becomes a
 * page fault in the record and not a signal. If another thread unmaps a buffer during the
 * operation, the process faults, as it would in memcpy(3).
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
#include "lib/op/kinds.h"
#include "lib/queue/soft.h"
#include "lib/queue/ways.h"

#define RING 128u	  /* descriptors that wait for an engine thread */
#define WINDOW (2u << 20) /* bytes touched at a time */

struct sva_soft {
	struct sva_model_profile profile;
	atomic_uint threads;	/* engines that run; 0: operations run when they are submitted */
	unsigned int wanted;	/* how many the configuration asks for */
	struct sva_retry retry; /* of those that could not be started; needs starting */
	pthread_mutex_t starting;
	bool stop;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t thread[64];
	struct sva_desc ring[RING];
	unsigned int head, count;
	/*
	 * For drains, descriptors are numbered in the order in which engines take them from the
	 * ring.
	 */
	pthread_cond_t finished;
	unsigned int engines, drains; /* how many engines run; how many drains wait */
	uint64_t taken;
	uint64_t working[64]; /* the number that each engine works on; 0: none */
};

/* ------------------------------------------------------------------ memory */

#define PAGE 4096u
#define EXTENTS 4u /* one for each operand */

/*
 * The memory of one descriptor while it is executed. The model asks for it piece by piece: a block,
 * an entry of a delta record. Each page is touched once, many at a time, and remembered here.
 */
struct memory {
	struct sva_range range[3]; /* that will be used up to its end */
	unsigned int ranges;
	struct sva_range extent[EXTENTS]; /* touched, in whole pages */
	unsigned int next;		  /* the extent that was made last */
};

/*
 * A batch is not looked into, and of a delta only some words are written: there a page at a time is
 * enough.
 */
static void find_ranges(struct memory *memory, const struct sva_desc *desc)
{
	const unsigned int opcode = sva_desc_opcode(desc);

	*memory = (struct memory){0};
	memory->ranges = sva_kind_ranges(desc, desc->size, memory->range);
	if (opcode != SVA_OPCODE_CREATE_DELTA && opcode != SVA_OPCODE_APPLY_DELTA)
		return;
	for (unsigned int i = 0; i < memory->ranges; i++)
		if (memory->range[i].write)
			memory->range[i].len = 0;
}

/* How many bytes from addr on were touched for such an access. */
static uint64_t touched_bytes(const struct memory *memory, uint64_t addr, bool write)
{
	for (unsigned int i = 0; i < EXTENTS; i++) {
		const struct sva_range *extent = &memory->extent[i];

		if (addr - extent->addr < extent->len && (extent->write || !write))
			return extent->addr + extent->len - addr;
	}
	return 0;
}

/* How many bytes to touch from addr on: what the operation will use, up to a window; a page at
 * least. */
static uint64_t bytes_ahead(const struct memory *memory, uint64_t addr, uint64_t len, bool write)
{
	for (unsigned int i = 0; i < memory->ranges; i++) {
		const struct sva_range *range = &memory->range[i];

		if (addr - range->addr < range->len && range->write == write &&
		    range->addr + range->len - addr > len)
			len = range->addr + range->len - addr;
	}
	return len < WINDOW ? len : WINDOW;
}

/* The extent that goes on at start, or the one that was made first. */
static struct sva_range *extent_for(struct memory *memory, uint64_t start, bool write)
{
	for (unsigned int i = 0; i < EXTENTS; i++) {
		struct sva_range *extent = &memory->extent[i];

		if (extent->len && extent->write == write && start - extent->addr <= extent->len)
			return extent;
	}
	memory->next = (memory->next + 1) % EXTENTS;
	return &memory->extent[memory->next];
}

/* Touch memory from addr on, and remember it. Returns how many bytes can be used. */
static uint64_t touch_bytes(struct memory *memory, uint64_t addr, uint64_t len, bool write,
			    uint64_t *bad)
{
	uint64_t start = addr & ~(uint64_t)(PAGE - 1), end;

	if (!sva_touch(addr, len, write, bad))
		end = (addr + len - 1) | (PAGE - 1);
	else if (*bad <= addr)
		return 0;
	else
		end = *bad - 1;
	*extent_for(memory, start, write) = (struct sva_range){start, end - start + 1, write};
	return end - addr + 1;
}

/* The record of an operation is writable, so the kernel need not be asked. */
static void *map_memory(void *ctx, uint64_t addr, size_t *len, unsigned int access, uint64_t *fault)
{
	const bool write = access & SVA_MODEL_WRITE;
	struct memory *memory = ctx;
	uint64_t usable;

	if (access & SVA_MODEL_RECORD)
		return (void *)(uintptr_t)addr;
	usable = touched_bytes(memory, addr, write);
	if (!usable)
		usable = touch_bytes(memory, addr, bytes_ahead(memory, addr, *len, write), write,
				     fault);
	if (!usable)
		return NULL;
	if (*len > usable)
		*len = usable;
	return (void *)(uintptr_t)addr;
}

int sva_soft_execute(const struct sva_model_profile *profile, const struct sva_desc *desc,
		     struct sva_comp *comp)
{
	struct sva_model_outcome outcome;
	struct memory memory;
	const struct sva_model_mem own_memory = {.map = map_memory, .ctx = &memory};

	find_ranges(&memory, desc);
	sva_model_execute(profile, &own_memory, desc, &outcome);
	if (comp)
		*comp = outcome.comp;
	return outcome.end == SVA_MODEL_LOST ? -EIO : 0;
}

/*
 * With lock held: wait for all descriptors with lower numbers. What engines take from the ring from
 * now on has a higher number, so each engine is checked once.
 */
static void wait_for_earlier(struct sva_soft *soft, uint64_t number)
{
	soft->drains++;
	for (unsigned int i = 0; i < soft->engines; i++)
		while (soft->working[i] && soft->working[i] < number)
			pthread_cond_wait(&soft->finished, &soft->lock);
	soft->drains--;
}

static void *run_engine(void *arg)
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
			break; /* stop was set, and the ring is empty */
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
 * With sva_soft::starting held: start the missing engines. Returns 0 or pthread_create(3)'s -errno.
 */
static int start_engines(struct sva_soft *soft)
{
	unsigned int threads = atomic_load(&soft->threads);
	sigset_t all, old;
	int err = 0;

	/* Engines block all signals: they are for the program's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (!err && threads < soft->wanted) {
		err = pthread_create(&soft->thread[threads], NULL, run_engine, soft);
		if (!err)
			atomic_store(&soft->threads, ++threads);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		sva_retry_failed(&soft->retry);
	return -err;
}

/*
 * Fewer engines than were asked for work as well, and without any, operations run when they are
 * submitted.
 */
static void start_first(struct sva_soft *soft, const struct sva_config *config)
{
	int err;

	soft->wanted = config->soft_threads;
	err = start_engines(soft);
	if (err)
		sva_log(config, LOG_WARNING,
			"soft: %u of %u engine threads could be started (%s)%s; the library will try again",
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
	/*
	 * No small limits for fairness are needed in memory: use the largest that the device has.
	 */
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
		.name = "soft",
		.device = "soft",
		.plugin = "",
		.node = none,
		.label = none,
		.mode = SVA_MODE_SHARED,
		.entries = RING,
		.threshold = RING,
		.trust = SVA_TRUST_YES,
		.numa_node = -1,
		.max_transfer = 1u << 31,
		.max_batch = 1024,
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

/* The engines finish their descriptors and those in the ring first. */
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
