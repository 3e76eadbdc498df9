/* SPDX-License-Identifier: MIT */
/*
 * sva-bench: measures sizes x operations x paths x modes beside libc. What the figures mean is in
 * README.md.
 *
 * Each path gets a context of its own in which it is the only one, so a row cannot show another
 * path by mistake. A path that cannot run here gets a row with the reason.
 */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/low.h"
#include "tools/term/term.h"

/* A context that permits only one path, or the reason why it cannot be used. */
struct path_state {
	struct sva *sva;
	int reason;
	char text[BENCH_TEXT];
};

static struct path_state states[SVA_PATH_COUNT];
static struct path_state cpu_state; /* of the path cpu, which runs beside every other */

static void on_log(void *arg, int level, const char *text)
{
	struct path_state *state = arg;

	/* Keep the first error: later ones follow from it. */
	if (level <= 3 && !*state->text)
		snprintf(state->text, sizeof(state->text), "%s", text);
}

static void open_path(int path, struct path_state *state)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	int rc;

	*state = (struct path_state){ 0 };
	opts.paths = sva_path_name(path);
	opts.threshold = 1; /* the path carries small operations, too, instead of the CPU */
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

/* How many operations are in flight, and how many of them make a batch. */
static void set_depth(const struct bench_options *options, struct bench_case *what)
{
	unsigned int slots = bench_buffers_slots(options, what->op, what->size);

	/* Only what fits together can be in the caches when it is used. */
	while (what->place == BENCH_WARM && what->mode == BENCH_SYNC && slots > 1 &&
	       what->size * slots * 2 > BENCH_WARM_BYTES)
		slots /= 2;
	what->batch = options->batch && options->batch < slots ? options->batch : slots;
	what->depth = slots;
	if (what->mode == BENCH_BATCH)
		what->depth = slots / what->batch * what->batch;
}

static int add_case(struct bench_results *results, const struct bench_case *what)
{
	const char *refused = bench_op_refuses(what->op, what->size);
	struct bench_row *row = bench_add_row(results);

	if (!row)
		return -ENOMEM;
	row->what = *what;
	set_depth(results->options, &row->what);
	if (refused) {
		row->state = BENCH_UNAVAILABLE;
		row->reason = -EINVAL;
		snprintf(row->text, sizeof(row->text), "%s", refused);
	}
	return 0;
}

/* A no-op has no bytes: one size, which is 0, stands for all. */
static int add_sizes(struct bench_results *results, struct bench_case what)
{
	unsigned int count = what.op == BENCH_NOOP ? 1 : results->options->size_count;
	int rc = 0;

	for (unsigned int i = 0; i < count && !rc; i++) {
		what.size = what.op == BENCH_NOOP ? 0 : results->options->sizes[i];
		rc = add_case(results, &what);
	}
	return rc;
}

static int add_cases(struct bench_results *results, int path, bool mapped)
{
	const struct bench_options *options = results->options;
	struct bench_case what = { .path = path, .mapped = mapped };
	int rc = 0;

	for (int op = 0; op < BENCH_OP_COUNT; op++) {
		what.op = (enum bench_op)op;
		if (!options->ops[op] || (mapped && !bench_op_has_mapped(what.op)))
			continue;
		for (int mode = 0; mode < BENCH_MODE_COUNT; mode++) {
			what.mode = (enum bench_mode)mode;
			for (int place = 0; place < BENCH_PLACE_COUNT && !rc; place++) {
				what.place = (enum bench_place)place;
				if (options->modes[mode] && options->places[place])
					rc = add_sizes(results, what);
			}
		}
	}
	return rc;
}

/* Adds a row for a path that cannot run here. */
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

/*
 * Adds all rows before the first is measured, since the time is divided among them. Stores the
 * number of those to measure.
 */
