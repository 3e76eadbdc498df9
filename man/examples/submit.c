/* SPDX-License-Identifier: MIT */
/*
 * Keeps up to 32 copies in flight until 1000 blocks are copied, and collects them as they finish.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

enum { BLOCKS = 1000, BLOCK = 4096, DEPTH = 32 };

static struct sva_op ops[DEPTH];

int main(void)
{
	char *src = malloc((size_t)BLOCKS * BLOCK), *dst = malloc((size_t)BLOCKS * BLOCK);
	struct sva_op *idle[DEPTH], *done[DEPTH];
	int i, n, idle_count = DEPTH, next = 0, finished = 0, failed = 0;

	if (!src || !dst)
		return EXIT_FAILURE;
	memset(src, 7, (size_t)BLOCKS * BLOCK);
	for (i = 0; i < DEPTH; i++)
		idle[i] = &ops[i];

	while (finished < BLOCKS) {
		for (i = 0; i < idle_count && next + i < BLOCKS; i++) {
			size_t at = (size_t)(next + i) * BLOCK;

			sva_prep_memcpy(idle[i], dst + at, src + at, BLOCK);
			idle[i]->user_data = (uint64_t)(next + i);
		}
		n = i ? sva_submit_many(NULL, idle, (unsigned int)i) : 0;
		if (n < 0 && n != -EAGAIN) {
			fprintf(stderr, "submit: %s\n", strerror(-n));
			return EXIT_FAILURE;
		}
		if (n > 0) {
			next += n;
			idle_count -= n;
			memmove(idle, idle + n, (size_t)idle_count * sizeof(idle[0]));
		}
		n = sva_reap(NULL, done, DEPTH);
		for (i = 0; i < n; i++) {
			failed += sva_op_result(done[i])->error != 0;
			idle[idle_count++] = done[i];
			finished++;
		}
	}
	printf("%d blocks, %d failed, %s\n", finished, failed,
	       memcmp(src, dst, (size_t)BLOCKS * BLOCK) ? "different" : "equal");
	return failed || memcmp(src, dst, (size_t)BLOCKS * BLOCK) ? EXIT_FAILURE : EXIT_SUCCESS;
}
