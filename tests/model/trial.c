/* SPDX-License-Identifier: MIT */
/* See trial.h. */
#include "trial.h"

unsigned long trials_compared;

static void print_desc(const struct sva_desc *desc)
{
	const uint8_t *bytes = (const uint8_t *)desc;

	for (int i = 0; i < 64; i++)
		printf("%s%02x", i % 16 ? " " : "\n#   ", bytes[i]);
	printf("\n");
}

bool trial(struct trials *trials, const struct sva_model_profile *profile, struct space *space,
	   const struct sva_desc *desc)
{
	struct sva_model_mem mem = space_mem(space);
	static struct ref ref;
	static struct space before;
	bool good;

	memset(&ref, 0, sizeof(ref));
	space_clone(&before, space);
	ref.profile = profile;
	ref.space = &before;
	ref.model = space;
	ref.outcome = &trials->outcome;
	space->nrecords = 0;
	space->open = 0;
	space->wrong = NULL;
	sva_model_execute(profile, &mem, desc, &trials->outcome);
	good = ref_run(&ref, desc);
	trials->compared++;
	if (!good && !trials->failed++) {
		printf("# %s: %s; descriptor", profile->name, ref.why);
		print_desc(desc);
		snprintf(trials->why, sizeof(trials->why), "%s", ref.why);
		if (getenv("SVA_TEST_STOP"))
			exit(1); /* make check-mutation needs only one */
	}
	space_free(&before);
	return good;
}

struct sva_desc trial_desc(enum sva_opcode opcode, uint32_t flags, uint64_t src, uint64_t dst,
			   uint32_t size)
{
	struct sva_desc desc = { .src = src, .dst = dst, .size = size, .completion_addr = REC_AT };

	desc.flags_opcode = sva_desc_word(opcode, flags | SVA_DESC_CRAV | SVA_DESC_RCR);
	return desc;
}

const enum sva_opcode trial_ops[TRIAL_OPS] = {
	SVA_OPCODE_MEMMOVE,	 SVA_OPCODE_FILL,
	SVA_OPCODE_COMPARE,	 SVA_OPCODE_COMPARE_PATTERN,
	SVA_OPCODE_CREATE_DELTA, SVA_OPCODE_APPLY_DELTA,
	SVA_OPCODE_DUALCAST,	 SVA_OPCODE_TRANSLATION_FETCH,
	SVA_OPCODE_CRC,		 SVA_OPCODE_COPY_CRC,
	SVA_OPCODE_DIF_CHECK,	 SVA_OPCODE_DIF_INSERT,
	SVA_OPCODE_DIF_STRIP,	 SVA_OPCODE_DIF_UPDATE,
	SVA_OPCODE_DIX_GENERATE, SVA_OPCODE_CACHE_FLUSH,
};

struct sva_desc trial_plain(enum sva_opcode opcode, uint64_t src, uint64_t dst, uint32_t size)
{
	struct sva_desc desc = trial_desc(opcode, 0, src, dst, size);

	switch (opcode) {
	case SVA_OPCODE_FILL:
	case SVA_OPCODE_COMPARE_PATTERN:
		if (opcode == SVA_OPCODE_FILL)
			desc.src = 0x0102030405060708;
		else
			desc.dst = 0x1817161514131211;
		break;
	case SVA_OPCODE_CREATE_DELTA:
		desc.op.delta.addr_or_size = LIST_AT + 5;
		desc.op.delta.max_size = 10000;
		break;
	case SVA_OPCODE_APPLY_DELTA:
		desc.src = LIST_AT;
		desc.op.delta.addr_or_size = 10;
		break;
	case SVA_OPCODE_DUALCAST:
		desc.op.dualcast.dst2 = DST2_AT + dst % 4096;
		break;
	case SVA_OPCODE_TRANSLATION_FETCH:
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_DIF_CHECK:
		desc.dst = 0;
		break;
	case SVA_OPCODE_CACHE_FLUSH:
		desc.src = 0;
		break;
	default:
		break;
	}
	return desc;
}

void trial_space(struct space *space, size_t pages, uint32_t seed)
{
	space_init(space);
	space_add(space, SRC_AT, pages, PAGE_RW, seed);
	space_add(space, DST_AT, pages, PAGE_RW, seed + 1);
	space_add(space, DST2_AT, pages, PAGE_RW, seed + 2);
	space_add(space, REC_AT, 4, PAGE_RW, seed + 3);
	space_add(space, LIST_AT, 4, PAGE_RW, seed + 4);
}
