/* SPDX-License-Identifier: MIT */
/* See space.h. */
#include "space.h"

#include <stdlib.h>
#include <string.h>

#define GUARD 32u /* bytes on both sides of a copied window that must stay as they are */
#define GUARD_BYTE 0xc5

uint32_t random_next(uint32_t *state)
{
	uint32_t x = *state ? *state : 0x9e3779b9;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}

void space_init(struct space *space)
{
	/* Not the records: there are many. */
	memset(space, 0, offsetof(struct space, records));
	space->nrecords = 0;
	space->random = 1;
}

static struct region *add_region(struct space *space, uint64_t base, size_t pages)
{
	struct region *region = &space->regions[space->nregions++];

	region->base = base;
	region->pages = pages;
	region->data = malloc(pages * PAGE);
	region->use = malloc(pages);
	if (!region->data || !region->use)
		abort();
	return region;
}

uint8_t *space_add(struct space *space, uint64_t base, size_t pages, uint8_t use, uint32_t seed)
{
	struct region *region = add_region(space, base, pages);
	uint32_t word;

	memset(region->use, use, pages);
	for (size_t i = 0; i < pages * PAGE; i += sizeof(word)) {
		word = random_next(&seed);
		memcpy(region->data + i, &word, sizeof(word));
	}
	return region->data;
}

void space_clone(struct space *to, const struct space *from)
{
	space_init(to);
	for (int i = 0; i < from->nregions; i++) {
		const struct region *region = &from->regions[i];

		struct region *copy = add_region(to, region->base, region->pages);

		memcpy(copy->data, region->data, region->pages * PAGE);
		memcpy(copy->use, region->use, region->pages);
	}
}

void space_free(struct space *space)
{
	for (int i = 0; i < space->nregions; i++) {
		free(space->regions[i].data);
		free(space->regions[i].use);
	}
	space->nregions = 0;
}

static struct region *find(const struct space *space, uint64_t addr)
{
	for (int i = 0; i < space->nregions; i++) {
		const struct region *region = &space->regions[i];

		if (addr - region->base < region->pages * PAGE)
			return (struct region *)(uintptr_t)region;
	}
	return NULL;
}

uint8_t *space_at(const struct space *space, uint64_t addr)
{
	struct region *region = find(space, addr);

	return region ? region->data + (addr - region->base) : NULL;
}

void space_use(struct space *space, uint64_t addr, uint8_t use)
{
	struct region *region = find(space, addr);

	if (!region)
		abort();
	region->use[(addr - region->base) / PAGE] = use;
}

uint8_t space_use_of(const struct space *space, uint64_t addr)
{
	const struct region *region = find(space, addr);

	return region->use[(addr - region->base) / PAGE];
}

bool space_allows(struct space *space, uint64_t addr, unsigned int access)
{
	struct region *region = find(space, addr);
	uint8_t *use, lazy;

	if (!region)
		return false;
	use = &region->use[(addr - region->base) / PAGE];
	lazy = (access & SVA_MODEL_BOF ? PAGE_LAZY : 0) |
	       (access & SVA_MODEL_RECORD ? PAGE_LAZY_RECORD : 0);
	if (*use & lazy)
		*use = PAGE_RW;
	return *use & (access & SVA_MODEL_WRITE ? PAGE_WRITE : PAGE_READ);
}

void space_put(struct space *space, uint64_t addr, const void *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*space_at(space, addr + i) = ((const uint8_t *)from)[i];
}

void space_get(const struct space *space, uint64_t addr, void *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = *space_at(space, addr + i);
}

bool space_equal(const struct space *a, const struct space *b, uint64_t *where)
{
	for (int i = 0; i < a->nregions; i++) {
		const struct region *x = &a->regions[i], *y = &b->regions[i];

		if (!memcmp(x->data, y->data, x->pages * PAGE))
			continue;
		for (*where = x->base; x->data[*where - x->base] == y->data[*where - x->base]; )
			(*where)++;
		return false;
	}
	return true;
}

