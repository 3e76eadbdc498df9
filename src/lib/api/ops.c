/* SPDX-License-Identifier: MIT */
/*
 * The synchronous calls of sva/ops.h. Work that is shorter than the threshold, and all work without
 * a device, is plain work of the CPU, noted in the thread's last result. All other work, and calls
 * with anything unusual, become operations, which are prepared, checked and run.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/api.h"

/*
 * This thread's share of the context, if the CPU may do work of that length at once; NULL: make an
 * operation of it. The threshold is 0 under the guard.
 */
static inline const struct sva_thread *plain_share(const struct sva *sva, size_t len)
{
	const struct sva_thread *thread = sva_tls.current;

	return likely(sva_thread_is_cached(sva)) && likely(len < thread->threshold) && likely(len) ?
		       thread :
		       NULL;
}

/*
 * May one of several ranges of len bytes begin at null, wrap around, or leave the user addresses,
 * or is the length more than an operation may have? before: the addresses less 1, or-ed, so the
 * answer may be true although each of them is good.
 */
static inline bool is_unusual(uint64_t before, size_t len)
{
	return (int64_t)(before | (before + len) | len << 1) < 0;
}

static inline uint64_t before(const void *addr)
{
	return (uint64_t)(uintptr_t)addr - 1;
}

static inline bool ranges_overlap(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return (uintptr_t)a < (uintptr_t)b + b_len && (uintptr_t)b < (uintptr_t)a + a_len;
}

/*
 * In pairs of words, since compilers clear a structure of this size with REP STOS, which takes
 * longer than all the rest of a short call.
 */
typedef uint64_t two_words __attribute__((vector_size(16), aligned(8), may_alias));

static inline void note_plain(const struct sva_thread *thread, uint64_t bytes, uint8_t result,
			      uint64_t value)
{
	struct sva_tls *tls = &sva_tls;
	struct sva_result *last = &tls->last;

	_Static_assert(sizeof(*last) % sizeof(two_words) == 0, "cleared in pairs of words");
#pragma GCC unroll 16
	for (size_t i = 0; i < sizeof(*last) / sizeof(two_words); i++)
		((two_words *)(void *)last)[i] = (two_words){0, 0};
	last->status = SVA_STATUS_SUCCESS;
	last->result = result;
	last->path = SVA_PATH_CPU;
	last->bytes = bytes;
	last->path_bytes[SVA_PATH_CPU] = bytes;
	last->value = value;
	last->reason = thread->cpu_id->reason;
	tls->last_id = NULL;
}

/*
 * The result byte and the value of this thread's last call, which succeeded: as sva_last_result()
 * has them, without writing all of the result.
 */
static inline uint8_t last_answer(uint64_t *value)
{
	const struct sva_tls *tls = &sva_tls;

	if (likely((uintptr_t)tls->last_id & SVA_TLS_RECORD))
		return sva_result_answer(&tls->last_comp, tls->last_word, tls->last_bytes, value);
	*value = sva_last_result()->value;
	return tls->last.result;
}

/* ------------------------------------------------------------------ compare */

static int note_compare(const struct sva_thread *thread, size_t same, size_t len, size_t *offset)
{
	note_plain(thread, same, same < len, same < len ? same : 0);
	if (offset)
		*offset = same;
	return same < len;
}

static int run_compare(struct sva *sva, struct sva_op *op, size_t len, size_t *offset)
{
	int differs, err = sva_run(sva, op);
	uint64_t value;

	if (err)
		return err;
	differs = last_answer(&value);
	if (offset)
		*offset = differs ? (size_t)value : len;
	return differs;
}

static __attribute__((noinline)) int compare_as_operation(struct sva *sva, const void *a,
							  const void *b, size_t len, size_t *offset)
{
	struct sva_op op;

	sva_prep_compare(&op, a, b, len);
	return run_compare(sva, &op, len, offset);
}

int sva_compare(struct sva *sva, const void *a, const void *b, size_t len, size_t *offset)
{
	const struct sva_thread *thread = plain_share(sva, len);

	if (unlikely(!thread) || unlikely(is_unusual(before(a) | before(b), len)))
		return compare_as_operation(sva, a, b, len, offset);
	return note_compare(thread, sva_cpu_compare(a, b, len), len, offset);
}

