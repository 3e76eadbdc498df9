/* SPDX-License-Identifier: MIT */
/* sva-bench: the command line. */
#include "bench.h"

#include <errno.h>
#include <sched.h>
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

static bool read_ops(const char *list, struct bench_options *options)
{
	for (int op = 0; op < BENCH_OP_COUNT && !strcmp(list, "all"); op++)
		options->ops[op] = true;
	return !strcmp(list, "all") ||
	       term_read_words(list, "operation", bench_op_name, BENCH_OP_COUNT, options->ops);
}

/* A list of processors, each of which this process may use: "0,2,4-7". */
static bool read_cpus(const char *list, struct bench_options *options)
{
	const char *text = list;
	cpu_set_t usable;

	if (sched_getaffinity(0, sizeof(usable), &usable))
		CPU_ZERO(&usable);
	options->cpu_count = 0;
	for (;;) {
		unsigned long first, last;
		char *end;

		first = last = strtoul(text, &end, 10);
		if (*text < '0' || *text > '9')
			break;
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && first < CPU_SETSIZE && CPU_ISSET(first, &usable); first++)
			if (options->cpu_count < BENCH_THREADS)
				options->cpus[options->cpu_count++] = (unsigned int)first;
		if (first <= last) {
			term_error("processor %lu cannot be used by this process", first);
			return false;
		}
		if (!*end)
			return true;
		if (*end != ',')
			break;
		text = end + 1;
	}
	term_error("bad list of processors '%s': numbers and ranges, such as 0,2,4-7", list);
	return false;
}

static bool read_node(const char *text, struct bench_options *options)
{
	double value;

	if (!read_number(text, "the node", 0, 1023, &value))
		return false;
	options->node = (int)value;
	return true;
}

static bool read_pages(const char *text, struct bench_options *options)
{
	bool chosen[BENCH_PAGES_COUNT] = { false };
	int count = 0;

	if (!term_read_words(text, "kind of pages", bench_pages_name, BENCH_PAGES_COUNT, chosen))
		return false;
	for (int i = 0; i < BENCH_PAGES_COUNT; i++) {
		count += chosen[i];
		if (chosen[i])
			options->pages = (enum bench_pages)i;
	}
	if (count > 1)
		term_error("one kind of pages only, not '%s'", text);
	return count == 1;
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
	OPT_BATCH,
	OPT_BUFFERS,
	OPT_CSV,
	OPT_HISTOGRAM,
	OPT_CPUS,
	OPT_NODE,
	OPT_PAGES,
	OPT_CALIBRATE,
	OPT_ALLOW_EMULATED,
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
	{ "batch", required_argument, NULL, OPT_BATCH },
	{ "buffers", required_argument, NULL, OPT_BUFFERS },
	{ "csv", required_argument, NULL, OPT_CSV },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "node", required_argument, NULL, OPT_NODE },
	{ "pages", required_argument, NULL, OPT_PAGES },
	{ "histogram", no_argument, NULL, OPT_HISTOGRAM },
	{ "calibrate", optional_argument, NULL, OPT_CALIBRATE },
	{ "allow-emulated", no_argument, NULL, OPT_ALLOW_EMULATED },
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
		options->sizes_given = true;
		return read_sizes(text, options);
	case OPT_OPS:
		options->ops_given = true;
		return read_ops(text, options);
	case OPT_MODES:
		options->modes_given = true;
		return term_read_words(text, "mode", bench_mode_name, BENCH_MODE_COUNT,
				       options->modes);
	case OPT_BUFFERS:
		return term_read_words(text, "state of the buffers", bench_place_name,
				       BENCH_PLACE_COUNT, options->places);
	case OPT_SECONDS:
		options->seconds_given = true;
		return read_number(text, "seconds", 0.1, 86400, &options->seconds);
	case OPT_THREADS:
		return read_count(text, "threads", BENCH_THREADS, &options->threads);
	case OPT_DEPTH:
		return read_count(text, "operations in flight", BENCH_DEPTH, &options->depth);
	case OPT_BATCH:
		return read_count(text, "operations in a batch", BENCH_DEPTH, &options->batch);
	case OPT_CPUS:
		return read_cpus(text, options);
	case OPT_NODE:
		return read_node(text, options);
	case OPT_PAGES:
		return read_pages(text, options);
	case OPT_CSV:
		options->csv = text;
		return true;
	case OPT_CALIBRATE:
		options->fragment = text;
		return options->calibrate = true;
	case OPT_ALLOW_EMULATED:
		return options->allow_emulated = true;
	case OPT_HISTOGRAM:
		return options->histogram = true;
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
	*options = (struct bench_options){ .seconds = 20, .threads = 1, .depth = 32, .node = -1 };
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		options->paths[options->path_count++] = path;
	read_sizes(SIZES, options);
	options->ops[BENCH_COPY] = options->ops[BENCH_FILL] = true;
	options->modes[BENCH_SYNC] = options->modes[BENCH_ASYNC] = true;
	options->modes[BENCH_BATCH] = true;
	options->places[BENCH_TURN] = true;
	options->emulated = term_is_emulated();
}

