/* SPDX-License-Identifier: MIT */
/*
 * What the model chose where the facts are silent or disagree. These are not known to be what a
 * device does: a finding on hardware changes the model and this file, and no other test. Each is
 * named by a comment UNCERTAIN in src/model.
 */
#include "trial.h"

static struct space space;
static struct sva_model_outcome outcome;
static struct sva_model_profile profile;

static uint8_t run(const struct sva_desc *desc)
{
	struct sva_model_mem mem = space_mem(&space);

	sva_model_execute(&profile, &mem, desc, &outcome);
	return outcome.comp.status;
}

/* The documented order of checks, each broken rule hiding those behind it. */
static void order_of_checks(void)
{
	static const uint8_t order[] = { 0x1d, 0x1b, 0x10, 0x11, 0x19, 0x12, 0x13, 0x1c, 0x16 };

	for (size_t first = 0; first < sizeof(order); first++) {
		struct sva_desc desc = trial_plain(SVA_OPCODE_CREATE_DELTA, SRC_AT, DST_AT, 64);

		profile.user_interrupt = true;
		desc.op.delta.addr_or_size = DST_AT; /* 16 */
		if (first <= 7)
			desc.src++;
		if (first <= 6)
			desc.size = 0;
		if (first <= 5)
			desc.reserved = 1;
		if (first <= 4)
			desc.flags_opcode |= SVA_DESC_RCI;
		if (first <= 3)
			desc.flags_opcode |= 0x40;
		if (first <= 2)
			desc.flags_opcode |= 0xe0000000;
		if (first <= 1)
			desc.completion_addr++;
		if (first == 0)
			desc.pasid_priv = 0x80000000;
		if (first == 4)
			desc.int_handle = 1;
		is(run(&desc), order[first], "(chosen) order of the checks");
	}
	profile.user_interrupt = false;
}

static void statuses(void)
{
	struct sva_desc desc = trial_plain(SVA_OPCODE_DIF_CHECK, SRC_AT, 0, 519);

	is(run(&desc), SVA_STATUS_XFER_SIZE, "(chosen) partial DIF block: size");
	desc = trial_plain(SVA_OPCODE_TRANSLATION_FETCH, UINT64_MAX - 1, 0, 3);
	is(run(&desc), SVA_STATUS_XFER_SIZE, "(chosen) fetch beyond 2^64: size");
	desc = trial_plain(SVA_OPCODE_TRANSLATION_FETCH, UINT64_MAX - 1, 0, 2);
	is(run(&desc), SVA_STATUS_PAGE_FAULT, "(chosen) fetch up to 2^64: as any other");
	desc = trial_plain(SVA_OPCODE_APPLY_DELTA, LIST_AT, DST_AT, 64);
	desc.op.delta.addr_or_size = 15;
	is(run(&desc), SVA_STATUS_DELTA_SIZE, "(chosen) delta record of partial entries: size");
	desc.op.delta.addr_or_size = profile.max_transfer / 10 * 10 + 10;
	is(run(&desc), SVA_STATUS_DELTA_SIZE,
	   "(chosen) delta record beyond the largest transfer: size");
	desc.op.delta.addr_or_size = profile.max_transfer / 10 * 10;
	is(run(&desc), SVA_STATUS_DELTA_OFFSET_RANGE, "(chosen) delta record up to it: read");
	desc = trial_plain(SVA_OPCODE_DUALCAST, SRC_AT, DST_AT, 4097);
	desc.op.dualcast.dst2 = DST_AT + 4096;
	is(run(&desc), SVA_STATUS_OVERLAP, "(chosen) destinations of dualcast overlap: refused");
}

static void fields(void)
{
	struct sva_desc desc = trial_plain(SVA_OPCODE_MEMMOVE, SRC_AT, 0x10000000, 64);
	uint64_t padded;

	profile = sva_model_dsa1;
	run(&desc);
	is(outcome.comp.fault_info, 0, "(chosen) no fault information on DSA 1");
	is(outcome.comp.reserved, 0, "(chosen) byte 3 is 0");
	profile = sva_model_dsa2;
	run(&desc);
	is(outcome.comp.fault_info, 6, "fault information on DSA 2: operand 3, address known");
	desc = trial_plain(SVA_OPCODE_MEMMOVE, SRC_AT, SRC_AT + 1, 64);
	run(&desc);
	is(outcome.comp.result, 0, "(chosen) no direction after success");
	desc = trial_plain(SVA_OPCODE_COMPARE_PATTERN, SRC_AT, 0, 100);
	desc.dst = 0;
	memset(space_at(&space, SRC_AT), 0, 100);
	*space_at(&space, SRC_AT + 77) = 1;
	run(&desc);
	is(outcome.comp.bytes, 77, "(chosen) compare pattern: the exact offset");
	desc = trial_plain(SVA_OPCODE_CRC, SRC_AT, 0, 9);
	desc.flags_opcode |= SVA_DESC_CRC_BYPASS_INV;
	run(&desc);
	is(outcome.comp.op.crc >> 32, 0, "(chosen) bytes 20-23 of a CRC-32 are 0");
	memcpy(space_at(&space, SRC_AT), "123456789", 9);
	desc.flags_opcode &= ~SVA_DESC_CRC_BYPASS_INV;
	profile.crc_pad = true;
	run(&desc);
	is(outcome.comp.op.crc, 0xc48fc8d7,
	   "with the padding that the specification's text asks for");
	desc.flags_opcode |= SVA_DESC_CRC64;
	run(&desc);
	padded = outcome.comp.op.crc;
	profile.crc_pad = false;
	memset(space_at(&space, SRC_AT + 9), 0, 7);
	desc.size = 16;
	run(&desc);
	is(padded, outcome.comp.op.crc, "padded to eight bytes where the CRC has eight");
}

