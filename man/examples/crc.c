/* SPDX-License-Identifier: MIT */
/*
 * The CRC-32C of a message in two parts, the second of which is copied on the way; and a 64-bit
 * CRC.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

int main(void)
{
	const char *first = "1234", *second = "56789";
	char copy[6] = "";
	uint32_t crc = 0;
	struct sva_op op;
	int err;

	err = sva_crc32c(NULL, first, 4, &crc);
	if (!err)
		err = sva_copy_crc32c(NULL, copy, second, 5, &crc);
	if (err) {
		fprintf(stderr, "crc: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	printf("crc=%08" PRIx32 " copy=%s\n", crc, copy);

	sva_prep_crc(&op, "123456789", 9, 0, SVA_CRC_64);
	err = sva_run(NULL, &op);
	if (err)
		printf("crc64: %s\n", strerror(-err));
	else
		printf("crc64=%016" PRIx64 "\n", sva_op_result(&op)->value);
	return EXIT_SUCCESS;
}
