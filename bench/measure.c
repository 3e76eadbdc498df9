/* SPDX-License-Identifier: MIT */
/*
 * One case, from calibration to medians. The crew is a set of threads with buffers of their own;
 * they all run the same burst at the same time, and a burst lasts from the begin of the first
 * thread to the end of the last.
 *
 * In each round libc and the path run in turn on the same buffers, and the order changes from round
 * to round, so that a machine that gets slower or faster meanwhile does so for both.
 */
#include "bench.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MOST 21
#define ROUNDS_LEAST 3
#define SAMPLES 262144 /* times kept for one case and thread */
#define TIMER_TRIES 1001
/* Where calls can be grouped, a sample takes at least as long as so many readings of the clock. */
#define SAMPLE_CLOCKS 100

struct member {
	struct bench_worker worker;
	struct bench_crew *crew;
	pthread_t thread;
};

struct bench_crew {
	const struct bench_options *options;
	struct member *members;
	unsigned int started;
	pthread_barrier_t begin, end;
	bool barriers;
	/* What the threads do in the next burst. */
	enum bench_kind kind;
	unsigned long count;
	bool quit;
	double timer_ns;
};

static void *member_main(void *arg)
{
	struct member *member = arg;
	struct bench_crew *crew = member->crew;

	for (;;) {
		pthread_barrier_wait(&crew->begin);
		if (crew->quit)
			return NULL;
		bench_burst(&member->worker, crew->kind, crew->count);
		pthread_barrier_wait(&crew->end);
	}
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* How long reading the clock takes, in ns. It is subtracted from every sample. */
static double time_timer(void)
{
	double tries[TIMER_TRIES];

	for (int i = 0; i < TIMER_TRIES; i++) {
		uint64_t before = bench_now();

		tries[i] = (double)(bench_now() - before);
	}
	return bench_median(tries, TIMER_TRIES);
}

/* ------------------------------------------------------------------ the crew */

static int member_prepare(struct member *member, const struct bench_options *options)
{
	struct bench_worker *w = &member->worker;
	unsigned int depth = options->depth < 2 ? 2 : options->depth;

	w->ops = aligned_alloc(64, depth * sizeof(*w->ops));
	w->list = calloc(depth, sizeof(*w->list));
	w->begun = calloc(depth, sizeof(*w->begun));
	w->samples = calloc(SAMPLES, sizeof(*w->samples));
	w->sample_capacity = SAMPLES;
	if (!w->ops || !w->list || !w->begun || !w->samples)
		return -ENOMEM;
	memset(w->ops, 0, depth * sizeof(*w->ops));
	for (unsigned int i = 0; i < depth; i++)
		w->list[i] = &w->ops[i];
	return bench_buffers_alloc(&w->buffers, bench_buffers_bytes(options));
}

int bench_crew_create(struct bench_crew **out, const struct bench_options *options)
{
	struct bench_crew *crew = calloc(1, sizeof(*crew));
	int rc = 0;

	if (!crew)
		return -ENOMEM;
	crew->options = options;
	crew->timer_ns = time_timer();
	crew->members = calloc(options->threads, sizeof(*crew->members));
	if (!crew->members || pthread_barrier_init(&crew->begin, NULL, options->threads + 1)) {
		free(crew->members);
		free(crew);
		return -ENOMEM;
	}
	pthread_barrier_init(&crew->end, NULL, options->threads + 1);
	for (unsigned int i = 0; i < options->threads && !rc; i++) {
		crew->members[i].crew = crew;
		rc = member_prepare(&crew->members[i], options);
	}
	for (unsigned int i = 0; i < options->threads && !rc; i++) {
		rc = -pthread_create(&crew->members[i].thread, NULL, member_main,
				     &crew->members[i]);
		crew->started += rc == 0;
	}
	*out = crew;
	return rc;
}

void bench_crew_destroy(struct bench_crew *crew)
{
	unsigned int threads;

	if (!crew)
		return;
	threads = crew->options->threads;
	/*
	 * If only some threads could be created, they wait at a barrier that cannot open until the
	 * process ends.
	 */
	if (crew->started && crew->started < threads)
		return;
	crew->quit = true;
	if (crew->started)
		pthread_barrier_wait(&crew->begin);
	for (unsigned int i = 0; i < threads; i++) {
		struct bench_worker *w = &crew->members[i].worker;

		if (crew->started)
			pthread_join(crew->members[i].thread, NULL);
		bench_buffers_free(&w->buffers);
		free(w->ops);
		free(w->list);
		free(w->begun);
		free(w->samples);
	}
	pthread_barrier_destroy(&crew->begin);
	pthread_barrier_destroy(&crew->end);
	free(crew->members);
	free(crew);
}

double bench_crew_timer_ns(const struct bench_crew *crew)
{
	return crew->timer_ns;
}

/* Every thread runs count operations. Returns the seconds that took, or a negative errno. */
static double run_burst(struct bench_crew *crew, enum bench_kind kind, unsigned long count)
{
	uint64_t start = UINT64_MAX, end = 0;

	crew->kind = kind;
	crew->count = count;
	pthread_barrier_wait(&crew->begin);
	pthread_barrier_wait(&crew->end);
	for (unsigned int i = 0; i < crew->options->threads; i++) {
		const struct bench_worker *w = &crew->members[i].worker;

		if (w->error)
			return w->error;
		start = w->start < start ? w->start : start;
		end = w->end > end ? w->end : end;
	}
	return end > start ? (double)(end - start) / 1e9 : 1e-9;
}

/* ------------------------------------------------------------------ the steps of a case */

static void unmap_buffers(struct bench_crew *crew)
{
	for (unsigned int i = 0; i < crew->options->threads; i++) {
		struct bench_worker *w = &crew->members[i].worker;

		sva_dma_unmap(w->src);
		sva_dma_unmap(w->dst);
		w->src = w->dst = NULL;
	}
}

static int map_buffers(struct bench_worker *w, const struct bench_case *what)
{
	size_t bytes = w->buffers.stride * what->depth;
	int rc = sva_dma_map(w->sva, w->buffers.src, bytes, SVA_DMA_SOURCE, &w->src);

	return rc ? rc : sva_dma_map(w->sva, w->buffers.dst, bytes, SVA_DMA_DESTINATION, &w->dst);
}

static int lay_out_buffers(struct bench_crew *crew, struct sva *sva, const struct bench_case *what)
{
	int rc = 0;

	for (unsigned int i = 0; i < crew->options->threads; i++) {
		struct bench_worker *w = &crew->members[i].worker;

		w->what = what;
		w->sva = sva;
		w->sample_count = 0;
		w->total_bytes = w->path_bytes = 0;
		w->queue[0] = w->device[0] = '\0';
		bench_buffers_lay_out(&w->buffers, what->size, what->depth);
		if (what->mapped && !rc)
			rc = map_buffers(w, what);
	}
	return rc;
}

/* Is this result of run_burst() an error? The row then says so. */
static bool failed(struct bench_row *row, double seconds)
{
	if (seconds >= 0)
		return false;
	bench_fail_row(row, (int)seconds);
	return true;
}

static void scribble_buffers(struct bench_crew *crew, const struct bench_row *row)
{
	for (unsigned int i = 0; i < crew->options->threads; i++)
		bench_buffers_scribble(&crew->members[i].worker.buffers, row->what.depth);
}

static bool verify_buffers(struct bench_crew *crew, struct bench_row *row)
{
	for (unsigned int i = 0; i < crew->options->threads; i++) {
		const struct bench_worker *w = &crew->members[i].worker;

		if (bench_buffers_verify(&w->buffers, row->what.op, row->what.depth, row->text,
					 sizeof(row->text)))
			continue;
		row->state = BENCH_FAILED;
		row->reason = -EBADMSG;
		return false;
	}
	return true;
}

/*
 * Copies to every buffer once, untimed, over other data, and checks what was written and which path
 * moved it.
 */
static bool check_path(struct bench_crew *crew, struct bench_row *row)
{
	uint64_t total = 0, path = 0;

	scribble_buffers(crew, row);
	if (failed(row, run_burst(crew, BENCH_CHECKED, row->what.depth)))
		return false;
	if (crew->options->flip)
		bench_dst(&crew->members[0].worker.buffers, 0)[row->what.size / 2] ^= 1;
	if (!verify_buffers(crew, row))
		return false;
	for (unsigned int i = 0; i < crew->options->threads; i++) {
		const struct bench_worker *w = &crew->members[i].worker;

		total += w->total_bytes;
		path += w->path_bytes;
		memcpy(row->queue, w->queue, sizeof(row->queue));
		memcpy(row->device, w->device, sizeof(row->device));
	}
	row->elsewhere = total ? 1 - (double)path / (double)total : 0;
	return true;
}

/*
 * Returns how many operations, a multiple of depth, make a burst of about this length, and stores
 * how long one takes. 0: an operation failed.
 */
static unsigned long calibrate(struct bench_crew *crew, struct bench_row *row, enum bench_kind kind,
			       double seconds, double *one)
{
	unsigned long count = row->what.depth;

	for (;;) {
		double took = run_burst(crew, kind, count), want;

		if (took < 0) {
			failed(row, took);
			return 0;
		}
		*one = took / (double)count;
		if (took * 8 >= seconds || count > 1ul << 30) {
			want = seconds / *one / row->what.depth;
			return (unsigned long)row->what.depth *
			       (want < 1 ? 1 : (unsigned long)want);
		}
		count *= 8;
	}
}

static void compute_latencies(struct bench_crew *crew, struct bench_row *row)
{
	unsigned int threads = crew->options->threads;
	size_t total = 0, at = 0;
	uint64_t *all;

	for (unsigned int i = 0; i < threads; i++)
		total += crew->members[i].worker.sample_count;
	all = malloc((total ? total : 1) * sizeof(*all));
	if (!all || !total) {
		free(all);
		row->state = BENCH_FAILED;
		row->reason = -ENOMEM;
		snprintf(row->text, sizeof(row->text), "out of memory");
		return;
	}
	for (unsigned int i = 0; i < threads; i++) {
		const struct bench_worker *w = &crew->members[i].worker;

		memcpy(all + at, w->samples, w->sample_count * sizeof(*all));
		at += w->sample_count;
	}
	qsort(all, total, sizeof(*all), compare_u64);
	row->median_ns = ((double)all[total / 2] - crew->timer_ns) / row->group;
	row->p99_ns = ((double)all[(total * 99 + 99) / 100 - 1] - crew->timer_ns) / row->group;
	row->median_ns = row->median_ns < 0 ? 0 : row->median_ns;
	row->p99_ns = row->p99_ns < 0 ? 0 : row->p99_ns;
	free(all);
}

/*
 * How many calls make a sample: the time of a short call is lost in the noise of the clock.
 * Operations in flight overlap, so each is timed by itself.
 */
static unsigned int group_size(const struct bench_crew *crew, const struct bench_row *row,
			       double one)
{
	double calls = SAMPLE_CLOCKS * crew->timer_ns / (one * 1e9);

	return row->what.mode != BENCH_SYNC || calls <= 1 ? 1 : (unsigned int)calls + 1;
}

/*
 * How many operations, a multiple of depth, the timed burst of one of n rounds has: as many as a
 * plain burst or as there is room for samples of, and at least one sample.
 */
static unsigned long timed_operations(const struct bench_row *row, unsigned long path_count,
				      unsigned int n)
{
	unsigned long depth = row->what.depth, group = row->group;
	unsigned long count = SAMPLES / n * group / depth * depth;

	count = count < path_count && count ? count : path_count;
	return count < group ? (group + depth - 1) / depth * depth : count;
}

/* Runs the rounds: in each libc and the path in turn, then the path, timing each operation. */
static bool run_rounds(struct bench_crew *crew, struct bench_row *row, double seconds)
{
	double path_rates[ROUNDS_MOST], libc_rates[ROUNDS_MOST], ratios[ROUNDS_MOST];
	double path_one, libc_one, longest;
	double bytes = (double)row->what.size * crew->options->threads;
	double burst = seconds / ROUNDS_MOST / 3;
	unsigned long path_count, libc_count, timed_count;
	unsigned int n;

	libc_count = calibrate(crew, row, BENCH_LIBC, burst, &libc_one);
	path_count = libc_count ? calibrate(crew, row, BENCH_PLAIN, burst, &path_one) : 0;
	if (!path_count)
		return false;
	/* Even depth large operations may take longer than a burst should: fewer rounds then. */
	longest = 2 * path_one * (double)path_count + libc_one * (double)libc_count;
	n = seconds / longest >= ROUNDS_MOST ? ROUNDS_MOST : (unsigned int)(seconds / longest);
	row->rounds = n = n < ROUNDS_LEAST ? ROUNDS_LEAST : n;
	row->group = group_size(crew, row, path_one);
	for (unsigned int i = 0; i < crew->options->threads; i++)
		crew->members[i].worker.group = row->group;
	timed_count = timed_operations(row, path_count, n);
	for (unsigned int i = 0; i < n; i++) {
		double took[2];

		for (unsigned int turn = 0; turn < 2; turn++) {
			bool path = turn == i % 2;

			took[path] = run_burst(crew, path ? BENCH_PLAIN : BENCH_LIBC,
					       path ? path_count : libc_count);
			if (failed(row, took[path]))
				return false;
		}
		path_rates[i] = bytes * (double)path_count / took[1];
		libc_rates[i] = bytes * (double)libc_count / took[0];
		ratios[i] = path_rates[i] / libc_rates[i];
		/* libc wrote the right data, which must not hide an error of the last burst. */
		if (i + 1 == n)
			scribble_buffers(crew, row);
		if (failed(row, run_burst(crew, BENCH_TIMED, timed_count)))
			return false;
		row->operations += (path_count + timed_count) * crew->options->threads;
	}
	row->rate = bench_median(path_rates, n);
	row->libc_rate = bench_median(libc_rates, n);
	row->ratio = bench_median(ratios, n);
	return true;
}

/* Reads how many ticks all processors have run since they started, and how many of these idle. */
static bool read_ticks(double *all, double *idle)
{
	unsigned long long value;
	FILE *file = fopen("/proc/stat", "re");
	int field = 0;

	*all = *idle = 0;
	if (!file)
		return false;
	/* user nice system idle iowait irq softirq steal, which include all fields after them */
	if (!fscanf(file, "cpu"))
		for (; field < 8 && fscanf(file, " %llu", &value) == 1; field++) {
			*all += (double)value;
			*idle += field == 3 || field == 4 ? (double)value : 0;
		}
	fclose(file);
	return field == 8;
}

void bench_measure(struct bench_crew *crew, struct sva *sva, double seconds, struct bench_row *row)
{
	double all[2], idle[2];
	bool good, known;

	row->state = BENCH_MEASURED;
	row->idle = -1;
	good = !failed(row, lay_out_buffers(crew, sva, &row->what)) && check_path(crew, row);
	known = read_ticks(&all[0], &idle[0]);
	good = good && run_rounds(crew, row, seconds);
	/* iowait is counted as idle. It may decrease by a tick, as proc(5) says. */
	if (read_ticks(&all[1], &idle[1]) && known && all[1] > all[0])
		row->idle = idle[1] > idle[0] ? (idle[1] - idle[0]) / (all[1] - all[0]) : 0;
	unmap_buffers(crew);
	if (!good)
		return;
	compute_latencies(crew, row);
	/* The last burst ran on the path, over other data: verify that as well. */
	if (row->state == BENCH_MEASURED)
		verify_buffers(crew, row);
}
