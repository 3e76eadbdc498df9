/* SPDX-License-Identifier: MIT */
/* The results as a table for a terminal: 80 columns; a row is printed once it is measured. */
#include "bench.h"

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

void bench_table_head(FILE *out, const struct bench_options *options)
{
	char text[512], version[32];
	struct term term;

	term_init(&term, out);
	bench_machine_name(text, sizeof(text));
	fprintf(out, "sva-bench %s: ", term_version(version));
	term_wrap(&term, 2, text);
	fprintf(out, "  median, p99  of one operation, from its submission until its end is seen;\n"
		     "               of short synchronous calls a sample is a group of them\n"
		     "  GB/s         10^9 bytes in a second, %u thread%s\n"
		     "  x libc       throughput divided by that of libc's memcpy or memset\n",
		options->threads, options->threads == 1 ? "" : "s");
	for (unsigned int i = 0; i < options->path_count; i++)
		if (options->paths[i] == SVA_PATH_DMA)
			fprintf(out, "  dma-once     the path dma on buffers that are mapped once; "
				     "dma maps them for each call\n");
	if (options->idle)
		fprintf(out, "  idle         share of the time of all processors while the row was "
			     "measured\n");
	if (options->emulated)
		fprintf(out, "%s%s%s\n", term_style(&term, TERM_BAD), BENCH_EMULATED,
			term_style(&term, TERM_PLAIN));
	fprintf(out, "\n%s%-9s  %-7s  %-5s  %5s  %8s  %10s  %10s  %7s  %6s%s\n",
		term_style(&term, TERM_HEAD), "path", "op", "mode", "depth", "size", "median",
		"p99", "GB/s", "x libc", term_style(&term, TERM_PLAIN));
	fflush(out);
}

/* Six columns and three digits, so that a hundredth of libc does not read 0.00. */
static const char *ratio_name(char text[16], double ratio)
{
	snprintf(text, 16, ratio < 0.1 ? "%.4f" : ratio < 10 ? "%.3f" : "%.1f", ratio);
	return text;
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

void bench_table_row(FILE *out, const struct bench_options *options, const struct bench_row *row)
{
	const char *path = bench_path_name(&row->what);
	char size[16], median[16], p99[16], ratio[16];
	struct term term;

	term_init(&term, out);
	if (row->whole_path) {
		fprintf(out, "%-9s  %s%s%s: ", path, term_style(&term, TERM_DIM),
			row->state == BENCH_FAILED ? "failed" : "cannot run here",
			term_style(&term, TERM_PLAIN));
		if (options->emulated)
			fprintf(out, "(%s) ", BENCH_EMULATED);
		term_wrap(&term, 11, row->text);
		fflush(out);
		return;
	}
	fprintf(out, "%-9s  %-7s  %-5s  %5u  %8s  ", path, bench_op_name(row->what.op),
		bench_mode_name(row->what.mode), bench_row_depth(row),
		bench_size_name(size, row->what.size));
	if (row->state != BENCH_MEASURED) {
		fprintf(out, "%s%s%s: %s", term_style(&term, TERM_BAD),
			row->state == BENCH_FAILED ? "FAILED" : "not here",
			term_style(&term, TERM_PLAIN), row->text);
		print_note(out, options, row);
	} else {
		fprintf(out, "%10s  %10s  %7.2f  %6s", time_name(median, row->median_ns),
			time_name(p99, row->p99_ns), row->rate / 1e9,
			ratio_name(ratio, row->ratio));
		print_note(out, options, row);
	}
	fflush(out);
}
