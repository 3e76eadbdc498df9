/* SPDX-License-Identifier: MIT */
/* The rows of results: names of what is in them, and what every file that fills them in needs. */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tools/term/term.h"

const char *bench_mode_name(int mode)
{
	static const char *const names[BENCH_MODE_COUNT] = { "sync", "async", "many", "batch" };

	return names[mode];
}

const char *bench_place_name(int place)
{
	static const char *const names[BENCH_PLACE_COUNT] = { "turn", "warm", "cold" };

	return names[place];
}

const char *bench_pages_name(int pages)
{
	static const char *const names[BENCH_PAGES_COUNT] = { "any", "small", "thp", "huge" };

	return names[pages];
}

const char *bench_size_name(char text[16], size_t size)
{
	return term_bytes(text, 16, size);
}

/* The path dma has two kinds of rows: buffers mapped for each call, and buffers mapped once. */
const char *bench_path_name(const struct bench_case *what)
{
	return what->mapped ? "dma-once" : sva_path_name(what->path);
}

/* Operations in flight. */
unsigned int bench_row_depth(const struct bench_row *row)
{
	return row->what.mode == BENCH_SYNC ? 1 : row->what.depth;
}

static bool is_of_series(const struct bench_row *row, const struct bench_row *of)
{
	return row->what.path == of->what.path && row->what.mapped == of->what.mapped &&
	       row->what.op == of->what.op && row->what.mode == of->what.mode &&
	       row->what.place == of->what.place && row->state == BENCH_MEASURED &&
	       !row->counted && row->cpu_rate > 0 && row->what.size;
}

/* A series: the measured rows that differ in size only. They follow each other. */
bool bench_begins_series(const struct bench_results *results, unsigned int i)
{
	const struct bench_row *row = &results->rows[i];

	if (!is_of_series(row, row))
		return false;
	for (unsigned int k = 0; k < i; k++)
		if (is_of_series(&results->rows[k], row))
			return false;
	return true;
}

unsigned int bench_series_length(const struct bench_results *results, unsigned int first)
{
	unsigned int length = 0;

	for (unsigned int i = first; i < results->count; i++)
		length += is_of_series(&results->rows[i], &results->rows[first]);
	return length;
}

/*
 * The size from which on a series is at least as fast as the path cpu, at this size and at all that
 * are larger: between two measured sizes, on a straight line through the logarithms of sizes and
 * ratios. SIZE_MAX: the largest size is slower.
 */
size_t bench_break_even(const struct bench_results *results, unsigned int first)
{
	const struct bench_row *slower = NULL, *faster = NULL;
	double part;

	for (unsigned int i = first; i < results->count; i++) {
		const struct bench_row *row = &results->rows[i];

		if (!is_of_series(row, &results->rows[first]))
			continue;
		if (row->cpu_ratio < 1) {
			slower = row;
			faster = NULL;
		} else if (!faster) {
			faster = row;
		}
	}
	if (!faster)
		return SIZE_MAX;
	if (!slower)
		return faster->what.size;
	part = -log(slower->cpu_ratio) / (log(faster->cpu_ratio) - log(slower->cpu_ratio));
	return (size_t)exp(log((double)slower->what.size) +
			   part * log((double)faster->what.size / (double)slower->what.size));
}

/* Returns a row of zeros at the end, or NULL without memory. Earlier rows may move. */
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

/* An operation that a path does not offer is no failure of the path. */
void bench_fail_row(struct bench_row *row, int rc)
{
	row->state = rc == -ENODEV || rc == -EOPNOTSUPP ? BENCH_UNAVAILABLE : BENCH_FAILED;
	row->reason = rc;
	snprintf(row->text, sizeof(row->text), "%s", strerror(-rc));
}

static int compare_numbers(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Sorts the values. */
double bench_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare_numbers);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* "Linux 6.12.1 x86_64, 2 CPUs, MODEL": the model name of the first CPU. */
void bench_machine_name(char *text, size_t size)
{
	struct utsname uts;
	char line[256], model[128] = "";
	FILE *file = fopen("/proc/cpuinfo", "re");

	while (file && !*model && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (!strncmp(line, "model name", 10) && colon && colon[1])
			snprintf(model, sizeof(model), ", %.*s", (int)strcspn(colon + 2, "\n"),
				 colon + 2);
	}
	if (file)
		fclose(file);
	if (uname(&uts))
		memset(&uts, 0, sizeof(uts));
	snprintf(text, size, "%s %s %s, %ld CPUs%s", uts.sysname, uts.release, uts.machine,
		 sysconf(_SC_NPROCESSORS_ONLN), model);
}
