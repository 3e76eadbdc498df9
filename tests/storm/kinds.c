/* SPDX-License-Identifier: MIT */
/*
 * Every kind of operation: its buffers, what it must do to them, and what its result must say. A
 * make function works on the images: first they hold what is there before, which is published to
 * the live bytes, then what must be there afterwards.
 */
#include <errno.h>
#include <string.h>

#include "storm/storm.h"

size_t length_pick(struct job *job)
{
	struct chance *chance = &job->chance;

	switch (chance_below(chance, 16)) {
	case 0:
		return chance_one_in(chance, 3) ? 0 : 1;
	case 1 ... 5:
		return 1 + chance_below(chance, options.length < 64 ? options.length : 64);
	case 6 ... 11:
		return 1 + chance_below(chance, options.length < PAGE ? options.length : PAGE);
	case 12: {
		size_t power = 1, near;

		while (power * 2 < options.length && !chance_one_in(chance, 12))
			power *= 2;
		near = power + chance_below(chance, 3) - 1;
		return near < options.length ? near : options.length;
	}
	case 13:
		return options.length - chance_below(chance, 9);
	default:
		return 1 + chance_below(chance, options.length);
	}
}

/* A source with random bytes. */
void make_source(struct job *job, unsigned int i, size_t len, unsigned int align)
{
	buffer_place(job, i, len, align);
	buffer_fill_random(job, i);
	buffer_publish(job, i);
}

void make_destination(struct job *job, unsigned int i, size_t len, unsigned int align)
{
	buffer_place(job, i, len, align);
	buffer_fill_stale(job, i);
}

/* ------------------------------------------------------------------ copies and fills */

static void make_copy(struct job *job)
{
	make_source(job, 0, job->length, 1);
	make_destination(job, 1, job->length, 1);
	sva_prep_memcpy(&job->op, buffer_live(job, 1), buffer_live(job, 0), job->length);
	memcpy(buffer_image(job, 1), buffer_image(job, 0), job->length);
}

static int call_copy(struct job *job, struct sva *sva)
{
	return sva_memcpy(sva, buffer_live(job, 1), buffer_live(job, 0), job->length);
}

/* How far apart the two parts of an overlapping copy are. It is kept in user_data. */
static size_t distance(const struct job *job)
{
	return job->op.user_data >> 1;
}

static bool upwards(const struct job *job)
{
	return job->op.user_data & 1;
}

static void make_move(struct job *job)
{
	size_t apart = chance_below(&job->chance, job->length < 5000 ? job->length + 1 : 5000);
	uint8_t *live, *image;

	if (chance_one_in(&job->chance, 3))
		apart = apart % 17;
	job->op.user_data = apart << 1 | chance_below(&job->chance, 2);
	make_source(job, 0, job->length + apart, 1);
	job->buffer[0].written = true;
	live = buffer_live(job, 0);
	image = buffer_image(job, 0);
	sva_prep_memcpy(&job->op, upwards(job) ? live + apart : live,
			upwards(job) ? live : live + apart, job->length);
	memmove(upwards(job) ? image + apart : image, upwards(job) ? image : image + apart,
		job->length);
}

static int call_move(struct job *job, struct sva *sva)
{
	uint8_t *live = buffer_live(job, 0);

	return upwards(job) ? sva_memcpy(sva, live + distance(job), live, job->length) :
			      sva_memcpy(sva, live, live + distance(job), job->length);
}

static void repeat(uint8_t *to, size_t n, const void *pattern, size_t width)
{
	for (size_t i = 0; i < n; i++)
		to[i] = ((const uint8_t *)pattern)[i % width];
}

static void make_fill(struct job *job)
{
	uint64_t pattern = chance_next(&job->chance);

	make_destination(job, 1, job->length, 1);
	sva_prep_memfill(&job->op, buffer_live(job, 1), pattern, job->length);
	repeat(buffer_image(job, 1), job->length, &pattern, 8);
}

static int call_fill(struct job *job, struct sva *sva)
{
	return sva_memfill(sva, buffer_live(job, 1), job->op.desc.src, job->length);
}

static void make_fill16(struct job *job)
{
	uint64_t pattern[2] = {chance_next(&job->chance), chance_next(&job->chance)};

	make_destination(job, 1, job->length, 1);
	sva_prep_memfill16(&job->op, buffer_live(job, 1), pattern[0], pattern[1], job->length);
	repeat(buffer_image(job, 1), job->length, pattern, 16);
}

