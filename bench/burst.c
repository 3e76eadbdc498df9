/* SPDX-License-Identifier: MIT */
/*
 * The loops that are timed. Of a plain burst only the begin and the end are timed, so that reading
 * the clock does not slow down small operations. In a timed burst each operation is timed, from
 * before the call that submits it until its end is seen; synchronous calls that take little longer
 * than reading the clock are timed in groups. Where the buffers are brought into a state before the
 * operations, that is done for depth operations at a time, and not timed.
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
static void record_route(struct bench_worker *w, const struct sva_result *result, unsigned int slot)
{
	w->values[slot] = bench_op_value(w->what->op, result);
	w->total_bytes += result->bytes;
	w->path_bytes += result->path_bytes[w->what->path];
	if (result->queue)
		snprintf(w->queue, sizeof(w->queue), "%s", result->queue);
	if (result->device)
		snprintf(w->device, sizeof(w->device), "%s", result->device);
}

static void burst_libc(struct bench_worker *w, unsigned long count)
{
	unsigned int slots = w->what->depth, slot = 0;

	for (unsigned long i = 0; i < count; i++) {
		bench_op_run_libc(w, slot);
		slot = slot + 1 == slots ? 0 : slot + 1;
	}
}

static int burst_sync(struct bench_worker *w, enum bench_kind kind, unsigned long count)
{
	unsigned int slots = w->what->depth, slot = 0;
	unsigned int in_group = 0;
	uint64_t begun = 0;

	for (unsigned long i = 0; i < count; i++) {
		int rc;

		if (kind == BENCH_TIMED && !in_group)
			begun = bench_now();
		rc = bench_op_run(w, slot);
		if (kind == BENCH_TIMED && ++in_group == w->group) {
			add_sample(w, bench_now() - begun);
			in_group = 0;
		}
		if (rc < 0)
			return rc;
		if (kind == BENCH_CHECKED)
			record_route(w, sva_last_result(), slot);
		slot = slot + 1 == slots ? 0 : slot + 1;
	}
	return 0;
}

static int finish_op(struct bench_worker *w, enum bench_kind kind, unsigned int slot)
{
	int rc = sva_wait(&w->ops[slot], -1);

	if (w->mapped_now && rc == 0)
		rc = sva_dma_sync(w->dst, slot * w->buffers.stride, w->what->size,
				  SVA_DMA_FOR_CPU);
	if (kind == BENCH_TIMED)
		add_sample(w, bench_now() - w->begun[slot]);
	if (kind == BENCH_CHECKED && rc == 0)
		record_route(w, sva_op_result(&w->ops[slot]), slot);
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
			bench_op_prepare(w, slot);
			if (kind == BENCH_TIMED)
				w->begun[slot] = bench_now();
			rc = sva_submit(w->now, &w->ops[slot]);
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
static int burst_many(struct bench_worker *w, enum bench_kind kind, unsigned long count)
{
	unsigned int depth = w->what->depth;
	unsigned long full = 0;
	int first = 0;

	for (unsigned long i = 0; i < count && !first; i += depth) {
		unsigned int taken = 0, done = 0;
		uint64_t begun;

		for (unsigned int slot = 0; slot < depth; slot++)
			bench_op_prepare(w, slot);
		begun = kind == BENCH_TIMED ? bench_now() : 0;
		while (done < depth) {
			int n = 0;

			if (taken < depth && !first)
				n = sva_submit_many(w->now, w->list + taken, depth - taken);
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

static void begin_batch(struct bench_worker *w, enum bench_kind kind, unsigned int index)
{
	unsigned int batch = w->what->batch;

	for (unsigned int i = 0; i < batch; i++)
		bench_op_prepare(w, index * batch + i);
	sva_prep_batch(&w->batches[index], w->list + index * batch, batch);
	if (kind == BENCH_TIMED)
		w->begun[index] = bench_now();
}

static int finish_batch(struct bench_worker *w, enum bench_kind kind, unsigned int index)
{
	unsigned int batch = w->what->batch;
	int rc = sva_wait(&w->batches[index], -1);

	if (kind == BENCH_TIMED)
		add_sample(w, bench_now() - w->begun[index]);
	for (unsigned int i = index * batch; w->mapped_now && i < (index + 1) * batch && !rc; i++)
		rc = sva_dma_sync(w->dst, i * w->buffers.stride, w->what->size, SVA_DMA_FOR_CPU);
	if (kind != BENCH_CHECKED)
		return rc;
	for (unsigned int i = index * batch; i < (index + 1) * batch; i++) {
		const struct sva_result *result = sva_op_result(&w->ops[i]);

		record_route(w, result, i);
		/* The batch reports -EIO, whatever the error of an entry was. */
		if (rc == -EIO && result->error)
			rc = result->error;
	}
	return rc;
}

