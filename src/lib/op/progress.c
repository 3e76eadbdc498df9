/* SPDX-License-Identifier: MIT */
/*
 * How much of an operation is done. A length that no descriptor or queue can carry goes out in
 * chunks, and a chunk that met a page fault goes out again, shorter. Both use the same arithmetic,
 * which differs from operation to operation (DSA specification rev 3.0, 8.3):
 *
 * - most operations: source and destination advance together by the bytes completed.
 * - memmove: has a direction. Result 1 means that the device began at the end: the addresses stay,
 *   and only the size shrinks. And when the destination overlaps the source from above, the chunks
 *   themselves are issued from the end.
 * - fill, compare with a pattern: the next part begins with the pattern's first byte again, so the
 *   pattern is rotated when a part ends inside it.
 * - CRC: the CRC so far is the seed of the next part.
 * - DIF, DIX: only whole blocks are done; source and destination advance differently; the tags of
 *   the next block come from the record.
 * - create delta: the next part's record is put behind this one's, and its offsets, which restart
 *   at zero, are moved up.
 * - apply delta: the device counts bytes of the delta record; the destination stays.
 * - translation fetch: begins anew.
 */
#include <string.h>

#include "lib/op/kinds.h"

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void sva_progress_begin(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	memset(&p->result, 0, sizeof(*p) - offsetof(struct sva_op_private, result));
	p->delta_max = op->desc.op.delta.max_size;
	p->src = op->desc.src;
	p->dst = op->desc.dst;
	p->third = op->desc.op.dualcast.dst2;
	p->remaining = op->length;
	p->word = op->desc.flags_opcode | SVA_DESC_CRAV | SVA_DESC_RCR;
	/*
	 * Strict ordering is invalid on operations that do not write; the device rejects the flag.
	 */
	if ((op->flags & SVA_OP_STRICT_ORDER) && sva_kind_of(op)->writes)
		p->word |= SVA_DESC_STORD;
	if (op->flags & SVA_OP_CHECK)
		p->word |= SVA_DESC_CR;
	p->backward = sva_desc_opcode(&op->desc) == SVA_OPCODE_MEMMOVE && p->dst > p->src &&
		      p->dst - p->src < op->length;
	p->result.error = -EINPROGRESS;
	p->result.path = SVA_PATH_CPU;
	op->desc.completion_addr = (uint64_t)(uintptr_t)&op->comp;
}

/* For a create delta only: its src, dst and third are never advanced. */
void sva_progress_restart(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	op->desc.src = p->src;
	op->desc.dst = p->dst;
	op->desc.op.delta.addr_or_size = p->third;
	op->desc.op.delta.max_size = p->delta_max;
	op->desc.size = (uint32_t)op->length;
	p->delta_bytes = 0;
	p->delta_region = 0;
	p->mid_chunk = false;
}

bool sva_progress_fits_whole(const struct sva_op *op, uint64_t max_transfer)
{
	/* The delta record counts against the queue's limit, too. */
	return op->desc.size <= max_transfer &&
	       (sva_desc_opcode(&op->desc) != SVA_OPCODE_CREATE_DELTA ||
		op->desc.op.delta.max_size <= max_transfer);
}

bool sva_progress_fits(const struct sva_op *op, uint64_t max_transfer)
{
	/*
	 * The rest of a chunk is not cut again: other chunks of an overlapping move would read
	 * bytes that were already overwritten.
	 */
	if (SVA_OP_PRIVATE(op)->mid_chunk || sva_kind_of(op)->shape == SVA_SHAPE_WHOLE)
		return sva_progress_fits_whole(op, max_transfer);
	return sva_kind_unit(op) <= max_transfer;
}

void sva_progress_next(struct sva_op *op, uint64_t max_transfer)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const struct sva_kind *kind = sva_kind_of(op);
	uint64_t unit = sva_kind_unit(op);
	uint64_t n = min64(p->remaining, min64(max_transfer, 1u << 31) / unit * unit);
	uint64_t offset = p->backward ? p->remaining - n : 0;

	p->mid_chunk = false;
	p->chunk_rest = 0;
	if (kind->shape != SVA_SHAPE_BYTES)
		return;
	op->desc.size = (uint32_t)n;
	if (sva_operand_moves(kind->src))
		op->desc.src = p->src + offset;
	if (sva_operand_moves(kind->dst))
		op->desc.dst = p->dst + offset;
	if (kind->third == SVA_OPERAND_WRITE)
		op->desc.op.dualcast.dst2 = p->third;
}

/* --------------------------------------------------------- what one part passes on to the next */

/* The pattern after n bytes of it. Little-endian: byte 0 is the least significant. */
static uint64_t rotate_pattern(uint64_t pattern, uint64_t n)
{
	unsigned int bits = (unsigned int)(n % 8) * 8;

	return bits ? pattern >> bits | pattern << (64 - bits) : pattern;
}

