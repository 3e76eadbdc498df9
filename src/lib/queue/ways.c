/* SPDX-License-Identifier: MIT */
/* The submission table: a row for each path. */
#include <string.h>

#include "lib/queue/ways.h"

static const struct sva_submit_ops *const table[SVA_PATH_COUNT] = {
	[SVA_PATH_ENQCMD] = &sva_submit_enqcmd,
	[SVA_PATH_MOVDIR64B] = &sva_submit_movdir64b,
	[SVA_PATH_WRITE] = &sva_submit_write,
	[SVA_PATH_DMA] = &sva_submit_dma,
	[SVA_PATH_SOFT] = &sva_submit_soft,
};

const struct sva_submit_ops *sva_submit_ops_of(int path)
{
	return table[path];
}

/* A queue that was discovered has the name of its plug-in; a path's own queue has none. */
bool sva_submit_serves(const struct sva_submit_ops *ops, const struct sva_queue *queue)
{
	return ops->queue ? ops->queue() == queue : queue->plugin[0] != '\0';
}

const struct sva_queue *sva_submit_own_queue(const char *name)
{
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (table[path] && table[path]->bindable &&
		    !strcmp(table[path]->queue()->name, name))
			return table[path]->queue();
	return NULL;
}
