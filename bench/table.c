/* SPDX-License-Identifier: MIT */
/* The results as a table for a terminal: 80 columns, a row as soon as it is measured. */
#include "bench.h"

#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tools/term/term.h"

const char *bench_size_text(char text[16], size_t size)
{
	return term_bytes(text, 16, size);
}

/* "Linux 6.12.1 x86_64, 2 CPUs, model name of the first". */
void bench_machine_name(char *text, size_t size)
{
	struct utsname uts;
	char line[256], model[128] = "";
	FILE *file = fopen("/proc/cpuinfo", "re");

	while (file && !*model && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (!strncmp(line, "model name", 10) && colon && colon[1])
			snprintf(model, sizeof(model), ", %.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
	}
	if (file)
		fclose(file);
	if (uname(&uts))
		memset(&uts, 0, sizeof(uts));
	snprintf(text, size, "%s %s %s, %ld CPUs%s", uts.sysname, uts.release, uts.machine,
		 sysconf(_SC_NPROCESSORS_ONLN), model);
}

static const char *time_text(char text[16], double ns)
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
	unsigned int version = sva_version();
	struct term term;
	char text[512];

	term_init(&term, out);
	bench_machine_name(text, sizeof(text));
	fprintf(out, "sva-bench %u.%u.%u: ", version >> 16, version >> 8 & 0xff, version & 0xff);
	term_wrap(&term, 2, text);
	fprintf(out, "  median, p99  of one operation, from its submission to the sight of its end;\n"
		     "               of short synchronous calls a sample is a group of them\n"
		     "  GB/s         10^9 bytes in a second, %u thread%s\n"
		     "  x libc       throughput beside libc's memcpy or memset, in turns on the same buffers\n",
		options->threads, options->threads == 1 ? "" : "s");
	for (unsigned int i = 0; i < options->path_count; i++)
		if (options->paths[i] == SVA_PATH_DMA)
			fprintf(out, "  dma-once     the path dma on buffers that are mapped once; dma maps them for each call\n");
	if (options->idle)
		fprintf(out, "  idle         of the time of all processors, while the row was measured\n");
	if (options->emulated)
		fprintf(out, "%s%s%s\n", term_style(&term, TERM_BAD), BENCH_EMULATED, term_style(&term, TERM_PLAIN));
	fprintf(out, "\n%s%-9s  %-7s  %-5s  %5s  %8s  %10s  %10s  %7s  %6s%s\n", term_style(&term, TERM_HEAD), "path",
		"op", "mode", "depth", "size", "median", "p99", "GB/s", "x libc", term_style(&term, TERM_PLAIN));
	fflush(out);
}

/* Three digits that count, in six columns: a small path may be a hundredth of libc and must not read 0.00. */
static const char *ratio_text(char text[16], double ratio)
{
	snprintf(text, 16, ratio < 0.1 ? "%.4f" : ratio < 10 ? "%.3f" : "%.1f", ratio);
	return text;
}

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
	const char *path = bench_case_path(&row->what);
	char size[16], median[16], p99[16], ratio[16];
	struct term term;

	term_init(&term, out);
	if (row->whole_path) {
		fprintf(out, "%-9s  %s%s%s: ", path, term_style(&term, TERM_DIM),
			row->state == BENCH_FAILED ? "failed" : "can not run here", term_style(&term, TERM_PLAIN));
		if (options->emulated)
			fprintf(out, "(%s) ", BENCH_EMULATED);
		term_wrap(&term, 11, row->text);
		fflush(out);
		return;
	}
	fprintf(out, "%-9s  %-7s  %-5s  %5u  %8s  ", path, bench_op_names[row->what.op],
		bench_mode_names[row->what.mode], bench_row_depth(row), bench_size_text(size, row->what.size));
	if (row->state != BENCH_MEASURED) {
		fprintf(out, "%s%s%s: %s", term_style(&term, TERM_BAD),
			row->state == BENCH_FAILED ? "FAILED" : "not here", term_style(&term, TERM_PLAIN), row->text);
		print_note(out, options, row);
	} else {
		fprintf(out, "%10s  %10s  %7.2f  %6s", time_text(median, row->median_ns), time_text(p99, row->p99_ns),
			row->rate / 1e9, ratio_text(ratio, row->ratio));
		print_note(out, options, row);
	}
	fflush(out);
}
