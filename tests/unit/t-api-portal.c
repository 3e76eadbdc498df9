/* SPDX-License-Identifier: MIT */
/*
 * Requests with the real instructions: run by t-api-portal.sh under sva-emu, on queues of many
 * kinds. Threads with synchronous, asynchronous and batched work on one context, on several
 * contexts and on bond handles; every byte is compared, every operation ends exactly once, and the
 * path in results is one of those that the arguments permit.
 *
 * 	t-api-portal PATHS THREADS OPERATIONS    PATHS as SVA_PATHS; the first one has to carry
 * bytes
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sva/sva.h"
#include "../tap.h"

#define AREA (256u << 10)
#define DEPTH 24

struct worker {
	pthread_t thread;
	struct sva *sva;
	unsigned int seed, operations;
	unsigned char *src, *dst;
	uint64_t bytes[SVA_PATH_COUNT];
	unsigned int wrong, ended, submitted;
	int err;
};

static unsigned int next_random(struct worker *w)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return w->seed >> 8;
}

static void account(struct worker *w, const struct sva_result *result)
{
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		w->bytes[path] += result->path_bytes[path];
}

static void expect(struct worker *w, const void *got, const void *want, size_t len)
{
	if (memcmp(got, want, len))
		w->wrong++;
}

static void synchronous(struct worker *w)
{
	size_t len = 1 + next_random(w) % AREA, at = next_random(w) % (AREA - len + 1);
	uint64_t pattern = (uint64_t)next_random(w) << 32 | next_random(w);
	int err;

	err = sva_memcpy(w->sva, w->dst + at, w->src + at, len);
	if (err)
		w->err = err;
	account(w, sva_last_result());
	expect(w, w->dst + at, w->src + at, len);
	err = sva_memfill(w->sva, w->dst + at, pattern, len);
	if (err)
		w->err = err;
	for (size_t i = 0; i < len; i++)
		if (w->dst[at + i] != (unsigned char)(pattern >> i % 8 * 8))
			w->wrong++;
}

/* An overlapping move, which the library cuts into chunks where the queue is small. */
static void overlapping(struct worker *w)
{
	size_t len = 1 + next_random(w) % (AREA / 2), shift = next_random(w) % len;
	bool up = next_random(w) & 1;
	unsigned char *from = w->dst + (up ? 0 : shift), *to = w->dst + (up ? shift : 0);
	unsigned char *want = malloc(len);
	int err;

	memcpy(w->dst, w->src, AREA);
	memcpy(want, from, len);
	err = sva_memcpy(w->sva, to, from, len);
	if (err)
		w->err = err;
	expect(w, to, want, len);
	free(want);
}

static void reap(struct worker *w, bool *pending, struct sva_op *ops)
{
	struct sva_op *done[8];
	int n = sva_reap(w->sva, done, 8);

	for (int i = 0; i < n; i++) {
		size_t index = (size_t)(done[i] - ops);

		if (index >= DEPTH || !pending[index] || done[i]->user_data != index) {
			w->wrong++; /* not ours, or ended twice */
			continue;
		}
		pending[index] = false;
		w->ended++;
		if (sva_op_result(done[i])->error)
			w->err = sva_op_result(done[i])->error;
		account(w, sva_op_result(done[i]));
	}
	if (!n)
		sched_yield();
}

static void asynchronous(struct worker *w, struct sva_op *ops)
{
	bool pending[DEPTH] = { false };
	size_t part = AREA / DEPTH, len = 1 + next_random(w) % part;
	unsigned int before = w->ended;

	memset(w->dst, 0, AREA);
	for (size_t i = 0; i < DEPTH; i++) {
		int err;

		sva_prep_memcpy(&ops[i], w->dst + i * part, w->src + i * part, len);
		ops[i].user_data = i;
		while ((err = sva_submit(w->sva, &ops[i])) == -EAGAIN)
			reap(w, pending, ops);
		if (err)
			w->err = err;
		else
			w->submitted++;
		pending[i] = !err;
	}
	while (w->ended - before < DEPTH && !w->err)
		reap(w, pending, ops);
	for (size_t i = 0; i < DEPTH; i++)
		expect(w, w->dst + i * part, w->src + i * part, len);
}