static __attribute__((noinline)) int
pattern_as_operation(struct sva *sva, const void *src, uint64_t pattern, size_t len, size_t *offset)
{
	struct sva_op op;

	sva_prep_compare_pattern(&op, src, pattern, len);
	return run_compare(sva, &op, len, offset);
}

int sva_compare_pattern(struct sva *sva, const void *src, uint64_t pattern, size_t len,
			size_t *offset)
{
	const struct sva_thread *thread = plain_share(sva, len);

	if (unlikely(!thread) || unlikely(is_unusual(before(src), len)))
		return pattern_as_operation(sva, src, pattern, len, offset);
	return note_compare(thread, sva_cpu_compare_pattern(src, pattern, len), len, offset);
}

/* ------------------------------------------------------------------ fill, dualcast, flush */

static __attribute__((noinline)) int fill_as_operation(struct sva *sva, void *dst, uint64_t low,
						       uint64_t high, size_t len)
{
	struct sva_op op;

	sva_prep_memfill16(&op, dst, low, high, len);
	return sva_run(sva, &op);
}

int sva_memfill16(struct sva *sva, void *dst, uint64_t low, uint64_t high, size_t len)
{
	const struct sva_thread *thread = plain_share(sva, len);

	if (unlikely(!thread) || unlikely(is_unusual(before(dst), len)))
		return fill_as_operation(sva, dst, low, high, len);
	sva_cpu_fill16(dst, low, high, len);
	note_plain(thread, len, 0, 0);
	return 0;
}

static __attribute__((noinline)) int dualcast_as_operation(struct sva *sva, void *dst1, void *dst2,
							   const void *src, size_t len)
{
	struct sva_op op;

	sva_prep_dualcast(&op, dst1, dst2, src, len);
	return sva_run(sva, &op);
}

int sva_dualcast(struct sva *sva, void *dst1, void *dst2, const void *src, size_t len)
{
	const struct sva_thread *thread = plain_share(sva, len);

	if (unlikely(!thread) ||
	    unlikely(is_unusual(before(dst1) | before(dst2) | before(src), len)) ||
	    unlikely(((uintptr_t)dst1 ^ (uintptr_t)dst2) % 4096) ||
	    unlikely(ranges_overlap(src, len, dst1, len) || ranges_overlap(src, len, dst2, len) ||
		     ranges_overlap(dst1, len, dst2, len)))
		return dualcast_as_operation(sva, dst1, dst2, src, len);
	sva_cpu_dualcast(dst1, dst2, src, len);
	note_plain(thread, len, 0, 0);
	return 0;
}

static __attribute__((noinline)) int flush_as_operation(struct sva *sva, void *addr, size_t len)
{
	struct sva_op op;

	sva_prep_cache_flush(&op, addr, len);
	return sva_run(sva, &op);
}

int sva_cache_flush(struct sva *sva, void *addr, size_t len)
{
	const struct sva_thread *thread = plain_share(sva, len);

	if (unlikely(!thread) || unlikely(is_unusual(before(addr), len)))
		return flush_as_operation(sva, addr, len);
	sva_cpu_flush(addr, len);
	note_plain(thread, len, 0, 0);
	return 0;
}

/* ------------------------------------------------------------------ delta */

static __attribute__((noinline)) int create_as_operation(struct sva *sva, const void *from,
							 const void *to, size_t len, void *delta,
							 uint32_t max_size, uint32_t *size)
{
	struct sva_op op;
	uint64_t value;
	int err;

	sva_prep_create_delta(&op, from, to, len, delta, max_size);
	err = sva_run(sva, &op);
	if (err)
		return err;
	err = last_answer(&value) == 2 ? -EOVERFLOW : 0;
	*size = (uint32_t)value;
	return err;
}

/* False for what a device, or sva_progress_check(), refuses. */
static bool is_plain_create(const void *from, const void *to, size_t len, const void *delta,
			    uint32_t max)
{
	return len <= SVA_DELTA_MAX_REGION && !(((uintptr_t)from | (uintptr_t)to | len) % 8) &&
	       max >= SVA_DELTA_MIN_SIZE && max % SVA_DELTA_ENTRY_SIZE == 0 && max <= INT32_MAX &&
	       !is_unusual(before(from) | before(to), len) && !is_unusual(before(delta), max) &&
	       !ranges_overlap(delta, max, from, len) && !ranges_overlap(delta, max, to, len);
}

