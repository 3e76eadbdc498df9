/* SPDX-License-Identifier: MIT */
/*
 * The program that icount single-steps: it runs one kind of operation between markers, after some
 * that are not counted. The environment configures the library as for any program.
 *
 *	icount-child KIND SIZE PATH
 *
 * KIND is sync, async, batch or memcpy; PATH is the path that must carry the operations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "icount.h"
#include "sva/sva.h"

#define WARM 4 /* calls that are not counted: the first bind queues and resolve symbols */
#define BATCH 32
#define BATCH_SAMPLES 4 /* each of BATCH operations */

static struct sva *sva;
static char *src, *dst;
/* volatile, so that the compiler does not replace memcpy by code for this size. */
static volatile size_t size;
static struct sva_op *ops, *list[BATCH];

static int check_result(const struct sva_result *result, int rc, const char *path)
{
	if (rc < 0 || strcmp(sva_path_name(result->path), path) || result->bytes != size) {
		fprintf(stderr,
			"icount-child: rc %d, path %s instead of %s, %llu bytes, reason: %s\n", rc,
			sva_path_name(result->path), path, (unsigned long long)result->bytes,
			sva_reason_text(result->reason));
		return 1;
	}
	return 0;
}

static int run_sync(const char *path)
{
	size_t n = size;

	for (int i = 0; i < WARM + ICOUNT_SAMPLES; i++) {
		int rc;

		if (i < WARM) {
			rc = sva_memcpy(sva, dst, src, n);
		} else {
			ICOUNT_MARK(ICOUNT_BEGIN);
			rc = sva_memcpy(sva, dst, src, n);
			ICOUNT_MARK(ICOUNT_END);
		}
		if (check_result(sva_last_result(), rc, path))
			return 1;
	}
	return 0;
}

/* The same copy by libc and by the library: the difference is what the library adds. */
static int run_memcpy(const char *path)
{
	size_t n = size;

	for (int i = 0; i < WARM + ICOUNT_SAMPLES; i++) {
		if (i < WARM) {
			memcpy(dst, src, n);
		} else {
			ICOUNT_MARK(ICOUNT_BASE);
			memcpy(dst, src, n);
			ICOUNT_MARK(ICOUNT_END);
		}
	}
	return run_sync(path);
}

static int run_async(const char *path)
{
	struct sva_op *op = &ops[0];

	for (int i = 0; i < WARM + ICOUNT_SAMPLES; i++) {
		int rc, done = 0;

		sva_prep_memcpy(op, dst, src, size);
		if (i < WARM) {
			rc = sva_submit(sva, op);
			done = rc ? 0 : sva_poll(op);
		} else {
			ICOUNT_MARK(ICOUNT_BEGIN);
			rc = sva_submit(sva, op);
			done = rc ? 0 : sva_poll(op);
			ICOUNT_MARK(ICOUNT_END);
		}
		if (done != 1 || check_result(sva_op_result(op), rc, path))
			return 1;
	}
	return 0;
}

static int submit_and_poll(void)
{
	int n = sva_submit_many(sva, list, BATCH);

	for (int k = 0; k < n; k++)
		if (sva_poll(list[k]) != 1)
			return -1;
	return n;
}

static int run_batch(const char *path)
{
	for (int i = 0; i < WARM + BATCH_SAMPLES; i++) {
		int n;

		for (int k = 0; k < BATCH; k++) {
			list[k] = &ops[k];
			sva_prep_memcpy(list[k], dst + (size_t)k * size, src + (size_t)k * size,
					size);
		}
		if (i < WARM) {
			n = submit_and_poll();
		} else {
			ICOUNT_MARK(ICOUNT_BEGIN);
			n = submit_and_poll();
			ICOUNT_MARK(ICOUNT_END);
		}
		if (n != BATCH) {
			fprintf(stderr, "icount-child: %d of %d operations were taken\n", n, BATCH);
			return 1;
		}
		for (int k = 0; k < BATCH; k++)
			if (check_result(sva_op_result(list[k]), 0, path))
				return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int rc;

	if (argc != 4)
		return 2;
	size = strtoul(argv[2], NULL, 10);
	src = aligned_alloc(4096, BATCH * size + 4096 - BATCH * size % 4096);
	dst = aligned_alloc(4096, BATCH * size + 4096 - BATCH * size % 4096);
	ops = aligned_alloc(64, BATCH * sizeof(*ops));
	if (!size || !src || !dst || !ops)
		return 2;
	/* Populates the pages before anything is counted. */
	memset(src, 1, BATCH * size);
	memset(dst, 2, BATCH * size);
	memset(ops, 0, BATCH * sizeof(*ops));
	rc = sva_open(&sva, NULL);
	if (rc) {
		fprintf(stderr, "icount-child: sva_open: %s\n", strerror(-rc));
		return 1;
	}
	/*
	 * Stepping begins here: sva_open() would take long, and the first operation reads
	 * /proc/cpuinfo and binds the queue, which must be emulated.
	 */
	ICOUNT_MARK(ICOUNT_START);
	if (!strcmp(argv[1], "sync"))
		rc = run_sync(argv[3]);
	else if (!strcmp(argv[1], "memcpy"))
		rc = run_memcpy(argv[3]);
	else if (!strcmp(argv[1], "async"))
		rc = run_async(argv[3]);
	else if (!strcmp(argv[1], "batch"))
		rc = run_batch(argv[3]);
	else
		rc = 2;
	/* Closes nothing, since that would be single-stepped, too. */
	_Exit(rc);
}
