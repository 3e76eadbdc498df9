/* SPDX-License-Identifier: MIT */
/**
 * @file sva/desc.h
 * The 64-byte descriptor and the 32-byte completion record of a DSA, as bytes in memory.
 *
 * These layouts are fixed by the hardware, so everything here is inline or a constant and can never
 * change. All multi-byte fields are little-endian, as the device reads them. Sources: [S3] Intel
 * DSA Architecture Specification 341204-006US rev 3.0 and [U] linux/idxd.h of Linux 6.1, 6.12 and
 * 7.2, which agree wherever both name a field; where a later revision changed the meaning of a bit,
 * the comment says so.
 *
 * Since: 0.1
 */
#ifndef SVA_DESC_H
#define SVA_DESC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Operation codes: bits 31:24 of sva_desc::flags_opcode. Bit n of a device's op_cap says that it
 * has operation n.
 * Source: [S3] table 8-2, [U]. Since: 0.1
 */
enum sva_opcode {
	SVA_OPCODE_NOOP = 0x00,            /**< nothing; still writes a record */
	SVA_OPCODE_BATCH = 0x01,           /**< run a list of descriptors */
	/** complete after all earlier descriptors of this PASID and queue */
	SVA_OPCODE_DRAIN = 0x02,
	SVA_OPCODE_MEMMOVE = 0x03,         /**< copy; overlap allowed where GENCAP.1 is set */
	SVA_OPCODE_FILL = 0x04,            /**< repeat an 8-byte (flag 18: 16-byte) pattern */
	SVA_OPCODE_COMPARE = 0x05,         /**< compare two buffers */
	SVA_OPCODE_COMPARE_PATTERN = 0x06, /**< compare a buffer with a repeated 8-byte pattern */
	SVA_OPCODE_CREATE_DELTA = 0x07,    /**< record the differences of two buffers */
	SVA_OPCODE_APPLY_DELTA = 0x08,     /**< apply a delta record */
	SVA_OPCODE_DUALCAST = 0x09,        /**< copy to two destinations */
	SVA_OPCODE_TRANSLATION_FETCH = 0x0a, /**< warm the address translation cache; DSA 2 */
	SVA_OPCODE_CRC = 0x10,             /**< CRC of a buffer */
	SVA_OPCODE_COPY_CRC = 0x11,        /**< copy and CRC of what was copied */
	SVA_OPCODE_DIF_CHECK = 0x12,       /**< check T10 protection information */
	SVA_OPCODE_DIF_INSERT = 0x13,      /**< copy and add protection information */
	SVA_OPCODE_DIF_STRIP = 0x14,       /**< check, copy and remove protection information */
	SVA_OPCODE_DIF_UPDATE = 0x15,      /**< check, copy and replace protection information */
	SVA_OPCODE_DIX_GENERATE = 0x17,    /**< protection information as a separate array; DSA 2 */
	SVA_OPCODE_TYPE_CONVERT = 0x18,    /**< DSA 3; not supported by the model */
	SVA_OPCODE_REDUCE = 0x19,          /**< DSA 3; not supported by the model */
	SVA_OPCODE_REDUCE_DUALCAST = 0x1a, /**< DSA 3; not supported by the model */
	SVA_OPCODE_GATHER_REDUCE = 0x1b,   /**< DSA 3; not supported by the model */
	SVA_OPCODE_GATHER_COPY = 0x1c,     /**< DSA 3; not supported by the model */
	SVA_OPCODE_SCATTER_COPY = 0x1d,    /**< DSA 3; not supported by the model */
	SVA_OPCODE_SCATTER_FILL = 0x1e,    /**< DSA 3; not supported by the model */
	/** write back and invalidate a range in the CPU's caches */
	SVA_OPCODE_CACHE_FLUSH = 0x20,
	SVA_OPCODE_UPDATE_WINDOW = 0x21,   /**< inter-domain; not supported by the model */
	/** fill of a mapped buffer: the library's own, no device has it */
	SVA_OPCODE_DMA_FILL = 0x3e,
	/** copy between mapped buffers: the library's own, no device has it */
	SVA_OPCODE_DMA_COPY = 0x3f
};

