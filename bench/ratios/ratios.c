/* SPDX-License-Identifier: MIT */
/*
 * How many times as long does an operation of the library take on the CPU as the best plain code
 * for it? A table of ratios, with limits; make check-ratios runs it. It is not installed.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ratios.h"

/* The budget is 1.2 from 4 KiB on; a busy machine needs some room. */
#define LIMIT 1.5

static const size_t sizes[SIZES] = {64, 4096, 65536, 1 << 20, MOST};

struct options {
	bool quick, json;
	double limit; /* 0: as above */
	const char *only;
};

static int usage(FILE *out, int status)
{
	fprintf(out,
		"Usage: ratios [--quick] [--json] [--limit RATIO] [--only WORD]\n"
		"Time of the library's operations on the CPU, as a multiple of that of plain code.\n"
		"  --quick        few pairs, and lengths up to 64 KiB\n"
		"  --json         print the numbers as JSON\n"
		"  --limit RATIO  fail if any ratio is larger, with nothing free for short work\n"
		"  --only WORD    only operations whose name contains WORD\n");
	return status;
}

static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{"quick", no_argument, NULL, 'q'},	 {"json", no_argument, NULL, 'j'},
		{"limit", required_argument, NULL, 'l'}, {"only", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},	 {NULL, 0, NULL, 0},
	};
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "h", names, NULL)) != -1)
		switch (c) {
		case 'q':
			options->quick = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'l':
			options->limit = strtod(optarg, &end);
			if (*end || !(options->limit > 0))
				return usage(stderr, 2);
			break;
		case 'o':
			options->only = optarg;
			break;
		case 'h':
			return usage(stdout, -1);
		default:
			return usage(stderr, 2);
		}
	return optind < argc ? usage(stderr, 2) : 0;
}

static bool is_over(const struct options *options, const struct row *row, struct ratio ratio)
{
	double most = LIMIT * ratio.plain_ns + row->free_ns;

	return options->limit > 0 ? ratio.ratio > options->limit :
				    ratio.ratio * ratio.plain_ns > most;
}

static bool is_possible(const struct options *options, const struct row *row, size_t size)
{
	return size <= row->most && size % row->unit == 0 && !(options->quick && size > 65536);
}

static void print_head(const struct options *options)
{
	if (options->json) {
		printf("[");
		return;
	}
	printf("%-24s%-15s", "operation", "against");
	for (unsigned int i = 0; i < SIZES; i++)
		printf("%7zu %cB",
		       sizes[i] >> (sizes[i] < 1024    ? 0 :
				    sizes[i] < 1 << 20 ? 10 :
							 20),
		       " KM"[sizes[i] < 1024	? 0 :
			     sizes[i] < 1 << 20 ? 1 :
						  2]);
	printf("\n");
}

static void print_ratio(const struct options *options, const struct row *row, size_t size,
			struct ratio ratio, bool over)
{
	static bool more;

	if (!options->json) {
		printf("%9.2f%c", ratio.ratio, over ? '!' : ' ');
		fflush(stdout);
		return;
	}
	printf("%s\n  {\"operation\": \"%s\", \"against\": \"%s\", \"bytes\": %zu, \"ratio\": %.3f,"
	       " \"library_ns\": %.1f, \"plain_ns\": %.1f, \"over\": %s}",
	       more ? "," : "", row->name, row->against, size, ratio.ratio, ratio.library_ns,
	       ratio.plain_ns, over ? "true" : "false");
	more = true;
}

/* How many of the row's ratios are over their limit. */
static unsigned int run_row(const struct options *options, const struct row *row, struct work *work)
{
	unsigned int over = 0;

	if (!options->json)
		printf("%-24s%-15s", row->name, row->against);
	for (unsigned int i = 0; i < SIZES; i++) {
		unsigned int pairs = options->quick ? 5 : sizes[i] < MOST ? 21 : 11;
		struct ratio ratio;
		bool bad;

		if (!is_possible(options, row, sizes[i])) {
			if (!options->json)
				printf("%9s ", "-");
			continue;
		}
		set_length(work, sizes[i]);
		ratio = measure(row, work, pairs);
		bad = is_over(options, row, ratio);
		over += bad;
		print_ratio(options, row, sizes[i], ratio, bad);
	}
	if (!options->json)
		printf("\n");
	return over;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct sva_opts opts = SVA_OPTS_INIT;
	struct work work = {0};
	unsigned int over = 0, done = 0;
	int err = read_options(argc, argv, &options);

	if (err)
		return err < 0 ? 0 : err;
	/* As on a machine without a device, whatever this one has. */
	opts.paths = "cpu";
	err = sva_open(&work.sva, &opts);
	if (err || !make_work(&work)) {
		fprintf(stderr, "ratios: %s\n", err ? strerror(-err) : "no memory");
		return 2;
	}
	print_head(&options);
	for (unsigned int i = 0; i < row_count; i++)
		if (!options.only || strstr(rows[i].name, options.only)) {
			over += run_row(&options, &rows[i], &work);
			done++;
		}
	if (options.json)
		printf("\n]\n");
	else if (over)
		printf("%u over the limit (marked !)\n", over);
	sva_close(work.sva);
	if (!done)
		fprintf(stderr, "ratios: no operation has \"%s\" in its name\n", options.only);
	return !done ? 2 : over ? 1 : 0;
}
