/* SPDX-License-Identifier: MIT */
/*
 * One case, from calibration to medians. The crew is a set of threads with buffers of their own;
 * they all run the same burst at the same time, and a burst lasts from the begin of the first
 * thread to the end of the last.
 *
 * In each round libc, the path cpu and the path run in turn on the same buffers, and the order
 * changes from round to round, so that a machine that gets slower or faster meanwhile does so for
 * all.
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
	double whole; /* seconds of the last burst, with all that was done beside the operations */
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
	w->batches = aligned_alloc(64, depth * sizeof(*w->batches));
	w->values = calloc(depth, sizeof(*w->values));
	w->list = calloc(depth, sizeof(*w->list));
	w->begun = calloc(depth, sizeof(*w->begun));
	w->samples = calloc(SAMPLES, sizeof(*w->samples));
	w->sample_capacity = SAMPLES;
	if (!w->ops || !w->batches || !w->values || !w->list || !w->begun || !w->samples)
		return -ENOMEM;
	memset(w->ops, 0, depth * sizeof(*w->ops));
	memset(w->batches, 0, depth * sizeof(*w->batches));
	for (unsigned int i = 0; i < depth; i++)
		w->list[i] = &w->ops[i];
	return bench_buffers_alloc(&w->buffers, bench_buffers_bytes(options), options);
}

