/* SPDX-License-Identifier: MIT */
/* The synchronous calls of sva/ops.h: prepare, run, report. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/api.h"

static int run_compare(struct sva *sva, struct sva_op *op, size_t len, size_t *offset)
{
	const struct sva_result *result;
	int err = sva_run(sva, op);

	if (err)
		return err;
	result = sva_last_result();
	if (offset)
		*offset = result->result ? (size_t)result->value : len;
	return result->result;
}

int sva_compare(struct sva *sva, const void *a, const void *b, size_t len, size_t *offset)
{
	struct sva_op op;

	sva_prep_compare(&op, a, b, len);
	return run_compare(sva, &op, len, offset);
}

int sva_compare_pattern(struct sva *sva, const void *src, uint64_t pattern, size_t len,
			size_t *offset)
{
	struct sva_op op;

	sva_prep_compare_pattern(&op, src, pattern, len);
	return run_compare(sva, &op, len, offset);
}

int sva_memfill16(struct sva *sva, void *dst, uint64_t low, uint64_t high, size_t len)
{
	struct sva_op op;

	sva_prep_memfill16(&op, dst, low, high, len);
	return sva_run(sva, &op);
}

int sva_create_delta(struct sva *sva, const void *from, const void *to, size_t len, void *delta,
		     uint32_t max_size, uint32_t *size)
{
	struct sva_op op;
	int err;

	if (!size)
		return -EINVAL;
	sva_prep_create_delta(&op, from, to, len, delta, max_size);
	err = sva_run(sva, &op);
	if (err)
		return err;
	*size = (uint32_t)sva_last_result()->value;
	return sva_last_result()->result == 2 ? -EOVERFLOW : 0;
}

int sva_apply_delta(struct sva *sva, void *dst, size_t len, const void *delta, uint32_t size)
{
	struct sva_op op;

	/* The delta record of two equal buffers has nothing to apply, and a device refuses it. */
	sva_prep_apply_delta(&op, dst, size ? len : 0, delta, size);
	return sva_run(sva, &op);
}

int sva_dualcast(struct sva *sva, void *dst1, void *dst2, const void *src, size_t len)
{
	struct sva_op op;

	sva_prep_dualcast(&op, dst1, dst2, src, len);
	return sva_run(sva, &op);
}

static int run_crc(struct sva *sva, struct sva_op *op, uint32_t *crc)
{
	int err = sva_run(sva, op);

	/* The CRC of zero bytes is the seed, which *crc has. */
	if (!err && op->length)
		*crc = (uint32_t)sva_last_result()->value;
	return err;
}

int sva_crc32c(struct sva *sva, const void *src, size_t len, uint32_t *crc)
{
	struct sva_op op;

	if (!crc)
		return -EINVAL;
	sva_prep_crc(&op, src, len, *crc, 0);
	return run_crc(sva, &op, crc);
}

int sva_copy_crc32c(struct sva *sva, void *dst, const void *src, size_t len, uint32_t *crc)
{
	struct sva_op op;

	if (!crc)
		return -EINVAL;
	sva_prep_copy_crc(&op, dst, src, len, *crc, 0);
	return run_crc(sva, &op, crc);
}

int sva_cache_flush(struct sva *sva, void *addr, size_t len)
{
	struct sva_op op;

	sva_prep_cache_flush(&op, addr, len);
	return sva_run(sva, &op);
}

/* ------------------------------------------------------------------ scatter/gather */

#define IOV_MOST 1024u

/* A position in a list of buffers. */
struct walk {
	const struct iovec *iov;
	unsigned int left;
	size_t offset;
};

static bool is_at_end(struct walk *walk)
{
	while (walk->left && walk->offset == walk->iov->iov_len) {
		walk->iov++;
		walk->left--;
		walk->offset = 0;
	}
	return !walk->left;
}

static bool is_bad_list(const struct iovec *iov, unsigned int count)
{
	size_t sum = 0;

	if (count > IOV_MOST || (!iov && count))
		return true;
	for (unsigned int i = 0; i < count; i++)
		if (__builtin_add_overflow(sum, iov[i].iov_len, &sum) || sum > SSIZE_MAX)
			return true;
	return false;
}

int sva_prep_copyv(struct sva_op *ops, unsigned int n, const struct iovec *dst,
		   unsigned int dst_count, const struct iovec *src, unsigned int src_count)
{
	struct walk to = { dst, dst_count, 0 }, from = { src, src_count, 0 };
	int count = 0;

	if (is_bad_list(dst, dst_count) || is_bad_list(src, src_count) || (!ops && n))
		return -EINVAL;
	while (!is_at_end(&to) && !is_at_end(&from)) {
		size_t room = to.iov->iov_len - to.offset, have = from.iov->iov_len - from.offset;
		size_t len = room < have ? room : have;

		if ((unsigned int)count < n)
			sva_prep_memcpy(&ops[count], (char *)to.iov->iov_base + to.offset,
					(const char *)from.iov->iov_base + from.offset, len);
		count++;
		to.offset += len;
		from.offset += len;
	}
	return count;
}

/*
 * Report the first failing piece's error and address rather than the batch's -EIO; bytes stays the
 * total.
 */
static int report_first_failure(const struct sva_op *ops, int n)
{
	struct sva_result *last = &sva_tls.last;

	for (int i = 0; i < n; i++) {
		const struct sva_result *piece = sva_op_result(&ops[i]);

		if (!piece->error)
			continue;
		last->error = piece->error;
		last->status = piece->status;
		last->fault_addr = piece->fault_addr;
		last->fault_write = piece->fault_write;
		return piece->error;
	}
	return last->error;
}

int sva_copyv(struct sva *sva, const struct iovec *dst, unsigned int dst_count,
	      const struct iovec *src, unsigned int src_count, size_t *copied)
{
	struct sva_op batch, **list, *ops;
	void *memory;
	int n, err;

	if (copied)
		*copied = 0;
	n = sva_prep_copyv(NULL, 0, dst, dst_count, src, src_count);
	if (n <= 0)
		return n;
	if (posix_memalign(&memory, 64, (size_t)n * (sizeof(*ops) + sizeof(*list))))
		return -ENOMEM;
	ops = memory;
	list = (struct sva_op **)(void *)(ops + n);
	for (int i = 0; i < n; i++)
		list[i] = &ops[i];
	sva_prep_copyv(ops, (unsigned int)n, dst, dst_count, src, src_count);
	if (n == 1) {
		err = sva_run(sva, ops);
	} else {
		sva_prep_batch(&batch, list, (unsigned int)n);
		err = sva_run(sva, &batch);
		if (err == -EIO)
			err = report_first_failure(ops, n);
	}
	if (copied)
		*copied = (size_t)sva_last_result()->bytes;
	free(memory);
	return err;
}