/* The record is full: nothing of the line that does not fit. */
static void delta_overflow(void)
{
	struct sva_desc desc = trial_plain(SVA_OPCODE_CREATE_DELTA, SRC_AT, DST_AT, 256);

	memset(space_at(&space, SRC_AT), 0, 256);
	memset(space_at(&space, DST_AT), 0, 256);
	for (unsigned int word = 0; word < 32; word += 3)
		*space_at(&space, DST_AT + 8 * word) = 1;
	desc.op.delta.max_size = 80; /* lines have 3, 3, 2, 3 entries */
	run(&desc);
	is(outcome.comp.result, 2, "(chosen) delta whose record is full: result 2");
	is(outcome.comp.op.delta_size, 80, "(chosen) all that fits in whole lines");
	is(outcome.comp.bytes, 192, "(chosen) up to the line that does not fit");
	desc.op.delta.max_size = 81;
	*space_at(&space, DST_AT + 8) = 1;
	run(&desc);
	is(outcome.comp.op.delta_size, 70, "(chosen) a line is written whole or not at all");
	is(outcome.comp.bytes, 128, "(chosen) up to that line");
}

static void dif_tags(void)
{
	struct sva_desc desc = trial_plain(SVA_OPCODE_DIF_INSERT, SRC_AT, DST_AT, 1024);
	static const uint8_t ones[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };

	desc.op.dif.dst_flags = SVA_DIF_DST_APP_INC;
	desc.op.dif.dst_app = 0x00ff;
	desc.op.dif.dst_app_mask = 0x00ff;
	run(&desc);
	is(outcome.comp.op.dif.dst_app, 0x0101, "(chosen) the tag to continue with is not masked");
	/* Masked bits of the source's tag are ignored. */
	desc = trial_plain(SVA_OPCODE_DIF_CHECK, DST_AT, 0, 520);
	*space_at(&space, DST_AT + 512 + 3) = 0x77;
	desc.op.dif.src_app_mask = 0x00ff;
	is(run(&desc), SVA_STATUS_SUCCESS, "(chosen) masked bits of the source's tag do not count");
	/* All ones. */
	space_put(&space, DST_AT + 512, ones, 8);
	desc.op.dif.src_flags = SVA_DIF_SRC_ALL_F_ERROR | SVA_DIF_SRC_ALL_F;
	is(run(&desc), SVA_STATUS_DIF_ERROR, "all ones, detected as an error");
	is(outcome.comp.result, SVA_DIF_ERR_ALL_F, "all ones, of the kind of error of its own");
	desc.op.dif.src_flags = SVA_DIF_SRC_ALL_F_ERROR | SVA_DIF_SRC_APP_F;
	is(run(&desc), SVA_STATUS_SUCCESS, "(chosen) the error needs the detection of all ones");
	desc.op.dif.src_flags = SVA_DIF_SRC_ALL_F_ERROR;
	run(&desc);
	is(outcome.comp.result, SVA_DIF_ERR_GUARD | SVA_DIF_ERR_APP | SVA_DIF_ERR_REF,
	   "(chosen) without it: an ordinary tuple");
}

/* Which permission is needed where nothing is read or written. */
static void permissions(void)
{
	struct sva_desc desc = trial_plain(SVA_OPCODE_CACHE_FLUSH, 0, DST_AT, 100);

	space_use(&space, DST_AT, PAGE_READ);
	is(run(&desc), SVA_STATUS_SUCCESS, "(chosen) flush: reading is enough");
	desc = trial_plain(SVA_OPCODE_TRANSLATION_FETCH, DST_AT, 0, 100);
	is(run(&desc), SVA_STATUS_SUCCESS, "(chosen) fetch: reading is enough");
	space_use(&space, DST_AT, PAGE_RW);
}

int main(void)
{
	profile = sva_model_dsa2;
	trial_space(&space, 2, 8);
	order_of_checks();
	statuses();
	fields();
	delta_overflow();
	dif_tags();
	permissions();
	space_free(&space);
	return done();
}
