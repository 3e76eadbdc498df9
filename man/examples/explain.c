/* SPDX-License-Identifier: MIT */
/*
 * Says for each path whether this process can use it, by number for programs and by text for
 * people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

int main(void)
{
	unsigned int v = sva_version();
	char text[256];
	int path, reason;

	printf("libsva %u.%u.%u\n", v >> 16, v >> 8 & 0xff, v & 0xff);
	for (path = 0; path < SVA_PATH_COUNT; path++) {
		reason = sva_explain(NULL, path, text, sizeof(text));
		if (reason < 0) {
			fprintf(stderr, "%s: %s\n", sva_path_name(path), strerror(-reason));
			return EXIT_FAILURE;
		}
		printf("%-9s %-18s %s\n", sva_path_name(path),
		       sva_reason_name((unsigned int)reason), text);
	}
	return EXIT_SUCCESS;
}
