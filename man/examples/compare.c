/* SPDX-License-Identifier: MIT */
/* Finds where two buffers differ, and whether a buffer is all zero. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

int main(void)
{
	static char a[1 << 20], b[1 << 20];
	size_t where;
	int differs;

	b[700000] = 1;
	differs = sva_compare(NULL, a, b, sizeof(a), &where);
	if (differs < 0) {
		fprintf(stderr, "compare: %s\n", strerror(-differs));
		return EXIT_FAILURE;
	}
	printf("%s at %zu\n", differs ? "different" : "equal", where);

	differs = sva_compare_pattern(NULL, a, 0, sizeof(a), &where);
	printf("%s up to %zu\n", differs ? "not zero" : "zero", where);
	return differs ? EXIT_FAILURE : EXIT_SUCCESS;
}
