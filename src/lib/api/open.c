/* SPDX-License-Identifier: MIT */
/* Opening and closing contexts; the anchor. */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "lib/base/cancel.h"
#include "lib/api/api.h"
#include "lib/find/log.h"

/* ------------------------------------------------------------------ open and close */

/* The one line for a shortage: it does not matter which file could not be read. */
static void report_shortage(const struct sva_opts *opts, int err)
{
	struct sva_config config = { .log_level = LOG_WARNING };

	if (opts && opts->size >= offsetof(struct sva_opts, log_arg) + sizeof(opts->log_arg)) {
		config.log = opts->log;
		config.log_arg = opts->log_arg;
	}
	sva_log(&config, LOG_ERR, "a context cannot be opened at the moment: %s", strerror(-err));
}

int sva_open(struct sva **out, const struct sva_opts *opts)
{
	struct sva *ctx;
	int err, cancel;

	if (!out)
		return -EINVAL;
	err = sva_process_enter();
	if (err)
		return err;
	cancel = sva_cancel_hold();
	pthread_mutex_lock(&sva_process.lock);
	err = sva_context_open(&ctx, opts);
	if (!err)
		sva_context_publish(ctx, false);
	pthread_mutex_unlock(&sva_process.lock);
	if (sva_is_shortage(err))
		report_shortage(opts, err);
	sva_cancel_release(cancel);
	if (!err)
		*out = ctx;
	return err;
}

/*
 * From here on each operation that leaves the share's list releases a hold of the context. Its
 * owner reads the mark inside the section, so the counts agree: the operation either left before
 * this section and is not counted, or leaves after it and sees the mark.
 */
static void close_share(struct sva_thread *thread)
{
	unsigned int left = 0;

	sva_lessee_enter(&thread->lessee);
	for (const struct sva_op_node *n = thread->list.next; n != &thread->list; n = n->next)
		left++;
	atomic_fetch_add(&thread->ctx->holds, left);
	thread->closed = true;
	sva_lessee_leave(&thread->lessee);
}

/*
 * Operations that other threads submitted stay as they are, and the context stays in memory until
 * their owners have ended the last of them. When this returns, no device has a descriptor of them,
 * unless an owner has submitted the next chunk.
 */
void sva_close(struct sva *ctx)
{
	if (!ctx || ctx->magic != SVA_CTX_MAGIC)
		return;
	/*
	 * From before a fork: this process does not have its threads' pages, and its queues are
	 * closed.
	 */
	if (ctx->generation != sva_process_generation())
		return;
	sva_finish_own(ctx);
	sva_settle(ctx, NULL, ctx->policy.record_timeout_ms);
	for (struct sva_thread *thread = atomic_load(&ctx->threads); thread; thread = thread->next)
		close_share(thread);
	sva_context_drop(ctx);
}

/* ------------------------------------------------------------------ the anchor */

struct sva *sva_anchor(int *err)
{
	struct sva *ctx;

	*err = sva_process_enter();
	if (*err)
		return NULL;
	pthread_mutex_lock(&sva_process.lock);
	ctx = sva_process.anchor;
	if (!ctx) {
		ctx = calloc(1, sizeof(*ctx));
		if (ctx) {
			ctx->magic = SVA_CTX_MAGIC;
			pthread_mutex_init(&ctx->lock, NULL);
			sva_context_publish(ctx, false);
			sva_process.anchor = ctx;
		} else {
			*err = -ENOMEM;
		}
	}
	pthread_mutex_unlock(&sva_process.lock);
	return ctx;
}
