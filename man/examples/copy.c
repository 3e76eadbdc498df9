/* SPDX-License-Identifier: MIT */
/* The synchronous calls: a fill, a copy onto itself, and what a bad address is answered with. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

static int report(const char *what, int err)
{
	const struct sva_result *r = sva_last_result();

	printf("%s: %s, path=%s, faults=%u\n", what, err ? strerror(-err) : "done",
	       sva_path_name(r->path), (unsigned int)r->faults);
	return err;
}

int main(void)
{
	const size_t len = 1u << 20;
	char *buf = malloc(len);
	struct sva_op op;
	int failed;

	if (!buf)
		return EXIT_FAILURE;
	failed = report("fill", sva_memfill(NULL, buf, 0x2020202020202020, len));
	failed |= report("move", sva_memcpy(NULL, buf + 100, buf, len - 100));

	sva_prep_memcpy(&op, buf, buf + len / 2, len / 2);
	op.flags |= SVA_OP_FAULT_CPU;
	failed |= report("run", sva_run(NULL, &op));

	failed |= report("bad", sva_memcpy(NULL, buf, NULL, len)) != -EFAULT;
	free(buf);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
