/* SPDX-License-Identifier: MIT */
/*
 * Batches. Where a queue takes a batch descriptor that can carry all the entries, that is one submission. Everything else is the same loop: entries that have not
 * been started are started in their order, a fence waits for those before it, and what follows a failed fence is cancelled. The loop also takes over
 * after a batch descriptor that did not simply succeed: entries that met a page fault are resumed one by one, and those that the device dropped behind them have their turn afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/op/kinds.h"
#include "lib/queue/ways.h"

static bool failed(const struct sva_op *entry)
{
	return entry->state == SVA_OP_ENDED && SVA_OP_PRIVATE(entry)->result.error;
}

/* ------------------------------------------------------------------ begin */

static void give_back(struct sva_op **entries, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sva_operation_undo(entries[i]);
}

static int claim(struct sva_op *batch, struct sva_op *entry)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch), *own;
	struct sva_dma_buf *bufs[2] = { NULL, NULL };
	struct sva_bond *bond = NULL;
	int err;

	if (!entry)
		return -EFAULT;
	err = sva_progress_check(entry);
	if (!err && sva_kind_of(entry)->shape == SVA_SHAPE_BATCH)
		err = -EINVAL;
	if (err)
		return err;
	if (sva_dma_is_op(entry))
		err = sva_dma_begin(entry, bufs, &bond);
	if (!err && bond && p->pinned && bond != p->bond)
		err = -EINVAL; /* mapped for another device */
	if (err)
		return err;
	sva_operation_begin(entry, p->key, bond ? &bond->policy : p->policy);
	own = SVA_OP_PRIVATE(entry);
	own->parent = batch;
	own->sync = p->sync;
	own->pinned = p->pinned;
	own->bond = p->bond;
	sva_dma_attach(entry, bufs, bond);
	entry->state = SVA_OP_IN_BATCH;
	return 0;
}

/* Check and claim every entry; nothing is changed if one is refused. One that stands there twice is busy the second time. */
int sva_batch_begin(struct sva_op *batch)
{
	struct sva_op **entries = sva_batch_entries(batch);

	SVA_OP_PRIVATE(batch)->is_batch = true;
	for (uint64_t i = 0; i < batch->length; i++) {
		int err = claim(batch, entries[i]);

		if (err) {
			give_back(entries, i);
			return err;
		}
	}
	return 0;
}

void sva_batch_undo(struct sva_op *batch)
{
	free(SVA_OP_PRIVATE(batch)->list);
	SVA_OP_PRIVATE(batch)->list = NULL;
	give_back(sva_batch_entries(batch), batch->length);
}

/* ------------------------------------------------------------------ as one descriptor */

/* Zero-length entries complete without a device. Mapped-buffer offsets cannot go into a batch descriptor. */
static uint32_t entry_reason(const struct sva_op *entry, const struct sva_bond *bond)
{
	if (sva_dma_is_op(entry) || (!entry->length && sva_kind_of(entry)->shape != SVA_SHAPE_EMPTY) ||
	    entry->length > bond->max_transfer || sva_desc_opcode(&entry->desc) == SVA_OPCODE_DRAIN ||
	    !sva_progress_fits(entry, bond->max_transfer))
		return SVA_REASON_BATCH_ENTRY;
	return sva_path_can_do(bond, entry) ? SVA_REASON_OK : SVA_REASON_NO_OPERATION;
}

bool sva_batch_has_part(const struct sva_op *batch, const struct sva_lease *lease)
{
	struct sva_op **entries = sva_batch_entries(batch);

	for (uint64_t i = 0; i < batch->length; i++)
		if (sva_path_can_do(lease->bond, entries[i]))
			return true;
	return false;
}

