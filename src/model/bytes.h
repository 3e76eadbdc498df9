/* SPDX-License-Identifier: MIT */
/*
 * Copy, fill and compare of plain bytes without libc, whose functions a client may have replaced by
 * ones that call us. Baseline x86-64 (SSE2, rep movsb; AVX2 to compare, where there is one) or
 * plain loops. Under a sanitizer the plain loops run, so that it sees each access.
 */
#ifndef SVA_MODEL_BYTES_H
#define SVA_MODEL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define MODEL_PLAIN_LOOPS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
#define MODEL_PLAIN_LOOPS 1
#endif
#ifndef MODEL_PLAIN_LOOPS
#define MODEL_PLAIN_LOOPS 0
#endif

/* 0 for who calls the model where only the registers of SSE were saved. */
#ifndef MODEL_AVX2
#define MODEL_AVX2 1
#endif

/* Unaligned words inside memory of any type. */
typedef uint64_t __attribute__((may_alias, aligned(1))) model_u64;
typedef uint32_t __attribute__((may_alias, aligned(1))) model_u32;
typedef uint16_t __attribute__((may_alias, aligned(1))) model_u16;

/* For small objects of whole words. */
static inline void model_bytes_zero(void *to, size_t len)
{
	for (size_t i = 0; i < len / 8; i++)
		((model_u64 *)to)[i] = 0;
}

/* For small objects. */
static inline void model_bytes_copy(void *to, const void *from, size_t len)
{
	const uint8_t *source = from;
	uint8_t *byte = to;

	for (; len >= 8; byte += 8, source += 8, len -= 8)
		*(model_u64 *)byte = *(const model_u64 *)source;
	while (len--)
		*byte++ = *source++;
}

/* Which of 64 bytes are not 0: bit n for byte n. */
uint64_t model_bytes_nonzero(const void *bytes);

/*
 * Of any size; may overlap. stream: bypass the caches if it is large enough to gain from that.
 * Forwards is right if to is below from, backwards if it is above.
 */
void model_bytes_move(uint8_t *to, const uint8_t *from, size_t len, bool stream);

/*
 * Fill with a pattern of 16 bytes, given twice in a row; byte `phase` of it goes to the first
 * address.
 */
void model_bytes_fill(uint8_t *to, const uint8_t pattern[32], size_t phase, size_t len,
		      bool stream);

/* Offset of the first byte that differs, or len. */
size_t model_bytes_diff(const uint8_t *a, const uint8_t *b, size_t len);

/* The same against such a pattern. */
size_t model_bytes_diff_pattern(const uint8_t *a, const uint8_t pattern[32], size_t phase,
				size_t len);

#endif
