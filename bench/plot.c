/* SPDX-License-Identifier: MIT */
/*
 * The results as an SVG, drawn by gnuplot: for each operation the latency of the synchronous call
 * and the throughput with the most operations in flight, over the size; both axes are logarithmic;
 * one line for each path, and one for libc.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/term/term.h"

#define LINES (SVA_PATH_COUNT + 1) /* a line for each path, and one for mapped buffers */

/*
 * In the order of enum sva_path, so that a path has the same colour in every plot. The symbols
 * differ as well, for readers who see no colours.
 */
static const char *const colours[LINES] = {
	"#0072b2", "#009e73", "#e69f00", "#cc79a7", "#d55e00", "#56b4e9", "#882255",
};

static int line_of(const struct bench_row *row)
{
	return row->what.mapped ? SVA_PATH_COUNT : row->what.path;
}

static const char *line_name(int line)
{
	struct bench_case what = { .path = line, .mapped = line == SVA_PATH_COUNT };

	return bench_path_name(&what);
}

bool bench_plot_possible(void)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t len = strcspn(path, ":");
		char name[PATH_MAX];

		if (snprintf(name, sizeof(name), "%.*s/gnuplot", (int)len, path) <
			    (int)sizeof(name) &&
		    access(name, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static enum bench_place place; /* the first that was chosen: the others have no lines */

static bool is_point(const struct bench_row *row, enum bench_op op, enum bench_mode mode)
{
	return row->state == BENCH_MEASURED && row->what.op == op && row->what.mode == mode &&
	       row->what.place == place && row->what.size;
}

/* The throughput that a path is compared with: libc's, or else that of the path cpu. */
static double base_rate(const struct bench_row *row)
{
	return row->libc_rate > 0 ? row->libc_rate : row->cpu_rate > 0 ? row->cpu_rate : row->rate;
}

static bool any_point(const struct bench_results *results, enum bench_op op, enum bench_mode mode,
		      int path)
{
	for (unsigned int i = 0; i < results->count; i++)
		if (is_point(&results->rows[i], op, mode) &&
		    (path < 0 || line_of(&results->rows[i]) == path))
			return true;
	return false;
}

/*
 * The y coordinate of a row, in seconds or GB/s; libc's or the path's. It is never 0, since the
 * axis is logarithmic.
 */
static double y_of(const struct bench_results *results, const struct bench_row *row, bool libc,
		   bool latency)
{
	double bytes = (double)row->what.size * results->options->threads;
	double ns = libc ? bytes / base_rate(row) * 1e9 : row->median_ns;

	if (latency)
		return (ns < 0.1 ? 0.1 : ns) / 1e9;
	return (libc ? base_rate(row) : row->rate) / 1e9;
}

/* The name of the datablock with the points of a line; path -1: libc. */
static const char *points_name(char name[32], enum bench_op op, int path, bool latency)
{
	snprintf(name, 32, "$points_%d_%d_%s", (int)op, path + 1, latency ? "latency" : "rate");
	return name;
}

/*
 * Writes the points of one line. Path -1 is libc, from the rows of the first path that has any,
 * which ran in turn with it. The points are datablocks before the plot, since gnuplot 6 warns about
 * data that follow the command in a multiplot.
 */
static void write_points(FILE *to, const struct bench_results *results, enum bench_op op,
			 enum bench_mode mode, int path, bool latency)
{
	char name[32];
	int of = path;

	fprintf(to, "%s << END\n", points_name(name, op, path, latency));
	for (int p = SVA_PATH_CPU; of < 0 && p >= 0; p--)
		if (any_point(results, op, mode, p))
			of = p;
	for (unsigned int i = 0; i < results->count; i++) {
		const struct bench_row *row = &results->rows[i];

		if (is_point(row, op, mode) && line_of(row) == of)
			fprintf(to, "%zu %.9g\n", row->what.size,
				y_of(results, row, path < 0, latency));
	}
	fputs("END\n", to);
}

/* The largest power of ten that is not above value. */
static double decade(double value)
{
	double power = 1;

	while (power > value)
		power /= 10;
	while (power * 10 <= value)
		power *= 10;
	return power;
}

/*
 * Writes ranges of the axes that have a width even with one size or with equal values, which
 * gnuplot would warn about.
 */
static void write_ranges(FILE *to, const struct bench_results *results, enum bench_op op,
			 enum bench_mode mode, bool latency)
{
	double left = 0, right = 0, low = 0, high = 0;
	bool any = false;

	for (unsigned int i = 0; i < results->count; i++) {
		const struct bench_row *row = &results->rows[i];

		if (!is_point(row, op, mode))
			continue;
		for (int libc = 0; libc < 2; libc++) {
			double x = (double)row->what.size, y = y_of(results, row, libc, latency);

			left = !any || x < left ? x : left;
			right = !any || x > right ? x : right;
			low = !any || y < low ? y : low;
			high = !any || y > high ? y : high;
			any = true;
		}
	}
	fprintf(to, "set xrange [%.9g:%.9g]\n", left / 1.2, right * 1.2);
	/* Whole decades, as gnuplot chooses them, with a margin between lines and border. */
	fprintf(to, "set yrange [%.9g:%.9g]\n", decade(low * 0.95), 10 * decade(high * 1.05));
}

/* Chooses the mode of a panel: the first of its list that was measured. False if none was. */
static bool panel_mode(const struct bench_results *results, enum bench_op op, bool latency,
		       enum bench_mode *mode)
{
	static const enum bench_mode for_latency[] = { BENCH_SYNC, BENCH_ASYNC, BENCH_MANY,
							       BENCH_BATCH };
	static const enum bench_mode for_rate[] = { BENCH_ASYNC, BENCH_BATCH, BENCH_MANY,
							    BENCH_SYNC };
	const enum bench_mode *order = latency ? for_latency : for_rate;

	for (int i = 0; i < BENCH_MODE_COUNT; i++) {
		*mode = order[i];
		if (any_point(results, op, order[i], -1))
			return true;
	}
	return false;
}

static void write_panel_points(FILE *to, const struct bench_results *results, enum bench_op op,
			       bool latency)
{
	enum bench_mode mode;

	if (!panel_mode(results, op, latency, &mode))
		return;
	for (int path = -1; path < LINES; path++)
		if (path < 0 || any_point(results, op, mode, path))
			write_points(to, results, op, mode, path, latency);
}

/* Writes one of the four panels. */
static void write_panel(FILE *to, const struct bench_results *results, enum bench_op op,
			bool latency)
{
	enum bench_mode mode;
	char name[32];

	if (!panel_mode(results, op, latency, &mode))
		return;
	fprintf(to, "set title '%s: %s, %s'\n", bench_op_name(op),
		latency ? "median latency" : "throughput", bench_mode_name(mode));
	fprintf(to, "set ylabel '%s'\nset format y '%s'\n",
		latency ? "time of one operation" : "GB/s", latency ? "%.0s %cs" : "%g");
	write_ranges(to, results, op, mode, latency);
	fprintf(to, "plot %s using 1:2 with linespoints lc rgb '#888888' lw 2 dt 2 pt 2 ps 0.7 "
		    "title '%s'",
		points_name(name, op, -1, latency), bench_op_libc(op) ? "libc" : "plain CPU");
	for (int path = 0; path < LINES; path++)
		if (any_point(results, op, mode, path))
			fprintf(to, ", %s using 1:2 with linespoints lc rgb '%s' lw 2 pt %d ps 0.7 "
				    "title '%s'",
				points_name(name, op, path, latency), colours[path],
				5 + 2 * path % 10, line_name(path));
	putc('\n', to);
}

static void write_terminal(FILE *to, int pixels)
{
	fprintf(to, "set terminal svg size 1000,%d font 'sans-serif,13' background '#ffffff' "
		    "noenhanced\n",
		pixels);
}

/* What the panels of both kinds of plots have in common. */
static void write_style(FILE *to)
{
	fputs("set logscale x 2\nset logscale y 10\nset xlabel 'size'\n"
	      "set grid lc rgb '#dddddd'\nset key below horizontal reverse Left\n"
	      "set border 3\nset tics nomirror out\n",
	      to);
}

/* The sizes of the run as labels of the x axis. */
static void write_sizes(FILE *to, const struct bench_options *options)
{
	fputs("set xtics (", to);
	for (unsigned int i = 0; i < options->size_count; i++) {
		char text[16];

		fprintf(to, "%s'%s' %zu", i ? ", " : "", bench_size_name(text, options->sizes[i]),
			options->sizes[i]);
	}
	fputs(")\n", to);
}

static void write_script(FILE *to, const struct bench_results *results)
{
	const struct bench_options *options = results->options;
	int rows = 0;
	char machine[256];

	for (int op = 0; op < BENCH_OP_COUNT; op++)
		rows += options->ops[op];
	bench_machine_name(machine, sizeof(machine));
	for (char *at = machine; *at; at++)
		if (*at == '\'' || *at == '\\' || *at == '{' || *at == '@')
			*at = ' ';
	write_terminal(to, 60 + 380 * rows);
	for (int op = 0; op < BENCH_OP_COUNT; op++) {
		write_panel_points(to, results, (enum bench_op)op, true);
		write_panel_points(to, results, (enum bench_op)op, false);
	}
	fprintf(to, "set multiplot layout %d,2 title 'sva-bench: %s%s'\n", rows, machine,
		options->emulated ? " (" BENCH_EMULATED ")" : "");
	write_style(to);
	fputs("set bmargin 7\n", to); /* else the label of the axis covers the legend */
	write_sizes(to, options);
	for (int op = 0; op < BENCH_OP_COUNT; op++) {
		if (!options->ops[op])
			continue;
		write_panel(to, results, (enum bench_op)op, true);
		write_panel(to, results, (enum bench_op)op, false);
	}
	fputs("unset multiplot\n", to);
}

/* ------------------------------------------------------------------ instructions */

/* Rows of one path and mapping follow each other: each such group is a line. */
static bool begins_line(const struct bench_results *results, unsigned int i)
{
	const struct bench_row *row = &results->rows[i], *before = row - 1;

	return row->counted && (!i || !before->counted || before->what.path != row->what.path ||
				before->mapping != row->mapping);
}

/* A logarithmic axis cannot show 0: where the kernel executes nothing the point is at 1. */
static void write_counts(FILE *to, const struct bench_results *results, unsigned int i, bool kernel)
{
	fprintf(to, "$counts_%u_%d << END\n", i, kernel);
	do {
		double value = kernel ? results->rows[i].kernel : results->rows[i].user;

		fprintf(to, "%zu %.0f\n", results->rows[i].what.size, value < 1 ? 1 : value);
		i++;
	} while (i < results->count && results->rows[i].counted && !begins_line(results, i));
	fputs("END\n", to);
}

static void write_counts_panel(FILE *to, const struct bench_results *results, bool kernel)
{
	bool first = true;

	fprintf(to, "set title '%s instructions of one copy'\nplot ", kernel ? "kernel" : "user");
	for (unsigned int i = 0; i < results->count; i++) {
		const struct bench_row *row = &results->rows[i];

		if (!begins_line(results, i))
			continue;
		fprintf(to, "%s$counts_%u_%d using 1:2 with linespoints lc rgb '%s' lw 2 dt %d "
			    "pt %d ps 0.7 title '%s%s%s'",
			first ? "" : ", ", i, kernel, colours[row->what.path],
			i && results->rows[i - 1].what.path == row->what.path ? 2 : 1,
			5 + 2 * row->what.path % 10, sva_path_name(row->what.path),
			row->what.path == SVA_PATH_DMA ? ", mapped " : "",
			row->what.path == SVA_PATH_DMA ? row->mapping : "");
		first = false;
	}
	putc('\n', to);
}

static void write_counts_script(FILE *to, const struct bench_results *results)
{
	bool any = false;

	for (unsigned int i = 0; i < results->count; i++) {
		if (!begins_line(results, i))
			continue;
		write_counts(to, results, i, false);
		write_counts(to, results, i, true);
		any = true;
	}
	write_terminal(to, 440);
	fprintf(to, "set multiplot layout 1,2 title 'sva-bench --instructions%s'\n",
		results->options->emulated ? " (" BENCH_EMULATED ")" : "");
	write_style(to);
	fputs("set yrange [0.8:*]\n", to);
	write_sizes(to, results->options);
	if (any) {
		write_counts_panel(to, results, false);
		write_counts_panel(to, results, true);
	}
	fputs("unset multiplot\n", to);
}

/* gnuplot writes to its standard output: the file that was opened before the run. */
static FILE *start_gnuplot(int out, pid_t *pid)
{
	char *argv[] = { (char[]){ "gnuplot" }, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	FILE *to = NULL;
	sigset_t pipes;
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &pipes);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawnp(pid, argv[0], &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	if (!rc)
		to = fdopen(ends[1], "w");
	if (!to)
		close(ends[1]);
	errno = rc ? rc : errno;
	return to;
}

static bool is_empty(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

int bench_write_plot(struct bench_results *results)
{
	struct bench_output *output = &results->plot;
	bool any = false;
	int status = 0;
	pid_t pid;
	FILE *to;

	while (place + 1 < BENCH_PLACE_COUNT && !results->options->places[place])
		place++;
	for (unsigned int i = 0; i < results->count; i++)
		any |= results->rows[i].state == BENCH_MEASURED;
	if (!any) {
		term_error("nothing was measured, so %s is not written", output->name);
		return 0;
	}
	if (bench_output_begin(output))
		return -1;
	signal(SIGPIPE, SIG_IGN);
	to = start_gnuplot(output->fd, &pid);
	if (!to) {
		term_error("cannot run gnuplot: %s", strerror(errno));
		output->begun = false;
		return -1;
	}
	if (results->options->instructions)
		write_counts_script(to, results);
	else
		write_script(to, results);
	fclose(to);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) || is_empty(output->fd)) {
		term_error("gnuplot failed: %s has no plot", output->name);
		output->begun = false;
		return -1;
	}
	return 0;
}
