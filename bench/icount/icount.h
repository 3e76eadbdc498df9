/* SPDX-License-Identifier: MIT */
/* What the files of icount share. How it works is told in icount.c. */
#ifndef SVA_BENCH_ICOUNT_H
#define SVA_BENCH_ICOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sys/types.h>
#include <sys/user.h>

/*
 * Markers in the child: int3 followed by a four-byte nop whose displacement says which it is. So a marker needs no
 * register, and what is between two of them is the measured code and nothing else.
 */
#define ICOUNT_START 1 /* from here on every instruction is stepped */
#define ICOUNT_BASE  2 /* begin of what is to be taken off: a plain memcpy */
#define ICOUNT_BEGIN 3 /* begin of the measured code */
#define ICOUNT_END   4
#define ICOUNT_MARK(id) __asm__ volatile("int3; .byte 0x0f, 0x1f, 0x40, %c0" : : "i"(id) : "memory")

#define ICOUNT_SAMPLES 16 /* of each region; the worst counts */

/* insn.c: as much of an instruction as the count needs. */
enum insn_kind { INSN_OTHER, INSN_ENQCMD, INSN_MOVDIR64B, INSN_SYSCALL, INSN_MARK };

struct insn {
	enum insn_kind kind;
	bool locked;       /* LOCK prefix, or XCHG with memory, which locks without one */
	bool repeated;     /* a string instruction with REP, which a single step would do one turn of */
	unsigned int len;  /* of all the above but locked ones */
	unsigned int mark;
	uint64_t source;   /* portal instructions: address of the descriptor */
};

#define INSN_MAX 15
void insn_decode(const uint8_t bytes[INSN_MAX], const struct user_regs_struct *regs, struct insn *insn);

/* step.c: one run of the child. */
struct region {
	uint64_t total, before, after; /* instructions: all; up to the first submission; after the last one */
	uint64_t locked, syscalls, submissions, descriptors;
};

#define ICOUNT_MAJOR 511u /* of the node that the child sees */

struct stepper {
	const char *node;    /* the file that stands for the queue's device node */
	const char *cpuinfo; /* what the child reads as /proc/cpuinfo */
	const char *devices; /* the same, /proc/devices */
	FILE *trace;         /* gets the address of each instruction of the last sample, and the maps; or NULL */
	struct region base[ICOUNT_SAMPLES], samples[ICOUNT_SAMPLES];
	unsigned int base_count, sample_count;
};

/* 0; -errno; or the child's exit status, if that is not 0. -EPERM: ptrace is not permitted here. */
int stepper_run(struct stepper *stepper, char *const argv[]);

#endif
