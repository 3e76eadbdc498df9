/* SPDX-License-Identifier: MIT */
/*
 * The sva_dma module, played by the test: open, ioctl and mmap of /dev/sva_dma are wrapped,
 * operations are executed here, and completions go into a real ring, at once or when the test says
 * so. What the real module does is tested in virtual machines.
 */
#ifndef SVA_TESTS_UNIT_MODULE_H
#define SVA_TESTS_UNIT_MODULE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sva/sva.h"
#include "uapi/sva_dma.h"

#define RING 64u

extern struct module {
	int fd;                  /* of the open file, -1: closed */
	int other_fd;            /* the number that it had before, -1: none */
	int open_error;          /* errno of open(2) */
	int info_error;          /* errno of INFO */
	uint32_t version, channels, features;
	unsigned int major;      /* of the node */
	bool hold;               /* completions wait until module_release() */
	int refuse;              /* errno with which SUBMIT fails */
	unsigned int refusals;   /* how often it does */
	unsigned int good_before; /* so many operations succeed, the one after them has */
	int result_once;         /* this result, returned by SUBMIT */
	int complete_once;       /* or this one, in its completion */
	uint64_t max_len;
	uint64_t pin_limit, pinned; /* bytes; a limit of 0: none */
	ino_t taken;             /* of the file that has the number of the module's; 0: none */
	unsigned int foreign;    /* calls on other files */
	unsigned int opens, submits, ops, maps, unmaps, syncs;
	unsigned int overruns;   /* completions for which the ring had no room */
	struct sva_dma_ring *ring;
	uint64_t held[RING];
	unsigned int held_count;
	struct { uint64_t addr, len; bool used; } map[8];
} module;

/* A module that works, with one channel; its file is closed. */
void module_reset(void);

/* Execute an operation as SUBMIT does. */
int module_run_op(struct sva_dma_op *op);

/* Write the completions that are held. */
void module_release(void);

/* How often the ring is mapped in this process. */
unsigned int module_ring_mappings(void);

/* Open another file of the program under the number of the module's. */
void module_take_number(void);

/* The buffers of the tests, and a context with a threshold of 1 byte, which fills them. */
extern unsigned char from[1 << 20], to[1 << 20];
struct sva *module_open(const char *paths);

#endif
