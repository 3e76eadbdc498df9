/* SPDX-License-Identifier: MIT */
/* The command line of the programs, their errors, and the end of their output; see term.h. */
#include "tools/term/term.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sva/sva.h"

static const char *program_name = "sva"; /* until term_read_options() knows it */

void term_error(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
}

const char *term_version(char text[32])
{
	unsigned int version = sva_version();

	snprintf(text, 32, "%u.%u.%u", version >> 16, version >> 8 & 0xff, version & 0xff);
	return text;
}

bool term_is_emulated(void)
{
	const char *emulated = getenv("SVA_EMU");

	return emulated && *emulated && strcmp(emulated, "0");
}

int term_finish(void)
{
	bool bad = ferror(stdout);

	errno = 0;
	if (fclose(stdout) || bad) {
		term_error("standard output: %s", errno ? strerror(errno) : "write error");
		return 1;
	}
	return 0;
}

static int refuse_usage(const struct term_program *program)
{
	fputs(program->usage, stderr);
	return 2;
}

int term_read_options(const struct term_program *program, int argc, char **argv, void *arg)
{
	char version[32];
	int option;

	program_name = program->name;
	while ((option = getopt_long(argc, argv, program->letters, program->options, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(program->usage, stdout);
			fputs(program->help, stdout);
			return term_finish();
		case 'V':
			printf("%s (libsva) %s\n", program->name, term_version(version));
			return term_finish();
		case '?': /* getopt_long() has printed a message */
			return refuse_usage(program);
		default:
			if (!program->set_option(arg, option, optarg))
				return refuse_usage(program);
		}
	}
	if (argc - optind == program->argument_count ||
	    (program->argument_count < 0 && argc - optind >= -program->argument_count))
		return TERM_CONTINUE;
	if (program->argument_count < 0)
		term_error("%s is needed", program->arguments);
	else if (program->argument_count)
		term_error("%s are needed, and nothing else", program->arguments);
	else
		term_error("unexpected argument '%s'", argv[optind]);
	return refuse_usage(program);
}

static void refuse_word(const char *text, size_t len, const char *what, const char *(*word)(int),
			int count)
{
	char known[256] = "";

	for (int i = 0; i < count; i++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), " %s", word(i));
	term_error("unknown %s '%.*s' (known:%s)", what, (int)len, text, known);
}

bool term_read_words(const char *list, const char *what, const char *(*word)(int), int count,
		     bool *chosen)
{
	memset(chosen, 0, (size_t)count * sizeof(*chosen));
	for (const char *text = list;; text++) {
		size_t len = strcspn(text, ",");
		int i = 0;

		if (!len) {
			term_error("empty %s in the list '%s'", what, list);
			return false;
		}
		while (i < count && (strlen(word(i)) != len || strncmp(word(i), text, len)))
			i++;
		if (i == count) {
			refuse_word(text, len, what, word, count);
			return false;
		}
		chosen[i] = true;
		text += len;
		if (!*text)
			return true;
	}
}
