/* SPDX-License-Identifier: MIT */
/* The handles of sva_bind(), each for one queue. */
#include <string.h>

#include "lib/api/api.h"
#include "lib/find/log.h"
#include "lib/queue/dma.h"
#include "lib/queue/reason.h"
#include "lib/queue/ways.h"

/*
 * Bind the queue on the first permitted path that can be opened on it, which is the path that
 * submissions on the handle take.
 */
static int bind_any_path(struct sva *ctx, const struct sva_queue *queue, struct sva_bond **bond,
			 uint32_t *reason)
{
	int first_err = -EACCES;
	uint32_t first_reason = SVA_REASON_EXCLUDED;
	bool tried = false;

	for (unsigned int i = 0; i < ctx->config.path_count; i++) {
		int path = ctx->config.paths[i], err;
		const struct sva_submit_ops *ops = sva_submit_ops_of(path);

		if (!ops || !sva_submit_serves(ops, queue))
			continue;
		err = sva_bond_get(&ctx->config, queue, path, bond, reason);
		if (!err || err == -ENOMEM)
			return err;
		/*
		 * Report the first reason other than "this path is for queues of the other mode".
		 */
		if (!tried || first_reason == SVA_REASON_WRONG_MODE) {
			first_err = err;
			first_reason = *reason;
			tried = true;
		}
	}
	/* The list has only paths for queues of the other mode. */
	if (first_reason == SVA_REASON_WRONG_MODE) {
		first_reason = SVA_REASON_EXCLUDED;
		first_err = -EACCES;
	}
	*reason = first_reason;
	return first_err;
}

static int check_trust(const struct sva *ctx, const struct sva_queue *queue, unsigned int flags)
{
	bool strict = (flags & SVA_BIND_STRICT) || (ctx->config.flags & SVA_OPEN_STRICT);
	bool untrusted = (flags & SVA_BIND_UNTRUSTED) || (ctx->config.flags & SVA_OPEN_UNTRUSTED);
	uint32_t reason = sva_trust_reason(queue, strict, untrusted);

	return reason == SVA_REASON_OK ? 0 : -EPERM;
}

static int reason_error(uint32_t reason)
{
	switch (reason) {
	case SVA_REASON_OK:
		return 0;
	case SVA_REASON_NO_PERMISSION:
		return -EACCES;
	case SVA_REASON_SVA_REFUSED:
		return -EOPNOTSUPP;
	default:
		return -ENODEV;
	}
}

int sva_bind(struct sva *sva, const char *name, unsigned int flags, struct sva_bond **out)
{
	const struct sva_queue *queue;
	struct sva_bond *bond = NULL;
	uint32_t reason = SVA_REASON_OK;
	int err;

	if (!name || !out || (flags & ~(SVA_BIND_UNTRUSTED | SVA_BIND_STRICT)))
		return -EINVAL;
	sva = sva_context_complete(sva, &err);
	if (!sva)
		return err;
	queue = sva_submit_own_queue(name);
	if (!queue) {
		queue = sva_inventory_find(sva->inventory, name);
		if (!queue)
			return -ENOENT;
		if (!sva_config_queue_allowed(&sva->config, queue->device, queue->name))
			return -EACCES;
		err = check_trust(sva, queue, flags);
		if (!err)
			err = reason_error(queue->reason);
		if (err)
			return err;
	}
	err = bind_any_path(sva, queue, &bond, &reason);
	if (!err)
		*out = bond;
	else
		sva_log(&sva->config, 6, "%s: %s", name, sva_reason_text(reason));
	return err;
}

void sva_unbind(struct sva_bond *bond)
{
	if (!bond || bond->magic != SVA_BOND_MAGIC)
		return;
	/*
	 * A handle from before a fork: the child has closed its queue already, and the memory is
	 * the child's own copy.
	 */
	if (bond->generation != sva_process_generation())
		return;
	sva_bond_put(bond);
}

int sva_bond_pasid(const struct sva_bond *bond, uint32_t *pasid)
{
	int err = sva_bond_check(bond);

	if (err)
		return err;
	if (!pasid)
		return -EINVAL;
	return sva_dma_pasid(pasid);
}

int sva_bond_path(const struct sva_bond *bond)
{
	int err = sva_bond_check(bond);

	return err ? err : bond->id->path;
}
