/* SPDX-License-Identifier: MIT */
/* Adds protection information to eight blocks, damages a byte, and finds the block. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

enum { BLOCK = 512, BLOCKS = 8 };

int main(void)
{
	static char plain[BLOCKS * BLOCK], guarded[BLOCKS * (BLOCK + 8)];
	struct sva_desc_dif dif = { .flags = SVA_DIF_BLOCK_512, .dst_ref = 100, .dst_app = 7 };
	struct sva_op op;
	int err;

	sva_prep_dif_insert(&op, guarded, plain, sizeof(plain), &dif);
	err = sva_run(NULL, &op);
	printf("insert: %s, the next reference tag is %" PRIu32 "\n", err ? strerror(-err) : "done",
	       sva_op_result(&op)->dif.dst_ref);

	guarded[5 * (BLOCK + 8) + 17] = 1;

	dif = (struct sva_desc_dif){ .flags = SVA_DIF_BLOCK_512, .src_ref = 100, .src_app = 7 };
	sva_prep_dif_check(&op, guarded, sizeof(guarded), &dif);
	err = sva_run(NULL, &op);
	printf("check: %s in block %" PRIu64 "%s\n", err ? strerror(-err) : "done",
	       sva_op_result(&op)->bytes / (BLOCK + 8),
	       sva_op_result(&op)->result & SVA_DIF_ERR_GUARD ? ", the guard does not match" : "");
	return err ? EXIT_SUCCESS : EXIT_FAILURE;
}
