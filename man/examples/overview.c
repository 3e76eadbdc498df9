/* SPDX-License-Identifier: MIT */
/* Copies 64 MiB, prints the path that was taken, and for each path why it was not. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

int main(void)
{
	const size_t len = 64u << 20;
	char *src = malloc(len), *dst = malloc(len);
	const struct sva_result *r;
	char why[256];
	int err, path;

	if (!src || !dst)
		return EXIT_FAILURE;
	memset(src, 'x', len);

	err = sva_memcpy(NULL, dst, src, len);
	r = sva_last_result();
	if (err) {
		fprintf(stderr, "copy: %s after %" PRIu64 " bytes\n", strerror(-err), r->bytes);
		return EXIT_FAILURE;
	}
	printf("%" PRIu64 " bytes: path=%s queue=%s\n", r->bytes, sva_path_name(r->path),
	       r->queue ? r->queue : "none");

	for (path = 0; path < SVA_PATH_COUNT; path++) {
		sva_explain(NULL, path, why, sizeof(why));
		printf("%-9s  %s\n", sva_path_name(path), why);
	}
	err = memcmp(src, dst, len);
	free(src);
	free(dst);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
