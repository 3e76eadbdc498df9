/* SPDX-License-Identifier: MIT */
/*
 * Delta records: create then apply gives the new buffer, overflow, wrong offsets, the mask of
 * accepted results.
 */
#include "trial.h"

#define SIZE 8192u

static struct sva_model_profile profile;
static struct space space;
static struct trials trials;
static uint32_t random_state = 11;

static struct sva_desc create(uint32_t size, uint32_t max)
{
	struct sva_desc desc = trial_desc(SVA_OPCODE_CREATE_DELTA, 0, SRC_AT, DST_AT, size);

	desc.op.delta.addr_or_size = LIST_AT + 2;
	desc.op.delta.max_size = max;
	return desc;
}

/* dst is src with that many bytes changed. */
static void edit(uint32_t size, uint32_t edits)
{
	memcpy(space_at(&space, DST_AT), space_at(&space, SRC_AT), size);
	while (edits--)
		*space_at(&space, DST_AT + random_below(&random_state, size)) ^=
			(uint8_t)(1 + random_below(&random_state, 255));
}

static void round_trips(void)
{
	unsigned long wrong = 0, trips = 0;

	for (int i = 0; i < 600; i++) {
		const uint32_t size = 8 * (1 + random_below(&random_state, SIZE / 8));
		struct sva_desc desc = create(size, SIZE / 8 * 10);

		edit(size, random_below(&random_state, i % 5 ? 40 : 600));
		space.window = i % 3 ? 0 : 50;
		space.odd = i % 2;
		trial(&trials, &profile, &space, &desc);
		wrong += trials.outcome.comp.result !=
			 (memcmp(space_at(&space, DST_AT), space_at(&space, SRC_AT), size) != 0);
		if (trials.outcome.comp.result != 1)
			continue;
		desc = trial_desc(SVA_OPCODE_APPLY_DELTA, 0, LIST_AT + 2, SRC_AT, size);
		desc.op.delta.addr_or_size = trials.outcome.comp.op.delta_size;
		trial(&trials, &profile, &space, &desc);
		wrong += memcmp(space_at(&space, DST_AT), space_at(&space, SRC_AT), size) != 0;
		trips++;
	}
	space.window = 0;
	ok(!wrong && trips > 400, "%lu of 600 round trips, %lu wrong", trips, wrong);
	trials_done(&trials, "round trips");
}

/* Every number of entries against every maximum around it. */
static void overflows(void)
{
	unsigned long full = 0;

	for (uint32_t entries = 1; entries <= 40; entries++) {
		for (uint32_t max = 80; max <= 420; max += entries % 3 ? 10 : 7) {
			struct sva_desc desc = create(1024, max);

			edit(1024, 0);
			for (uint32_t i = 0; i < entries; i++)
				*space_at(&space,
					  DST_AT + 8 * (i * (1 + entries % 4) % 128) + i % 8) ^= 1;
			trial(&trials, &profile, &space, &desc);
			full += trials.outcome.comp.result == 2;
		}
	}
	ok(full > 100, "%lu records were too small", full);
	trials_done(&trials, "overflows");
}

/* All masks with each result. */
static void expected_results(void)
{
	for (int mask = 0; mask < 256; mask++) {
		for (uint32_t edits = 0; edits < 3; edits++) {
			struct sva_desc desc = create(1024, 80);

			edit(1024, 0);
			for (uint32_t i = 0; i < (edits == 2 ? 100u : edits); i++)
				*space_at(&space, DST_AT + 8 * i) ^= 1;
			desc.flags_opcode |= SVA_DESC_CR;
			desc.op.delta.expected = (uint8_t)mask;
			trial(&trials, &profile, &space, &desc);
			desc.flags_opcode &= ~SVA_DESC_CR;
			trial(&trials, &profile, &space, &desc);
		}
	}
	trials_done(&trials, "masks of accepted results");
}

/* Offsets that do not increase, or are beyond the destination, at each place of a record. */
static void wrong_offsets(void)
{
	unsigned long order = 0, range = 0;

	for (uint32_t entries = 1; entries <= 12; entries++) {
		for (uint32_t at = 0; at < entries; at++) {
			for (int kind = 0; kind < 6; kind++) {
				struct sva_desc desc =
					trial_desc(SVA_OPCODE_APPLY_DELTA, 0, LIST_AT, DST_AT, 256);
				static const uint16_t odd[] = { 0, 1, 31, 32, 33, 0xffff };

				for (uint32_t i = 0; i < entries; i++) {
					uint16_t offset = i == at ? odd[kind] : (uint16_t)(i * 2);

					space_put(&space, LIST_AT + 10 * i, &offset, 2);
				}
				desc.op.delta.addr_or_size = entries * 10;
				trial(&trials, &profile, &space, &desc);
				order +=
					trials.outcome.comp.status == SVA_STATUS_DELTA_OFFSET_ORDER;
				range +=
					trials.outcome.comp.status == SVA_STATUS_DELTA_OFFSET_RANGE;
			}
		}
	}
	ok(order > 50 && range > 50, "%lu out of order, %lu out of range", order, range);
	trials_done(&trials, "wrong offsets");
}

/* The largest region: 512 KiB, all of it different, in 640 KiB of record. */
static void largest(void)
{
	struct sva_desc desc;
	struct space big;
	uint16_t last;

	space_init(&big);
	space_add(&big, SRC_AT, 128, PAGE_RW, 1);
	space_add(&big, DST_AT, 128, PAGE_RW, 2);
	space_add(&big, LIST_AT, 160, PAGE_RW, 3);
	space_add(&big, REC_AT, 1, PAGE_RW, 4);
	desc = create(0x80000, 655360);
	desc.op.delta.addr_or_size = LIST_AT;
	trial(&trials, &profile, &big, &desc);
	is(trials.outcome.comp.op.delta_size, 655360, "512 KiB of differences take 640 KiB");
	space_get(&big, LIST_AT + 655350, &last, 2);
	is(last, 0xffff, "the last offset is the largest");
	desc = trial_desc(SVA_OPCODE_APPLY_DELTA, 0, LIST_AT, SRC_AT, 0x80000);
	desc.op.delta.addr_or_size = 655360;
	trial(&trials, &profile, &big, &desc);
	ok(!memcmp(space_at(&big, SRC_AT), space_at(&big, DST_AT), 0x80000),
	   "and give the new buffer");
	space_free(&big);
	trials_done(&trials, "the largest region");
}

/*
 * Sources may be read-only: nothing is ever asked of them but reading, also where a refusal would
 * only cost time.
 */
static void read_only_sources(void)
{
	struct sva_desc desc = trial_plain(SVA_OPCODE_CREATE_DELTA, SRC_AT, DST_AT, 4 * PAGE);

	edit(desc.size, 5);
	for (int page = 0; page < 4; page++) {
		space_use(&space, SRC_AT + page * PAGE, PAGE_READ);
		space_use(&space, DST_AT + page * PAGE, PAGE_READ);
	}
	space.refused = 0;
	trial(&trials, &profile, &space, &desc);
	is(space.refused, 0, "read-only sources: no window is refused");
	for (int page = 0; page < 4; page++) {
		space_use(&space, SRC_AT + page * PAGE, PAGE_RW);
		space_use(&space, DST_AT + page * PAGE, PAGE_RW);
	}
}

int main(void)
{
	profile = sva_model_dsa1;
	trial_space(&space, 4, 21);
	round_trips();
	overflows();
	expected_results();
	wrong_offsets();
	read_only_sources();
	largest();
	space_free(&space);
	return trials_end();
}
