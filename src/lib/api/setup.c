/* SPDX-License-Identifier: MIT */
/*
 * How a context is made: from its configuration, the queues that were found, and its candidates,
 * which are the paths on queues that it may use.
 */
#include <stdlib.h>

#include "lib/api/api.h"
#include "lib/base/memory.h"
#include "lib/queue/ways.h"

static int add_candidate(struct sva *ctx, const struct sva_queue *queue, int path, uint32_t reason)
{
	struct sva_candidate *candidates =
		realloc(ctx->candidates, (ctx->candidate_count + 1) * sizeof(*candidates));

	if (!candidates)
		return -ENOMEM;
	ctx->candidates = candidates;
	candidates[ctx->candidate_count] =
		(struct sva_candidate){.queue = queue, .path = (uint8_t)path};
	atomic_init(&candidates[ctx->candidate_count].reason, reason);
	ctx->candidate_count++;
	return 0;
}

/*
 * The path's own queue. If it is not there now it is no candidate, and only contexts that are
 * opened later can use it.
 */
static int add_own_queue(struct sva *ctx, const struct sva_submit_ops *ops)
{
	uint32_t reason = SVA_REASON_OK;
	int err = ops->probe ? ops->probe(&reason) : 0;

	ctx->own_reasons[ops->path] = reason;
	return err || reason != SVA_REASON_OK ? err :
						add_candidate(ctx, ops->queue(), ops->path, reason);
}

static int add_candidates(struct sva *ctx, int path)
{
	const struct sva_submit_ops *ops = sva_submit_ops_of(path);

	if (ops->queue)
		return add_own_queue(ctx, ops);
	for (const struct sva_queue *queue = ctx->inventory->queues; queue; queue = queue->next) {
		int err;

		/*
		 * Leave out what can never work for this context; other obstacles may be removed
		 * while the program runs.
		 */
		if (!sva_config_queue_allowed(&ctx->config, queue->device, queue->name) ||
		    ops->mode == (queue->mode ^ 3u))
			continue;
		err = add_candidate(ctx, queue, path, SVA_REASON_OK);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Candidates in the order of the permitted paths, up to the CPU, which can do everything. If no
 * list of paths was given, software paths are not used: without a device the CPU itself does the
 * same work in less time. Engine threads that the program asked for work beside the caller, so
 * asynchronous operations go there.
 */
static int make_candidates(struct sva *ctx)
{
	bool sync_open = true;

	for (int path = 0; path < SVA_PATH_COUNT; path++)
		ctx->own_reasons[path] = SVA_REASON_EXCLUDED;
	for (unsigned int i = 0; i < ctx->config.path_count; i++) {
		int path = ctx->config.paths[i], err;

		if (path == SVA_PATH_CPU)
			break;
		if (sva_submit_ops_of(path)->is_software && !ctx->config.paths_explicit) {
			sync_open = false;
			ctx->own_reasons[path] = SVA_REASON_OK;
			if (!ctx->config.soft_threads)
				continue;
		}
		err = add_candidates(ctx, path);
		if (err)
			return err;
		if (sync_open)
			ctx->sync_candidates = ctx->candidate_count;
	}
	return 0;
}

void sva_context_publish(struct sva *ctx, bool is_default)
{
	ctx->is_default = is_default;
	atomic_init(&ctx->holds, 1);
	ctx->generation = sva_process_generation();
	ctx->id = ++sva_process.next_id;
	ctx->next = sva_process.contexts;
	sva_process.contexts = ctx;
}

int sva_context_open(struct sva **out, const struct sva_opts *opts)
{
	struct sva *ctx = calloc(1, sizeof(*ctx));
	int err;

	if (!ctx)
		return -ENOMEM;
	ctx->magic = SVA_CTX_MAGIC;
	pthread_mutex_init(&ctx->lock, NULL);
	err = sva_config_load(&ctx->config, opts);
	if (!err)
		err = sva_discover(&ctx->config, &ctx->inventory);
	if (!err && (ctx->config.flags & SVA_OPEN_GUARD))
		err = sva_guard_setup();
	if (!err) {
		ctx->policy = sva_policy_of(&ctx->config);
		err = make_candidates(ctx);
	}
	if (err) {
		sva_context_free(ctx);
		return err;
	}
	*out = ctx;
	return 0;
}
