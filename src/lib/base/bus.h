/* SPDX-License-Identifier: MIT */
/*
 * The only place with instruction bytes and with barriers towards the device.
 *
 * The contract on the bus
 *
 * - A portal is a 4 KiB page of device memory, mapped uncached. It takes aligned stores of 64 bytes
 *   that arrive whole, and ignores any other store. Bits 11:6 of the address choose nothing: every
 *   64-byte slot of the page is the same queue.
 * - ENQCMD makes such a store to a shared queue and waits for the answer: ZF = 0 accepted, ZF = 1
 *   retry. A disabled or halted queue and a dedicated one also answer "retry", so the number of
 *   retries must be bounded. The CPU puts PASID and PRIV into the first four bytes, which must be
 *   zero in the source; without a PASID it raises #GP.
 * - MOVDIR64B makes such a store to a dedicated queue and gets no answer: a full queue drops the
 *   descriptor. The submitter must count what is in flight.
 * - Both are weakly ordered: neither waits for earlier ordinary stores. The instruction reads the
 *   64 bytes of the descriptor itself in program order, but the device reads the memory that the
 *   descriptor points at (completion record, batch list, source data). sva_publish_to_device()
 *   comes between the stores to such memory and the submission.
 * - The device writes a completion record as a whole, and the kernel (when it serves a fault on the
 *   record) writes the status byte last. So only the status is polled, and sva_record_status()
 *   acquires: nothing after it is read too early.
 *
 * Instructions are given as bytes, so that the library builds with any -march and any assembler.
 * The memory operands state which bytes are read and written; "memory" keeps every other access on
 * its side of the submission.
 *
 * Sources: Intel SDM for ENQCMD, MOVDIR64B, UMONITOR, UMWAIT; DSA specification rev 3.0, 3.3, 3.9,
 * 9.3.
 */
#ifndef SVA_BUS_H
#define SVA_BUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sva/desc.h"

#define SVA_PORTAL_SIZE 4096u /* bytes of a portal mapping. Source: Linux idxd cdev.c */

/*
 * The status byte of a record that a device may be writing. Loads that follow in program order see
 * the whole record.
 */
static inline uint8_t sva_record_status(const struct sva_comp *comp)
{
	return __atomic_load_n(&comp->status, __ATOMIC_ACQUIRE);
}

/* Make a record ready for a new submission; published by sva_publish_to_device(). */
static inline void sva_record_clear(struct sva_comp *comp)
{
	__atomic_store_n(&comp->status, 0, __ATOMIC_RELAXED);
}

#if defined(__x86_64__)

/* Stores before this are visible to the device before it sees what is submitted after it. */
static inline void sva_publish_to_device(void)
{
	__asm__ volatile("sfence" ::: "memory");
}

static inline void sva_cpu_relax(void)
{
	__asm__ volatile("pause");
}

static inline uint64_t sva_ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return ((uint64_t)high << 32) | low;
}

/* False: the queue accepted the descriptor. True: retry. */
static inline bool sva_enqcmd(void *portal, const struct sva_desc *desc)
{
	__asm__ goto(".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02\n\t" /* enqcmd (%%rdx), %%rax */
		     "jz %l[retry]"
		     :
		     : "a"(portal), "d"(desc), "m"(*desc)
		     : "memory", "cc"
		     : retry);
	return false;
retry:
	return true;
}

static inline void sva_movdir64b(void *portal, const struct sva_desc *desc)
{
	__asm__ volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x02" /* movdir64b (%rdx), %rax */
			 :
			 : "a"(portal), "d"(desc), "m"(*desc)
			 : "memory");
}

/*
 * Sleep until the record's cache line is written, or the time stamp counter reaches deadline, or
 * the kernel's own limit; may wake early. The status is read again after the line is armed:
 * otherwise a record that arrived in between would not end the sleep. Needs WAITPKG.
 */
static inline void sva_umwait(const struct sva_comp *comp, uint64_t deadline)
{
	__asm__ volatile(".byte 0xf3, 0x0f, 0xae, 0xf0" /* umonitor %rax */
			 :
			 : "a"(comp)
			 : "memory");
	if (sva_record_status(comp))
		return;
	/* umwait %ecx, with edx:eax; ecx = 1: the lighter state C0.1 */
	__asm__ volatile(".byte 0xf2, 0x0f, 0xae, 0xf1"
			 :
			 : "c"(1), "a"((uint32_t)deadline), "d"((uint32_t)(deadline >> 32))
			 : "memory", "cc");
}

#define SVA_HAVE_PORTALS 1

#else

/*
 * No portals on this architecture: the probe table reports that, and these are never called with
 * one.
 */
static inline void sva_publish_to_device(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

static inline void sva_cpu_relax(void)
{
	__asm__ volatile("" ::: "memory");
}

uint64_t sva_ticks(void);

static inline bool sva_enqcmd(void *portal, const struct sva_desc *desc)
{
	(void)portal;
	(void)desc;
	return true;
}

static inline void sva_movdir64b(void *portal, const struct sva_desc *desc)
{
	(void)portal;
	(void)desc;
}

static inline void sva_umwait(const struct sva_comp *comp, uint64_t deadline)
{
	(void)comp;
	(void)deadline;
}

#define SVA_HAVE_PORTALS 0

#endif

#endif