/*
 * Flags: bits 23:0 of sva_desc::flags_opcode. Bits 15:0 mean the same for every operation, bits
 * 23:16 belong to the operation. A flag that the operation or the device does not have is answered
 * with status 0x11.
 * Source: [S3] tables 8-3, 5-3, 5-5. Since: 0.1
 */
/** bit 0: in a batch, start after all earlier entries; illegal outside a batch */
#define SVA_DESC_FENCE 0x000001u
/** bit 1: page faults wait for the OS; needs block_on_fault of the queue */
#define SVA_DESC_BOF   0x000002u
#define SVA_DESC_CRAV  0x000004u /**< bit 2: the completion record address is valid */
#define SVA_DESC_RCR   0x000008u /**< bit 3: write a record on success too; needs CRAV */
#define SVA_DESC_RCI   0x000010u /**< bit 4: completion interrupt; not for user queues */
/** bit 5: cache control 3 of rev 3.0; a steering tag in 1.x, reserved in 2.x */
#define SVA_DESC_CC3   0x000020u
#define SVA_DESC_BIT6  0x000040u /**< bit 6: reserved in every revision */
#define SVA_DESC_CR    0x000080u /**< bit 7: check result: a mismatch becomes status 0x02 */
/** bit 8: allocate the written data in the CPU's cache; needs GENCAP.2 */
#define SVA_DESC_CC    0x000100u
#define SVA_DESC_TCS1  0x000200u /**< bit 9: traffic class selector of address 1 */
#define SVA_DESC_TCS2  0x000400u /**< bit 10: traffic class selector of address 2 */
#define SVA_DESC_TCS3  0x000800u /**< bit 11: traffic class selector of address 3 */
/** bit 12: traffic class selector of the completion record; needs CRAV */
#define SVA_DESC_CRTCS 0x001000u
#define SVA_DESC_STORD 0x002000u /**< bit 13: strict ordering of the writes */
/** bit 14: destination readback (rev 3.0: cache control 2); needs GENCAP.8 */
#define SVA_DESC_DRDBK 0x004000u

/** bit 16 of batch: an earlier part had an error; needs GENCAP.15 */
#define SVA_DESC_BATCH_ERROR   0x010000u
/** bit 16 of drain: readback address 1 is valid; needs GENCAP.9 */
#define SVA_DESC_DRAIN_RDBK1   0x010000u
/** bit 17 of drain: readback address 2 is valid; needs GENCAP.9 */
#define SVA_DESC_DRAIN_RDBK2   0x020000u
/** bit 18 of drain: no implicit readback on traffic class A */
#define SVA_DESC_DRAIN_NO_TCA  0x040000u
/** bit 19 of drain: no implicit readback on traffic class B */
#define SVA_DESC_DRAIN_NO_TCB  0x080000u
/** bit 18 of fill: the pattern has 16 bytes; needs GENCAP.10 */
#define SVA_DESC_FILL16        0x040000u
#define SVA_DESC_CRC_SEED_MEM  0x010000u /**< bit 16 of CRC: the seed is read from seed_addr */
/** bit 17 of CRC: no inversion and no reflection of seed and result */
#define SVA_DESC_CRC_BYPASS_INV 0x020000u
#define SVA_DESC_CRC_BYPASS_REF 0x040000u /**< bit 18 of CRC: no reflection of the data bytes */
#define SVA_DESC_CRC64         0x080000u /**< bit 19 of CRC: 64 bits; needs GENCAP.11 */
/** bit 16 of translation fetch: use the stride; needs GENCAP.7 */
#define SVA_DESC_STRIDE        0x010000u

/** Bytes 40-63 of compare, compare pattern. */
struct sva_desc_compare {
	/** byte 40; bit 0: the expected result, used with SVA_DESC_CR; bits 7:1 are ignored */
	uint8_t expected;
	uint8_t reserved[23]; /**< 0 */
};

/** Bytes 40-63 of fill: the upper half of a 16-byte pattern. */
struct sva_desc_fill {
	uint64_t pattern_high; /**< bytes 40-47; 0 without SVA_DESC_FILL16 */
	uint8_t reserved[16];  /**< 0 */
};

