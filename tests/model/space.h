/* SPDX-License-Identifier: MIT */
/*
 * A sparse address space for tests of the model: regions of pages with permissions, seen by the
 * model through an accessor that can be unkind (short windows of odd lengths, windows that are
 * copies) but always lawful, and that notes what the model does wrong. The reference sees the same
 * space byte by byte.
 */
#ifndef SVA_TESTS_MODEL_SPACE_H
#define SVA_TESTS_MODEL_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define PAGE 4096u
#define SPACE_REGIONS 8
#define SPACE_RECORDS 128

/* What may be done with a page. */
enum page_use {
	PAGE_READ = 1,
	PAGE_WRITE = 2,
	PAGE_RW = 3,
	PAGE_LAZY = 4,        /* becomes PAGE_RW when it is asked for with SVA_MODEL_BOF */
	PAGE_LAZY_RECORD = 8, /* … with SVA_MODEL_RECORD */
};

struct region {
	uint64_t base;
	size_t pages;
	uint8_t *data;
	uint8_t *use;
};

/* A record that the model wrote. */
struct record_written {
	uint64_t addr;
	struct sva_comp comp;
};

struct space {
	struct region regions[SPACE_REGIONS];
	int nregions;

	/* The manner of the accessor. */
	size_t window;   /* longest window; 0: no limit */
	bool odd;        /* window lengths vary from 1 to window */
	bool copies;     /* windows are copies, written back by unmap */
	bool masked;     /* fault addresses have their low 12 bits cleared */
	uint32_t random; /* state of the generator */

	/* What the model did. */
	int open;
	/* windows asked for, and how many of them the pages do not allow */
	unsigned long maps, refused;
	const char *wrong; /* the first thing that is against the contract of the accessor */
	struct {
		uint8_t *host;
		size_t len;
		uint64_t addr;
		unsigned int access;
	} windows[3];
	struct record_written records[SPACE_RECORDS];
	int nrecords;
};

/* An empty space; a copy of another one without its notes; free what it holds. */
void space_init(struct space *space);
void space_clone(struct space *to, const struct space *from);
void space_free(struct space *space);

/*
 * Add a region of that many pages, all usable as said, filled with bytes that depend on the seed.
 * Its data.
 */
uint8_t *space_add(struct space *space, uint64_t base, size_t pages, uint8_t use, uint32_t seed);

/* Change what may be done with the page of that address. */
void space_use(struct space *space, uint64_t addr, uint8_t use);

/* What may be done with the page of that address, which is in the space. */
uint8_t space_use_of(const struct space *space, uint64_t addr);

/* The byte at that address, however it may be used; NULL outside of every region. */
uint8_t *space_at(const struct space *space, uint64_t addr);

/* May it be accessed so? Resolves lazy pages. */
bool space_allows(struct space *space, uint64_t addr, unsigned int access);

/* Copy in and out, regardless of permissions; the range must be in a region. */
void space_put(struct space *space, uint64_t addr, const void *from, size_t len);
void space_get(const struct space *space, uint64_t addr, void *to, size_t len);

/* Same regions with the same bytes? Else the address of the first difference. */
bool space_equal(const struct space *a, const struct space *b, uint64_t *where);

/* The accessor for the model. */
struct sva_model_mem space_mem(struct space *space);

/* Pseudo-random numbers. */
uint32_t random_next(uint32_t *state);
static inline uint32_t random_below(uint32_t *state, uint32_t n)
{
	return random_next(state) % n;
}

#endif
