/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that must be refused: every opcode, every flag alone and in pairs, every reserved
 * byte, handles and record addresses. Each also as an entry of a batch, where other rules hold.
 */
#include "trial.h"

static struct space space;
static struct trials trials;

/* The same descriptor between two no-ops of a batch. */
static void in_batch(const struct sva_model_profile *profile, const struct sva_desc *desc)
{
	struct sva_desc list[3], batch = trial_desc(SVA_OPCODE_BATCH, 0, LIST_AT + 64, 0, 3);

	memset(list, 0, sizeof(list));
	list[1] = *desc;
	list[1].completion_addr =
		desc->completion_addr ? REC_AT + 64 + desc->completion_addr % 64 : 0;
	space_put(&space, LIST_AT + 64, list, sizeof(list));
	trial(&trials, profile, &space, &batch);
}

static void both(const struct sva_model_profile *profile, const struct sva_desc *desc)
{
	trial(&trials, profile, &space, desc);
	in_batch(profile, desc);
}

/* Any operation, no-op, batch and drain included, as it may be. */
static struct sva_desc any_plain(unsigned int opcode)
{
	const bool bare = opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIX_GENERATE;
	struct sva_desc desc = trial_plain(opcode, SRC_AT, DST_AT, bare ? 512 : 520);

	if (opcode == SVA_OPCODE_NOOP || opcode == SVA_OPCODE_DRAIN)
		desc.src = desc.dst = desc.size = 0;
	if (opcode == SVA_OPCODE_BATCH) {
		desc.src = LIST_AT + 4096;
		desc.dst = 0;
		desc.size = 2;
	}
	return desc;
}

static bool is_supported(unsigned int opcode)
{
	return sva_model_dsa2.op_cap[0] >> (opcode & 63) & 1 && opcode < 64;
}

static void opcodes(const struct sva_model_profile *profile)
{
	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		struct sva_desc desc = trial_desc(opcode, 0, 0, 0, 0);
		struct sva_model_profile less = *profile;

		both(profile, &desc);
		if (!is_supported(opcode))
			continue;
		desc = any_plain(opcode);
		both(profile, &desc);
		less.op_cap[0] &= ~(1ull << opcode);
		both(&less, &desc);
	}
}

/* That flag, or those two, and no others: without CRAV there can be no record address. */
static void bare_flags(const struct sva_model_profile *profile, unsigned int opcode, int a, int b)
{
	struct sva_desc desc = any_plain(opcode);

	desc.flags_opcode = sva_desc_word((enum sva_opcode)opcode, 1u << a | 1u << b);
	if (!(sva_desc_flags(&desc) & SVA_DESC_CRAV))
		desc.completion_addr = 0;
	both(profile, &desc);
}

/*
 * The same descriptor with a flag or two turned over; fields that become reserved or used are left
 * as they are.
 */
static void flags(const struct sva_model_profile *profile)
{
	for (unsigned int opcode = 0; opcode < 64; opcode++) {
		if (!is_supported(opcode))
			continue;
		for (int a = 0; a < 24; a++) {
			for (int b = a; b < 24; b++) {
				struct sva_desc desc = any_plain(opcode);

				desc.flags_opcode ^= 1u << a | (a == b ? 0 : 1u << b);
				both(profile, &desc);
				if (!(sva_desc_flags(&desc) & SVA_DESC_CRAV)) {
					desc.completion_addr = 0;
					both(profile, &desc);
				}
				bare_flags(profile, opcode, a, b);
			}
		}
	}
}

/*
 * The three bits of cache control in all combinations, with each of the capabilities that they need
 * missing.
 */
static void cache_control(const struct sva_model_profile *profile)
{
	for (unsigned int caps = 0; caps < 16; caps++) {
		struct sva_model_profile some = *profile;

		some.gen_cap &= ~(1ull << 2 | 1ull << 3 | 1ull << 5 | 1ull << 8);
		some.gen_cap |=
			(caps & 1) << 2 | (caps & 2) << 2 | (caps & 4) << 3 | (caps & 8) << 5;
		for (unsigned int bits = 0; bits < 8; bits++) {
			for (size_t i = 0; i < TRIAL_OPS; i++) {
				struct sva_desc desc = any_plain(trial_ops[i]);

				desc.flags_opcode |=
					(bits & 1) << 8 | (bits & 2) << 13 | (bits & 4) << 3;
				trial(&trials, &some, &space, &desc);
			}
		}
	}
}

/* Each capability bit missing on its own, with each flag. */
static void capabilities(const struct sva_model_profile *profile)
{
	for (int bit = 0; bit < 55; bit++) {
		struct sva_model_profile other = *profile;

		if (bit >= 16 && bit < 52)
			continue;
		other.gen_cap ^= 1ull << bit;
		for (unsigned int opcode = 0; opcode < 64; opcode++) {
			for (int flag = 0; is_supported(opcode) && flag < 24; flag++) {
				struct sva_desc desc = any_plain(opcode);

				desc.flags_opcode |= 1u << flag;
				if (opcode == SVA_OPCODE_TRANSLATION_FETCH &&
				    1u << flag == SVA_DESC_STRIDE)
					/* so that nothing but the flag is wrong */
					desc.op.fetch.stride = 4096;
				trial(&trials, &other, &space, &desc);
			}
		}
	}
}