/* Keeps depth / batch batches in flight, each of which is one operation of sva_prep_batch(). */
static int burst_batch(struct bench_worker *w, enum bench_kind kind, unsigned long count)
{
	unsigned long batches = count / w->what->batch, done = 0, begun = 0, full = 0;
	unsigned int most = w->what->depth / w->what->batch;
	int rc, first = 0;

	while (done < batches) {
		unsigned int index = (unsigned int)(begun % most);

		if (begun < batches && begun - done < most && !first) {
			begin_batch(w, kind, index);
			rc = sva_submit(w->now, &w->batches[index]);
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
		rc = finish_batch(w, kind, (unsigned int)(done % most));
		done++;
		first = first ? first : rc;
	}
	return first;
}

static int run_operations(struct bench_worker *w, enum bench_kind kind, unsigned long count)
{
	if (kind == BENCH_LIBC) {
		burst_libc(w, count);
		return 0;
	}
	if (w->what->mode == BENCH_SYNC)
		return burst_sync(w, kind, count);
	if (w->what->mode == BENCH_ASYNC)
		return burst_async(w, kind, count);
	if (w->what->mode == BENCH_MANY)
		return burst_many(w, kind, count);
	return burst_batch(w, kind, count);
}

/* ------------------------------------------------------------------ where the bytes are */

static void read_lines(const volatile unsigned char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 64)
		(void)at[i];
}

/* Brings the buffers of depth operations into the caches, or removes them from there. */
static int place_buffers(struct bench_worker *w)
{
	struct bench_buffers *b = &w->buffers;
	unsigned char *parts[] = { b->src, b->dst, b->aux_size ? b->aux : NULL };
	size_t bytes = b->stride * w->what->depth;
	int rc = 0;

	for (int i = 0; i < 3 && !rc; i++) {
		if (!parts[i])
			continue;
		if (w->what->place == BENCH_COLD)
			rc = sva_cache_flush(w->cpu, parts[i], bytes);
		else
			read_lines(parts[i], bytes);
	}
	return rc;
}

static uint64_t thread_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Runs operations, and adds how long they took by the clock and of the processor. */
static int run_part(struct bench_worker *w, enum bench_kind kind, unsigned long count)
{
	uint64_t cpu = kind == BENCH_PLAIN ? thread_time() : 0, begun = bench_now();
	int rc = run_operations(w, kind, count);

	w->busy += bench_now() - begun;
	if (kind == BENCH_PLAIN) {
		w->cpu_time += thread_time() - cpu;
		w->cpu_operations += count;
	}
	return rc;
}

void bench_burst(struct bench_worker *w, enum bench_kind kind, unsigned long count)
{
	unsigned long part = w->what->place == BENCH_TURN ? count : w->what->depth;

	w->error = 0;
	w->busy = 0;
	w->now = kind == BENCH_CPU ? w->cpu : w->sva;
	w->mapped_now = w->what->mapped && kind != BENCH_CPU;
	w->start = bench_now();
	for (unsigned long done = 0; done < count && !w->error; done += part) {
		if (w->what->place != BENCH_TURN)
			w->error = place_buffers(w);
		if (!w->error)
			w->error = run_part(w, kind, part);
	}
	w->end = bench_now();
}
