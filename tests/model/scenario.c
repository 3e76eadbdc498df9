/* SPDX-License-Identifier: MIT */
/* See scenario.h. */
#include "scenario.h"

struct input {
	const uint8_t *data;
	size_t len;
};

static uint8_t byte(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->data++;
}

static uint32_t word(struct input *in, int bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | byte(in);
	return value;
}

static void bytes_to(struct input *in, void *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = byte(in);
}

/* One of the three devices with some of its switches turned over. */
static struct sva_model_profile profile_from(struct input *in)
{
	static const struct sva_model_profile *const devices[] = {&sva_model_dsa1, &sva_model_dsa2,
								  &sva_model_dsa3};
	const uint8_t which = byte(in), turned = byte(in);
	struct sva_model_profile profile = *devices[which % 3];

	profile.block_on_fault = which & 0x10;
	profile.crc_pad = which & 0x20;
	profile.event_log = which & 0x40;
	profile.batch_backwards = (which & 0x88) == 0x88;
	profile.batch_seed = turned & 3;
	profile.prs_disable = turned & 4;
	profile.priv = turned & 8;
	profile.user_interrupt = turned & 16;
	profile.int_handles = turned & 32 ? 2 : 0;
	if (turned & 64)
		profile.max_transfer = 4096;
	if (turned & 128)
		profile.gen_cap ^= 1ull << word(in, 1) % 55;
	return profile;
}

/* Regions lie apart, next to each other, and on both sides of the end of the address space. */
static const uint64_t bases[] = { SRC_AT, SRC_AT + 3 * PAGE, DST_AT, DST2_AT, 0, 0 - 2ull * PAGE };
#define BASES (sizeof(bases) / sizeof(bases[0]))

static void space_from(struct input *in, struct space *space)
{
	static const uint8_t uses[8] = {
		PAGE_RW, PAGE_RW, PAGE_RW, PAGE_RW, PAGE_READ, 0, PAGE_LAZY, PAGE_LAZY_RECORD,
	};
	const uint8_t manner = byte(in), which = byte(in);

	space_init(space);
	for (size_t i = 0; i < BASES; i++) {
		uint8_t *data;

		if (which >> i & 1 && i)
			continue;
		data = space_add(space, bases[i], i == 5 ? 2 : 3, PAGE_RW, i + (which >> 6));
		for (unsigned int page = 0; page < (i == 5 ? 2 : 3); page++)
			space_use(space, bases[i] + page * PAGE,
				  uses[manner & 1 ? byte(in) % 16 > 7 ? 0 : byte(in) & 7 : 0]);
		if (manner & 2) /* the same in all regions: compares reach far */
			memset(data, 0x40, (i == 5 ? 2 : 3) * PAGE);
	}
	space->window = manner & 4 ? 1 + word(in, 1) : 0;
	space->odd = manner & 8;
	space->copies = manner & 16;
	space->masked = manner & 32;
	space->random = 1 + manner;
	/* Some bytes of the input lie in memory: tuples, delta records, seeds. */
	for (int pieces = manner >> 6; pieces; pieces--) {
		uint64_t at = SRC_AT + word(in, 2) % (3 * PAGE - 64);

		for (int i = 0; i < 32; i++)
			*space_at(space, at++) = byte(in);
	}
}

static uint64_t address_from(struct input *in)
{
	const uint32_t what = word(in, 3);

	return bases[(what >> 16) % BASES] +
	       (what & 0x3fff) / (what & 0x8000 ? 1 : 64) * (what & 0x8000 ? 1 : 64);
}

static bool opcode_is_dif(unsigned int opcode)
{
	return opcode >= SVA_OPCODE_DIF_CHECK && opcode <= SVA_OPCODE_DIX_GENERATE;
}

/* Only what the operation has. */
static void dif_from(struct input *in, struct sva_desc *desc)
{
	const unsigned int opcode = sva_desc_opcode(desc);
	const bool bare = opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIX_GENERATE;
	struct sva_desc_dif *dif = &desc->op.dif;

	dif->flags = byte(in) & 0x0d;
	if (!bare) {
		dif->src_flags = byte(in);
		dif->src_app_mask = (uint16_t)word(in, 2);
		dif->src_app = (uint16_t)word(in, 2);
		dif->src_ref = word(in, 1);
	}
	if (bare || opcode == SVA_OPCODE_DIF_UPDATE) {
		dif->dst_flags = byte(in) & 0xf8;
		dif->dst_app_mask = (uint16_t)word(in, 2);
		dif->dst_app = (uint16_t)word(in, 2);
		dif->dst_ref = word(in, 1);
	}
}

static enum sva_opcode opcode_from(struct input *in)
{
	const uint8_t which = byte(in);