static const struct term_program program = {
	.name = "sva-bench",
	.usage = "usage: sva-bench [--paths LIST] [--sizes LIST] [--ops LIST] [--modes LIST]\n"
		 "                 [--seconds N] [--threads N] [--depth N] [--batch N]\n"
		 "                 [--cpus LIST] [--node N] [--pages WORD]\n"
		 "                 [--buffers LIST] [--json FILE|-] [--csv FILE] [--plot FILE.svg]\n"
		 "                 [--histogram] [--idle] [--list] [--flip]\n"
		 "                 [--instructions] [--calibrate[=FILE]] [--allow-emulated]\n"
		 "                 [-h] [-V]\n",
	.help = "Measure memory operations on every path, beside libc.\n"
		"  --paths LIST    of enqcmd,movdir64b,write,dma,soft,cpu (default: all)\n"
		"  --sizes LIST    bytes, with K, M or G (default: " SIZES ")\n"
		"  --ops LIST      of copy,fill,fill16,compare,compare-pattern,crc,copy-crc,\n"
		"                  dualcast,create-delta,apply-delta,dif-check,dif-insert,\n"
		"                  dif-strip,dif-update,dix-generate,cache-flush,noop; or all\n"
		"                  (default: copy,fill)\n"
		"  --modes LIST    of sync,async,many,batch (default: all but many)\n"
		"  --seconds N     about how long the whole run takes (default: 20)\n"
		"  --threads N     threads that do the same at the same time (default: 1)\n"
		"  --depth N       operations in flight of one thread, in the modes async, many\n"
		"                  and batch (default: 32)\n"
		"  --batch N       operations in one batch (default: as many as --depth)\n"
		"  --buffers LIST  of turn,warm,cold: used in turn, in the caches, flushed from\n"
		"                  them (default: turn)\n"
		"  --instructions  count instructions of synchronous copies instead of measuring "
		"times\n"
		"  --json FILE     also write JSON; -: JSON on standard output instead of the "
		"table\n"
		"  --cpus LIST     processors to run the threads on, such as 0,2,4-7 (default: any)\n"
		"  --node N        the NUMA node of the buffers (default: any)\n"
		"  --pages WORD    of any,small,thp,huge: pages of the buffers (default: any)\n"
		"  --csv FILE      also write comma separated values\n"
		"  --plot FILE     also write a plot (SVG); needs gnuplot\n"
		"  --histogram     show under each row how the times are distributed\n"
		"  --idle          show in each row the share of idle time of the processors\n"
		"  --list          list what would be measured, and stop\n"
		"  --flip          flip one byte of each copy before it is verified: the run must "
		"fail\n"
		"  --calibrate[=FILE]  find from which size on each path of a device beats the CPU,\n"
		"                  and write the threshold to FILE, for libsva.conf to include\n"
		"  --allow-emulated  calibrate on an emulated device or the path soft: for tests\n"
		"  -h, --help      print this\n"
		"  -V, --version   print the version\n",
	.letters = "hV",
	.options = long_options,
	.set_option = set_option,
};

int bench_read_options(struct bench_options *options, int argc, char **argv)
{
	int rc;

	set_defaults(options);
	rc = term_read_options(&program, argc, argv, options);
	if (rc != TERM_CONTINUE)
		return rc;
	if (options->calibrate && options->instructions) {
		term_error("--calibrate measures times, --instructions counts: only one at a time");
		return 2;
	}
	if (options->calibrate)
		bench_calibrate_options(options);
	/* A batch is in flight as a whole. */
	if (options->batch > options->depth)
		options->depth = options->batch;
	return TERM_CONTINUE;
}
