/* SPDX-License-Identifier: MIT */
/*
 * The buffers of a job. Each exists twice: the live bytes, which the library gets, and their image,
 * in which the plain computation takes place. Around the part that an operation names there are
 * guard bytes, which must never change. Live bytes are anonymous memory, or a shared mapping of a
 * file in memory, whose pages can be taken away at any time without loss.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storm/storm.h"

#define POOL (1u << 20)

static uint8_t *pool; /* random bytes */
static int empty_file = -1;

void memory_setup(void)
{
	struct chance chance = {options.seed ^ 0x706f6f6c};

	pool = malloc(POOL);
	empty_file = memfd_create("storm-empty", MFD_CLOEXEC);
	if (!pool || empty_file < 0)
		fail_plainly("there is no memory for the pool of random bytes");
	for (size_t i = 0; i < POOL; i += 8) {
		uint64_t word = chance_next(&chance);

		memcpy(pool + i, &word, 8);
	}
}

bool memory_make(struct buffer *buffer, size_t capacity, bool file)
{
	capacity = (capacity + PAGE - 1) / PAGE * PAGE;
	buffer->capacity = capacity;
	buffer->file = -1;
	if (file) {
		buffer->file = memfd_create("storm", MFD_CLOEXEC);
		if (buffer->file < 0 || ftruncate(buffer->file, (off_t)capacity))
			return false;
	}
	buffer->live = mmap(NULL, capacity, PROT_READ | PROT_WRITE,
			    file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, buffer->file, 0);
	if (buffer->live == MAP_FAILED) {
		buffer->live = NULL;
		return false;
	}
	buffer->image = malloc(capacity);
	return buffer->image;
}

void memory_free(struct buffer *buffer)
{
	if (buffer->live)
		munmap(buffer->live, buffer->capacity);
	if (buffer->file >= 0)
		close(buffer->file);
	free(buffer->image);
	*buffer = (struct buffer){.file = -1};
}

uint8_t *buffer_live(struct job *job, unsigned int i)
{
	return job->buffer[i].live + job->buffer[i].at;
}

uint8_t *buffer_image(struct job *job, unsigned int i)
{
	return job->buffer[i].image + job->buffer[i].at;
}

static void place(struct buffer *buffer, size_t at, size_t len)
{
	buffer->at = at;
	buffer->len = len;
	buffer->used = true;
	buffer->written = buffer->plain = false;
	buffer->loose_from = buffer->loose_to = 0;
	if (at + len + GUARD > buffer->capacity)
		fail_plainly("a buffer of %zu bytes is too small for %zu at %zu", buffer->capacity,
			     len, at);
}

void buffer_place(struct job *job, unsigned int i, size_t len, unsigned int align)
{
	size_t at = GUARD + chance_below(&job->chance, PAGE);

	place(&job->buffer[i], (at + align - 1) / align * align, len);
}

void buffer_place_like(struct job *job, unsigned int i, unsigned int other, size_t len)
{
	place(&job->buffer[i], job->buffer[other].at, len);
}

static size_t low(const struct buffer *buffer)
{
	return buffer->at - GUARD;
}

static size_t size(const struct buffer *buffer)
{
	return buffer->len + 2 * GUARD;
}

void buffer_fill_random(struct job *job, unsigned int i)
{
	struct buffer *buffer = &job->buffer[i];
	size_t done = 0;

	while (done < size(buffer)) {
		size_t from = chance_below(&job->chance, POOL / 2), n = size(buffer) - done;

		if (n > POOL / 2)
			n = POOL / 2;
		memcpy(buffer->image + low(buffer) + done, pool + from, n);
		done += n;
	}
}

void buffer_fill_stale(struct job *job, unsigned int i)
{
	struct buffer *buffer = &job->buffer[i];

	buffer->stale = (uint8_t)(chance_one_in(&job->chance, 4) ? 0 : chance_next(&job->chance));
	buffer->written = buffer->plain = true;
	memset(buffer->image + low(buffer), buffer->stale, size(buffer));
	buffer_publish(job, i);
}

