/* SPDX-License-Identifier: MIT */
/*
 * sva-bench: sizes x operations x paths x modes, measured beside libc. What the figures mean is in README.md.
 *
 * Each path gets a context of its own in which it is the only one, so a row can not show another path by mistake; a
 * path that can not run here gets a row that says why.
 */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/low.h"
#include "tools/term/term.h"

static const char program[] = "sva-bench";

const char *const bench_op_names[BENCH_OP_COUNT] = { "memcpy", "memfill" };
const char *const bench_mode_names[BENCH_MODE_COUNT] = { "sync", "async", "batch" };

/* The dma path has two kinds of rows: what maps for each call, and what was mapped once. */
const char *bench_case_path(const struct bench_case *what)
{
	return what->mapped ? "dma-once" : sva_path_name(what->path);
}

unsigned int bench_row_depth(const struct bench_row *row)
{
	return row->what.mode == BENCH_SYNC ? 1 : row->what.depth;
}

void bench_error(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
}

/* ------------------------------------------------------------------ options */

static void usage(FILE *out)
{
	fputs("usage: sva-bench [--paths LIST] [--sizes LIST] [--ops LIST] [--modes LIST] [--seconds N] [--threads N]\n"
	      "                 [--depth N] [--instructions] [--json FILE|-] [--plot FILE.svg] [--idle] [--list] [--flip]\n"
	      "                 [-h] [-V]\n",
	      out);
}

static void help(void)
{
	usage(stdout);
	fputs("Measure memory operations on every path, beside libc.\n"
	      "  --paths LIST    of enqcmd,movdir64b,write,dma,soft,cpu (default: all)\n"
	      "  --sizes LIST    bytes, with K, M or G (default: 256,4K,32K,256K,2M)\n"
	      "  --ops LIST      of memcpy,memfill (default: both)\n"
	      "  --modes LIST    of sync,async,batch (default: all)\n"
	      "  --seconds N     about how long the whole run takes (default: 20)\n"
	      "  --threads N     threads that do the same at the same time (default: 1)\n"
	      "  --depth N       operations in flight of one thread, async and batch (default: 32)\n"
	      "  --instructions  count instructions of synchronous copies instead of measuring times\n"
	      "  --json FILE     write JSON, too; -: JSON on standard output instead of the table\n"
	      "  --plot FILE     write a plot (SVG), too; needs gnuplot\n"
	      "  --idle          say in each row how long the processors had nothing to do\n"
	      "  --list          say what would be measured, and stop\n"
	      "  --flip          flip one byte of each copy before it is verified: the run must fail\n"
	      "  -h, --help      print this\n"
	      "  -V, --version   print the version\n",
	      stdout);
}

/* Does text have at its begin one of the words, up to a comma or the end? Its index, or -1. */
static int find_word(const char *text, const char *(*word)(int), int count)
{
	size_t len = strcspn(text, ",");

	for (int i = 0; i < count; i++)
		if (strlen(word(i)) == len && !strncmp(word(i), text, len))
			return i;
	return -1;
}

static const char *op_word(int i)
{
	return bench_op_names[i];
}

static const char *mode_word(int i)
{
	return bench_mode_names[i];
}

static const char *next_word(const char *text)
{
	text += strcspn(text, ",");
	return *text && text[1] ? text + 1 : NULL;
}

static void unknown_word(const char *text, const char *what, const char *(*word)(int), int count)
{
	char known[256] = "";

	for (int i = 0; i < count; i++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), " %s", word(i));
	bench_error("unknown %s '%.*s' (known:%s)", what, (int)strcspn(text, ","), text, known);
}

static bool parse_words(const char *text, const char *what, const char *(*word)(int), int count, bool *chosen)
{
	memset(chosen, 0, (size_t)count * sizeof(*chosen));
	for (; text; text = next_word(text)) {
		int i = find_word(text, word, count);

		if (i < 0) {
			unknown_word(text, what, word, count);
			return false;
		}
		chosen[i] = true;
	}
	return true;
}

static bool parse_paths(const char *text, struct bench_options *options)
{
	bool chosen[SVA_PATH_COUNT];

	if (!parse_words(text, "path", sva_path_name, SVA_PATH_COUNT, chosen))
		return false;
	options->path_count = 0;
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (chosen[path])
			options->paths[options->path_count++] = path;
	return true;
}

static int compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

