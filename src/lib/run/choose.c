/* SPDX-License-Identifier: MIT */
/*
 * Which queue, on which path, for which thread: paths in the configured order; on each path the
 * queues from near to far, and equally near ones in an order that differs from thread to thread. A
 * queue is bound when it is chosen for the first time. This file knows nodes, limits and policy,
 * and no instruction.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/find/log.h"
#include "lib/base/machine.h"
#include "lib/op/kinds.h"
#include "lib/queue/reason.h"
#include "lib/queue/ways.h"
#include "lib/run/run.h"

/* submissions between calls of sva_choose_refresh() */
#define REFRESH_TICKS 1024u

struct rank {
	unsigned int candidate;
	/* candidates are in the order of paths already; equal for equal paths */
	unsigned int path_position;
	int distance;
	unsigned int turn;
};

static int compare_ranks(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->path_position != y->path_position)
		return x->path_position < y->path_position ? -1 : 1;
	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	if (x->turn != y->turn)
		return x->turn < y->turn ? -1 : 1;
	return 0;
}

/* Returns false if there is no memory: then the order is that of discovery. */
static bool make_order(struct sva_thread *thread, int node, unsigned int *order)
{
	const struct sva *ctx = thread->ctx;
	struct rank *ranks =
		calloc(ctx->candidate_count ? ctx->candidate_count : 1, sizeof(*ranks));
	unsigned int position = 0;

	for (unsigned int i = 0; i < ctx->candidate_count; i++) {
		order[i] = i;
		if (!ranks)
			continue;
		if (i && ctx->candidates[i].path != ctx->candidates[i - 1].path)
			position++;
		ranks[i] = (struct rank){
			.candidate = i,
			.path_position = position,
			.distance = sva_numa_distance(node, ctx->candidates[i].queue->numa_node),
			.turn = (i + thread->number) % ctx->candidate_count,
		};
	}
	if (!ranks)
		return false;
	qsort(ranks, ctx->candidate_count, sizeof(*ranks), compare_ranks);
	for (unsigned int i = 0; i < ctx->candidate_count; i++)
		order[i] = ranks[i].candidate;
	free(ranks);
	return true;
}

size_t sva_choose_thread_size(const struct sva *ctx)
{
	return ctx->candidate_count * (sizeof(struct sva_lease *) + sizeof(unsigned int));
}

void sva_choose_thread_init(struct sva_thread *thread, void *memory)
{
	thread->candidate_count = thread->ctx->candidate_count;
	thread->node = -2; /* no node: the first refresh finds one */
	thread->leases = memory;
	thread->order = (unsigned int *)(void *)(thread->leases + thread->candidate_count);
}

void sva_choose_thread_fini(struct sva_thread *thread)
{
	for (unsigned int i = 0; thread->leases && i < thread->candidate_count; i++)
		if (thread->leases[i])
			sva_lease_free(thread->leases[i]);
	sva_lease_free_pinned(&thread->lessee);
}

/* After a shortage when the path was opened: if it is over, results no longer report it. */
static void mend_lease(struct sva_lease *lease)
{
	const struct sva_bond *bond = lease->bond;
	const struct sva_identity *id;

	if (lease->ops->mend(lease->bond) || lease->id->reason != SVA_REASON_SHORTAGE)
		return;
	id = sva_identify(bond->name, bond->device, lease->path, SVA_REASON_OK);
	if (id)
		lease->id = id;
}

void sva_choose_refresh(struct sva_thread *thread)
{
	int node = sva_numa_thread_node();

	thread->ticks = REFRESH_TICKS;
	/* The next operation tries the candidates from the best on. */
	thread->lead = NULL;
	thread->recent = NULL;
	/* Without memory for the order, the next refresh tries again. */
	if (node != thread->node && make_order(thread, node, thread->order))
		thread->node = node;
	for (unsigned int i = 0; i < thread->candidate_count; i++)
		if (thread->leases[i] && !thread->leases[i]->dead && thread->leases[i]->ops->mend)
			mend_lease(thread->leases[i]);
}

