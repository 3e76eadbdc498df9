/* SPDX-License-Identifier: MIT */
/*
 * Batches, through every way that needs no device: entries of many kinds, fences, failures,
 * cancelled entries, refused batches, and pages that are unmapped and mapped. Batches on queues are
 * in t-run-queue.
 */
#include <errno.h>
#include <sys/mman.h>

#include "sva/sva.h"
#include "tap.h"
#include "unit/reference.h"
#include "unit/rig.h"

#define MOST 1000u

static struct sva_op batch, *ops;
static struct sva_op *list[MOST];
static uint8_t *from, *to;
static struct sva_bond *bond;

static void prepare(unsigned int n)
{
	memset(to, 0, 65 * MOST);
	for (unsigned int i = 0; i < n; i++) {
		sva_prep_memcpy(&ops[i], to + 64 * i, from + 64 * i, 64);
		list[i] = &ops[i];
	}
	sva_prep_batch(&batch, list, n);
}

static int submit(void)
{
	int err;

	while ((err = rig_way->how == RIG_BOND ? sva_bond_submit(bond, &batch) :
						 sva_submit(rig_sva, &batch)) == -EAGAIN)
		;
	return err;
}

/* Run the batch to its end; RIG_BATCH and RIG_ASYNC are the same here: batches do not nest. */
static int run(void)
{
	int err;

	if (rig_way->how == RIG_RUN)
		return sva_run(rig_sva, &batch);
	err = submit();
	return err ? err : sva_wait(&batch, -1);
}

static bool done_exactly(unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++)
		if (memcmp(to + 64 * i, from + 64 * i, 64) || sva_op_result(&ops[i])->error ||
		    sva_op_result(&ops[i])->bytes != 64)
			return false;
	return true;
}

static bool untouched(unsigned int first, unsigned int n)
{
	for (unsigned int i = 64 * first; i < 64 * (first + n); i++)
		if (to[i])
			return false;
	return true;
}

static bool all_end_with(unsigned int first, unsigned int n, int error)
{
	for (unsigned int i = first; i < first + n; i++)
		if (sva_op_result(&ops[i])->error != error)
			return false;
	return true;
}

/* ------------------------------------------------------------------ sizes */

static void sizes(void)
{
	static const unsigned int counts[] = { 1, 2, 3, 31, 32, 33, 100, MOST };

	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned int n = counts[i];

		prepare(n);
		ok(run() == 0 && done_exactly(0, n) && untouched(n, MOST - n),
		   "a batch of %u: every copy is done", n);
		ok(sva_op_result(&batch)->bytes == 64 * n && !sva_op_result(&batch)->error &&
			   sva_op_result(&batch)->path_bytes[rig_way->path] == 64 * n &&
			   sva_op_result(&batch)->path == rig_way->path,
		   "a batch of %u: its result has the sums", n);
	}
	/* Submitted again as it is, and with a fence at each. */
	for (unsigned int i = 0; i < 100; i++)
		ops[i].flags = 0;
	prepare(100);
	for (unsigned int i = 0; i < 100; i++)
		ops[i].flags = SVA_OP_FENCE;
	ok(run() == 0 && done_exactly(0, 100), "a batch of 100 with a fence at every entry");
}

/* Each copy needs the one before it: without fences a device may run them in any order. */
static void chain(void)
{
	memcpy(to, from, 64);
	for (unsigned int i = 0; i < 50; i++) {
		sva_prep_memcpy(&ops[i], to + 64 * (i + 1), to + 64 * i, 64);
		ops[i].flags = SVA_OP_FENCE;
		list[i] = &ops[i];
	}
	memset(to + 64, 0, 64 * 50);
	sva_prep_batch(&batch, list, 50);
	ok(run() == 0 && !memcmp(to + 64 * 50, from, 64),
	   "50 copies, each fenced, that need each other's bytes");
}

