/* SPDX-License-Identifier: MIT */
/*
 * Every operation at every size from 0 to 300 and around its limits, every alignment mod 64,
 * overlaps of both kinds.
 */
#include "trial.h"

static struct sva_model_profile profile;
static struct space space;
static struct trials trials;

static void equal_buffers(struct sva_desc *desc)
{
	if (sva_desc_opcode(desc) != SVA_OPCODE_COMPARE &&
	    sva_desc_opcode(desc) != SVA_OPCODE_CREATE_DELTA)
		return;
	memcpy(space_at(&space, desc->dst), space_at(&space, desc->src), desc->size);
}

static void every_size(void)
{
	struct sva_desc desc;

	for (size_t i = 0; i < TRIAL_OPS; i++) {
		for (uint32_t size = 0; size <= 300; size++) {
			desc = trial_plain(trial_ops[i], SRC_AT + 8, DST_AT + 16, size);
			trial(&trials, &profile, &space, &desc);
			/* A difference at the last byte, and none. */
			equal_buffers(&desc);
			trial(&trials, &profile, &space, &desc);
			if (size) {
				*space_at(&space,
					  desc.src > LIST_AT ? SRC_AT : SRC_AT + 8 + size - 1) ^= 1;
				trial(&trials, &profile, &space, &desc);
			}
		}
	}
	trials_done(&trials, "sizes 0 to 300, each operation");
}

static void every_alignment(void)
{
	for (size_t i = 0; i < TRIAL_OPS; i++) {
		for (uint32_t a = 0; a < 64; a++) {
			for (uint32_t b = 0; b < 64; b++) {
				struct sva_desc desc =
					trial_plain(trial_ops[i], SRC_AT + 64 + a, DST_AT + 64 + b,
						    96 + (a * 7 + b) % 80);

				equal_buffers(&desc);
				trial(&trials, &profile, &space, &desc);
			}
		}
	}
	trials_done(&trials, "alignments mod 64, each operation");
}

/* Overlaps of memmove both ways, by every distance, and of the others: an error. */
static void overlaps(void)
{
	static const uint32_t sizes[] = {1,  2,	 3,  7,	 8,   15,  16,	17,  31,
					 33, 63, 64, 65, 127, 130, 255, 300, 4097};
	struct sva_model_profile never = profile;

	never.gen_cap &= ~SVA_GENCAP_OVERLAP_COPY;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (int shift = -140; shift <= 140; shift++) {
			struct sva_desc desc =
				trial_plain(SVA_OPCODE_MEMMOVE, SRC_AT + 500,
					    SRC_AT + 500 + (uint64_t)(int64_t)shift, sizes[s]);

			trial(&trials, &profile, &space, &desc);
			trial(&trials, &never, &space, &desc);
		}
	}
	for (size_t i = 0; i < TRIAL_OPS; i++) {
		for (int shift = -700; shift <= 700; shift += shift < -8 || shift > 8 ? 8 : 1) {
			struct sva_desc desc =
				trial_plain(trial_ops[i], SRC_AT + 4096,
					    SRC_AT + 4096 + (uint64_t)(int64_t)shift, 512);

			trial(&trials, &profile, &space, &desc);
			desc.size = 520;
			trial(&trials, &profile, &space, &desc);
		}
	}
	trials_done(&trials, "overlaps both ways");
}

/* Each second range around the edge of each first. */
static void overlap_edges(void)
{
	for (int shift = -1; shift <= 1; shift++) {
		const uint64_t one = (uint64_t)(int64_t)shift;
		struct sva_desc desc;

		for (int other = 0; other < 2; other++) {
			const uint64_t base = other ? DST_AT : SRC_AT;

			/* The delta record, at its maximum, next to both sources. */
			desc = trial_plain(SVA_OPCODE_CREATE_DELTA, SRC_AT + 800, DST_AT + 800, 64);
			desc.op.delta.max_size = 80;
			desc.op.delta.addr_or_size = base + 800 + 64 + one;
			trial(&trials, &profile, &space, &desc);
			desc.op.delta.addr_or_size = base + 800 - 80 + one;
			trial(&trials, &profile, &space, &desc);
		}
		desc = trial_plain(SVA_OPCODE_APPLY_DELTA, 0, DST_AT + 800, 64);
		desc.op.delta.addr_or_size = 20;
		desc.src = DST_AT + 800 + 64 + one;
		trial(&trials, &profile, &space, &desc);
		desc.src = DST_AT + 800 - 20 + one;
		trial(&trials, &profile, &space, &desc);
		/* Dualcast: the three pairs. Its destinations are a page apart. */
		desc = trial_plain(SVA_OPCODE_DUALCAST, SRC_AT, DST_AT, 4096 + (uint32_t)shift);
		desc.op.dualcast.dst2 = DST_AT + 4096;
		trial(&trials, &profile, &space, &desc);
		desc.op.dualcast.dst2 = DST_AT + 8192;
		desc.src = DST_AT + 8192 + 4096 + 64 * one;
		desc.size = 4096;
		trial(&trials, &profile, &space, &desc);
		desc.src = DST_AT + 4096 + one;
		trial(&trials, &profile, &space, &desc);
		/* What DIF writes is longer or shorter than what it reads. */
		for (int i = 0; i < 8; i++) {
			static const enum sva_opcode ops[] = {
				SVA_OPCODE_DIF_INSERT,
				SVA_OPCODE_DIF_STRIP,
				SVA_OPCODE_DIF_UPDATE,
				SVA_OPCODE_DIX_GENERATE,
			};
			static const uint64_t wrote[] = { 2 * 520, 2 * 512, 2 * 520, 2 * 8 };
			const enum sva_opcode opcode = ops[i / 2];

			desc = trial_plain(opcode, SRC_AT + 2048, 0,
					   i / 2 == 1 || i / 2 == 2 ? 1040 : 1024);
			desc.dst = i % 2 ? desc.src + desc.size + 8 * one :
					   desc.src - wrote[i / 2] + 8 * one;
			trial(&trials, &profile, &space, &desc);
		}
	}
	trials_done(&trials, "ranges that just touch");
}

