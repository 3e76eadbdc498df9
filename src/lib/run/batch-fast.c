/* SPDX-License-Identifier: MIT */
/*
 * A batch whose entries take the short road: each is checked by sva_fast_entry_word() and copied
 * into the list of one batch descriptor, and none of them is begun. They are folded into their
 * batch: what the library knows of them is their state, and the two words that
 * sva_fast_prepare() writes. When all have simply succeeded they are ended by their state alone, as
 * on the short road. Otherwise they are unfolded: each becomes an entry like any other, with the
 * record that it has, and run/batch.c goes on with them.
 *
 * A visitor that waits for devices or takes credits back (settle.c, credits.c) reads no word of an
 * entry that is folded but its state. The owner writes the words of an entry before the state that
 * says that they may be read, which releases them.
 */
#include <stdlib.h>

#include "lib/op/kinds.h"
#include "lib/queue/ways.h"
#include "lib/run/fast.h"
#include "lib/run/group.h"

static uint32_t entry_state(enum sva_op_state state)
{
	return (uint32_t)state | (sva_process_generation() & SVA_OP_FAST_GENERATION);
}

/* The list lies in the pages of a group that serves again and again, or, if long, on the heap. */
static bool alloc_list(struct sva_thread *thread, struct sva_op *batch)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);
	struct sva_group *group;
	void *memory;

	if (batch->length <= SVA_GROUP_MAX) {
		group = sva_group_alloc(thread);
		p->folded = group ? SVA_OP_IN_GROUP : 0;
		p->list = group ? group->list : NULL;
		return group;
	}
	if (posix_memalign(&memory, 64, batch->length * sizeof(struct sva_desc)))
		return false;
	p->list = memory;
	return true;
}

static void undo_entries(struct sva_op **entries, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		sva_fast_undo(entries[i]);
		entries[i]->state = SVA_OP_PREPARED;
	}
}

/* Returns how many of the entries can be part of the batch descriptor: those before the first. */
static uint64_t build_list(struct sva_lease *lease, struct sva_op *batch)
{
	struct sva_op **entries = sva_batch_entries(batch);
	struct sva_desc *list = SVA_OP_PRIVATE(batch)->list;
	const uint32_t state = entry_state(SVA_OP_FAST_ENTRY);
	const uint64_t n = batch->length;
	uint64_t i;

	for (i = 0; i < n; i++) {
		struct sva_op *entry = entries[i];
		uint32_t word;

		if (sva_op_is_bad(entry))
			break;
		word = sva_fast_plain(lease, entry);
		if (unlikely(!word))
			word = sva_fast_entry_word(lease, entry);
		if (unlikely(!word))
			break;
		sva_fast_prepare(lease, entry, word);
		entry->state = state; /* the same one again is busy */
		list[i] = entry->desc;
	}
	return i;
}

bool sva_batch_submit_folded(struct sva_thread *thread, struct sva_op *batch)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);
	struct sva_lease *lease = p->sync ? thread->lead : thread->recent;
	uint64_t ready;

	if (!lease || p->pinned || SVA_OP_NODE_HINT(batch->flags) >= 0 ||
	    !sva_batch_fits(batch, lease) || !alloc_list(thread, batch))
		return false;
	ready = build_list(lease, batch);
	if (ready == batch->length) {
		p->is_batch = true;
		p->folded |= SVA_OP_FOLDED;
		batch->desc.src = (uint64_t)(uintptr_t)p->list;
		batch->desc.size = (uint32_t)ready;
		if (!sva_issue_on(thread, lease, batch))
			return true;
	}
	undo_entries(sva_batch_entries(batch), ready);
	sva_batch_free_list(batch);
	return false;
}

/* The bytes of an entry that succeeded: of a comparison, those before a difference. */
static inline uint64_t bytes_done(const struct sva_op *entry)
{
	uint64_t value;

	if (likely(!entry->comp.result) ||
	    !sva_result_answer(&entry->comp, SVA_OP_PRIVATE(entry)->prepared_word, entry->length,
			       &value) ||
	    sva_desc_opcode(&entry->desc) == SVA_OPCODE_CREATE_DELTA)
		return entry->length;
	return value;
}

bool sva_batch_end_folded(struct sva_op *batch)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(batch);
	struct sva_op **entries = sva_batch_entries(batch);
	const struct sva_identity *id = p->lease->id;
	const uint32_t ended = entry_state(SVA_OP_FAST_ENDED);
	const uint64_t n = batch->length;
	uint64_t bytes = 0;

	for (uint64_t i = 0; i < n; i++)
		if (unlikely(sva_record_status(&entries[i]->comp) != SVA_STATUS_SUCCESS))
			return false;
	for (uint64_t i = 0; i < n; i++) {
		bytes += bytes_done(entries[i]);
		SVA_OP_PRIVATE(entries[i])->last = id;
		__atomic_store_n(&entries[i]->state, ended, __ATOMIC_RELEASE);
	}
	sva_batch_free_list(batch);
	p->result.bytes = bytes;
	p->result.path_bytes[id->path] = bytes;
	p->result.chunks += (uint32_t)n;
	sva_end_operation(batch, 0);
	return true;
}

void sva_batch_unfold(struct sva_op *batch)
{
	struct sva_op **entries = sva_batch_entries(batch);

	for (uint64_t i = 0; i < batch->length; i++) {
		entries[i]->desc.flags_opcode = SVA_OP_PRIVATE(entries[i])->prepared_word;
		sva_batch_begin_entry(batch, entries[i], SVA_OP_PRIVATE(batch)->policy);
		sva_op_set_state(entries[i], SVA_OP_IN_BATCH);
	}
	SVA_OP_PRIVATE(batch)->folded &= ~SVA_OP_FOLDED;
}
