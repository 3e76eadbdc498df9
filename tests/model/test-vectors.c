/* SPDX-License-Identifier: MIT */
/*
 * Published vectors, through descriptors: CRC-32C of RFC 3720 (appendix B.4) and of the catalogues
 * of CRCs, CRC-64/NVMe, the T10 guard, and the values that accel-config's reference gives for the
 * other modes.
 */
#include "trial.h"

static struct space space;

static uint64_t crc_of(const void *data, uint32_t len, uint64_t seed, uint32_t flags)
{
	struct sva_desc desc = trial_desc(SVA_OPCODE_CRC, flags, SRC_AT + 3, 0, len);
	struct sva_model_mem mem = space_mem(&space);
	struct sva_model_outcome outcome;

	space_put(&space, SRC_AT + 3, data, len);
	desc.op.crc.seed = seed;
	sva_model_execute(&sva_model_dsa2, &mem, &desc, &outcome);
	if (outcome.comp.status != SVA_STATUS_SUCCESS)
		printf("# status %#x\n", outcome.comp.status);
	return outcome.comp.op.crc;
}

/* The four modes: none, 17, 18, both. */
static const uint32_t modes[4] = {
	0,
	SVA_DESC_CRC_BYPASS_INV,
	SVA_DESC_CRC_BYPASS_REF,
	SVA_DESC_CRC_BYPASS_INV | SVA_DESC_CRC_BYPASS_REF,
};

struct crc_vector {
	const char *name;
	uint32_t len;
	uint64_t seed;
	uint32_t flags;
	uint64_t crc[4];
};

static void check_crc(const struct crc_vector *v, const void *data)
{
	char name[80];

	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "CRC of %s, mode %d, is the published one", v->name,
			 i);
		is(crc_of(data, v->len, v->seed, v->flags | modes[i]), v->crc[i], name);
	}
}

