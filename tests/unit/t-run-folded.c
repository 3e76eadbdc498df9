/* SPDX-License-Identifier: MIT */
/*
 * sva_prep_batch() on mapped portals (doorbell.h) when every entry takes the short road
 * (run/batch-fast.c): one batch descriptor, entries that are busy until it ends, their results; and
 * what unfolds them: faults, errors, fences behind them, a queue that is full or given up.
 */
#include <errno.h>
#include <pthread.h>

#include "lib/base/machine.h"
#include "lib/run/group.h"
#include "tap.h"
#include "unit/doorbell.h"
#include "unit/load.h"
#include "unit/rig.h"

#define KEYS "max-transfer=4096 op-cap=0x1003f07ff gen-cap=0x40915f010f max-batch=1024"

static struct sva_op batch;
static struct sva_bond *bond;

static struct sva_thread *share(void)
{
	return sva_tls.current;
}

/* A queue that has taken one operation; from then on it holds what it takes. */
static void begin(bool dedicated, unsigned int entries)
{
	kernel_begin();
	kernel_cpu = SVA_CPU_MOVDIR64B | SVA_CPU_ENQCMD;
	queue = kernel_add("wq0.0", dedicated, entries, KEYS);
	queue->rings = true;
	queue->profile = sva_model_dsa2;
	queue->profile.max_batch = 1024;
	sva = rig_open_opts(dedicated ? "movdir64b" : "enqcmd", load_timeout);
	load_prepare(1);
	if (sva_submit(sva, &ops[0]) || load_finish(1) != 1)
		ok(false, "the first operation, which opens the queue");
	bond = share()->leases[0]->bond;
	queue->mode = KERNEL_HELD;
	queue->taken = 0;
}

static const struct sva_desc *listed(void)
{
	const struct sva_desc *held = &queue->ring[queue->head % KERNEL_RING];

	return (const struct sva_desc *)(uintptr_t)held->src;
}

static bool is_folded(void)
{
	return SVA_OP_PRIVATE(&batch)->folded & SVA_OP_FOLDED;
}

static unsigned int count_in(uint32_t state, unsigned int n)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < n; i++)
		found += ops[i].state == state;
	return found;
}

static int submit_batch(unsigned int n)
{
	sva_prep_batch(&batch, list, n);
	return sva_submit(sva, &batch);
}

/* ------------------------------------------------------------------ all goes well */

static void numbers(void)
{
	static const unsigned int sizes[] = { 2, 3, 32, 64, 65, 100 };

	begin(false, 128);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned int n = sizes[i], good = 0;

		subject("a batch of %u copies", n);
		load_prepare(n);
		queue->taken = 0;
		share()->ticks = 1000;
		is_rc(submit_batch(n), 0, "is submitted");
		ok(is_folded() && queue->taken == 1 && queue->sizes[0] == n,
		   "as one descriptor, and its entries are folded");
		is_rc(sva_poll(&batch), 0, "is pending");
		kernel_run(queue, 1);
		is_rc(sva_poll(&batch), 1, "is done");
		for (unsigned int k = 0; k < n; k++)
			good += sva_poll(&ops[k]) == 1 &&
				!memcmp(to + k * 100, from + k * 100, 100) &&
				sva_op_result(&ops[k])->bytes == 100 &&
				sva_op_result(&ops[k])->path == SVA_PATH_ENQCMD;
		is(good, n, "its entries have ended, with their bytes and results");
		is(sva_op_result(&batch)->bytes, n * 100, "its result has their bytes");
		is(sva_op_result(&batch)->path_bytes[SVA_PATH_ENQCMD], n * 100,
		   "and the path that did them");
		is(sva_op_result(&batch)->chunks, n + 1, "and all descriptors");
		is(sva_op_result(&batch)->reason, SVA_REASON_OK, "and no reason");
	}
	sva_close(sva);
}

static void busy_entries(void)
{
	begin(true, 16);
	subject("a batch of four in flight");
	load_prepare(4);
	is_rc(submit_batch(4), 0, "is submitted");
	ok(is_folded(), "its entries are folded");
	is_rc(sva_poll(&ops[1]), -EINVAL, "an entry cannot be polled");
	is_rc(sva_submit(sva, &ops[1]), -EBUSY, "nor submitted");
	is(sva_op_result(&ops[1])->error, -EINPROGRESS, "its result says that it is pending");
	is_rc(sva_submit(sva, &batch), -EBUSY, "the batch cannot be submitted again");
	kernel_run(queue, 1);
	is_rc(sva_wait(&batch, -1), 0, "wait for the batch");
	is_rc(sva_submit(sva, list[0]), -EINVAL, "an entry that has ended needs to be prepared");
	load_prepare(1);
	is_rc(sva_submit(sva, list[0]), 0, "and can be submitted then");
	kernel_run(queue, 1);
	is(load_finish(1), 1, "and is done");
	is(load_free_credits(bond), 16, "the queue's credits are all back");
	ok(share()->free_groups && !share()->groups, "the memory of the list serves again");
	sva_close(sva);
}

