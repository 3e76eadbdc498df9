/* SPDX-License-Identifier: MIT */
/**
 * @file sva/ops.h
 * All operations but copy and fill: compare, delta, dualcast, CRC, protection information, cache
 * flush, batches, scatter/gather.
 *
 * The sva_prep_* functions follow the rules of sva/op.h: inline, they only fill in the operation
 * and cannot fail. The synchronous calls follow those of sva_memcpy(): 0 or -errno, details in
 * sva_last_result(), a NULL context is the default one. An operation that no permitted device has
 * is done on the path cpu (soft, if a list permits only that), which the result names.
 *
 * Since: 0.1
 */
#ifndef SVA_OPS_H
#define SVA_OPS_H

#include <sys/uio.h>

#include "sva/desc.h"
#include "sva/op.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sva;

/* ------------------------------------------------------------------ prepare */

/** Prepare a fill with a 16-byte pattern: low first, then high. Since: 0.1 */
SVA_INLINE void sva_prep_memfill16(struct sva_op *op, void *dst, uint64_t low, uint64_t high,
				   size_t len)
{
	sva_prep(op, SVA_OPCODE_FILL, low, (uint64_t)(uintptr_t)dst, len);
	op->desc.flags_opcode |= SVA_DESC_FILL16;
	op->desc.op.fill.pattern_high = high;
}

/**
 * Prepare a comparison of two buffers. result.result is 0 if they are equal, else 1, and
 * result.value is then the offset of the first difference. With SVA_OP_CHECK in op->flags it fails
 * with -EBADE unless the result is op->desc.op.compare.expected, which is 0 (equal) after prep.
 * Since: 0.1
 */
SVA_INLINE void sva_prep_compare(struct sva_op *op, const void *a, const void *b, size_t len)
{
	sva_prep(op, SVA_OPCODE_COMPARE, (uint64_t)(uintptr_t)a, (uint64_t)(uintptr_t)b, len);
}

/**
 * Prepare a comparison of a buffer with a repeated 8-byte pattern. As sva_prep_compare(); a device
 * may report an offset in result.value that is up to 7 bytes below the first difference.
 * Since: 0.1
 */
SVA_INLINE void sva_prep_compare_pattern(struct sva_op *op, const void *src, uint64_t pattern,
					 size_t len)
{
	sva_prep(op, SVA_OPCODE_COMPARE_PATTERN, (uint64_t)(uintptr_t)src, pattern, len);
}

/**
 * Prepare a record of the differences between two buffers.
 *
 * result.result is 0 if they are equal (the record is empty), 1 if the record is complete, 2 if it
 * does not fit; result.value is the size of the record in bytes.
 *
 * @param from,to  the old and the new bytes; 8-byte aligned
 * @param len      a multiple of 8, at most SVA_DELTA_MAX_REGION
 * @param delta    receives the record; overlaps neither buffer
 * @param max_size bytes it may take: at least SVA_DELTA_MIN_SIZE and a multiple of
 *        SVA_DELTA_ENTRY_SIZE; len / 8 * 10 always suffices
 * Since: 0.1
 */
SVA_INLINE void sva_prep_create_delta(struct sva_op *op, const void *from, const void *to,
				      size_t len, void *delta, uint32_t max_size)
{
	sva_prep(op, SVA_OPCODE_CREATE_DELTA, (uint64_t)(uintptr_t)from, (uint64_t)(uintptr_t)to,
		 len);
	op->desc.op.delta.addr_or_size = (uint64_t)(uintptr_t)delta;
	op->desc.op.delta.max_size = max_size;
}

/**
 * Prepare the application of a delta record to a buffer with the old bytes.
 *
 * @param dst   8-byte aligned
 * @param len   bytes of dst: a multiple of 8, at most SVA_DELTA_MAX_REGION
 * @param size  bytes of the record, at least 10
 * Since: 0.1
 */
SVA_INLINE void sva_prep_apply_delta(struct sva_op *op, void *dst, size_t len, const void *delta,
				     uint32_t size)
{
	sva_prep(op, SVA_OPCODE_APPLY_DELTA, (uint64_t)(uintptr_t)delta, (uint64_t)(uintptr_t)dst,
		 len);
	op->desc.op.delta.addr_or_size = size;
}

/**
 * Prepare a copy to two places; bits 11:0 of their addresses are the same, and no buffers overlap.
 * Since: 0.1
 */
SVA_INLINE void sva_prep_dualcast(struct sva_op *op, void *dst1, void *dst2, const void *src,
				  size_t len)
{
	sva_prep(op, SVA_OPCODE_DUALCAST, (uint64_t)(uintptr_t)src, (uint64_t)(uintptr_t)dst1, len);
	op->desc.op.dualcast.dst2 = (uint64_t)(uintptr_t)dst2;
}

/** no inversion and no reflection of seed and result */
#define SVA_CRC_BYPASS_INVERSION  SVA_DESC_CRC_BYPASS_INV
#define SVA_CRC_BYPASS_REFLECTION SVA_DESC_CRC_BYPASS_REF /**< no reflection of the data bytes */
/** 64 bits (NVMe polynomial) instead of CRC-32C; DSA 2 */
#define SVA_CRC_64                SVA_DESC_CRC64

