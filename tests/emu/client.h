/* SPDX-License-Identifier: MIT */
/*
 * Shared by the programs that are run under sva-emu: the instructions as bytes, a portal, a
 * descriptor and its record.
 */
#ifndef SVA_TESTS_EMU_CLIENT_H
#define SVA_TESTS_EMU_CLIENT_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sva/desc.h"

/* ENQCMD: true for retry. */
static inline bool enqcmd(volatile void *portal, const void *desc)
{
	uint8_t retry;

	__asm__ volatile(".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02\n\tsetz %0"
			 : "=r"(retry) : "a"(portal), "d"(desc) : "memory", "cc");
	return retry;
}

static inline void movdir64b(volatile void *portal, const void *desc)
{
	__asm__ volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x02"
			 :
			 : "a"(portal), "d"(desc)
			 : "memory");
}

static inline void umonitor(const volatile void *addr)
{
	__asm__ volatile(".byte 0xf3, 0x0f, 0xae, 0xf0" : : "a"(addr) : "memory");
}

/* True if the limit of the system ended the wait. */
static inline bool umwait(unsigned int state, uint64_t deadline)
{
	uint8_t limit;

	__asm__ volatile(".byte 0xf2, 0x0f, 0xae, 0xf1\n\tsetc %0"
			 : "=r"(limit)
			 : "c"(state), "a"((uint32_t)deadline), "d"((uint32_t)(deadline >> 32))
			 : "memory", "cc");
	return limit;
}

static inline bool tpause(unsigned int state, uint64_t deadline)
{
	uint8_t limit;

	__asm__ volatile(".byte 0x66, 0x0f, 0xae, 0xf1\n\tsetc %0"
			 : "=r"(limit)
			 : "c"(state), "a"((uint32_t)deadline), "d"((uint32_t)(deadline >> 32))
			 : "memory", "cc");
	return limit;
}

static inline uint64_t rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

/*
 * Open and map a queue; MAP_FAILED with errno if it is refused. *fd stays open unless fd is NULL.
 */
static inline void *map_queue(const char *path, int *fd)
{
	int node = open(path, O_RDWR | O_CLOEXEC);
	void *portal = MAP_FAILED;

	if (node >= 0)
		portal = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED | MAP_POPULATE, node, 0);
	if (fd)
		*fd = node;
	else if (node >= 0)
		close(node);
	return portal;
}

static inline void prep(struct sva_desc *desc, struct sva_comp *comp, enum sva_opcode op,
			const void *src, void *dst, size_t size)
{
	memset(desc, 0, sizeof(*desc));
	memset(comp, 0, sizeof(*comp));
	desc->flags_opcode = sva_desc_word(op, SVA_DESC_CRAV | SVA_DESC_RCR);
	desc->completion_addr = (uintptr_t)comp;
	desc->src = (uintptr_t)src;
	desc->dst = (uintptr_t)dst;
	desc->size = (uint32_t)size;
}

/* A copy of bytes that no earlier call has left in either buffer. */
static inline void prep_new_bytes(struct sva_desc *desc, struct sva_comp *comp, uint8_t *from,
				  uint8_t *to, size_t size)
{
	static uint8_t seed;

	seed++;
	for (size_t i = 0; i < size; i++)
		from[i] = (uint8_t)(seed + i);
	memset(to, 0, size);
	prep(desc, comp, SVA_OPCODE_MEMMOVE, from, to, size);
}

/* Poll a record for so many seconds. Returns its status, or 0 if none came. */
static inline uint8_t wait_record(const struct sva_comp *comp, int seconds)
{
	struct timespec start, now;
	uint8_t status;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		unsigned int spins;

		for (spins = 0; spins < 1000; spins++) {
			status = __atomic_load_n(&comp->status, __ATOMIC_ACQUIRE);
			if (status)
				return status;
			__builtin_ia32_pause();
		}
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <=
		 seconds * 1000 + 200);
	return 0;
}

#endif
