/* SPDX-License-Identifier: MIT */
/* Copy, fill and compare: see bytes.h. */
#include "model/bytes.h"

#if MODEL_PLAIN_LOOPS

static void move_up(uint8_t *to, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = from[i];
}

static void move_down(uint8_t *to, const uint8_t *from, size_t len)
{
	while (len--)
		to[len] = from[len];
}

void model_bytes_move(uint8_t *to, const uint8_t *from, size_t len, bool stream)
{
	(void)stream;
	if ((uintptr_t)to - (uintptr_t)from < len)
		move_down(to, from, len);
	else
		move_up(to, from, len);
}

void model_bytes_fill(uint8_t *to, const uint8_t pattern[32], size_t phase, size_t len, bool stream)
{
	(void)stream;
	for (size_t i = 0; i < len; i++)
		to[i] = pattern[(phase + i) % 16];
}

uint64_t model_bytes_nonzero(const void *bytes)
{
	uint64_t bits = 0;

	for (int i = 0; i < 64; i++)
		bits |= (uint64_t)(((const uint8_t *)bytes)[i] != 0) << i;
	return bits;
}

size_t model_bytes_diff(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	while (i < len && a[i] == b[i])
		i++;
	return i;
}

size_t model_bytes_diff_pattern(const uint8_t *a, const uint8_t pattern[32], size_t phase,
				size_t len)
{
	size_t i = 0;

	while (i < len && a[i] == pattern[(phase + i) % 16])
		i++;
	return i;
}

#else

#include <immintrin.h>

/*
 * From here on a copy or fill that bypasses the caches is faster than one that evicts what is in
 * them: about half of a last-level cache. Measured with 32 MiB of it: cached wins up to 8 MiB,
 * streamed from 16 MiB (tests/model/speed).
 */
#define STREAM_MIN (16u << 20)
/* The string instructions have a start-up cost; below this the loops win. */
#define REP_MIN 2048u

static inline __m128i load(const uint8_t *from)
{
	return _mm_loadu_si128((const __m128i *)from);
}

static inline void store(uint8_t *to, __m128i value)
{
	_mm_storeu_si128((__m128i *)to, value);
}

/*
 * Up to 16 bytes: everything is loaded before anything is stored, so it is right for any overlap.
 */
static inline void move_small(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len >= 8) {
		uint64_t first = *(const model_u64 *)from,
			 last = *(const model_u64 *)(from + len - 8);

		*(model_u64 *)to = first;
		*(model_u64 *)(to + len - 8) = last;
	} else if (len >= 4) {
		uint32_t first = *(const model_u32 *)from,
			 last = *(const model_u32 *)(from + len - 4);

		*(model_u32 *)to = first;
		*(model_u32 *)(to + len - 4) = last;
	} else if (len >= 2) {
		uint16_t first = *(const model_u16 *)from,
			 last = *(const model_u16 *)(from + len - 2);

		*(model_u16 *)to = first;
		*(model_u16 *)(to + len - 2) = last;
	} else if (len) {
		*to = *from;
	}
}

/* More than 16 bytes, upwards; right if to is below from, or they do not overlap. */
static void move_up(uint8_t *to, const uint8_t *from, size_t len)
{
	__m128i last = load(from + len - 16);
	size_t i = 0;

	for (; i + 64 <= len; i += 64) {
		__m128i a = load(from + i), b = load(from + i + 16), c = load(from + i + 32),
			d = load(from + i + 48);

		store(to + i, a);
		store(to + i + 16, b);
		store(to + i + 32, c);
		store(to + i + 48, d);
	}
	for (; i + 16 < len; i += 16)
		store(to + i, load(from + i));
	store(to + len - 16, last);
}

/* The same downwards; right if to is above from. */
static void move_down(uint8_t *to, const uint8_t *from, size_t len)
{
	__m128i first = load(from);
	size_t i = len;

	for (; i >= 64; i -= 64) {
		__m128i a = load(from + i - 16), b = load(from + i - 32), c = load(from + i - 48),
			d = load(from + i - 64);

		store(to + i - 16, a);
		store(to + i - 32, b);
		store(to + i - 48, c);
		store(to + i - 64, d);
	}
	for (; i > 16; i -= 16)
		store(to + i - 16, load(from + i - 16));
	store(to, first);
}

