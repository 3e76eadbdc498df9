/* SPDX-License-Identifier: MIT */
/*
 * T10 protection information: check, insert, strip, update, and DIX generate, which writes the
 * tuples alone.
 * Source: [S3] 8.3.14-8.3.18, appendix B.
 *
 * After each block come eight bytes, big-endian: guard (CRC of the block), application tag,
 * reference tag. Blocks are done one by one: a source block is checked before anything of it is
 * written, and bytes completed counts whole blocks.
 */
#include "model/bytes.h"
#include "model/checksum.h"
#include "model/internal.h"

#define TUPLE MODEL_TUPLE
#define ALL_APP 0xffffu
#define ALL_REF 0xffffffffu

struct tuple {
	uint16_t guard, app;
	uint32_t ref;
};

/* The tags that one side of an operation expects or writes, for the block under way. */
struct tags {
	uint32_t ref;
	uint16_t mask, app;
	bool ref_fixed, app_increments;
};

struct dif {
	struct model_exec *exec;
	const struct sva_desc_dif *op;
	size_t block;
	size_t src_step, dst_step;  /* with or without a tuple; 0: there is none */
	bool checks, copies, writes_tuples;
	struct tags src, dst;
};

size_t model_dif_block(const struct sva_desc_dif *op)
{
	static const uint16_t size[4] = { 512, 520, 4096, 4104 };

	return size[op->flags & 3];
}

static void advance(struct tags *tags)
{
	tags->ref += !tags->ref_fixed;
	tags->app += tags->app_increments;
}

static void add_to_guard(void *guard, const uint8_t *bytes, size_t len)
{
	*(uint16_t *)guard = model_crc16_t10(*(uint16_t *)guard, bytes, len);
}

static uint16_t guard_start(const struct dif *dif)
{
	return dif->op->flags & SVA_DIF_SEED_FFFF ? 0xffff : 0;
}

static uint16_t guard_end(const struct dif *dif, uint16_t guard)
{
	return dif->op->flags & SVA_DIF_INVERT ? (uint16_t)~guard : guard;
}

/* The guard of a block in memory. */
static bool read_guard(struct dif *dif, uint64_t addr, uint16_t *guard)
{
	struct model_window window;

	*guard = guard_start(dif);
	for (size_t done = 0; done < dif->block; done += window.len) {
		if (!model_map(dif->exec, &window, addr + done, dif->block - done, SVA_MODEL_READ,
			       OPERAND_1))
			return false;
		add_to_guard(guard, window.host, window.len);
		model_unmap(dif->exec, &window, window.len);
	}
	*guard = guard_end(dif, *guard);
	return true;
}

static bool read_tuple(struct dif *dif, uint64_t addr, struct tuple *tuple)
{
	uint8_t raw[TUPLE];

	if (model_read(dif->exec, raw, addr, TUPLE, OPERAND_1) < TUPLE)
		return false;
	tuple->guard = (uint16_t)(raw[0] << 8 | raw[1]);
	tuple->app = (uint16_t)(raw[2] << 8 | raw[3]);
	tuple->ref =
		(uint32_t)raw[4] << 24 | (uint32_t)raw[5] << 16 | (uint32_t)raw[6] << 8 | raw[7];
	return true;
}

static bool write_tuple(struct dif *dif, uint64_t addr, const struct tuple *tuple)
{
	uint8_t raw[TUPLE] = {
		(uint8_t)(tuple->guard >> 8), (uint8_t)tuple->guard,
		(uint8_t)(tuple->app >> 8), (uint8_t)tuple->app,
		(uint8_t)(tuple->ref >> 24), (uint8_t)(tuple->ref >> 16),
		(uint8_t)(tuple->ref >> 8), (uint8_t)tuple->ref,
	};

	return model_write(dif->exec, addr, raw, TUPLE, OPERAND_DST) == TUPLE;
}

/*
 * What is wrong with a source tuple: SVA_DIF_ERR_*. UNCERTAIN whether a masked bit of the source's
 * application tag must be 0: here it is ignored. UNCERTAIN whether the all-ones error needs
 * detection to be on: here it does.
 */
static uint8_t tuple_errors(const struct dif *dif, const struct tuple *tuple, uint16_t guard)
{
	const uint8_t flags = dif->op->src_flags;
	const bool app_f = tuple->app == ALL_APP, app_ref_f = app_f && tuple->ref == ALL_REF;
	uint8_t errors = 0;

	if ((flags & SVA_DIF_SRC_ALL_F) && app_ref_f && tuple->guard == 0xffff)
		return flags & SVA_DIF_SRC_ALL_F_ERROR ? SVA_DIF_ERR_ALL_F : 0;
	if (((flags & SVA_DIF_SRC_APP_F) && app_f) ||
	    ((flags & SVA_DIF_SRC_APP_REF_F) && app_ref_f))
		return 0;
	if (!(flags & SVA_DIF_SRC_NO_GUARD) && tuple->guard != guard)
		errors |= SVA_DIF_ERR_GUARD;
	if ((tuple->app ^ dif->src.app) & ~dif->src.mask & 0xffff)
		errors |= SVA_DIF_ERR_APP;
	if (!(flags & SVA_DIF_SRC_NO_REF) && tuple->ref != dif->src.ref)
		errors |= SVA_DIF_ERR_REF;
	return errors;
}