static int pin_thread(pthread_t thread, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return -pthread_setaffinity_np(thread, sizeof(set), &set);
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
		if (!rc && options->cpu_count)
			rc = pin_thread(crew->members[i].thread,
					options->cpus[i % options->cpu_count]);
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
		free(w->batches);
		free(w->values);
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

/*
 * Every thread runs count operations. Returns the seconds that took, without what brings buffers
 * into a state, or a negative errno.
 */
static double run_burst(struct bench_crew *crew, enum bench_kind kind, unsigned long count)
{
	bool placed = crew->members[0].worker.what->place != BENCH_TURN;
	uint64_t start = UINT64_MAX, end = 0, busy = 0, took;

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
		busy = w->busy > busy ? w->busy : busy;
	}
	crew->whole = end > start ? (double)(end - start) / 1e9 : 1e-9;
	took = placed ? busy : end - start;
	return took ? (double)took / 1e9 : 1e-9;
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

static int lay_out_buffers(struct bench_crew *crew, struct sva *sva, struct sva *cpu,
			   const struct bench_case *what)
{
	int rc = 0;

	for (unsigned int i = 0; i < crew->options->threads; i++) {
		struct bench_worker *w = &crew->members[i].worker;

		w->what = what;
		w->sva = sva;
		w->cpu = cpu;
		w->sample_count = 0;
		w->cpu_time = w->cpu_operations = 0;
		w->total_bytes = w->path_bytes = 0;
		w->queue[0] = w->device[0] = '\0';
		bench_buffers_lay_out(&w->buffers, what->op, what->size, what->depth);
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

/* values: of the checked burst, which reported them; in the timed ones they are not kept. */
static bool verify_buffers(struct bench_crew *crew, struct bench_row *row, bool values)
{
	for (unsigned int i = 0; i < crew->options->threads; i++) {
		const struct bench_worker *w = &crew->members[i].worker;

		if (bench_buffers_verify(&w->buffers, values ? w->values : NULL, row->what.depth,
					 row->text, sizeof(row->text)))
			continue;
		row->state = BENCH_FAILED;
		row->reason = -EBADMSG;
		return false;
	}
	return true;
}

/* A no-op has no data: what it reported is changed instead. */
static void flip(struct bench_worker *w)
{
	if (w->what->op == BENCH_NOOP)
		w->values[0] ^= 1;
	else
		bench_buffers_flip(&w->buffers);
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
		flip(&crew->members[0].worker);
	if (!verify_buffers(crew, row, true))
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
		took = crew->whole;
		if (took * 8 >= seconds || count > 1ul << 30) {
			want = seconds / (took / (double)count) / row->what.depth;
			return (unsigned long)row->what.depth *
			       (want < 1 ? 1 : (unsigned long)want);
		}
		count *= 8;
	}
}

/* The time of one operation of a sample, without reading the clock. */
static double sample_ns(const struct bench_crew *crew, const struct bench_row *row, uint64_t sample)
{
	double ns = ((double)sample - crew->timer_ns) / row->group;

	return ns < 0 ? 0 : ns;
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
	row->median_ns = sample_ns(crew, row, all[total / 2]);
	row->p99_ns = sample_ns(crew, row, all[(total * 99 + 99) / 100 - 1]);
	row->p999_ns = sample_ns(crew, row, all[(total * 999 + 999) / 1000 - 1]);
	for (size_t i = 0; i < total; i++) {
		uint64_t ns = (uint64_t)sample_ns(crew, row, all[i]);
		unsigned int bucket = ns ? 63 - (unsigned int)__builtin_clzll(ns) : 0;

		row->histogram[bucket < BENCH_BUCKETS ? bucket : BENCH_BUCKETS - 1]++;
	}
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

	if (row->what.mode != BENCH_SYNC || calls <= 1)
		return 1;
	/* Between the groups of placed buffers lies what places them. */
	if (row->what.place != BENCH_TURN && calls + 1 > row->what.depth)
		return row->what.depth;
	return (unsigned int)calls + 1;
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

/* The bursts of a round: libc, the same operations on the path cpu, and the path itself. */
enum { TURN_LIBC, TURN_CPU, TURN_PATH, TURNS };

struct rounds {
	unsigned long counts[TURNS]; /* operations in a burst; 0: this one is not run */
	double rates[TURNS][ROUNDS_MOST];
	double ratios[TURNS][ROUNDS_MOST]; /* of the path to each */
	unsigned long timed;
	unsigned int n;
};

static const enum bench_kind kinds[TURNS] = { BENCH_LIBC, BENCH_CPU, BENCH_PLAIN };

static bool has_turn(const struct bench_crew *crew, const struct bench_row *row, int turn)
{
	if (turn == TURN_LIBC)
		return bench_op_libc(row->what.op) != NULL;
	return turn == TURN_PATH ||
	       (crew->members[0].worker.cpu && row->what.path != SVA_PATH_CPU);
}

/* Chooses the length of the bursts and how many rounds there are. */
static bool plan_rounds(struct bench_crew *crew, struct bench_row *row, double seconds,
			struct rounds *r)
{
	double burst = seconds / ROUNDS_MOST / (TURNS + 1), longest = 0, one = 0;

	for (int turn = 0; turn < TURNS; turn++) {
		r->counts[turn] = 0;
		if (!has_turn(crew, row, turn))
			continue;
		r->counts[turn] = calibrate(crew, row, kinds[turn], burst, &one);
		if (!r->counts[turn])
			return false;
		/* The path runs twice, the second time with each operation timed. */
		longest += (turn == TURN_PATH ? 2 : 1) * crew->whole;
	}
	/* Even depth large operations may take longer than a burst should: fewer rounds then. */
	longest = longest > burst * (TURNS + 1) ? longest : burst * (TURNS + 1);
	r->n = (unsigned int)(seconds / longest);
	r->n = r->n > ROUNDS_MOST ? ROUNDS_MOST : r->n < ROUNDS_LEAST ? ROUNDS_LEAST : r->n;
	row->rounds = r->n;
	row->group = group_size(crew, row, one);
	for (unsigned int i = 0; i < crew->options->threads; i++) {
		crew->members[i].worker.group = row->group;
		crew->members[i].worker.cpu_time = crew->members[i].worker.cpu_operations = 0;
	}
	r->timed = timed_operations(row, r->counts[TURN_PATH], r->n);
	return true;
}

static bool run_round(struct bench_crew *crew, struct bench_row *row, struct rounds *r,
		      unsigned int i)
{
	double units = (double)(row->what.size ? row->what.size : 1) * crew->options->threads;

	for (unsigned int k = 0; k < TURNS; k++) {
		unsigned int turn = (i + k) % TURNS;
		double took;

		if (!r->counts[turn])
			continue;
		took = run_burst(crew, kinds[turn], r->counts[turn]);
		if (failed(row, took))
			return false;
		r->rates[turn][i] = units * (double)r->counts[turn] / took;
	}
	for (unsigned int turn = 0; turn < TURNS; turn++)
		if (r->counts[turn])
			r->ratios[turn][i] = r->rates[TURN_PATH][i] / r->rates[turn][i];
	return true;
}

/* The caller's processor time for one operation, all threads together. */
static double cpu_time_of(const struct bench_crew *crew)
{
	uint64_t time = 0, operations = 0;

	for (unsigned int i = 0; i < crew->options->threads; i++) {
		time += crew->members[i].worker.cpu_time;
		operations += crew->members[i].worker.cpu_operations;
	}
	return operations ? (double)time / (double)operations : 0;
}

/* Runs the rounds: in each the three bursts in turn, then the path, timing each operation. */
static bool run_rounds(struct bench_crew *crew, struct bench_row *row, double seconds)
{
	struct rounds r;

	if (!plan_rounds(crew, row, seconds, &r))
		return false;
	for (unsigned int i = 0; i < r.n; i++) {
		if (!run_round(crew, row, &r, i))
			return false;
		/* The others wrote the right data: it must not hide an error of the last burst. */
		if (i + 1 == r.n)
			scribble_buffers(crew, row);
		if (failed(row, run_burst(crew, BENCH_TIMED, r.timed)))
			return false;
		row->operations += (r.counts[TURN_PATH] + r.timed) * crew->options->threads;
	}
	row->rate = bench_median(r.rates[TURN_PATH], r.n);
	if (r.counts[TURN_LIBC]) {
		row->libc_rate = bench_median(r.rates[TURN_LIBC], r.n);
		row->ratio = bench_median(r.ratios[TURN_LIBC], r.n);
	}
	if (r.counts[TURN_CPU]) {
		row->cpu_rate = bench_median(r.rates[TURN_CPU], r.n);
		row->cpu_ratio = bench_median(r.ratios[TURN_CPU], r.n);
	}
	row->cpu_ns = cpu_time_of(crew);
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

void bench_measure(struct bench_crew *crew, struct sva *sva, struct sva *cpu, double seconds,
		   struct bench_row *row)
{
	double all[2], idle[2];
	bool good, known;

	row->state = BENCH_MEASURED;
	row->idle = -1;
	good = !failed(row, lay_out_buffers(crew, sva, cpu, &row->what)) && check_path(crew, row);
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
		verify_buffers(crew, row, false);
}