/** Bytes 40-63 of create delta and apply delta. */
struct sva_desc_delta {
	/** create: delta record address (40-47). Apply: delta record size in bits 31:0 (40-43) */
	uint64_t addr_or_size;
	/** create: bytes 48-51, the most the record may take; a multiple of 10, at least 80 */
	uint32_t max_size;
	uint32_t reserved1;    /**< 0 */
	/** create: byte 56, bits 2:0 the mask of accepted results for SVA_DESC_CR */
	uint8_t expected;
	uint8_t reserved2[7];  /**< 0 */
};

/** Bytes 40-63 of dualcast. */
struct sva_desc_dualcast {
	uint64_t dst2;        /**< bytes 40-47; bits 11:0 equal those of dst */
	uint8_t reserved[16]; /**< 0 */
};

/** Bytes 40-63 of the CRC operations. */
struct sva_desc_crc {
	/** bytes 40-43, with SVA_DESC_CRC64 40-47; 0 with SVA_DESC_CRC_SEED_MEM */
	uint64_t seed;
	uint64_t seed_addr;  /**< bytes 48-55; 0 without SVA_DESC_CRC_SEED_MEM */
	uint8_t reserved[8]; /**< 0 */
};

/** Bytes 40-63 of the DIF operations and DIX generate. */
struct sva_desc_dif {
	uint8_t src_flags;    /**< byte 40, check, strip, update: SVA_DIF_SRC_* */
	uint8_t dst_flags;    /**< byte 41, insert, update, DIX: SVA_DIF_DST_* */
	uint8_t flags;        /**< byte 42: SVA_DIF_BLOCK_*, SVA_DIF_SEED_FFFF, SVA_DIF_INVERT */
	uint8_t reserved[5];  /**< 0 */
	uint32_t src_ref;     /**< bytes 48-51: source reference tag seed */
	uint16_t src_app_mask; /**< bytes 52-53: application tag bits that do not count */
	uint16_t src_app;     /**< bytes 54-55: source application tag seed */
	uint32_t dst_ref;     /**< bytes 56-59: destination reference tag seed */
	uint16_t dst_app_mask; /**< bytes 60-61 */
	uint16_t dst_app;     /**< bytes 62-63: destination application tag seed */
};

/** Bytes 40-63 of translation fetch. */
struct sva_desc_fetch {
	uint8_t reserved1[8];  /**< 0 */
	/** bytes 48-51: at least 4096 and a power of two; 0 without SVA_DESC_STRIDE */
	uint32_t stride;
	uint8_t reserved2[12]; /**< 0 */
};

/**
 * Bytes 40-63 of the library's own operations on mapped buffers; no device gets them. Since: 0.1
 */
struct sva_desc_dma {
	uint64_t dst;        /**< the destination, a struct sva_dma_buf */
	uint64_t src;        /**< the source, a struct sva_dma_buf; 0 for a fill */
	uint64_t reserved;   /**< 0 */
};

/** Bytes 40-63, by operation. */
union sva_desc_specific {
	uint8_t bytes[24];                 /**< as they are */
	struct sva_desc_compare compare;   /**< compare, compare pattern */
	struct sva_desc_fill fill;         /**< fill */
	struct sva_desc_delta delta;       /**< create delta, apply delta */
	struct sva_desc_dualcast dualcast; /**< dualcast */
	struct sva_desc_crc crc;           /**< CRC, copy with CRC */
	struct sva_desc_dif dif;           /**< DIF check, insert, strip, update; DIX generate */
	struct sva_desc_fetch fetch;       /**< translation fetch */
	struct sva_desc_dma dma;           /**< copy and fill on mapped buffers */
};