static int call_fill16(struct job *job, struct sva *sva)
{
	return sva_memfill16(sva, buffer_live(job, 1), job->op.desc.src,
			     job->op.desc.op.fill.pattern_high, job->length);
}

static void make_dualcast(struct job *job)
{
	make_source(job, 0, job->length, 1);
	make_destination(job, 1, job->length, 1);
	buffer_place_like(job, 2, 1, job->length);
	buffer_fill_stale(job, 2);
	sva_prep_dualcast(&job->op, buffer_live(job, 1), buffer_live(job, 2), buffer_live(job, 0),
			  job->length);
	memcpy(buffer_image(job, 1), buffer_image(job, 0), job->length);
	memcpy(buffer_image(job, 2), buffer_image(job, 0), job->length);
}

static int call_dualcast(struct job *job, struct sva *sva)
{
	return sva_dualcast(sva, buffer_live(job, 1), buffer_live(job, 2), buffer_live(job, 0),
			    job->length);
}

/* ------------------------------------------------------------------ comparisons */

/* A byte of image i differs from its counterpart, perhaps; where, or the length. */
static size_t make_difference(struct job *job, unsigned int i)
{
	size_t where = job->length;

	if (job->length && chance_one_in(&job->chance, 2)) {
		where = chance_below(&job->chance, job->length);
		if (chance_one_in(&job->chance, 4))
			where = job->length - 1;
		buffer_image(job, i)[where] ^= (uint8_t)(1 + chance_below(&job->chance, 255));
	}
	return where;
}

/* The expected outcome of a comparison that finds its first difference there. */
static void expect_difference(struct job *job, size_t where, unsigned int slack)
{
	struct expectation *expect = &job->expect;
	bool differs = where < job->length;

	expect->result = differs;
	expect->bytes = where;
	expect->value = differs ? where : 0;
	expect->has_value = true;
	expect->value_slack = differs ? slack : 0;
	if (job->way == WAY_SYNC || !chance_one_in(&job->chance, 3))
		return;
	job->op.flags |= SVA_OP_CHECK;
	job->op.desc.op.compare.expected = (uint8_t)chance_below(&job->chance, 2);
	if (job->op.desc.op.compare.expected != differs)
		expect->error = -EBADE;
}

static void make_compare(struct job *job)
{
	size_t where;

	make_source(job, 0, job->length, 1);
	make_source(job, 1, job->length, 1);
	memcpy(buffer_image(job, 1), buffer_image(job, 0), job->length);
	where = make_difference(job, 1);
	buffer_publish(job, 1);
	sva_prep_compare(&job->op, buffer_live(job, 0), buffer_live(job, 1), job->length);
	expect_difference(job, where, 0);
}

/* What a comparison call must have returned, and stored, besides the result. */
static int check_offset(struct job *job, int differs, size_t offset, unsigned int slack)
{
	size_t want = job->expect.result ? job->expect.value : job->length;

	if (differs < 0)
		return differs;
	if (differs != job->expect.result || offset > want || offset + slack < want)
		fail(job, "the call returned %d and offset %zu instead of %d and %zu", differs,
		     offset, job->expect.result, want);
	return 0;
}

static int call_compare(struct job *job, struct sva *sva)
{
	size_t offset = 0;
	int err = sva_compare(sva, buffer_live(job, 0), buffer_live(job, 1), job->length, &offset);

	return check_offset(job, err, offset, 0);
}

static void make_pattern(struct job *job)
{
	uint64_t pattern = chance_next(&job->chance);
	size_t where;

	make_source(job, 0, job->length, 1);
	repeat(buffer_image(job, 0), job->length, &pattern, 8);
	where = make_difference(job, 0);
	buffer_publish(job, 0);
	sva_prep_compare_pattern(&job->op, buffer_live(job, 0), pattern, job->length);
	expect_difference(job, where, 7);
}

static int call_pattern(struct job *job, struct sva *sva)
{
	size_t offset = 0;
	int err = sva_compare_pattern(sva, buffer_live(job, 0), job->op.desc.dst, job->length,
				      &offset);

	return check_offset(job, err, offset, 7);
}

/* ------------------------------------------------------------------ checksums */

static uint32_t crc_flags(struct job *job)
{
	static const uint32_t all = SVA_CRC_BYPASS_INVERSION | SVA_CRC_BYPASS_REFLECTION;

	return (uint32_t)chance_next(&job->chance) & all;
}

