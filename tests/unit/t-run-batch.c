/* SPDX-License-Identifier: MIT */
/*
 * Batches on queues, on a kernel that this test plays (kernel.h): as one descriptor where queue and
 * device take batches, otherwise entry by entry; the reasons; full queues, and devices that stop
 * writing records. Batches without a queue are in t-api-batch.
 */
#include <errno.h>

#include "lib/queue/ways.h"
#include "lib/run/run.h"
#include "tap.h"
#include "unit/load.h"
#include "unit/rig.h"

/* A batch on a queue that stays full, so that none of its entries is taken. */
static void stalled_batch(void)
{
	load_begin(false, 8, "write");
	load_prepare(1);
	sva_submit(sva, &ops[0]);
	load_finish(1);
	load_prepare(3);
	subject("a batch on a queue that stays full");
	sva_prep_batch(&ops[3], list, 3);
	queue->full_for = 1000000000;
	is_rc(sva_submit(sva, &ops[3]), 0, "submit");
	is_rc(sva_wait(&ops[3], -1), -EIO, "wait for it");
	is_rc(sva_op_result(&ops[0])->error, -EIO, "the result of its first entry");
	queue->full_for = 0;
	load_prepare(3);
	sva_prep_batch(&ops[3], list, 3);
	is_rc(sva_run(sva, &ops[3]), 0, "run it again when the queue has room");
	sva_close(sva);
}

static void batches(void)
{
	load_begin(true, 4, "write");
	subject("a batch of 40 on a queue of 4 that takes no batches");
	load_prepare(40);
	sva_prep_batch(&ops[40], list, 40);
	is_rc(sva_run(sva, &ops[40]), 0, "run it");
	ok(!memcmp(to, from, 4000), "all entries are done");
	is(sva_op_result(&ops[40])->bytes, 4000, "its result has all bytes");
	is_reason(sva_op_result(&ops[40])->reason, SVA_REASON_NO_OPERATION,
	   "the operation's result has the reason");
	is(queue->dropped, 0, "the device has dropped no descriptor");
	for (unsigned int i = 0; i < queue->taken && i < KERNEL_LOG; i++)
		if (queue->log[i] >> 24 == SVA_OPCODE_BATCH || queue->log[i] & SVA_DESC_FENCE)
			ok(false, "descriptor %u is not a batch and has no fence", i);
	load_prepare(6);
	subject("a batch of 6 with a fence, on a queue that takes no batches");
	ops[3].flags = SVA_OP_FENCE;
	queue->mode = KERNEL_HELD;
	sva_prep_batch(&ops[40], list, 6);
	is_rc(sva_submit(sva, &ops[40]), 0, "submit");
	is(queue->held, 3, "the device gets the 3 entries before the fence");
	kernel_run(queue, 2);
	is_rc(sva_poll(&ops[40]), 0, "poll when 2 of them are done");
	is(queue->held, 1, "the device gets no entry behind the fence");
	kernel_run(queue, 1);
	is_rc(sva_poll(&ops[40]), 0, "poll when all 3 are done");
	is(queue->held, 3, "the device gets the entries behind the fence");
	kernel_run(queue, 3);
	is_rc(sva_wait(&ops[40], -1), 0, "wait for it");
	sva_close(sva);
}

static void reason_of_batch(const char *paths, unsigned int entries, uint32_t reason,
			    const char *what)
{
	sva = rig_open_opts(paths, load_timeout);
	sva_prep_batch(&ops[40], list, entries);
	ok(!sva_submit(sva, &ops[40]) && !sva_wait(&ops[40], -1), "%s is done", what);
	ok(sva_op_result(&ops[40])->reason == reason, "%s reports the reason %s (got %s)", what,
	   sva_reason_name(reason), sva_reason_name(sva_op_result(&ops[40])->reason));
	sva_close(sva);
}

/*
 * The soft path takes a batch as one descriptor, the path write does not: the reason is that of the
 * path that is tried first.
 */
