/* SPDX-License-Identifier: MIT */
/*
 * The program that icount single-steps: it runs one kind of operation between markers, after some
 * that are not counted. The environment configures the library as for any program.
 *
 *	icount-child KIND SIZE PATH
 *
 * KIND is sync, async, batch, prep-batch or memcpy, or sync- or async- with the name of an
 * operation (operations[]); PATH is the path that must carry the operations.
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

/* ------------------------------------------------------------------ which operation */

static void prepare_copy(struct sva_op *op)
{
	sva_prep_memcpy(op, dst, src, size);
}

static void prepare_uncached(struct sva_op *op)
{
	sva_prep_memcpy(op, dst, src, size);
	op->flags = SVA_OP_NO_CACHE;
}

static void prepare_compare(struct sva_op *op)
{
	sva_prep_compare(op, src, dst, size);
}

static void prepare_crc(struct sva_op *op)
{
	sva_prep_crc(op, src, size, 0, 0);
}

static void prepare_dualcast(struct sva_op *op)
{
	sva_prep_dualcast(op, dst, dst + 2 * size, src, size);
}

static int call_compare(void)
{
	return sva_compare(sva, src, dst, size, NULL);
}

static int call_crc(void)
{
	uint32_t crc = 0;

	return sva_crc32c(sva, src, size, &crc);
}

static int call_dualcast(void)
{
	return sva_dualcast(sva, dst, dst + 2 * size, src, size);
}

static const struct operation {
	const char *name;
	void (*prepare)(struct sva_op *op);
	int (*call)(void); /* NULL: there is no synchronous call of it here */
} operations[] = {
	{"copy", prepare_copy, NULL},
	{"uncached", prepare_uncached, NULL},
	{"compare", prepare_compare, call_compare},
	{"crc", prepare_crc, call_crc},
	{"dualcast", prepare_dualcast, call_dualcast},
};

static const struct operation *find_operation(const char *name)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(operations[i].name, name))
			return &operations[i];
	return NULL;
}

/* ------------------------------------------------------------------ how */

static int run_call(const struct operation *operation, const char *path)
{
	for (int i = 0; operation && operation->call && i < WARM + ICOUNT_SAMPLES; i++) {
		int rc;

		if (i < WARM) {
			rc = operation->call();
		} else {
			ICOUNT_MARK(ICOUNT_BEGIN);
			rc = operation->call();
			ICOUNT_MARK(ICOUNT_END);
		}
		if (check_result(sva_last_result(), rc, path))
			return 1;
	}
	return operation && operation->call ? 0 : 2;
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

static int run_async(const struct operation *operation, const char *path)
{
	struct sva_op *op = &ops[0];

	for (int i = 0; operation && i < WARM + ICOUNT_SAMPLES; i++) {
		int rc, done = 0;

		operation->prepare(op);
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
	return operation ? 0 : 2;
}

static int submit_and_poll(void)
{
	int n = sva_submit_many(sva, list, BATCH);

	for (int k = 0; k < n; k++)
		if (sva_poll(list[k]) != 1)
			return -1;
	return n;
}

/* The same 32 as one batch operation. */
static int batch_and_poll(void)
{
	static struct sva_op batch;

	sva_prep_batch(&batch, list, BATCH);
	return sva_submit(sva, &batch) || sva_poll(&batch) != 1 ? -1 : BATCH;
}

static int run_batch(int (*submit)(void), const char *path)
{
	for (int i = 0; i < WARM + BATCH_SAMPLES; i++) {
		int n;

		for (int k = 0; k < BATCH; k++) {
			list[k] = &ops[k];
			sva_prep_memcpy(list[k], dst + (size_t)k * size, src + (size_t)k * size,
					size);
		}
		if (i < WARM) {
			n = submit();
		} else {
			ICOUNT_MARK(ICOUNT_BEGIN);
			n = submit();
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
		rc = run_async(find_operation("copy"), argv[3]);
	else if (!strncmp(argv[1], "async-", 6))
		rc = run_async(find_operation(argv[1] + 6), argv[3]);
	else if (!strncmp(argv[1], "sync-", 5))
		rc = run_call(find_operation(argv[1] + 5), argv[3]);
	else if (!strcmp(argv[1], "batch"))
		rc = run_batch(submit_and_poll, argv[3]);
	else if (!strcmp(argv[1], "prep-batch"))
		rc = run_batch(batch_and_poll, argv[3]);
	else
		rc = 2;
	/* Closes nothing, since that would be single-stepped, too. */
	_Exit(rc);
}