static void limits(void)
{
	struct sva_model_profile small = profile;
	struct sva_desc desc;

	small.max_transfer = 4096;
	for (size_t i = 0; i < TRIAL_OPS; i++) {
		for (uint32_t size = 4080; size <= 4112; size++) {
			desc = trial_plain(trial_ops[i], SRC_AT, DST_AT, size);
			trial(&trials, &small, &space, &desc);
			desc.op.dif.flags |=
				sva_desc_opcode(&desc) >= SVA_OPCODE_DIF_CHECK &&
						sva_desc_opcode(&desc) <= SVA_OPCODE_DIX_GENERATE ?
					SVA_DIF_BLOCK_4104 :
					0;
			trial(&trials, &small, &space, &desc);
		}
	}
	for (uint32_t max = 70; max <= 90; max++) {
		desc = trial_plain(SVA_OPCODE_CREATE_DELTA, SRC_AT, DST_AT, 64);
		desc.op.delta.max_size = max;
		trial(&trials, &small, &space, &desc);
		desc.op.delta.max_size = 4096 - 80 + max;
		trial(&trials, &small, &space, &desc);
		desc = trial_plain(SVA_OPCODE_APPLY_DELTA, 0, DST_AT, 64);
		desc.op.delta.addr_or_size = max - 70;
		trial(&trials, &small, &space, &desc);
		desc.op.delta.addr_or_size = 4096 - 80 + max;
		trial(&trials, &small, &space, &desc);
	}
	trials_done(&trials, "around the largest transfer and record");
	/*
	 * 512 KiB is the most that deltas cover, whatever the queue allows. Nothing is mapped
	 * there: what runs faults.
	 */
	for (int i = -8; i <= 8; i += 8) {
		desc = trial_plain(SVA_OPCODE_CREATE_DELTA, 0x10000000, 0x20000000,
				   0x80000 + (uint32_t)i);
		trial(&trials, &profile, &space, &desc);
		desc = trial_plain(SVA_OPCODE_APPLY_DELTA, 0x10000000, 0x20000000,
				   0x80000 + (uint32_t)i);
		trial(&trials, &profile, &space, &desc);
	}
	trials_done(&trials, "around 512 KiB of a delta");
}

/*
 * With and without "check result": every expected result, of buffers that are equal and that are
 * not.
 */
static void expected_results(void)
{
	for (int expected = 0; expected < 256; expected++) {
		for (int i = 0; i < 8; i++) {
			const bool pattern = i & 1, differ = i & 2;
			const enum sva_opcode opcode =
				pattern ? SVA_OPCODE_COMPARE_PATTERN : SVA_OPCODE_COMPARE;
			struct sva_desc desc = trial_plain(opcode, SRC_AT, DST_AT, 40);

			if (i & 4)
				desc.flags_opcode |= SVA_DESC_CR;
			desc.op.compare.expected = (uint8_t)expected;
			for (unsigned int k = 0; k < 40; k++)
				*space_at(&space, SRC_AT + k) = *space_at(&space, DST_AT + k % 8);
			space_get(&space, DST_AT, &desc.dst, pattern ? 8 : 0);
			memcpy(space_at(&space, DST_AT), space_at(&space, SRC_AT), 40);
			*space_at(&space, SRC_AT + 33) ^= differ;
			trial(&trials, &profile, &space, &desc);
		}
	}
	trials_done(&trials, "expected results of compares");
}

/*
 * Not a byte beyond the range: it ends with the last page that is there, or begins with the first.
 */
