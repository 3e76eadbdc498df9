/* SPDX-License-Identifier: MIT */
/* Opens a context that may use the software path only, with a log of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

static void log_line(void *arg, int level, const char *text)
{
	fprintf(arg, "<%d> %s\n", level, text);
}

int main(void)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	char from[4096] = "the bytes", to[4096] = "";
	struct sva *sva;
	int err;

	opts.paths = "soft";
	opts.threshold = 1; /* even the shortest copy becomes a descriptor */
	opts.log = log_line;
	opts.log_arg = stderr;
	err = sva_open(&sva, &opts);
	if (err) {
		fprintf(stderr, "sva_open: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	err = sva_memcpy(sva, to, from, sizeof(from));
	printf("%s by %s: %s\n", err ? strerror(-err) : "copied",
	       sva_path_name(sva_last_result()->path), to);
	sva_close(sva);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
