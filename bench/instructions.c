/* SPDX-License-Identifier: MIT */
/*
 * --instructions: counts the instructions that one copy executes in user mode and in the kernel,
 * with the counters of the processor (perf). Each operation is counted by itself, less what reading
 * the counters costs, and the median is shown, which leaves out rare events such as the clock's
 * tick.
 *
 * With one CPU everything that the machine executes is counted, so what interrupts and threads of
 * the kernel do for an operation is included. With more CPUs only this thread is counted, and the
 * head of the table says so.
 */
#include "bench.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/term/term.h"

#define TRIES 201 /* operations counted of each row */
#define WARM 16   /* operations before these, which are not counted */
#define SLOTS 2

/* How the device gets at the memory. */
enum mapping { SHARED, EACH, ONCE, NONE };

static const char *const mapping_names[] = { "shared (SVA)", "for each call", "once", "-" };

struct counters {
	int user, kernel; /* the first leads the group */
	bool machine;
};

struct reading {
	uint64_t count, user, kernel;
};

static int open_counter(bool user, int group, bool machine)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = user,
		.exclude_user = !user,
		.exclude_hv = 1,
		.read_format = PERF_FORMAT_GROUP,
	};

	return (int)syscall(SYS_perf_event_open, &attr, machine ? -1 : 0, machine ? 0 : -1, group,
			    PERF_FLAG_FD_CLOEXEC);
}

static struct reading read_counters(const struct counters *c)
{
	struct reading r = { 0 };

	if (read(c->user, &r, sizeof(r)) != sizeof(r) || r.count != 2)
		memset(&r, 0, sizeof(r));
	return r;
}

static int open_counters(struct counters *c)
{
	c->machine = sysconf(_SC_NPROCESSORS_ONLN) == 1;
	c->user = open_counter(true, -1, c->machine);
	if (c->user < 0 && c->machine) {
		c->machine = false;
		c->user = open_counter(true, -1, false);
	}
	if (c->user < 0)
		return -errno;
	c->kernel = open_counter(false, c->user, c->machine);
	if (c->kernel < 0)
		return -errno;
	/* Some virtual machines let counters be opened, and count nothing. */
	return read_counters(c).user ? 0 : -ENODATA;
}

/* ------------------------------------------------------------------ one row */

struct work {
	struct sva *sva;
	struct sva_op *op;
	struct bench_buffers buffers;
	struct sva_dma_buf *src[SLOTS], *dst[SLOTS];
	enum mapping mapping;
};

static int map_slots(struct work *w, size_t size)
{
	int rc = 0;

	for (unsigned int slot = 0; slot < SLOTS && !rc; slot++) {
		rc = sva_dma_map(w->sva, bench_src(&w->buffers, slot), size, SVA_DMA_SOURCE,
				 &w->src[slot]);
		if (!rc)
			rc = sva_dma_map(w->sva, bench_dst(&w->buffers, slot), size,
					 SVA_DMA_DESTINATION, &w->dst[slot]);
	}
	return rc;
}

static void unmap_slots(struct work *w)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		sva_dma_unmap(w->src[slot]);
		sva_dma_unmap(w->dst[slot]);
		w->src[slot] = w->dst[slot] = NULL;
	}
}

static int copy_slot(struct work *w, unsigned int slot, size_t size)
{
	if (w->mapping != ONCE)
		return sva_memcpy(w->sva, bench_dst(&w->buffers, slot),
				  bench_src(&w->buffers, slot), size);
	sva_prep_dma_copy(w->op, w->dst[slot], 0, w->src[slot], 0, size);
	return sva_run(w->sva, w->op);
}

static bool went_elsewhere(const struct work *w, int path)
{
	const struct sva_result *r = w->mapping == ONCE ? sva_op_result(w->op) : sva_last_result();

	return r->path_bytes[path] != r->bytes;
}

static void count_row(const struct counters *c, struct work *w, struct bench_row *row, bool flip)
{
	double user[TRIES], kernel[TRIES];
	size_t size = row->what.size;
	unsigned int elsewhere = 0;

	bench_buffers_lay_out(&w->buffers, BENCH_COPY, size, SLOTS);
	bench_buffers_scribble(&w->buffers, SLOTS);
	for (int i = -WARM; i < TRIES; i++) {
		unsigned int slot = (unsigned int)(i + WARM) % SLOTS;
		/*
		 * Between the first two nothing is executed: their difference is what reading
		 * costs.
		 */
		struct reading first = read_counters(c), before = read_counters(c), after;
		int rc = copy_slot(w, slot, size);

		after = read_counters(c);
		if (rc) {
			bench_fail_row(row, rc);
			return;
		}
		elsewhere += went_elsewhere(w, row->what.path);
		if (i < 0)
			continue;
		user[i] = (double)(after.user - before.user) - (double)(before.user - first.user);
		kernel[i] = (double)(after.kernel - before.kernel) -
			    (double)(before.kernel - first.kernel);
	}
	if (flip)
		bench_dst(&w->buffers, 0)[size / 2] ^= 1;
	if (!bench_buffers_verify(&w->buffers, NULL, SLOTS, row->text, sizeof(row->text))) {
		row->state = BENCH_FAILED;
		row->reason = -EBADMSG;
		return;
	}
	row->counted = true;
	row->user = bench_median(user, TRIES);
	row->kernel = bench_median(kernel, TRIES);
	row->operations = TRIES;
	row->elsewhere = (double)elsewhere / (TRIES + WARM);
}

