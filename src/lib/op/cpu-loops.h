/* SPDX-License-Identifier: MIT */
/*
 * One table of struct sva_wide, for vectors of one width. Included once for each width, with these
 * defined, which it undefines at its end:
 *
 * 	WIDE_NAME(x)   x with the table's own ending
 * 	WIDE_TARGET    the attribute that permits the instructions
 * 	WIDTH          bytes of a vector
 * 	VECTOR         its type
 * 	LOAD, STORE    unaligned
 * 	PUT, STREAM    aligned; STREAM goes past the caches
 * 	REPEAT(half)   16 bytes, as often as they fit
 * 	EQUALS(a, b)   is every byte of two vectors the same, as a value for BOTH and ALL
 * 	BOTH(x, y), ALL(x)
 * 	OTHERS(a, b)   bit n: byte n differs
 * 	WORDS(a, b)    bit n: the n-th 8 bytes differ
 */

/* The pattern as it is n bytes on, in a whole vector; value is the pattern as it begins. */
WIDE_TARGET static inline VECTOR WIDE_NAME(turn)(VECTOR value, sva_pattern pattern, size_t n)
{
	return n % 16 ? REPEAT(sva_pattern_at(pattern, n)) : value;
}

WIDE_TARGET static void WIDE_NAME(fill)(uint8_t *to, sva_pattern pattern, size_t len)
{
	uint8_t *end = to + len, *at = to;
	VECTOR value = REPEAT(pattern);
	/* The last vector ends with the buffer. */
	const VECTOR last = WIDE_NAME(turn)(value, pattern, len);

	STORE(to, value);
	if (len > 4 * WIDTH) {
		at += -(uintptr_t)to & (WIDTH - 1);
		value = WIDE_NAME(turn)(value, pattern, (size_t)(at - to));
	}
	if (len >= SVA_STREAM_MIN) {
		for (; end - at >= 2 * WIDTH; at += 2 * WIDTH) {
			STREAM(at, value);
			STREAM(at + WIDTH, value);
		}
		/* Order them before any later store of this thread. */
		_mm_sfence();
	}
	for (; end - at > 4 * WIDTH; at += 4 * WIDTH) {
		PUT(at, value);
		PUT(at + WIDTH, value);
		PUT(at + 2 * WIDTH, value);
		PUT(at + 3 * WIDTH, value);
	}
	for (; end - at > WIDTH; at += WIDTH)
		STORE(at, value);
	STORE(end - WIDTH, last);
}

WIDE_TARGET static size_t WIDE_NAME(find_difference)(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	if (len < WIDTH)
		return sva_find_short(a, b, len);
	for (; len - i > 4 * WIDTH; i += 4 * WIDTH) {
		const uint8_t *x = a + i, *y = b + i;

		if (!ALL(BOTH(BOTH(EQUALS(LOAD(x), LOAD(y)),
				   EQUALS(LOAD(x + WIDTH), LOAD(y + WIDTH))),
			      BOTH(EQUALS(LOAD(x + 2 * WIDTH), LOAD(y + 2 * WIDTH)),
				   EQUALS(LOAD(x + 3 * WIDTH), LOAD(y + 3 * WIDTH))))))
			break;
	}
	for (;; i += WIDTH) {
		uint64_t bits;

		/* The last vector ends with the buffers. */
		if (len - i < WIDTH)
			i = len - WIDTH;
		bits = OTHERS(LOAD(a + i), LOAD(b + i));
		if (bits)
			return i + (size_t)__builtin_ctzll(bits);
		if (i + WIDTH == len)
			return len;
	}
}

WIDE_TARGET static size_t WIDE_NAME(find_other)(const uint8_t *a, uint64_t pattern, size_t len)
{
	VECTOR value = REPEAT(sva_pattern_of(pattern, pattern));
	size_t i = 0;

	for (; len - i >= 4 * WIDTH; i += 4 * WIDTH) {
		const uint8_t *x = a + i;

		if (!ALL(BOTH(BOTH(EQUALS(LOAD(x), value), EQUALS(LOAD(x + WIDTH), value)),
			      BOTH(EQUALS(LOAD(x + 2 * WIDTH), value),
				   EQUALS(LOAD(x + 3 * WIDTH), value)))))
			break;
	}
	for (; len - i >= WIDTH; i += WIDTH) {
		uint64_t bits = OTHERS(LOAD(a + i), value);

		if (bits)
			return i + (size_t)__builtin_ctzll(bits);
	}
	return i + sva_find_other_short(a + i, pattern, len - i);
}

/* Which words of a line of 64 bytes differ; bit n: the n-th. */
WIDE_TARGET static inline unsigned int WIDE_NAME(line)(const uint8_t *a, const uint8_t *b)
{
	unsigned int words = 0;

	for (unsigned int i = 0; i < 64; i += WIDTH)
		words |= WORDS(LOAD(a + i), LOAD(b + i)) << (i / 8);
	return words;
}

WIDE_TARGET static void WIDE_NAME(record_differences)(const uint8_t *from, const uint8_t *to,
						      size_t len, struct sva_delta *delta)
{
	while (len - delta->done >= 64) {
		unsigned int words = WIDE_NAME(line)(from + delta->done, to + delta->done);

		if (words) {
			if (!sva_delta_add(delta, to, delta->done, words))
				return;
			delta->done += 64;
		} else {
			/* The lines after an unchanged one are usually unchanged, too. */
			delta->done += 64;
			delta->done +=
				WIDE_NAME(find_difference)(from + delta->done, to + delta->done,
							   len - delta->done) /
				64 * 64;
		}
	}
	if (delta->done < len)
		sva_delta_end(from, to, len, delta);
}

#undef WIDE_NAME
#undef WIDE_TARGET
#undef WIDTH
#undef VECTOR
#undef LOAD
#undef STORE
#undef PUT
#undef STREAM
#undef REPEAT
#undef EQUALS
#undef BOTH
#undef ALL
#undef OTHERS
#undef WORDS
