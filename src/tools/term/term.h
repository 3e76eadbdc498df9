/* SPDX-License-Identifier: MIT */
/*
 * What the programs share. options.c: the command line, errors, the end of the output. term.c:
 * printing for people, with width, colour, wrapped text and sizes in words; JSON is not printed
 * with it.
 *
 * This folder may call the public functions of the library and include those headers of lib/base
 * that need no object. It must not know any of the programs.
 */
#ifndef SVA_TOOLS_TERM_H
#define SVA_TOOLS_TERM_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The last rows of every table of long options. term_read_options() handles these two itself. */
#define TERM_OPTIONS_END \
	{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, \
	{ \
		NULL, 0, NULL, 0 \
	}

/* The command line of one program. */
struct term_program {
	const char *name;  /* for messages and --version */
	const char *usage; /* for wrong usage, and before help */
	const char *help;  /* for --help */
	const char *letters;
	const struct option *options; /* ends with TERM_OPTIONS_END */
	int argument_count; /* -N: N or more; the letters begin with "+" then */
	const char *arguments; /* their names, for the message if their number is wrong */
	/* Stores one option in arg. Returns false for wrong usage, after a message. */
	bool (*set_option)(void *arg, int option, const char *value);
};

#define TERM_CONTINUE (-1)

/*
 * Reads the command line. Returns TERM_CONTINUE if the program should run, with its arguments from
 * argv[optind] on; otherwise the exit status to end with: --help or --version was printed, or the
 * usage was wrong.
 */
int term_read_options(const struct term_program *program, int argc, char **argv, void *arg);

/*
 * Reads a list of words separated by commas: chosen[i] becomes true for each word(i), 0 <= i <
 * count, that is in the list. Returns false after a message that lists the known words. what: what
 * a word stands for, such as "path".
 */
bool term_read_words(const char *list, const char *what, const char *(*word)(int), int count,
		     bool *chosen);

/* Prints "PROGRAM: message" and a newline on standard error. */
void term_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "libsva 0.1.0" without the first word: the version of the library that runs. Returns text. */
const char *term_version(char text[32]);

/* Does this program run under sva-emu, where no device is real? */
bool term_is_emulated(void);

/*
 * Flushes and closes standard output. Returns 0, or 1 after a message on standard error: a full
 * disk must not pass for success.
 */
int term_finish(void);

enum term_style { TERM_PLAIN, TERM_HEAD, TERM_GOOD, TERM_BAD, TERM_DIM };

struct term {
	FILE *out;
	unsigned int width; /* columns; 0: no limit, in a pipe or a file, so that grep sees lines */
	bool colour;
};

/*
 * COLUMNS overrides the width that the terminal reports. There is colour only on a terminal, and
 * neither with NO_COLOR nor with TERM=dumb.
 */
void term_init(struct term *term, FILE *out);

/* The escape sequence of a style, or "" without colour. TERM_PLAIN ends a style. */
const char *term_style(const struct term *term, enum term_style style);

/*
 * Prints text and a newline, broken at spaces; the cursor is at column indent already, and further
 * lines begin there. Names of devices and queues may hold any bytes: those that are not printable
 * UTF-8 are shown as \xNN.
 */
void term_wrap(const struct term *term, unsigned int indent, const char *text);

/* The same with the cursor at another column than that of further lines. */
void term_wrap_from(const struct term *term, unsigned int column, unsigned int indent,
		    const char *text);

/* Prints a text as it is, but for the bytes that term_wrap() shows as \xNN. */
void term_text(const struct term *term, const char *text);

/* "512 B", "2 MiB", "1.5 GiB". Returns text. */
const char *term_bytes(char *text, size_t size, uint64_t bytes);

#endif
