/* SPDX-License-Identifier: MIT */
/*
 * Work on the CPU: plain code, without the model, a submission, or a system call. It refuses and
 * reports what a device would.
 */
#ifndef SVA_OP_CPU_H
#define SVA_OP_CPU_H

#include "model/checksum.h"
#include "lib/op/cpu-wide.h"

#pragma GCC visibility push(hidden)

/* ---- single pieces of work; the caller has checked the operands, a bad pointer raises a signal */

void sva_cpu_fill(void *dst, uint64_t pattern, size_t len);
void sva_cpu_fill16(void *dst, uint64_t low, uint64_t high, size_t len);

/* The offset of the first byte that differs, or len. */
static inline size_t sva_cpu_compare(const void *a, const void *b, size_t len)
{
	return sva_wide->find_difference(a, b, len);
}

static inline size_t sva_cpu_compare_pattern(const void *src, uint64_t pattern, size_t len)
{
	return sva_wide->find_other(src, pattern, len);
}

void sva_cpu_dualcast(void *dst1, void *dst2, const void *src, size_t len);
static inline uint32_t sva_cpu_crc32c(const void *src, size_t len, uint32_t seed)
{
	return ~model_crc32c(~seed, src, len);
}

/* flags: SVA_DESC_CRC*; the seed is a value, not an address. */
uint64_t sva_cpu_crc(const void *src, size_t len, uint64_t seed, uint32_t flags);
uint64_t sva_cpu_copy_crc(void *dst, const void *src, size_t len, uint64_t seed, uint32_t flags);
uint32_t sva_cpu_copy_crc32c(void *dst, const void *src, size_t len, uint32_t seed);
/*
 * Returns the result byte: 0: equal, 1: different, 2: the record is full. *covered: how many bytes
 * of the sources the record covers.
 */
uint8_t sva_cpu_create_delta(const void *from, const void *to, size_t len, void *record,
			     uint32_t max, uint32_t *size, size_t *covered);
/* Returns SVA_STATUS_*. *done: how many bytes of the record were applied, if not all. */
uint8_t sva_cpu_apply_delta(void *dst, size_t len, const void *record, uint32_t size,
			    uint32_t *done);
/*
 * All five DIF and DIX operations: status, result byte and tags go into comp. Returns the bytes of
 * the blocks that were done.
 */
uint64_t sva_cpu_dif(const struct sva_desc *desc, uint64_t len, struct sva_comp *comp);
void sva_cpu_flush(const void *addr, size_t len);

/* ---- a whole operation */

/*
 * Can the descriptor be executed here, for len bytes instead of its size? It has passed
 * sva_progress_check(). Otherwise the model does it, and refuses flags and fields that it does not
 * know.
 */
bool sva_cpu_knows(const struct sva_desc *desc, uint64_t len);
/*
 * Execute a descriptor that sva_cpu_knows(). comp is set as by a device, with the number of bytes
 * completed cut to its 32 bits. Returns the full number.
 */
uint64_t sva_cpu_execute(const struct sva_desc *desc, uint64_t len, struct sva_comp *comp);

/*
 * Do what is left of an operation that has begun. Returns false if the model must do it, since the
 * descriptor is not known here or has a bad address; nothing was counted then. Otherwise *error is
 * the result.
 */
#define SVA_CPU_GUARD 1u /* under the guard: a bad address raises no signal */
#define SVA_CPU_TOUCH 2u /* touch the pages first, and leave a bad address to the model */
bool sva_cpu_finish(struct sva_op *op, unsigned int how, int *error);

/* memmove and fill; -EFAULT with the address in *bad for a bad pointer. */
int sva_guard_move(void *dst, const void *src, size_t len, uint64_t *bad);
int sva_guard_fill(void *dst, uint64_t pattern, size_t len, uint64_t *bad);

#pragma GCC visibility pop

#endif
