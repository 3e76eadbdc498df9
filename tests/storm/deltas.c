/* SPDX-License-Identifier: MIT */
/* Delta records: what differs between two buffers, and bringing one up to date with it. */
#include <errno.h>
#include <string.h>

#include "storm/storm.h"

static size_t delta_length(struct job *job)
{
	size_t len = job->length / 8 * 8;

	return len > SVA_DELTA_MAX_REGION ? SVA_DELTA_MAX_REGION : len;
}

/* Words of an image become others. */
static void change_words(struct job *job, unsigned int i)
{
	uint64_t n = chance_below(&job->chance, chance_one_in(&job->chance, 2) ? 6 : 200);

	for (uint64_t k = 0; k < n && job->length; k++) {
		size_t word = chance_below(&job->chance, job->length / 8);

		buffer_image(job, i)[word * 8 + chance_below(&job->chance, 8)] ^=
			(uint8_t)(1 + chance_below(&job->chance, 255));
	}
}

static void expect_create_delta(struct job *job, size_t size, uint32_t room)
{
	struct expectation *expect = &job->expect;
	struct buffer *record = &job->buffer[2];

	expect->result = size > room ? 2 : size > 0;
	expect->bytes = job->length;
	expect->value = size;
	expect->has_value = size <= room;
	/* What is behind the end of the record may have been written, and is of no use. */
	record->loose_from = size > room ? 0 : size;
	record->loose_to = room;
	if (job->way == WAY_SYNC || !chance_one_in(&job->chance, 3))
		return;
	job->op.flags |= SVA_OP_CHECK;
	job->op.desc.op.delta.expected = (uint8_t)chance_below(&job->chance, 8);
	if (!(job->op.desc.op.delta.expected >> expect->result & 1))
		expect->error = -EBADE;
}

void make_create_delta(struct job *job)
{
	size_t size, most;
	uint32_t room;

	job->length = delta_length(job);
	most = job->length / 8 * 10;
	make_source(job, 0, job->length, 8);
	make_source(job, 1, job->length, 8);
	memcpy(buffer_image(job, 1), buffer_image(job, 0), job->length);
	change_words(job, 1);
	buffer_publish(job, 1);
	make_destination(job, 2, most > SVA_DELTA_MIN_SIZE ? most : SVA_DELTA_MIN_SIZE, 1);
	size = expect_delta(buffer_image(job, 0), buffer_image(job, 1), job->length,
			    buffer_image(job, 2));
	room = (uint32_t)job->buffer[2].len;
	if (chance_one_in(&job->chance, 3))
		room = SVA_DELTA_MIN_SIZE +
		       (uint32_t)chance_below(&job->chance, (room - SVA_DELTA_MIN_SIZE) / 10 + 1) *
			       10;
	sva_prep_create_delta(&job->op, buffer_live(job, 0), buffer_live(job, 1), job->length,
			      buffer_live(job, 2), room);
	if (size > room)
		memset(buffer_image(job, 2) + room, job->buffer[2].stale,
		       job->buffer[2].len - room);
	if (job->length)
		expect_create_delta(job, size, room);
}

int call_create_delta(struct job *job, struct sva *sva)
{
	uint32_t size = 0, room = job->op.desc.op.delta.max_size;
	int err = sva_create_delta(sva, buffer_live(job, 0), buffer_live(job, 1), job->length,
				   buffer_live(job, 2), room, &size);

	if (err == -EOVERFLOW && job->expect.result == 2)
		return 0;
	if (!err && (job->expect.result == 2 || size != job->expect.value))
		fail(job, "the call returned 0 and the size %u", size);
	return err;
}

void make_apply_delta(struct job *job)
{
	bool unlawful = chance_one_in(&job->chance, 12);
	size_t size;

	job->length = delta_length(job);
	make_source(job, 1, job->length, 8);
	buffer_place(job, 2, job->length, 8);
	buffer_fill_random(job, 2);
	memcpy(buffer_image(job, 2), buffer_image(job, 1), job->length);
	change_words(job, 2);
	buffer_place(job, 0, job->length / 8 * 10, 1);
	size = expect_delta(buffer_image(job, 1), buffer_image(job, 2), job->length,
			    buffer_image(job, 0));
	buffer_place_like(job, 0, 0, size);
	buffer_fill_random(job, 0);
	expect_delta(buffer_image(job, 1), buffer_image(job, 2), job->length, buffer_image(job, 0));
	if (unlawful && size && job->length < SVA_DELTA_MAX_REGION) {
		/* The last offset is beyond the region. */
		buffer_image(job, 0)[size - 9] = 0xff;
		buffer_image(job, 0)[size - 10] = 0xff;
		job->expect.error = -EBADMSG;
	}
	buffer_publish(job, 0);
	memcpy(buffer_image(job, 1), buffer_image(job, 2), job->length);
	job->buffer[1].written = true;
	job->buffer[2].used = false;
	job->buffer[1].loose_to = job->expect.error ? job->length : 0;
	/* Without differences there is no record to apply, and sva_apply_delta() alone takes it. */
	if (!size)
		job->length = 0;
	sva_prep_apply_delta(&job->op, buffer_live(job, 1), job->length, buffer_live(job, 0),
			     (uint32_t)size);
	job->expect.bytes = job->length;
}

int call_apply_delta(struct job *job, struct sva *sva)
{
	return sva_apply_delta(sva, buffer_live(job, 1), job->length, buffer_live(job, 0),
			       (uint32_t)job->op.desc.op.delta.addr_or_size);
}