/* DIF flags, byte 42. Source: [S3] 8.3.14-8.3.18. */
#define SVA_DIF_BLOCK_512  0x00u /**< block of 512 bytes */
#define SVA_DIF_BLOCK_520  0x01u /**< block of 520 bytes */
#define SVA_DIF_BLOCK_4096 0x02u /**< block of 4096 bytes */
#define SVA_DIF_BLOCK_4104 0x03u /**< block of 4104 bytes */
#define SVA_DIF_SEED_FFFF  0x04u /**< the guard starts from 0xffff instead of 0 */
#define SVA_DIF_INVERT     0x08u /**< the guard is stored inverted */
/* Source flags, byte 40. */
#define SVA_DIF_SRC_ALL_F_ERROR  0x01u /**< a tuple of all ones is an error */
#define SVA_DIF_SRC_ALL_F        0x02u /**< a tuple of all ones is not checked */
/** an application tag of all ones: the block is not checked */
#define SVA_DIF_SRC_APP_F        0x04u
/** application and reference tags of all ones: the block is not checked */
#define SVA_DIF_SRC_APP_REF_F    0x08u
#define SVA_DIF_SRC_APP_INC      0x10u /**< the application tag increments for each block */
#define SVA_DIF_SRC_NO_GUARD     0x20u /**< no guard check */
#define SVA_DIF_SRC_NO_REF       0x40u /**< no reference tag check */
#define SVA_DIF_SRC_REF_FIXED    0x80u /**< the reference tag does not increment */
/* Destination flags, byte 41. */
#define SVA_DIF_DST_APP_PASS   0x08u /**< update: pass the source's application tag through */
#define SVA_DIF_DST_APP_INC    0x10u /**< the application tag increments for each block */
#define SVA_DIF_DST_GUARD_PASS 0x20u /**< update: pass the source's guard through */
#define SVA_DIF_DST_REF_PASS   0x40u /**< update: pass the source's reference tag through */
#define SVA_DIF_DST_REF_FIXED  0x80u /**< the reference tag does not increment */
/* Status of a failed DIF check, byte 1 of the record; may be combined. */
#define SVA_DIF_ERR_GUARD 0x01u /**< guard mismatch */
#define SVA_DIF_ERR_APP   0x02u /**< application tag mismatch */
#define SVA_DIF_ERR_REF   0x04u /**< reference tag mismatch */
#define SVA_DIF_ERR_ALL_F 0x08u /**< tuple of all ones, with SVA_DIF_SRC_ALL_F_ERROR */

/**
 * A descriptor. Must be 64-byte aligned where it is submitted from; the type asks for that. src,
 * dst and size are the names for a copy; the table in sva(7) has the meaning of the three fields
 * for the other operations.
 * Source: [S3] 8.1. Since: 0.1
 */
struct sva_desc {
	/**
	 * bytes 0-3: PASID (19:0), PRIV (31). 0 from user mode: the CPU or the kernel fills it in
	 */
	uint32_t pasid_priv;
	/** bytes 4-7: SVA_DESC_* flags (23:0), enum sva_opcode (31:24) */
	uint32_t flags_opcode;
	uint64_t completion_addr; /**< bytes 8-15: 32-byte aligned; 0 without SVA_DESC_CRAV */
	/** bytes 16-23: source, source 1, fill pattern, batch list, delta record (apply) */
	uint64_t src;
	uint64_t dst;             /**< bytes 24-31: destination, source 2, compare pattern */
	uint32_t size;            /**< bytes 32-35: bytes; batch: number of descriptors */
	uint16_t int_handle;      /**< bytes 36-37: 0 without SVA_DESC_RCI */
	uint16_t reserved;        /**< bytes 38-39: 0 */
	union sva_desc_specific op; /**< bytes 40-63 */
}
#if defined(__GNUC__)
__attribute__((aligned(64)))
#endif
;

/**
 * Bytes 16-31 of the record of a DIF operation: the tags for the block after the last. Source: [S3]
 * 8.2. Since: 0.1
 */
struct sva_comp_dif {
	uint32_t src_ref;      /**< bytes 16-19 */
	uint16_t src_app_mask; /**< bytes 20-21 */
	uint16_t src_app;      /**< bytes 22-23 */
	uint32_t dst_ref;      /**< bytes 24-27 */
	uint16_t dst_app_mask; /**< bytes 28-29 */
	uint16_t dst_app;      /**< bytes 30-31 */
};