static void reasons_of_batches(void)
{
	static struct sva_op *same[1025];
	static struct sva_op *more;
	void *memory;

	if (posix_memalign(&memory, 64, 1025 * sizeof(*more)))
		return;
	more = memory;
	kernel_begin();
	subject("reason of a batch");
	queue = kernel_add("wq0.0", false, 64, "max-transfer=4096");
	load_prepare(40);
	reason_of_batch("soft", 2, SVA_REASON_OK, "a batch of two on soft");
	load_prepare(40);
	reason_of_batch("soft,write", 1, SVA_REASON_BATCH_SIZE, "a batch of one entry");
	load_prepare(40);
	reason_of_batch("write,soft", 2, SVA_REASON_NO_OPERATION,
			"a batch on a path that takes no batches");
	for (unsigned int i = 0; i < 1025; i++) {
		sva_prep_memcpy(&more[i], to + i % 64, from + i % 64, 1);
		same[i] = &more[i];
	}
	sva = rig_open_opts("soft,write", load_timeout);
	sva_prep_batch(&ops[40], same, 1025);
	ok(!sva_submit(sva, &ops[40]) && !sva_wait(&ops[40], -1),
	   "a batch of one entry more than soft takes is done");
	is_reason(sva_op_result(&ops[40])->reason, SVA_REASON_BATCH_SIZE,
		  "its result has the reason");
	sva_close(sva);
	load_prepare(40);
	sva_prep_drain(&ops[1]);
	reason_of_batch("soft,write", 3, SVA_REASON_BATCH_ENTRY, "a batch with a drain");
	load_prepare(40);
	ops[1].length = 0;
	reason_of_batch("soft,write", 3, SVA_REASON_BATCH_ENTRY, "a batch with an empty entry");
	free(more);
}

/*
 * The queue gets the entries that it can do, one by one, before soft gets any; soft gets the
 * others, and whole batches of them.
 */
static void batches_before_soft(void)
{
	/* the kernel leaves batches out of op_cap, or not */
	for (int hidden = 0; hidden < 2; hidden++) {
		kernel_begin();
		queue = kernel_add("wq0.0", true, 64,
				   hidden ? "max-transfer=4096 op-cap=0x19" :
					    "max-transfer=4096 op-cap=0x1b");
		sva = rig_open_opts("write,soft", load_timeout);
		subject("paths \"write,soft\", batches %s op_cap", hidden ? "not in" : "in");
		load_prepare(10);
		sva_prep_batch(&ops[20], list, 10);
		ok(!sva_submit(sva, &ops[20]) && !sva_wait(&ops[20], -1) && !memcmp(to, from, 1000),
		   "a batch of ten copies is done");
		is(sva_op_result(&ops[20])->path_bytes[SVA_PATH_WRITE], 1000,
		   "the queue has done all ten");
		is_reason(sva_op_result(&ops[20])->reason, SVA_REASON_NO_OPERATION,
			  "they went one by one, and its result has the reason");
		load_prepare(3);
		sva_prep_crc(&ops[1], from, 100, 0, 0);
		sva_prep_batch(&ops[20], list, 3);
		ok(!sva_submit(sva, &ops[20]) && !sva_wait(&ops[20], -1),
		   "a batch with a CRC, which the queue lacks, is done");
		is_path(sva_op_result(&ops[1])->path, SVA_PATH_SOFT, "the path of the CRC");
		is(sva_op_result(&ops[20])->path_bytes[SVA_PATH_WRITE], 200,
		   "the queue has done the other entries");
		for (int i = 0; i < 3; i++)
			sva_prep_crc(&ops[i], from, 100, 0, 0);
		sva_prep_batch(&ops[20], list, 3);
		ok(!sva_submit(sva, &ops[20]) && !sva_wait(&ops[20], -1),
		   "a batch of three CRCs is done");
		is(sva_op_result(&ops[20])->path_bytes[SVA_PATH_SOFT], 300,
		   "soft has done all three CRCs");
		is(sva_op_result(&ops[20])->chunks, 4, "with three descriptors and their batch");
		sva_close(sva);
	}
}

/*
 * The bond is retired while a batch is in flight: an entry that the device may have begun is not
 * done a second time.
 */
