/* SPDX-License-Identifier: MIT */
/*
 * The tables of cpu-wide.h. Baseline x86-64 has SSE2; AVX2 and AVX-512 are used where the CPU and
 * the kernel have them. The plain table is for other machines, and for tests everywhere.
 */
#include <string.h>

#include "lib/op/cpu-wide.h"

static bool always(void)
{
	return true;
}

/* ------------------------------------------------------------------ plain C */

/* memcmp(3) compares so many bytes before the position of a difference is searched in them. */
#define PIECE 4096u

static void fill_plain(uint8_t *to, sva_pattern pattern, size_t len)
{
	uint64_t low = (uint64_t)pattern, high = (uint64_t)(pattern >> 64);
	size_t i = 0;

	for (; i + 16 <= len; i += 16) {
		sva_store8(to + i, low);
		sva_store8(to + i + 8, high);
	}
	memcpy(to + i, &pattern, len - i);
}

static size_t find_difference_plain(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i, piece, same;

	for (i = 0; i < len; i += piece) {
		piece = len - i < PIECE ? len - i : PIECE;
		if (!memcmp(a + i, b + i, piece))
			continue;
		same = sva_find_short(a + i, b + i, piece);
		return i + same;
	}
	return len;
}

static void record_differences_plain(const uint8_t *from, const uint8_t *to, size_t len,
				     struct sva_delta *delta)
{
	for (; len - delta->done >= 64; delta->done += 64) {
		unsigned int words = 0;

		for (unsigned int i = 0; i < 8; i++)
			words |= (unsigned int)(sva_load8(from + delta->done + i * 8) !=
						sva_load8(to + delta->done + i * 8))
				 << i;
		if (!sva_delta_add(delta, to, delta->done, words))
			return;
	}
	if (delta->done < len)
		sva_delta_end(from, to, len, delta);
}

const struct sva_wide sva_wide_plain = {
	.name = "plain C",
	.is_usable = always,
	.fill = fill_plain,
	.find_difference = find_difference_plain,
	.find_other = sva_find_other_short,
	.record_differences = record_differences_plain,
};

#ifdef __x86_64__

#include <immintrin.h>

/*
 * A fill of this many bytes would evict everything else from the caches, and is faster if it
 * bypasses them: measured with 32 MiB of last-level cache, 16 MiB take 1.0 ms instead of 4 to 6.
 */
#define SVA_STREAM_MIN (16u << 20)

static inline __m128i half_of(sva_pattern pattern)
{
	return _mm_set_epi64x((long long)(uint64_t)(pattern >> 64), (long long)(uint64_t)pattern);
}

/* ------------------------------------------------------------------ SSE2 */

#define WIDE_NAME(x) x##_sse2
#define WIDE_TARGET
#define WIDTH 16
#define VECTOR __m128i
#define LOAD(from) _mm_loadu_si128((const __m128i *)(const void *)(from))
#define STORE(to, value) _mm_storeu_si128((__m128i *)(void *)(to), value)
#define PUT(to, value) _mm_store_si128((__m128i *)(void *)(to), value)
#define STREAM(to, value) _mm_stream_si128((__m128i *)(void *)(to), value)
#define REPEAT(half) half_of(half)
#define EQUALS(a, b) _mm_cmpeq_epi8(a, b)
#define BOTH(x, y) _mm_and_si128(x, y)
#define ALL(x) (_mm_movemask_epi8(x) == 0xffff)
#define OTHERS(a, b) ((unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) ^ 0xffffu)
#define WORDS(a, b) words_sse2(a, b)

/* SSE2 has no comparison of 8 bytes: both halves have to be the same. */
static inline unsigned int words_sse2(__m128i a, __m128i b)
{
	__m128i same = _mm_cmpeq_epi32(a, b);

	same = _mm_and_si128(same, _mm_shuffle_epi32(same, 0xb1));
	return (unsigned int)_mm_movemask_pd(_mm_castsi128_pd(same)) ^ 3u;
}