static void expect_checksum(struct job *job, uint64_t seed, uint32_t flags)
{
	job->expect.value = expect_crc(buffer_image(job, 0), job->length, seed, flags);
	job->expect.has_value = true;
}

static void make_crc_with(struct job *job, uint32_t flags, bool copy)
{
	uint64_t seed = chance_one_in(&job->chance, 2) ? 0 : chance_next(&job->chance);

	make_source(job, 0, job->length, 1);
	if (copy)
		make_destination(job, 1, job->length, 1);
	if (!(flags & SVA_CRC_64))
		seed = (uint32_t)seed;
	if (copy)
		sva_prep_copy_crc(&job->op, buffer_live(job, 1), buffer_live(job, 0), job->length,
				  seed, flags);
	else
		sva_prep_crc(&job->op, buffer_live(job, 0), job->length, seed, flags);
	if (copy)
		memcpy(buffer_image(job, 1), buffer_image(job, 0), job->length);
	expect_checksum(job, seed, flags);
}

static void make_crc(struct job *job)
{
	make_crc_with(job, job->way == WAY_SYNC ? 0 : crc_flags(job), false);
}

static void make_crc64(struct job *job)
{
	make_crc_with(job, crc_flags(job) | SVA_CRC_64, chance_one_in(&job->chance, 2));
}

static void make_copy_crc(struct job *job)
{
	make_crc_with(job, job->way == WAY_SYNC ? 0 : crc_flags(job), true);
}

static int check_crc(struct job *job, int err, uint32_t crc)
{
	if (!err && crc != (uint32_t)job->expect.value)
		fail(job, "the call stored the CRC 0x%08x", crc);
	return err;
}

static int call_crc(struct job *job, struct sva *sva)
{
	uint32_t crc = (uint32_t)job->op.desc.op.crc.seed;
	int err = sva_crc32c(sva, buffer_live(job, 0), job->length, &crc);

	return check_crc(job, err, crc);
}

static int call_copy_crc(struct job *job, struct sva *sva)
{
	uint32_t crc = (uint32_t)job->op.desc.op.crc.seed;
	int err = sva_copy_crc32c(sva, buffer_live(job, 1), buffer_live(job, 0), job->length, &crc);

	return check_crc(job, err, crc);
}

/* ------------------------------------------------------------------ what moves no bytes */

static void make_flush(struct job *job)
{
	make_source(job, 0, job->length, 1);
	sva_prep_cache_flush(&job->op, buffer_live(job, 0), job->length);
}

static int call_flush(struct job *job, struct sva *sva)
{
	return sva_cache_flush(sva, buffer_live(job, 0), job->length);
}

static void make_fetch(struct job *job)
{
	make_source(job, 0, job->length, 1);
	sva_prep_translation_fetch(&job->op, buffer_live(job, 0), job->length);
}

static void make_noop(struct job *job)
{
	job->length = 0;
	sva_prep_noop(&job->op);
}

static void make_drain(struct job *job)
{
	job->length = 0;
	sva_prep_drain(&job->op);
}

/* ------------------------------------------------------------------ mapped buffers */

static bool map_part(struct job *job, unsigned int k, unsigned int i, unsigned int flags)
{
	struct buffer *buffer = &job->buffer[i];
	int err = sva_dma_map(job->place->sva, buffer->live + buffer->at - GUARD,
			      buffer->len + 2 * GUARD, flags, &job->mapped[k]);

	if (!err)
		return true;
	if (err != -ENODEV && err != -ENOMEM)
		fail(job, "sva_dma_map: %d", err);
	job->mapped[k] = NULL;
	return false;
}

static void make_mapped_copy(struct job *job)
{
	make_copy(job);
	if (map_part(job, 0, 1, SVA_DMA_DESTINATION) && map_part(job, 1, 0, SVA_DMA_SOURCE))
		sva_prep_dma_copy(&job->op, job->mapped[0], GUARD, job->mapped[1], GUARD,
				  job->length);
}

static void make_mapped_fill(struct job *job)
{
	uint64_t pattern;

	make_fill(job);
	pattern = job->op.desc.src;
	if (map_part(job, 0, 1, 0))
		sva_prep_dma_fill(&job->op, job->mapped[0], GUARD, pattern, job->length);
}

static int call_mapped_copy(struct job *job, struct sva *sva)
{
	if (!job->mapped[1])
		return call_copy(job, sva);
	return sva_dma_copy(sva, job->mapped[0], GUARD, job->mapped[1], GUARD, job->length);
}

