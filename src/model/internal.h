/* SPDX-License-Identifier: MIT */
/*
 * What the files of the model share: the state of one descriptor while it executes, the table of
 * operations, windows on memory. Road of a descriptor: execute.c (record address) → check.c (may it
 * run?) → one of the operations → execute.c (write the record). Nothing here may need more than a
 * few hundred bytes of stack: a signal handler may be the caller.
 */
#ifndef SVA_MODEL_INTERNAL_H
#define SVA_MODEL_INTERNAL_H

#include "model/model.h"

/* The fields are read and written as they lie in memory, and the device is little-endian. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the model needs a little-endian host");
_Static_assert(sizeof(struct sva_desc) == 64 && sizeof(struct sva_comp) == 32,
	       "layouts of sva/desc.h");

/* Flags of revision 1.x that have no name in sva/desc.h, since programs should not use them. */
/* bit 5: steering tag of the completion record; later cache control 3 */
#define MODEL_CRSTS          0x000020u
#define MODEL_DSTS           0x008000u /* bit 15: steering tag of the destination */
#define MODEL_DUALCAST_STS2  0x010000u /* bit 16 of dualcast: steering tag of destination 2 */

#define MODEL_PRIV           0x80000000u /* bit 31 of bytes 0-3 */
#define MODEL_PASID_RESERVED 0x7ff00000u /* bits 30:20 of bytes 0-3 */
#define MODEL_SWERROR_DROPPED 0x53u      /* a descriptor met a full dedicated queue */
#define MODEL_EVL_DRAIN      0x26u
#define MODEL_EVL_BATCH      0x27u

#define MODEL_PAGE 4096u
#define MODEL_LINE 64u
#define MODEL_TUPLE 8u /* protection information behind a block */
#define MODEL_NUM_OPS 0x21u /* the table of operations ends after cache flush */

/* Which operand a fault belongs to, for the Fault Info field ([S3] table 8-13). */
enum model_operand {
	OPERAND_UNKNOWN = 0,
	/* source, source 1, batch list, delta record (apply), readback 1, translation fetch */
	OPERAND_1 = 1,
	OPERAND_2 = 2,     /* source 2, CRC seed, readback 2 */
	OPERAND_DST = 3,   /* destination, destination 1, delta record (create) */
	OPERAND_DST2 = 4,
	OPERAND_RECORD = 5,
};

/* One descriptor while it is executed. */
struct model_exec {
	const struct sva_model_profile *profile;
	const struct sva_model_mem *mem;
	struct sva_desc desc;  /* a copy: the program may change the original meanwhile */
	struct sva_comp comp;
	unsigned int access;   /* or-ed into each data access: SVA_MODEL_BOF, or nothing */
	struct sva_model_outcome *outcome;
	bool in_batch;
	bool priv;             /* the PRIV bit; in a batch, that of the batch */
	bool sub_lost;         /* batch: the record of a descriptor of it could not be written */
};

/* What the size field of an operation means. */
enum model_kind {
	MODEL_DATA,    /* 1 to the queue's largest transfer */
	MODEL_NO_DATA, /* nothing, or a count of descriptors */
	MODEL_DELTA,   /* as the first, and at most SVA_DELTA_MAX_REGION */
	MODEL_DIF,     /* as the first, and in whole blocks */
};

/* An operation: what it may carry, and what does it. */
struct model_op {
	void (*run)(struct model_exec *exec);
	enum model_kind kind;
	/* flags it may have on some revision, beside CRAV, RCR, RCI, CRTCS and FENCE */
	uint32_t flags;
	uint32_t required; /* flags it must have */
	/* bit n: byte n of the descriptor is used; the unused ones from 16 on must be 0 */
	uint64_t used;
};

/* The operation that this profile supports under that code, or NULL. */
const struct model_op *model_op_find(const struct sva_model_profile *profile, unsigned int opcode);

/* Bits of model_op::used. */
#define MODEL_BYTES(first, count) (((1ull << (count)) - 1) << (first))

/* The flags of a descriptor that must not be set, or are missing (flags.c). 0: all are right. */
uint32_t model_invalid_flags(const struct model_exec *exec, const struct model_op *op);

/*
 * Every check of a descriptor except those of its record address. A status code, or 0 if it may
 * run.
 */
uint8_t model_check(struct model_exec *exec, const struct model_op *op);

static inline uint32_t model_flags(const struct model_exec *exec)
{
	return sva_desc_flags(&exec->desc);
}

/* Do [a, a + a_len) and [b, b + b_len) share a byte? Right across 2^64 too. */
static inline bool model_overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return b - a < a_len || a - b < b_len;
}

/* ---- windows (memory.c) ---- */

struct model_window {
	uint8_t *host;
	size_t len;
	unsigned int access;
};

/*
 * Open a window on at most want bytes. On a fault: false, and the record says so (status, fault
 * address, operand); how far the operation came is for the caller to fill in.
 */
bool model_map(struct model_exec *exec, struct model_window *window, uint64_t addr, size_t want,
	       unsigned int access, enum model_operand operand);
void model_unmap(struct model_exec *exec, const struct model_window *window, size_t used);

/*
 * Small objects that may straddle windows. How many bytes could be read or written; fewer than len
 * after a fault.
 */
size_t model_read(struct model_exec *exec, void *to, uint64_t addr, size_t len,
		  enum model_operand operand);
size_t model_write(struct model_exec *exec, uint64_t addr, const void *from, size_t len,
		   enum model_operand operand);

/*
 * Copy through windows, from low addresses to high. How many bytes were copied; fewer than len
 * after a fault. seen, unless NULL, is shown all that was written, piece by piece.
 */
typedef void model_seen(void *state, const uint8_t *bytes, size_t len);
size_t model_copy(struct model_exec *exec, uint64_t dst, uint64_t src, size_t len, model_seen *seen,
		  void *state);

/* A pattern of 16 bytes, from its two halves, twice: so that it can begin at any of its bytes. */
void model_pattern(uint8_t pattern[32], uint64_t low, uint64_t high);

/* Bytes of a block, without its tuple. */
size_t model_dif_block(const struct sva_desc_dif *op);

/* ---- operations: each fills exec->comp; the status is success unless it says otherwise ---- */

void model_noop(struct model_exec *exec);
void model_drain(struct model_exec *exec);
void model_memmove(struct model_exec *exec);
void model_fill(struct model_exec *exec);
void model_dualcast(struct model_exec *exec);
void model_compare(struct model_exec *exec);
void model_compare_pattern(struct model_exec *exec);
void model_create_delta(struct model_exec *exec);
void model_apply_delta(struct model_exec *exec);
void model_translation_fetch(struct model_exec *exec);
void model_cache_flush(struct model_exec *exec);
void model_crc(struct model_exec *exec);
void model_copy_crc(struct model_exec *exec);
void model_dif(struct model_exec *exec); /* all five */
void model_batch(struct model_exec *exec);

/*
 * Run exec->desc and write its record (execute.c): profile, mem, in_batch, priv, desc and outcome
 * are set, the rest is zero. Afterwards exec->comp and exec->outcome have the outcome.
 */
void model_execute_one(struct model_exec *exec);

/* Report the error in exec->outcome to the user of the model. */
void model_event(const struct model_exec *exec);

#endif