/*
 * Past the caches; no overlap. The fence makes the bytes visible before any later store, such as
 * the status.
 */
static void move_stream(uint8_t *to, const uint8_t *from, size_t len)
{
	size_t head = -(uintptr_t)to & 63, i;

	move_up(to, from, 64);
	for (i = head; i + 64 <= len; i += 64) {
		__m128i a = load(from + i), b = load(from + i + 16), c = load(from + i + 32),
			d = load(from + i + 48);

		_mm_stream_si128((__m128i *)(to + i), a);
		_mm_stream_si128((__m128i *)(to + i + 16), b);
		_mm_stream_si128((__m128i *)(to + i + 32), c);
		_mm_stream_si128((__m128i *)(to + i + 48), d);
	}
	_mm_sfence();
	if (i < len)
		move_up(to + len - 64, from + len - 64, 64);
}

void model_bytes_move(uint8_t *to, const uint8_t *from, size_t len, bool stream)
{
	if (len <= 16) {
		move_small(to, from, len);
	} else if ((uintptr_t)to - (uintptr_t)from < len) {
		move_down(to, from, len);
	} else if ((uintptr_t)from - (uintptr_t)to < len || len < REP_MIN) {
		move_up(to, from, len);
	} else if (stream && len >= STREAM_MIN) {
		move_stream(to, from, len);
	} else {
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
	}
}

/* Whole lines of 64 bytes. value goes to the first 16 bytes. stream needs an address on a line. */
static void fill_lines(uint8_t *to, __m128i value, size_t len, bool stream)
{
	size_t i = 0;

	if (!stream) {
		for (; i + 64 <= len; i += 64) {
			store(to + i, value);
			store(to + i + 16, value);
			store(to + i + 32, value);
			store(to + i + 48, value);
		}
		return;
	}
	for (; i + 64 <= len; i += 64) {
		_mm_stream_si128((__m128i *)(to + i), value);
		_mm_stream_si128((__m128i *)(to + i + 16), value);
		_mm_stream_si128((__m128i *)(to + i + 32), value);
		_mm_stream_si128((__m128i *)(to + i + 48), value);
	}
	_mm_sfence();
}

void model_bytes_fill(uint8_t *to, const uint8_t pattern[32], size_t phase, size_t len, bool stream)
{
	const uint64_t low = *(const model_u64 *)pattern, high = *(const model_u64 *)(pattern + 8);
	const bool past_caches = stream && len >= STREAM_MIN;
	size_t head, i = 0;

	if (len < 64) {
		for (; i + 16 <= len; i += 16)
			store(to + i, load(pattern + phase));
		for (; i < len; i++)
			to[i] = pattern[(phase + i) % 16];
		return;
	}
	/*
	 * The first and the last 64 bytes wherever they lie, the lines between them at their best.
	 */
	fill_lines(to, load(pattern + phase), 64, false);
	head = -(uintptr_t)to & 63;
	if (low == high && len >= REP_MIN && !past_caches) {
		uint64_t value = *(const model_u64 *)(pattern + (phase + head) % 16);
		uint8_t *at = to + head;
		size_t words = (len - head) / 8;

		__asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(value) : "memory");
	} else {
		fill_lines(to + head, load(pattern + (phase + head) % 16), len - head, past_caches);
	}
	fill_lines(to + len - 64, load(pattern + (phase + len - 64) % 16), 64, false);
}

/* Sixteen bits, one for each byte that differs. */
static inline unsigned int differing(__m128i a, __m128i b)
{
	return (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) ^ 0xffffu;
}

uint64_t model_bytes_nonzero(const void *bytes)
{
	uint64_t bits = 0;

	for (int i = 0; i < 64; i += 16)
		bits |= (uint64_t)differing(load((const uint8_t *)bytes + i), _mm_setzero_si128())
			<< i;
	return bits;
}

