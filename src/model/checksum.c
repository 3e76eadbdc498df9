/* SPDX-License-Identifier: MIT */
/*
 * The three CRCs, without inversions: register and bytes in, register out. By ISA-L where
 * SVA_MODEL_ISAL is defined and it has the polynomial, else by tables. ISA-L picks its kernels by
 * storing a pointer, the same each time, and calls nothing outside itself, so it is as fit for a
 * signal handler as the tables are.
 */
#include "model/bytes.h"
#include "model/checksum.h"
#include "model/model.h"

#ifdef SVA_MODEL_ISAL
#include <isa-l.h>
#if ISAL_VERSION >= ISAL_MAKE_VERSION(2, 31, 0)
#define MODEL_ISAL_CRC64
#endif
#endif

/*
 * A CRC is linear: an entry is the exclusive or of the entries for each bit that is set in its
 * index. So a table of 256 is made from eight constants by the compiler. Constant n of table k is
 * the CRC of byte 1 << n and k bytes of zeros.
 */
#define E1(i, a, b, c, d, e, f, g, h) \
	(((i) & 1 ? a : 0) ^ ((i) & 2 ? b : 0) ^ ((i) & 4 ? c : 0) ^ ((i) & 8 ? d : 0) ^ \
	 ((i) & 16 ? e : 0) ^ ((i) & 32 ? f : 0) ^ ((i) & 64 ? g : 0) ^ ((i) & 128 ? h : 0))
#define E4(i, ...) \
	E1((i), __VA_ARGS__), E1((i) + 1, __VA_ARGS__), E1((i) + 2, __VA_ARGS__), \
		E1((i) + 3, __VA_ARGS__)
#define E16(i, ...) \
	E4((i), __VA_ARGS__), E4((i) + 4, __VA_ARGS__), E4((i) + 8, __VA_ARGS__), \
		E4((i) + 12, __VA_ARGS__)
#define E64(i, ...) \
	E16((i), __VA_ARGS__), E16((i) + 16, __VA_ARGS__), E16((i) + 32, __VA_ARGS__), \
		E16((i) + 48, __VA_ARGS__)
#define TABLE(...) \
	E64(0, __VA_ARGS__), E64(64, __VA_ARGS__), E64(128, __VA_ARGS__), E64(192, __VA_ARGS__)

/* Castagnoli, 0x1edc6f41, reflected. */
static const uint32_t crc32c_table[8][256] = {
	{TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc,
	       0x82f63b78)},
	{TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604,
	       0xfbc3faf9)},
	{TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9,
	       0x8b277743)},
	{TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7,
	       0x52a0c93f)},
	{TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae,
	       0x6ea2d55c)},
	{TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb,
	       0x1c08b7d6)},
	{TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a,
	       0xf56e0ef4)},
	{TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32,
	       0x34019664)},
};

/* NVMe, 0xad93d23594c93659, reflected. */
static const uint64_t crc64_table[8][256] = {
	{ TABLE(0x7f6ef0c830358979, 0xfedde190606b12f2, 0xc962e5739841b68f, 0xa61cecb46814fe75,
		0x78e0ff3b88be6f81, 0xf1c1fe77117cdf02, 0xd75adabd7a6e2d6f, 0x9a6c9329ac4bc9b5) },
	{ TABLE(0x8776a97d73bddf69, 0x3a3474a9bfec2db9, 0x7468e9537fd85b72, 0xe8d1d2a6ffb0b6e4,
		0xe57a831ea7f6fea3, 0xfe2c206e177a6e2d, 0xc881668f76634f31, 0xa5dbeb4db4510d09) },
	{ TABLE(0xff6e4e1f4e4038be, 0xca05ba6dc417e217, 0xa0d25288d0b85745, 0x757d8342f9e73de1,
		0xeafb0685f3ce7bc2, 0xe12f2b58bf0b64ef, 0xf68770e226815ab5, 0xd9d7c79715952601) },
	{ TABLE(0x8211147cbaf96306, 0x30fb0eaa2d655567, 0x61f61d545acaaace, 0xc3ec3aa8b595559c,
		0xb301530233bd3853, 0x52db80573fede3cd, 0xa5b700ae7fdbc79a, 0x7fb7270fa7201c5f) },
	{ TABLE(0x373d15f784905d1e, 0x6e7a2bef0920ba3c, 0xdcf457de12417478, 0x8d3189ef7c157b9b,
		0x2eba358da0bd645d, 0x5d746b1b417ac8ba, 0xbae8d63682f59174, 0x41088a3e5d7cb183) },
	{ TABLE(0xe9742a79ef04a5d4, 0xe63172a0869ed8c3, 0xf8bbc31255aa22ed, 0xc5aea077f3c3d6b1,
		0xbf8466bcbf103e09, 0x4bd1eb2a26b7ef79, 0x97a3d6544d6fdef2, 0x1b9e8afbc2482e8f) },
	{ TABLE(0xfc5d27f6bf353971, 0xcc6369be26fde189, 0xac1ff52f156c5079, 0x6ce6cc0d724f3399,
		0xd9cd981ae49e6732, 0x8742166691ab5d0f, 0x3a5d0a9e7bc12975, 0x74ba153cf78252ea) },
	{ TABLE(0x21e9761e252621ac, 0x43d2ec3c4a4c4358, 0x87a5d878949886b0, 0x3b9296a271a69e0b,
		0x77252d44e34d3c16, 0xee4a5a89c69a782c, 0xe84d9340d5a36333, 0xe44200d2f3d1550d) },
};