static void rotate_fill(struct sva_desc *desc, uint64_t n)
{
	unsigned char twice[32];

	if (!(desc->flags_opcode & SVA_DESC_FILL16)) {
		desc->src = rotate_pattern(desc->src, n);
		return;
	}
	memcpy(twice, &desc->src, 8);
	memcpy(twice + 8, &desc->op.fill.pattern_high, 8);
	memcpy(twice + 16, twice, 16);
	memcpy(&desc->src, twice + n % 16, 8);
	memcpy(&desc->op.fill.pattern_high, twice + n % 16 + 8, 8);
}

static void carry_crc(struct sva_op *op, uint64_t n)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (!n)
		return; /* the record's CRC is undefined; keep the seed */
	p->result.value = op->comp.op.crc;
	if (!(p->word & SVA_DESC_CRC64))
		p->result.value &= 0xffffffffu;
	op->desc.op.crc.seed = p->result.value;
	op->desc.op.crc.seed_addr = 0;
	p->word &= ~SVA_DESC_CRC_SEED_MEM;
}

/*
 * Add region bytes to the offsets of a delta record's entries. The record may be misaligned, and is
 * little-endian.
 */
static void shift_offsets(uint64_t addr, uint32_t size, uint64_t region)
{
	unsigned char *entry = (unsigned char *)(uintptr_t)addr;

	for (uint32_t at = 0; at + SVA_DELTA_ENTRY_SIZE <= size;
	     at += SVA_DELTA_ENTRY_SIZE, entry += SVA_DELTA_ENTRY_SIZE) {
		unsigned int offset =
			(unsigned int)(entry[0] | entry[1] << 8) + (unsigned int)(region / 8);

		entry[0] = (unsigned char)offset;
		entry[1] = (unsigned char)(offset >> 8);
	}
}

/*
 * The part that ended covered n bytes of the region: append its record to that of the earlier
 * parts.
 */
static void carry_create_delta(struct sva_op *op, uint64_t n)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint32_t size = op->comp.op.delta_size;

	if (size > op->desc.op.delta.max_size)
		size = op->desc.op.delta.max_size;
	if (p->delta_region && size)
		shift_offsets(op->desc.op.delta.addr_or_size, size, p->delta_region);
	p->delta_bytes += size;
	p->delta_region += n;
	op->desc.op.delta.addr_or_size += size;
	op->desc.op.delta.max_size -= size;
	p->result.value = p->delta_bytes;
}

static void carry_state(struct sva_op *op, uint64_t n)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const struct sva_comp_dif *tags = &op->comp.op.dif;
	struct sva_desc_dif *dif = &op->desc.op.dif;

	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_FILL:
	case SVA_OPCODE_DMA_FILL:
		rotate_fill(&op->desc, n);
		break;
	case SVA_OPCODE_COMPARE_PATTERN:
		op->desc.dst = rotate_pattern(op->desc.dst, n);
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		carry_crc(op, n);
		break;
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
		p->result.dif = *tags;
		dif->src_ref = tags->src_ref;
		dif->src_app = tags->src_app;
		if (sva_desc_opcode(&op->desc) != SVA_OPCODE_DIF_UPDATE)
			break;
		dif->dst_ref = tags->dst_ref;
		dif->dst_app = tags->dst_app;
		break;
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIX_GENERATE:
		p->result.dif = *tags;
		dif->dst_ref = tags->dst_ref;
		dif->dst_app = tags->dst_app;
		break;
	default:
		break;
	}
}

static void count_bytes(struct sva_op *op, int path, uint64_t n)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	p->remaining -= min64(n, p->remaining);
	p->result.bytes += n;
	p->result.path_bytes[path] += n;
}

static void advance_operands(struct sva_op *op, uint64_t n)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (p->backward)
		return;
	p->src += n;
	p->dst += sva_kind_dst_bytes(op, n);
	p->third += n;
}

/* ------------------------------------------------------------------ evaluating a record */

/* A comparison ends at the first difference, even if chunks are left. */
static bool found_difference(const struct sva_op *op)
{
	unsigned int opcode = sva_desc_opcode(&op->desc);

	return (opcode == SVA_OPCODE_COMPARE || opcode == SVA_OPCODE_COMPARE_PATTERN) &&
	       op->comp.result;
}

static bool finish_whole(struct sva_op *op, int path)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (sva_desc_opcode(&op->desc) == SVA_OPCODE_CREATE_DELTA) {
		/*
		 * The result over all parts: overflow if any part overflowed, else 1 if any part
		 * has differences.
		 */
		bool differs = p->delta_bytes || op->comp.result == 1;

		carry_create_delta(op, op->desc.size);
		p->result.result = op->comp.result == 2 ? 2 : differs;
	}
	count_bytes(op, path, p->remaining);
	return true;
}

