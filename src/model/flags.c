/* SPDX-License-Identifier: MIT */
/*
 * Which flags a descriptor may carry: by operation, revision, capabilities, queue, and what else it
 * carries.
 * Source: [S3] tables 5-3, 5-5, 8-3, 8-4. Steering tags are of revision 1.x. UNCERTAIN whether each
 * chip of that revision takes them; here all do, and they do nothing.
 */
#include "model/internal.h"

#define RECORD (SVA_DESC_CRAV | SVA_DESC_RCR)
#define CACHE_CONTROL (SVA_DESC_CC | SVA_DESC_DRDBK | SVA_DESC_CC3)

/*
 * Of revision 3.0: the three cache control bits are one field ([S3] table 8-4); the encodings that
 * are not allowed.
 */
static uint32_t bad_cache_control(uint64_t cap, uint32_t flags, bool flush)
{
	uint32_t field = flags & CACHE_CONTROL;
	bool good;

	switch (field) {
	case 0:
		good = true;
		break;
	case SVA_DESC_CC:
		good = (cap & SVA_GENCAP_CACHE_CONTROL) && !flush;
		break;
	case SVA_DESC_DRDBK:
		good = cap & SVA_GENCAP_READBACK;
		break;
	case SVA_DESC_DRDBK | SVA_DESC_CC:
		good = (cap & SVA_GENCAP_CACHE_CONTROL) && (cap & SVA_GENCAP_READBACK) && !flush;
		break;
	case SVA_DESC_CC3:
		good = (cap & SVA_GENCAP_DURABLE_WRITE) && !flush;
		break;
	case SVA_DESC_CC3 | SVA_DESC_DRDBK:
		good = (cap & SVA_GENCAP_READBACK) && !flush;
		break;
	default:
		good = false;
	}
	/* UNCERTAIN which bits of a bad encoding are reported: all that are set. */
	return good ? 0 : field;
}

/* Flags of the operation that this revision, device or queue does not have. */
static uint32_t missing_capabilities(const struct sva_model_profile *profile, unsigned int opcode,
				     uint32_t flags)
{
	const uint64_t cap = profile->gen_cap;
	const bool rev1 = profile->version < 0x200, flush = opcode == SVA_OPCODE_CACHE_FLUSH;
	uint32_t bad = 0;

	if (!profile->block_on_fault || !(cap & SVA_GENCAP_BLOCK_ON_FAULT))
		bad |= SVA_DESC_BOF;
	if (cap & SVA_GENCAP_NO_STORD_MEM)
		bad |= SVA_DESC_STORD;
	if (profile->version >= 0x300) {
		bad |= bad_cache_control(cap, flags, flush);
	} else {
		/*
		 * Flush has a variant with this flag on 1.x. UNCERTAIN what it does; here it is the
		 * same flush.
		 */
		if (!(cap & (flush ? 1ull << 3 : SVA_GENCAP_CACHE_CONTROL)))
			bad |= SVA_DESC_CC;
		if (!(cap & SVA_GENCAP_READBACK))
			bad |= SVA_DESC_DRDBK;
		if (!rev1)
			bad |= SVA_DESC_CC3;
	}
	if (!rev1)
		bad |= MODEL_DSTS;
	return bad;
}

/* The operation's own flags, bits 23:16, by capability. */
static uint32_t missing_own(const struct sva_model_profile *profile, unsigned int opcode)
{
	const uint64_t cap = profile->gen_cap;

	switch (opcode) {
	case SVA_OPCODE_BATCH:
		return cap & SVA_GENCAP_BATCH_CONTINUE ? 0 : SVA_DESC_BATCH_ERROR;
	case SVA_OPCODE_DRAIN:
		return cap & SVA_GENCAP_DRAIN_READBACK ?
			       0 :
			       SVA_DESC_DRAIN_RDBK1 | SVA_DESC_DRAIN_RDBK2;
	case SVA_OPCODE_FILL:
		return cap & SVA_GENCAP_FILL16 ? 0 : SVA_DESC_FILL16;
	case SVA_OPCODE_DUALCAST:
		return profile->version < 0x200 ? 0 : MODEL_DUALCAST_STS2;
	case SVA_OPCODE_TRANSLATION_FETCH:
		return cap & SVA_GENCAP_FETCH_STRIDE ? 0 : SVA_DESC_STRIDE;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		return cap & SVA_GENCAP_CRC64 ? 0 : SVA_DESC_CRC64;
	default:
		return 0;
	}
}

/* Flags that are only meaningful beside another one. */
static uint32_t dangling(const struct sva_model_profile *profile, unsigned int opcode,
			 uint32_t flags)
{
	uint32_t bad = 0;

	if (!(flags & SVA_DESC_CRAV)) {
		bad |= SVA_DESC_RCR | SVA_DESC_CRTCS;
		if (profile->version < 0x200)
			bad |= MODEL_CRSTS;
	}
	if (opcode == SVA_OPCODE_DRAIN) {
		if (!(flags & SVA_DESC_DRAIN_RDBK1))
			bad |= SVA_DESC_TCS1;
		if (!(flags & SVA_DESC_DRAIN_RDBK2))
			bad |= SVA_DESC_TCS2;
	}
	if (opcode == SVA_OPCODE_CRC || opcode == SVA_OPCODE_COPY_CRC) {
		if (!(flags & SVA_DESC_CRC_SEED_MEM))
			bad |= SVA_DESC_TCS3;
	}
	return bad;
}

/* Flags that are set and should not be, and those that are missing. */
uint32_t model_invalid_flags(const struct model_exec *exec, const struct model_op *op)
{
	const struct sva_model_profile *profile = exec->profile;
	const unsigned int opcode = sva_desc_opcode(&exec->desc);
	const uint32_t flags = model_flags(exec);
	uint32_t allowed = op->flags | RECORD | SVA_DESC_CRTCS;
	uint32_t missing = op->required & ~flags;

	if (exec->in_batch)
		allowed |= SVA_DESC_FENCE;
	if (exec->priv || profile->user_interrupt)
		allowed |= SVA_DESC_RCI;
	if (profile->version < 0x200)
		allowed |= MODEL_CRSTS;
	allowed &= ~(missing_capabilities(profile, opcode, flags) | missing_own(profile, opcode));
	allowed &= ~dangling(profile, opcode, flags);
	if (opcode == SVA_OPCODE_DRAIN && !(flags & (SVA_DESC_RCR | SVA_DESC_RCI)))
		missing |= SVA_DESC_RCR;
	return (flags & ~allowed) | missing;
}
