/* SPDX-License-Identifier: MIT */
/* Scatter and gather: buffers 0 and 1 cut into pieces with gaps, which must stay as they are. */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "storm/storm.h"

#define PIECES 10u
#define MOST_GAP 40u

const struct kind kind_list = {"sva_copyv", NULL, NULL, 0, 0};

/* Pieces of buffer i, which together are about len bytes; how many. */
static unsigned int cut(struct job *job, unsigned int i, size_t len, struct iovec *pieces)
{
	unsigned int n = 1 + (unsigned int)chance_below(&job->chance, PIECES);
	size_t at = 0;

	for (unsigned int k = 0; k < n; k++) {
		size_t most = len / n * 2, size = chance_one_in(&job->chance, 10) ?
							  0 :
							  chance_below(&job->chance, most + 1);

		if (at + size > len)
			size = len - at;
		pieces[k] = (struct iovec){buffer_live(job, i) + at, size};
		at += size;
		if (at + MOST_GAP <= len)
			at += chance_below(&job->chance, MOST_GAP);
	}
	return n;
}

/* One byte after the other, in the images. */
static size_t copy_lists(struct job *job, const struct iovec *to, unsigned int to_count,
			 const struct iovec *from, unsigned int from_count)
{
	size_t t = 0, f = 0, copied = 0;

	for (;;) {
		ptrdiff_t to_at, from_at;

		while (to_count && t == to->iov_len) {
			to++;
			to_count--;
			t = 0;
		}
		while (from_count && f == from->iov_len) {
			from++;
			from_count--;
			f = 0;
		}
		if (!to_count || !from_count)
			return copied;
		to_at = (uint8_t *)to->iov_base - job->buffer[1].live;
		from_at = (uint8_t *)from->iov_base - job->buffer[0].live;
		job->buffer[1].image[to_at + (ptrdiff_t)t++] =
			job->buffer[0].image[from_at + (ptrdiff_t)f++];
		copied++;
	}
}

static void check_count(const struct job *job, const struct iovec *to, unsigned int to_count,
			const struct iovec *from, unsigned int from_count, size_t bytes)
{
	struct sva_op ops[2 * PIECES + 1];
	int n = sva_prep_copyv(ops, 2 * PIECES + 1, to, to_count, from, from_count);
	size_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += ops[i].length;
	if (n < 0 || n > (int)(2 * PIECES) || sum != bytes ||
	    sva_prep_copyv(NULL, 0, to, to_count, from, from_count) != n)
		fail(job, "sva_prep_copyv() made %d copies of %zu bytes out of %zu", n, sum, bytes);
}

void act_lists(struct worker *worker)
{
	struct place *place = place_pick(worker);
	struct job *job = job_take_made(worker, &kind_list, WAY_SYNC, place, NULL);
	struct iovec from[PIECES], to[PIECES];
	unsigned int from_count, to_count;
	struct sva_result result;
	size_t copied = 1;
	int err;

	job->length = length_pick(job);
	for (unsigned int i = 0; i < 2; i++)
		buffer_place(job, i, job->length, 1);
	buffer_fill_random(job, 0);
	buffer_publish(job, 0);
	buffer_fill_stale(job, 1);
	from_count = cut(job, 0, job->length, from);
	to_count = cut(job, 1, job->length, to);
	job->expect.bytes = copy_lists(job, to, to_count, from, from_count);
	check_count(job, to, to_count, from, from_count, job->expect.bytes);
	before_waiting(worker);
	err = sva_copyv(place->sva, to, to_count, from, from_count, &copied);
	result = *sva_last_result();
	/* Without a byte to copy there was no call that could have left a result. */
	if (!job->expect.bytes)
		result = (struct sva_result){.error = err, .path = SVA_PATH_CPU};
	if (copied != result.bytes)
		fail(job, "sva_copyv() stored %zu, and its result has %llu bytes", copied,
		     (unsigned long long)result.bytes);
	/* The pieces come in any order. */
	if (err) {
		job->buffer[1].loose_to = job->length;
		result.bytes = 0;
		memset(result.path_bytes, 0, sizeof(result.path_bytes));
	}
	end_at_once(worker, job, err, &result);
}
