/* SPDX-License-Identifier: MIT */
/*
 * A thread's share of a context: made when a thread first uses the context, and used for another
 * thread when that thread has ended.
 */
#include "lib/op/kinds.h"
#include "lib/run/group.h"
#include "lib/run/run.h"

static size_t cpu_below(const struct sva *ctx)
{
	if (!ctx->policy.cpu_allowed)
		return 1; /* only a length of zero is below it */
	/*
	 * Without a candidate, the CPU does every length that is possible. The slow path refuses
	 * others.
	 */
	if (!ctx->sync_candidates)
		return PTRDIFF_MAX;
	return ctx->config.threshold ? ctx->config.threshold : 1;
}

static void make_cpu_lease(struct sva_thread *thread)
{
	struct sva_lease *lease = &thread->cpu_lease;

	if (thread->ctx->candidate_count || !thread->ctx->policy.cpu_allowed ||
	    (thread->ctx->config.flags & SVA_OPEN_GUARD))
		return;
	lease->id = thread->cpu_id;
	lease->path = SVA_PATH_CPU;
	lease->credits = 1;
	lease->fast_max = UINT32_MAX;
	for (unsigned int opcode = 0; opcode < SVA_LEASE_WORDS; opcode++)
		if (sva_kinds[opcode].fast != SVA_FAST_NEVER)
			lease->words[opcode] = sva_desc_word((enum sva_opcode)opcode,
							     SVA_DESC_CRAV | SVA_DESC_RCR);
}

void sva_thread_free(struct sva_thread *thread)
{
	sva_group_free_all(thread);
	sva_choose_thread_fini(thread);
	sva_bias_fini(&thread->lessee.bias);
	sva_arena_free(thread, thread->arena_size);
}

static struct sva_thread *new_thread(struct sva *ctx)
{
	size_t size = sizeof(struct sva_thread) + sva_choose_thread_size(ctx);
	struct sva_thread *thread = sva_arena_alloc(size);

	if (!thread)
		return NULL;
	thread->arena_size = size;
	thread->ctx = ctx;
	thread->fast_state = SVA_OP_FAST | (sva_process_generation() & SVA_OP_FAST_GENERATION);
	thread->fast_ended = thread->fast_state ^ SVA_OP_FAST ^ SVA_OP_FAST_ENDED;
	thread->list.next = thread->list.prev = &thread->list;
	thread->cpu_below = cpu_below(ctx);
	thread->threshold = ctx->config.flags & SVA_OPEN_GUARD ? 0 : thread->cpu_below;
	thread->cpu_id = sva_identify(NULL, NULL, SVA_PATH_CPU,
				      ctx->sync_candidates ? (uint32_t)SVA_REASON_TOO_SMALL :
							     sva_choose_reason(ctx));
	thread->quick.desc.completion_addr = (uint64_t)(uintptr_t)&thread->quick.comp;
	sva_bias_init(&thread->lessee.bias);
	thread->lessee.policy = &ctx->policy;
	sva_choose_thread_init(thread, thread + 1);
	if (!thread->cpu_id) {
		sva_thread_free(thread);
		return NULL;
	}
	make_cpu_lease(thread);
	return thread;
}

/*
 * This thread's share of the interim context, or NULL. Operations that have ended may be on its
 * list.
 */
static struct sva_thread *interim_share(void)
{
	struct sva *interim = sva_process.interim;
	struct sva_thread *thread = interim ? atomic_load(&interim->threads) : NULL;

	while (thread && atomic_load(&thread->lessee.owner) != &sva_tls)
		thread = thread->next;
	return thread;
}

static bool has_nothing(struct sva_thread *thread)
{
	bool idle;

	sva_lessee_enter(&thread->lessee);
	idle = sva_thread_is_idle(thread);
	sva_lessee_leave(&thread->lessee);
	return idle;
}

/* The share of an owner, which is a thread's sva_tls, or a completion queue's part. */
static struct sva_thread *find_thread(struct sva *ctx, const void *owner)
{
	struct sva_thread *thread, *idle = NULL;

	for (thread = atomic_load(&ctx->threads); thread; thread = thread->next) {
		if (atomic_load(&thread->lessee.owner) == owner)
			return thread;
		if (!idle && !atomic_load(&thread->lessee.owner) && has_nothing(thread))
			idle = thread;
	}
	/* A share whose thread has ended, with nothing on its list, is used again. */
	if (idle) {
		atomic_store(&idle->lessee.owner, owner);
		return idle;
	}
	thread = new_thread(ctx);
	if (!thread)
		return NULL;
	thread->number = ctx->thread_count++;
	atomic_store(&thread->lessee.owner, owner);
	if (ctx->is_default && ctx != sva_process.interim && owner == &sva_tls)
		thread->earlier = interim_share();
	sva_choose_refresh(thread);
	thread->next = atomic_load(&ctx->threads);
	atomic_store(&ctx->threads, thread);
	return thread;
}

/*
 * The shares of a thread that ends have no owner any more; operations on their lists stay valid.
 * sva::lock, which would have to be taken before sva_process.lock, is not needed: the list of
 * threads only grows while its context is listed.
 */
static void end_shares(const void *tls)
{
	for (struct sva *ctx = sva_process.contexts; ctx; ctx = ctx->next)
		for (struct sva_thread *t = atomic_load(&ctx->threads); t; t = t->next)
			if (atomic_load(&t->lessee.owner) == tls)
				atomic_store(&t->lessee.owner, NULL);
}

struct sva_thread *sva_thread_find(struct sva *ctx)
{
	struct sva_tls *tls = &sva_tls;
	/* Read before the lookup: a change meanwhile makes the cache stale, not wrong. */
	unsigned int epoch = atomic_load(&sva_alive->epoch);
	struct sva_thread *thread;

	sva_process_adopt_thread(end_shares);
	pthread_mutex_lock(&ctx->lock);
	thread = find_thread(ctx, tls);
	pthread_mutex_unlock(&ctx->lock);
	if (!thread)
		return NULL;
	tls->current = thread;
	tls->key = ctx->is_default ? NULL : ctx;
	/*
	 * An interim context is not cached: the next call checks whether the default one can be
	 * opened.
	 */
	tls->epoch = atomic_load(&ctx->shortage) ? ~0u : epoch;
	return thread;
}

struct sva_thread *sva_thread_take(struct sva *ctx, const void *owner)
{
	struct sva_thread *thread;

	pthread_mutex_lock(&ctx->lock);
	thread = find_thread(ctx, owner);
	pthread_mutex_unlock(&ctx->lock);
	return thread;
}