static void run_row(const struct counters *c, struct work *w, struct bench_row *row, bool flip)
{
	int rc = 0;

	bench_buffers_lay_out(&w->buffers, BENCH_COPY, row->what.size, SLOTS);
	if (w->mapping == ONCE)
		rc = map_slots(w, row->what.size);
	if (rc)
		bench_fail_row(row, rc);
	else
		count_row(c, w, row, flip);
	unmap_slots(w);
}

/* ------------------------------------------------------------------ the table */

static void print_head(FILE *out, const struct bench_options *options, const struct counters *c)
{
	struct term term;
	char text[512];

	term_init(&term, out);
	bench_machine_name(text, sizeof(text));
	fprintf(out, "sva-bench --instructions: ");
	term_wrap(&term, 2, text);
	fprintf(out, "  executed instructions of one synchronous copy, the median of %d; %s\n",
		TRIES,
		c->machine ? "of all that the machine did meanwhile" :
			     "of the calling thread alone: not what the kernel does elsewhere");
	if (options->emulated)
		fprintf(out, "%s\n", BENCH_EMULATED);
	fprintf(out, "\n%s%-9s  %-13s  %8s  %10s  %10s  %10s%s\n", term_style(&term, TERM_HEAD),
		"path", "memory mapped", "size", "user", "kernel", "together",
		term_style(&term, TERM_PLAIN));
	fflush(out);
}

static void print_row(FILE *out, const struct bench_options *options, const struct bench_row *row)
{
	char size[16];

	if (!row->counted) {
		bench_table_row(out, options, row);
		return;
	}
	fprintf(out, "%-9s  %-13s  %8s  %10.0f  %10.0f  %10.0f", sva_path_name(row->what.path),
		row->mapping, bench_size_name(size, row->what.size), row->user, row->kernel,
		row->user + row->kernel);
	if (row->elsewhere > 0)
		fprintf(out, "  %.0f %% took another path", row->elsewhere * 100);
	putc('\n', out);
	fflush(out);
}

/* ------------------------------------------------------------------ all of it */

/* Returns false without memory. */
static bool count_sizes(struct bench_results *results, const struct counters *c, struct work *w,
			int path, FILE *table, unsigned int *failed)
{
	const struct bench_options *options = results->options;

	for (unsigned int i = 0; i < options->size_count; i++) {
		struct bench_row *row = bench_add_row(results);

		if (!row)
			return false;
		row->what =
			(struct bench_case){ .path = path, .size = options->sizes[i], .depth = 1 };
		row->mapping = mapping_names[w->mapping];
		run_row(c, w, row, options->flip);
		if (table)
			print_row(table, options, row);
		if (row->state == BENCH_FAILED) {
			term_error("FAILED: %s, %zu bytes: %s", sva_path_name(path), row->what.size,
				   row->text);
			(*failed)++;
		}
	}
	return true;
}

static bool count_path(struct bench_results *results, const struct counters *c, struct work *w,
		       int path, FILE *table, unsigned int *failed)
{
	w->mapping = path == SVA_PATH_DMA			   ? EACH :
		     path == SVA_PATH_CPU || path == SVA_PATH_SOFT ? NONE :
								     SHARED;
	if (!count_sizes(results, c, w, path, table, failed))
		return false;
	w->mapping = ONCE;
	return path != SVA_PATH_DMA || count_sizes(results, c, w, path, table, failed);
}

int bench_count_instructions(struct bench_results *results, bench_open_path *open_path,
			     FILE *table)
{
	const struct bench_options *options = results->options;
	struct bench_options slots = *options;
	struct counters c = { -1, -1, false };
	unsigned int failed = 0;
	struct work w = { 0 };
	int rc;

	slots.depth = SLOTS;
	memset(slots.ops, 0, sizeof(slots.ops));
	slots.ops[BENCH_COPY] = true;
	rc = open_counters(&c);
	if (rc) {
		term_error("instructions cannot be counted here: perf_event_open: %s",
			   strerror(-rc));
		goto out;
	}
	w.op = aligned_alloc(64, sizeof(*w.op));
	rc = w.op ? bench_buffers_alloc(&w.buffers, bench_buffers_bytes(&slots), options) : -ENOMEM;
	if (rc)
		goto out;
	if (table)
		print_head(table, options, &c);
	for (unsigned int i = 0; i < options->path_count && !rc; i++) {
		w.sva = open_path(results, options->paths[i]);
		if (w.sva)
			rc = count_path(results, &c, &w, options->paths[i], table, &failed) ?
				     0 :
				     -ENOMEM;
		else if (table)
			bench_table_row(table, options, &results->rows[results->count - 1]);
	}
	bench_buffers_free(&w.buffers);
	if (failed)
		term_error("%u of %u measurements failed", failed, results->count);
out:
	free(w.op);
	if (c.kernel >= 0)
		close(c.kernel);
	if (c.user >= 0)
		close(c.user);
	return rc || failed;
}
