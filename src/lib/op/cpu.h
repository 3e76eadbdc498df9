/* SPDX-License-Identifier: MIT */
/*
 * The cpu route: plain work, without a model, a descriptor that travels, or a system call. What a
 * device would refuse, or what it would report, is the same here.
 */
#ifndef SVA_OP_CPU_H
#define SVA_OP_CPU_H

#include "lib/op/cpu-wide.h"

#pragma GCC visibility push(hidden)

/* ---- the work itself; the caller has made the checks, and a bad pointer is a signal */

void sva_cpu_fill(void *dst, uint64_t pattern, size_t len);
void sva_cpu_fill16(void *dst, uint64_t low, uint64_t high, size_t len);

/* Offset of the first byte that differs, or len. */
static inline size_t sva_cpu_compare(const void *a, const void *b, size_t len)
{
	return sva_wide->find_difference(a, b, len);
}

static inline size_t sva_cpu_compare_pattern(const void *src, uint64_t pattern, size_t len)
{
	return sva_wide->find_other(src, pattern, len);
}

void sva_cpu_dualcast(void *dst1, void *dst2, const void *src, size_t len);
/* flags: SVA_DESC_CRC*; the seed is a value. */
uint64_t sva_cpu_crc(const void *src, size_t len, uint64_t seed, uint32_t flags);
uint64_t sva_cpu_copy_crc(void *dst, const void *src, size_t len, uint64_t seed, uint32_t flags);
uint32_t sva_cpu_crc32c(const void *src, size_t len, uint32_t seed);
/* The result byte: 0 equal, 1 different, 2 the record is full; *covered: bytes of the sources that
 * it covers.
 */
uint8_t sva_cpu_create_delta(const void *from, const void *to, size_t len, void *record,
			     uint32_t max, uint32_t *size, size_t *covered);
/* SVA_STATUS_*; *done: bytes of the record that were applied, if not all. */
uint8_t sva_cpu_apply_delta(void *dst, size_t len, const void *record, uint32_t size,
			    uint32_t *done);
/* The five of them: status, result byte and tags in comp. Returns the bytes of the blocks done. */
uint64_t sva_cpu_dif(const struct sva_desc *desc, uint64_t len, struct sva_comp *comp);
void sva_cpu_flush(const void *addr, size_t len);

/* ---- a whole operation */

/*
 * Can the descriptor be executed plainly, for len bytes instead of its size? It has passed
 * sva_progress_check(). What is not known here is for the model: flags and fields that it refuses.
 */
bool sva_cpu_knows(const struct sva_desc *desc, uint64_t len);
/*
 * Execute what sva_cpu_knows(). comp is left as by a device, with the number of bytes completed cut
 * to its 32 bits; it is returned in full.
 */
uint64_t sva_cpu_execute(const struct sva_desc *desc, uint64_t len, struct sva_comp *comp);

/*
 * Do what is left of an operation that has begun. false: nothing was counted, and the model is to
 * do it: it has a descriptor that is not known here, or an address in it is bad. Else *error is
 * what it ends with.
 */
#define SVA_CPU_GUARD 1u /* a bad address is no signal */
#define SVA_CPU_TOUCH 2u /* nor is it here: the pages are touched first */
bool sva_cpu_finish(struct sva_op *op, unsigned int how, int *error);

/* memmove and fill that answer -EFAULT with the address. */
int sva_guard_move(void *dst, const void *src, size_t len, uint64_t *bad);
int sva_guard_fill(void *dst, uint64_t pattern, size_t len, uint64_t *bad);

#pragma GCC visibility pop

#endif
