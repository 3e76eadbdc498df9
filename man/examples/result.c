/* SPDX-License-Identifier: MIT */
/*
 * Shows the whole result of an operation whose destination ends in a page that may not be written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sva/sva.h>

int main(void)
{
	const size_t len = 65536;
	char *src = malloc(len), *dst;
	const struct sva_result *r;
	struct sva_op op;
	int path;

	dst = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!src || dst == MAP_FAILED || mprotect(dst + len / 2, len / 2, PROT_READ))
		return EXIT_FAILURE;
	memset(src, 1, len);

	sva_prep_memcpy(&op, dst, src, len);
	if (sva_submit(NULL, &op) == 0)
		sva_wait(&op, -1);

	r = sva_op_result(&op);
	printf("error        %s\n", strerror(-r->error));
	printf("status       %s: %s\n", sva_status_name(r->status), sva_status_text(r->status));
	printf("path         %s, queue %s, device %s\n", sva_path_name(r->path),
	       r->queue ? r->queue : "none", r->device ? r->device : "none");
	printf("bytes        %" PRIu64 " of %" PRIu64 "\n", r->bytes, op.length);
	for (path = 0; path < SVA_PATH_COUNT; path++)
		if (r->path_bytes[path])
			printf("  by %-9s %" PRIu64 "\n", sva_path_name(path), r->path_bytes[path]);
	printf("fault        %s at %+" PRId64 "\n", r->fault_write ? "write" : "read",
	       (int64_t)(r->fault_addr - (uint64_t)(uintptr_t)dst));
	printf("counts       faults=%" PRIu32 " retries=%" PRIu32 " chunks=%" PRIu32 "\n",
	       r->faults, r->retries, r->chunks);
	printf("reason       %s\n", sva_reason_text(r->reason));
	free(src);
	return r->error == -EFAULT ? EXIT_SUCCESS : EXIT_FAILURE;
}
