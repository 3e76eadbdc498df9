/* SPDX-License-Identifier: MIT */
/* Protection information: blocks with eight bytes behind each, or in an array of their own. */
#include <errno.h>
#include <string.h>

#include "storm/storm.h"

static const uint16_t block_sizes[4] = {512, 520, 4096, 4104};

/* What one side of the operation has: seeds of the tags and how they go on. */
struct side {
	uint32_t ref;
	uint16_t app;
	bool ref_fixed, app_grows;
};

struct blocks {
	struct sva_desc_dif dif;
	size_t size; /* of a block without its information */
	size_t count;
};

static uint32_t ref_at(const struct side *side, size_t block)
{
	return side->ref_fixed ? side->ref : side->ref + (uint32_t)block;
}

static uint16_t app_at(const struct side *side, size_t block)
{
	return (uint16_t)(side->app_grows ? side->app + block : side->app);
}

static void put_tuple(uint8_t *to, const uint8_t *block, const struct blocks *blocks, uint16_t app,
		      uint32_t ref)
{
	uint16_t guard =
		expect_t10(block, blocks->size, blocks->dif.flags & SVA_DIF_SEED_FFFF ? 0xffff : 0);

	if (blocks->dif.flags & SVA_DIF_INVERT)
		guard = (uint16_t)~guard;
	to[0] = (uint8_t)(guard >> 8);
	to[1] = (uint8_t)guard;
	to[2] = (uint8_t)(app >> 8);
	to[3] = (uint8_t)app;
	for (unsigned int i = 0; i < 4; i++)
		to[4 + i] = (uint8_t)(ref >> (24 - 8 * i));
}

/* As many blocks as the length allows; the length becomes that of the source. */
static struct blocks pick_blocks(struct job *job, bool source_has_tuples)
{
	struct blocks blocks = {.dif = {0}};
	uint8_t which = (uint8_t)chance_below(&job->chance, options.length > 8300 ? 4 : 2);
	size_t unit;

	blocks.dif.flags = which;
	if (chance_one_in(&job->chance, 2))
		blocks.dif.flags |= SVA_DIF_SEED_FFFF;
	if (chance_one_in(&job->chance, 2))
		blocks.dif.flags |= SVA_DIF_INVERT;
	blocks.size = block_sizes[which];
	unit = blocks.size + (source_has_tuples ? 8 : 0);
	blocks.count = job->length / unit;
	if (!blocks.count && job->length && unit <= options.length)
		blocks.count = 1;
	job->length = blocks.count * unit;
	return blocks;
}

static struct side source_side(struct job *job, struct blocks *blocks)
{
	struct sva_desc_dif *dif = &blocks->dif;
	struct side side = {(uint32_t)chance_next(&job->chance),
			    (uint16_t)chance_next(&job->chance), chance_one_in(&job->chance, 3),
			    chance_one_in(&job->chance, 3)};

	dif->src_ref = side.ref;
	dif->src_app = side.app;
	dif->src_flags = (uint8_t)((side.ref_fixed ? SVA_DIF_SRC_REF_FIXED : 0) |
				   (side.app_grows ? SVA_DIF_SRC_APP_INC : 0));
	return side;
}

static struct side destination_side(struct job *job, struct blocks *blocks)
{
	struct sva_desc_dif *dif = &blocks->dif;
	struct side side = {(uint32_t)chance_next(&job->chance),
			    (uint16_t)chance_next(&job->chance), chance_one_in(&job->chance, 3),
			    chance_one_in(&job->chance, 3)};

	dif->dst_ref = side.ref;
	dif->dst_app = side.app;
	dif->dst_flags = (uint8_t)((side.ref_fixed ? SVA_DIF_DST_REF_FIXED : 0) |
				   (side.app_grows ? SVA_DIF_DST_APP_INC : 0));
	return side;
}

/* Guarded blocks in buffer 0; a byte of one of them may be damaged. The blocks before that. */
static size_t make_guarded(struct job *job, const struct blocks *blocks, const struct side *side)
{
	size_t unit = blocks->size + 8, bad = blocks->count;
	uint8_t *image;

	buffer_place(job, 0, job->length, 1);
	buffer_fill_random(job, 0);
	image = buffer_image(job, 0);
	for (size_t i = 0; i < blocks->count; i++)
		put_tuple(image + i * unit + blocks->size, image + i * unit, blocks,
			  app_at(side, i), ref_at(side, i));
	if (blocks->count && chance_one_in(&job->chance, 5)) {
		bad = chance_below(&job->chance, blocks->count);
		image[bad * unit + chance_below(&job->chance, blocks->size)] ^= 0x10;
		job->expect.error = -EILSEQ;
		job->expect.result = SVA_DIF_ERR_GUARD;
	}
	buffer_publish(job, 0);
	job->expect.bytes = bad * unit;
	return bad;
}

