/* SPDX-License-Identifier: MIT */
/*
 * Every prepare function, byte by byte: 64 bytes as the specification has them (facts: descriptor
 * layout), written by hand. The last three groups of a row are offsets 32, 40 and 48; what a row
 * leaves out is zero. The record address, the record flags and the flags that depend on a queue are
 * set by submission.
 */
#include "sva/sva.h"
#include "tap.h"

#define A (void *)0x1122334455667788
#define B (void *)0x0102030405060708
#define C (void *)0x2122232425262728

/* Little-endian. */
#define A_BYTES 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11
#define B_BYTES 0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01
#define C_BYTES 0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21
#define ZERO4   0, 0, 0, 0
#define ZERO8   ZERO4, ZERO4
#define SIZE    0x04, 0x03, 0x02, 0x01 /* 0x01020304 */
#define LENGTH  0x01020304u

/* Bytes 0-15: pasid_priv, flags, opcode, record address. */
#define HEAD(opcode) ZERO4, 0, 0, 0, opcode, ZERO8
#define HEAD_FLAGS(opcode, f16) ZERO4, 0, 0, f16, opcode, ZERO8

static struct sva_op op;
static unsigned char garbage[sizeof(struct sva_op)];

/* An operation that was used before: prep must keep only the fields that belong to the caller. */
static void begin(void)
{
	memset(garbage, 0xa5, sizeof(garbage));
	memcpy(&op, garbage, sizeof(op));
	op.user_data = 0x5757575757575757;
}

/* The first byte that is wrong, or 64. */
static int first_difference(const uint8_t got[64], const uint8_t want[64])
{
	int i = 0;

	while (i < 64 && got[i] == want[i])
		i++;
	return i;
}

static void check(const char *name, const uint8_t want[64], uint64_t length)
{
	const uint8_t *got = (const uint8_t *)&op.desc;
	int first = first_difference(got, want);

	if (!ok(first == 64, "%s: all 64 bytes of the descriptor", name))
		printf("# byte %d is %#x, must be %#x\n", first, got[first], want[first]);
	ok(op.length == length && op.flags == 0 && op.state == SVA_OP_PREPARED &&
		   op.user_data == 0x5757575757575757,
	   "%s: length, flags, state; user_data is the caller's", name);
	ok(!memcmp((const char *)&op + offsetof(struct sva_op, comp), garbage, 64),
	   "%s: the record's cache line is not written", name);
	ok(!memcmp(op.opaque, garbage, sizeof(op.opaque)),
	   "%s: the bytes behind the named fields are not written", name);
}

#define CHECK(name, length, ...) \
	do { \
		static const uint8_t want[64] = { __VA_ARGS__ }; \
		check(name, want, length); \
	} while (0)

static void plain(void)
{
	begin();
	sva_prep_noop(&op);
	CHECK("no-op", 0, HEAD(0x00));
	begin();
	sva_prep_drain(&op);
	CHECK("drain", 0, HEAD(0x02));
	begin();
	sva_prep_memcpy(&op, B, A, LENGTH);
	CHECK("copy", LENGTH, HEAD(0x03), A_BYTES, B_BYTES, SIZE);
	begin();
	sva_prep_memfill(&op, B, 0x1122334455667788, LENGTH);
	CHECK("fill", LENGTH, HEAD(0x04), A_BYTES, B_BYTES, SIZE);
	begin();
	sva_prep_memfill16(&op, B, 0x1122334455667788, 0x2122232425262728, LENGTH);
	CHECK("16-byte fill", LENGTH, HEAD_FLAGS(0x04, 0x04), A_BYTES, B_BYTES, SIZE, ZERO4,
	      C_BYTES);
	begin();
	sva_prep_compare(&op, A, B, LENGTH);
	CHECK("compare", LENGTH, HEAD(0x05), A_BYTES, B_BYTES, SIZE);
	begin();
	sva_prep_compare_pattern(&op, A, 0x0102030405060708, LENGTH);
	CHECK("compare pattern", LENGTH, HEAD(0x06), A_BYTES, B_BYTES, SIZE);
	begin();
	sva_prep_dualcast(&op, B, C, A, LENGTH);
	CHECK("dualcast", LENGTH, HEAD(0x09), A_BYTES, B_BYTES, SIZE, ZERO4, C_BYTES);
	begin();
	sva_prep_translation_fetch(&op, A, LENGTH);
	CHECK("translation fetch", LENGTH, HEAD(0x0a), A_BYTES, ZERO8, SIZE);
	begin();
	sva_prep_cache_flush(&op, B, LENGTH);
	CHECK("cache flush", LENGTH, HEAD(0x20), ZERO8, B_BYTES, SIZE);
	begin();
	sva_prep_batch(&op, A, LENGTH);
	CHECK("batch", LENGTH, HEAD(0x01), A_BYTES, ZERO8, SIZE);
}