static int call_mapped_fill(struct job *job, struct sva *sva)
{
	if (!job->mapped[0])
		return call_fill(job, sva);
	return sva_dma_fill(sva, job->mapped[0], GUARD, job->op.desc.src, job->length);
}

/* ------------------------------------------------------------------ the table */

const struct kind kinds[] = {
	{"copy", make_copy, call_copy, 6, KIND_SIMPLE},
	{"move", make_move, call_move, 4, KIND_MOVE},
	{"fill", make_fill, call_fill, 4, KIND_SIMPLE},
	{"fill16", make_fill16, call_fill16, 2, KIND_SIMPLE | KIND_DSA2},
	{"dualcast", make_dualcast, call_dualcast, 2, KIND_SIMPLE},
	{"compare", make_compare, call_compare, 3, 0},
	{"pattern", make_pattern, call_pattern, 2, 0},
	{"create-delta", make_create_delta, call_create_delta, 2, KIND_WHOLE},
	{"apply-delta", make_apply_delta, call_apply_delta, 2, KIND_WHOLE},
	{"crc", make_crc, call_crc, 3, KIND_SIMPLE},
	{"crc64", make_crc64, NULL, 1, KIND_SIMPLE | KIND_DSA2},
	{"copy-crc", make_copy_crc, call_copy_crc, 2, KIND_SIMPLE},
	{"dif-check", make_dif_check, NULL, 2, KIND_WHOLE},
	{"dif-insert", make_dif_insert, NULL, 2, KIND_WHOLE},
	{"dif-strip", make_dif_strip, NULL, 2, KIND_WHOLE},
	{"dif-update", make_dif_update, NULL, 2, KIND_WHOLE},
	{"dix-generate", make_dix_generate, NULL, 1, KIND_DSA2 | KIND_WHOLE},
	{"cache-flush", make_flush, call_flush, 1, 0},
	{"translation-fetch", make_fetch, NULL, 1, KIND_DSA2},
	{"noop", make_noop, NULL, 2, 0},
	{"drain", make_drain, NULL, 1, 0},
	{"mapped-copy", make_mapped_copy, call_mapped_copy, 1, KIND_MAPPED},
	{"mapped-fill", make_mapped_fill, call_mapped_fill, 1, KIND_MAPPED},
};

const unsigned int kind_count = sizeof(kinds) / sizeof(kinds[0]);

const struct kind *kind_pick(struct chance *chance)
{
	unsigned int sum = 0, n;

	for (unsigned int i = 0; i < kind_count; i++)
		sum += kinds[i].weight;
	n = (unsigned int)chance_below(chance, sum);
	for (unsigned int i = 0;; i++) {
		if (n < kinds[i].weight)
			return &kinds[i];
		n -= kinds[i].weight;
	}
}

/* Flags that change how an operation is done, but not what it does. */
static uint32_t pick_flags(struct job *job)
{
	struct chance *chance = &job->chance;
	uint32_t flags = 0;

	if (chance_one_in(chance, 4))
		flags |= 1 + (uint32_t)chance_below(chance, 3); /* SVA_OP_FAULT_* */
	if (chance_one_in(chance, 4))
		flags |= chance_one_in(chance, 2) ? SVA_OP_CACHE : SVA_OP_NO_CACHE;
	if (chance_one_in(chance, 8))
		flags |= SVA_OP_STRICT_ORDER;
	if (chance_one_in(chance, 8))
		flags |= SVA_OP_NODE(chance_below(chance, 3));
	return flags;
}

void kind_make(struct job *job, const struct kind *kind)
{
	job->kind = kind;
	job->expect = (struct expectation){0};
	job->length = length_pick(job);
	job->op.user_data = chance_next(&job->chance);
	for (unsigned int i = 0; i < BUFFERS; i++)
		job->buffer[i].used = false;
	job->flags = 0;
	job->borrowed = 0;
	job->data = job->op.user_data;
	if (!kind->make) {
		sva_prep_noop(&job->op);
		job->length = 0;
		return;
	}
	kind->make(job);
	/* Comparisons and DIF errors have said already where the operation ends. */
	if (!job->expect.error && !job->expect.bytes && !job->expect.result)
		job->expect.bytes = job->length;
	job->op.flags |= pick_flags(job);
	job->flags = job->op.flags;
	job->data = job->op.user_data;
	memory_disturb(job, has_trait(kind, KIND_SIMPLE) && job->way != WAY_SYNC);
}
