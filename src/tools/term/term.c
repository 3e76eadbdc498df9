/* SPDX-License-Identifier: MIT */
/* Printing for people: width, colour, wrapped text, sizes in words; see term.h. */
#include "tools/term/term.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/utf8.h"

#define WIDTH_MIN 40 /* below this, wrapped text is harder to read than long lines */

static unsigned int columns_of(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (columns) {
		char *end;
		unsigned long value = strtoul(columns, &end, 10);

		if (end != columns && !*end && value > 0 && value < 10000)
			return (unsigned int)value;
	}
	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return 80;
}

void term_init(struct term *term, FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *kind = getenv("TERM");
	unsigned int width = columns_of(fileno(out));

	term->out = out;
	term->width = width && width < WIDTH_MIN ? WIDTH_MIN : width;
	term->colour = isatty(fileno(out)) && !(no_color && *no_color) && kind &&
		       strcmp(kind, "dumb");
}

const char *term_style(const struct term *term, enum term_style style)
{
	static const char *const sequences[] = {
		[TERM_PLAIN] = "\033[0m",
		[TERM_HEAD] = "\033[1m",
		[TERM_GOOD] = "\033[32m",
		[TERM_BAD] = "\033[31m",
		[TERM_DIM] = "\033[2m",
	};

	return term->colour ? sequences[style] : "";
}

static void put_printable(FILE *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t length = sva_utf8_printable(text + i);

		if (length)
			fwrite(text + i, 1, length, out);
		else
			fprintf(out, "\\x%02x", (unsigned char)text[i]);
		i += length ? length : 1;
	}
}

void term_text(const struct term *term, const char *text)
{
	put_printable(term->out, text, strlen(text));
}

static size_t room_from(const struct term *term, unsigned int column)
{
	return term->width > column + 20 ? term->width - column : 0;
}

void term_wrap_from(const struct term *term, unsigned int column, unsigned int indent,
		    const char *text)
{
	size_t room = room_from(term, column);

	while (room && strlen(text) > room) {
		size_t cut = room;

		while (cut && text[cut] != ' ')
			cut--;
		if (!cut)
			cut = strcspn(text, " ");
		if (!text[cut])
			break;
		put_printable(term->out, text, cut);
		fprintf(term->out, "\n%*s", (int)indent, "");
		text += cut;
		text += strspn(text, " ");
		room = room_from(term, indent);
	}
	put_printable(term->out, text, strlen(text));
	putc('\n', term->out);
}

void term_wrap(const struct term *term, unsigned int indent, const char *text)
{
	term_wrap_from(term, indent, indent, text);
}

const char *term_bytes(char *text, size_t size, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = 0;
	uint64_t whole = bytes, rest = 0;

	while (whole >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	if (rest)
		snprintf(text, size, "%.1f %s", (double)whole + (double)rest / 1024, units[unit]);
	else
		snprintf(text, size, "%" PRIu64 " %s", whole, units[unit]);
	return text;
}
