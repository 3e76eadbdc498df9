/* SPDX-License-Identifier: MIT */
/*
 * Text from outside may be any bytes: names from sysfs, paths. It is printed as UTF-8 without
 * characters that control a terminal or change the direction of writing; every other byte is shown
 * as \xNN. A header alone, so that programs which do not link the library's internals can include
 * it.
 */
#ifndef SVA_UTF8_H
#define SVA_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the character that begins with this byte; 0: none begins with it. */
static inline size_t sva_utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* The character at text and its length; length 0: the first byte begins no valid one. */
static inline uint32_t sva_utf8_decode(const char *text, size_t *length)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	size_t n = sva_utf8_length(*p);
	uint32_t c = n == 1 ? *p : n ? *p & (0x7fu >> n) : 0;

	*length = 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*length = n;
	return c;
}

/* The length of the printable character at text; 0: its first byte is to be shown as \xNN. */
static inline size_t sva_utf8_printable(const char *text)
{
	size_t length;
	uint32_t c = sva_utf8_decode(text, &length);

	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
	    c == 0xfeff || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return 0;
	return length;
}

/* The text as it may be printed, cut to size (at least 1) between two characters. */
static inline void sva_utf8_escape(const char *text, char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;

	while (*text) {
		size_t n = sva_utf8_printable(text), room = n ? n : 4;

		if (used + room >= size)
			break;
		for (size_t i = 0; i < n; i++)
			out[used++] = *text++;
		if (!n) {
			unsigned char byte = (unsigned char)*text++;

			out[used++] = '\\';
			out[used++] = 'x';
			out[used++] = digits[byte >> 4];
			out[used++] = digits[byte & 15];
		}
	}
	out[used] = '\0';
}

#endif
