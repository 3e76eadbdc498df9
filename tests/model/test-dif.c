/* SPDX-License-Identifier: MIT */
/*
 * Protection information: every source flag byte against tuples that are right, wrong in each way
 * and all ones; every destination flag byte; tags that increment and wrap; masks; every block size;
 * where a check stops.
 */
#include "trial.h"

static struct space space;
static struct trials trials;
static const struct sva_model_profile *profile = &sva_model_dsa2;

static const enum sva_opcode ops[] = {
	SVA_OPCODE_DIF_CHECK, SVA_OPCODE_DIF_INSERT, SVA_OPCODE_DIF_STRIP, SVA_OPCODE_DIF_UPDATE,
	SVA_OPCODE_DIX_GENERATE,
};
static const uint32_t block_sizes[] = { 512, 520, 4096, 4104 };

static bool is_bare(enum sva_opcode opcode)
{
	return opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIX_GENERATE;
}

static struct sva_desc dif_desc(enum sva_opcode opcode, uint8_t dif_flags, uint32_t blocks)
{
	const uint32_t step = block_sizes[dif_flags & 3] + (is_bare(opcode) ? 0 : 8);
	struct sva_desc desc =
		trial_desc(opcode, 0, SRC_AT + 16, opcode == SVA_OPCODE_DIF_CHECK ? 0 : DST_AT + 8,
			   blocks * step);

	desc.op.dif.flags = dif_flags;
	if (!is_bare(opcode)) {
		desc.op.dif.src_ref = 0xfffffffe; /* wraps at the third block */
		desc.op.dif.src_app = 0xfffe;
	}
	if (is_bare(opcode) || opcode == SVA_OPCODE_DIF_UPDATE) {
		desc.op.dif.dst_ref = 0xffffffff;
		desc.op.dif.dst_app = 0xffff;
	}
	return desc;
}

/* What is at each source block: a right tuple, then a change of it. */
enum change {
	RIGHT,
	WRONG_GUARD,
	WRONG_APP,
	WRONG_REF,
	WRONG_ALL,
	ALL_ONES,
	APP_ONES,
	APP_REF_ONES,
	GUARD_ONES,
	CHANGES
};

static void set_tuple(const struct sva_desc *desc, uint32_t block, enum change change)
{
	const uint32_t size = block_sizes[desc->op.dif.flags & 3];
	const uint64_t at = desc->src + (uint64_t)block * (size + 8);
	uint64_t guard = desc->op.dif.flags & SVA_DIF_SEED_FFFF ? 0xffff : 0;
	uint16_t app = (uint16_t)(desc->op.dif.src_app +
				  (desc->op.dif.src_flags & SVA_DIF_SRC_APP_INC ? block : 0));
	uint32_t ref =
		desc->op.dif.src_ref + (desc->op.dif.src_flags & SVA_DIF_SRC_REF_FIXED ? 0 : block);
	uint8_t tuple[8];

	for (uint32_t i = 0; i < size; i++)
		guard = ref_crc_bits(guard, 16, 0x8bb7, *space_at(&space, at + i), false);
	guard ^= desc->op.dif.flags & SVA_DIF_INVERT ? 0xffff : 0;
	guard ^= change == WRONG_GUARD || change == WRONG_ALL ? 0x0100 : 0;
	app ^= change == WRONG_APP || change == WRONG_ALL ? 0x8001 : 0;
	ref ^= change == WRONG_REF || change == WRONG_ALL ? 0x01000001 : 0;
	if (change == ALL_ONES || change == GUARD_ONES)
		guard = 0xffff;
	if (change == ALL_ONES || change == APP_ONES || change == APP_REF_ONES)
		app = 0xffff;
	if (change == ALL_ONES || change == APP_REF_ONES)
		ref = 0xffffffff;
	for (int i = 0; i < 8; i++)
		tuple[i] = (uint8_t)((guard << 48 | (uint64_t)app << 32 | ref) >> (56 - 8 * i));
	space_put(&space, at + size, tuple, 8);
}

static void source_flags(void)
{
	static const uint8_t pass[8] = {
		0,
		SVA_DIF_DST_APP_PASS,
		SVA_DIF_DST_GUARD_PASS,
		SVA_DIF_DST_REF_PASS,
		SVA_DIF_DST_APP_PASS | SVA_DIF_DST_GUARD_PASS,
		SVA_DIF_DST_APP_PASS | SVA_DIF_DST_REF_PASS,
		SVA_DIF_DST_GUARD_PASS | SVA_DIF_DST_REF_PASS,
		SVA_DIF_DST_APP_PASS | SVA_DIF_DST_GUARD_PASS | SVA_DIF_DST_REF_PASS,
	};
	unsigned long statuses[64] = { 0 };

	for (int op = 0; op < 5; op++) {
		for (int flags = 0; flags < 256; flags++) {
			for (int change = 0; change < CHANGES && !is_bare(ops[op]); change++) {
				struct sva_desc desc = dif_desc(
					ops[op], (uint8_t)(flags % 2 << 3 | change % 2 << 2), 3);

				desc.op.dif.src_flags = (uint8_t)flags;
				/* a wrong tuple that is not checked is passed through */
				if (ops[op] == SVA_OPCODE_DIF_UPDATE)
					desc.op.dif.dst_flags = pass[(flags * 3 + change) % 8];
				for (uint32_t block = 0; block < 3; block++)
					set_tuple(&desc, block,
						  block == (unsigned int)change % 3 ?
							  (enum change)change :
							  RIGHT);
				trial(&trials, profile, &space, &desc);
				statuses[trials.outcome.comp.status & 63]++;
			}
		}
	}
	ok(statuses[SVA_STATUS_SUCCESS] > 1000 && statuses[SVA_STATUS_DIF_ERROR] > 1000,
	   "%lu good, %lu bad", statuses[SVA_STATUS_SUCCESS], statuses[SVA_STATUS_DIF_ERROR]);
	trials_done(&trials, "source flags against right and wrong tuples");
}