static void delta(void)
{
	begin();
	sva_prep_create_delta(&op, A, B, LENGTH, C, 0x31323334);
	CHECK("create delta", LENGTH, HEAD(0x07), A_BYTES, B_BYTES, SIZE, ZERO4, C_BYTES, 0x34,
	      0x33, 0x32, 0x31);
	begin();
	sva_prep_apply_delta(&op, B, LENGTH, A, 0x31323334);
	CHECK("apply delta", LENGTH, HEAD(0x08), A_BYTES, B_BYTES, SIZE, ZERO4, 0x34, 0x33, 0x32,
	      0x31);
}

static void crc(void)
{
	begin();
	sva_prep_crc(&op, A, LENGTH, 0x41424344, 0);
	CHECK("CRC", LENGTH, HEAD(0x10), A_BYTES, ZERO8, SIZE, ZERO4, 0x44, 0x43, 0x42, 0x41);
	begin();
	sva_prep_crc(&op, A, LENGTH, 0x5152535441424344, 0);
	CHECK("CRC of 32 bits takes 32 bits of the seed", LENGTH, HEAD(0x10), A_BYTES, ZERO8, SIZE,
	      ZERO4, 0x44, 0x43, 0x42, 0x41);
	begin();
	sva_prep_crc(&op, A, LENGTH, 0x5152535441424344, SVA_CRC_64);
	CHECK("CRC of 64 bits", LENGTH, HEAD_FLAGS(0x10, 0x08), A_BYTES, ZERO8, SIZE, ZERO4, 0x44,
	      0x43, 0x42, 0x41, 0x54, 0x53, 0x52, 0x51);
	begin();
	sva_prep_crc(&op, A, LENGTH, 1, SVA_CRC_BYPASS_INVERSION);
	CHECK("CRC without inversion", LENGTH, HEAD_FLAGS(0x10, 0x02), A_BYTES, ZERO8, SIZE, ZERO4,
	      1);
	begin();
	sva_prep_crc(&op, A, LENGTH, 1, SVA_CRC_BYPASS_REFLECTION);
	CHECK("CRC without reflection", LENGTH, HEAD_FLAGS(0x10, 0x04), A_BYTES, ZERO8, SIZE, ZERO4,
	      1);
	begin();
	sva_prep_crc(&op, A, LENGTH, 1, 0xfff1ffff);
	CHECK("other flags of a CRC become one that is refused", LENGTH, 0, 0, 0, 0, 0x40, 0, 0,
	      0x10, ZERO8, A_BYTES, ZERO8, SIZE, ZERO4, 1);
	begin();
	sva_prep_copy_crc(&op, B, A, LENGTH, 0x41424344,
			  SVA_CRC_BYPASS_INVERSION | SVA_CRC_BYPASS_REFLECTION);
	CHECK("copy with CRC", LENGTH, HEAD_FLAGS(0x11, 0x06), A_BYTES, B_BYTES, SIZE, ZERO4, 0x44,
	      0x43, 0x42, 0x41);
}

static void dif(void)
{
	static const struct sva_desc_dif source = {
		.src_flags = 0x91,
		.flags = 0x0e,
		.src_ref = 0x61626364,
		.src_app_mask = 0x7172,
		.src_app = 0x8182,
	};
	static const struct sva_desc_dif dest = {
		.dst_flags = 0x98,
		.flags = 0x05,
		.dst_ref = 0x61626364,
		.dst_app_mask = 0x7172,
		.dst_app = 0x8182,
	};
	static const struct sva_desc_dif both = {
		.src_flags = 0x91,
		.dst_flags = 0x98,
		.flags = 0x0e,
		.src_ref = 0x61626364,
		.src_app_mask = 0x7172,
		.src_app = 0x8182,
		.dst_ref = 0x91929394,
		.dst_app_mask = 0xa1a2,
		.dst_app = 0xb1b2,
	};

#define TAGS 0x64, 0x63, 0x62, 0x61, 0x72, 0x71, 0x82, 0x81
	begin();
	sva_prep_dif_check(&op, A, LENGTH, &source);
	CHECK("DIF check", LENGTH, HEAD(0x12), A_BYTES, ZERO8, SIZE, ZERO4, 0x91, 0, 0x0e, 0, ZERO4,
	      TAGS);
	begin();
	sva_prep_dif_insert(&op, B, A, LENGTH, &dest);
	CHECK("DIF insert", LENGTH, HEAD(0x13), A_BYTES, B_BYTES, SIZE, ZERO4, 0, 0x98, 0x05, 0,
	      ZERO4, ZERO8, TAGS);
	begin();
	sva_prep_dif_strip(&op, B, A, LENGTH, &source);
	CHECK("DIF strip", LENGTH, HEAD(0x14), A_BYTES, B_BYTES, SIZE, ZERO4, 0x91, 0, 0x0e, 0,
	      ZERO4, TAGS);
	begin();
	sva_prep_dif_update(&op, B, A, LENGTH, &both);
	CHECK("DIF update", LENGTH, HEAD(0x15), A_BYTES, B_BYTES, SIZE, ZERO4, 0x91, 0x98, 0x0e, 0,
	      ZERO4, TAGS, 0x94, 0x93, 0x92, 0x91, 0xa2, 0xa1, 0xb2, 0xb1);
	begin();
	sva_prep_dix_generate(&op, B, A, LENGTH, &dest);
	CHECK("DIX generate", LENGTH, HEAD(0x17), A_BYTES, B_BYTES, SIZE, ZERO4, 0, 0x98, 0x05, 0,
	      ZERO4, ZERO8, TAGS);
}