bool sva_progress_chunk_done(struct sva_op *op, int path)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const struct sva_kind *kind = sva_kind_of(op);
	uint64_t n = op->desc.size;

	p->mid_chunk = false;
	p->result.result = op->comp.result;
	if (kind->shape == SVA_SHAPE_WHOLE)
		return finish_whole(op, path);
	if (kind->shape != SVA_SHAPE_BYTES)
		return true;
	if (found_difference(op)) {
		uint64_t offset = min64(op->comp.bytes, n);

		p->result.value = p->result.bytes + offset;
		count_bytes(op, path, offset);
		return true;
	}
	/*
	 * After a whole chunk the result byte matters for comparisons only. That of memmove is the
	 * direction.
	 */
	if (sva_desc_opcode(&op->desc) == SVA_OPCODE_MEMMOVE)
		p->result.result = 0;
	count_bytes(op, path, n);
	carry_state(op, n);
	advance_operands(op, n + p->chunk_rest);
	return !p->remaining;
}

static void partial_delta(struct sva_op *op)
{
	uint64_t n = op->comp.bytes;

	if (sva_desc_opcode(&op->desc) == SVA_OPCODE_APPLY_DELTA) {
		op->desc.src += n;
		op->desc.op.delta.addr_or_size -= n;
		return;
	}
	carry_create_delta(op, n);
	op->desc.src += n;
	op->desc.dst += n;
	op->desc.size -= (uint32_t)n;
	/*
	 * No room is left for the differences of one cache line: begin anew, now that more of the
	 * pages are present.
	 */
	if (op->desc.op.delta.max_size < SVA_DELTA_MIN_SIZE)
		sva_progress_restart(op);
}

static void partial_whole(struct sva_op *op)
{
	uint64_t limit = op->desc.size;
	unsigned int unit = 8;

	if (sva_desc_opcode(&op->desc) == SVA_OPCODE_TRANSLATION_FETCH)
		return;
	if (sva_desc_opcode(&op->desc) == SVA_OPCODE_APPLY_DELTA) {
		limit = op->desc.op.delta.addr_or_size;
		unit = SVA_DELTA_ENTRY_SIZE;
	}
	if (op->comp.bytes && op->comp.bytes < limit && op->comp.bytes % unit == 0)
		partial_delta(op);
}

void sva_progress_partial(struct sva_op *op, int path)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const struct sva_kind *kind = sva_kind_of(op);
	bool from_end = sva_desc_opcode(&op->desc) == SVA_OPCODE_MEMMOVE && op->comp.result;
	uint64_t n = op->comp.bytes;

	p->mid_chunk = true;
	if (kind->shape == SVA_SHAPE_WHOLE)
		partial_whole(op);
	/* Ignore an impossible count in the record, and submit the whole chunk again. */
	if (kind->shape != SVA_SHAPE_BYTES || !n || n >= op->desc.size || n % sva_kind_unit(op))
		return;
	count_bytes(op, path, n);
	carry_state(op, n);
	op->desc.size -= (uint32_t)n;
	if (from_end) {
		p->chunk_rest += n;
		return;
	}
	if (sva_operand_moves(kind->src))
		op->desc.src += n;
	if (sva_operand_moves(kind->dst))
		op->desc.dst += sva_kind_dst_bytes(op, n);
	if (kind->third == SVA_OPERAND_WRITE)
		op->desc.op.dualcast.dst2 += n;
	advance_operands(op, n);
}

/* The operation failed: count the bytes that the record reports as done. */
void sva_progress_failed(struct sva_op *op, int path)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	unsigned int status = op->comp.status & SVA_STATUS_MASK;

	p->result.result = op->comp.result;
	if (status == SVA_STATUS_DIF_ERROR && op->comp.bytes < op->desc.size)
		count_bytes(op, path, op->comp.bytes);
}

/*
 * Only the library sees the result over all chunks. The CPU and the devices leave it in the same
 * field.
 */
int sva_progress_verdict(const struct sva_op *op)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);
	unsigned int opcode = sva_desc_opcode(&op->desc);

	if (!(op->flags & SVA_OP_CHECK))
		return 0;
	if (opcode == SVA_OPCODE_CREATE_DELTA)
		return op->desc.op.delta.expected >> p->result.result & 1 ? 0 : -EBADE;
	return p->result.result == (op->desc.op.compare.expected & 1) ? 0 : -EBADE;
}

bool sva_progress_is_empty(const struct sva_op *op)
{
	uint8_t shape = sva_kind_of(op)->shape;

	return !op->length && (shape == SVA_SHAPE_BYTES || shape == SVA_SHAPE_WHOLE);
}

/*
 * For zero bytes, a comparison finds no difference, the CRC is the seed, and the tags are the
 * initial ones.
 */
int sva_progress_empty(struct sva_op *op)
{
	const struct sva_desc_dif *dif = &op->desc.op.dif;
	struct sva_result *result = &SVA_OP_PRIVATE(op)->result;

	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		result->value = op->desc.op.crc.seed;
		break;
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
	case SVA_OPCODE_DIX_GENERATE:
		result->dif = (struct sva_comp_dif){dif->src_ref, dif->src_app_mask, dif->src_app,
						    dif->dst_ref, dif->dst_app_mask, dif->dst_app};
		break;
	default:
		break;
	}
	return sva_progress_verdict(op);
}
