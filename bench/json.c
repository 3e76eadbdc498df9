/* SPDX-License-Identifier: MIT */
/*
 * The results as JSON. The schema is in sva-bench(1); fields are added, never changed, while
 * "schema" stays 1.
 */
#include "bench.h"

#include <stdio.h>
#include <time.h>

#include <json-c/json.h>

#include "tools/term/term.h"

#define SCHEMA 1

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text && *text ? json_object_new_string(text) : NULL);
}

/* Adds a number with the digits of format, without those that have no meaning. */
static void add_number(struct json_object *object, const char *key, double value,
		       const char *format)
{
	char text[64];

	snprintf(text, sizeof(text), format, value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

/* Bytes, but for a no-op operations; and what ran beside it. */
static void add_rates(struct json_object *object, const struct bench_row *row)
{
	bool bytes = row->what.size;

	add_number(object, bytes ? "bytes_per_second" : "operations_per_second", row->rate, "%.0f");
	if (row->libc_rate > 0) {
		add_number(object, "libc_bytes_per_second", row->libc_rate, "%.0f");
		add_number(object, "ratio_to_libc", row->ratio, "%.4f");
	}
	if (row->cpu_rate > 0) {
		add_number(object, bytes ? "cpu_bytes_per_second" : "cpu_operations_per_second",
			   row->cpu_rate, "%.0f");
		add_number(object, "ratio_to_cpu", row->cpu_ratio, "%.4f");
	}
}

/* Pairs of ns and samples: those from so many ns to twice as many. */
static void add_histogram(struct json_object *object, const struct bench_row *row)
{
	struct json_object *buckets = json_object_new_array();

	for (int i = 0; i < BENCH_BUCKETS; i++) {
		struct json_object *pair;

		if (!row->histogram[i])
			continue;
		pair = json_object_new_array();
		json_object_array_add(pair, json_object_new_int64((int64_t)1 << i));
		json_object_array_add(pair, json_object_new_int64((int64_t)row->histogram[i]));
		json_object_array_add(buckets, pair);
	}
	json_object_object_add(object, "histogram", buckets);
}

static struct json_object *new_row(const struct bench_options *options, const struct bench_row *row)
{
	static const char *const states[] = { "measured", "unavailable", "failed" };
	struct json_object *object = json_object_new_object();

	add_text(object, "path", sva_path_name(row->what.path));
	json_object_object_add(object, "mapped_once", json_object_new_boolean(row->what.mapped));
	add_text(object, "state", states[row->state]);
	if (options->emulated)
		add_text(object, "note", BENCH_EMULATED);
	if (row->mapping)
		add_text(object, "mapping", row->mapping);
	if (!row->whole_path) {
		add_text(object, "operation", bench_op_name(row->what.op));
		add_text(object, "mode", bench_mode_name(row->what.mode));
		json_object_object_add(object, "size",
				       json_object_new_int64((int64_t)row->what.size));
		json_object_object_add(object, "depth",
				       json_object_new_int((int)bench_row_depth(row)));
		json_object_object_add(object, "threads",
				       json_object_new_int((int)options->threads));
		add_text(object, "buffers", bench_place_name(row->what.place));
		if (row->what.mode == BENCH_BATCH)
			json_object_object_add(object, "batch",
					       json_object_new_int((int)row->what.batch));
	}
	if (row->state != BENCH_MEASURED) {
		add_text(object, "reason",
			 row->reason > 0 ? sva_reason_name((unsigned int)row->reason) : NULL);
		add_text(object, "text", row->text);
		return object;
	}
	if (row->counted) {
		add_number(object, "user_instructions", row->user, "%.0f");
		add_number(object, "kernel_instructions", row->kernel, "%.0f");
		json_object_object_add(object, "operations",
				       json_object_new_int64((int64_t)row->operations));
		add_number(object, "share_on_other_paths", row->elsewhere, "%.4f");
		json_object_object_add(object, "verified", json_object_new_boolean(1));
		return object;
	}
	add_number(object, "median_ns", row->median_ns, "%.1f");
	add_number(object, "p99_ns", row->p99_ns, "%.1f");
	add_number(object, "p999_ns", row->p999_ns, "%.1f");
	add_number(object, "caller_cpu_ns", row->cpu_ns, "%.1f");
	add_rates(object, row);
	if (options->histogram)
		add_histogram(object, row);
	json_object_object_add(object, "operations",
			       json_object_new_int64((int64_t)row->operations));
	json_object_object_add(object, "rounds", json_object_new_int((int)row->rounds));
	json_object_object_add(object, "operations_per_sample",
			       json_object_new_int((int)row->group));
	add_number(object, "share_on_other_paths", row->elsewhere, "%.4f");
	if (row->idle >= 0)
		add_number(object, "idle_share", row->idle, "%.4f");
	json_object_object_add(object, "verified", json_object_new_boolean(1));
	add_text(object, "queue", row->queue);
	add_text(object, "device", row->device);
	return object;
}

static void add_cpus(struct json_object *root, const struct bench_options *options)
{
	struct json_object *cpus = json_object_new_array();

	for (unsigned int i = 0; i < options->cpu_count; i++)
		json_object_array_add(cpus, json_object_new_int((int)options->cpus[i]));
	json_object_object_add(root, "cpus", cpus);
}

static struct json_object *new_root(const struct bench_results *results)
{
	const struct bench_options *options = results->options;
	struct json_object *root = json_object_new_object(), *rows = json_object_new_array();
	time_t now = time(NULL);
	struct tm tm;
	char text[512];

	json_object_object_add(root, "schema", json_object_new_int(SCHEMA));
	add_text(root, "version", term_version(text));
	if (gmtime_r(&now, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		add_text(root, "time", text);
	bench_machine_name(text, sizeof(text));
	add_text(root, "machine", text);
	json_object_object_add(root, "emulated", json_object_new_boolean(options->emulated));
	if (options->emulated)
		add_text(root, "note", BENCH_EMULATED);
	json_object_object_add(root, "threads", json_object_new_int((int)options->threads));
	if (options->cpu_count)
		add_cpus(root, options);
	if (options->node >= 0)
		json_object_object_add(root, "node", json_object_new_int(options->node));
	add_text(root, "pages", bench_pages_name(options->pages));
	add_number(root, "clock_ns", results->timer_ns, "%.1f");
	for (unsigned int i = 0; i < results->count; i++)
		json_object_array_add(rows, new_row(options, &results->rows[i]));
	json_object_object_add(root, "rows", rows);
	return root;
}

int bench_write_json(struct bench_results *results)
{
	struct json_object *root = new_root(results);
	const char *text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
								 JSON_C_TO_STRING_NOSLASHESCAPE);
	int rc = 0;

	if (!results->json.name) {
		puts(text); /* term_finish() reports an error of the output */
	} else {
		rc = bench_output_begin(&results->json);
		if (!rc)
			rc = bench_output_write(&results->json, text);
		if (!rc)
			rc = bench_output_write(&results->json, "\n");
	}
	json_object_put(root);
	return rc;
}
