/* SPDX-License-Identifier: MIT */
/* Text and numbers without libc, for signal handlers. */
#include <errno.h>
#include <stdbool.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"

void text_init(struct emu_text *text, char *buf, size_t size)
{
	text->start = buf;
	text->at = buf;
	text->end = buf + size - 1;
	*buf = '\0';
}

static void add_char(struct emu_text *text, char c)
{
	if (text->at < text->end) {
		*text->at++ = c;
		*text->at = '\0';
	}
}

static void add_string(struct emu_text *text, const char *s)
{
	while (*s)
		add_char(text, *s++);
}

static void add_number(struct emu_text *text, uint64_t value, unsigned int base, unsigned int width,
		       char pad)
{
	char digits[24];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	for (; width > n; width--)
		add_char(text, pad);
	while (n)
		add_char(text, digits[--n]);
}

static void add_signed(struct emu_text *text, int64_t value, unsigned int width)
{
	if (value < 0) {
		add_char(text, '-');
		value = -value;
	}
	add_number(text, (uint64_t)value, 10, width, ' ');
}

void text_vadd(struct emu_text *text, const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		unsigned int width = 0;
		bool wide = false;
		char pad = ' ';

		if (*fmt != '%') {
			add_char(text, *fmt);
			continue;
		}
		fmt++;
		if (*fmt == '0')
			pad = '0';
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (unsigned int)(*fmt - '0');
		if (*fmt == 'l') {
			wide = true;
			fmt++;
		}
		switch (*fmt) {
		case 's':
			add_string(text, va_arg(ap, const char *));
			break;
		case 'c':
			add_char(text, (char)va_arg(ap, int));
			break;
		case 'd':
			add_signed(text, wide ? va_arg(ap, int64_t) : va_arg(ap, int), width);
			break;
		case 'u':
			add_number(text, wide ? va_arg(ap, uint64_t) : va_arg(ap, unsigned int), 10,
				   width, pad);
			break;
		case 'x':
			add_number(text, wide ? va_arg(ap, uint64_t) : va_arg(ap, unsigned int), 16,
				   width, pad);
			break;
		case '\0':
			return;
		default:
			add_char(text, *fmt);
		}
	}
}

void text_add(struct emu_text *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vadd(text, fmt, ap);
	va_end(ap);
}

int text_number(const char *s, size_t len, uint64_t *value)
{
	unsigned int base = 10;
	uint64_t v = 0;
	size_t i = 0, digits = 0;

	while (i < len && (s[i] == ' ' || s[i] == '\t'))
		i++;
	while (len > i && (s[len - 1] == '\n' || s[len - 1] == '\0' || s[len - 1] == ' '))
		len--;
	if (len - i > 2 && s[i] == '0' && (s[i + 1] | 0x20) == 'x') {
		base = 16;
		i += 2;
	}
	for (; i < len; i++, digits++) {
		char c = (char)(s[i] | 0x20);
		unsigned int d;

		if (s[i] >= '0' && s[i] <= '9')
			d = (unsigned int)(s[i] - '0');
		else if (c >= 'a' && c <= 'f')
			d = (unsigned int)(c - 'a') + 10;
		else
			return -EINVAL;
		if (d >= base || v > (UINT64_MAX - d) / base)
			return -EINVAL;
		v = v * base + d;
	}
	*value = v;
	return digits ? 0 : -EINVAL;
}

void emu_say(const char *fmt, ...)
{
	char buf[512];
	struct emu_text text;
	va_list ap;

	text_init(&text, buf, sizeof(buf));
	add_string(&text, "sva-emu: ");
	va_start(ap, fmt);
	text_vadd(&text, fmt, ap);
	va_end(ap);
	add_char(&text, '\n');
	raw_write(2, buf, text_len(&text));
}
