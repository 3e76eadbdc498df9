/* SPDX-License-Identifier: MIT */
/* What the files of this room share: contexts by handle, and this thread's share of a context. */
#ifndef SVA_API_API_H
#define SVA_API_API_H

#include "lib/op/cpu.h"
#include "lib/run/run.h"

#pragma GCC visibility push(hidden)

/*
 * The context of a handle, checked (NULL: the default one, made when needed). Returns NULL with
 * *err on failure.
 */
struct sva *sva_context(struct sva *ctx, int *err);
/*
 * The same, but not the interim context, which has no queues and no settings from the file:
 * -EMFILE, -ENFILE, -ENOMEM instead.
 */
struct sva *sva_context_complete(struct sva *ctx, int *err);
/* default.c */
struct sva *sva_context_default(int *err);
/* setup.c. Both with sva_process.lock held, which serialises discovery. */
int sva_context_open(struct sva **ctx, const struct sva_opts *opts);
void sva_context_publish(struct sva *ctx, bool is_default);
/* The anchor, the context on which bond handles submit; made when needed. */
struct sva *sva_anchor(int *err);
struct sva_thread *sva_thread_slow(struct sva *ctx, int *err);

/*
 * Is it the context of this thread's last call, in this process, with nothing closed since? Then
 * sva_tls.current is the share.
 */
static inline bool sva_thread_is_cached(const struct sva *ctx)
{
	const struct sva_tls *tls = &sva_tls;

	return likely(tls->key == ctx) &&
	       likely(tls->epoch == atomic_load_explicit(&sva_alive->epoch, memory_order_relaxed));
}

/* This thread's share of a context (NULL: the default one), or NULL and *err. */
static inline struct sva_thread *sva_thread_get(struct sva *ctx, int *err)
{
	return sva_thread_is_cached(ctx) ? sva_tls.current : sva_thread_slow(ctx, err);
}

#pragma GCC visibility pop

#endif