__attribute__((target("avx2"))) static inline __m256i same32(const uint8_t *a, __m256i b)
{
	return _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)a), b);
}

__attribute__((target("avx2"))) static inline __m256i same32_in(const uint8_t *a, const uint8_t *b)
{
	return same32(a, _mm256_loadu_si256((const __m256i *)b));
}

/*
 * How many bytes are the same in whole blocks of 128: loads of 16 bytes are too many for what the
 * level-2 cache gives.
 */
__attribute__((target("avx2"))) static size_t same_blocks(const uint8_t *a, const uint8_t *b,
							  size_t len)
{
	size_t i = 0;

	for (; i + 128 <= len; i += 128) {
		__m256i x = _mm256_and_si256(same32_in(a + i, b + i),
					     same32_in(a + i + 32, b + i + 32));
		__m256i y = _mm256_and_si256(same32_in(a + i + 64, b + i + 64),
					     same32_in(a + i + 96, b + i + 96));

		if (_mm256_movemask_epi8(_mm256_and_si256(x, y)) != -1)
			break;
	}
	return i;
}

/* The same against 16 bytes that repeat. */
__attribute__((target("avx2"))) static size_t pattern_blocks(const uint8_t *a, __m128i value,
							     size_t len)
{
	const __m256i wide = _mm256_broadcastsi128_si256(value);
	size_t i = 0;

	for (; i + 128 <= len; i += 128) {
		__m256i x = _mm256_and_si256(same32(a + i, wide), same32(a + i + 32, wide));
		__m256i y = _mm256_and_si256(same32(a + i + 64, wide), same32(a + i + 96, wide));

		if (_mm256_movemask_epi8(_mm256_and_si256(x, y)) != -1)
			break;
	}
	return i;
}

/* What libgcc learned from the processor once, before main(); until then it says no. */
static bool have_avx2(void)
{
	return MODEL_AVX2 && __builtin_cpu_supports("avx2");
}

size_t model_bytes_diff(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = have_avx2() ? same_blocks(a, b, len) : 0;

	for (; i + 64 <= len; i += 64) {
		__m128i x = _mm_and_si128(_mm_cmpeq_epi8(load(a + i), load(b + i)),
					  _mm_cmpeq_epi8(load(a + i + 16), load(b + i + 16)));
		__m128i y = _mm_and_si128(_mm_cmpeq_epi8(load(a + i + 32), load(b + i + 32)),
					  _mm_cmpeq_epi8(load(a + i + 48), load(b + i + 48)));

		if (_mm_movemask_epi8(_mm_and_si128(x, y)) != 0xffff)
			break;
	}
	for (; i + 16 <= len; i += 16) {
		unsigned int bits = differing(load(a + i), load(b + i));

		if (bits)
			return i + (size_t)__builtin_ctz(bits);
	}
	while (i < len && a[i] == b[i])
		i++;
	return i;
}

size_t model_bytes_diff_pattern(const uint8_t *a, const uint8_t pattern[32], size_t phase,
				size_t len)
{
	__m128i value = load(pattern + phase);
	size_t i = have_avx2() ? pattern_blocks(a, value, len) : 0;

	for (; i + 64 <= len; i += 64) {
		__m128i x = _mm_and_si128(_mm_cmpeq_epi8(load(a + i), value),
					  _mm_cmpeq_epi8(load(a + i + 16), value));
		__m128i y = _mm_and_si128(_mm_cmpeq_epi8(load(a + i + 32), value),
					  _mm_cmpeq_epi8(load(a + i + 48), value));

		if (_mm_movemask_epi8(_mm_and_si128(x, y)) != 0xffff)
			break;
	}
	for (; i + 16 <= len; i += 16) {
		unsigned int bits = differing(load(a + i), value);

		if (bits)
			return i + (size_t)__builtin_ctz(bits);
	}
	while (i < len && a[i] == pattern[(phase + i) % 16])
		i++;
	return i;
}

#endif