static void all_sorts(void)
{
	static const struct sva_desc_dif dif = { .flags = SVA_DIF_BLOCK_512 };
	uint8_t *a = to, *b = to + 8192, pattern[64];
	uint64_t value = 0x1234567890abcdef;

	memset(to, 0, 65 * MOST);
	prepare(12);
	ref_fill(pattern, 64, (uint8_t *)&value, 8);
	sva_prep_noop(&ops[0]);
	sva_prep_memfill(&ops[1], a + 100, value, 64);
	sva_prep_crc(&ops[2], from, 1000, 0, 0);
	sva_prep_memcpy(&ops[3], NULL, NULL, 0);
	sva_prep_dif_insert(&ops[4], b, from, 1024, &dif);
	sva_prep_dif_check(&ops[5], b, 1040, &dif);
	ops[5].flags = SVA_OP_FENCE;
	sva_prep_compare(&ops[6], from, from + 1, 100);
	sva_prep_drain(&ops[7]);
	sva_prep_cache_flush(&ops[8], a, 8192);
	sva_prep_copy_crc(&ops[9], b + 4096, from, 777, 5, 0);
	sva_prep_crc(&ops[10], from, 0, 99, 0);
	/* longer than the limit of many queues */
	sva_prep_memcpy(&ops[11], to + 16384, from, 48000);
	is_rc(run(), 0, "a batch of twelve different operations");
	ok(!memcmp(a + 100, pattern, 64) && !a[99] && !a[164], "entry 1, a fill");
	is(sva_op_result(&ops[2])->value, ref_crc32c(from, 1000, 0, false, false),
	   "entry 2, a CRC");
	ok(!sva_op_result(&ops[3])->error && !sva_op_result(&ops[3])->bytes,
	   "entry 3, a copy of no bytes");
	is(sva_op_result(&ops[5])->bytes, 1040,
	   "entry 5, a fenced DIF check of what entry 4 has written");
	ok(sva_op_result(&ops[6])->result == 1 && !sva_op_result(&ops[6])->error,
	   "entry 6, a compare that finds a difference, which is no failure");
	is(sva_op_result(&ops[9])->value, ref_crc32c(from, 777, 5, false, false),
	   "entry 9, a copy with CRC");
	is(sva_op_result(&ops[10])->value, 99, "entry 10, a CRC of no bytes");
	ok(!memcmp(to + 16384, from, 48000), "entry 11, a copy of 48000 bytes");
}

/* ------------------------------------------------------------------ failures */

static void failures(void)
{
	prepare(10);
	sva_prep_compare(&ops[3], from, from + 1, 100);
	ops[3].flags = SVA_OP_CHECK;
	is_rc(run(), -EIO, "a batch of which one entry fails");
	is(sva_op_result(&batch)->status, SVA_STATUS_BATCH_FAIL,
	   "its status is that of a device, BATCH_FAIL");
	is_rc(sva_op_result(&ops[3])->error, -EBADE, "the error of the entry that failed");
	ok(done_exactly(0, 3) && done_exactly(4, 6), "one entry fails: the others are done");

	prepare(10);
	sva_prep_compare(&ops[3], from, from + 1, 100);
	ops[3].flags = SVA_OP_CHECK;
	ops[6].flags = SVA_OP_FENCE;
	is_rc(run(), -EIO, "a batch of which one entry fails before a fence");
	ok(done_exactly(0, 3) && done_exactly(4, 2),
	   "an entry fails before a fence: the others before the fence are done");
	ok(all_end_with(6, 4, -ECANCELED) && untouched(6, 4),
	   "an entry fails before a fence: entries behind the fence are cancelled");

	prepare(10);
	ops[2].flags = ops[5].flags = ops[8].flags = SVA_OP_FENCE;
	ops[5].desc.reserved = 1;
	is_rc(run(), -EIO, "a batch of which a fenced entry fails");
	ok(done_exactly(0, 5) && sva_op_result(&ops[5])->error == -EINVAL && done_exactly(6, 2),
	   "a fenced entry fails: the others up to the next fence are done");
	ok(all_end_with(8, 2, -ECANCELED) && untouched(8, 2),
	   "a fenced entry fails: entries behind the next fence are cancelled");

	prepare(4);
	for (unsigned int i = 0; i < 4; i++)
		ops[i].desc.reserved = 1;
	is_rc(run(), -EIO, "a batch of which all entries fail");
	ok(all_end_with(0, 4, -EINVAL) && untouched(0, 4) && !sva_op_result(&batch)->bytes,
	   "all entries fail: each has its error, and nothing was written");
	/* The same operations again, put right. */
	prepare(4);
	is_rc(run(), 0, "the same operations, prepared again without the fault");
}

