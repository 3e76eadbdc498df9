/* SPDX-License-Identifier: MIT */
/* The submission table: a row for each path. */
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
