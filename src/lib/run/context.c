/* SPDX-License-Identifier: MIT */
/*
 * How long a context lives: until it is closed, and until the last operation that was submitted on
 * it has ended.
 */
#include <stdlib.h>

#include "lib/run/run.h"

void sva_context_free(struct sva *ctx)
{
	for (unsigned int i = 0; i < ctx->candidate_count; i++)
		if (ctx->candidates[i].bond)
			sva_bond_put(ctx->candidates[i].bond);
	for (unsigned int i = 0; i < ctx->lost_count; i++)
		sva_bond_put(ctx->lost[i]);
	free(ctx->lost);
	free(ctx->candidates);
	sva_inventory_free(ctx->inventory);
	sva_config_free(&ctx->config);
	pthread_mutex_destroy(&ctx->lock);
	ctx->magic = 0;
	free(ctx);
}

static void free_closed(struct sva *ctx)
{
	struct sva_thread *thread;

	pthread_mutex_lock(&sva_process.lock);
	for (struct sva **at = &sva_process.contexts; *at; at = &(*at)->next) {
		if (*at == ctx) {
			*at = ctx->next;
			break;
		}
	}
	/*
	 * A later context may get the same address, and must not be mistaken for this one by a
	 * thread's cache.
	 */
	sva_process_bump_epoch();
	pthread_mutex_unlock(&sva_process.lock);
	while ((thread = atomic_load(&ctx->threads))) {
		atomic_store(&ctx->threads, thread->next);
		sva_thread_free(thread);
	}
	sva_context_free(ctx);
}

void sva_context_drop(struct sva *ctx)
{
	/*
	 * Acquire and release: everything that was done on the context happens before it is freed,
	 * whichever thread does that.
	 */
	if (atomic_fetch_sub_explicit(&ctx->holds, 1, memory_order_acq_rel) == 1)
		free_closed(ctx);
}