static bool parse_sizes(const char *text, struct bench_options *options)
{
	options->size_count = 0;
	for (; text; text = next_word(text)) {
		static const char units[] = "KMG";
		unsigned long long size;
		const char *unit;
		char *end;

		errno = 0;
		size = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : (end = (char *)text, 0);
		unit = *end && *end != ',' ? strchr(units, *end) : NULL;
		if (unit && size <= UINT32_MAX) {
			size <<= 10 * (unit - units + 1);
			end++;
		}
		if (errno || !size || size > 1ull << 32 || (*end && *end != ',')) {
			bench_error("bad size '%.*s': 1 to 4G, with K, M or G", (int)strcspn(text, ","), text);
			return false;
		}
		if (options->size_count == BENCH_LIST) {
			bench_error("more than %d sizes", BENCH_LIST);
			return false;
		}
		options->sizes[options->size_count++] = (size_t)size;
	}
	qsort(options->sizes, options->size_count, sizeof(options->sizes[0]), compare_sizes);
	return true;
}

static bool parse_number(const char *text, const char *what, double least, double most, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end == text || *end || !(*value >= least && *value <= most)) {
		bench_error("bad number of %s '%s': %g to %g", what, text, least, most);
		return false;
	}
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
	{ "paths", required_argument, NULL, OPT_PATHS },     { "sizes", required_argument, NULL, OPT_SIZES },
	{ "ops", required_argument, NULL, OPT_OPS },	     { "modes", required_argument, NULL, OPT_MODES },
	{ "seconds", required_argument, NULL, OPT_SECONDS }, { "threads", required_argument, NULL, OPT_THREADS },
	{ "depth", required_argument, NULL, OPT_DEPTH },     { "json", required_argument, NULL, OPT_JSON },
	{ "plot", required_argument, NULL, OPT_PLOT },	     { "idle", no_argument, NULL, OPT_IDLE },
	{ "list", no_argument, NULL, OPT_LIST },	     { "flip", no_argument, NULL, OPT_FLIP },
	{ "instructions", no_argument, NULL, OPT_INSTRUCTIONS },
	{ "help", no_argument, NULL, 'h' },		     { "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static bool parse_option(int option, const char *text, struct bench_options *options)
{
	double value;

	switch (option) {
	case OPT_PATHS:
		return parse_paths(text, options);
	case OPT_SIZES:
		return parse_sizes(text, options);
	case OPT_OPS:
		return parse_words(text, "operation", op_word, BENCH_OP_COUNT, options->ops);
	case OPT_MODES:
		return parse_words(text, "mode", mode_word, BENCH_MODE_COUNT, options->modes);
	case OPT_SECONDS:
		return parse_number(text, "seconds", 0.1, 86400, &options->seconds);
	case OPT_THREADS:
		if (!parse_number(text, "threads", 1, BENCH_THREADS, &value))
			return false;
		options->threads = (unsigned int)value;
		return true;
	case OPT_DEPTH:
		if (!parse_number(text, "operations in flight", 1, BENCH_DEPTH, &value))
			return false;
		options->depth = (unsigned int)value;
		return true;
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
	case OPT_INSTRUCTIONS:
		return options->instructions = true;
	default:
		return false;
	}
}

static void defaults(struct bench_options *options)
{
	const char *emulated = getenv("SVA_EMU");

	*options = (struct bench_options){ .seconds = 20, .threads = 1, .depth = 32 };
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		options->paths[options->path_count++] = path;
	parse_sizes("256,4K,32K,256K,2M", options);
	for (int i = 0; i < BENCH_OP_COUNT; i++)
		options->ops[i] = true;
	for (int i = 0; i < BENCH_MODE_COUNT; i++)
		options->modes[i] = true;
	options->emulated = emulated && *emulated && strcmp(emulated, "0");
}

/* ------------------------------------------------------------------ the run */

/* A context in which one path is all there is, or why it can not be. */
struct path_state {
	struct sva *sva;
	int reason;
	char text[BENCH_TEXT];
};

static struct path_state states[SVA_PATH_COUNT];

static void on_log(void *arg, int level, const char *text)
{
	struct path_state *state = arg;

	/* The first error explains; later ones are its consequences. */
	if (level <= 3 && !*state->text)
		snprintf(state->text, sizeof(state->text), "%s", text);
}

static void open_path(int path, struct path_state *state)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	int rc;

	*state = (struct path_state){ 0 };
	opts.paths = sva_path_name(path);
	opts.threshold = 1; /* small operations, too, take the path that the row names */
	opts.log = on_log;
	opts.log_arg = state;
	rc = sva_open(&state->sva, &opts);
	if (rc) {
		state->reason = rc;
		if (!*state->text)
			snprintf(state->text, sizeof(state->text), "%s", strerror(-rc));
		return;
	}
	state->reason = sva_explain(state->sva, path, state->text, sizeof(state->text));
	if (state->reason < 0)
		snprintf(state->text, sizeof(state->text), "%s", strerror(-state->reason));
}

