/* SPDX-License-Identifier: MIT */
/* The results as a table for a terminal: about 80 columns; a row is printed once it is measured. */
#include "bench.h"

#include <string.h>

#include "tools/term/term.h"

static const char *time_name(char text[16], double ns)
{
	if (ns < 99.95)
		snprintf(text, 16, "%.1f ns", ns);
	else if (ns < 999.5)
		snprintf(text, 16, "%.0f ns", ns);
	else if (ns < 99950)
		snprintf(text, 16, "%.2f us", ns / 1e3);
	else if (ns < 999500)
		snprintf(text, 16, "%.0f us", ns / 1e3);
	else
		snprintf(text, 16, "%.2f ms", ns / 1e6);
	return text;
}

/* The columns of operation and state of the buffers are as wide as their longest word. */
static int op_width(const struct bench_options *options)
{
	size_t width = 4;

	for (int op = 0; op < BENCH_OP_COUNT; op++)
		if (options->ops[op] && strlen(bench_op_name(op)) > width)
			width = strlen(bench_op_name(op));
	return (int)width;
}

/* The buffers have a column only if one of their states was asked for. */
static bool has_places(const struct bench_options *options)
{
	return options->places[BENCH_WARM] || options->places[BENCH_COLD];
}

static void print_legend(FILE *out, const struct bench_options *options)
{
	fprintf(out, "  median, p99  of one operation, from its submission until its end is seen;\n"
		     "               of short synchronous calls a sample is a group of them\n"
		     "  CPU          processor time of the calling thread for one operation\n"
		     "  GB/s         10^9 bytes in a second, %u thread%s\n"
		     "  x libc       throughput divided by that of libc's memcpy, memset, memcmp\n"
		     "  x cpu        throughput divided by that of the path cpu in the same mode\n",
		options->threads, options->threads == 1 ? "" : "s");
	if (has_places(options))
		fprintf(out, "  buf          buffers were brought into the caches (warm), flushed "
			     "(cold), or neither\n");
	for (unsigned int i = 0; i < options->path_count; i++)
		if (options->paths[i] == SVA_PATH_DMA)
			fprintf(out, "  dma-once     the path dma on buffers that are mapped once; "
				     "dma maps them for each call\n");
	if (options->idle)
		fprintf(out, "  idle         share of the time of all processors while the row was "
			     "measured\n");
}

void bench_table_head(FILE *out, const struct bench_options *options)
{
	char text[512], version[32];
	struct term term;

	term_init(&term, out);
	bench_machine_name(text, sizeof(text));
	fprintf(out, "sva-bench %s: ", term_version(version));
	term_wrap(&term, 2, text);
	print_legend(out, options);
	if (options->emulated)
		fprintf(out, "%s%s%s\n", term_style(&term, TERM_BAD), BENCH_EMULATED,
			term_style(&term, TERM_PLAIN));
	fprintf(out, "\n%s%-9s %-*s %-5s %s%5s %8s %8s %8s %8s %6s %6s %6s%s\n",
		term_style(&term, TERM_HEAD), "path", op_width(options), "op", "mode",
		has_places(options) ? "buf  " : "", "depth", "size", "median", "p99", "CPU", "GB/s",
		"x libc", "x cpu", term_style(&term, TERM_PLAIN));
	fflush(out);
}

/* Six columns and three digits, so that a hundredth of libc does not read 0.00; 0: no figure. */
static const char *ratio_name(char text[16], double ratio)
{
	const char *format = ratio < 0.1 ? "%.4f" : ratio < 10 ? "%.3f" : "%.1f";

	snprintf(text, 16, ratio > 0 ? format : "-", ratio);
	return text;
}

/* A bar for each power of two that has samples, the longest of 40 columns. */
static void print_histogram(FILE *out, const struct bench_row *row)
{
	uint64_t most = 1;
	char low[16], p999[16];

	fprintf(out, "    p99.9 %s\n", time_name(p999, row->p999_ns));
	for (int i = 0; i < BENCH_BUCKETS; i++)
		most = row->histogram[i] > most ? row->histogram[i] : most;
	for (int i = 0; i < BENCH_BUCKETS; i++) {
		int length = (int)((row->histogram[i] * 40 + most - 1) / most);

		if (!row->histogram[i])
			continue;
		fprintf(out, "    from %9s %9llu  %.*s\n", time_name(low, (double)(1ull << i)),
			(unsigned long long)row->histogram[i], length,
			"########################################");
	}
}

