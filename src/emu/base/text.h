/* SPDX-License-Identifier: MIT */
/*
 * Text without libc: messages from signal handlers, and the contents of sysfs attributes. A text
 * that does not fit is cut. Nothing is written beyond the end of the buffer, and the text is always
 * terminated.
 */
#ifndef EMU_BASE_TEXT_H
#define EMU_BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct emu_text {
	char *start;
	char *at;
	char *end; /* the last byte, kept for the terminator */
};

void text_init(struct emu_text *text, char *buf, size_t size);

/*
 * %s string, %d int32, %u uint32, %x uint32 in hex, %lu and %lx the same for uint64, %ld int64, %c,
 * %%. A width with a leading 0 pads with zeros (%08x). Nothing else.
 */
void text_add(struct emu_text *text, const char *fmt, ...);
void text_vadd(struct emu_text *text, const char *fmt, va_list ap);

static inline size_t text_len(const struct emu_text *text)
{
	return (size_t)(text->at - text->start);
}

/*
 * A number in base 10, or 16 after 0x; leading blanks and a trailing newline are allowed. Returns 0
 * or -EINVAL.
 */
int text_number(const char *s, size_t len, uint64_t *value);

/* One line to stderr, with the program's name in front. Safe in a handler. */
void emu_say(const char *fmt, ...);

#endif
