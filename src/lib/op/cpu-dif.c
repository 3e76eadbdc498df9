/* SPDX-License-Identifier: MIT */
/*
 * T10 protection information on the CPU: check, insert, strip, update, and DIX generate. The eight
 * bytes behind a block are big-endian: guard (CRC of the block), application tag, reference tag. A
 * block is checked before any of it is written.
 */
#include <string.h>

#include "lib/op/cpu.h"

#define TUPLE 8u

/* The tags that one side expects or writes for the current block. */
struct tags {
	uint32_t ref;
	uint16_t mask, app;
	uint8_t ref_step, app_step;
};

struct dif {
	const struct sva_desc_dif *op;
	size_t block;
	bool checks, copies, writes_tuples;
	uint16_t guard_start, guard_flip;
	struct tags src, dst;
};

static void set_up_dif(struct dif *dif, const struct sva_desc *desc)
{
	static const uint16_t blocks[4] = {512, 520, 4096, 4104};
	const unsigned int opcode = sva_desc_opcode(desc);
	const struct sva_desc_dif *op = &desc->op.dif;

	*dif = (struct dif){
		.op = op,
		.block = blocks[op->flags & 3],
		.checks = opcode != SVA_OPCODE_DIF_INSERT && opcode != SVA_OPCODE_DIX_GENERATE,
		.copies = opcode != SVA_OPCODE_DIF_CHECK && opcode != SVA_OPCODE_DIX_GENERATE,
		.writes_tuples = opcode != SVA_OPCODE_DIF_CHECK && opcode != SVA_OPCODE_DIF_STRIP,
		.guard_start = op->flags & SVA_DIF_SEED_FFFF ? 0xffff : 0,
		.guard_flip = op->flags & SVA_DIF_INVERT ? 0xffff : 0,
		.src = {op->src_ref, op->src_app_mask, op->src_app,
			!(op->src_flags & SVA_DIF_SRC_REF_FIXED),
			!!(op->src_flags & SVA_DIF_SRC_APP_INC)},
		.dst = {op->dst_ref, op->dst_app_mask, op->dst_app,
			!(op->dst_flags & SVA_DIF_DST_REF_FIXED),
			!!(op->dst_flags & SVA_DIF_DST_APP_INC)},
	};
}

static inline uint16_t guard_of(uint64_t tuple)
{
	return (uint16_t)(tuple >> 48);
}

static inline uint16_t app_of(uint64_t tuple)
{
	return (uint16_t)(tuple >> 32);
}

/* The errors of a source tuple: SVA_DIF_ERR_*. */
static uint8_t find_errors(const struct dif *dif, uint64_t tuple, uint16_t guard)
{
	const uint8_t flags = dif->op->src_flags;
	const bool app_f = app_of(tuple) == 0xffff;
	const bool app_ref_f = app_f && (uint32_t)tuple == 0xffffffff;
	uint8_t errors = 0;

	if ((flags & SVA_DIF_SRC_ALL_F) && tuple == UINT64_MAX)
		return flags & SVA_DIF_SRC_ALL_F_ERROR ? SVA_DIF_ERR_ALL_F : 0;
	if (((flags & SVA_DIF_SRC_APP_F) && app_f) ||
	    ((flags & SVA_DIF_SRC_APP_REF_F) && app_ref_f))
		return 0;
	if (!(flags & SVA_DIF_SRC_NO_GUARD) && guard_of(tuple) != guard)
		errors |= SVA_DIF_ERR_GUARD;
	if ((app_of(tuple) ^ dif->src.app) & ~dif->src.mask & 0xffff)
		errors |= SVA_DIF_ERR_APP;
	if (!(flags & SVA_DIF_SRC_NO_REF) && (uint32_t)tuple != dif->src.ref)
		errors |= SVA_DIF_ERR_REF;
	return errors;
}

/* The tuple to write. If the source has none, no tag can be passed on. */
static uint64_t make_tuple(const struct dif *dif, uint64_t old, uint16_t guard)
{
	const uint8_t pass = dif->checks ? dif->op->dst_flags : 0;
	const uint16_t app = dif->dst.app & (uint16_t)~dif->dst.mask;

	return (uint64_t)(pass & SVA_DIF_DST_GUARD_PASS ? guard_of(old) : guard) << 48 |
	       (uint64_t)(pass & SVA_DIF_DST_APP_PASS ? app_of(old) : app) << 32 |
	       (pass & SVA_DIF_DST_REF_PASS ? (uint32_t)old : dif->dst.ref);
}

/* Do one block. Returns the errors of its tuple: SVA_DIF_ERR_*. */
static uint8_t do_block(const struct dif *dif, const uint8_t *src, uint8_t *dst)
{
	const size_t block = dif->block;
	uint64_t tuple = 0;
	uint16_t guard;
	uint8_t errors;

	if (dif->copies && !dif->checks)
		guard = model_copy_crc16_t10(dif->guard_start, dst, src, block);
	else
		guard = model_crc16_t10(dif->guard_start, src, block);
	guard ^= dif->guard_flip;
	if (dif->checks) {
		tuple = __builtin_bswap64(sva_load8(src + block));
		errors = find_errors(dif, tuple, guard);
		if (unlikely(errors))
			return errors;
		if (dif->copies)
			memcpy(dst, src, block);
	}
	if (dif->writes_tuples)
		sva_store8(dst + (dif->copies ? block : 0),
			   __builtin_bswap64(make_tuple(dif, tuple, guard)));
	return 0;
}

/* The tags for the block after the last one, or for the block with an error. */
static void report_tags(const struct dif *dif, struct sva_comp_dif *tags)
{
	*tags = (struct sva_comp_dif){0};
	if (dif->checks) {
		tags->src_ref = dif->src.ref;
		tags->src_app_mask = dif->src.mask;
		tags->src_app = dif->src.app;
	}
	if (dif->writes_tuples) {
		tags->dst_ref = dif->dst.ref;
		tags->dst_app_mask = dif->dst.mask;
		tags->dst_app = dif->dst.app;
	}
}

uint64_t sva_cpu_dif(const struct sva_desc *desc, uint64_t len, struct sva_comp *comp)
{
	const uint8_t *src = (const uint8_t *)(uintptr_t)desc->src;
	uint8_t *dst = (uint8_t *)(uintptr_t)desc->dst;
	size_t src_step, dst_step;
	struct dif dif;
	uint64_t done;

	set_up_dif(&dif, desc);
	src_step = dif.block + (dif.checks ? TUPLE : 0);
	dst_step = (dif.copies ? dif.block : 0) + (dif.writes_tuples ? TUPLE : 0);
	for (done = 0; done < len; done += src_step, src += src_step, dst += dst_step) {
		comp->result = do_block(&dif, src, dst);
		if (unlikely(comp->result)) {
			comp->status = SVA_STATUS_DIF_ERROR;
			break;
		}
		dif.src.ref += dif.src.ref_step;
		dif.src.app += dif.src.app_step;
		dif.dst.ref += dif.dst.ref_step;
		dif.dst.app += dif.dst.app_step;
	}
	report_tags(&dif, &comp->op.dif);
	return done;
}
