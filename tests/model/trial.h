/* SPDX-License-Identifier: MIT */
/*
 * A trial: one descriptor on one space, by the model and by the reference, and are they the same?
 */
#ifndef SVA_TESTS_MODEL_TRIAL_H
#define SVA_TESTS_MODEL_TRIAL_H

#include "reference.h"
#include "tests/tap.h"

/* Where the tests have their buffers: far apart, each with room. */
#define SRC_AT  0x100000ull
#define DST_AT  0x200000ull
#define DST2_AT 0x300000ull
#define REC_AT  0x400000ull /* completion records */
#define LIST_AT 0x500000ull /* batch lists, delta records, seeds */

struct trials {
	unsigned long compared, failed;
	struct sva_model_outcome outcome; /* of the last one */
	char why[256];                    /* of the first that failed */
};

/*
 * The model works on space; the reference on a copy. False if they differ; then why is noted, and
 * printed once.
 */
bool trial(struct trials *trials, const struct sva_model_profile *profile, struct space *space,
	   const struct sva_desc *desc);

/* A descriptor with a record at REC_AT that is always written. */
struct sva_desc trial_desc(enum sva_opcode opcode, uint32_t flags, uint64_t src, uint64_t dst,
			   uint32_t size);

/* The operations that work on memory, and a descriptor of one whose fields fit together. */
#define TRIAL_OPS 16
extern const enum sva_opcode trial_ops[TRIAL_OPS];
struct sva_desc trial_plain(enum sva_opcode opcode, uint64_t src, uint64_t dst, uint32_t size);

/* The five regions above, that many pages each (records and lists: four). */
void trial_space(struct space *space, size_t pages, uint32_t seed);

extern unsigned long trials_compared; /* in all */

/* One TAP line for a group of trials. */
static inline void trials_done(struct trials *trials, const char *what)
{
	ok(trials->compared && !trials->failed, "%s: %lu cases, %lu wrong", what, trials->compared,
	   trials->failed);
	trials_compared += trials->compared;
	trials->compared = trials->failed = 0;
}

/* The end of a program: how many cases it compared. */
static inline int trials_end(void)
{
	/* not a comment, which make check does not show */
	ok(trials_compared, "no case differs from the reference, of %lu that were compared",
	   trials_compared);
	return done();
}

#endif
