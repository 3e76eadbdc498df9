/* SPDX-License-Identifier: MIT */
/**
 * @file sva/op.h
 * One operation: its descriptor, its completion record, and the state to resume it.
 *
 * The caller owns the memory of a struct sva_op: on the stack, in an array, anywhere that is
 * 64-byte aligned. The sva_prep_* functions fill it. They only fill it in and cannot fail: bad
 * input is reported by sva_submit(). From a successful submit until sva_poll() or sva_wait()
 * reports its end (or sva_op_retire() returns), the memory belongs to the library and the device;
 * it must not be moved, written, prepared again or freed.
 *
 * Thread safety: the sva_prep_* functions access only their operation. One thread at a time polls,
 * waits for or retires an operation; it need not be the thread that submitted it, but that is the
 * fastest.
 *
 * Since: 0.1
 */
#ifndef SVA_OP_H
#define SVA_OP_H

#include "sva/desc.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The sva_prep_* functions are inline here, and exported by the library for programs in languages
 * that cannot inline C.
 */
#ifndef SVA_INLINE
#define SVA_INLINE static inline
#endif

/*
 * Operation flags, sva_op::flags: or-ed in after sva_prep_*, before submit. Unknown bits are
 * -EINVAL.
 */
#define SVA_OP_FAULT_TOUCH 0x1u /**< on a page fault: touch the page, resume on the device */
/** let the device wait for the operating system, where the queue allows it */
#define SVA_OP_FAULT_BLOCK 0x2u
#define SVA_OP_FAULT_CPU   0x3u /**< on a page fault: finish on the CPU */
#define SVA_OP_FAULT_MASK  0x3u /**< the field of the three above; 0: the context's policy */
#define SVA_OP_CACHE       0x4u /**< write into the CPU's cache (the default for up to 1 MiB) */
#define SVA_OP_NO_CACHE    0x8u /**< write to memory; together with SVA_OP_CACHE: -EINVAL */
/** in a batch: start after all earlier entries, if they succeeded */
#define SVA_OP_FENCE       0x10u
/** compare, delta: -EBADE if the result is not the expected one */
#define SVA_OP_CHECK       0x20u
#define SVA_OP_STRICT_ORDER 0x40u /**< strict ordering of this operation's writes */
/** Prefer a queue near NUMA node n (0 to 254), where the buffers are. */
#define SVA_OP_NODE(n)     (((uint32_t)(n) + 1u) << 16)
/** The node in flags, -1 if there is none. */
#define SVA_OP_NODE_HINT(flags) ((int)(((flags) >> 16) & 0xffu) - 1)
#define SVA_OP_FLAGS_ALL   0xff007fu /**< every flag this version knows */

/** Bytes of a struct sva_op. */
#define SVA_OP_SIZE 512

/**
 * An operation. Its size never changes; the bytes behind the named fields belong to the library.
 * Since: 0.1
 */
struct sva_op {
	/** the descriptor; the library fills in address, size and flags */
	struct sva_desc desc;
	struct sva_comp comp;      /**< the completion record; alone in its cache line */
	uint8_t comp_more[32];     /**< the second half of the 64-byte record of an IAX */
	uint64_t user_data;        /**< the caller's; no function reads or writes it */
	uint64_t length;           /**< bytes of the whole operation; any length, done in chunks */
	uint32_t flags;            /**< SVA_OP_*; 0 after sva_prep_* */
	uint32_t state;            /**< of the library */
	uint64_t opaque[(SVA_OP_SIZE - 152) / 8]; /**< of the library */
}
#if defined(__GNUC__)
__attribute__((aligned(64)))
#endif
;

/** sva_op::state after sva_prep_*; sva_submit() refuses other values, such as stack garbage. */
#define SVA_OP_PREPARED 0x5a70706fu

/**
 * Prepare an operation of any kind, with every other field zero; the other sva_prep_* functions
 * begin with it.
 *
 * Use it directly for descriptors that no other function makes: set fields of op->desc and
 * op->length afterwards. The library sets the record address, the record flags and the size.
 * Since: 0.1
 */
SVA_INLINE void sva_prep(struct sva_op *op, enum sva_opcode opcode, uint64_t src, uint64_t dst,
			 uint64_t length)
{
	union sva_desc_specific zero = { { 0 } };

	op->desc.pasid_priv = 0;
	op->desc.flags_opcode = sva_desc_word(opcode, 0);
	op->desc.completion_addr = 0;
	op->desc.src = src;
	op->desc.dst = dst;
	op->desc.size = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
	op->desc.int_handle = 0;
	op->desc.reserved = 0;
	op->desc.op = zero;
	op->length = length;
	op->flags = 0;
	op->state = SVA_OP_PREPARED;
}

/** Prepare a no-op: it only completes. Since: 0.1 */
SVA_INLINE void sva_prep_noop(struct sva_op *op)
{
	sva_prep(op, SVA_OPCODE_NOOP, 0, 0, 0);
}

/**
 * Prepare a drain: it completes after all operations that this process submitted earlier to the
 * same queue. Since: 0.1
 */
SVA_INLINE void sva_prep_drain(struct sva_op *op)
{
	sva_prep(op, SVA_OPCODE_DRAIN, 0, 0, 0);
}

/**
 * Prepare a copy of len bytes from src to dst. The buffers may overlap; the result is that of
 * memmove(3).
 * Since: 0.1
 */
SVA_INLINE void sva_prep_memcpy(struct sva_op *op, void *dst, const void *src, size_t len)
{
	sva_prep(op, SVA_OPCODE_MEMMOVE, (uint64_t)(uintptr_t)src, (uint64_t)(uintptr_t)dst, len);
}

/**
 * Prepare a fill of len bytes with an 8-byte pattern, which starts with its least significant byte
 * at dst and repeats; len need not be a multiple of 8.
 * Since: 0.1
 */
SVA_INLINE void sva_prep_memfill(struct sva_op *op, void *dst, uint64_t pattern, size_t len)
{
	sva_prep(op, SVA_OPCODE_FILL, pattern, (uint64_t)(uintptr_t)dst, len);
}

#ifdef __cplusplus
}
#endif

#endif
