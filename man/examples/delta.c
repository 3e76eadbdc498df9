/* SPDX-License-Identifier: MIT */
/*
 * Records what has changed in 64 KiB, and brings a copy of the old bytes up to date with the record
 * alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

enum { LEN = 65536, ROOM = 4000 };

static _Alignas(8) char before[LEN], now[LEN], copy[LEN];
static char delta[ROOM];

int main(void)
{
	uint32_t size;
	int err;

	memset(before, 'x', LEN);
	memcpy(copy, before, LEN);
	memcpy(now, before, LEN);
	memcpy(now + 1000, "changed", 7);

	err = sva_create_delta(NULL, before, now, LEN, delta, ROOM, &size);
	if (!err) {
		printf("the record has %" PRIu32 " bytes\n", size);
		err = sva_apply_delta(NULL, copy, LEN, delta, size);
	}
	printf("%s, %s\n", err ? strerror(-err) : "applied",
	       memcmp(copy, now, LEN) ? "different" : "equal");
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