static void bad_pages(void)
{
	uint8_t *bad = rig_pages(3);

	prepare(8);
	rig_page_deny(bad + RIG_PAGE);
	sva_prep_memcpy(&ops[2], bad, from, 3 * RIG_PAGE);
	sva_prep_memcpy(&ops[4], to + 4 * 64, bad + RIG_PAGE, 64);
	ops[6].flags = SVA_OP_FENCE;
	is_rc(run(), -EIO, "a batch with bad pointers in two entries");
	ok(sva_op_result(&ops[2])->error == -EFAULT && sva_op_result(&ops[2])->fault_write &&
		   sva_op_result(&ops[2])->fault_addr == (uintptr_t)bad + RIG_PAGE &&
		   sva_op_result(&ops[2])->bytes == RIG_PAGE,
	   "the entry that writes has fault address, direction and bytes done");
	ok(sva_op_result(&ops[4])->error == -EFAULT && !sva_op_result(&ops[4])->fault_write,
	   "the entry that reads has error and direction");
	ok(done_exactly(0, 2) && done_exactly(3, 1) && done_exactly(5, 1) &&
		   all_end_with(6, 2, -ECANCELED),
	   "the other entries are done or, behind the fence, cancelled");
	rig_page_good(bad + RIG_PAGE);
	/* Pages that are mapped but not resident: the batch works as if they were. */
	rig_page_gone(bad + 2 * RIG_PAGE);
	rig_page_good(bad + 2 * RIG_PAGE);
	prepare(3);
	sva_prep_memcpy(&ops[1], bad, from, 3 * RIG_PAGE);
	ok(run() == 0 && !memcmp(bad, from, 3 * RIG_PAGE),
	   "an entry that writes to a page that is not resident yet");
}

/* ------------------------------------------------------------------ refused */

static void refused_with(int want, const char *name)
{
	struct sva_op before[5];
	int err;

	for (int i = 0; i < 5; i++)
		before[i] = ops[i];
	err = run();
	is_rc(err, want, name);
	/* No entry was changed, so the batch can be put right and submitted again. */
	for (int i = 0; i < 5; i++)
		if (memcmp(&before[i].desc, &ops[i].desc, sizeof(ops[i].desc)) ||
		    before[i].state != ops[i].state)
			ok(false, "%s: entry %d is unchanged", name, i);
	ok(untouched(0, 5) && batch.state == SVA_OP_PREPARED, "%s: %s: nothing was done",
	   rig_way->name, name);
}

static void refused(void)
{
	static struct sva_op inner, *inner_list[1];

	prepare(5);
	list[2] = NULL;
	refused_with(-EFAULT, "a null pointer in the list");
	list[2] = list[1];
	refused_with(-EBUSY, "the same entry twice");
	list[2] = &ops[2];
	ops[3].flags = 0x80;
	refused_with(-EINVAL, "an entry with an unknown flag");
	ops[3].flags = 0;
	ops[4].length = UINT64_MAX;
	refused_with(-EINVAL, "an entry with a length of 2^64 - 1");
	ops[4].length = 64;
	ops[0].state = 0;
	refused_with(-EINVAL, "an entry that was not prepared");
	ops[0].state = SVA_OP_PREPARED;
	inner_list[0] = &ops[4];
	sva_prep_batch(&inner, inner_list, 1);
	list[4] = &inner;
	refused_with(-EINVAL, "a batch in a batch");
	list[4] = &batch;
	refused_with(-EINVAL, "a batch in itself");
	list[4] = &ops[4];
	batch.flags = SVA_OP_FENCE;
	refused_with(-EINVAL, "a fence on the batch");
	batch.flags = SVA_OP_CHECK;
	refused_with(-EINVAL, "a check of a batch");
	batch.flags = 0;
	batch.length = 0;
	refused_with(-EINVAL, "a batch without entries");
	batch.length = (1u << 20) + 1;
	refused_with(-EINVAL, "more entries than a batch takes");
	batch.length = 5;
	batch.desc.src = 0;
	refused_with(-EFAULT, "a batch without a list");
	batch.desc.src = (uintptr_t)list;
	is_rc(run(), 0, "the batch after all of that was put right");
	ok(done_exactly(0, 5), "its entries are done");
	is_rc(run(), -EINVAL, "the batch that has ended, run again without preparing");
}

