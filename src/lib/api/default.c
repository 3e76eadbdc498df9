/* SPDX-License-Identifier: MIT */
/*
 * The default context of the process, made when it is first needed. If the process is short of
 * descriptors or memory then, it gets an interim context without queues, on which the CPU does the
 * work. Later calls try again to open the default context, with back-off.
 */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "lib/api/api.h"
#include "lib/base/cancel.h"
#include "lib/find/log.h"

static struct sva_retry retry; /* this and the next variable: sva_process.lock */
static int shortage;           /* -errno of the last attempt to open it; 0: none failed */

static int make_interim(struct sva **out)
{
	struct sva *ctx = calloc(1, sizeof(*ctx));
	int err = -ENOMEM;

	if (!ctx)
		return err;
	ctx->magic = SVA_CTX_MAGIC;
	pthread_mutex_init(&ctx->lock, NULL);
	ctx->inventory = calloc(1, sizeof(*ctx->inventory));
	if (ctx->inventory)
		err = sva_config_interim(&ctx->config);
	if (err) {
		sva_context_free(ctx);
		return err;
	}
	ctx->inventory->reason = SVA_REASON_SHORTAGE;
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		ctx->own_reasons[path] = SVA_REASON_SHORTAGE;
	ctx->policy = sva_policy_of(&ctx->config);
	sva_context_publish(ctx, true);
	*out = ctx;
	return 0;
}

static struct sva *get_interim(int *err)
{
	*err = 0;
	if (!sva_process.interim)
		*err = make_interim(&sva_process.interim);
	if (*err)
		return NULL;
	atomic_store(&sva_process.interim->shortage, shortage);
	return sva_process.interim;
}

/* Logs when a shortage begins and when it ends, not with every attempt. */
static void report_shortage(int err)
{
	if (shortage && !err)
		sva_log(NULL, LOG_NOTICE, "the default context is open now");
	else if (!shortage && sva_is_shortage(err))
		sva_log(NULL, LOG_WARNING,
			"the default context cannot be opened at the moment (%s): the CPU does the work, and later calls try again",
			strerror(-err));
}

/*
 * The default context ends with the process, and has no exit handler: other threads may run until
 * the very end, and end and free their operations at any time. The kernel stops the device before
 * it releases the process's memory.
 */
static struct sva *open_default(int *err)
{
	struct sva *ctx;

	if (sva_retry_is_due(&retry)) {
		*err = sva_context_open(&ctx, NULL);
		report_shortage(*err);
		shortage = sva_is_shortage(*err) ? *err : 0;
		if (!*err) {
			sva_context_publish(ctx, true);
			sva_process.default_context = ctx;
			return ctx;
		}
		if (!shortage)
			return NULL;
		sva_retry_failed(&retry);
	}
	return get_interim(err);
}

struct sva *sva_context_default(int *err)
{
	struct sva *ctx;
	int cancel;

	*err = sva_process_enter();
	if (*err)
		return NULL;
	cancel = sva_cancel_hold();
	pthread_mutex_lock(&sva_process.lock);
	ctx = sva_process.default_context;
	if (!ctx)
		ctx = open_default(err);
	pthread_mutex_unlock(&sva_process.lock);
	sva_cancel_release(cancel);
	return ctx;
}

struct sva *sva_context(struct sva *ctx, int *err)
{
	*err = 0;
	if (!ctx)
		return sva_context_default(err);
	if (ctx->magic != SVA_CTX_MAGIC)
		*err = -EINVAL;
	else if (ctx->generation != sva_process_generation())
		*err = -ESTALE;
	return *err ? NULL : ctx;
}

struct sva_thread *sva_thread_slow(struct sva *key, int *err)
{
	struct sva *ctx = sva_context(key, err);
	struct sva_thread *thread;

	if (!ctx)
		return NULL;
	thread = sva_thread_find(ctx);
	if (!thread)
		*err = -ENOMEM;
	return thread;
}

struct sva *sva_context_complete(struct sva *key, int *err)
{
	struct sva *ctx = sva_context(key, err);

	if (ctx && atomic_load(&ctx->shortage))
		*err = atomic_load(&ctx->shortage);
	return *err ? NULL : ctx;
}