/*
 * The program has closed the descriptor of this candidate's queue: free the candidate for another
 * bond. Leases still point at the old bond, so the reference to it stays until the context closes.
 * Returns false if there is no memory to remember it.
 */
static bool detach_lost_bond(struct sva *ctx, struct sva_candidate *candidate)
{
	struct sva_bond **grown =
		realloc(ctx->lost, (ctx->lost_count + 1) * sizeof(struct sva_bond *));

	if (!grown)
		return false;
	ctx->lost = grown;
	ctx->lost[ctx->lost_count++] = candidate->bond;
	sva_log(&ctx->config, 5,
		"%s: the program has closed the queue's descriptor; the queue is opened anew",
		candidate->bond->name);
	candidate->bond = NULL;
	return true;
}

/* With sva::lock held: the bond of a candidate, opened if need be. */
static struct sva_bond *candidate_bond(struct sva *ctx, struct sva_candidate *candidate)
{
	uint32_t reason = SVA_REASON_OK;
	int err;

	if (candidate->bond && atomic_load(&candidate->bond->state) == SVA_BOND_LOST &&
	    !detach_lost_bond(ctx, candidate))
		return NULL;
	if (candidate->bond) {
		if (atomic_load(&candidate->bond->state) == SVA_BOND_LIVE)
			return candidate->bond;
		/*
		 * Retired. Leases still point at it, so the reference stays until the context
		 * closes. A new bond of the same queue would need another candidate; only contexts
		 * that are opened later try the queue again.
		 */
		atomic_store(&candidate->reason, SVA_REASON_RETIRED);
		return NULL;
	}
	if (!sva_retry_is_due(&candidate->retry))
		return NULL;
	if (!sva_submit_ops_of(candidate->path)->queue)
		reason = sva_static_reason(&ctx->config, candidate->queue, candidate->path);
	err = reason == SVA_REASON_OK ? sva_bond_get(&ctx->config, candidate->queue,
						     candidate->path, &candidate->bond, &reason) :
					-ENODEV;
	if (!err) {
		atomic_store(&candidate->reason, SVA_REASON_OK);
		return candidate->bond;
	}
	if (reason == SVA_REASON_OK)
		reason = sva_is_shortage(err) ? SVA_REASON_SHORTAGE : SVA_REASON_OPEN_FAILED;
	atomic_store(&candidate->reason, reason);
	sva_retry_failed(&candidate->retry);
	return NULL;
}

/*
 * For a path that needs a device: the reason why it cannot be used, or OK if it works on any queue.
 */
static uint32_t reason_of_path(const struct sva *ctx, int path)
{
	uint32_t first = SVA_REASON_OK;

	if (sva_submit_ops_of(path)->queue)
		return ctx->own_reasons[path];
	for (unsigned int i = 0; i < ctx->candidate_count; i++) {
		uint32_t reason = atomic_load(&ctx->candidates[i].reason);

		if (ctx->candidates[i].path != path)
			continue;
		if (reason == SVA_REASON_OK)
			return reason;
		if (first == SVA_REASON_OK)
			first = reason;
	}
	if (!ctx->inventory)
		return first;
	if (first != SVA_REASON_OK)
		return sva_inventory_reason(ctx->inventory, first);
	for (const struct sva_queue *queue = ctx->inventory->queues; queue; queue = queue->next)
		if (sva_config_queue_allowed(&ctx->config, queue->device, queue->name))
			return sva_inventory_reason(ctx->inventory, SVA_REASON_WRONG_MODE);
	return sva_inventory_reason(ctx->inventory, ctx->inventory->queue_count ?
							    SVA_REASON_QUEUE_EXCLUDED :
							    SVA_REASON_OK);
}

/*
 * The reason to report with path before: why the first permitted path was not used. The search ends
 * at software, which can always be used.
 */
static uint32_t reason_before(const struct sva *ctx, int before)
{
	uint32_t reason = SVA_REASON_OK;

	/* A mode mismatch says nothing useful: look at the next path's reason. */
	for (unsigned int i = 0;
	     i < ctx->config.path_count && (!i || reason == SVA_REASON_WRONG_MODE); i++) {
		int path = ctx->config.paths[i];

		if (path == SVA_PATH_CPU || sva_submit_ops_of(path)->is_software)
			break;
		if (path == before)
			return SVA_REASON_OK;
		reason = reason_of_path(ctx, path);
	}
	return reason;
}

