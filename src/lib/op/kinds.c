/* SPDX-License-Identifier: MIT */
/* The table behind kinds.h. Source: DSA specification rev 3.0, 8.3. */
#include "lib/base/memory.h"
#include "lib/op/kinds.h"

#define R SVA_OPERAND_READ
#define W SVA_OPERAND_WRITE
#define V SVA_OPERAND_VALUE
#define O SVA_OPERAND_OFFSET
#define N SVA_OPERAND_NONE

const struct sva_kind sva_kinds[SVA_KINDS + 1] = {
	[SVA_OPCODE_NOOP] = { SVA_SHAPE_EMPTY, N, N, N, false, SVA_FAST_NEVER },
	[SVA_OPCODE_BATCH] = { SVA_SHAPE_BATCH, V, N, N, false, SVA_FAST_NEVER },
	[SVA_OPCODE_DRAIN] = { SVA_SHAPE_EMPTY, N, N, N, false, SVA_FAST_NEVER },
	[SVA_OPCODE_MEMMOVE] = { SVA_SHAPE_BYTES, R, W, N, true, SVA_FAST_BOTH },
	[SVA_OPCODE_FILL] = { SVA_SHAPE_BYTES, V, W, N, true, SVA_FAST_WRITE },
	[SVA_OPCODE_COMPARE] = { SVA_SHAPE_BYTES, R, R, N, false, SVA_FAST_BOTH },
	[SVA_OPCODE_COMPARE_PATTERN] = { SVA_SHAPE_BYTES, R, V, N, false, SVA_FAST_READ },
	[SVA_OPCODE_CREATE_DELTA] = { SVA_SHAPE_WHOLE, R, R, W, true, SVA_FAST_DELTA },
	[SVA_OPCODE_APPLY_DELTA] = { SVA_SHAPE_WHOLE, R, W, N, true, SVA_FAST_DELTA },
	[SVA_OPCODE_DUALCAST] = { SVA_SHAPE_BYTES, R, W, W, true, SVA_FAST_THREE },
	[SVA_OPCODE_TRANSLATION_FETCH] = { SVA_SHAPE_WHOLE, R, N, N, false, SVA_FAST_NEVER },
	[SVA_OPCODE_CRC] = { SVA_SHAPE_BYTES, R, N, N, false, SVA_FAST_READ },
	[SVA_OPCODE_COPY_CRC] = { SVA_SHAPE_BYTES, R, W, N, true, SVA_FAST_APART },
	[SVA_OPCODE_DIF_CHECK] = { SVA_SHAPE_BYTES, R, N, N, false, SVA_FAST_BLOCKS },
	[SVA_OPCODE_DIF_INSERT] = { SVA_SHAPE_BYTES, R, W, N, true, SVA_FAST_BLOCKS },
	[SVA_OPCODE_DIF_STRIP] = { SVA_SHAPE_BYTES, R, W, N, true, SVA_FAST_BLOCKS },
	[SVA_OPCODE_DIF_UPDATE] = { SVA_SHAPE_BYTES, R, W, N, true, SVA_FAST_BLOCKS },
	[SVA_OPCODE_DIX_GENERATE] = { SVA_SHAPE_BYTES, R, W, N, true, SVA_FAST_BLOCKS },
	/* Offsets into mapped buffers, checked against those: they are no addresses to touch. */
	[SVA_OPCODE_DMA_FILL] = { SVA_SHAPE_BYTES, V, O, N, false, SVA_FAST_NEVER },
	[SVA_OPCODE_DMA_COPY] = { SVA_SHAPE_BYTES, O, O, N, false, SVA_FAST_NEVER },
	[SVA_OPCODE_CACHE_FLUSH] = { SVA_SHAPE_BYTES, N, W, N, false, SVA_FAST_WRITE },
};

static uint64_t block_bytes(const struct sva_desc *desc)
{
	static const uint16_t blocks[4] = { 512, 520, 4096, 4104 };

	return blocks[desc->op.dif.flags & 3];
}

uint64_t sva_kind_unit(const struct sva_op *op)
{
	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIX_GENERATE:
		return block_bytes(&op->desc);
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
		return block_bytes(&op->desc) + 8;
	case SVA_OPCODE_CREATE_DELTA:
	case SVA_OPCODE_APPLY_DELTA:
		return 8;
	default:
		return 1;
	}
}

static uint64_t dst_bytes(const struct sva_desc *desc, uint64_t n)
{
	switch (sva_desc_opcode(desc)) {
	case SVA_OPCODE_DIF_INSERT:
		return n + n / block_bytes(desc) * 8;
	case SVA_OPCODE_DIF_STRIP:
		return n - n / (block_bytes(desc) + 8) * 8;
	case SVA_OPCODE_DIX_GENERATE:
		return n / block_bytes(desc) * 8;
	default:
		return n;
	}
}

uint64_t sva_kind_dst_bytes(const struct sva_op *op, uint64_t n)
{
	return dst_bytes(&op->desc, n);
}

/* ------------------------------------------------------------------ the memory of a descriptor */

static void add(struct sva_range range[3], unsigned int *n, uint8_t operand, uint64_t addr,
		uint64_t len)
{
	if (operand == R || operand == W)
		range[(*n)++] = (struct sva_range){ addr, len, operand == W };
}

unsigned int sva_kind_ranges(const struct sva_desc *desc, uint64_t len, struct sva_range range[3])
{
	const struct sva_kind *kind = sva_kind_of_desc(desc);
	const unsigned int opcode = sva_desc_opcode(desc);
	const bool crc = opcode == SVA_OPCODE_CRC || opcode == SVA_OPCODE_COPY_CRC;
	uint64_t src_len = len, third_len = len;
	unsigned int n = 0;

	if (opcode == SVA_OPCODE_APPLY_DELTA)
		src_len = (uint32_t)desc->op.delta.addr_or_size;
	if (opcode == SVA_OPCODE_CREATE_DELTA)
		third_len = desc->op.delta.max_size;
	add(range, &n, kind->src, desc->src, src_len);
	add(range, &n, kind->dst, desc->dst, dst_bytes(desc, len));
	/* Both operations with a third address have it in the same eight bytes. */
	add(range, &n, kind->third, desc->op.dualcast.dst2, third_len);
	if (crc && (desc->flags_opcode & SVA_DESC_CRC_SEED_MEM))
		add(range, &n, R, desc->op.crc.seed_addr,
		    desc->flags_opcode & SVA_DESC_CRC64 ? 8 : 4);
	return n;
}

int sva_kind_touch(const struct sva_op *op, uint64_t *bad, bool *write)
{
	struct sva_range range[3];
	unsigned int n = sva_kind_ranges(&op->desc, op->desc.size, range), which;
	int err = sva_touch_all(range, n, bad, &which);

	if (err)
		*write = range[which].write;
	return err;
}

uint64_t sva_kind_operand_end(const struct sva_op *op, uint64_t addr, bool write)
{
	struct sva_range range[3];
	unsigned int n = sva_kind_ranges(&op->desc, op->desc.size, range);

	for (unsigned int i = 0; i < n; i++) {
		uint64_t page = range[i].addr & ~(uint64_t)4095;

		if (range[i].write == write && addr >= page &&
		    addr < range[i].addr + range[i].len)
			return range[i].addr + range[i].len;
	}
	return 0;
}