/**
 * Prepare a CRC. result.value receives it. Seed 0 and flags 0 give the standard CRC-32C of the
 * buffer; the CRC of one buffer is the seed for the next. flags: SVA_CRC_*; with others the
 * operation ends with -EINVAL.
 * Since: 0.1
 */
SVA_INLINE void sva_prep_crc(struct sva_op *op, const void *src, size_t len, uint64_t seed,
			     uint32_t flags)
{
	const uint32_t known = SVA_CRC_BYPASS_INVERSION | SVA_CRC_BYPASS_REFLECTION | SVA_CRC_64;

	sva_prep(op, SVA_OPCODE_CRC, (uint64_t)(uintptr_t)src, 0, len);
	/*
	 * No sva_prep_* function can fail: an unknown flag becomes one that every device refuses.
	 */
	op->desc.flags_opcode |= (flags & known) | (flags & ~known ? SVA_DESC_BIT6 : 0);
	op->desc.op.crc.seed = flags & SVA_CRC_64 ? seed : (uint32_t)seed;
}

/**
 * Prepare a copy with the CRC of the bytes; the buffers do not overlap. As sva_prep_crc().
 * Since: 0.1
 */
SVA_INLINE void sva_prep_copy_crc(struct sva_op *op, void *dst, const void *src, size_t len,
				  uint64_t seed, uint32_t flags)
{
	sva_prep_crc(op, src, len, seed, flags);
	op->desc.flags_opcode =
		(op->desc.flags_opcode & 0xffffffu) | ((uint32_t)SVA_OPCODE_COPY_CRC << 24);
	op->desc.dst = (uint64_t)(uintptr_t)dst;
}

/*
 * Protection information (T10 DIF, DIX): dif has block size, seeds, checks and tags; see struct
 * sva_desc_dif. Only the fields that an operation uses may be non-zero. len counts bytes of the
 * source, a whole number of blocks (with their 8 bytes where the source has them). When a check
 * fails the operation ends with -EILSEQ: result.result has SVA_DIF_ERR_* and result.bytes the
 * offset of the bad block. result.dif has the tags to continue with.
 */

/** Prepare a check of the protection information of src. Since: 0.1 */
SVA_INLINE void sva_prep_dif_check(struct sva_op *op, const void *src, size_t len,
				   const struct sva_desc_dif *dif)
{
	sva_prep(op, SVA_OPCODE_DIF_CHECK, (uint64_t)(uintptr_t)src, 0, len);
	op->desc.op.dif = *dif;
}

/**
 * Prepare a copy that adds protection information: dst takes len + len / block * 8 bytes.
 * Since: 0.1
 */
SVA_INLINE void sva_prep_dif_insert(struct sva_op *op, void *dst, const void *src, size_t len,
				    const struct sva_desc_dif *dif)
{
	sva_prep(op, SVA_OPCODE_DIF_INSERT, (uint64_t)(uintptr_t)src, (uint64_t)(uintptr_t)dst,
		 len);
	op->desc.op.dif = *dif;
}

/**
 * Prepare a copy that checks and removes it: dst takes len - len / (block + 8) * 8 bytes.
 * Since: 0.1
 */
SVA_INLINE void sva_prep_dif_strip(struct sva_op *op, void *dst, const void *src, size_t len,
				   const struct sva_desc_dif *dif)
{
	sva_prep(op, SVA_OPCODE_DIF_STRIP, (uint64_t)(uintptr_t)src, (uint64_t)(uintptr_t)dst, len);
	op->desc.op.dif = *dif;
}

/** Prepare a copy that checks and replaces it. Since: 0.1 */
SVA_INLINE void sva_prep_dif_update(struct sva_op *op, void *dst, const void *src, size_t len,
				    const struct sva_desc_dif *dif)
{
	sva_prep(op, SVA_OPCODE_DIF_UPDATE, (uint64_t)(uintptr_t)src, (uint64_t)(uintptr_t)dst,
		 len);
	op->desc.op.dif = *dif;
}

/**
 * Prepare protection information as an array of its own: dst, 8-byte aligned, takes len / block * 8
 * bytes. DSA 2. Since: 0.1
 */
SVA_INLINE void sva_prep_dix_generate(struct sva_op *op, void *dst, const void *src, size_t len,
				      const struct sva_desc_dif *dif)
{
	sva_prep(op, SVA_OPCODE_DIX_GENERATE, (uint64_t)(uintptr_t)src, (uint64_t)(uintptr_t)dst,
		 len);
	op->desc.op.dif = *dif;
}

/** Prepare writing a range back from the CPU's caches, and invalidating it there. Since: 0.1 */
SVA_INLINE void sva_prep_cache_flush(struct sva_op *op, void *addr, size_t len)
{
	sva_prep(op, SVA_OPCODE_CACHE_FLUSH, 0, (uint64_t)(uintptr_t)addr, len);
}