static void kinds_and_fences(void)
{
	begin(false, 16);
	subject("a batch of several kinds");
	load_prepare(8);
	sva_prep_compare(&ops[1], from, from + 1, 64);
	sva_prep_crc(&ops[2], from, 300, 0, 0);
	sva_prep_dualcast(&ops[3], to + 4096, to + 8192, from, 128);
	ops[4].flags = SVA_OP_FENCE;
	ops[5].flags = SVA_OP_NO_CACHE;
	sva_prep_create_delta(&ops[6], from, from + 4096, 64, to + 12288, 800);
	is_rc(submit_batch(8), 0, "is submitted");
	ok(is_folded(), "its entries are folded");
	ok(listed()[4].flags_opcode & SVA_DESC_FENCE, "the one with a fence has the flag");
	ok(!((listed()[3].flags_opcode | listed()[5].flags_opcode) & SVA_DESC_FENCE),
	   "those beside it do not");
	ok(!(listed()[5].flags_opcode & SVA_DESC_CC), "the one past the cache has its flag");
	kernel_run(queue, 1);
	is_rc(sva_poll(&batch), 1, "is done");
	is(sva_op_result(&ops[1])->result, 1, "the comparison has found a difference");
	is(sva_op_result(&batch)->bytes, 4 * 100 + 300 + 128 + 64 + sva_op_result(&ops[1])->bytes,
	   "its result has the bytes of all, of the comparison those before the difference");
	ok(sva_op_result(&ops[2])->value && sva_op_result(&ops[6])->value,
	   "CRC and delta have their values");
	sva_close(sva);
}

static void *poll_it(void *arg)
{
	*(int *)arg = sva_wait(&batch, -1);
	return NULL;
}

static void other_thread(void)
{
	pthread_t thread;
	int rc = 1;

	begin(true, 16);
	subject("another thread waits for a batch");
	load_prepare(5);
	submit_batch(5);
	kernel_run(queue, 1);
	if (pthread_create(&thread, NULL, poll_it, &rc) || pthread_join(thread, NULL))
		ok(false, "a thread");
	is_rc(rc, 0, "it ends well");
	is(load_finish(5), 5, "its entries have ended");
	ok(share()->free_groups, "its list went back to the thread that submitted it");
	is(load_free_credits(bond), 16, "the queue's credits are all back");
	sva_close(sva);
}

/* ------------------------------------------------------------------ what unfolds it */

static void faults(void)
{
	begin(false, 16);
	subject("a batch of five with a page fault");
	load_prepare(5);
	sva_prep_memcpy(&ops[2], to + 8192, from + 8192, 4096);
	kernel_absent(to + 8192, 4096);
	submit_batch(5);
	ok(is_folded(), "its entries are folded");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 1);
	is_rc(sva_wait(&batch, -1), 0, "ends well");
	ok(!is_folded(), "its entries were unfolded");
	is(sva_op_result(&ops[2])->faults, 1, "that entry was resumed after one fault");
	ok(!memcmp(to + 8192, from + 8192, 4096), "its bytes are right");
	is(sva_op_result(&batch)->bytes, 4 * 100 + 4096, "the result of the batch has all bytes");
	kernel_present();

	subject("a batch of five, the second has an error, the fourth a fence");
	queue->mode = KERNEL_HELD;
	load_prepare(5);
	ops[1].desc.reserved = 1;
	ops[3].flags = SVA_OP_FENCE;
	submit_batch(5);
	ok(is_folded(), "its entries are folded");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 1);
	is_rc(sva_wait(&batch, -1), -EIO, "fails");
	is(sva_op_result(&ops[1])->error, -EINVAL, "the second has its error");
	ok(!sva_op_result(&ops[0])->error && !sva_op_result(&ops[2])->error,
	   "the first and the third end well");
	ok(sva_op_result(&ops[3])->error == -ECANCELED &&
		   sva_op_result(&ops[4])->error == -ECANCELED,
	   "the fourth and the fifth are cancelled");
	sva_close(sva);
}

static void refusals(void)
{
	struct sva_op second;

	begin(true, 1);
	subject("an entry that is listed twice");
	load_prepare(4);
	list[2] = list[0];
	is_rc(submit_batch(4), -EBUSY, "the batch is refused");
	is(count_in(SVA_OP_PREPARED, 4), 4, "its entries can be submitted");
	list[2] = &ops[2];
	subject("a bad entry");
	ops[3].desc.src = 0;
	is_rc(submit_batch(4), -EFAULT, "the batch is refused");
	is(count_in(SVA_OP_PREPARED, 4), 4, "its entries can be submitted");

	subject("a queue that is full");
	load_prepare(4);
	is_rc(submit_batch(2), 0, "a batch is submitted");
	sva_prep_batch(&second, list + 2, 2);
	is_rc(sva_submit(sva, &second), -EAGAIN, "another one is not");
	is(count_in(SVA_OP_PREPARED, 4), 2, "its entries can be submitted");
	kernel_run(queue, 1);
	is_rc(sva_poll(&batch), 1, "the first is done");
	is_rc(sva_submit(sva, &second), 0, "then the second is submitted");
	kernel_run(queue, 1);
	is_rc(sva_poll(&second), 1, "and is done");
	is(load_finish(4), 4, "all entries have their bytes");
	is(load_free_credits(bond), 1, "the queue's credit is back");
	sva_close(sva);
}

static void given_up(void)
{
	begin(true, 16);
	subject("the record of a batch does not come");
	load_prepare(3);
	submit_batch(3);
	ok(is_folded(), "its entries are folded");
	is_rc(sva_wait(&batch, -1), -EIO, "it fails");
	is(sva_op_result(&ops[1])->error, -EIO, "and so do its entries");
	is(sva_op_result(&batch)->reason, SVA_REASON_RETIRED, "with the reason");
	sva_close(sva);
}

int main(void)
{
	doorbell_begin();
	load_init();
	numbers();
	busy_entries();
	kinds_and_fences();
	other_thread();
	faults();
	refusals();
	given_up();
	return done();
}