static void batch_without_records(void)
{
	load_begin(false, 64, "write,cpu");
	load_prepare(1);
	sva_submit(sva, &ops[0]);
	load_finish(1);
	queue->mode = KERNEL_HELD;
	subject("a batch of 5, of which 2 records come");
	load_prepare(5);
	sva_prep_batch(&ops[5], list, 5);
	is_rc(sva_submit(sva, &ops[5]), 0, "submit");
	kernel_run(queue, 2);
	is_rc(sva_wait(&ops[5], -1), -EIO, "wait for it");
	ok(!sva_op_result(&ops[0])->error && !sva_op_result(&ops[1])->error,
	   "the first two are done");
	ok(sva_op_result(&ops[2])->error == -EIO && sva_op_result(&ops[4])->error == -EIO,
	   "the others end with -EIO");
	ok(!to[200] && !to[300] && !to[400], "the bytes of the others are not written");
	sva_close(sva);
}

/* Make the queue take batches by write, as queues take them by a portal. */
static void take_batches(void)
{
	static struct sva_submit_ops with_batches;

	load_prepare(1);
	sva_submit(sva, &ops[0]);
	load_finish(1);
	queue->profile = sva_model_dsa2;
	with_batches = *sva_tls.current->leases[0]->ops;
	with_batches.batch_opcode = true;
	sva_tls.current->leases[0]->ops = &with_batches;
}

/*
 * The queue takes batches and is full: sva_run() gives the entries to the CPU where that is
 * permitted.
 */
static void full_batch(void)
{
	uint64_t start;

	kernel_begin();
	queue = kernel_add(
		"wq0.0", false, 64,
		"max-transfer=4096 max-batch=32 op-cap=0x1003f07ff gen-cap=0x40915f010f");
	sva = rig_open_opts("write,cpu", load_timeout);
	take_batches();
	queue->full_for = 1000000000;
	load_prepare(3);
	sva_prep_batch(&ops[3], list, 3);
	start = rig_now_ms();
	subject("sva_run() of a batch, a full queue that takes batches, the CPU is permitted");
	is_rc(sva_run(sva, &ops[3]), 0, "sva_run()");
	ok(rig_now_ms() - start < 150, "it does not wait for the queue");
	ok(sva_op_result(&ops[3])->path_bytes[SVA_PATH_CPU] == 300 && !memcmp(to, from, 300),
	   "the CPU has done all entries");
	queue->full_for = 0;
	sva_close(sva);
}