	return which < 8 ? which : trial_ops[which % TRIAL_OPS];
}

/* All bytes as they come, or fields that have a chance to be right. */
static struct sva_desc desc_from(struct input *in)
{
	const uint8_t kind = byte(in);
	struct sva_desc desc = { 0 };
	enum sva_opcode opcode;
	uint64_t src, dst;
	uint32_t flags, size;

	if (kind % 16 == 0) {
		bytes_to(in, &desc, sizeof(desc));
		return desc;
	}
	flags = SVA_DESC_CRAV | SVA_DESC_RCR;
	if (kind & 64) {
		const uint8_t odd = byte(in);

		flags |= odd & 1 ? SVA_DESC_BOF : 0;
		flags |= odd & 2 ? SVA_DESC_CR : 0;
		flags |= odd & 4 ? (uint32_t)byte(in) << 16 : 0;
		flags ^= odd >= 0xf0 ? word(in, 3) : 0;
	}
	/* One statement each, so that an input means the same with every compiler. */
	opcode = opcode_from(in);
	src = address_from(in);
	dst = address_from(in);
	size = kind % 4 == 1 ? word(in, 2) & 0x3fff :
			       (1 + word(in, 1) % 16) * (kind & 8 ? 512 : 520);
	desc = trial_plain(opcode, src, dst, size);
	desc.flags_opcode = (desc.flags_opcode & 0xff000000) | flags;
	desc.completion_addr = address_from(in) & ~31ull;
	if (kind & 4 && opcode_is_dif(sva_desc_opcode(&desc)))
		dif_from(in, &desc);
	else if ((kind & 0x84) == 0x84)
		bytes_to(in, desc.op.bytes, sizeof(desc.op.bytes));
	switch (sva_desc_opcode(&desc)) {
	case SVA_OPCODE_CREATE_DELTA:
		desc.op.delta.addr_or_size = address_from(in);
		desc.op.delta.max_size = 80 + word(in, 1) * 10;
		desc.size &= ~7u;
		break;
	case SVA_OPCODE_APPLY_DELTA:
		desc.src = address_from(in);
		desc.op.delta.addr_or_size = word(in, 1) * 10;
		desc.size &= ~7u;
		break;
	case SVA_OPCODE_DUALCAST:
		desc.op.dualcast.dst2 = bases[word(in, 1) % BASES] + desc.dst % PAGE;
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		if (flags & SVA_DESC_CRC_SEED_MEM)
			desc.op.crc.seed_addr = address_from(in) & ~7ull;
		break;
	default:
		break;
	}
	return desc;
}

static struct sva_desc batch_from(struct input *in, struct space *space)
{
	const uint8_t shape = byte(in);
	const uint32_t count = 2 + shape % 8;
	struct sva_desc batch =
		trial_desc(SVA_OPCODE_BATCH, 0,
			   bases[shape >> 5 & 1 ? 2 : 0] + 64ull * (shape & 0x40), 0, count);

	batch.completion_addr = address_from(in) & ~31ull;
	for (uint32_t n = 0; n < count; n++) {
		struct sva_desc entry = desc_from(in);

		if (byte(in) % 4 == 0)
			entry.flags_opcode |= SVA_DESC_FENCE;
		for (unsigned int i = 0; i < 64; i++) {
			uint8_t *at = space_at(space, batch.src + 64 * n + i);

			if (at)
				*at = ((uint8_t *)&entry)[i];
		}
	}
	return batch;
}

/* Entries that depend on each other may do anything in another order: only run them. */
static bool run_unchecked(struct trials *trials, const struct sva_model_profile *profile,
			  struct space *space, const struct sva_desc *desc)
{
	struct sva_model_mem mem = space_mem(space);

	sva_model_execute(profile, &mem, desc, &trials->outcome);
	trials->compared++;
	if (!space->wrong && !space->open)
		return true;
	trials->failed++;
	snprintf(trials->why, sizeof(trials->why), "accessor: %s",
		 space->wrong ? space->wrong : "window left open");
	return false;
}

bool scenario_run(struct trials *trials, const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	struct sva_model_profile profile = profile_from(&in);
	const uint8_t shape = byte(&in);
	static struct space space;
	struct sva_desc desc;
	bool good = true;

	space_from(&in, &space);
	for (int n = 0; n <= shape % 3 && good; n++) {
		const bool batch = shape & 0x80 >> n;

		desc = batch ? batch_from(&in, &space) : desc_from(&in);
		if (profile.batch_backwards && sva_desc_opcode(&desc) == SVA_OPCODE_BATCH)
			good = run_unchecked(trials, &profile, &space, &desc);
		else
			good = trial(trials, &profile, &space, &desc);
	}
	space_free(&space);
	return good;
}