static void *wrong(struct space *space, const char *what)
{
	if (!space->wrong)
		space->wrong = what;
	return NULL;
}

/* How long the window may be: as far as pages, the region and the accessor's manner allow. */
static size_t window_length(struct space *space, uint64_t addr, size_t want, unsigned int access)
{
	const struct region *region = find(space, addr);
	size_t len = PAGE - addr % PAGE;

	/* No further than what is there already: lazy pages are for the access that needs them. */
	while (len < want && addr + len - region->base < region->pages * PAGE &&
	       (region->use[(addr + len - region->base) / PAGE] &
		(access & SVA_MODEL_WRITE ? PAGE_WRITE : PAGE_READ)))
		len += PAGE;
	if (space->window && len > space->window)
		len = space->window;
	if (space->odd && space->window)
		len = 1 + random_below(&space->random, (uint32_t)len);
	return len < want ? len : want;
}

static void *space_map(void *ctx, uint64_t addr, size_t *len, unsigned int access, uint64_t *fault)
{
	struct space *space = ctx;
	bool record = access & SVA_MODEL_RECORD;
	size_t want = *len;
	uint8_t *host;
	int slot = 0;

	space->maps++;
	if (!want)
		return wrong(space, "window of no bytes asked for");
	if (space->open == 3)
		return wrong(space, "more than three windows");
	*fault = space->masked ? addr / PAGE * PAGE : addr;
	if (!space_allows(space, addr, access) ||
	    (record && !space_allows(space, addr + want - 1, access))) {
		space->refused++;
		return NULL;
	}
	*len = record ? want : window_length(space, addr, want, access);
	host = space_at(space, addr);
	if (space->copies) {
		/* Twice: the second one shows whether the model wrote to it. */
		uint8_t *copy = malloc(2 * (*len + 2 * GUARD));

		if (!copy)
			abort();
		memset(copy, GUARD_BYTE, 2 * (*len + 2 * GUARD));
		space_get(space, addr, copy + GUARD, *len);
		memcpy(copy + *len + 2 * GUARD, copy, *len + 2 * GUARD);
		host = copy + GUARD;
	}
	while (space->windows[slot].host)
		slot++;
	space->windows[slot].host = host;
	space->windows[slot].len = *len;
	space->windows[slot].addr = addr;
	space->windows[slot].access = access;
	space->open++;
	return host;
}

static void close_copy(struct space *space, int slot, size_t used)
{
	uint8_t *copy = space->windows[slot].host - GUARD;
	size_t len = space->windows[slot].len;
	const uint8_t *before = copy + len + 2 * GUARD;

	if (space->windows[slot].access & SVA_MODEL_WRITE) {
		space_put(space, space->windows[slot].addr, copy + GUARD, used);
		memcpy(copy + GUARD, before + GUARD, used);
	}
	/* Nothing beyond what was used, nothing in a window for reading, nothing outside of it. */
	if (memcmp(copy, before, len + 2 * GUARD))
		wrong(space, "write outside of a window, or of its used part");
	free(copy);
}

static void space_unmap(void *ctx, void *host, size_t used, unsigned int access)
{
	struct space *space = ctx;
	int slot = 0;

	while (slot < 3 &&
	       (space->windows[slot].host != host || space->windows[slot].access != access))
		slot++;
	if (slot == 3) {
		wrong(space, "unmap of no window");
		return;
	}
	if (used > space->windows[slot].len)
		wrong(space, "more used than the window has");
	if (access & SVA_MODEL_RECORD && space->nrecords < SPACE_RECORDS) {
		struct record_written *record = &space->records[space->nrecords++];

		record->addr = space->windows[slot].addr;
		memcpy(&record->comp, host, sizeof(record->comp));
		if (used != sizeof(record->comp))
			wrong(space, "record of another size");
	}
	if (space->copies)
		close_copy(space, slot, used);
	space->windows[slot].host = NULL;
	space->open--;
}

struct sva_model_mem space_mem(struct space *space)
{
	return (struct sva_model_mem){ .map = space_map, .unmap = space_unmap, .ctx = space };
}