static void batch_descriptors(void)
{
	kernel_begin();
	queue = kernel_add(
		"wq0.0", true, 64,
		"max-transfer=4096 max-batch=32 op-cap=0x1003f07ff gen-cap=0x40915f010f");
	sva = rig_open_opts("write,cpu", load_timeout);
	take_batches();
	load_prepare(20);
	ops[7].flags = SVA_OP_FENCE;
	sva_prep_batch(&ops[20], list, 20);
	queue->taken = 0;
	subject("a batch of twenty on a queue that takes batches");
	is_rc(sva_run(sva, &ops[20]), 0, "run it");
	is(queue->taken, 1, "the device gets one descriptor");
	is(sva_desc_opcode(&(struct sva_desc){.flags_opcode = queue->log[0]}), SVA_OPCODE_BATCH,
	   "that descriptor is a batch");
	is(queue->sizes[0], 20, "that descriptor has twenty entries");
	is(sva_op_result(&ops[20])->bytes, 2000, "its result has all bytes");
	ok(!memcmp(to, from, 2000), "all entries are done");

	/*
	 * Entries that meet page faults are resumed one by one; entries that the device did not
	 * execute, behind a fence, are submitted afterwards.
	 */
	load_prepare(10);
	subject("a batch of ten with a page fault before a fence");
	sva_prep_memcpy(&ops[4], to + 20480, from + 20480, 4096);
	kernel_absent(to + 20480, 4096);
	ops[6].flags = SVA_OP_FENCE;
	sva_prep_batch(&ops[20], list, 10);
	is_rc(sva_run(sva, &ops[20]), 0, "run it");
	is(sva_op_result(&ops[4])->faults, 1, "the entry has met one fault");
	ok(!memcmp(to, from, 400) && !memcmp(to + 600, from + 600, 400) &&
		   !memcmp(to + 20480, from + 20480, 4096),
	   "all entries are done");
	is(sva_op_result(&ops[20])->bytes, 900 + 4096, "its result has all bytes");

	subject("a batch of six whose third entry the device refuses, with a fence");
	load_prepare(6);
	ops[2].desc.reserved = 1;
	ops[4].flags = SVA_OP_FENCE;
	sva_prep_batch(&ops[20], list, 6);
	is_rc(sva_run(sva, &ops[20]), -EIO, "run it");
	ok(sva_op_result(&ops[2])->error == -EINVAL &&
		   sva_op_result(&ops[2])->status == SVA_STATUS_RESERVED_FIELD,
	   "the result of the refused entry has error and status");
	ok(!sva_op_result(&ops[3])->error && sva_op_result(&ops[4])->error == -ECANCELED &&
		   sva_op_result(&ops[5])->error == -ECANCELED,
	   "the entries behind the fence are cancelled");
	ok(!to[200] && to[300] && !to[400] && !to[500],
	   "neither the refused nor the cancelled entries have written");
	is_reason(sva_op_result(&ops[20])->reason, SVA_REASON_OK, "its result has the reason");

	/*
	 * More entries than one batch may have, or an entry longer than one descriptor: one by one.
	 */
	load_prepare(33);
	subject("a batch on a queue that takes batches");
	sva_prep_batch(&ops[40], list, 33);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[40]), 0, "run more entries than a batch may have");
	is(queue->taken, 33, "the entries went one by one");
	load_prepare(3);
	sva_prep_memcpy(&ops[1], to + 20480, from + 20480, 4097);
	sva_prep_batch(&ops[20], list, 3);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "run one with an entry that is too long for a descriptor");
	is(queue->taken, 4, "the entries went one by one, the long one in two chunks");
	load_prepare(1);
	sva_prep_batch(&ops[20], list, 1);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "run one of one entry");
	ok(queue->taken == 1 && queue->log[0] >> 24 == SVA_OPCODE_MEMMOVE,
	   "the device got the copy, not a batch");

	/* No record comes: no entry of the batch may be done again. */
	queue->mode = KERNEL_HELD;
	load_prepare(5);
	subject("a batch as one descriptor, whose record does not come");
	sva_prep_batch(&ops[20], list, 5);
	is_rc(sva_submit(sva, &ops[20]), 0, "submit");
	is(queue->held, 1, "the device has one descriptor");
	is_rc(sva_wait(&ops[20], -1), -EIO, "wait for it");
	for (int i = 0; i < 5; i++)
		is_rc(sva_op_result(&ops[i])->error, -EIO, "the result of an entry");
	for (int i = 0; i < 500; i++)
		if (to[i])
			ok(false, "byte %d is not written", i);
	sva_close(sva);
}

/*
 * The kernel removes batches of a DSA 1 from op_cap, since its write(2) refuses them; through a
 * portal the device takes them.
 */
static void hidden_batches(void)
{
	kernel_begin();
	queue = kernel_add(
		"wq0.0", true, 64,
		"max-transfer=4096 max-batch=32 op-cap=0x1003f03fd gen-cap=0x40915f010f");
	sva = rig_open_opts("write,cpu", load_timeout);
	take_batches();
	load_prepare(5);
	subject("batches are not in op_cap, the device takes them");
	sva_prep_batch(&ops[20], list, 5);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "run a batch");
	ok(!memcmp(to, from, 500), "all entries are done");
	is(queue->taken, 1, "the device got one descriptor");
	/* If the device takes no batches, that is tried once. */
	subject("batches are not in op_cap, the device refuses them");
	queue->profile.op_cap[0] &= ~(1ull << SVA_OPCODE_BATCH);
	load_prepare(5);
	sva_prep_batch(&ops[20], list, 5);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "run a batch");
	ok(!memcmp(to, from, 500), "all entries are done");
	is(queue->taken, 6, "the device got the batch, then the entries one by one");
	load_prepare(5);
	sva_prep_batch(&ops[20], list, 5);
	queue->taken = 0;
	is_rc(sva_run(sva, &ops[20]), 0, "run the next batch");
	is(queue->taken, 5, "the device got only the entries one by one");
	is_reason(sva_op_result(&ops[20])->reason, SVA_REASON_NO_OPERATION,
		  "the operation's result has the reason");
	sva_close(sva);
}

int main(void)
{
	rig_begin();
	load_init();
	stalled_batch();
	batches();
	batch_without_records();
	full_batch();
	batch_descriptors();
	hidden_batches();
	reasons_of_batches();
	batches_before_soft();
	return done();
}