struct bench_row *bench_add_row(struct bench_results *results)
{
	if (results->count == results->capacity) {
		unsigned int capacity = results->capacity ? 2 * results->capacity : 64;
		struct bench_row *grown = reallocarray(results->rows, capacity, sizeof(*grown));

		if (!grown)
			return NULL;
		results->rows = grown;
		results->capacity = capacity;
	}
	memset(&results->rows[results->count], 0, sizeof(results->rows[0]));
	return &results->rows[results->count++];
}

static int add_cases(struct bench_results *results, int path, bool mapped)
{
	const struct bench_options *options = results->options;

	for (int op = 0; op < BENCH_OP_COUNT; op++) {
		for (int mode = 0; mode < BENCH_MODE_COUNT; mode++) {
			bool chosen = options->ops[op] && options->modes[mode];

			for (unsigned int i = 0; chosen && i < options->size_count; i++) {
				struct bench_row *row = bench_add_row(results);

				if (!row)
					return -ENOMEM;
				row->what = (struct bench_case){ .path = path, .mapped = mapped,
								 .op = (enum bench_op)op, .mode = (enum bench_mode)mode,
								 .size = options->sizes[i] };
				row->what.depth = bench_buffers_slots(options, options->sizes[i]);
			}
		}
	}
	return 0;
}

/* A row for a path that can not run here. */
static bool add_reason(struct bench_results *results, int path, const struct path_state *state)
{
	struct bench_row *row = bench_add_row(results);

	if (!row)
		return false;
	row->what.path = path;
	row->whole_path = true;
	row->state = BENCH_UNAVAILABLE;
	row->reason = state->reason;
	snprintf(row->text, sizeof(row->text), "%s", state->text);
	return true;
}

/* All rows there will be, before the first is measured, since the time is shared out among them. */
static int plan(struct bench_results *results, unsigned int *cases)
{
	const struct bench_options *options = results->options;

	*cases = 0;
	for (unsigned int i = 0; i < options->path_count; i++) {
		struct path_state *state = &states[options->paths[i]];
		unsigned int before = results->count;

		open_path(options->paths[i], state);
		if (state->reason == SVA_REASON_OK) {
			if (add_cases(results, options->paths[i], false) ||
			    (options->paths[i] == SVA_PATH_DMA && add_cases(results, SVA_PATH_DMA, true)))
				return -ENOMEM;
			*cases += results->count - before;
			continue;
		}
		if (!add_reason(results, options->paths[i], state))
			return -ENOMEM;
	}
	return 0;
}