static void page_ends(void)
{
	for (size_t i = 0; i < TRIAL_OPS; i++) {
		for (uint32_t pages = 1; pages <= 2; pages++) {
			const uint32_t size = pages * PAGE;
			const uint64_t src = SRC_AT + 4 * PAGE - size,
				       dst = DST_AT + 4 * PAGE - size;
			struct sva_desc desc = trial_plain(trial_ops[i], src, dst, size);

			equal_buffers(&desc);
			trial(&trials, &profile, &space, &desc);
			desc.op.dif.flags = SVA_DIF_BLOCK_4096;
			trial(&trials, &profile, &space, &desc);
			desc = trial_plain(trial_ops[i], SRC_AT, DST_AT, size);
			trial(&trials, &profile, &space, &desc);
			if (trial_ops[i] == SVA_OPCODE_TRANSLATION_FETCH) {
				desc.src = src;
				desc.flags_opcode |= SVA_DESC_STRIDE;
				desc.op.fetch.stride = PAGE;
				trial(&trials, &profile, &space, &desc);
			}
		}
	}
	/* A seed in memory, of four bytes or of eight, which are the last that are there. */
	for (unsigned int wide = 0; wide < 2; wide++) {
		struct sva_desc desc = trial_plain(SVA_OPCODE_CRC, SRC_AT, 0, 100 + wide);

		desc.flags_opcode |= SVA_DESC_CRC_SEED_MEM | (wide ? SVA_DESC_CRC64 : 0);
		desc.op.crc.seed_addr = LIST_AT + 4 * PAGE - (wide ? 8 : 4);
		trial(&trials, &profile, &space, &desc);
		ok(trials.outcome.comp.status == SVA_STATUS_SUCCESS,
		   "a seed of %u bytes at the end of what is there", wide ? 8 : 4);
	}
	trials_done(&trials, "ranges up to the end of what is there");
}

/* A seed lies on a multiple of its size. */
static void seed_places(void)
{
	unsigned int misaligned[2] = { 0 };

	for (unsigned int wide = 0; wide < 2; wide++) {
		for (uint64_t at = 0; at < 16; at++) {
			struct sva_desc desc = trial_plain(SVA_OPCODE_CRC, SRC_AT, 0, 100);

			desc.flags_opcode |= SVA_DESC_CRC_SEED_MEM | (wide ? SVA_DESC_CRC64 : 0);
			desc.op.crc.seed_addr = LIST_AT + at;
			trial(&trials, &profile, &space, &desc);
			misaligned[wide] += trials.outcome.comp.status == SVA_STATUS_ADDR_ALIGN;
		}
	}
	ok(misaligned[0] == 12 && misaligned[1] == 14,
	   "%u of 16 places of a CRC-32 seed and %u of a CRC-64 seed refused", misaligned[0],
	   misaligned[1]);
	trials_done(&trials, "places of a seed");
}

/* The CRC of a device that pads with zeros to whole words. */
static void padded(void)
{
	profile.crc_pad = true;
	for (unsigned int wide = 0; wide < 2; wide++) {
		for (uint32_t size = 1; size <= 70; size++) {
			struct sva_desc desc = trial_plain(SVA_OPCODE_CRC, SRC_AT, 0, size);

			desc.flags_opcode |= wide ? SVA_DESC_CRC64 : 0;
			trial(&trials, &profile, &space, &desc);
		}
	}
	profile.crc_pad = false;
	trials_done(&trials, "padded CRCs");
}

/* Windows of every short length, as copies and not, give the same. */
static void windows(void)
{
	static const uint32_t sizes[] = { 8, 64, 512, 520, 1024, 1040, 4104 };

	for (size_t window = 1; window <= 70; window++) {
		space.window = window;
		space.odd = window % 3 == 0;
		space.copies = window % 2;
		for (size_t i = 0; i < TRIAL_OPS; i++) {
			struct sva_desc desc = trial_plain(trial_ops[i], SRC_AT + 8, DST_AT + 16,
							   sizes[(window + i) % 7]);

			equal_buffers(&desc);
			trial(&trials, &profile, &space, &desc);
			desc.src += 32;
			trial(&trials, &profile, &space, &desc);
		}
		/* Two windows on the same bytes, of which one may be shorter. */
		for (int i = 0; i < 2; i++) {
			struct sva_desc desc =
				trial_plain(i ? SVA_OPCODE_CREATE_DELTA : SVA_OPCODE_COMPARE,
					    SRC_AT + 8, SRC_AT + 8, 512);

			trial(&trials, &profile, &space, &desc);
		}
	}
	space.window = 0;
	space.odd = space.copies = false;
	trials_done(&trials, "windows of 1 to 70 bytes");
}

int main(void)
{
	profile = sva_model_dsa2;
	/* Small, as it is copied for each of many cases. */
	trial_space(&space, 1, 76);
	every_size();
	every_alignment();
	space_free(&space);
	trial_space(&space, 4, 77);
	overlaps();
	overlap_edges();
	limits();
	expected_results();
	page_ends();
	seed_places();
	padded();
	windows();
	space_free(&space);
	return trials_end();
}
