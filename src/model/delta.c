/* SPDX-License-Identifier: MIT */
/*
 * Delta records: entries of ten bytes, the offset of a word of eight bytes (in words) and its new
 * content.
 * Source: [S3] 8.3.8, 8.3.9.
 */
#include "model/bytes.h"
#include "model/internal.h"

#define WORD 8u
#define ENTRY SVA_DELTA_ENTRY_SIZE

/* A fault is only reported if nothing can be done before it. */
static void forget_fault(struct model_exec *exec)
{
	exec->comp.status = SVA_STATUS_SUCCESS;
	exec->comp.fault_addr = 0;
	exec->comp.fault_info = 0;
}

/*
 * From that offset on, how many bytes in whole lines are the same, as far as the first windows
 * reach?
 */
static size_t skip_equal(struct model_exec *exec, size_t done)
{
	const struct sva_desc *desc = &exec->desc;
	struct model_window a, b;
	size_t same = 0, seen = 0;

	if (model_map(exec, &a, desc->src + done, desc->size - done, SVA_MODEL_READ, OPERAND_1)) {
		if (model_map(exec, &b, desc->dst + done, a.len, SVA_MODEL_READ, OPERAND_2)) {
			seen = b.len;
			same = model_bytes_diff(a.host, b.host, seen);
			model_unmap(exec, &b, seen);
		}
		model_unmap(exec, &a, seen);
	}
	forget_fault(exec);
	return same - same % MODEL_LINE;
}

/* Words of both sources that can be read from that offset on, at most a line. 0 after a fault. */
static unsigned int read_line(struct model_exec *exec, size_t done, uint64_t old[8],
			      uint64_t new[8])
{
	const struct sva_desc *desc = &exec->desc;
	size_t want = desc->size - done < MODEL_LINE ? desc->size - done : MODEL_LINE;
	size_t got = model_read(exec, old, desc->src + done, want, OPERAND_1) / WORD * WORD;

	if (got)
		got = model_read(exec, new, desc->dst + done, got, OPERAND_2) / WORD * WORD;
	if (got)
		forget_fault(exec);
	return (unsigned int)(got / WORD);
}

/* Append an entry to the record. */
static bool write_entry(struct model_exec *exec, size_t offset, const uint64_t *word)
{
	const uint64_t addr = exec->desc.op.delta.addr_or_size + exec->comp.op.delta_size;
	uint16_t index = (uint16_t)(offset / WORD);
	uint8_t entry[ENTRY];

	model_bytes_copy(entry, &index, sizeof(index));
	model_bytes_copy(entry + sizeof(index), word, WORD);
	if (model_write(exec, addr, entry, ENTRY, OPERAND_DST) < ENTRY)
		return false;
	exec->comp.op.delta_size += ENTRY;
	return true;
}

enum { DELTA_EQUAL, DELTA_SOME, DELTA_OVERFLOW };

static void finish_create(struct model_exec *exec, uint8_t result)
{
	exec->comp.result = result;
	if ((model_flags(exec) & SVA_DESC_CR) && !(exec->desc.op.delta.expected >> result & 1))
		exec->comp.status = SVA_STATUS_SUCCESS_PRED;
}

/*
 * The record is full: UNCERTAIN where the hardware stops, since it works on cache lines. Here it is
 * before the first line, counted from the start of the sources, of which not every entry fits.
 */
static bool line_fits(const struct model_exec *exec, const uint64_t old[8], const uint64_t new[8],
		      unsigned int words)
{
	uint32_t size = exec->comp.op.delta_size;

	for (unsigned int i = 0; i < words; i++)
		size += old[i] == new[i] ? 0 : ENTRY;
	return size <= exec->desc.op.delta.max_size;
}

void model_create_delta(struct model_exec *exec)
{
	uint64_t old[8], new[8];
	unsigned int words;
	size_t done = 0;

	while (done < exec->desc.size) {
		done += skip_equal(exec, done);
		if (done == exec->desc.size)
			break;
		words = read_line(exec, done, old, new);
		exec->comp.bytes = (uint32_t)done;
		if (words && !line_fits(exec, old, new, words)) {
			finish_create(exec, DELTA_OVERFLOW);
			return;
		}
		for (unsigned int i = 0; i < words; i++, done += WORD) {
			if (old[i] == new[i] || write_entry(exec, done, &new[i]))
				continue;
			words = 0; /* fault on the record */
			break;
		}
		if (!words) {
			exec->comp.bytes = (uint32_t)done;
			exec->comp.result = exec->comp.op.delta_size ? DELTA_SOME : DELTA_EQUAL;
			return;
		}
	}
	exec->comp.bytes = 0;
	finish_create(exec, exec->comp.op.delta_size ? DELTA_SOME : DELTA_EQUAL);
}

void model_apply_delta(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	const uint32_t record = (uint32_t)desc->op.delta.addr_or_size;
	uint32_t next = 0; /* the least offset that may follow */
	uint8_t entry[ENTRY];
	uint16_t offset;

	for (uint32_t done = 0; done < record; done += ENTRY) {
		exec->comp.bytes = done;
		if (model_read(exec, entry, desc->src + done, ENTRY, OPERAND_1) < ENTRY)
			return;
		model_bytes_copy(&offset, entry, sizeof(offset));
		if (offset < next) {
			exec->comp.status = SVA_STATUS_DELTA_OFFSET_ORDER;
			return;
		}
		if (offset * WORD >= desc->size) {
			exec->comp.status = SVA_STATUS_DELTA_OFFSET_RANGE;
			return;
		}
		if (model_write(exec, desc->dst + offset * WORD, entry + sizeof(offset), WORD,
				OPERAND_DST) < WORD)
			return;
		next = offset + 1u;
	}
	exec->comp.bytes = 0;
}
