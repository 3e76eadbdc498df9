/* SPDX-License-Identifier: MIT */
/*
 * --calibrate: from which size on each path of a device beats the CPU on this machine, for each
 * operation, synchronous and asynchronous, with buffers in the caches and in memory; and the
 * threshold that follows, as a fragment that libsva.conf can include.
 *
 * The library has one threshold, which holds for the synchronous calls. It is the break-even size
 * of a synchronous copy on the first usable path, which is the one that the library takes: the
 * larger one of both states of the buffers, so that no copy gets slower by it.
 */
#include "bench.h"

#include <string.h>
#include <time.h>

#include "tools/term/term.h"

#define SIZES_FROM 256u
#define SIZES_TO (4u << 20)

/* A column of the table: a mode and a state of the buffers. */
static const struct {
	enum bench_mode mode;
	enum bench_place place;
	const char *name;
} columns[] = {
	{ BENCH_SYNC, BENCH_WARM, "sync warm" },
	{ BENCH_SYNC, BENCH_COLD, "sync cold" },
	{ BENCH_ASYNC, BENCH_WARM, "async warm" },
	{ BENCH_ASYNC, BENCH_COLD, "async cold" },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* What a calibration measures: all that the command line does not say. */
void bench_calibrate_options(struct bench_options *options)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < options->path_count; i++) {
		int path = options->paths[i];

		/* The CPU is what the others are compared with; soft is no device. */
		if (path != SVA_PATH_CPU && (path != SVA_PATH_SOFT || options->allow_emulated))
			options->paths[count++] = path;
	}
	options->path_count = count;
	if (!options->sizes_given) {
		options->size_count = 0;
		for (size_t size = SIZES_FROM; size <= SIZES_TO; size *= 2)
			options->sizes[options->size_count++] = size;
	}
	for (int op = 0; op < BENCH_OP_COUNT && !options->ops_given; op++)
		options->ops[op] = op != BENCH_NOOP;
	memset(options->modes, 0, sizeof(options->modes));
	memset(options->places, 0, sizeof(options->places));
	options->modes[BENCH_SYNC] = options->modes[BENCH_ASYNC] = true;
	options->places[BENCH_WARM] = options->places[BENCH_COLD] = true;
	if (!options->seconds_given)
		options->seconds = 300;
}

/* The first row of a series, or -1. */
static int find_series(const struct bench_results *results, int path, bool mapped, int op,
		       unsigned int column)
{
	for (unsigned int i = 0; i < results->count; i++) {
		const struct bench_case *what = &results->rows[i].what;

		if (what->path == path && what->mapped == mapped && (int)what->op == op &&
		    what->mode == columns[column].mode && what->place == columns[column].place &&
		    bench_begins_series(results, i))
			return (int)i;
	}
	return -1;
}

/* "12 KiB"; "never": the largest size was slower; "-": not measured. Rounded to three digits. */
static const char *cell(char text[16], const struct bench_results *results, int path, bool mapped,
			int op, unsigned int column)
{
	int first = find_series(results, path, mapped, op, column);
	size_t size = first < 0 ? 0 : bench_break_even(results, (unsigned int)first);

	if (first < 0)
		snprintf(text, 16, "-");
	else if (size == SIZE_MAX)
		snprintf(text, 16, "never");
	else
		bench_size_name(text, size >= 1024 ? (size + 511) / 1024 * 1024 : size);
	return text;
}

static bool any_series(const struct bench_results *results, int path, bool mapped, int op)
{
	for (unsigned int column = 0; column < COLUMNS; column++)
		if (find_series(results, path, mapped, op, column) >= 0)
			return true;
	return false;
}

/* Writes the table, each line behind this text, into a buffer. */
static void format_table(char *text, size_t size, const struct bench_results *results,
			 const char *before)
{
	size_t used = (size_t)snprintf(text, size, "%s%-9s %-15s", before, "path", "operation");

	for (unsigned int column = 0; column < COLUMNS; column++)
		used += (size_t)snprintf(text + used, size - used, " %10s", columns[column].name);
	used += (size_t)snprintf(text + used, size - used, "\n");
	for (int path = 0; path < SVA_PATH_COUNT; path++) {
		for (int row = 0; row < 2 * BENCH_OP_COUNT && used < size; row++) {
			struct bench_case what = { .path = path, .mapped = row >= BENCH_OP_COUNT };
			int op = row % BENCH_OP_COUNT;

			if (!any_series(results, path, what.mapped, op))
				continue;
			used += (size_t)snprintf(text + used, size - used, "%s%-9s %-15s", before,
						 bench_path_name(&what), bench_op_name(op));
			for (unsigned int column = 0; column < COLUMNS && used < size; column++) {
				char name[16];

				used += (size_t)snprintf(text + used, size - used, " %10s",
							 cell(name, results, path, what.mapped, op,
							      column));
			}
			if (used < size)
				used += (size_t)snprintf(text + used, size - used, "\n");
		}
	}
}

