/* SPDX-License-Identifier: MIT */
/*
 * The reasons why a path cannot use a queue, found without opening it: one table of probes serves
 * the choice of a path, sva_explain(), sva-info and the skip reasons of the tests.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cancel.h"
#include "lib/base/machine.h"
#include "lib/queue/proof.h"
#include "lib/queue/reason.h"
#include "lib/queue/ways.h"

uint32_t sva_trust_reason(const struct sva_queue *queue, bool strict, bool untrusted)
{
	if (queue->trust == SVA_TRUST_NO && !untrusted)
		return SVA_REASON_UNTRUSTED;
	if (queue->trust == SVA_TRUST_UNKNOWN && strict)
		return SVA_REASON_TRUST_UNKNOWN;
	return SVA_REASON_OK;
}

/* ------------------------------------------------------------------ the table */

struct probe {
	const char *name;
	uint32_t (*probe)(const struct sva_config *config, const struct sva_queue *queue, int path);
};

static uint32_t probe_path_list(const struct sva_config *config, const struct sva_queue *queue,
				int path)
{
	(void)queue;
	return sva_config_path_allowed(config, path) ? SVA_REASON_OK : SVA_REASON_EXCLUDED;
}

static uint32_t probe_queue_list(const struct sva_config *config, const struct sva_queue *queue,
				 int path)
{
	(void)path;
	return sva_config_queue_allowed(config, queue->device, queue->name) ?
		       SVA_REASON_OK :
		       SVA_REASON_QUEUE_EXCLUDED;
}

static uint32_t probe_discovered(const struct sva_config *config, const struct sva_queue *queue,
				 int path)
{
	(void)config;
	(void)path;
	return queue->reason;
}

static uint32_t probe_mode(const struct sva_config *config, const struct sva_queue *queue, int path)
{
	const struct sva_submit_ops *ops = sva_submit_ops_of(path);

	(void)config;
	return ops && ops->mode != SVA_MODE_UNKNOWN && ops->mode != queue->mode ?
		       SVA_REASON_WRONG_MODE :
		       SVA_REASON_OK;
}

static uint32_t probe_cpu(const struct sva_config *config, const struct sva_queue *queue, int path)
{
	const struct sva_submit_ops *ops = sva_submit_ops_of(path);

	(void)config;
	(void)queue;
	if (!ops || !ops->cpu_features)
		return SVA_REASON_OK;
	if (!SVA_HAVE_PORTALS)
		return SVA_REASON_NOT_BUILT;
	if (sva_cpu_features() & ops->cpu_features)
		return SVA_REASON_OK;
	if (sva_cpu_shortage())
		return SVA_REASON_SHORTAGE;
	if (access("/proc/cpuinfo", F_OK))
		return SVA_REASON_PROC_HIDDEN;
	return ops->no_cpu;
}

static uint32_t probe_trust(const struct sva_config *config, const struct sva_queue *queue,
			    int path)
{
	(void)path;
	return sva_trust_reason(queue, config->flags & SVA_OPEN_STRICT,
				config->flags & SVA_OPEN_UNTRUSTED);
}

static uint32_t probe_node(const struct sva_config *config, const struct sva_queue *queue, int path)
{
	const struct sva_submit_ops *ops = sva_submit_ops_of(path);
	struct stat st;

	(void)config;
	if (!ops)
		return SVA_REASON_OK;
	if (!queue->node || !queue->node[0])
		return SVA_REASON_NO_NODE;
	if (access(queue->node, R_OK | W_OK))
		return errno == EACCES || errno == EPERM || errno == EROFS ?
			       SVA_REASON_NO_PERMISSION :
			       SVA_REASON_NO_NODE;
	return stat(queue->node, &st) ? (uint32_t)SVA_REASON_NO_NODE : sva_proof(queue, ops, &st);
}

/*
 * In the order in which an administrator would remove the obstacles. Reasons that only opening the
 * node shows come from bond.c.
 */
static const struct probe probes[] = {
	{ "path list", probe_path_list },
	{ "queue list", probe_queue_list },
	{ "state", probe_discovered },
	{ "mode", probe_mode },
	{ "cpu", probe_cpu },
	{ "trust", probe_trust },
	{ "node", probe_node },
};

uint32_t sva_static_reason(const struct sva_config *config, const struct sva_queue *queue, int path)
{
	int saved = errno, cancel = sva_cancel_hold();
	uint32_t reason = SVA_REASON_OK;

	for (unsigned int i = 0; i < sizeof(probes) / sizeof(probes[0]) && reason == SVA_REASON_OK;
	     i++)
		reason = probes[i].probe(config, queue, path);
	sva_cancel_release(cancel);
	errno = saved;
	return reason;
}