static void expect_source_tags(struct job *job, const struct side *side, size_t count)
{
	job->expect.has_src_dif = !job->expect.error;
	job->expect.dif.src_ref = ref_at(side, count);
	job->expect.dif.src_app = app_at(side, count);
}

static void expect_destination_tags(struct job *job, const struct side *side, size_t count)
{
	job->expect.has_dst_dif = !job->expect.error;
	job->expect.dif.dst_ref = ref_at(side, count);
	job->expect.dif.dst_app = app_at(side, count);
}

/* After an error nothing is known of the destination from that block on. */
static void loosen(struct job *job, size_t from)
{
	struct buffer *buffer = &job->buffer[1];

	if (!job->expect.error)
		return;
	buffer->loose_from = from;
	buffer->loose_to = buffer->len;
}

void make_dif_check(struct job *job)
{
	struct blocks blocks = pick_blocks(job, true);
	struct side side = source_side(job, &blocks);

	make_guarded(job, &blocks, &side);
	sva_prep_dif_check(&job->op, buffer_live(job, 0), job->length, &blocks.dif);
	expect_source_tags(job, &side, blocks.count);
}

void make_dif_insert(struct job *job)
{
	struct blocks blocks = pick_blocks(job, false);
	struct side side = destination_side(job, &blocks);
	const uint8_t *from;
	uint8_t *to;

	buffer_place(job, 0, job->length, 1);
	buffer_fill_random(job, 0);
	buffer_publish(job, 0);
	buffer_place(job, 1, job->length + blocks.count * 8, 1);
	buffer_fill_stale(job, 1);
	sva_prep_dif_insert(&job->op, buffer_live(job, 1), buffer_live(job, 0), job->length,
			    &blocks.dif);
	from = buffer_image(job, 0);
	to = buffer_image(job, 1);
	for (size_t i = 0; i < blocks.count; i++, from += blocks.size, to += blocks.size + 8) {
		memcpy(to, from, blocks.size);
		put_tuple(to + blocks.size, from, &blocks, app_at(&side, i), ref_at(&side, i));
	}
	expect_destination_tags(job, &side, blocks.count);
}

void make_dif_strip(struct job *job)
{
	struct blocks blocks = pick_blocks(job, true);
	struct side side = source_side(job, &blocks);
	size_t good = make_guarded(job, &blocks, &side);

	buffer_place(job, 1, blocks.count * blocks.size, 1);
	buffer_fill_stale(job, 1);
	sva_prep_dif_strip(&job->op, buffer_live(job, 1), buffer_live(job, 0), job->length,
			   &blocks.dif);
	for (size_t i = 0; i < blocks.count; i++)
		memcpy(buffer_image(job, 1) + i * blocks.size,
		       buffer_image(job, 0) + i * (blocks.size + 8), blocks.size);
	loosen(job, good * blocks.size);
	expect_source_tags(job, &side, blocks.count);
}

void make_dif_update(struct job *job)
{
	struct blocks blocks = pick_blocks(job, true);
	struct side from = source_side(job, &blocks), to = destination_side(job, &blocks);
	size_t good = make_guarded(job, &blocks, &from), unit = blocks.size + 8;
	uint8_t *image;

	buffer_place(job, 1, job->length, 1);
	buffer_fill_stale(job, 1);
	sva_prep_dif_update(&job->op, buffer_live(job, 1), buffer_live(job, 0), job->length,
			    &blocks.dif);
	image = buffer_image(job, 1);
	memcpy(image, buffer_image(job, 0), job->length);
	for (size_t i = 0; i < blocks.count; i++)
		put_tuple(image + i * unit + blocks.size, image + i * unit, &blocks, app_at(&to, i),
			  ref_at(&to, i));
	loosen(job, good * unit);
	expect_source_tags(job, &from, blocks.count);
	expect_destination_tags(job, &to, blocks.count);
}

void make_dix_generate(struct job *job)
{
	struct blocks blocks = pick_blocks(job, false);
	struct side side = destination_side(job, &blocks);

	buffer_place(job, 0, job->length, 1);
	buffer_fill_random(job, 0);
	buffer_publish(job, 0);
	buffer_place(job, 1, blocks.count * 8, 8);
	buffer_fill_stale(job, 1);
	sva_prep_dix_generate(&job->op, buffer_live(job, 1), buffer_live(job, 0), job->length,
			      &blocks.dif);
	for (size_t i = 0; i < blocks.count; i++)
		put_tuple(buffer_image(job, 1) + i * 8, buffer_image(job, 0) + i * blocks.size,
			  &blocks, app_at(&side, i), ref_at(&side, i));
	expect_destination_tags(job, &side, blocks.count);
}