static int plan_rows(struct bench_results *results, unsigned int *cases)
{
	const struct bench_options *options = results->options;

	*cases = 0;
	for (unsigned int i = 0; i < options->path_count; i++) {
		struct path_state *state = &states[options->paths[i]];
		unsigned int before = results->count;

		open_path(options->paths[i], state);
		if (state->reason == SVA_REASON_OK) {
			if (add_cases(results, options->paths[i], false) ||
			    (options->paths[i] == SVA_PATH_DMA &&
			     add_cases(results, SVA_PATH_DMA, true)))
				return -ENOMEM;
			for (unsigned int k = before; k < results->count; k++)
				*cases += results->rows[k].state == BENCH_MEASURED;
			continue;
		}
		if (!add_reason(results, options->paths[i], state))
			return -ENOMEM;
	}
	return 0;
}

static void show_progress(unsigned int number, unsigned int cases, const struct bench_row *row)
{
	char size[16];

	if (!isatty(STDERR_FILENO))
		return;
	if (row)
		fprintf(stderr, "\r\033[K[%u/%u] %s %s %s %s ", number, cases,
			bench_path_name(&row->what), bench_op_name(row->what.op),
			bench_mode_name(row->what.mode), bench_size_name(size, row->what.size));
	else
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

/* Measures the rows in turn. Returns how many failed. */
static unsigned int measure_all(struct bench_results *results, struct bench_crew *crew,
				unsigned int cases, FILE *table)
{
	const struct bench_options *options = results->options;
	double end = (double)bench_now() / 1e9 + options->seconds;
	unsigned int number = 0, failed = 0;

	for (unsigned int i = 0; i < results->count; i++) {
		struct bench_row *row = &results->rows[i];

		if (row->state == BENCH_MEASURED) {
			/*
			 * The rest of the time, divided among the rows that are left: they are
			 * shorter if an earlier row took too long.
			 */
			double share = (end - (double)bench_now() / 1e9) / (cases - number);
			double least = options->seconds / cases / 4;

			show_progress(++number, cases, row);
			bench_measure(crew, states[row->what.path].sva, cpu_state.sva,
				      share > least ? share : least, row);
			show_progress(0, 0, NULL);
		}
		if (table && !options->calibrate)
			bench_table_row(table, options, row);
		if (row->state == BENCH_FAILED) {
			char size[16];

			failed++;
			term_error("FAILED: %s %s %s %s: %s", bench_path_name(&row->what),
				   bench_op_name(row->what.op), bench_mode_name(row->what.mode),
				   bench_size_name(size, row->what.size), row->text);
		}
	}
	return failed;
}

static void list_rows(const struct bench_results *results)
{
	char size[16];

	for (unsigned int i = 0; i < results->count; i++) {
		const struct bench_row *row = &results->rows[i];

		if (row->whole_path)
			printf("%-9s  cannot run here: %s\n", bench_path_name(&row->what),
			       row->text);
		else
			printf("%-9s  %-7s  %-5s  %5u  %s%s%s\n", bench_path_name(&row->what),
			       bench_op_name(row->what.op), bench_mode_name(row->what.mode),
			       bench_row_depth(row), bench_size_name(size, row->what.size),
			       *row->text ? "  not here: " : "", row->text);
	}
}

/* The table goes to standard output unless the JSON does. */
static FILE *choose_table(const struct bench_options *options)
{
	return options->json && !strcmp(options->json, "-") ? NULL : stdout;
}

static int check_outputs(const struct bench_results *results)
{
	static const char *const names[] = { "json", "plot", "csv", "calibrate" };
	const struct bench_output *files[] = { &results->json, &results->plot, &results->csv,
					       &results->fragment };

	for (int i = 0; i < 4; i++) {
		for (int k = i + 1; k < 4; k++) {
			if (!files[i]->name || !files[k]->name ||
			    !bench_output_same(files[i], files[k]))
				continue;
			term_error("--%s and --%s name the same file", names[i], names[k]);
			return 1;
		}
	}
	return 0;
}

/*
 * Opens the files before anything is measured, so that one that cannot be written is reported at
 * once. Returns 0, or 1 after a message.
 */
static int open_outputs(struct bench_results *results)
{
	const struct bench_options *options = results->options;
	bool json = options->json && strcmp(options->json, "-");

	if (options->plot && !bench_plot_possible()) {
		term_error("--plot needs gnuplot, and it is not installed "
			   "(on Debian: apt install gnuplot-nox)");
		return 1;
	}
	if ((json && bench_output_open(&results->json, options->json)) ||
	    (options->plot && bench_output_open(&results->plot, options->plot)) ||
	    (options->csv && bench_output_open(&results->csv, options->csv)) ||
	    (options->fragment && bench_output_open(&results->fragment, options->fragment)))
		return 1;
	return check_outputs(results);
}

/* Returns 0, or 1 if a file could not be written or no row was measured: that is a failure, too. */
static int write_results(struct bench_results *results)
{
	bool measured = false, failed = false;
	int rc = 0;

	for (unsigned int i = 0; i < results->count; i++) {
		measured |= results->rows[i].state == BENCH_MEASURED;
		failed |= results->rows[i].state == BENCH_FAILED;
	}
	if (!measured && !failed && results->count) {
		term_error("nothing was measured: none of these paths can do it here");
		rc = 1;
	}
	if (results->options->json && bench_write_json(results))
		rc = 1;
	if (results->options->plot && bench_write_plot(results))
		rc = 1;
	if (results->options->csv && bench_write_csv(results))
		rc = 1;
	return rc;
}

static int run_measurements(struct bench_results *results)
{
	const struct bench_options *options = results->options;
	FILE *table = choose_table(options);
	struct bench_crew *crew = NULL;
	unsigned int cases, failed;
	int rc;

	open_path(SVA_PATH_CPU, &cpu_state);
	if (!cpu_state.sva && (options->calibrate || options->places[BENCH_COLD])) {
		term_error("the path cpu is needed for this, and cannot be used: %s",
			   cpu_state.text);
		return 1;
	}
	rc = plan_rows(results, &cases);
	if (!rc && options->list) {
		list_rows(results);
		return 0;
	}
	if (!rc)
		rc = bench_crew_create(&crew, options);
	if (rc) {
		term_error("cannot start: %s", strerror(-rc));
		bench_crew_destroy(crew);
		return 1;
	}
	results->timer_ns = bench_crew_timer_ns(crew);
	if (options->calibrate && !cases) {
		bench_crew_destroy(crew);
		return bench_calibrate(results, table); /* it says why nothing can be measured */
	}
	if (table && !options->calibrate)
		bench_table_head(table, options);
	failed = measure_all(results, crew, cases, table);
	bench_crew_destroy(crew);
	if (table && !options->calibrate)
		bench_table_break_even(table, results);
	rc = write_results(results);
	if (!failed && !rc && options->calibrate)
		rc = bench_calibrate(results, table);
	if (failed)
		term_error("%u of %u measurements failed", failed, cases);
	return failed || rc;
}

/* Opens each path when it is counted, so that no other path has a dedicated queue open then. */
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
	int rc = bench_count_instructions(results, open_for_counting, choose_table(options));

	return write_results(results) || rc;
}

int main(int argc, char **argv)
{
	struct bench_options options;
	struct bench_results results = { .options = &options };
	int rc;

	sva_occupy_low();
	rc = bench_read_options(&options, argc, argv);
	if (rc != TERM_CONTINUE)
		return rc;
	rc = options.list ? 0 : open_outputs(&results);
	if (!rc && options.calibrate && options.emulated && !options.allow_emulated) {
		term_error("an emulated device is not calibrated: its times are no device times");
		rc = 1;
	}
	if (!rc)
		rc = options.instructions && !options.list ? run_instructions(&results) :
							     run_measurements(&results);
	if (bench_output_close(&results.json) | bench_output_close(&results.plot) |
	    bench_output_close(&results.csv) | bench_output_close(&results.fragment))
		rc = 1;
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		sva_close(states[path].sva);
	sva_close(cpu_state.sva);
	free(results.rows);
	return term_finish() || rc;
}
