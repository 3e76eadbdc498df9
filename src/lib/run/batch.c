/* SPDX-License-Identifier: MIT */
/*
 * Batches. If a queue takes a batch descriptor with all the entries, that is one submission.
 * Otherwise a loop starts the entries in their order; a fence waits for those before it, and what
 * follows a failed fence is cancelled. The loop also takes over after a batch descriptor that did
 * not simply succeed: entries that met a page fault are resumed one by one, and those behind them
 * that the device dropped are started afterwards.
 */
#include <string.h>

#include "lib/op/kinds.h"
#include "lib/op/mapped.h"
#include "lib/queue/ways.h"
#include "lib/run/run.h"

static bool has_failed(const struct sva_op *entry)
{
	return entry->state == SVA_OP_ENDED && SVA_OP_PRIVATE(entry)->result.error;
}

/*
 * The batch's record was written: the device is done with every entry that has a record, too. lost:
 * the records will never be written.
 */
static void collect_entries(struct sva_op *batch, bool lost)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);
	struct sva_op **entries = sva_batch_entries(batch);

	for (uint64_t i = 0; i < batch->length; i++) {
		unsigned int status = sva_record_status(&entries[i]->comp);

		if (!status && !lost)
			continue;
		sva_op_set_lease(entries[i], p->lease);
		__atomic_store_n(&SVA_OP_PRIVATE(entries[i])->bond, p->bond, __ATOMIC_RELAXED);
		__atomic_store_n(&SVA_OP_PRIVATE(entries[i])->chunks, 1, __ATOMIC_RELAXED);
		SVA_OP_PRIVATE(entries[i])->result.chunks = 1;
		/*
		 * Without a record it is unknown how much of it was done, so it is not done a
		 * second time. The loop finds its bond retired.
		 */
		sva_op_set_state(entries[i], SVA_OP_IN_FLIGHT);
	}
	sva_batch_free_list(batch);
	sva_op_set_state(batch, SVA_OP_BATCHING);
}

/* ------------------------------------------------------------------ the loop */

static void cancel_entry(struct sva_op *entry)
{
	sva_end_operation(entry, -ECANCELED);
}

/* Returns 0: start the entry; 1: wait for earlier ones; 2: cancel it. */
static int check_fence(struct sva_op **entries, uint64_t at)
{
	bool bad = false;

	for (uint64_t i = 0; i < at; i++) {
		if (entries[i]->state != SVA_OP_ENDED)
			return 1;
		bad |= has_failed(entries[i]);
	}
	return bad ? 2 : 0;
}

static void start_entries(struct sva_thread *thread, struct sva_op *batch)
{
	struct sva_op **entries = sva_batch_entries(batch);
	bool cancelled = false;

	for (uint64_t i = 0; i < batch->length; i++) {
		struct sva_op *entry = entries[i];
		int err, fence;

		if (entry->state != SVA_OP_IN_BATCH)
			continue;
		if (!cancelled && (entry->flags & SVA_OP_FENCE)) {
			fence = check_fence(entries, i);
			if (fence == 1)
				return;
			cancelled = fence == 2;
		}
		if (cancelled) {
			cancel_entry(entry);
			continue;
		}
		err = sva_launch(thread, entry);
		if (err == -EAGAIN && !sva_complete_gives_up(batch)) {
			sva_op_set_state(entry, SVA_OP_IN_BATCH);
			return;
		}
		if (err == -EAGAIN && SVA_OP_PRIVATE(entry)->by_buffer)
			sva_dma_use_addresses(entry, SVA_OP_PRIVATE(entry)->policy);
		if (!err)
			SVA_OP_PRIVATE(batch)->waited_since = 0;
		else if (err == -EAGAIN && SVA_OP_PRIVATE(entry)->policy->cpu_allowed &&
			 !SVA_OP_PRIVATE(entry)->pinned)
			sva_issue_on_cpu(entry, SVA_REASON_FULL);
		else
			sva_end_operation(entry, err == -EAGAIN ? -EIO : err);
	}
}

