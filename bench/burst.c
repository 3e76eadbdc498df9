/* SPDX-License-Identifier: MIT */
/*
 * The loops that are timed. Of a plain burst only the begin and the end are timed, so that reading
 * the clock does not slow down small operations. In a timed burst each operation is timed, from
 * before the call that submits it until its end is seen; synchronous calls that take little longer
 * than reading the clock are timed in groups.
 */
#include "bench.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Tries on a queue that other processes keep full, before the burst ends with -EAGAIN. */
#define FULL_TRIES (1ul << 22)

uint64_t bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void add_sample(struct bench_worker *w, uint64_t ns)
{
	if (w->sample_count < w->sample_capacity)
		w->samples[w->sample_count++] = ns;
}

/* Records which path an operation really took; not in bursts that are timed. */
static void record_route(struct bench_worker *w, const struct sva_result *result)
{
	w->total_bytes += result->bytes;
	w->path_bytes += result->path_bytes[w->what->path];
	if (result->queue)
		snprintf(w->queue, sizeof(w->queue), "%s", result->queue);
	if (result->device)
		snprintf(w->device, sizeof(w->device), "%s", result->device);
}

static void prepare_op(struct bench_worker *w, unsigned int slot)
{
	size_t at = slot * w->buffers.stride;

	if (w->what->mapped && w->what->op == BENCH_MEMCPY)
		sva_prep_dma_copy(&w->ops[slot], w->dst, at, w->src, at, w->what->size);
	else if (w->what->mapped)
		sva_prep_dma_fill(&w->ops[slot], w->dst, at, bench_pattern(slot), w->what->size);
	else if (w->what->op == BENCH_MEMCPY)
		sva_prep_memcpy(&w->ops[slot], bench_dst(&w->buffers, slot),
				bench_src(&w->buffers, slot), w->what->size);
	else
		sva_prep_memfill(&w->ops[slot], bench_dst(&w->buffers, slot), bench_pattern(slot),
				 w->what->size);
}

static void burst_libc(struct bench_worker *w, unsigned long count)
{
	unsigned int slots = w->what->depth, slot = 0;
	size_t size = w->what->size;

	for (unsigned long i = 0; i < count; i++) {
		void *dst = bench_dst(&w->buffers, slot);

		if (w->what->op == BENCH_MEMCPY)
			memcpy(dst, bench_src(&w->buffers, slot), size);
		else
			memset(dst, (int)(bench_pattern(slot) & 0xff), size);
		/* Keeps the compiler from removing a copy whose result is not read. */
		__asm__ volatile("" : : "r"(dst) : "memory");
		slot = slot + 1 == slots ? 0 : slot + 1;
	}
}

/*
 * Makes a mapped buffer readable by the CPU, as its contract asks; costs nothing on most machines.
 */
static int sync_for_cpu(struct bench_worker *w, unsigned int slot)
{
	return sva_dma_sync(w->dst, slot * w->buffers.stride, w->what->size, SVA_DMA_FOR_CPU);
}

static int run_mapped(struct bench_worker *w, unsigned int slot)
{
	size_t at = slot * w->buffers.stride;
	int rc;

	if (w->what->op == BENCH_MEMCPY)
		rc = sva_dma_copy(w->sva, w->dst, at, w->src, at, w->what->size);
	else
		rc = sva_dma_fill(w->sva, w->dst, at, bench_pattern(slot), w->what->size);
	return rc ? rc : sync_for_cpu(w, slot);
}