void buffer_publish(struct job *job, unsigned int i)
{
	struct buffer *buffer = &job->buffer[i];

	memcpy(buffer->live + low(buffer), buffer->image + low(buffer), size(buffer));
}

/* ------------------------------------------------------------------ pages that are not there */

/* The pages come back with the same bytes when they are touched. */
static void drop_pages(const struct buffer *buffer)
{
	size_t from = low(buffer) / PAGE * PAGE;
	size_t to = (low(buffer) + size(buffer) + PAGE - 1) / PAGE * PAGE;

	if (buffer->file < 0) {
		/* Anonymous pages come back as zeros. */
		if (!buffer->plain || buffer->stale)
			return;
		from = (low(buffer) + PAGE - 1) / PAGE * PAGE;
		to = (low(buffer) + size(buffer)) / PAGE * PAGE;
	}
	if (from < to)
		(void)madvise(buffer->live + from, to - from, MADV_DONTNEED);
}

/* A page of a buffer becomes one that cannot be read, written, or that lies beyond its file. */
static void make_bad(struct job *job)
{
	unsigned int i = (unsigned int)chance_below(&job->chance, BUFFERS);
	struct buffer *buffer = &job->buffer[i];
	enum bad_page bad = BAD_NONE + (enum bad_page)chance_below(&job->chance, 3);
	size_t first, pages, from;
	void *page;

	if (!buffer->used || !buffer->len || (bad == BAD_READONLY && !buffer->written))
		return;
	first = buffer->at / PAGE;
	pages = (buffer->at + buffer->len - 1) / PAGE - first + 1;
	job->bad_at = (first + chance_below(&job->chance, pages)) * PAGE;
	page = buffer->live + job->bad_at;
	if (bad == BAD_BEYOND_FILE) {
		if (mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, empty_file,
			 0) != page)
			fail_plainly("mmap of an empty file");
	} else if (mprotect(page, PAGE, bad == BAD_NONE ? PROT_NONE : PROT_READ)) {
		return;
	}
	job->bad = bad;
	job->bad_buffer = i;
	job->expect.error = -EFAULT;
	job->expect.fault = (uint64_t)(uintptr_t)page;
	job->expect.fault_write = buffer->written;
	from = job->bad_at > buffer->at ? job->bad_at - buffer->at : 0;
	job->expect.bytes = from; /* at most */
}

void memory_disturb(struct job *job, bool may_be_bad)
{
	if (chance_one_in(&job->chance, 6))
		for (unsigned int i = 0; i < BUFFERS; i++)
			if (job->buffer[i].used)
				drop_pages(&job->buffer[i]);
	if (may_be_bad && job->length && !job->expect.error && chance_one_in(&job->chance, 24))
		make_bad(job);
}

void memory_drop(struct job *job)
{
	for (unsigned int i = 0; i < BUFFERS; i++)
		if (job->buffer[i].used && job->buffer[i].file >= 0)
			drop_pages(&job->buffer[i]);
}

void memory_restore(struct job *job)
{
	struct buffer *buffer = &job->buffer[job->bad_buffer];
	uint8_t *page = buffer->live + job->bad_at;
	size_t from = job->bad_at, to = job->bad_at + PAGE;
	bool file = buffer->file >= 0;

	if (job->bad == BAD_NOTHING)
		return;
	if (job->bad != BAD_BEYOND_FILE) {
		if (mprotect(page, PAGE, PROT_READ | PROT_WRITE))
			fail_plainly("mprotect of a page that was protected");
	} else if (mmap(page, PAGE, PROT_READ | PROT_WRITE,
			MAP_FIXED | (file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS), buffer->file,
			file ? (off_t)job->bad_at : 0) != page) {
		fail_plainly("mmap of a page that was taken away");
	} else if (!file) {
		/* Its bytes are gone: write what was there before the operation. */
		from = from > low(buffer) ? from : low(buffer);
		to = to < low(buffer) + size(buffer) ? to : low(buffer) + size(buffer);
		if (buffer->written)
			memset(buffer->live + from, buffer->stale, to - from);
		else
			memcpy(buffer->live + from, buffer->image + from, to - from);
	}
	job->bad = BAD_NOTHING;
}