int sva_create_delta(struct sva *sva, const void *from, const void *to, size_t len, void *delta,
		     uint32_t max_size, uint32_t *size)
{
	const struct sva_thread *thread = plain_share(sva, len);
	size_t covered;
	uint8_t result;

	if (!size)
		return -EINVAL;
	if (unlikely(!thread) || unlikely(!is_plain_create(from, to, len, delta, max_size)))
		return create_as_operation(sva, from, to, len, delta, max_size, size);
	result = sva_cpu_create_delta(from, to, len, delta, max_size, size, &covered);
	note_plain(thread, len, result, *size);
	return result == 2 ? -EOVERFLOW : 0;
}

static __attribute__((noinline)) int apply_as_operation(struct sva *sva, void *dst, size_t len,
							const void *delta, uint32_t size)
{
	struct sva_op op;

	/* The delta record of two equal buffers has nothing to apply, and a device refuses it. */
	sva_prep_apply_delta(&op, dst, size ? len : 0, delta, size);
	return sva_run(sva, &op);
}

static bool is_plain_apply(const void *dst, size_t len, const void *delta, uint32_t size)
{
	return len <= SVA_DELTA_MAX_REGION && !(((uintptr_t)dst | len) % 8) && size &&
	       size % SVA_DELTA_ENTRY_SIZE == 0 && size <= INT32_MAX &&
	       !is_unusual(before(dst), len) && !is_unusual(before(delta), size) &&
	       !ranges_overlap(dst, len, delta, size);
}

int sva_apply_delta(struct sva *sva, void *dst, size_t len, const void *delta, uint32_t size)
{
	const struct sva_thread *thread = plain_share(sva, len);
	uint32_t done;

	/* If the record is bad, the entries before the bad one are applied twice. */
	if (unlikely(!thread) || unlikely(!is_plain_apply(dst, len, delta, size)) ||
	    unlikely(sva_cpu_apply_delta(dst, len, delta, size, &done) != SVA_STATUS_SUCCESS))
		return apply_as_operation(sva, dst, len, delta, size);
	note_plain(thread, len, 0, 0);
	return 0;
}

/* ------------------------------------------------------------------ CRC */

static int run_crc(struct sva *sva, struct sva_op *op, uint32_t *crc)
{
	int err = sva_run(sva, op);
	uint64_t value;

	/* The CRC of zero bytes is the seed, which *crc has. */
	if (!err && op->length) {
		(void)last_answer(&value);
		*crc = (uint32_t)value;
	}
	return err;
}

static __attribute__((noinline)) int crc_as_operation(struct sva *sva, const void *src, size_t len,
						      uint32_t *crc)
{
	struct sva_op op;

	sva_prep_crc(&op, src, len, *crc, 0);
	return run_crc(sva, &op, crc);
}

int sva_crc32c(struct sva *sva, const void *src, size_t len, uint32_t *crc)
{
	const struct sva_thread *thread = plain_share(sva, len);

	if (!crc)
		return -EINVAL;
	if (unlikely(!thread) || unlikely(is_unusual(before(src), len)))
		return crc_as_operation(sva, src, len, crc);
	*crc = sva_cpu_crc32c(src, len, *crc);
	note_plain(thread, len, 0, *crc);
	return 0;
}

static __attribute__((noinline)) int
copy_crc_as_operation(struct sva *sva, void *dst, const void *src, size_t len, uint32_t *crc)
{
	struct sva_op op;

	sva_prep_copy_crc(&op, dst, src, len, *crc, 0);
	return run_crc(sva, &op, crc);
}