static void dest_flags(void)
{
	for (int op = 1; op < 5; op++) {
		for (int flags = 0; flags < 256; flags += 8) {
			for (uint8_t dif_flags = 0; dif_flags < 16; dif_flags++) {
				uint32_t blocks = dif_flags & 2 ? 1 : 5;
				struct sva_desc desc = dif_desc(ops[op], dif_flags, blocks);

				if (ops[op] != SVA_OPCODE_DIF_STRIP)
					desc.op.dif.dst_flags = (uint8_t)flags;
				desc.op.dif.dst_app_mask =
					ops[op] == SVA_OPCODE_DIF_STRIP ? 0 : 0x0ff0;
				for (uint32_t block = 0; block < blocks && !is_bare(ops[op]);
				     block++)
					set_tuple(&desc, block, RIGHT);
				trial(&trials, profile, &space, &desc);
			}
		}
	}
	trials_done(&trials, "destination flags, all block sizes");
}

/*
 * Each bit of the application tag wrong, under each mask of one bit, with and without increments.
 */
static void masks(void)
{
	for (int bit = -1; bit < 16; bit++) {
		for (int masked = -1; masked < 17; masked++) {
			for (int inc = 0; inc < 2; inc++) {
				struct sva_desc desc = dif_desc(SVA_OPCODE_DIF_CHECK, 0, 3);
				const uint64_t tag = desc.src + 2 * 520 + 512 + 2;

				desc.op.dif.src_flags = inc ? SVA_DIF_SRC_APP_INC : 0;
				desc.op.dif.src_app_mask = (uint16_t)(masked < 0 ? 0 : 1 << masked);
				if (masked == 16)
					desc.op.dif.src_app_mask = 0xffff;
				for (uint32_t block = 0; block < 3; block++)
					set_tuple(&desc, block, RIGHT);
				if (bit >= 0)
					*space_at(&space, tag + (bit < 8)) ^=
						(uint8_t)(1 << bit % 8);
				trial(&trials, profile, &space, &desc);
			}
		}
	}
	trials_done(&trials, "masks of the application tag");
}

/* Insert, then check, strip and update what was inserted; any flipped bit must be found. */
static void round_trips(void)
{
	unsigned long wrong = 0, missed = 0;
	uint32_t random = 5;

	for (int i = 0; i < 200; i++) {
		const uint8_t dif_flags = (uint8_t)random_below(&random, 16);
		const uint32_t block = block_sizes[dif_flags & 3],
			       blocks = block > 4000 ? 2 : 1 + random_below(&random, 12);
		struct sva_desc desc = dif_desc(SVA_OPCODE_DIF_INSERT, dif_flags, blocks), check,
				strip;
		const uint64_t flip = DST_AT + 8 + random_below(&random, blocks * (block + 8));

		desc.op.dif.dst_flags = (uint8_t)(random_below(&random, 4) * 0x30);
		trial(&trials, profile, &space, &desc);
		check = trial_desc(SVA_OPCODE_DIF_CHECK, 0, desc.dst, 0, blocks * (block + 8));
		check.op.dif.flags = dif_flags;
		check.op.dif.src_flags = desc.op.dif.dst_flags & 0x90;
		check.op.dif.src_ref = desc.op.dif.dst_ref;
		check.op.dif.src_app = desc.op.dif.dst_app;
		trial(&trials, profile, &space, &check);
		wrong += trials.outcome.comp.status != SVA_STATUS_SUCCESS;
		strip = check;
		strip.flags_opcode = sva_desc_word(SVA_OPCODE_DIF_STRIP, sva_desc_flags(&check));
		strip.dst = DST2_AT + 8;
		trial(&trials, profile, &space, &strip);
		wrong += memcmp(space_at(&space, DST2_AT + 8), space_at(&space, desc.src),
				(size_t)blocks * block) != 0;
		*space_at(&space, flip) ^= (uint8_t)(1 << i % 8);
		trial(&trials, profile, &space, &check);
		missed += trials.outcome.comp.status != SVA_STATUS_DIF_ERROR;
	}
	ok(!wrong, "insert, check, strip: %lu of 200 wrong", wrong);
	ok(!missed, "flipped bits: %lu of 200 not found", missed);
	trials_done(&trials, "insert, check, strip");
}

/* Fewer, exactly and more bytes than whole blocks. */
static void partial_blocks(void)
{
	for (int op = 0; op < 5; op++) {
		for (uint8_t dif_flags = 0; dif_flags < 4; dif_flags++) {
			for (int more = -9; more <= 9; more++) {
				struct sva_desc desc = dif_desc(ops[op], dif_flags, 2);

				desc.size += (uint32_t)more;
				for (uint32_t block = 0; block < 2 && !is_bare(ops[op]); block++)
					set_tuple(&desc, block, RIGHT);
				trial(&trials, profile, &space, &desc);
			}
		}
	}
	trials_done(&trials, "partial blocks");
}

int main(void)
{
	trial_space(&space, 4, 31);
	source_flags();
	dest_flags();
	masks();
	round_trips();
	partial_blocks();
	space_free(&space);
	return trials_end();
}
