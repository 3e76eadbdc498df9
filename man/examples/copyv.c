/* SPDX-License-Identifier: MIT */
/* Gathers three pieces into two buffers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

int main(void)
{
	char head[5] = "", tail[20] = "", a[] = "gather", b[] = " and ", c[] = "scatter";
	struct iovec from[] = { { a, 6 }, { b, 5 }, { c, 7 } };
	struct iovec to[] = { { head, 4 }, { tail, sizeof(tail) - 1 } };
	size_t copied;
	int err;

	err = sva_copyv(NULL, to, 2, from, 3, &copied);
	printf("%s: %zu bytes, '%s' '%s'\n", err ? strerror(-err) : "done", copied, head,
	       tail);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
