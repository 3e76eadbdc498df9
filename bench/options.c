/* SPDX-License-Identifier: MIT */
/* sva-bench: the command line. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/term/term.h"

#define SIZES "256,4K,32K,256K,2M"

static bool read_paths(const char *list, struct bench_options *options)
{
	bool chosen[SVA_PATH_COUNT];

	if (!term_read_words(list, "path", sva_path_name, SVA_PATH_COUNT, chosen))
		return false;
	options->path_count = 0;
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (chosen[path])
			options->paths[options->path_count++] = path;
	return true;
}

/* Reads a size from 1 to 4G. *end is behind it, or at the first character that does not fit. */
static bool read_size(const char *text, size_t *size, const char **end)
{
	static const char units[] = "KMG";
	unsigned long long value;
	const char *unit;
	char *behind;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &behind, 10);
	unit = *behind && *behind != ',' ? strchr(units, *behind) : NULL;
	if (unit && value <= UINT32_MAX) {
		value <<= 10 * (unit - units + 1);
		behind++;
	}
	*size = (size_t)value;
	*end = behind;
	return !errno && value && value <= 1ull << 32;
}

static int compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

static bool read_sizes(const char *list, struct bench_options *options)
{
	const char *end;

	options->size_count = 0;
	for (const char *text = list;; text = end + 1) {
		size_t size;

		if (!read_size(text, &size, &end) || (*end && *end != ',')) {
			term_error("bad size '%.*s': 1 to 4G, with K, M or G",
				   (int)strcspn(text, ","), text);
			return false;
		}
		if (options->size_count == BENCH_LIST) {
			term_error("more than %d sizes", BENCH_LIST);
			return false;
		}
		options->sizes[options->size_count++] = size;
		if (!*end)
			break;
	}
	qsort(options->sizes, options->size_count, sizeof(options->sizes[0]), compare_sizes);
	return true;
}

static bool read_number(const char *text, const char *what, double least, double most,
			double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end == text || *end || !(*value >= least && *value <= most)) {
		term_error("bad number of %s '%s': %g to %g", what, text, least, most);
		return false;
	}
	return true;
}

static bool read_count(const char *text, const char *what, unsigned int most, unsigned int *count)
{
	double value;

	if (!read_number(text, what, 1, most, &value))
		return false;
	*count = (unsigned int)value;
	return true;
}

enum {
	OPT_PATHS = 256,
	OPT_SIZES,
	OPT_OPS,
	OPT_MODES,
	OPT_SECONDS,
	OPT_THREADS,
	OPT_DEPTH,
	OPT_JSON,
	OPT_PLOT,
	OPT_IDLE,
	OPT_LIST,
	OPT_FLIP,
	OPT_INSTRUCTIONS
};

static const struct option long_options[] = {
	{ "paths", required_argument, NULL, OPT_PATHS },
	{ "sizes", required_argument, NULL, OPT_SIZES },
	{ "ops", required_argument, NULL, OPT_OPS },
	{ "modes", required_argument, NULL, OPT_MODES },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "depth", required_argument, NULL, OPT_DEPTH },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "plot", required_argument, NULL, OPT_PLOT },
	{ "idle", no_argument, NULL, OPT_IDLE },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "flip", no_argument, NULL, OPT_FLIP },
	{ "instructions", no_argument, NULL, OPT_INSTRUCTIONS },
	TERM_OPTIONS_END,
};

static bool set_option(void *arg, int option, const char *text)
{
	struct bench_options *options = arg;

	switch (option) {
	case OPT_PATHS:
		return read_paths(text, options);
	case OPT_SIZES:
		return read_sizes(text, options);
	case OPT_OPS:
		return term_read_words(text, "operation", bench_op_name, BENCH_OP_COUNT,
				       options->ops);
	case OPT_MODES:
		return term_read_words(text, "mode", bench_mode_name, BENCH_MODE_COUNT,
				       options->modes);
	case OPT_SECONDS:
		return read_number(text, "seconds", 0.1, 86400, &options->seconds);
	case OPT_THREADS:
		return read_count(text, "threads", BENCH_THREADS, &options->threads);
	case OPT_DEPTH:
		return read_count(text, "operations in flight", BENCH_DEPTH, &options->depth);
	case OPT_JSON:
		options->json = text;
		return true;
	case OPT_PLOT:
		options->plot = text;
		return true;
	case OPT_IDLE:
		return options->idle = true;
	case OPT_LIST:
		return options->list = true;
	case OPT_FLIP:
		return options->flip = true;
	default:
		return options->instructions = true;
	}
}

static void set_defaults(struct bench_options *options)
{
	*options = (struct bench_options){ .seconds = 20, .threads = 1, .depth = 32 };
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		options->paths[options->path_count++] = path;
	read_sizes(SIZES, options);
	for (int i = 0; i < BENCH_OP_COUNT; i++)
		options->ops[i] = true;
	for (int i = 0; i < BENCH_MODE_COUNT; i++)
		options->modes[i] = true;
	options->emulated = term_is_emulated();
}

static const struct term_program program = {
	.name = "sva-bench",
	.usage = "usage: sva-bench [--paths LIST] [--sizes LIST] [--ops LIST] [--modes LIST]\n"
		 "                 [--seconds N] [--threads N] [--depth N] [--instructions]\n"
		 "                 [--json FILE|-] [--plot FILE.svg] [--idle] [--list] [--flip]\n"
		 "                 [-h] [-V]\n",
	.help = "Measure memory operations on every path, beside libc.\n"
		"  --paths LIST    of enqcmd,movdir64b,write,dma,soft,cpu (default: all)\n"
		"  --sizes LIST    bytes, with K, M or G (default: " SIZES ")\n"
		"  --ops LIST      of memcpy,memfill (default: both)\n"
		"  --modes LIST    of sync,async,batch (default: all)\n"
		"  --seconds N     about how long the whole run takes (default: 20)\n"
		"  --threads N     threads that do the same at the same time (default: 1)\n"
		"  --depth N       operations in flight of one thread, async and batch "
		"(default: 32)\n"
		"  --instructions  count instructions of synchronous copies instead of measuring "
		"times\n"
		"  --json FILE     also write JSON; -: JSON on standard output instead of the "
		"table\n"
		"  --plot FILE     also write a plot (SVG); needs gnuplot\n"
		"  --idle          show in each row the share of idle time of the processors\n"
		"  --list          list what would be measured, and stop\n"
		"  --flip          flip one byte of each copy before it is verified: the run must "
		"fail\n"
		"  -h, --help      print this\n"
		"  -V, --version   print the version\n",
	.letters = "hV",
	.options = long_options,
	.set_option = set_option,
};

int bench_read_options(struct bench_options *options, int argc, char **argv)
{
	set_defaults(options);
	return term_read_options(&program, argc, argv, options);
}
