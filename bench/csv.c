/* SPDX-License-Identifier: MIT */
/* The results as comma separated values (RFC 4180): a line of names, then one for each row. */
#include "bench.h"

#include <stdio.h>

/* A text in quotes, with each of its own doubled. */
static void quote(char *to, size_t size, const char *text)
{
	size_t used = 0;

	to[used++] = '"';
	for (; *text && used + 3 < size; text++) {
		if (*text == '"')
			to[used++] = '"';
		to[used++] = *text;
	}
	to[used++] = '"';
	to[used] = '\0';
}

static int write_row(const struct bench_results *results, const struct bench_row *row)
{
	static const char *const states[] = { "measured", "unavailable", "failed" };
	char text[2 * BENCH_TEXT + 4], line[4 * BENCH_TEXT], queue[160];
	const struct bench_case *what = &row->what;
	int n;

	quote(text, sizeof(text), row->text);
	quote(queue, sizeof(queue), row->queue);
	n = snprintf(line, sizeof(line), "%s,%s,", bench_path_name(what), states[row->state]);
	if (row->whole_path)
		n += snprintf(line + n, sizeof(line) - (size_t)n, ",,,,,,");
	else
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%s,%s,%s,%zu,%u,%u,",
			      bench_op_name(what->op), bench_mode_name(what->mode),
			      bench_place_name(what->place), what->size, bench_row_depth(row),
			      what->mode == BENCH_BATCH ? what->batch : 1);
	if (row->state == BENCH_MEASURED && !row->counted)
		n += snprintf(line + n, sizeof(line) - (size_t)n,
			      "%.1f,%.1f,%.1f,%.1f,%.0f,%.0f,%.0f,%.4f,", row->median_ns,
			      row->p99_ns, row->p999_ns, row->cpu_ns, row->rate, row->libc_rate,
			      row->cpu_rate, row->elsewhere);
	else
		n += snprintf(line + n, sizeof(line) - (size_t)n, ",,,,,,,,");
	snprintf(line + n, sizeof(line) - (size_t)n, "%u,%d,%s,%s\n", results->options->threads,
		 results->options->emulated, queue, text);
	return bench_output_write(&results->csv, line);
}

int bench_write_csv(struct bench_results *results)
{
	int rc = bench_output_begin(&results->csv);

	if (!rc)
		rc = bench_output_write(&results->csv,
					"path,state,operation,mode,buffers,size,depth,batch,"
					"median_ns,p99_ns,p999_ns,caller_cpu_ns,bytes_per_second,"
					"libc_bytes_per_second,cpu_bytes_per_second,"
					"share_on_other_paths,threads,emulated,queue,text\n");
	for (unsigned int i = 0; i < results->count && !rc; i++)
		rc = write_row(results, &results->rows[i]);
	return rc;
}
