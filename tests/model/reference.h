/* SPDX-License-Identifier: MIT */
/*
 * An independent DSA, byte by byte, from the facts and not from the model: what a descriptor must
 * do to memory and what its record may say. It follows the model in step: whatever the facts leave
 * open (the status of a descriptor with two errors, which of two faults at the same byte is
 * reported) is taken from the model's record, if it is one of the lawful answers.
 */
#ifndef SVA_TESTS_MODEL_REFERENCE_H
#define SVA_TESTS_MODEL_REFERENCE_H

#include "space.h"

/* A fault that may be reported. */
struct ref_fault {
	uint64_t addr;
	bool write;
	uint8_t operand;
};

/* What a record may say. */
struct ref_expect {
	uint64_t statuses;      /* bit n: status n is lawful */
	bool check_result, check_bytes, check_at_most;
	uint8_t result;
	uint32_t bytes;
	uint32_t invalid_flags; /* for status 0x11 */
	struct ref_fault faults[4];
	int nfaults;
	bool page_only;         /* of the fault's address only the page is known */
	uint8_t specific[16], specific_known[16]; /* bytes 16-31, and 0xff where they are defined */
};

struct ref {
	/* Set by the caller. */
	const struct sva_model_profile *profile;
	/* as it was before the model ran; becomes what it must be after */
	struct space *space;
	/* the model's, after it ran, with the records it wrote */
	const struct space *model;
	const struct sva_model_outcome *outcome;

	/* The reference's own. */
	int next_record;
	/* a range was left open inside a batch: what follows is not determined */
	bool loose;
	char why[256];     /* what the model did wrong; empty: nothing */
	bool taken[SPACE_RECORDS];
};

/*
 * One descriptor and all that is in its batch. True if the model did what it must; else ref->why
 * says what is wrong.
 */
bool ref_run(struct ref *ref, const struct sva_desc *desc);

/* The rules that a descriptor breaks, as a set of status codes; 0: it may run (ref-rules.c). */
uint64_t ref_broken_rules(const struct sva_model_profile *profile, const uint8_t *desc,
			  bool in_batch, bool priv, uint32_t *invalid_flags);

/*
 * What the operation does (ref-ops.c). known: the model's record, for what is left open; NULL if
 * there is none.
 */
struct ref_op {
	struct ref *ref;
	const uint8_t *desc;
	const struct sva_comp *known;
	unsigned int bof;
	bool in_batch;
	struct ref_expect *expect;
};
void ref_operate(struct ref_op *op);

static inline uint64_t ref_field(const uint8_t *desc, int byte, int len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | desc[byte + len];
	return value;
}

/* Textbook CRC, most significant bit first, one bit at a time. */
uint64_t ref_crc_bits(uint64_t reg, int width, uint64_t poly, uint8_t byte, bool low_bit_first);
uint64_t ref_reverse(uint64_t value, int width);

#endif
