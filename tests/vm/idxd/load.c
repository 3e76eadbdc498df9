/* SPDX-License-Identifier: MIT */
/*
 * idxd-load PATHS SECONDS: copies, synchronous and asynchronous, by three threads, while the caller
 * of this program disables queues and resets the device. Operations may end with -EIO, if a queue
 * took them and was disabled then; none may hang, and the bytes of those that succeed are right.
 * Prints how many took which path.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "sva/sva.h"
#include "tap.h"

#define THREADS 3
#define FLIGHT  6
#define LEN     (96u << 10)

struct worker {
	pthread_t thread;
	unsigned long done, failed, wrong, other;
	uint64_t bytes[SVA_PATH_COUNT];
};

static const char *paths;
static double until;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void account(struct worker *w, int err, const struct sva_result *r, const uint8_t *dst,
		    const uint8_t *src)
{
	if (!err) {
		w->done++;
		w->wrong += memcmp(dst, src, LEN) != 0;
		for (int i = 0; i < SVA_PATH_COUNT; i++)
			w->bytes[i] += r->path_bytes[i];
	} else if (err == -EIO || err == -ENODEV) {
		w->failed++;
	} else {
		if (!w->other++)
			printf("# an operation ended with %d (%s)\n", err, strerror(-err));
	}
}

static struct sva *open_context(void)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct sva *sva;

	opts.paths = paths;
	opts.threshold = 1;
	opts.record_timeout_ms = 1500;
	return sva_open(&sva, &opts) ? NULL : sva;
}

static void round_of(struct worker *w, struct sva *sva, struct sva_op *ops, uint8_t *src,
		     uint8_t *dst, unsigned int number)
{
	memset(src, (int)number, (size_t)FLIGHT * LEN);
	memset(dst, (int)~number, (size_t)FLIGHT * LEN);
	account(w, sva_memcpy(sva, dst, src, LEN), sva_last_result(), dst, src);
	for (int i = 1; i < FLIGHT; i++) {
		int err;

		sva_prep_memcpy(&ops[i], dst + i * LEN, src + i * LEN, LEN);
		while ((err = sva_submit(sva, &ops[i])) == -EAGAIN)
			for (int j = 1; j < i; j++)
				sva_poll(&ops[j]);
		if (err)
			account(w, err, sva_op_result(&ops[i]), NULL, NULL);
		ops[i].user_data = (uint64_t)err;
	}
	for (int i = 1; i < FLIGHT; i++)
		if (!ops[i].user_data)
			account(w, sva_wait(&ops[i], -1), sva_op_result(&ops[i]), dst + i * LEN,
				src + i * LEN);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct sva_op *ops = aligned_alloc(64, FLIGHT * sizeof(*ops));
	uint8_t *src = malloc((size_t)FLIGHT * LEN), *dst = malloc((size_t)FLIGHT * LEN);
	struct sva *sva = NULL;

	/* A context that lost its queues does not search for new ones: use each for a time. */
	for (unsigned int number = 1; now() < until; number++) {
		if (number % 20 == 1) {
			sva_close(sva);
			sva = open_context();
			if (!sva) {
				w->other++;
				break;
			}
		}
		round_of(w, sva, ops, src, dst, number);
	}
	sva_close(sva);
	free(src);
	free(dst);
	free(ops);
	return NULL;
}

int main(int argc, char **argv)
{
	struct worker workers[THREADS] = { 0 }, sum = { 0 };

	if (argc != 3)
		return 2;
	paths = argv[1];
	until = now() + atof(argv[2]);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		sum.done += workers[i].done;
		sum.failed += workers[i].failed;
		sum.wrong += workers[i].wrong;
		sum.other += workers[i].other;
		for (int path = 0; path < SVA_PATH_COUNT; path++)
			sum.bytes[path] += workers[i].bytes[path];
	}
	printf("# %lu done, %lu failed;", sum.done, sum.failed);
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (sum.bytes[path])
			printf(" %s %" PRIu64 " KiB", sva_path_name(path), sum.bytes[path] >> 10);
	printf("\n");
	is(sum.wrong, 0, "the bytes of each copy that succeeds are right");
	is(sum.other, 0, "each copy that fails is -EIO or -ENODEV");
	ok(sum.done > 0 && sum.bytes[SVA_PATH_ENQCMD] + sum.bytes[SVA_PATH_MOVDIR64B] +
					   sum.bytes[SVA_PATH_WRITE] >
				   0,
	   "the device did at least some of the copies");
	ok(now() < until + 30, "each of the processes ended: no copy hangs");
	return done();
}