/* Flags under which the meaning of fields changes. */
static const uint32_t modes[] = {0,	   1u << 4,  1u << 16,		 1u << 17,
				 1u << 18, 1u << 19, 1u << 16 | 1u << 19};

static void reserved_bytes(const struct sva_model_profile *profile)
{
	for (unsigned int opcode = 0; opcode < 64; opcode++) {
		for (size_t mode = 0;
		     is_supported(opcode) && mode < sizeof(modes) / sizeof(modes[0]); mode++) {
			for (int byte = 0; byte < 64; byte++) {
				for (int value = 0; value < 3; value++) {
					static const uint8_t set[3] = { 0x01, 0x80, 0xff };
					struct sva_desc desc = any_plain(opcode);

					if (byte >= 4 && byte < 12)
						continue;
					desc.flags_opcode |= modes[mode];
					((uint8_t *)&desc)[byte] |= set[value];
					both(profile, &desc);
				}
			}
		}
	}
}

static void reserved_nibbles(const struct sva_model_profile *profile)
{
	for (unsigned int opcode = SVA_OPCODE_DIF_CHECK; opcode <= SVA_OPCODE_DIX_GENERATE;
	     opcode++) {
		for (int value = 0; value < 256; value++) {
			struct sva_desc desc = any_plain(opcode);

			desc.op.dif.flags = (uint8_t)value;
			both(profile, &desc);
			desc.op.dif.flags = 0;
			desc.op.dif.dst_flags = (uint8_t)value;
			both(profile, &desc);
		}
	}
}

/* Record addresses: misaligned, absent but given, in every page that cannot be written. */
static void records(const struct sva_model_profile *profile)
{
	for (uint64_t at = 0; at < 64; at++) {
		for (int present = 0; present < 4; present++) {
			struct sva_desc desc = trial_plain(SVA_OPCODE_MEMMOVE, SRC_AT, DST_AT, 100);

			if (!(present & 1))
				desc.flags_opcode &= ~(SVA_DESC_CRAV | SVA_DESC_RCR);
			if (present & 2)
				desc.flags_opcode &= ~SVA_DESC_RCR;
			desc.completion_addr = REC_AT + at;
			both(profile, &desc);
		}
	}
	for (int use = 0; use < 16; use++) {
		struct sva_desc desc = trial_plain(SVA_OPCODE_MEMMOVE, SRC_AT, DST_AT, 100);

		space_use(&space, REC_AT, (uint8_t)use);
		trial(&trials, profile, &space, &desc);
		space_use(&space, REC_AT, (uint8_t)use);
		desc.size = 0; /* an error is not reported there either */
		trial(&trials, profile, &space, &desc);
	}
	space_use(&space, REC_AT, PAGE_RW);
}

/* PRIV, and completion interrupts with their handles. */
static void privileges(const struct sva_model_profile *profile)
{
	struct sva_model_profile some = *profile;

	for (int i = 0; i < 256; i++) {
		struct sva_desc desc = trial_plain(SVA_OPCODE_MEMMOVE, SRC_AT, DST_AT, 100);

		some.priv = i & 1;
		some.user_interrupt = i & 2;
		some.int_handles = i & 4 ? 3 : 0;
		desc.pasid_priv = 0x12345 | (i & 8 ? 0x80000000u : 0);
		if (i & 16)
			desc.flags_opcode |= SVA_DESC_RCI;
		desc.int_handle = (uint16_t)(i >> 5 & 3);
		if (i & 128)
			desc.int_handle += 0x100;
		both(&some, &desc);
		desc = any_plain(SVA_OPCODE_DRAIN);
		desc.flags_opcode = sva_desc_word(SVA_OPCODE_DRAIN, i & 16 ? SVA_DESC_RCI : 0);
		desc.completion_addr = 0;
		trial(&trials, &some, &space, &desc);
	}
}

int main(void)
{
	static const struct sva_model_profile *const devices[] = {&sva_model_dsa1, &sva_model_dsa2,
								  &sva_model_dsa3};
	char what[64];

	/* Small, as it is copied for each of many cases. */
	space_init(&space);
	space_add(&space, SRC_AT, 1, PAGE_RW, 5);
	space_add(&space, DST_AT, 1, PAGE_RW, 6);
	space_add(&space, DST2_AT, 1, PAGE_RW, 7);
	space_add(&space, REC_AT, 1, PAGE_RW, 8);
	space_add(&space, LIST_AT, 2, PAGE_RW, 9);
	for (int i = 0; i < 6; i++) {
		struct sva_model_profile profile = *devices[i % 3];

		if (i >= 3) {
			profile.block_on_fault = profile.user_interrupt = true;
			profile.int_handles = 1;
		}
		opcodes(&profile);
		flags(&profile);
		reserved_bytes(&profile);
		reserved_nibbles(&profile);
		records(&profile);
		capabilities(&profile);
		cache_control(&profile);
		privileges(&profile);
		snprintf(what, sizeof(what), "checks of %s%s", profile.name,
			 i >= 3 ? ", block on fault, interrupts" : "");
		trials_done(&trials, what);
	}
	space_free(&space);
	return trials_end();
}