static void crc32(void)
{
	/* An iSCSI read command of RFC 3720. */
	static const uint8_t read_pdu[48] = {
		0x01,	     0xc0,	  [16] = 0x14, [22] = 0x04,
		[27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02,
	};
	static const struct crc_vector check = {
		"123456789", 9, 0, 0, {0xe3069283, 0x045fc71a, 0xa8f022a0, 0xc052a8c8}};
	static const struct crc_vector seeded = {
		"123456789, seed",
		9,
		0x12345678,
		0,
		{0x27d87b6a, 0xa1b203f2, 0x6c2ecb49, 0x65bf6c20},
	};
	static const struct crc_vector one = {"one zero", 1, 0, 0, {0x527d5351, 0, 0x527d5351, 0}};
	static const struct crc_vector zeros = {
		"32 zeros", 32, 0, 0, {0x8a9136aa, 0, 0x8a9136aa, 0}};
	static const struct crc_vector ones = {
		"32 ones", 32, 0, 0, { 0x62a8ab43, 0x97b99c17, 0x62a8ab43, 0x97b99c17 },
	};
	static const struct crc_vector rising = {
		"0 to 31", 32, 0, 0, { 0x46dd794e, 0x27f23233, 0x29b1e0f6, 0x3a6b04c5 },
	};
	uint8_t data[256];

	check_crc(&check, "123456789");
	check_crc(&seeded, "123456789");
	memset(data, 0, sizeof(data));
	check_crc(&one, data);
	check_crc(&zeros, data);
	memset(data, 0xff, sizeof(data));
	check_crc(&ones, data);
	for (int i = 0; i < 256; i++)
		data[i] = (uint8_t)i;
	check_crc(&rising, data);
	is(crc_of(data, 256, 0, 0), 0x9c44184b, "CRC-32C of the bytes 0 to 255");
	for (int i = 0; i < 32; i++)
		data[i] = (uint8_t)(31 - i);
	is(crc_of(data, 32, 0, 0), 0x113fdb5c, "CRC-32C of the bytes 31 to 0 (RFC 3720)");
	is(crc_of(read_pdu, sizeof(read_pdu), 0, 0), 0xd9963a56, "SCSI read PDU (RFC 3720)");
	is(crc_of("6789", 4, crc_of("12345", 5, 0, 0), 0), 0xe3069283,
	   "a result is the seed of what follows");
}

static void crc64(void)
{
	uint8_t data[4096] = { 0 };

	is(crc_of("123456789", 9, 0, SVA_DESC_CRC64), 0xae8b14860a799888,
	   "CRC-64/NVMe check value");
	/* The four buffers of the NVM command set specification. */
	is(crc_of(data, 4096, 0, SVA_DESC_CRC64), 0x6482d367eb22b64e,
	   "4096 zeros (NVM command set)");
	memset(data, 0xff, sizeof(data));
	is(crc_of(data, 4096, 0, SVA_DESC_CRC64), 0xc0ddba7302eca3ac,
	   "4096 ones (NVM command set)");
	for (int i = 0; i < 4096; i++)
		data[i] = (uint8_t)i;
	is(crc_of(data, 4096, 0, SVA_DESC_CRC64), 0x3e729f5f6750449c,
	   "4096 rising (NVM command set)");
	for (int i = 0; i < 4096; i++)
		data[i] = (uint8_t)~i;
	is(crc_of(data, 4096, 0, SVA_DESC_CRC64), 0x9a2df64b8e9e517e,
	   "4096 falling (NVM command set)");
	is(crc_of("6789", 4, crc_of("12345", 5, 0, SVA_DESC_CRC64), SVA_DESC_CRC64),
	   0xae8b14860a799888, "a result is the seed of what follows");
}

/* The guard of one block, as DIF insert writes it. */
static unsigned int guard_of(uint32_t len, uint8_t flags)
{
	struct sva_desc desc = trial_desc(SVA_OPCODE_DIF_INSERT, 0, SRC_AT, DST_AT, len);
	struct sva_model_mem mem = space_mem(&space);
	struct sva_model_outcome outcome;

	desc.op.dif.flags = flags;
	sva_model_execute(&sva_model_dsa1, &mem, &desc, &outcome);
	if (outcome.comp.status != SVA_STATUS_SUCCESS)
		return 0x10000;
	return *space_at(&space, DST_AT + len) * 256u + *space_at(&space, DST_AT + len + 1);
}

static void guards(void)
{
	static const struct {
		const char *name;
		uint32_t len;
		uint8_t flags;
		int fill; /* -1: i & 0xff */
		unsigned int guard[4];
	} v[] = {
		{ "512 zeros", 512, 0, 0, { 0x0000, 0x72bb, 0xffff, 0x8d44 } },
		{ "512 ones", 512, 0, 0xff, { 0xe6a1, 0x941a, 0x195e, 0x6be5 } },
		{ "512 rising", 512, 0, -1, { 0x4f10, 0x3dab, 0xb0ef, 0xc254 } },
		{ "520 rising", 520, SVA_DIF_BLOCK_520, -1, { 0x297a, 0x15df, 0xd685, 0xea20 } },
		{ "4096 rising", 4096, SVA_DIF_BLOCK_4096, -1, { 0x8f6d, 0x688f, 0x7092, 0x9770 } },
		{ "4104 rising", 4104, SVA_DIF_BLOCK_4104, -1, { 0x6a1a, 0xd8cd, 0x95e5, 0x2732 } },
	};
	char name[80];

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		for (uint32_t k = 0; k < v[i].len; k++)
			*space_at(&space, SRC_AT + k) =
				(uint8_t)(v[i].fill < 0 ? (int)k : v[i].fill);
		for (unsigned int m = 0; m < 4; m++) {
			snprintf(name, sizeof(name), "T10 guard of %s, mode %u", v[i].name, m);
			is(guard_of(v[i].len, (uint8_t)(v[i].flags | m << 2)), v[i].guard[m], name);
		}
	}
}

/* The example of a delta record: one entry for byte 17. */
static void delta(void)
{
	static const uint8_t entry[10] = { 2, 0, 0, 0xaa };
	struct sva_desc desc = trial_desc(SVA_OPCODE_CREATE_DELTA, 0, SRC_AT, DST_AT, 64);
	struct sva_model_mem mem = space_mem(&space);
	struct sva_model_outcome outcome;

	memset(space_at(&space, SRC_AT), 0, 64);
	memset(space_at(&space, DST_AT), 0, 64);
	*space_at(&space, DST_AT + 17) = 0xaa;
	desc.op.delta.addr_or_size = LIST_AT;
	desc.op.delta.max_size = 80;
	sva_model_execute(&sva_model_dsa1, &mem, &desc, &outcome);
	is(outcome.comp.status, SVA_STATUS_SUCCESS, "delta of one byte: status");
	is(outcome.comp.result, 1, "delta of one byte: result");
	is(outcome.comp.op.delta_size, 10, "delta of one byte: size of the record");
	ok(!memcmp(space_at(&space, LIST_AT), entry, 10), "delta of one byte: entry of the record");
}

int main(void)
{
	trial_space(&space, 4, 3);
	crc32();
	crc64();
	guards();
	delta();
	space_free(&space);
	return done();
}
