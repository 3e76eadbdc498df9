/* SPDX-License-Identifier: MIT */
/*
 * Maps two buffers once and copies between them many times; works with and without the sva_dma
 * module.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

int main(void)
{
	static char from[1 << 16], to[1 << 16];
	struct sva_dma_buf *src = NULL, *dst = NULL;
	int err, i;

	err = sva_dma_map(NULL, from, sizeof(from), SVA_DMA_SOURCE, &src);
	if (!err)
		err = sva_dma_map(NULL, to, sizeof(to), SVA_DMA_DESTINATION, &dst);
	for (i = 0; i < 16 && !err; i++) {
		memset(from, 'a' + i, sizeof(from));
		err = sva_dma_sync(src, 0, sizeof(from), SVA_DMA_FOR_DEVICE);
		if (!err)
			err = sva_dma_copy(NULL, dst, 0, src, 0, sizeof(from));
		if (!err)
			err = sva_dma_sync(dst, 0, sizeof(to), SVA_DMA_FOR_CPU);
	}
	if (!err)
		printf("mapped=%d path=%s last=%c\n", sva_dma_is_mapped(dst),
		       sva_path_name(sva_last_result()->path), to[sizeof(to) - 1]);
	else
		fprintf(stderr, "%s\n", strerror(-err));
	sva_dma_unmap(dst);
	sva_dma_unmap(src);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