int sva_copy_crc32c(struct sva *sva, void *dst, const void *src, size_t len, uint32_t *crc)
{
	const struct sva_thread *thread = plain_share(sva, len);

	if (!crc)
		return -EINVAL;
	if (unlikely(!thread) || unlikely(is_unusual(before(dst) | before(src), len)) ||
	    unlikely(ranges_overlap(dst, len, src, len)))
		return copy_crc_as_operation(sva, dst, src, len, crc);
	*crc = sva_cpu_copy_crc32c(dst, src, len, *crc);
	note_plain(thread, len, 0, *crc);
	return 0;
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

/*
 * The next piece: as many bytes as are left of both the current source and the current destination.
 */
static size_t next_piece(struct walk *to, struct walk *from, void **dst, const void **src)
{
	size_t room, have, len;

	if (is_at_end(to) || is_at_end(from))
		return 0;
	room = to->iov->iov_len - to->offset;
	have = from->iov->iov_len - from->offset;
	len = room < have ? room : have;
	*dst = (char *)to->iov->iov_base + to->offset;
	*src = (const char *)from->iov->iov_base + from->offset;
	to->offset += len;
	from->offset += len;
	return len;
}

int sva_prep_copyv(struct sva_op *ops, unsigned int n, const struct iovec *dst,
		   unsigned int dst_count, const struct iovec *src, unsigned int src_count)
{
	struct walk to = {dst, dst_count, 0}, from = {src, src_count, 0};
	const void *s;
	int count = 0;
	size_t len;
	void *d;

	if (is_bad_list(dst, dst_count) || is_bad_list(src, src_count) || (!ops && n))
		return -EINVAL;
	for (; (len = next_piece(&to, &from, &d, &s)); count++)
		if ((unsigned int)count < n)
			sva_prep_memcpy(&ops[count], d, s, len);
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

static __attribute__((noinline)) int
copyv_as_operations(struct sva *sva, int n, const struct iovec *dst, unsigned int dst_count,
		    const struct iovec *src, unsigned int src_count, size_t *copied)
{
	struct sva_op batch, **list, *ops;
	void *memory;
	int err;

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

/*
 * The number of bytes in a list, or less than 0 if the list is bad. As a signed number, *unusual
 * becomes less than 0 if a buffer may lie outside the memory of a program; see is_unusual().
 */
static int64_t sum_list(const struct iovec *iov, unsigned int count, uint64_t *unusual)
{
	uint64_t sum = 0, bad = 0;

	if (count > IOV_MOST || (!iov && count))
		return -1;
	for (unsigned int i = 0; i < count; i++) {
		const size_t len = iov[i].iov_len;

		/* Once over SSIZE_MAX the sum stays bad, even if it wraps around. */
		sum += len;
		bad |= sum | len;
		if (len)
			*unusual |= before(iov[i].iov_base) | (before(iov[i].iov_base) + len);
	}
	return (int64_t)bad < 0 ? -1 : (int64_t)sum;
}

/* len is not more than either list has. */
static void copy_lists(const struct iovec *dst, const struct iovec *src, size_t len)
{
	const uint8_t *from = NULL;
	uint8_t *to = NULL;
	size_t room = 0, have = 0, part;

	for (; len; len -= part) {
		for (; !room; dst++) {
			to = dst->iov_base;
			room = dst->iov_len;
		}
		for (; !have; src++) {
			from = src->iov_base;
			have = src->iov_len;
		}
		part = room < have ? room : have;
		memmove(to, from, part);
		to += part;
		from += part;
		room -= part;
		have -= part;
	}
}

int sva_copyv(struct sva *sva, const struct iovec *dst, unsigned int dst_count,
	      const struct iovec *src, unsigned int src_count, size_t *copied)
{
	const struct sva_thread *thread;
	uint64_t unusual = 0;
	int64_t sum, more;
	int n;

	if (copied)
		*copied = 0;
	sum = sum_list(dst, dst_count, &unusual);
	more = sum_list(src, src_count, &unusual);
	if (sum < 0 || more < 0)
		return -EINVAL;
	sum = sum < more ? sum : more;
	thread = plain_share(sva, (size_t)sum);
	if (unlikely(!thread) || unlikely((int64_t)unusual < 0)) {
		n = sva_prep_copyv(NULL, 0, dst, dst_count, src, src_count);
		return n <= 0 ? n :
				copyv_as_operations(sva, n, dst, dst_count, src, src_count, copied);
	}
	copy_lists(dst, src, (size_t)sum);
	note_plain(thread, (uint64_t)sum, 0, 0);
	if (copied)
		*copied = (size_t)sum;
	return 0;
}
