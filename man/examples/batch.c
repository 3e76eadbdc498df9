/* SPDX-License-Identifier: MIT */
/*
 * Copies sixteen blocks with one submission, and then, behind a fence, computes the CRC of what was
 * copied.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

enum { BLOCKS = 16, BLOCK = 4096 };

static struct sva_op ops[BLOCKS + 1], batch;

int main(void)
{
	static char from[BLOCKS * BLOCK], to[BLOCKS * BLOCK];
	struct sva_op *entries[BLOCKS + 1];
	int i, err;

	memset(from, 'x', sizeof(from));
	for (i = 0; i < BLOCKS; i++)
		sva_prep_memcpy(&ops[i], to + i * BLOCK, from + i * BLOCK, BLOCK);
	sva_prep_crc(&ops[BLOCKS], to, sizeof(to), 0, 0);
	ops[BLOCKS].flags |= SVA_OP_FENCE;
	for (i = 0; i <= BLOCKS; i++)
		entries[i] = &ops[i];

	sva_prep_batch(&batch, entries, BLOCKS + 1);
	err = sva_run(NULL, &batch);
	for (i = 0; i <= BLOCKS; i++)
		if (sva_op_result(&ops[i])->error)
			printf("entry %d: %s\n", i, strerror(-sva_op_result(&ops[i])->error));
	printf("%s, crc=%08" PRIx64 "\n", err ? strerror(-err) : "done",
	       sva_op_result(&ops[BLOCKS])->value);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
