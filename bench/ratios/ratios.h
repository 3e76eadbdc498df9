/* SPDX-License-Identifier: MIT */
/* Ratios of the library's operations, without a device, to the best plain code for them. */
#ifndef RATIOS_H
#define RATIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sva/sva.h"

#define MOST ((size_t)64 << 20)
#define SIZES 5

/* What the functions of a row work on. */
struct work {
	struct sva *sva;
	size_t len;
	uint8_t *a, *b, *c, *d; /* a and b hold the same bytes */
	uint8_t *record;	/* a delta record of a and changed */
	uint8_t *changed;	/* a, with one word of 128 changed */
	uint32_t record_size;
};

struct row {
	const char *name, *against;
	size_t most; /* longer is not possible */
	size_t unit; /* lengths are multiples of it */
	/* What a call may cost beside its work, ns. */
	double free_ns;
	void (*library)(struct work *work);
	void (*plain)(struct work *work);
};

extern const struct row rows[];
extern const unsigned int row_count;
/* A result of work that would otherwise be optimised away. */
extern volatile uint64_t sink;

/* The buffers of all rows, filled; false: no memory. */
bool make_work(struct work *work);
/* What depends on the length: the delta record. */
void set_length(struct work *work, size_t len);

/* Medians over pairs of runs that take turns. */
struct ratio {
	double ratio, library_ns, plain_ns;
};

struct ratio measure(const struct row *row, struct work *work, unsigned int pairs);

#endif
