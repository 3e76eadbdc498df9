/* SPDX-License-Identifier: MIT */
/*
 * Gives a copy ten seconds, does something else meanwhile, and gets out safely if it takes longer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

int main(void)
{
	const size_t len = 16u << 20;
	char *src = malloc(len), *dst = malloc(len);
	unsigned long turns = 0;
	struct sva_op op;
	int err;

	if (!src || !dst)
		return EXIT_FAILURE;
	memset(src, 1, len);
	sva_prep_memcpy(&op, dst, src, len);
	err = sva_submit(NULL, &op);
	if (err) {
		fprintf(stderr, "submit: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	while ((err = sva_poll(&op)) == 0 && turns < 1000)
		turns++; /* something useful */
	if (err == 0)
		err = sva_wait(&op, 10000000000);
	if (err == -ETIME) {
		/*
		 * Still in flight: neither op nor the buffers may be touched before this returns.
		 */
		sva_op_retire(&op);
		err = sva_op_result(&op)->error;
	}
	printf("%s\n", err < 0 ? strerror(-err) : "done");
	free(src);
	free(dst);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