/* ------------------------------------------------------------------ while it is in flight */

static void entries_belong_to_it(void)
{
	struct sva_op other, *other_list[1] = { &ops[0] };
	int err;

	if (rig_way->how == RIG_RUN)
		return;
	prepare(200);
	is_rc(submit(), 0, "submit a batch of 200");
	/*
	 * With engine threads it may be in flight; otherwise it has ended, and there is nothing to
	 * test.
	 */
	if (sva_op_result(&batch)->error == -EINPROGRESS &&
	    sva_op_result(&ops[199])->error == -EINPROGRESS) {
		sva_prep_batch(&other, other_list, 1);
		err = sva_submit(rig_sva, &other);
		ok(err == -EBUSY || err == -EINVAL,
		   "an entry in flight cannot be in another batch");
		is_rc(sva_submit(rig_sva, &batch), -EBUSY, "a batch in flight, submitted again");
		err = sva_poll(&ops[199]);
		ok(err == -EINVAL || err == 1, "an entry in flight cannot be polled");
	}
	is_rc(sva_wait(&batch, -1), 0, "wait for a batch of 200");
	ok(done_exactly(0, 200), "all of its entries are done");
	is(sva_poll(&batch), 1, "sva_poll() of the batch returns 1 again");
}

static struct sva_op many[10];

static unsigned int reap_some(void)
{
	struct sva_op *done[64];
	int n = sva_reap(rig_sva, done, 64);
	unsigned int found = 0;

	for (int i = 0; i < n; i++)
		found += done[i] >= many && done[i] < many + 10 && !sva_op_result(done[i])->error;
	return found;
}

/*
 * Batches one behind the other, collected by reaping: entries are not. A queue of a device may have
 * room for fewer than ten.
 */
static void reaped(void)
{
	struct sva_op *more[64];
	unsigned int found = 0;

	if (rig_way->how == RIG_RUN || rig_way->how == RIG_BOND)
		return;
	prepare(100);
	for (unsigned int i = 0; i < 10; i++) {
		sva_prep_batch(&many[i], list + 10 * i, 10);
		while (sva_submit(rig_sva, &many[i]) == -EAGAIN)
			found += reap_some();
	}
	for (uint64_t end = rig_now_ms() + 10000; found < 10 && rig_now_ms() < end;)
		found += reap_some();
	is(found, 10, "ten batches are reaped, and none of their entries");
	is_rc(sva_reap(rig_sva, more, 64), 0, "reap when nothing is left");
	ok(done_exactly(0, 100), "all entries of ten batches are done");
}

/* The second of two sources cannot be read. */
static void copyv_from_a_hole(const struct iovec *dst, struct iovec *src)
{
	uint8_t *hole = rig_pages(1);
	size_t copied;

	rig_page_deny(hole);
	src[1] = (struct iovec){ hole, 10 };
	is_rc(sva_copyv(rig_sva, dst, 1, src, 2, &copied), -EFAULT, 
	      "sva_copyv() from a page that cannot be read");
	ok(sva_last_result()->error == -EFAULT &&
		   sva_last_result()->fault_addr / 4096 == (uintptr_t)hole / 4096 &&
		   !sva_last_result()->fault_write,
	   "its result has the fault address and the direction");
}

/* ------------------------------------------------------------------ scatter/gather */