uint32_t sva_batch_reason(const struct sva_op *batch, const struct sva_lease *lease)
{
	const struct sva_bond *bond = lease->bond;
	struct sva_op **entries = sva_batch_entries(batch);
	uint64_t least = bond->gen_cap & SVA_GENCAP_BATCH_OF_ONE ? 1 : 2;
	uint32_t reason = SVA_REASON_OK;

	if (!lease->ops->batch_opcode || !sva_path_can_do(bond, batch))
		return SVA_REASON_NO_OPERATION;
	if (batch->length < least || batch->length > bond->max_batch)
		return SVA_REASON_BATCH_SIZE;
	for (uint64_t i = 0; i < batch->length && reason == SVA_REASON_OK; i++)
		reason = entry_reason(entries[i], bond);
	return reason;
}

/* The list for a queue. It is the device's to read until the batch has its record. */
int sva_batch_build(struct sva_op *batch, struct sva_lease *lease)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);
	struct sva_op **entries = sva_batch_entries(batch);
	void *memory;

	if (!p->list) {
		if (posix_memalign(&memory, 64, batch->length * sizeof(struct sva_desc)))
			return -ENOMEM;
		p->list = memory;
	}
	for (uint64_t i = 0; i < batch->length; i++) {
		struct sva_op *entry = entries[i];

		sva_progress_next(entry, lease->max_transfer);
		entry->desc.flags_opcode = sva_issue_word(lease->bond, entry);
		if (entry->flags & SVA_OP_FENCE)
			entry->desc.flags_opcode |= SVA_DESC_FENCE;
		sva_record_clear(&entry->comp);
		p->list[i] = entry->desc;
	}
	batch->desc.src = (uint64_t)(uintptr_t)p->list;
	batch->desc.size = (uint32_t)batch->length;
	return 0;
}

/* The batch's record is there: every entry that has one, too, is done with the device. Or it will never come (lost). */
void sva_batch_take(struct sva_op *batch, bool lost)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);
	struct sva_op **entries = sva_batch_entries(batch);

	for (uint64_t i = 0; i < batch->length; i++) {
		unsigned int status = sva_record_status(&entries[i]->comp);

		if (!status && !lost)
			continue;
		SVA_OP_PRIVATE(entries[i])->lease = p->lease;
		SVA_OP_PRIVATE(entries[i])->bond = p->bond;
		SVA_OP_PRIVATE(entries[i])->result.chunks = 1;
		/* Without a record nobody knows how far it came: it is not done a second time. The loop finds its bond retired. */
		entries[i]->state = SVA_OP_IN_FLIGHT;
	}
	free(p->list);
	p->list = NULL;
	batch->state = SVA_OP_BATCHING;
}

/* ------------------------------------------------------------------ the loop */

static void cancel(struct sva_op *entry)
{
	sva_result_end(entry, -ECANCELED);
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
		err = sva_operation_launch(thread, entry);
		if (err == -EAGAIN && !sva_complete_gives_up(batch)) {
			entry->state = SVA_OP_IN_BATCH;
			return;
		}
		if (err == -EAGAIN && SVA_OP_PRIVATE(entry)->by_buffer)
			sva_dma_let_go(entry, SVA_OP_PRIVATE(entry)->policy);
		if (!err)
			SVA_OP_PRIVATE(batch)->waited_since = 0;
		else if (err == -EAGAIN && SVA_OP_PRIVATE(entry)->policy->cpu_allowed && !SVA_OP_PRIVATE(entry)->pinned)
			sva_issue_on_cpu(entry, SVA_REASON_FULL);
		else
			sva_result_end(entry, err == -EAGAIN ? -EIO : err);
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
	sva_result_end(batch, bad ? -EIO : 0);
}

void sva_batch_advance(struct sva_thread *thread, struct sva_op *batch)
{
	struct sva_op **entries = sva_batch_entries(batch);
	bool open = false;

	/* Those in flight first: a fence may have waited for them. */
	for (int turn = 0; turn < 2; turn++) {
		for (uint64_t i = 0; i < batch->length; i++)
			if (entries[i]->state == SVA_OP_IN_FLIGHT || entries[i]->state == SVA_OP_STALLED)
				(void)sva_complete_poll(entries[i]);
		if (!turn)
			start_entries(thread, batch);
	}
	for (uint64_t i = 0; i < batch->length && !open; i++)
		open = entries[i]->state != SVA_OP_ENDED;
	if (!open)
		add_up(batch);
}