/* T10, 0x8bb7, most significant bit first. */
static const uint16_t t10_table[256] = {
	TABLE(0x8bb7, 0x9cd9, 0xb205, 0xefbd, 0x54cd, 0xa99a, 0xd883, 0x3ab1)
};

/* Eight bytes at a time: each has a table for its distance from the end of the eight. */
uint32_t model_crc32c_portable(uint32_t reg, const uint8_t *bytes, size_t len)
{
	for (; len >= 8; bytes += 8, len -= 8) {
		uint64_t x = *(const model_u64 *)bytes ^ reg;

		reg = 0;
		for (int i = 0; i < 8; i++)
			reg ^= crc32c_table[7 - i][x >> (8 * i) & 0xff];
	}
	for (; len; len--)
		reg = reg >> 8 ^ crc32c_table[0][(reg ^ *bytes++) & 0xff];
	return reg;
}

uint64_t model_crc64_portable(uint64_t reg, const uint8_t *bytes, size_t len)
{
	for (; len >= 8; bytes += 8, len -= 8) {
		uint64_t x = *(const model_u64 *)bytes ^ reg;

		reg = 0;
		for (int i = 0; i < 8; i++)
			reg ^= crc64_table[7 - i][x >> (8 * i) & 0xff];
	}
	for (; len; len--)
		reg = reg >> 8 ^ crc64_table[0][(reg ^ *bytes++) & 0xff];
	return reg;
}

uint16_t model_crc16_t10_portable(uint16_t reg, const uint8_t *bytes, size_t len)
{
	for (; len; len--)
		reg = (uint16_t)(reg << 8 ^ t10_table[(reg >> 8 ^ *bytes++) & 0xff]);
	return reg;
}

#ifdef SVA_MODEL_ISAL

/* It takes an int for the length. */
#define ISAL_PIECE (1u << 30)

uint32_t model_crc32c(uint32_t reg, const uint8_t *bytes, size_t len)
{
	size_t piece;

	for (; len; bytes += piece, len -= piece) {
		piece = len < ISAL_PIECE ? len : ISAL_PIECE;
		reg = crc32_iscsi((unsigned char *)(uintptr_t)bytes, (int)piece, reg);
	}
	return reg;
}

uint16_t model_crc16_t10(uint16_t reg, const uint8_t *bytes, size_t len)
{
	return crc16_t10dif(reg, bytes, len);
}

uint16_t model_copy_crc16_t10(uint16_t reg, uint8_t *to, const uint8_t *from, size_t len)
{
	return crc16_t10dif_copy(reg, to, (uint8_t *)(uintptr_t)from, len);
}

#else

uint32_t model_crc32c(uint32_t reg, const uint8_t *bytes, size_t len)
{
	return model_crc32c_portable(reg, bytes, len);
}

uint16_t model_crc16_t10(uint16_t reg, const uint8_t *bytes, size_t len)
{
	return model_crc16_t10_portable(reg, bytes, len);
}

uint16_t model_copy_crc16_t10(uint16_t reg, uint8_t *to, const uint8_t *from, size_t len)
{
	model_bytes_move(to, from, len, false);
	return model_crc16_t10_portable(reg, to, len);
}

#endif

uint64_t model_crc64(uint64_t reg, const uint8_t *bytes, size_t len)
{
#ifdef MODEL_ISAL_CRC64
	/* This one inverts on its way in and out. */
	return ~crc64_rocksoft_refl(~reg, bytes, len);
#else
	return model_crc64_portable(reg, bytes, len);
#endif
}

void sva_model_prepare(void)
{
	static const uint8_t byte;

	model_crc32c(0, &byte, 1);
	model_crc64(0, &byte, 1);
	model_crc16_t10(0, &byte, 1);
}