/**
 * Prepare warming the device's address translations of a range; DSA 2. Without a device that has
 * it, it does nothing. Since: 0.1
 */
SVA_INLINE void sva_prep_translation_fetch(struct sva_op *op, const void *addr, size_t len)
{
	sva_prep(op, SVA_OPCODE_TRANSLATION_FETCH, (uint64_t)(uintptr_t)addr, 0, len);
}

/**
 * Prepare a batch: n prepared operations that are submitted together. The array and the operations
 * stay in place until the batch has ended. An entry with SVA_OP_FENCE in its flags starts after all
 * earlier entries, and only if each of them succeeded; otherwise it and all later ones end with
 * -ECANCELED. Without fences they may run in any order, so they must not depend on each other.
 *
 * The batch ends when all entries have ended. It succeeds if every entry did; otherwise it fails
 * with -EIO, and each entry has its own result. Where a queue takes no batches (write(2),
 * /dev/sva_dma), or an entry is too long for one descriptor, the library submits the entries one by
 * one with the same meaning, also a batch of one where the device needs two; result.reason is
 * SVA_REASON_NO_OPERATION if the queue or its path is the cause. An entry is not submitted, polled
 * or reaped by itself; batches do not nest.
 *
 * @param n at least 1
 * Since: 0.1
 */
SVA_INLINE void sva_prep_batch(struct sva_op *op, struct sva_op **entries, unsigned int n)
{
	sva_prep(op, SVA_OPCODE_BATCH, (uint64_t)(uintptr_t)entries, 0, n);
}

/* ------------------------------------------------------------------ synchronous calls */

/** Marks the functions that the library exports. */
#ifndef SVA_API
#if defined(__GNUC__)
#define SVA_API __attribute__((visibility("default")))
#else
#define SVA_API
#endif
#endif

/**
 * Compare two buffers.
 * @param offset receives the offset of the first difference, len if there is none; may be NULL
 * @return 0 equal, 1 different, -errno as sva_memcpy()
 * Since: 0.1
 */
SVA_API int sva_compare(struct sva *sva, const void *a, const void *b, size_t len, size_t *offset);

/** Compare a buffer with a repeated 8-byte pattern. As sva_compare(). Since: 0.1 */
SVA_API int sva_compare_pattern(struct sva *sva, const void *src, uint64_t pattern, size_t len,
				size_t *offset);

/** Fill with a 16-byte pattern. Since: 0.1 */
SVA_API int sva_memfill16(struct sva *sva, void *dst, uint64_t low, uint64_t high, size_t len);

/**
 * Record the differences between two buffers; see sva_prep_create_delta().
 * @param size receives the size of the record in bytes
 * @return 0; -EOVERFLOW: it does not fit into max_size; other -errno
 * Since: 0.1
 */
SVA_API int sva_create_delta(struct sva *sva, const void *from, const void *to, size_t len,
			     void *delta, uint32_t max_size, uint32_t *size);

/**
 * Apply a delta record; see sva_prep_apply_delta(). -EBADMSG: not a valid record. size 0 does
 * nothing. Since: 0.1
 */
SVA_API int sva_apply_delta(struct sva *sva, void *dst, size_t len, const void *delta,
			    uint32_t size);

/** Copy to two places; see sva_prep_dualcast(). Since: 0.1 */
SVA_API int sva_dualcast(struct sva *sva, void *dst1, void *dst2, const void *src, size_t len);

/** CRC-32C of a buffer; *crc is the seed (0 to begin) and receives the CRC. Since: 0.1 */
SVA_API int sva_crc32c(struct sva *sva, const void *src, size_t len, uint32_t *crc);

/** Copy, and CRC-32C of the bytes; *crc as for sva_crc32c(). Since: 0.1 */
SVA_API int sva_copy_crc32c(struct sva *sva, void *dst, const void *src, size_t len, uint32_t *crc);

/** Write a range back from the CPU's caches. Since: 0.1 */
SVA_API int sva_cache_flush(struct sva *sva, void *addr, size_t len);

/**
 * Copy from a list of buffers to a list of buffers, as one stream of bytes, as many as the shorter
 * list has. No source overlaps a destination.
 * @param copied receives the bytes copied, also after a failure; may be NULL
 * @return 0; -EINVAL a count above 1024 or lengths whose sum is too large; -ENOMEM; other -errno as
 *        sva_memcpy()
 * Since: 0.1
 */
SVA_API int sva_copyv(struct sva *sva, const struct iovec *dst, unsigned int dst_count,
		      const struct iovec *src, unsigned int src_count, size_t *copied);

/**
 * Prepare the copies that sva_copyv() consists of, for a batch of the caller.
 * @param ops  receives up to n operations
 * @return their number, which may be more than n: then only n were prepared; -EINVAL
 * Since: 0.1
 */
SVA_API int sva_prep_copyv(struct sva_op *ops, unsigned int n, const struct iovec *dst,
			   unsigned int dst_count, const struct iovec *src, unsigned int src_count);

#ifdef __cplusplus
}
#endif

#endif
