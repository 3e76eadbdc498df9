/* SPDX-License-Identifier: MIT */
/*
 * What the files of icount share; icount.c describes how it works. icount.c calls step.c, and that
 * insn.c; icount-child.c is the program that is counted.
 *
 * icount calls nothing of the library, whose instructions it counts in another process. Of its
 * headers it may include the public ones and those of lib/base that need no object.
 */
#ifndef SVA_BENCH_ICOUNT_H
#define SVA_BENCH_ICOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sys/types.h>
#include <sys/user.h>

/*
 * Markers in the child: int3, followed by a four-byte nop whose displacement is the number of the
 * marker. A marker needs no register, so nothing but the measured code is between two of them.
 */
#define ICOUNT_START 1 /* from here on the child is single-stepped */
#define ICOUNT_BASE 2  /* begin of the plain memcpy, whose instructions are subtracted */
#define ICOUNT_BEGIN 3 /* begin of the measured code */
#define ICOUNT_END 4
#define ICOUNT_MARK(id) __asm__ volatile("int3; .byte 0x0f, 0x1f, 0x40, %c0" : : "i"(id) : "memory")

#define ICOUNT_SAMPLES 16 /* of each region; the largest count is reported */

/* insn.c: what the count needs to know of an instruction. */
enum insn_kind { INSN_OTHER, INSN_ENQCMD, INSN_MOVDIR64B, INSN_SYSCALL, INSN_MARK };

struct insn {
	enum insn_kind kind;
	bool locked;       /* LOCK prefix, or XCHG with memory, which locks without one */
	bool repeated;     /* a string instruction with REP, of which a step runs one iteration */
	unsigned int len;  /* only of those that are of a kind above, or repeated */
	unsigned int mark; /* INSN_MARK: the number of the marker */
	uint64_t source;   /* ENQCMD, MOVDIR64B: address of the descriptor */
};

#define INSN_MAX 15
void insn_decode(const uint8_t bytes[INSN_MAX], const struct user_regs_struct *regs,
		 struct insn *insn);

/* step.c: one run of the child. */
struct region {
	/* Instructions: all; up to the first submission; after the last one. */
	uint64_t total, before, after;
	uint64_t locked, syscalls, submissions, descriptors;
};

#define ICOUNT_MAJOR 511u /* major number of the device node that the child sees */

struct stepper {
	const char *node;    /* the file that stands for the queue's device node */
	const char *cpuinfo; /* the file that the child reads as /proc/cpuinfo */
	const char *devices; /* the file that the child reads as /proc/devices */
	/* Gets the address of each instruction of the last sample, and the maps; or NULL. */
	FILE *trace;
	struct region base[ICOUNT_SAMPLES], samples[ICOUNT_SAMPLES];
	unsigned int base_count, sample_count;
};

/*
 * Runs the child. Returns 0, the exit status of the child if that is not 0, or a negative errno;
 * -EPERM: ptrace(2) is not permitted here.
 */
int stepper_run(struct stepper *stepper, char *const argv[]);

#endif