/**
 * A completion record. status is written last: poll it alone, read the rest after it is non-zero.
 * Must be 32-byte aligned; the library gives each one a cache line of its own.
 * Source: [S3] 8.2. Since: 0.1
 */
struct sva_comp {
	/** byte 0: bits 5:0 SVA_STATUS_*, bit 7: the faulting access was a write; 0 = not yet */
	uint8_t status;
	/** byte 1: compare, delta: result; memmove: direction; DIF: SVA_DIF_ERR_* */
	uint8_t result;
	uint8_t fault_info;   /**< byte 2: DSA 2: bit 0 address masked, bits 3:1 operand; else 0 */
	uint8_t reserved;     /**< byte 3 */
	/** bytes 4-7: bytes (batch: descriptors) completed; 0 after full success */
	uint32_t bytes;
	/** bytes 8-15: valid for status 03, 04, 06, 1f; bits 11:0 may read 0 */
	uint64_t fault_addr;
	union {
		uint8_t bytes16[16];    /**< bytes 16-31, as they are */
		uint32_t invalid_flags; /**< status 11: the offending flags (23:0) */
		uint32_t delta_size;    /**< create delta: bytes of the delta record */
		uint64_t crc;           /**< CRC: 32 bits, with SVA_DESC_CRC64 64 bits */
		struct sva_comp_dif dif; /**< DIF, DIX: tags to continue with */
	} op;                 /**< bytes 16-31, by operation */
}
#if defined(__GNUC__)
__attribute__((aligned(32)))
#endif
;

#define SVA_STATUS_MASK  0x3fu /**< the code in sva_comp::status. Source: [S3] 8.2 */
#define SVA_STATUS_WRITE 0x80u /**< set with a fault code: the access was a write */

/**
 * Every completion status: X(name, code, errno, text). The enum, sva_status_name(),
 * sva_status_text() and the test tables all expand this one list. errno is that of an operation
 * that ends so, 0 for success.
 * Source: [S3] table 5-6, [U]. Since: 0.1
 */
#define SVA_STATUS_MAP(X) \
	X(NONE, 0x00, EINPROGRESS, "not complete yet") \
	X(SUCCESS, 0x01, 0, "success") \
	X(SUCCESS_PRED, 0x02, EBADE, "done; the result is not the expected one") \
	X(PAGE_FAULT, 0x03, EFAULT, "page fault, partly done") \
	X(PAGE_FAULT_IR, 0x04, EFAULT, "page fault that the operating system could not resolve") \
	X(BATCH_FAIL, 0x05, EIO, "at least one descriptor of the batch did not succeed") \
	X(BATCH_PAGE_FAULT, 0x06, EFAULT, "page fault on the batch list") \
	X(DELTA_OFFSET_ORDER, 0x07, EBADMSG, "delta record: offsets do not increase") \
	X(DELTA_OFFSET_RANGE, 0x08, EBADMSG, "delta record: offset beyond the destination") \
	X(DIF_ERROR, 0x09, EILSEQ, "protection information does not match") \
	X(BAD_OPCODE, 0x10, EOPNOTSUPP, "operation not supported here") \
	X(INVALID_FLAGS, 0x11, EINVAL, "a flag that this operation or device does not have") \
	X(RESERVED_FIELD, 0x12, EINVAL, "a reserved field is not zero") \
	X(XFER_SIZE, 0x13, EINVAL, "transfer size out of range") \
	X(DESC_COUNT, 0x14, EINVAL, "descriptor count out of range") \
	X(DELTA_SIZE, 0x15, EINVAL, "delta record size out of range") \
	X(OVERLAP, 0x16, EINVAL, "buffers overlap") \
	X(DUALCAST_ALIGN, 0x17, EINVAL, "bits 11:0 of the two destinations differ") \
	X(LIST_ALIGN, 0x18, EINVAL, "batch list is not 64-byte aligned") \
	X(INT_HANDLE, 0x19, EINVAL, "invalid interrupt handle") \
	X(COMP_FAULT, 0x1a, EFAULT, "completion record address fault") \
	X(COMP_ALIGN, 0x1b, EINVAL, "completion record is not aligned") \
	X(ADDR_ALIGN, 0x1c, EINVAL, "misaligned address, size or stride") \
	X(PRIV, 0x1d, EPERM, "privilege bit not allowed") \
	X(TRAFFIC_CLASS, 0x1e, EIO, "traffic class not enabled") \
	X(READBACK_FAULT, 0x1f, EFAULT, "page fault on a drain readback address") \
	X(HW_ERROR, 0x20, EIO, "hardware error") \
	X(HW_ERROR_WRITE, 0x21, EIO, "hardware error on a write or a readback") \
	X(TRANSLATION, 0x22, EIO, "address translation failed")

