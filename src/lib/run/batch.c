/* SPDX-License-Identifier: MIT */
/*
 * Batches. Where a queue takes a batch descriptor that can carry all the entries, that is one
 * submission. Everything else is the same loop: entries that have not been started are started in
 * their order, a fence waits for those before it, and what follows a failed fence is cancelled. The
 * loop also takes over after a batch descriptor that did not simply succeed: entries that met a
 * page fault are resumed one by one, and those that the device dropped behind them have their turn
 * afterwards.
 */
#include <string.h>

#include "lib/op/kinds.h"
#include "lib/op/mapped.h"
#include "lib/queue/ways.h"
#include "lib/run/run.h"

static bool failed(const struct sva_op *entry)
{
	return entry->state == SVA_OP_ENDED && SVA_OP_PRIVATE(entry)->result.error;
}

/*
 * The batch's record is there: every entry that has one, too, is done with the device. Or it will
 * never come (lost).
 */
static void take_entries(struct sva_op *batch, bool lost)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);
	struct sva_op **entries = sva_batch_entries(batch);

	for (uint64_t i = 0; i < batch->length; i++) {
		unsigned int status = sva_record_status(&entries[i]->comp);

		if (!status && !lost)
			continue;
		SVA_OP_PRIVATE(entries[i])->lease = p->lease;
		__atomic_store_n(&SVA_OP_PRIVATE(entries[i])->bond, p->bond, __ATOMIC_RELAXED);
		__atomic_store_n(&SVA_OP_PRIVATE(entries[i])->result.chunks, 1, __ATOMIC_RELAXED);
		/*
		 * Without a record nobody knows how far it came: it is not done a second time. The
		 * loop finds its bond retired.
		 */
		entries[i]->state = SVA_OP_IN_FLIGHT;
	}
	sva_batch_free_list(batch);
	batch->state = SVA_OP_BATCHING;
}

/* ------------------------------------------------------------------ the loop */

static void cancel(struct sva_op *entry)
{
	sva_end_operation(entry, -ECANCELED);
}

/* 0 go on, 1 wait for earlier ones, 2 cancelled. */
static int pass_fence(struct sva_op **entries, uint64_t at)
{
	bool bad = false;

	for (uint64_t i = 0; i < at; i++) {
		if (entries[i]->state != SVA_OP_ENDED)
			return 1;
		bad |= failed(entries[i]);
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
			fence = pass_fence(entries, i);
			if (fence == 1)
				return;
			cancelled = fence == 2;
		}
		if (cancelled) {
			cancel(entry);
			continue;
		}
		err = sva_launch(thread, entry);
		if (err == -EAGAIN && !sva_complete_gives_up(batch)) {
			entry->state = SVA_OP_IN_BATCH;
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

static void add_up(struct sva_op *batch)
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
			SVA_OP_PRIVATE(batch)->lease = SVA_OP_PRIVATE(entries[i])->lease;
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

static void advance(struct sva_thread *thread, struct sva_op *batch)
{
	struct sva_op **entries = sva_batch_entries(batch);
	bool open = false;

	/* Those in flight first: a fence may have waited for them. */
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
		add_up(batch);
}

/* A synchronous call does not wait for a queue that is full where the CPU may do the work. */
static bool cpu_takes_over(const struct sva_op *op)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);

	return p->sync && p->policy->cpu_allowed && !p->pinned;
}

/* A batch: as one descriptor where that is possible, else the loop begins. */
int sva_batch_launch(struct sva_thread *thread, struct sva_op *op)
{
	int err = sva_batch_begin(op);

	if (err)
		return err;
	err = sva_issue(thread, op);
	if (!err)
		return 0;
	if ((err == -EAGAIN && !thread->hopeless && !cpu_takes_over(op)) || err == -ENOMEM) {
		sva_batch_undo(op);
		return err;
	}
	sva_batch_free_list(op); /* made for a queue that was full */
	op->state = SVA_OP_BATCHING;
	sva_bias_enter(&thread->lessee.bias);
	sva_thread_link(thread, op);
	sva_bias_exit(&thread->lessee.bias);
	advance(thread, op);
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
		take_entries(batch, look == SVA_LOOK_LOST);
	}
	thread = sva_thread_of(p->ctx);
	if (!thread)
		return -ENOMEM;
	advance(thread, batch);
	return 0;
}
