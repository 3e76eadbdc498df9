/* SPDX-License-Identifier: MIT */
/*
 * A load for a queue of kernel.h: up to 100 copies of 100 bytes each, from one buffer to another.
 */
#ifndef SVA_TESTS_UNIT_LOAD_H
#define SVA_TESTS_UNIT_LOAD_H

#include "unit/kernel.h"

#define BYTES 65536u
#define MANY  100u

extern uint8_t *from, *to;
extern struct kernel_queue *queue;
extern struct sva *sva;
extern struct sva_op ops[MANY];
extern struct sva_op *list[MANY]; /* the operations in order */

/* Allocate and fill the buffers, and set the threshold to 1 byte. After rig_begin(). */
void load_init(void);

/* An option for rig_open_opts(): a record timeout of 200 ms. */
void load_timeout(struct sva_opts *opts);

/* One queue, wq0.0, which takes transfers of up to 4096 bytes, and a context with these paths. */
void load_begin(bool dedicated, unsigned int entries, const char *paths);

/* Prepare so many copies, and clear the destination. */
void load_prepare(unsigned int n);

/* Wait for the first n operations; returns how many of them have copied their bytes. */
unsigned int load_finish(unsigned int n);

/* The credits of a queue that are neither with the device nor with operations. */
unsigned int load_free_credits(struct sva_bond *bond);

/* Call fn(NULL) in another thread, and return what it returns. */
intptr_t load_in_thread(void *(*fn)(void *arg));

#endif
