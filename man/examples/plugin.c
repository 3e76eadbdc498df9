/* SPDX-License-Identifier: MIT */
/* A plug-in that reports one queue, whose node is the setting queue-file. */
#include <errno.h>
#include <sva/plugin.h>

static int enumerate(const struct sva_accfg_host *host)
{
	const char *node = host->setting(host->ctx, "queue-file");
	struct sva_accfg_queue queue = {
		.size = sizeof(queue),
		.name = "wq7.0",
		.device = "example7",
		.node = node ? node : "",
		.label = "from the manual",
		.mode = 1,
		.entries = 16,
		.max_transfer = 1u << 21,
		.max_batch = 1,
		.numa_node = -1,
	};

	/* A smaller size is that of an older library, which lacks a function. */
	if (host->size < sizeof(*host))
		return -EOPNOTSUPP;
	return host->add_queue(host->ctx, &queue);
}

SVA_ACCFG_EXPORT const struct sva_accfg_plugin sva_accfg_plugin_v1 = {
	.size = sizeof(sva_accfg_plugin_v1),
	.name = "example",
	.about = "one queue, for the manual",
	.enumerate = enumerate,
};