uint32_t sva_choose_reason(const struct sva *ctx)
{
	if (atomic_load_explicit(&ctx->shortage, memory_order_relaxed))
		return SVA_REASON_SHORTAGE;
	return reason_before(ctx, SVA_PATH_CPU);
}

/*
 * Set the lease on a lost bond aside: operations in flight point at it, so it is freed with the
 * pinned leases.
 */
static void set_lease_aside(struct sva_thread *thread, unsigned int index)
{
	struct sva_lease *lease = thread->leases[index];

	sva_bias_enter(&thread->lessee.bias);
	if (thread->lead == lease)
		thread->lead = NULL;
	if (thread->recent == lease)
		thread->recent = NULL;
	thread->leases[index] = NULL;
	lease->next_pinned = thread->lessee.pinned;
	thread->lessee.pinned = lease;
	sva_bias_exit(&thread->lessee.bias);
}

static struct sva_lease *candidate_lease(struct sva_thread *thread, unsigned int index)
{
	struct sva *ctx = thread->ctx;
	struct sva_candidate *candidate = &ctx->candidates[index];
	struct sva_lease *lease = thread->leases[index];
	struct sva_bond *bond;
	uint32_t reason;

	if (lease && lease->dead && atomic_load(&lease->bond->state) == SVA_BOND_LOST) {
		set_lease_aside(thread, index);
		lease = NULL;
	}
	if (lease && lease->dead)
		atomic_store(&candidate->reason, SVA_REASON_RETIRED);
	if (lease)
		return lease->dead ? NULL : lease;
	/* Opening a queue takes sva_process.lock inside sva::lock. */
	pthread_mutex_lock(&ctx->lock);
	bond = candidate_bond(ctx, candidate);
	pthread_mutex_unlock(&ctx->lock);
	if (!bond)
		return NULL;
	reason = reason_before(ctx, candidate->path);
	if (reason == SVA_REASON_OK && bond->ops->mend && bond->ops->mend(bond))
		reason = SVA_REASON_SHORTAGE;
	lease = sva_lease_new(&thread->lessee, bond, candidate->path, reason);
	if (!lease)
		return NULL;
	sva_bias_enter(&thread->lessee.bias);
	thread->leases[index] = lease;
	sva_bias_exit(&thread->lessee.bias);
	return lease;
}

/* The order for another node than the thread's. */
static unsigned int *hinted_order(struct sva_thread *thread, int hint, unsigned int *scratch)
{
	if (hint < 0 || hint == thread->node)
		return thread->order;
	make_order(thread, hint, scratch);
	return scratch;
}

struct sva_lease *sva_choose_next(struct sva_thread *thread, unsigned int *pos,
				  const struct sva_op *op, bool sync, int hint)
{
	unsigned int scratch[64], *order;
	unsigned int most = thread->candidate_count;

	order = most <= 64 ? hinted_order(thread, hint, scratch) : thread->order;
	while (*pos < most) {
		unsigned int index = order[(*pos)++];
		struct sva_lease *lease;

		/* The candidates of synchronous calls are the first ones of the list. */
		if (sync && index >= thread->ctx->sync_candidates)
			continue;
		lease = candidate_lease(thread, index);
		/*
		 * A queue that takes no batch descriptors may take the entries: sva_issue() finds
		 * out.
		 */
		if (lease &&
		    (sva_kind_of(op)->shape == SVA_SHAPE_BATCH || sva_caps_can_do(lease->bond, op)))
			return lease;
	}
	return NULL;
}

bool sva_choose_has_lease(const struct sva_thread *thread, bool sync)
{
	unsigned int most = sync ? thread->ctx->sync_candidates : thread->candidate_count;

	for (unsigned int i = 0; i < most; i++)
		if (thread->leases[i] && !thread->leases[i]->dead)
			return true;
	return false;
}