/* The first path with a synchronous copy, in the order in which the library prefers them, or -1. */
static int preferred_path(const struct bench_results *results)
{
	for (unsigned int i = 0; i < results->options->path_count; i++)
		if (find_series(results, results->options->paths[i], false, BENCH_COPY, 0) >= 0)
			return results->options->paths[i];
	return -1;
}

/* The break-even size of synchronous copies; beyond what was measured if it was never reached. */
static size_t compute_threshold(const struct bench_results *results, int path, bool *never)
{
	const struct bench_options *options = results->options;
	size_t most = 0, largest = options->sizes[options->size_count - 1];

	*never = false;
	for (unsigned int column = 0; column < 2; column++) {
		int first = find_series(results, path, false, BENCH_COPY, column);
		size_t size = first < 0 ? 0 : bench_break_even(results, (unsigned int)first);

		if (size == SIZE_MAX) {
			*never = true;
			return 2 * largest;
		}
		most = size > most ? size : most;
	}
	/* The grammar has k; a fraction of it would pretend to be exact. */
	return most < 1024 ? most : (most + 1023) / 1024 * 1024;
}

/* Comments that say when, where and how it was measured. */
static int write_origin(struct bench_results *results, int path)
{
	char text[2048], machine[512], version[32], date[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	bench_machine_name(machine, sizeof(machine));
	snprintf(text, sizeof(text),
		 "# Written by sva-bench %s --calibrate on %s.\n# %.400s\n%s"
		 "# From which size on a path is as fast as the path cpu in the same mode, with\n"
		 "# buffers in the caches (warm) and flushed from them (cold), %u thread%s:\n#\n",
		 term_version(version), date, machine,
		 results->options->emulated || path == SVA_PATH_SOFT ?
			 "# " BENCH_EMULATED "; for tests only.\n" : "",
		 results->options->threads, results->options->threads == 1 ? "" : "s");
	return bench_output_write(&results->fragment, text);
}

static int write_threshold(struct bench_results *results, int path, size_t threshold, bool never)
{
	bool whole = threshold % 1024 == 0;
	char text[512];
	int n;

	if (never)
		n = snprintf(text, sizeof(text),
			     "#\n# The path %s copied slower than the CPU up to %zu bytes, the\n"
			     "# most that was measured: larger copies are left to it.\n",
			     sva_path_name(path), threshold / 2);
	else
		n = snprintf(text, sizeof(text),
			     "#\n# The larger one of the synchronous copies on the path %s.\n",
			     sva_path_name(path));
	snprintf(text + n, sizeof(text) - (size_t)n, "threshold = %zu%s\n",
		 whole ? threshold / 1024 : threshold, whole ? "k" : "");
	return bench_output_write(&results->fragment, text);
}

static int write_fragment(struct bench_results *results, int path, size_t threshold, bool never)
{
	static char table[32768];
	int rc = bench_output_begin(&results->fragment);

	format_table(table, sizeof(table), results, "#   ");
	if (!rc)
		rc = write_origin(results, path);
	if (!rc)
		rc = bench_output_write(&results->fragment, table);
	return rc ? rc : write_threshold(results, path, threshold, never);
}

static int report_no_device(const struct bench_results *results)
{
	if (!results->options->path_count)
		term_error("nothing to calibrate: none of these paths leads to a device");
	else
		term_error("nothing to calibrate: no path to a device can be used here");
	for (unsigned int i = 0; i < results->count; i++)
		if (results->rows[i].whole_path)
			term_error("%s: %s", sva_path_name(results->rows[i].what.path),
				   results->rows[i].text);
	return 1;
}

int bench_calibrate(struct bench_results *results, FILE *table)
{
	static char text[32768];
	int path = preferred_path(results);
	char size[16];
	size_t threshold;
	bool never, any = false;

	for (unsigned int i = 0; i < results->count; i++)
		any |= results->rows[i].state == BENCH_MEASURED;
	if (!any)
		return report_no_device(results);
	if (table) {
		format_table(text, sizeof(text), results, "");
		fprintf(table, "from which size on a path is as fast as the path cpu%s\n\n%s",
			results->options->emulated ? " (" BENCH_EMULATED ")" : "", text);
	}
	if (path < 0) {
		term_error("no threshold: synchronous copies were not measured");
		return 1;
	}
	threshold = compute_threshold(results, path, &never);
	if (table)
		fprintf(table, "\nthreshold  %s%s\n", bench_size_name(size, threshold),
			never ? ", above all measured sizes: the CPU copied faster at all" :
				"");
	if (table && !results->fragment.name)
		fputs("(--calibrate=FILE writes it for libsva.conf to include)\n", table);
	return results->fragment.name && write_fragment(results, path, threshold, never) ? 1 : 0;
}