static int burst_sync(struct bench_worker *w, enum bench_kind kind, unsigned long count)
{
	unsigned int slots = w->what->depth, slot = 0;
	size_t size = w->what->size;
	unsigned int in_group = 0;
	uint64_t begun = 0;

	for (unsigned long i = 0; i < count; i++) {
		void *dst = bench_dst(&w->buffers, slot);
		int rc;

		if (kind == BENCH_TIMED && !in_group)
			begun = bench_now();
		if (w->what->mapped)
			rc = run_mapped(w, slot);
		else if (w->what->op == BENCH_MEMCPY)
			rc = sva_memcpy(w->sva, dst, bench_src(&w->buffers, slot), size);
		else
			rc = sva_memfill(w->sva, dst, bench_pattern(slot), size);
		if (kind == BENCH_TIMED && ++in_group == w->group) {
			add_sample(w, bench_now() - begun);
			in_group = 0;
		}
		if (rc)
			return rc;
		if (kind == BENCH_CHECKED)
			record_route(w, sva_last_result());
		slot = slot + 1 == slots ? 0 : slot + 1;
	}
	return 0;
}

static int finish_op(struct bench_worker *w, enum bench_kind kind, unsigned int slot)
{
	int rc = sva_wait(&w->ops[slot], -1);

	if (w->what->mapped && rc == 0)
		rc = sync_for_cpu(w, slot);
	if (kind == BENCH_TIMED)
		add_sample(w, bench_now() - w->begun[slot]);
	if (kind == BENCH_CHECKED && rc == 0)
		record_route(w, sva_op_result(&w->ops[slot]));
	return rc;
}

/*
 * Keeps depth operations in flight: waits for the oldest and uses its slot again, which also makes
 * room in a full queue.
 */
static int burst_async(struct bench_worker *w, enum bench_kind kind, unsigned long count)
{
	unsigned long done = 0, begun = 0, full = 0;
	unsigned int depth = w->what->depth;
	int rc = 0, first = 0;

	while (done < count) {
		unsigned int slot = (unsigned int)(begun % depth);

		if (begun < count && begun - done < depth && !first) {
			prepare_op(w, slot);
			if (kind == BENCH_TIMED)
				w->begun[slot] = bench_now();
			rc = sva_submit(w->sva, &w->ops[slot]);
			if (rc == 0) {
				begun++;
				full = 0;
				continue;
			}
			if (rc != -EAGAIN || ++full > FULL_TRIES)
				first = rc;
		}
		if (begun == done && first)
			return first;
		if (begun == done)
			continue;
		rc = finish_op(w, kind, (unsigned int)(done % depth));
		done++;
		first = first ? first : rc;
	}
	return first;
}

/*
 * Submits depth operations in one call, again those for which the queue had no room, and waits for
 * all.
 */
static int burst_batch(struct bench_worker *w, enum bench_kind kind, unsigned long count)
{
	unsigned int depth = w->what->depth;
	unsigned long full = 0;
	int first = 0;

	for (unsigned long i = 0; i < count && !first; i += depth) {
		unsigned int taken = 0, done = 0;
		uint64_t begun;

		for (unsigned int slot = 0; slot < depth; slot++)
			prepare_op(w, slot);
		begun = kind == BENCH_TIMED ? bench_now() : 0;
		while (done < depth) {
			int n = 0;

			if (taken < depth && !first)
				n = sva_submit_many(w->sva, w->list + taken, depth - taken);
			full = n > 0 || done < taken ? 0 : full + 1;
			if ((n < 0 && n != -EAGAIN) || full > FULL_TRIES)
				first = n < 0 ? n : -EAGAIN;
			for (int k = 0; k < n; k++)
				w->begun[taken++] = begun;
			if (first && done == taken)
				break;
			/*
			 * If all are submitted, wait for all; else for the oldest, which makes
			 * room.
			 */
			while (done < taken) {
				int rc = finish_op(w, kind, done++);

				first = first ? first : rc;
				if (taken < depth)
					break;
			}
		}
	}
	return first;
}

void bench_burst(struct bench_worker *worker, enum bench_kind kind, unsigned long count)
{
	worker->error = 0;
	worker->start = bench_now();
	if (kind == BENCH_LIBC)
		burst_libc(worker, count);
	else if (worker->what->mode == BENCH_SYNC)
		worker->error = burst_sync(worker, kind, count);
	else if (worker->what->mode == BENCH_ASYNC)
		worker->error = burst_async(worker, kind, count);
	else
		worker->error = burst_batch(worker, kind, count);
	worker->end = bench_now();
}