static void many(struct worker *w, struct sva_op *ops, bool batch)
{
	struct sva_op *list[DEPTH], *op = &ops[DEPTH];
	size_t part = AREA / DEPTH, len = 1 + next_random(w) % part;
	unsigned int taken = 0;
	int n = 0;

	memset(w->dst, 0, AREA);
	for (size_t i = 0; i < DEPTH; i++) {
		list[i] = &ops[i];
		sva_prep_memcpy(&ops[i], w->dst + i * part, w->src + i * part, len);
	}
	if (batch) {
		ops[DEPTH / 2].flags |= SVA_OP_FENCE;
		sva_prep_batch(op, list, DEPTH);
		while ((n = sva_submit(w->sva, op)) == -EAGAIN)
			sched_yield();
		if (!n)
			n = sva_wait(op, -1);
		account(w, sva_op_result(op));
	}
	while (!batch && taken < DEPTH && n >= 0) {
		n = sva_submit_many(w->sva, list + taken, DEPTH - taken);
		if (n == -EAGAIN)
			n = 0;
		if (n > 0)
			taken += (unsigned int)n;
		else
			sched_yield();
		/* An operation in flight returns its credit only when it is polled. */
		for (unsigned int i = 0; i < taken; i++)
			(void)sva_poll(list[i]);
	}
	for (unsigned int i = 0; i < taken; i++) {
		int err = sva_wait(list[i], -1);

		if (err)
			w->err = err;
		account(w, sva_op_result(list[i]));
	}
	if (n < 0)
		w->err = n;
	for (size_t i = 0; i < DEPTH; i++)
		expect(w, w->dst + i * part, w->src + i * part, len);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct sva_op *ops = aligned_alloc(64, (DEPTH + 1) * sizeof(*ops));

	for (unsigned int i = 0; i < w->operations && !w->err; i++) {
		switch (next_random(w) % 5) {
		case 0: synchronous(w); break;
		case 1: overlapping(w); break;
		case 2: asynchronous(w, ops); break;
		case 3: many(w, ops, false); break;
		default: many(w, ops, true); break;
		}
	}
	free(ops);
	return NULL;
}

static void set_up(struct worker *w, struct sva *sva, unsigned int number, unsigned int operations)
{
	*w = (struct worker){ .sva = sva, .seed = number * 7919 + 1, .operations = operations };
	w->src = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	w->dst = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < AREA; i++)
		w->src[i] = (unsigned char)next_random(w);
}

static int first_path(const char *paths)
{
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (!strncmp(paths, sva_path_name(path), strlen(sva_path_name(path))))
			return path;
	return -1;
}

/* The verifier must report one flipped byte. */
static void negative_control(struct worker *w)
{
	unsigned int before = w->wrong;

	memcpy(w->dst, w->src, AREA);
	w->dst[AREA - 1] ^= 1;
	expect(w, w->dst, w->src, AREA);
	ok(w->wrong == before + 1, "control: one flipped byte is reported");
	w->wrong = before;
}

int main(int argc, char **argv)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct worker workers[16];
	struct sva *sva[2];
	uint64_t bytes[SVA_PATH_COUNT] = { 0 };
	unsigned int threads, wrong = 0, ended = 0, submitted = 0;
	int err = 0, first;

	if (argc != 4)
		skip_all("this program is run by t-api-portal.sh");
	opts.paths = argv[1];
	opts.threshold = 1;
	first = first_path(argv[1]);
	threads = (unsigned int)atoi(argv[2]);
	for (int i = 0; i < 2; i++) {
		err = sva_open(&sva[i], &opts);
		if (err) {
			is(err, 0, "a context opens");
			return done();
		}
	}
	for (unsigned int i = 0; i < threads; i++) {
		set_up(&workers[i], sva[i % 2], i, (unsigned int)atoi(argv[3]));
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		wrong += workers[i].wrong;
		ended += workers[i].ended;
		submitted += workers[i].submitted;
		if (workers[i].err)
			err = workers[i].err;
		for (int path = 0; path < SVA_PATH_COUNT; path++)
			bytes[path] += workers[i].bytes[path];
	}
	is(err, 0, "no operation failed");
	is(wrong, 0, "every byte of every operation is right");
	is(ended, submitted, "every asynchronous operation ended once");
	ok(bytes[first] > 0, "%s carried %" PRIu64 " bytes", sva_path_name(first), bytes[first]);
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (!strstr(argv[1], sva_path_name(path)))
			ok(!bytes[path], "%s, which is not permitted, carried %" PRIu64 " bytes",
			   sva_path_name(path), bytes[path]);
	negative_control(&workers[0]);
	sva_close(sva[0]);
	sva_close(sva[1]);
	return done();
}
