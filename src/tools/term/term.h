/* SPDX-License-Identifier: MIT */
/*
 * What the programs share to print for people: width, colour, wrapped text, sizes in words. JSON never comes this way.
 */
#ifndef SVA_TOOLS_TERM_H
#define SVA_TOOLS_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum term_style { TERM_PLAIN, TERM_HEAD, TERM_GOOD, TERM_BAD, TERM_DIM };

struct term {
	FILE *out;
	unsigned int width; /* columns; 0: no limit, for a pipe or a file, where wrapped lines would be in grep's way */
	bool colour;
};

/* COLUMNS wins over the terminal's own answer. Colour: only on a terminal, and neither NO_COLOR nor TERM=dumb. */
void term_init(struct term *term, FILE *out);

/* The escape sequence of a style, or "" without colour. End with TERM_PLAIN. */
const char *term_style(const struct term *term, enum term_style style);

/*
 * Print text and a newline, broken at spaces; the cursor is at column indent already and further lines begin there.
 * Bytes that are not printable UTF-8, which a name from outside may hold, are shown as \xNN.
 */
void term_wrap(const struct term *term, unsigned int indent, const char *text);

/* Print a text from outside in the same way, as it is. */
void term_text(const struct term *term, const char *text);

/* "512 B", "2 MiB", "1.5 GiB". Returns text. */
const char *term_bytes(char *text, size_t size, uint64_t bytes);

/* "NAME (libsva) 0.1.0" on stdout. The version is that of the library that runs. */
void term_print_version(const char *program);

/* Flush and close stdout: 0, or 1 after a message on stderr, since a full disk must not pass for success. */
int term_finish(const char *program);

#endif
