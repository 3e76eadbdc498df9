/* SPDX-License-Identifier: MIT */
/**
 * @file sva/dma.h
 * Mapped buffers: memory that is pinned and mapped for a device once, with a handle, and operations
 * that name handle and offset.
 *
 * The contract differs from shared virtual addressing: the program names the memory that the device
 * may access, and passes it between CPU and device with sva_dma_sync(). It is correct on every
 * machine; on x86 that call costs nothing. Where the sva_dma module can be used, its channels do
 * the work. Elsewhere the library only records the buffer, and operations on it take another
 * permitted path, so such a program runs on every machine, and the results have the path.
 *
 * Since: 0.1
 */
#ifndef SVA_DMA_H
#define SVA_DMA_H

#include "sva/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sva_dma_buf; /**< a mapped buffer */

#define SVA_DMA_SOURCE      0x1u /**< sva_dma_map(): the device reads it */
#define SVA_DMA_DESTINATION 0x2u /**< sva_dma_map(): the device writes it */

#define SVA_DMA_FOR_CPU    0x1u /**< sva_dma_sync(): the CPU will read what the device wrote */
#define SVA_DMA_FOR_DEVICE 0x2u /**< sva_dma_sync(): the CPU wrote what the device will read */

/**
 * Pin and map a buffer. Its pages count against RLIMIT_MEMLOCK until it is unmapped. The memory
 * belongs to the caller; it must not be unmapped or freed before sva_dma_unmap().
 *
 * @param sva   context, NULL: the default one; the buffer must be unmapped before the context is
 * closed
 * @param addr  not NULL; any alignment
 * @param len   bytes, not 0
 * @param flags SVA_DMA_SOURCE, SVA_DMA_DESTINATION; 0 means both
 * @param buf   receives the handle; not changed on failure
 * @return 0; -EINVAL; -EFAULT the memory cannot be accessed that way; -ENOMEM, also for
 *        RLIMIT_MEMLOCK; -ENOSPC too many handles; -EMSGSIZE longer than the module maps; -ENODEV
 *        no permitted path can use it; -ESTALE
 * Since: 0.1
 */
SVA_API int sva_dma_map(struct sva *sva, void *addr, size_t len, unsigned int flags,
			struct sva_dma_buf **buf);

/**
 * End a mapping. All operations on it must have ended. NULL does nothing.
 * @return 0; -EBUSY operations on it are in flight, or their end was not polled or reaped yet: it
 *        stays mapped; -ESTALE it is from before a fork and belongs to the parent
 * Since: 0.1
 */
SVA_API int sva_dma_unmap(struct sva_dma_buf *buf);

/**
 * Pass a part of a buffer between CPU and device.
 * @param direction SVA_DMA_FOR_CPU or SVA_DMA_FOR_DEVICE
 * @return 0; -EINVAL, also for a part beyond the end; -EIO the program has closed the module's
 *        descriptor; -ESTALE
 * Since: 0.1
 */
SVA_API int sva_dma_sync(struct sva_dma_buf *buf, size_t off, size_t len, unsigned int direction);

/**
 * 1: mapped for a device; 0: only recorded, since the sva_dma module cannot be used; -EINVAL.
 * Since: 0.1
 */
SVA_API int sva_dma_is_mapped(const struct sva_dma_buf *buf);

/**
 * Prepare a copy between two buffers. Submit it like any other operation. sva_submit() refuses
 * parts beyond the end of a buffer and directions that a buffer was not mapped for with -EINVAL.
 * Since: 0.1
 */
SVA_INLINE void sva_prep_dma_copy(struct sva_op *op, struct sva_dma_buf *dst, size_t doff,
				  struct sva_dma_buf *src, size_t soff, size_t len)
{
	sva_prep(op, SVA_OPCODE_DMA_COPY, soff, doff, len);
	op->desc.op.dma.dst = (uint64_t)(uintptr_t)dst;
	op->desc.op.dma.src = (uint64_t)(uintptr_t)src;
}

/** Prepare a fill of a buffer with an 8-byte pattern. As sva_prep_dma_copy(). Since: 0.1 */
SVA_INLINE void sva_prep_dma_fill(struct sva_op *op, struct sva_dma_buf *dst, size_t doff,
				  uint64_t pattern, size_t len)
{
	sva_prep(op, SVA_OPCODE_DMA_FILL, pattern, doff, len);
	op->desc.op.dma.dst = (uint64_t)(uintptr_t)dst;
}

/** Copy between two buffers, and wait for it. Since: 0.1 */
SVA_API int sva_dma_copy(struct sva *sva, struct sva_dma_buf *dst, size_t doff,
			 struct sva_dma_buf *src, size_t soff, size_t len);

/** Fill a buffer, and wait for it. Since: 0.1 */
SVA_API int sva_dma_fill(struct sva *sva, struct sva_dma_buf *dst, size_t doff, uint64_t pattern,
			 size_t len);

struct io_uring_sqe; /**< a submission, of <linux/io_uring.h> */

/**
 * Put a prepared operation on mapped buffers into a submission for an io_uring of the caller's, so
 * that it completes there, with the other requests of that ring. Use it instead of sva_submit():
 * the caller submits it, takes its completion, and passes the result to sva_dma_uring_done(). All
 * kinds of rings work, also those that poll.
 *
 * @param op  from sva_prep_dma_copy() or sva_prep_dma_fill(); it belongs to library and kernel
 *        until sva_dma_uring_done(), which alone ends it: sva_poll(), sva_wait() and
 *        sva_op_retire() do not
 * @param sqe from io_uring_get_sqe(3); its 64 bytes are written, and sqe->user_data is the address
 *        of op. The caller may change that, and set IOSQE_* flags, afterwards
 * @return 0; -EOPNOTSUPP this operation cannot be done by io_uring (a buffer is not mapped for a
 *        device, the parts overlap, or the kernel's io_uring lacks commands): sva_submit() takes it
 *        unchanged; -EINVAL as sva_submit(); -EBUSY; -ESTALE
 * Since: 0.1
 */
SVA_API int sva_dma_uring_prep(struct sva_op *op, struct io_uring_sqe *sqe);

/**
 * End an operation of sva_dma_uring_prep(): its completion has come, or its submission was not made
 * (then with -ECANCELED). Its result can be read afterwards. With -EAGAIN and -EOPNOTSUPP the
 * buffers were not accessed: prepare it again, for the ring or for sva_submit(), which has more
 * paths.
 *
 * @param res io_uring_cqe::res
 * @return 0, or the -errno that the operation ended with; -EINVAL it is on no ring; -ESTALE it
 *        belongs to the parent
 * Since: 0.1
 */
SVA_API int sva_dma_uring_done(struct sva_op *op, int res);

#ifdef __cplusplus
}
#endif

#endif