#include "lib/op/cpu-loops.h"

const struct sva_wide sva_wide_sse2 = {
	.name = "SSE2",
	.is_usable = always,
	.fill = fill_sse2,
	.find_difference = find_difference_sse2,
	.find_other = find_other_sse2,
	.record_differences = record_differences_sse2,
};

/* ------------------------------------------------------------------ AVX2 */

#define WIDE_NAME(x) x##_avx2
#define WIDE_TARGET __attribute__((target("avx2,popcnt,bmi")))
#define WIDTH 32
#define VECTOR __m256i
#define LOAD(from) _mm256_loadu_si256((const __m256i *)(const void *)(from))
#define STORE(to, value) _mm256_storeu_si256((__m256i *)(void *)(to), value)
#define PUT(to, value) _mm256_store_si256((__m256i *)(void *)(to), value)
#define STREAM(to, value) _mm256_stream_si256((__m256i *)(void *)(to), value)
#define REPEAT(half) _mm256_broadcastsi128_si256(half_of(half))
#define EQUALS(a, b) _mm256_cmpeq_epi8(a, b)
#define BOTH(x, y) _mm256_and_si256(x, y)
#define ALL(x) (_mm256_movemask_epi8(x) == -1)
#define OTHERS(a, b) (~(unsigned int)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)))
#define WORDS(a, b) \
	((unsigned int)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(a, b))) ^ 15u)

#include "lib/op/cpu-loops.h"

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") &&
	       __builtin_cpu_supports("bmi");
}

const struct sva_wide sva_wide_avx2 = {
	.name = "AVX2",
	.is_usable = has_avx2,
	.fill = fill_avx2,
	.find_difference = find_difference_avx2,
	.find_other = find_other_avx2,
	.record_differences = record_differences_avx2,
};

/* ------------------------------------------------------------------ AVX-512 */

#define WIDE_NAME(x) x##_avx512
#define WIDE_TARGET __attribute__((target("avx512f,avx512bw,popcnt,bmi")))
#define WIDTH 64
#define VECTOR __m512i
#define LOAD(from) _mm512_loadu_si512((const void *)(from))
#define STORE(to, value) _mm512_storeu_si512((void *)(to), value)
#define PUT(to, value) _mm512_store_si512((void *)(to), value)
#define STREAM(to, value) _mm512_stream_si512((void *)(to), value)
#define REPEAT(half) _mm512_broadcast_i32x4(half_of(half))
#define EQUALS(a, b) _mm512_cmpeq_epi8_mask(a, b)
#define BOTH(x, y) ((x) & (y))
#define ALL(x) ((x) == UINT64_MAX)
#define OTHERS(a, b) ((uint64_t)_mm512_cmpneq_epi8_mask(a, b))
#define WORDS(a, b) ((unsigned int)_mm512_cmpneq_epi64_mask(a, b))

#include "lib/op/cpu-loops.h"

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       has_avx2();
}

const struct sva_wide sva_wide_avx512 = {
	.name = "AVX-512",
	.is_usable = has_avx512,
	.fill = fill_avx512,
	.find_difference = find_difference_avx512,
	.find_other = find_other_avx512,
	.record_differences = record_differences_avx512,
};

const struct sva_wide *const sva_wide_all[] = {
	&sva_wide_plain, &sva_wide_sse2, &sva_wide_avx2, &sva_wide_avx512, NULL,
};
const struct sva_wide *sva_wide = &sva_wide_sse2;

/*
 * Runs before main(). Code that calls the library earlier uses the instructions that every such
 * machine has.
 */
static __attribute__((constructor)) void choose_wide(void)
{
	__builtin_cpu_init();
	for (const struct sva_wide *const *wide = sva_wide_all; *wide; wide++)
		if ((*wide)->is_usable())
			sva_wide = *wide;
}

#else

const struct sva_wide *const sva_wide_all[] = {&sva_wide_plain, NULL};
const struct sva_wide *sva_wide = &sva_wide_plain;

#endif