static void progress(unsigned int number, unsigned int cases, const struct bench_row *row)
{
	char size[16];

	if (!isatty(STDERR_FILENO))
		return;
	if (row)
		fprintf(stderr, "\r\033[K[%u/%u] %s %s %s %s ", number, cases, bench_case_path(&row->what),
			bench_op_names[row->what.op], bench_mode_names[row->what.mode],
			bench_size_text(size, row->what.size));
	else
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

/* The rows in turn. How many failed. */
static unsigned int measure_all(struct bench_results *results, struct bench_crew *crew, unsigned int cases, FILE *table)
{
	const struct bench_options *options = results->options;
	double end = (double)bench_now() / 1e9 + options->seconds;
	unsigned int number = 0, failed = 0;

	for (unsigned int i = 0; i < results->count; i++) {
		struct bench_row *row = &results->rows[i];

		if (!row->whole_path) {
			/* What is left, shared out: what a slow row took too much of, the later ones save. */
			double share = (end - (double)bench_now() / 1e9) / (cases - number);
			double least = options->seconds / cases / 4;

			progress(++number, cases, row);
			bench_measure(crew, states[row->what.path].sva, share > least ? share : least, row);
			progress(0, 0, NULL);
		}
		if (table)
			bench_table_row(table, options, row);
		if (row->state == BENCH_FAILED) {
			char size[16];

			failed++;
			bench_error("FAILED: %s %s %s %s: %s", bench_case_path(&row->what),
				    bench_op_names[row->what.op], bench_mode_names[row->what.mode],
				    bench_size_text(size, row->what.size), row->text);
		}
	}
	return failed;
}

static void list(const struct bench_results *results)
{
	char size[16];

	for (unsigned int i = 0; i < results->count; i++) {
		const struct bench_row *row = &results->rows[i];

		if (row->whole_path)
			printf("%-9s  can not run here: %s\n", bench_case_path(&row->what), row->text);
		else
			printf("%-9s  %-7s  %-5s  %5u  %s\n", bench_case_path(&row->what),
			       bench_op_names[row->what.op], bench_mode_names[row->what.mode], bench_row_depth(row),
			       bench_size_text(size, row->what.size));
	}
}

static FILE *table_of(const struct bench_options *options)
{
	return options->json && !strcmp(options->json, "-") ? NULL : stdout;
}

/* Before anything is measured: a file that cannot be written is reported at once. */
static int open_outputs(struct bench_results *results)
{
	const struct bench_options *options = results->options;
	bool json = options->json && strcmp(options->json, "-");

	if (options->plot && !bench_plot_possible()) {
		bench_error("--plot needs gnuplot, and it is not installed (on Debian: apt install gnuplot-nox)");
		return 1;
	}
	if ((json && bench_output_open(&results->json, options->json)) ||
	    (options->plot && bench_output_open(&results->plot, options->plot)))
		return 1;
	if (json && options->plot && bench_output_same(&results->json, &results->plot)) {
		bench_error("--json and --plot name the same file");
		return 1;
	}
	return 0;
}

/* A run without a measured row has not done what it was asked for, although no row is wrong. */
static int write_results(struct bench_results *results)
{
	bool measured = false, failed = false;
	int rc = 0;

	for (unsigned int i = 0; i < results->count; i++) {
		measured |= results->rows[i].state == BENCH_MEASURED;
		failed |= results->rows[i].state == BENCH_FAILED;
	}
	if (!measured && !failed && results->count) {
		bench_error("nothing was measured: none of these paths can run here");
		rc = 1;
	}
	if (results->options->json && bench_json(results))
		rc = 1;
	if (results->options->plot && bench_plot(results))
		rc = 1;
	return rc;
}

static int run(struct bench_results *results)
{
	const struct bench_options *options = results->options;
	FILE *table = table_of(options);
	struct bench_crew *crew = NULL;
	unsigned int cases, failed;
	int rc;

	rc = plan(results, &cases);
	if (!rc && options->list) {
		list(results);
		return 0;
	}
	if (!rc)
		rc = bench_crew_create(&crew, options);
	if (rc) {
		bench_error("can not start: %s", strerror(-rc));
		bench_crew_destroy(crew);
		return 1;
	}
	results->timer_ns = bench_crew_timer_ns(crew);
	if (table)
		bench_table_head(table, options);
	failed = measure_all(results, crew, cases, table);
	bench_crew_destroy(crew);
	rc = write_results(results);
	if (failed)
		bench_error("%u of %u measurements failed", failed, cases);
	return failed || rc;
}

/* A path's context when its turn comes: a dedicated queue, say, is not open while others are counted. */
static struct sva *open_for_counting(struct bench_results *results, int path)
{
	open_path(path, &states[path]);
	if (states[path].reason == SVA_REASON_OK)
		return states[path].sva;
	add_reason(results, path, &states[path]);
	return NULL;
}

static int run_instructions(struct bench_results *results)
{
	const struct bench_options *options = results->options;
	int rc = bench_instructions(results, open_for_counting, table_of(options));

	return write_results(results) || rc;
}

int main(int argc, char **argv)
{
	struct bench_options options;
	struct bench_results results = { .options = &options };
	int option, rc;

	sva_occupy_low();
	defaults(&options);
	while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
		if (option == 'h') {
			help();
			return term_finish(program);
		}
		if (option == 'V') {
			term_print_version(program);
			return term_finish(program);
		}
		if (!parse_option(option, optarg, &options)) {
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		bench_error("unexpected argument '%s'", argv[optind]);
		usage(stderr);
		return 2;
	}
	rc = options.list ? 0 : open_outputs(&results);
	if (!rc)
		rc = options.instructions && !options.list ? run_instructions(&results) : run(&results);
	if (bench_output_close(&results.json) | bench_output_close(&results.plot))
		rc = 1;
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		sva_close(states[path].sva);
	free(results.rows);
	return term_finish(program) || rc;
}