/* A length that exceeds 32 bits is kept beside the descriptor. */
static void lengths(void)
{
	static const uint64_t all[] = {0,	   1,		0xfffffffe,
				       0xffffffff, 0x100000000, 0xfffffffffffffff};

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		begin();
		sva_prep_memcpy(&op, B, A, all[i]);
		subject("a copy of %#llx bytes", (unsigned long long)all[i]);
		ok(op.length == all[i] &&
			   op.desc.size == (all[i] > 0xffffffff ? 0xffffffff : all[i]),
		   "length %#llx", (unsigned long long)all[i]);
	}
	subject("prepare function");
	begin();
	sva_prep(&op, SVA_OPCODE_UPDATE_WINDOW, 0x1122334455667788, 0x0102030405060708, LENGTH);
	CHECK("sva_prep with any opcode", LENGTH, HEAD(0x21), A_BYTES, B_BYTES, SIZE);
}

/* The record, read as bytes: offsets of the facts' table. */
static void record(void)
{
	static const uint8_t bytes[32] = {
		0x83, 0x01, 0x05, 0x00, 0x04, 0x03, 0x02, 0x01, A_BYTES, 0x14, 0x13, 0x12, 0x11,
		0x22, 0x21, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41, 0x52,	 0x51, 0x62, 0x61,
	};
	struct sva_comp comp;

	memcpy(&comp, bytes, sizeof(comp));
	subject("completion record");
	is(comp.status & SVA_STATUS_MASK, SVA_STATUS_PAGE_FAULT,
	   "field status, bits 5:0");
	is(comp.status & SVA_STATUS_WRITE, 0x80, "field bit 7 is the write");
	is(comp.result, 1, "field result");
	is(comp.fault_info, 5, "field fault info");
	is(comp.bytes, 0x01020304, "field bytes completed");
	is(comp.fault_addr, 0x1122334455667788, "field fault address");
	is(comp.op.invalid_flags, 0x11121314, "field invalid flags");
	is(comp.op.delta_size, 0x11121314, "field delta size");
	is(comp.op.crc, 0x3132212211121314, "field CRC");
	is(comp.op.dif.src_ref, 0x11121314, "field source reference tag");
	is(comp.op.dif.src_app_mask, 0x2122, "field source application mask");
	is(comp.op.dif.src_app, 0x3132, "field source application tag");
	is(comp.op.dif.dst_ref, 0x41424344, "field destination reference tag");
	is(comp.op.dif.dst_app_mask, 0x5152, "field destination application mask");
	is(comp.op.dif.dst_app, 0x6162, "field destination application tag");
}

/* The verifier reports a wrong byte. */
static void control(void)
{
	uint8_t wrong[64];
	int seen = 0;

	begin();
	sva_prep_memcpy(&op, B, A, LENGTH);
	for (int i = 0; i < 64; i++) {
		memcpy(wrong, &op.desc, 64);
		wrong[i] ^= 0x10;
		seen += first_difference(wrong, (const uint8_t *)&op.desc) == i;
	}
	is(seen, 64, "control: a wrong byte in each of the 64 places is reported");
}

int main(void)
{
	plain();
	delta();
	crc();
	dif();
	lengths();
	record();
	control();
	is(sizeof(struct sva_desc), 64, "a descriptor has 64 bytes");
	is(sizeof(struct sva_comp), 32, "a record has 32 bytes");
	is(sizeof(struct sva_op), 512, "an operation has 512 bytes");
	is(offsetof(struct sva_op, comp) % 64, 0, "the record begins a cache line");
	is(offsetof(struct sva_op, user_data), 128, "the record has 64 bytes to itself");
	return done();
}