/** Completion status codes, see #SVA_STATUS_MAP. */
enum sva_status {
#define SVA_STATUS_ENUM(name, code, err, text) SVA_STATUS_##name = code,
	SVA_STATUS_MAP(SVA_STATUS_ENUM)
#undef SVA_STATUS_ENUM
	SVA_STATUS_COUNT_ = 0x40 /**< one more than the largest possible code */
};

/* The fields of GENCAP, the capabilities of a device. Source: [S3] 9.2.2, Linux registers.h. */
/** page faults may wait for the operating system */
#define SVA_GENCAP_BLOCK_ON_FAULT   (1ull << 0)
#define SVA_GENCAP_OVERLAP_COPY     (1ull << 1) /**< memmove takes overlapping buffers */
#define SVA_GENCAP_CACHE_CONTROL    (1ull << 2) /**< SVA_DESC_CC */
#define SVA_GENCAP_DURABLE_WRITE    (1ull << 5) /**< writes to durable memory */
#define SVA_GENCAP_INTER_DOMAIN     (1ull << 6) /**< operations between address spaces */
#define SVA_GENCAP_FETCH_STRIDE     (1ull << 7) /**< SVA_DESC_STRIDE */
#define SVA_GENCAP_READBACK         (1ull << 8) /**< SVA_DESC_DRDBK */
#define SVA_GENCAP_DRAIN_READBACK   (1ull << 9) /**< SVA_DESC_DRAIN_RDBK1, 2 */
#define SVA_GENCAP_FILL16           (1ull << 10) /**< SVA_DESC_FILL16 */
#define SVA_GENCAP_CRC64            (1ull << 11) /**< SVA_DESC_CRC64 */
#define SVA_GENCAP_FAULT_INFO       (1ull << 12) /**< sva_comp::fault_info */
#define SVA_GENCAP_BATCH_CONTINUE   (1ull << 15) /**< SVA_DESC_BATCH_ERROR */
#define SVA_GENCAP_MAX_XFER(cap)    (1ull << (((cap) >> 16) & 0x1f)) /**< bytes */
#define SVA_GENCAP_MAX_BATCH(cap)   (1u << (((cap) >> 21) & 0xf))    /**< descriptors */
#define SVA_GENCAP_BATCH_OF_ONE     (1ull << 52) /**< a batch may have one descriptor */
#define SVA_GENCAP_NO_STORD_MEM     (1ull << 53) /**< no strict ordering of writes to memory */
/** no strict ordering of writes to another device */
#define SVA_GENCAP_NO_STORD_PEER    (1ull << 54)

/** bytes of one entry of a delta record. Source: [S3] 8.3.8 */
#define SVA_DELTA_ENTRY_SIZE 10u
#define SVA_DELTA_MIN_SIZE   80u       /**< the least max_size that create delta takes */
#define SVA_DELTA_MAX_REGION 0x80000u  /**< the most bytes one delta operation covers */

/** flags_opcode from its two parts. Since: 0.1 */
static inline uint32_t sva_desc_word(enum sva_opcode opcode, uint32_t flags)
{
	return ((uint32_t)opcode << 24) | flags;
}

/** The operation of a descriptor. Since: 0.1 */
static inline unsigned int sva_desc_opcode(const struct sva_desc *desc)
{
	return desc->flags_opcode >> 24;
}

/** The 24 flag bits of a descriptor. Since: 0.1 */
static inline uint32_t sva_desc_flags(const struct sva_desc *desc)
{
	return desc->flags_opcode & 0xffffffu;
}

#ifdef __cplusplus
}
#endif

#endif
