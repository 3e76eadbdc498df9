/* SPDX-License-Identifier: MIT */
/*
 * CRC generation and copy with CRC. Source: [S3] 8.3.12, 8.3.13, appendix A.
 *
 * checksum.c keeps the register bit-reversed and takes each byte's lowest bit first, which is the
 * device's default; data that enters highest bit first is bit-reversed byte by byte on its way. The
 * specification's text says that the source is padded with zeros to a multiple of the CRC's width;
 * hardware tests say that it is not, so padding is a switch.
 */
#include "model/bytes.h"
#include "model/checksum.h"
#include "model/internal.h"

struct crc {
	uint64_t reg;
	bool wide;     /* 64 bits */
	bool raw;      /* no inversion and reflection of seed and result */
	bool reversed; /* highest bit of each byte first */
};

static uint64_t reverse_bits_in_bytes(uint64_t x)
{
	x = (x >> 1 & 0x5555555555555555) | (x & 0x5555555555555555) << 1;
	x = (x >> 2 & 0x3333333333333333) | (x & 0x3333333333333333) << 2;
	return (x >> 4 & 0x0f0f0f0f0f0f0f0f) | (x & 0x0f0f0f0f0f0f0f0f) << 4;
}

/* Of the whole register. */
static uint64_t reverse(const struct crc *crc, uint64_t x)
{
	x = __builtin_bswap64(reverse_bits_in_bytes(x));
	return crc->wide ? x : x >> 32;
}

static uint64_t invert(const struct crc *crc, uint64_t x)
{
	return crc->wide ? ~x : (uint32_t)~x;
}

static void update(struct crc *crc, const uint8_t *bytes, size_t len)
{
	if (crc->wide)
		crc->reg = model_crc64(crc->reg, bytes, len);
	else
		crc->reg = model_crc32c((uint32_t)crc->reg, bytes, len);
}

static void add(void *state, const uint8_t *bytes, size_t len)
{
	struct crc *crc = state;
	uint8_t piece[512];

	if (!crc->reversed) {
		update(crc, bytes, len);
		return;
	}
	while (len) {
		size_t part = len < sizeof(piece) ? len : sizeof(piece), i = 0;
		uint64_t last = 0;

		for (; i + 8 <= part; i += 8)
			*(model_u64 *)(piece + i) =
				reverse_bits_in_bytes(*(const model_u64 *)(bytes + i));
		if (i < part) {
			model_bytes_copy(&last, bytes + i, part - i);
			*(model_u64 *)(piece + i) = reverse_bits_in_bytes(last);
		}
		update(crc, piece, part);
		bytes += part;
		len -= part;
	}
}

/* False after a fault on the seed. */
static bool start(struct model_exec *exec, struct crc *crc)
{
	const struct sva_desc_crc *op = &exec->desc.op.crc;
	const uint32_t flags = model_flags(exec);
	uint64_t seed = op->seed;
	size_t width;

	crc->wide = flags & SVA_DESC_CRC64;
	crc->raw = flags & SVA_DESC_CRC_BYPASS_INV;
	crc->reversed = flags & SVA_DESC_CRC_BYPASS_REF;
	width = crc->wide ? 8 : 4;
	if ((flags & SVA_DESC_CRC_SEED_MEM) &&
	    model_read(exec, &seed, op->seed_addr, width, OPERAND_2) < width)
		return false;
	crc->reg = crc->raw ? reverse(crc, seed) : invert(crc, seed);
	return true;
}

/*
 * The result, of all or of the part before a fault: in the form of a seed, so that the rest can
 * continue from it.
 */
static void finish(struct model_exec *exec, struct crc *crc, size_t done)
{
	static const uint8_t zeros[8];
	const size_t width = crc->wide ? 8 : 4;

	if (done < exec->desc.size)
		exec->comp.bytes = (uint32_t)done;
	else if (exec->profile->crc_pad)
		add(crc, zeros, -done % width);
	exec->comp.op.crc = crc->raw ? reverse(crc, crc->reg) : invert(crc, crc->reg);
}

void model_crc(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	struct model_window window;
	size_t done = 0;
	struct crc crc;

	if (!start(exec, &crc))
		return;
	while (done < desc->size && model_map(exec, &window, desc->src + done, desc->size - done,
					      SVA_MODEL_READ, OPERAND_1)) {
		add(&crc, window.host, window.len);
		model_unmap(exec, &window, window.len);
		done += window.len;
	}
	finish(exec, &crc, done);
}

void model_copy_crc(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	struct crc crc;

	if (start(exec, &crc))
		finish(exec, &crc, model_copy(exec, desc->dst, desc->src, desc->size, add, &crc));
}