static void sum_results(struct sva_op *batch)
{
	struct sva_result *sum = &SVA_OP_PRIVATE(batch)->result;
	struct sva_op **entries = sva_batch_entries(batch);
	bool bad = false;

	for (uint64_t i = 0; i < batch->length; i++) {
		const struct sva_result *one = &SVA_OP_PRIVATE(entries[i])->result;

		sum->bytes += one->bytes;
		for (int path = 0; path < SVA_PATH_COUNT; path++)
			sum->path_bytes[path] += one->path_bytes[path];
		sum->faults += one->faults;
		sum->retries += one->retries;
		sum->chunks += one->chunks;
		if (!SVA_OP_PRIVATE(batch)->lease && SVA_OP_PRIVATE(entries[i])->lease) {
			sva_op_set_lease(batch, SVA_OP_PRIVATE(entries[i])->lease);
			if (!SVA_OP_PRIVATE(batch)->pinned)
				SVA_OP_PRIVATE(batch)->bond = SVA_OP_PRIVATE(entries[i])->bond;
		}
		if (!sum->reason)
			sum->reason = one->reason;
		bad |= one->error != 0;
	}
	sum->status = bad ? SVA_STATUS_BATCH_FAIL : SVA_STATUS_SUCCESS;
	sva_end_operation(batch, bad ? -EIO : 0);
}

static void advance_batch(struct sva_thread *thread, struct sva_op *batch)
{
	struct sva_op **entries = sva_batch_entries(batch);
	bool open = false;

	/* Advance those in flight first: a fence may be waiting for them. */
	for (int turn = 0; turn < 2; turn++) {
		for (uint64_t i = 0; i < batch->length; i++)
			if (entries[i]->state == SVA_OP_IN_FLIGHT ||
			    entries[i]->state == SVA_OP_STALLED)
				sva_complete_advance(entries[i]);
		if (!turn)
			start_entries(thread, batch);
	}
	for (uint64_t i = 0; i < batch->length && !open; i++)
		open = entries[i]->state != SVA_OP_ENDED;
	if (!open)
		sum_results(batch);
}

/* A synchronous call does not wait for a full queue if the CPU may do the work. */
static bool cpu_takes_over(const struct sva_op *op)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);

	return p->sync && p->policy->cpu_allowed && !p->pinned;
}

/* Submit a batch as one descriptor if possible; else enter the loop. */
int sva_batch_launch(struct sva_thread *thread, struct sva_op *op)
{
	int err;

	if (sva_batch_submit_folded(thread, op))
		return 0;
	err = sva_batch_begin(op);
	if (err)
		return err;
	err = sva_issue(thread, op);
	if (!err)
		return 0;
	if ((err == -EAGAIN && !thread->hopeless && !cpu_takes_over(op)) || err == -ENOMEM) {
		sva_batch_undo(op);
		return err;
	}
	sva_batch_free_list(op); /* it was built for a queue that was full */
	op->state = SVA_OP_BATCHING;
	sva_bias_enter(&thread->lessee.bias);
	sva_thread_link(thread, op);
	sva_bias_exit(&thread->lessee.bias);
	advance_batch(thread, op);
	return 0;
}

int sva_batch_poll(struct sva_op *batch)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);
	struct sva_thread *thread;
	enum sva_look look;

	if (batch->state == SVA_OP_IN_FLIGHT) {
		look = sva_complete_look(batch);
		if (look == SVA_LOOK_NOTHING)
			return 0;
		if (look == SVA_LOOK_RECORD && p->result.status == SVA_STATUS_BAD_OPCODE)
			sva_caps_forget_operation(p->bond, SVA_OPCODE_BATCH);
		if (p->folded & SVA_OP_FOLDED) {
			if (p->result.status == SVA_STATUS_SUCCESS && look == SVA_LOOK_RECORD &&
			    sva_batch_end_folded(batch))
				return 0;
			sva_batch_unfold(batch);
		}
		collect_entries(batch, look == SVA_LOOK_LOST);
	}
	thread = sva_thread_of(p->ctx);
	if (!thread)
		return -ENOMEM;
	advance_batch(thread, batch);
	return 0;
}