/* What follows the figures of a row, and the newline. */
static void print_note(FILE *out, const struct bench_options *options, const struct bench_row *row)
{
	if (row->elsewhere > 0)
		fprintf(out, "  %.1f %% on another path", row->elsewhere * 100);
	if (options->idle && row->state == BENCH_MEASURED && row->idle >= 0)
		fprintf(out, "  %.1f %% idle", row->idle * 100);
	if (options->emulated)
		fprintf(out, "  %s", BENCH_EMULATED);
	putc('\n', out);
}

static void print_figures(FILE *out, const struct bench_row *row)
{
	char median[16], p99[16], cpu[16], libc_ratio[16], cpu_ratio[16], rate[16] = "-";

	if (row->what.size)
		snprintf(rate, sizeof(rate), "%.2f", row->rate / 1e9);
	fprintf(out, "%8s %8s %8s %6s %6s %6s", time_name(median, row->median_ns),
		time_name(p99, row->p99_ns), time_name(cpu, row->cpu_ns), rate,
		ratio_name(libc_ratio, row->ratio), ratio_name(cpu_ratio, row->cpu_ratio));
}

void bench_table_row(FILE *out, const struct bench_options *options, const struct bench_row *row)
{
	const char *path = bench_path_name(&row->what);
	struct term term;
	char size[16];

	term_init(&term, out);
	if (row->whole_path) {
		fprintf(out, "%-9s %scannot run here%s: ", path, term_style(&term, TERM_DIM),
			term_style(&term, TERM_PLAIN));
		if (options->emulated)
			fprintf(out, "(%s) ", BENCH_EMULATED);
		term_wrap(&term, 11, row->text);
		fflush(out);
		return;
	}
	fprintf(out, "%-9s %-*s %-5s ", path, op_width(options), bench_op_name(row->what.op),
		bench_mode_name(row->what.mode));
	if (has_places(options))
		fprintf(out, "%-4s ", bench_place_name(row->what.place));
	fprintf(out, "%5u %8s ", bench_row_depth(row), bench_size_name(size, row->what.size));
	if (row->state == BENCH_MEASURED)
		print_figures(out, row);
	else
		fprintf(out, "%s%s%s: %s", term_style(&term, TERM_BAD),
			row->state == BENCH_FAILED ? "FAILED" : "not here",
			term_style(&term, TERM_PLAIN), row->text);
	print_note(out, options, row);
	if (options->histogram && row->state == BENCH_MEASURED)
		print_histogram(out, row);
	fflush(out);
}

/* ------------------------------------------------------------------ break-even sizes */

void bench_table_break_even(FILE *out, const struct bench_results *results)
{
	struct term term;
	bool head = false;

	term_init(&term, out);
	for (unsigned int i = 0; i < results->count; i++) {
		const struct bench_row *row = &results->rows[i];
		char size[16];
		size_t from;

		if (!bench_begins_series(results, i) || row->what.path == SVA_PATH_CPU ||
		    bench_series_length(results, i) < 2)
			continue;
		if (!head)
			fprintf(out,
				"\n%sfrom which size on a path is as fast as the path cpu%s%s\n",
				term_style(&term, TERM_HEAD), term_style(&term, TERM_PLAIN),
				results->options->emulated ? " (" BENCH_EMULATED ")" : "");
		head = true;
		from = bench_break_even(results, i);
		fprintf(out, "%-9s %-*s %-5s %s  %s\n", bench_path_name(&row->what),
			op_width(results->options), bench_op_name(row->what.op),
			bench_mode_name(row->what.mode),
			has_places(results->options) ? bench_place_name(row->what.place) : "",
			from == SIZE_MAX ? "at no size that was measured" :
					   bench_size_name(size, from));
	}
	fflush(out);
}
