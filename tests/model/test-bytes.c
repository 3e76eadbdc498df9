/* SPDX-License-Identifier: MIT */
/*
 * Copy, fill and compare of bytes (src/model/bytes.c) against loops: every size to 300 at every
 * alignment, overlaps, sizes on both sides of each change of method, and nothing written outside.
 */
#include "model/bytes.h"
#include "trial.h"

#define LARGE (17u << 20)

static uint8_t *a, *b, *want;
static unsigned long cases, wrong;

static void note(bool good, const char *what, size_t x, size_t y, size_t len)
{
	cases++;
	if (!good && !wrong++)
		printf("# %s, %zu and %zu, %zu bytes\n", what, x, y, len);
}

/* Within one buffer of which all is compared afterwards. */
static void move_within(size_t to, size_t from, size_t len, size_t room, bool stream)
{
	memcpy(a, b, room);
	memcpy(want, b, room);
	memcpy(want + to, b + from, len);
	model_bytes_move(a + to, a + from, len, stream);
	note(!memcmp(a, want, room), "move", to, from, len);
}

static void moves(void)
{
	for (size_t len = 0; len <= 300; len++) {
		for (size_t to = 0; to < 150; to += 1 + len % 7)
			move_within(to, 64, len, 512, len % 2);
	}
	for (size_t len = 2000; len < 2100; len += 3) {
		for (size_t to = 0; to < 4400; to += 137)
			move_within(to, 2100, len, 6800, false);
		move_within(16, 4000, len, 6800, true);
	}
	ok(!wrong, "moves: %lu cases, %lu wrong", cases, wrong);
}

static void fill_at(size_t at, size_t len, size_t room, const uint8_t *pattern, bool stream)
{
	const size_t phase = (at + len) % 16;

	memcpy(a, b, room);
	memcpy(want, b, room);
	for (size_t i = 0; i < len; i++)
		want[at + i] = pattern[(phase + i) % 16];
	model_bytes_fill(a + at, pattern, phase, len, stream);
	note(!memcmp(a, want, room), "fill", at, stream, len);
}

static void fills(void)
{
	/* Sixteen bytes of which nine look like eight that repeat. */
	static const uint8_t nearly[16] = { 1, 2, 3, 4, 5, 6, 7, 1, 9, 1, 2, 3, 4, 5, 6, 7 };
	uint8_t narrow[32], wide[32], odd[32];

	for (int i = 0; i < 32; i++) {
		narrow[i] = (uint8_t)(1 + i % 8);
		wide[i] = (uint8_t)(1 + i % 16);
		odd[i] = nearly[i % 16];
	}
	for (size_t len = 0; len <= 300; len++) {
		for (size_t at = 0; at < 70; at++) {
			fill_at(at, len, 512, narrow, false);
			fill_at(at, len, 512, wide, len % 2);
		}
	}
	for (size_t len = 2000; len < 2300; len += 7) {
		for (size_t at = 0; at < 70; at += 3) {
			fill_at(at, len, 2600, narrow, false);
			fill_at(at, len, 2600, wide, false);
			fill_at(at, len, 2600, odd, false);
		}
	}
	ok(!wrong, "fills: %lu cases, %lu wrong", cases, wrong);
}

/* So large that it goes past the caches. */
static void streams(void)
{
	uint8_t pattern[32];

	for (int i = 0; i < 32; i++)
		pattern[i] = (uint8_t)(3 + i % 16);
	for (size_t at = 0; at < 80; at += 13) {
		size_t len = (16u << 20) + at * 5 - 70;

		memset(a, 0, LARGE);
		memset(want, 0, LARGE);
		model_bytes_move(a + at, b + 7, len, true);
		memcpy(want + at, b + 7, len);
		note(!memcmp(a, want, LARGE), "stream", at, 7, len);
		fill_at(at, len, LARGE, pattern, true);
		memcpy(pattern + 8, pattern, 8);
		memcpy(pattern + 16, pattern, 16);
		fill_at(at, len, LARGE, pattern, true);
		pattern[8 + at % 8] ^= 1;
		pattern[24 + at % 8] ^= 1;
	}
	/* What overlaps may not go that way. */
	for (size_t apart = 1; apart < 100; apart += 9) {
		move_within(3, 3 + apart, (16u << 20) + 77, LARGE, true);
		move_within(3 + apart, 3, (16u << 20) + 77, LARGE, true);
	}
	ok(!wrong, "past the caches: %lu cases, %lu wrong", cases, wrong);
}

/* In data that repeats every `period` bytes: a difference at each place, and beyond the end. */
static void differences_in(size_t period)
{
	uint8_t pattern[32];

	for (size_t i = 0; i < 512; i++)
		a[i] = (uint8_t)(i % period * 7);
	for (size_t i = 0; i < 32; i++)
		pattern[i] = (uint8_t)(i % period * 7);
	memcpy(want, a, 512);
	for (size_t len = 0; len <= 400; len += len < 200 ? 1 : 23) {
		for (size_t at = 0; at <= len + 1; at++) {
			const size_t found = at < len ? at : len, phase = 3 + at % 13;

			want[3 + at] ^= 0x40;
			note(model_bytes_diff(a + 3, want + 3, len) == found, "diff", at, 3, len);
			note(model_bytes_diff(want + 3, a + 3, len) == found, "diff", at, 3, len);
			note(model_bytes_diff_pattern(want + 3, pattern, 3, len) == found,
			     "pattern", at, 3, len);
			want[3 + at] ^= 0x40;
			want[phase + at] ^= 0x40;
			note(model_bytes_diff_pattern(want + phase, pattern, phase, len) == found,
			     "phase", at, phase, len);
			want[phase + at] ^= 0x40;
		}
	}
}

static void differences(void)
{
	/*
	 * The same everywhere, so that looking at the wrong byte is not seen by that byte's being
	 * different.
	 */
	differences_in(1);
	differences_in(16);
	for (int i = 0; i < 64; i++) {
		uint8_t bytes[80] = { 0 };

		memset(bytes + 64, 0xff, 16); /* not of the 64 */
		bytes[i] = (uint8_t)(1 << i % 8);
		note(model_bytes_nonzero(bytes) == 1ull << i, "not zero", (size_t)i, 0, 64);
		memset(bytes, 0xff, 64);
		bytes[i] = 0;
		note(model_bytes_nonzero(bytes) == ~(1ull << i), "zero", (size_t)i, 0, 64);
	}
	ok(!wrong, "differences: %lu cases, %lu wrong", cases, wrong);
}

int main(void)
{
	uint32_t random = 9;

	a = malloc(LARGE);
	b = malloc(LARGE);
	want = malloc(LARGE);
	if (!a || !b || !want)
		skip_all("no memory");
	for (size_t i = 0; i < LARGE; i += 4) {
		uint32_t word = random_next(&random);

		memcpy(b + i, &word, 4);
	}
	moves();
	fills();
	streams();
	differences();
	free(a);
	free(b);
	free(want);
	ok(cases, "no case differs from the reference, of %lu that were compared", cases);
	return done();
}