/* ------------------------------------------------------------------ comparison */

static const char *differs(const struct job *job, unsigned int i, size_t offset, uint8_t wanted,
			   char *text, size_t text_size)
{
	const struct buffer *buffer = &job->buffer[i];

	snprintf(text, text_size, "%s %u (%s): byte %td of %zu is 0x%02x and must be 0x%02x",
		 buffer->written ? "destination" : "source", i,
		 buffer->file >= 0 ? "mapped file" : "anonymous", (ptrdiff_t)(offset - buffer->at),
		 buffer->len, buffer->live[offset], wanted);
	return text;
}

/* Of [from, to), offsets of the live bytes. */
static const char *compare_range(struct job *job, unsigned int i, size_t from, size_t to,
				 char *text, size_t text_size)
{
	const struct buffer *buffer = &job->buffer[i];

	if (from >= to || !memcmp(buffer->live + from, buffer->image + from, to - from))
		return NULL;
	while (buffer->live[from] == buffer->image[from])
		from++;
	return differs(job, i, from, buffer->image[from], text, text_size);
}

const char *memory_compare(struct job *job, char *text, size_t text_size)
{
	const char *wrong = NULL;

	for (unsigned int i = 0; i < BUFFERS && !wrong; i++) {
		const struct buffer *buffer = &job->buffer[i];
		size_t end = low(buffer) + size(buffer);

		if (!buffer->used)
			continue;
		if (buffer->loose_from == buffer->loose_to) {
			wrong = compare_range(job, i, low(buffer), end, text, text_size);
			continue;
		}
		wrong = compare_range(job, i, low(buffer), buffer->at + buffer->loose_from, text,
				      text_size);
		if (!wrong)
			wrong = compare_range(job, i, buffer->at + buffer->loose_to, end, text,
					      text_size);
	}
	return wrong;
}

/* New up to done; then new or as before, or, if it is known exactly, as before. */
static const char *compare_plain(struct job *job, unsigned int i, uint64_t done, bool exactly,
				 char *text, size_t text_size)
{
	const struct buffer *buffer = &job->buffer[i];
	const uint8_t *live = buffer->live + buffer->at, *image = buffer->image + buffer->at;
	size_t limit = buffer->len;

	/* A device writes nothing from the page on that cannot be reached; plain code may. */
	if (job->expect.fault && i == job->bad_buffer && !job->by_cpu)
		limit = job->expect.bytes;
	for (size_t k = 0; k < buffer->len; k++) {
		if (live[k] == image[k] && k < limit && (k < done || !exactly))
			continue;
		if (live[k] == buffer->stale && k >= done)
			continue;
		return differs(job, i, buffer->at + k, k < done ? image[k] : buffer->stale, text,
			       text_size);
	}
	return NULL;
}

const char *memory_compare_partly(struct job *job, uint64_t done, bool exactly, char *text,
				  size_t text_size)
{
	const char *wrong = NULL;

	for (unsigned int i = 0; i < BUFFERS && !wrong; i++) {
		const struct buffer *buffer = &job->buffer[i];
		size_t end = buffer->at + buffer->len;

		if (!buffer->used)
			continue;
		if (!buffer->written) {
			wrong = compare_range(job, i, low(buffer), end + GUARD, text, text_size);
			continue;
		}
		wrong = compare_range(job, i, low(buffer), buffer->at, text, text_size);
		if (!wrong)
			wrong = compare_range(job, i, end, end + GUARD, text, text_size);
		if (!wrong && buffer->plain && buffer->loose_from == buffer->loose_to)
			wrong = compare_plain(job, i, done, exactly, text, text_size);
	}
	return wrong;
}