/*
 * The tuple to write. Without a source tuple nothing can be passed through: those flags are
 * ignored.
 */
static void make_tuple(const struct dif *dif, struct tuple *tuple, uint16_t guard)
{
	const uint8_t pass = dif->checks ? dif->op->dst_flags : 0;

	if (!(pass & SVA_DIF_DST_GUARD_PASS))
		tuple->guard = guard;
	if (!(pass & SVA_DIF_DST_APP_PASS))
		tuple->app = dif->dst.app & (uint16_t)~dif->dst.mask;
	if (!(pass & SVA_DIF_DST_REF_PASS))
		tuple->ref = dif->dst.ref;
}

/* One block. False: the operation ends here, and the status says why. */
static bool do_block(struct dif *dif, uint64_t src, uint64_t dst)
{
	struct sva_comp *comp = &dif->exec->comp;
	struct tuple tuple = { 0, 0, 0 };
	uint16_t guard = guard_start(dif);

	if (dif->checks) {
		if (!read_guard(dif, src, &guard) || !read_tuple(dif, src + dif->block, &tuple))
			return false;
		comp->result = tuple_errors(dif, &tuple, guard);
		if (comp->result) {
			comp->status = SVA_STATUS_DIF_ERROR;
			return false;
		}
		if (dif->copies &&
		    model_copy(dif->exec, dst, src, dif->block, NULL, NULL) < dif->block)
			return false;
	} else if (dif->copies) {
		/*
		 * The guard is that of the bytes which were written, should the source change
		 * meanwhile.
		 */
		if (model_copy(dif->exec, dst, src, dif->block, add_to_guard, &guard) < dif->block)
			return false;
		guard = guard_end(dif, guard);
	} else if (!read_guard(dif, src, &guard)) {
		return false;
	}
	if (!dif->writes_tuples)
		return true;
	make_tuple(dif, &tuple, guard);
	return write_tuple(dif, dst + (dif->copies ? dif->block : 0), &tuple);
}

static void set_up(struct dif *dif, struct model_exec *exec)
{
	const unsigned int opcode = sva_desc_opcode(&exec->desc);
	const struct sva_desc_dif *op = &exec->desc.op.dif;

	dif->exec = exec;
	dif->op = op;
	dif->block = model_dif_block(op);
	dif->checks = opcode != SVA_OPCODE_DIF_INSERT && opcode != SVA_OPCODE_DIX_GENERATE;
	dif->copies = opcode != SVA_OPCODE_DIF_CHECK && opcode != SVA_OPCODE_DIX_GENERATE;
	dif->writes_tuples = opcode != SVA_OPCODE_DIF_CHECK && opcode != SVA_OPCODE_DIF_STRIP;
	dif->src_step = dif->block + (dif->checks ? TUPLE : 0);
	dif->dst_step = (dif->copies ? dif->block : 0) + (dif->writes_tuples ? TUPLE : 0);
	dif->src.ref = op->src_ref;
	dif->src.mask = op->src_app_mask;
	dif->src.app = op->src_app;
	dif->src.ref_fixed = op->src_flags & SVA_DIF_SRC_REF_FIXED;
	dif->src.app_increments = op->src_flags & SVA_DIF_SRC_APP_INC;
	dif->dst.ref = op->dst_ref;
	dif->dst.mask = op->dst_app_mask;
	dif->dst.app = op->dst_app;
	dif->dst.ref_fixed = op->dst_flags & SVA_DIF_DST_REF_FIXED;
	dif->dst.app_increments = op->dst_flags & SVA_DIF_DST_APP_INC;
}

/*
 * The tags for the block after the last, or for the one that could not be done. UNCERTAIN whether
 * the mask has been applied to the application tag: here it has not, as an increment would then be
 * lost when the operation continues from it.
 */
static void report_tags(const struct dif *dif)
{
	struct sva_comp_dif *tags = &dif->exec->comp.op.dif;

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

void model_dif(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	uint64_t src = desc->src, dst = desc->dst;
	struct dif dif;

	for (set_up(&dif, exec); src - desc->src < desc->size;
	     src += dif.src_step, dst += dif.dst_step) {
		if (!do_block(&dif, src, dst)) {
			exec->comp.bytes = (uint32_t)(src - desc->src);
			break;
		}
		advance(&dif.src);
		advance(&dif.dst);
	}
	report_tags(&dif);
}
