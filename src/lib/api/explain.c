/* SPDX-License-Identifier: MIT */
/*
 * What this process can use, and why not more: paths, queues, settings and problems, for programs
 * that ask.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/api.h"
#include "lib/base/fd.h"
#include "lib/queue/dma.h"
#include "lib/queue/reason.h"
#include "lib/queue/proof.h"
#include "lib/queue/ways.h"

/* sva_static_reason(), and if that finds none, the reason why the queue cannot be bound. */
static uint32_t bind_reason(struct sva *ctx, const struct sva_queue *queue, int path)
{
	uint32_t reason = sva_static_reason(&ctx->config, queue, path);
	struct sva_bond *bond;

	if (reason == SVA_REASON_OK && !sva_bond_get(&ctx->config, queue, path, &bond, &reason)) {
		reason = SVA_REASON_OK;
		sva_bond_put(bond);
	}
	return reason;
}

/* ------------------------------------------------------------------ functions for programs */

/* How close to working a queue with this reason is: later probes come later in this order. */
static int closeness(uint32_t reason)
{
	static const uint32_t order[] = {
		SVA_REASON_EXCLUDED,	    SVA_REASON_WRONG_MODE,
		SVA_REASON_QUEUE_EXCLUDED,  SVA_REASON_QUEUE_UNCONFIGURED,
		SVA_REASON_WRONG_TYPE,	    SVA_REASON_DEVICE_DISABLED,
		SVA_REASON_QUEUE_DISABLED,  SVA_REASON_NO_NODE,
		SVA_REASON_NOT_A_QUEUE,	    SVA_REASON_PROC_HIDDEN,
		SVA_REASON_NO_ENQCMD,	    SVA_REASON_NO_MOVDIR64B,
		SVA_REASON_NOT_BUILT,	    SVA_REASON_UNTRUSTED,
		SVA_REASON_TRUST_UNKNOWN,   SVA_REASON_NO_PERMISSION,
	};

	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (order[i] == reason)
			return (int)i;
	return 100;
}

static uint32_t queue_path_reason(struct sva *ctx, int path)
{
	uint32_t best = SVA_REASON_OK;

	for (const struct sva_queue *queue = ctx->inventory->queues; queue; queue = queue->next) {
		uint32_t reason = bind_reason(ctx, queue, path);

		if (reason == SVA_REASON_OK)
			return reason;
		if (best == SVA_REASON_OK || closeness(reason) > closeness(best))
			best = reason;
	}
	return sva_inventory_reason(ctx->inventory, best);
}

static uint32_t path_reason(struct sva *ctx, int path)
{
	const struct sva_submit_ops *ops = sva_submit_ops_of(path);
	uint32_t reason = SVA_REASON_OK;

	if (atomic_load(&ctx->shortage) && path != SVA_PATH_CPU)
		return SVA_REASON_SHORTAGE;
	if (!sva_config_path_allowed(&ctx->config, path))
		return SVA_REASON_EXCLUDED;
	if (!ops)
		return SVA_REASON_OK;
	if (!ops->queue)
		return queue_path_reason(ctx, path);
	if (ops->probe)
		(void)ops->probe(&reason);
	return reason;
}

int sva_explain(struct sva *sva, int path, char *text, size_t size)
{
	uint32_t reason;
	int err;

	if (path < 0 || path >= SVA_PATH_COUNT)
		return -EINVAL;
	sva = sva_context(sva, &err);
	if (!sva)
		return err;
	reason = path_reason(sva, path);
	if (text && size)
		snprintf(text, size, "%s", sva_reason_text(reason));
	return (int)reason;
}

const char *sva_problem(struct sva *sva, unsigned int index)
{
	int err;

	sva = sva_context(sva, &err);
	if (!sva || index >= sva->inventory->problem_count)
		return NULL;
	return sva->inventory->problems[index];
}

int sva_setting_value(struct sva *sva, unsigned int index, char *text, size_t size)
{
	int err;

	if (!text)
		return -EINVAL;
	sva = sva_context_complete(sva, &err);
	return sva ? sva_config_value(&sva->config, index, text, size) : err;
}

static void describe_queue(const struct sva_queue *queue, struct sva_queue_info *info)
{
	info->name = queue->name;
	info->device = queue->device;
	info->node = queue->node ? queue->node : "";
	info->plugin = queue->plugin;
	info->label = queue->label ? queue->label : "";
	info->version = queue->version;
	info->mode = queue->mode;
	info->entries = queue->entries;
	info->threshold = queue->threshold;
	info->max_transfer = queue->max_transfer;
	info->max_batch = queue->max_batch;
	info->numa_node = queue->numa_node;
	info->gen_cap = queue->gen_cap;
	memcpy(info->op_cap, queue->op_cap, sizeof(info->op_cap));
	info->trust = queue->trust;
	info->block_on_fault = queue->block_on_fault;
	info->pasid = -1;
}

int sva_queue_describe(struct sva *sva, unsigned int index, int probe, struct sva_queue_info *out)
{
	struct sva_queue_info info = { 0 };
	const struct sva_queue *queue;
	uint32_t pasid;
	size_t size;
	int err;

	/* The smallest size that makes sense; no program was ever compiled against less. */
	if (!out || out->size < sizeof(size_t) + sizeof(char *))
		return -EINVAL;
	sva = sva_context_complete(sva, &err);
	if (!sva)
		return err;
	for (queue = sva->inventory->queues; queue && index; queue = queue->next)
		index--;
	if (!queue)
		return -ENOENT;
	describe_queue(queue, &info);
	for (int path = 0; path < SVA_PATH_COUNT; path++) {
		const struct sva_submit_ops *ops = sva_submit_ops_of(path);

		if (!ops || !sva_submit_serves(ops, queue))
			info.reasons[path] = SVA_REASON_WRONG_MODE;
		else
			info.reasons[path] = probe ? bind_reason(sva, queue, path) :
						     sva_static_reason(&sva->config, queue, path);
	}
	if (probe && !sva_dma_pasid(&pasid))
		info.pasid = (int32_t)pasid;
	size = out->size;
	memset(out, 0, size);
	info.size = size;
	memcpy(out, &info, size < sizeof(info) ? size : sizeof(info));
	return 0;
}
