/* SPDX-License-Identifier: MIT */
/* What a context is made of: its configuration, the queues that were found, and its routes, the paths on queues that it may use. */
#include <stdlib.h>

#include "lib/api/api.h"
#include "lib/base/memory.h"
#include "lib/queue/dma.h"
#include "lib/queue/ways.h"

static int add_route(struct sva *ctx, const struct sva_queue *queue, int path, uint32_t reason)
{
	struct sva_route *routes = realloc(ctx->routes, (ctx->route_count + 1) * sizeof(*routes));

	if (!routes)
		return -ENOMEM;
	ctx->routes = routes;
	routes[ctx->route_count] = (struct sva_route){ .queue = queue, .path = (uint8_t)path };
	atomic_init(&routes[ctx->route_count].reason, reason);
	ctx->route_count++;
	return 0;
}

static int add_routes(struct sva *ctx, int path)
{
	if (path == SVA_PATH_SOFT)
		return add_route(ctx, sva_soft_queue(), path, SVA_REASON_OK);
	/* Without the module there is no such route; one that is loaded later serves contexts that are opened later. */
	if (path == SVA_PATH_DMA)
		return ctx->dma_reason == SVA_REASON_OK ? add_route(ctx, sva_dma_queue(), path, SVA_REASON_OK) : 0;
	for (const struct sva_queue *queue = ctx->inventory->queues; queue; queue = queue->next) {
		int err;

		/* What can never change for this context is left out; the rest may be mended while the program runs. */
		if (!sva_config_queue_allowed(&ctx->config, queue->device, queue->name) ||
		    sva_submit_ops_of(path)->mode == (queue->mode ^ 3u))
			continue;
		err = add_route(ctx, queue, path, SVA_REASON_OK);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Routes in the order of the permitted paths, up to the CPU, which can do everything. When nobody named paths, synchronous
 * calls stop before soft: without a device the CPU itself is the better choice for who waits anyway.
 */
static int make_routes(struct sva *ctx)
{
	bool sync_open = true;

	ctx->dma_reason = SVA_REASON_EXCLUDED;
	if (sva_config_path_allowed(&ctx->config, SVA_PATH_DMA)) {
		int err = sva_dma_look(&ctx->dma_reason);

		if (err)
			return err;
	}
	for (unsigned int i = 0; i < ctx->config.path_count; i++) {
		int path = ctx->config.paths[i], err;

		if (path == SVA_PATH_CPU)
			break;
		if (path == SVA_PATH_SOFT && !ctx->config.paths_explicit)
			sync_open = false;
		err = add_routes(ctx, path);
		if (err)
			return err;
		if (sync_open)
			ctx->sync_routes = ctx->route_count;
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
		err = make_routes(ctx);
	}
	if (err) {
		sva_context_free(ctx);
		return err;
	}
	*out = ctx;
	return 0;
}
