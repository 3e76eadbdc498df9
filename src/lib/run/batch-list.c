/* SPDX-License-Identifier: MIT */
/*
 * The entries of a batch: claimed, checked against a queue, and undone; and the list of descriptors
 * that the batch descriptor points at.
 */
#include <stdlib.h>

#include "lib/op/kinds.h"
#include "lib/op/mapped.h"
#include "lib/queue/ways.h"
#include "lib/run/group.h"
#include "lib/run/run.h"

static void undo_entries(struct sva_op **entries, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sva_operation_undo(entries[i]);
}

void sva_batch_begin_entry(struct sva_op *batch, struct sva_op *entry,
			   const struct sva_policy *policy)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch), *own = SVA_OP_PRIVATE(entry);

	sva_operation_begin(entry, p->ctx, policy);
	own->parent = batch;
	own->is_entry = true;
	own->sync = p->sync;
	own->pinned = p->pinned;
	own->bond = p->pinned ? p->bond : NULL;
}

static int claim_entry(struct sva_op *batch, struct sva_op *entry)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);
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
	sva_batch_begin_entry(batch, entry, bond ? &bond->policy : p->policy);
	sva_dma_attach(entry, bufs, bond);
	entry->state = SVA_OP_IN_BATCH;
	return 0;
}

/*
 * Check and claim every entry; nothing is changed if one is refused. An entry that is listed twice
 * is -EBUSY the second time.
 */
int sva_batch_begin(struct sva_op *batch)
{
	struct sva_op **entries = sva_batch_entries(batch);

	SVA_OP_PRIVATE(batch)->is_batch = true;
	for (uint64_t i = 0; i < batch->length; i++) {
		int err = claim_entry(batch, entries[i]);

		if (err) {
			undo_entries(entries, i);
			return err;
		}
	}
	return 0;
}

void sva_batch_free_list(struct sva_op *batch)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);

	if (p->folded & SVA_OP_IN_GROUP)
		sva_group_free(sva_group_of_list(p->list));
	else
		free(p->list);
	p->folded = 0;
	p->list = NULL;
}

void sva_batch_undo(struct sva_op *batch)
{
	sva_batch_free_list(batch);
	undo_entries(sva_batch_entries(batch), batch->length);
}

/*
 * Zero-length entries complete without a device. Mapped-buffer offsets cannot go into a batch
 * descriptor.
 */
static uint32_t entry_reason(const struct sva_op *entry, const struct sva_bond *bond)
{
	if (sva_dma_is_op(entry) ||
	    (!entry->length && sva_kind_of(entry)->shape != SVA_SHAPE_EMPTY) ||
	    entry->length > bond->max_transfer ||
	    sva_desc_opcode(&entry->desc) == SVA_OPCODE_DRAIN ||
	    !sva_progress_fits(entry, bond->max_transfer))
		return SVA_REASON_BATCH_ENTRY;
	return sva_caps_can_do(bond, entry) ? SVA_REASON_OK : SVA_REASON_NO_OPERATION;
}

bool sva_batch_has_part(const struct sva_op *batch, const struct sva_lease *lease)
{
	struct sva_op **entries = sva_batch_entries(batch);

	for (uint64_t i = 0; i < batch->length; i++)
		if (sva_caps_can_do(lease->bond, entries[i]))
			return true;
	return false;
}

static uint32_t size_reason(const struct sva_op *batch, const struct sva_lease *lease)
{
	const struct sva_bond *bond = lease->bond;
	uint64_t least = bond->gen_cap & SVA_GENCAP_BATCH_OF_ONE ? 1 : 2;

	if (!lease->ops->batch_opcode || !sva_caps_can_do(bond, batch))
		return SVA_REASON_NO_OPERATION;
	if (batch->length < least || batch->length > bond->max_batch)
		return SVA_REASON_BATCH_SIZE;
	return SVA_REASON_OK;
}

bool sva_batch_fits(const struct sva_op *batch, const struct sva_lease *lease)
{
	return size_reason(batch, lease) == SVA_REASON_OK;
}

uint32_t sva_batch_reason(const struct sva_op *batch, const struct sva_lease *lease)
{
	const struct sva_bond *bond = lease->bond;
	struct sva_op **entries = sva_batch_entries(batch);
	uint32_t reason = size_reason(batch, lease);

	for (uint64_t i = 0; i < batch->length && reason == SVA_REASON_OK; i++)
		reason = entry_reason(entries[i], bond);
	return reason;
}

/* Build the list for a queue. The device reads it until the batch has its record. */
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
		entry->desc.flags_opcode = sva_caps_word(lease->bond, entry);
		if (entry->flags & SVA_OP_FENCE)
			entry->desc.flags_opcode |= SVA_DESC_FENCE;
		sva_record_clear(&entry->comp);
		p->list[i] = entry->desc;
	}
	batch->desc.src = (uint64_t)(uintptr_t)p->list;
	batch->desc.size = (uint32_t)batch->length;
	return 0;
}
