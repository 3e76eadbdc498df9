/* SPDX-License-Identifier: MIT */
/*
 * The devices that the model can be. Capabilities are those of the named device less what the model
 * does not do, and the limits of the queue are Linux's defaults: 2 MiB and 32 descriptors.
 */
#include "model/model.h"

#define BIT(n) (1ull << (n))

/*
 * Operations of DSA 1: no-op to dualcast, CRC to DIF update, cache flush (word 0: opcodes 0 to 63).
 */
#define OPS_DSA1 (0x3ffull | 0x3full << SVA_OPCODE_CRC | BIT(SVA_OPCODE_CACHE_FLUSH))
#define OPS_DSA2 (OPS_DSA1 | BIT(SVA_OPCODE_TRANSLATION_FETCH) | BIT(SVA_OPCODE_DIX_GENERATE))

/* Sapphire Rapids: the value seen in sysfs. */
#define GENCAP_DSA1 0x40915f010full

/*
 * DSA 2: the additions of revision 2.0, without cache control of flush (bit 3, gone) and without
 * inter-domain operations (bit 6, which the model does not do). UNCERTAIN: which of these bits a
 * chip on sale shows; programs read gen_cap.
 */
#define GENCAP_DSA2 \
	((GENCAP_DSA1 & ~BIT(3)) | SVA_GENCAP_FETCH_STRIDE | SVA_GENCAP_DRAIN_READBACK | \
	 SVA_GENCAP_FILL16 | SVA_GENCAP_CRC64 | SVA_GENCAP_FAULT_INFO | BIT(13) | \
	 SVA_GENCAP_BATCH_CONTINUE)

/*
 * DSA 3: single-entry batches and durable writes. Its gather, scatter and compute operations the
 * model does not do.
 */
#define GENCAP_DSA3 (GENCAP_DSA2 | SVA_GENCAP_DURABLE_WRITE | SVA_GENCAP_BATCH_OF_ONE)

#define QUEUE_DEFAULTS .max_transfer = 2u << 20, .max_batch = 32

const struct sva_model_profile sva_model_dsa1 = {
	.name = "dsa1",
	.version = 0x100,
	.gen_cap = GENCAP_DSA1,
	.op_cap = {OPS_DSA1},
	QUEUE_DEFAULTS,
};

const struct sva_model_profile sva_model_dsa2 = {
	.name = "dsa2",
	.version = 0x200,
	.gen_cap = GENCAP_DSA2,
	.op_cap = {OPS_DSA2},
	QUEUE_DEFAULTS,
};

const struct sva_model_profile sva_model_dsa3 = {
	.name = "dsa3",
	.version = 0x300,
	.gen_cap = GENCAP_DSA3,
	.op_cap = {OPS_DSA2},
	QUEUE_DEFAULTS,
};

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

const struct sva_model_profile *sva_model_profile_find(const char *name)
{
	static const struct sva_model_profile *const all[] = {&sva_model_dsa1, &sva_model_dsa2,
							      &sva_model_dsa3};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (same(all[i]->name, name))
			return all[i];
	}
	return NULL;
}