static void copyv(void)
{
	struct iovec src[64], dst[64];
	uint8_t *joined = malloc(64 * 100), *out = malloc(64 * 100);
	size_t copied = 7, total, at;
	bool good = true;

	for (unsigned int round = 0; round < 40; round++) {
		unsigned int ns = ref_below(20), nd = ref_below(20);
		size_t room = 0;

		for (unsigned int i = 0; i < ns; i++)
			src[i] = (struct iovec){ from + ref_below(10000), ref_below(100) };
		for (unsigned int i = 0; i < nd; i++, room += 100)
			dst[i] = (struct iovec){ to + room, ref_below(100) };
		memset(to, 0, 6400);
		total = 0;
		for (unsigned int i = 0; i < ns; total += src[i++].iov_len)
			memcpy(joined + total, src[i].iov_base, src[i].iov_len);
		good &= !sva_copyv(rig_sva, dst, nd, src, ns, &copied);
		at = 0;
		for (unsigned int i = 0; i < nd; at += dst[i++].iov_len)
			memcpy(out + at, dst[i].iov_base, dst[i].iov_len);
		good &= copied == (at < total ? at : total) && !memcmp(joined, out, copied);
		for (size_t i = copied; i < at; i++)
			good &= !out[i];
	}
	ok(good, "sva_copyv() of 40 random lists copies what fits, and nothing else");
	is_rc(sva_copyv(rig_sva, NULL, 0, NULL, 0, NULL), 0, "sva_copyv() without buffers");
	is_rc(sva_copyv(rig_sva, NULL, 1, src, 1, &copied), -EINVAL,
	      "sva_copyv() without a list of destinations");
	is(copied, 0, "sva_copyv() without a list of destinations has copied 0 bytes");
	is_rc(sva_copyv(rig_sva, dst, 1025, src, 1, NULL), -EINVAL, "sva_copyv() of 1025 buffers");
	src[0] = src[1] = (struct iovec){ from, SIZE_MAX / 2 };
	is_rc(sva_copyv(rig_sva, dst, 1, src, 2, NULL), -EINVAL,
	      "sva_copyv() of lengths whose sum is too large");
	src[0] = (struct iovec){ from, 10 };
	src[1] = (struct iovec){ NULL, 10 };
	dst[0] = (struct iovec){ to, 100 };
	is_rc(sva_copyv(rig_sva, dst, 1, src, 2, &copied), -EFAULT,
	      "sva_copyv() from a buffer at null");
	is(copied, 0, "sva_copyv() from a buffer at null has copied 0 bytes");
	if (rig_way_reports_faults())
		copyv_from_a_hole(dst, src);
	src[1] = (struct iovec){ NULL, 0 };
	is_rc(sva_copyv(rig_sva, dst, 1, src, 2, &copied), 0,
	      "sva_copyv() with an empty buffer at null");
	is(copied, 10, "it has copied the bytes of the other buffer");
	is(sva_prep_copyv(ops, 1, dst, 1, src, 2), 1, "sva_prep_copyv() prepares one copy");
	src[1] = (struct iovec){ from, 10 };
	ops[1].state = 0;
	is(sva_prep_copyv(ops, 1, dst, 1, src, 2), 2, "sva_prep_copyv() returns 2 for two copies");
	ok(ops[0].state == SVA_OP_PREPARED && !ops[1].state,
	   "it prepares only those that have room");
	is_rc(sva_prep_copyv(NULL, 1, dst, 1, src, 2), -EINVAL,
	      "sva_prep_copyv() without operations");
	free(joined);
	free(out);
}

int main(int argc, char **argv)
{
	void *memory;

	rig_begin();
	rig_arguments(argc, argv);
	if (posix_memalign(&memory, 64, MOST * sizeof(*ops)))
		return 1;
	ops = memory;
	from = malloc(64 * MOST);
	to = malloc(65 * MOST);
	ref_random_bytes(from, 64 * MOST);
	for (unsigned int i = 0; i < 64 * MOST; i++)
		from[i] |= 1;
	for (unsigned int i = 0; i < rig_way_count; i++) {
		if (rig_ways[i].how == RIG_BATCH)
			continue;
		rig_way_begin(&rig_ways[i]);
		subject("%s", rig_ways[i].name);
		if (rig_way->how == RIG_BOND)
			is_rc(sva_bind(rig_sva, rig_queue, 0, &bond), 0, "bind");
		sizes();
		chain();
		all_sorts();
		failures();
		if (rig_way_reports_faults())
			bad_pages();
		refused();
		entries_belong_to_it();
		reaped();
		copyv();
		if (rig_way->how == RIG_BOND)
			sva_unbind(bond);
		rig_way_end();
	}
	free(from);
	free(to);
	free(ops);
	return done();
}
