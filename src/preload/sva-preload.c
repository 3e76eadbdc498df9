/* SPDX-License-Identifier: MIT */
/* sva-preload: runs a program with libsva-preload.so, whose variables its options set. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/preload.h"
#include "tools/term/term.h"

static const char usage[] = "usage: sva-preload [OPTION]... [--] PROGRAM [ARGUMENT]...\n";
static const char help[] =
	"Runs PROGRAM with its long memcpy(), memmove(), memset() and memcmp() done by an\n"
	"accelerator, where this machine has one.\n\n"
	"  -m, --min=SIZE       leave calls shorter than SIZE to libc (default 16k)\n"
	"  -c, --calls=LIST     only these of memcpy,memmove,memset,memcmp\n"
	"  -o, --only=LIST      only in programs of these names, not in others that they start\n"
	"  -a, --always         load libsva even where there seems to be no device\n"
	"  -s, --stats[=FILE]   when a process ends, print what was done by whom\n"
	"  -h, --help           print this\n"
	"  -V, --version        print the version\n";

static const struct option options[] = {
	{ "min", required_argument, NULL, 'm' },
	{ "calls", required_argument, NULL, 'c' },
	{ "only", required_argument, NULL, 'o' },
	{ "always", no_argument, NULL, 'a' },
	{ "stats", optional_argument, NULL, 's' },
	TERM_OPTIONS_END,
};

static const char *call_name(int i)
{
	static const char *const names[] = { "memcpy", "memmove", "memset", "memcmp" };

	return names[i];
}

/* Is it a number with k, M or G? */
static bool is_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && digits < 15 && strspn(text, "0") < digits &&
	       (!text[digits] || (strchr("kKmMgG", text[digits]) && !text[digits + 1]));
}

/* The library's threshold follows, since what is shorter than that stays on the CPU. */
static bool set_minimum(const char *value)
{
	if (!is_size(value)) {
		term_error("'%s' is no size: a number, with k, M or G", value);
		return false;
	}
	setenv("SVA_PRELOAD_MIN", value, 1);
	setenv("SVA_THRESHOLD", value, 0);
	return true;
}

/* A file is named for every directory that a program may change to. */
static bool set_stats(const char *value)
{
	char directory[PATH_MAX], path[2 * PATH_MAX];

	if (!value)
		value = "-";
	else if (value[0] != '/') {
		if (!getcwd(directory, sizeof(directory))) {
			term_error("the working directory cannot be read: %s", strerror(errno));
			return false;
		}
		snprintf(path, sizeof(path), "%s/%s", directory, value);
		value = path;
	}
	setenv("SVA_PRELOAD_STATS", value, 1);
	return true;
}

static bool set_option(void *arg, int option, const char *value)
{
	bool chosen[4] = { false };

	(void)arg;
	switch (option) {
	case 'm':
		return set_minimum(value);
	case 'c':
		if (!term_read_words(value, "call", call_name, 4, chosen))
			return false;
		setenv("SVA_PRELOAD_CALLS", value, 1);
		return true;
	case 'o':
		setenv("SVA_PRELOAD_ONLY", value, 1);
		return true;
	case 'a':
		setenv("SVA_PRELOAD_ALWAYS", "1", 1);
		return true;
	case 's':
		return set_stats(value);
	default:
		return false;
	}
}

/* Finds the library: beside this program in a build tree, else where it was installed. */
static const char *find_library(char *path, size_t size)
{
	static const char *const beside[] = { "libsva-preload.so", ".libs/libsva-preload.so",
					      "../.libs/libsva-preload.so" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *end;

	for (size_t i = 0; len > 0 && i < sizeof(beside) / sizeof(beside[0]); i++) {
		self[len] = 0;
		end = strrchr(self, '/');
		if (!end)
			break;
		snprintf(path, size, "%.*s/%s", (int)(end - self), self, beside[i]);
		if (access(path, R_OK) == 0)
			return path;
	}
	snprintf(path, size, "%s", SVA_PRELOAD_LIBRARY);
	return path;
}

/* Ours comes first, so that its functions see what others preload. */
static int preload_library(void)
{
	const char *before = getenv("LD_PRELOAD");
	char path[2 * PATH_MAX], *value;

	find_library(path, sizeof(path));
	if (access(path, R_OK)) {
		term_error("%s: %s", path, strerror(errno));
		return -1;
	}
	if (strpbrk(path, ": ")) {
		term_error("%s: LD_PRELOAD cannot name a path with a blank or a colon", path);
		return -1;
	}
	if (asprintf(&value, "%s%s%s", path, before && *before ? ":" : "",
		     before ? before : "") < 0)
		return -1;
	setenv("LD_PRELOAD", value, 1);
	free(value);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct term_program program = {
		.name = "sva-preload",
		.usage = usage,
		.help = help,
		.letters = "+m:c:o:as::hV",
		.options = options,
		.argument_count = -1,
		.arguments = "a program",
		.set_option = set_option,
	};
	int status = term_read_options(&program, argc, argv, NULL);

	if (status != TERM_CONTINUE)
		return status;
	/* Without a device the program runs as it is: then not even a call costs more. */
	if ((getenv("SVA_PRELOAD_ALWAYS") || preload_may_be_device()) && preload_library())
		return 125;
	execvp(argv[optind], argv + optind);
	term_error("%s: %s", argv[optind], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
