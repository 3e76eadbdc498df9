/* SPDX-License-Identifier: MIT */
/* Copies eight blocks with one batch, and computes on the CPU while they are copied. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

enum { BLOCKS = 8, BLOCK = 65536 };

static struct sva_op ops[BLOCKS], batch;

int main(void)
{
	static unsigned char from[BLOCKS * BLOCK], to[BLOCKS * BLOCK];
	struct sva_op *entries[BLOCKS];
	unsigned long sum = 0;
	int i, err;

	for (i = 0; i < BLOCKS * BLOCK; i++)
		from[i] = (unsigned char)(i % 251);
	for (i = 0; i < BLOCKS; i++) {
		sva_prep_memcpy(&ops[i], to + i * BLOCK, from + i * BLOCK, BLOCK);
		entries[i] = &ops[i];
	}
	sva_prep_batch(&batch, entries, BLOCKS);
	err = sva_submit(NULL, &batch);
	if (err) {
		fprintf(stderr, "submit: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	for (i = 0; i < BLOCKS * BLOCK; i++) /* the program's own work, meanwhile */
		sum += from[i];
	err = sva_wait(&batch, -1);
	if (err || memcmp(from, to, sizeof(to))) {
		fprintf(stderr, "copy: %s\n", err ? strerror(-err) : "different");
		return EXIT_FAILURE;
	}
	printf("%d blocks, sum %lu, path=%s\n", BLOCKS, sum,
	       sva_path_name(sva_op_result(&ops[0])->path));
	return EXIT_SUCCESS;
}
