/* SPDX-License-Identifier: MIT */
/* The pages of the program that are portals of a queue. */
#ifndef EMU_INSN_PORTALS_H
#define EMU_INSN_PORTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/device/state.h"

#define EMU_PORTALS 64u

/*
 * An open file of a queue in one word, so that a table of them is read without a lock: kind (4
 * bits), queue (8), open id (20, the same for all copies and mappings of one open file), address
 * space (32).
 */
static inline uint64_t emu_word_pack(unsigned int kind, emu_queue_id queue, uint32_t open_id,
				     uint32_t mm)
{
	return (uint64_t)kind << 60 | (uint64_t)queue << 52 | (uint64_t)(open_id & 0xfffff) << 32 |
	       mm;
}

static inline unsigned int emu_word_kind(uint64_t word)
{
	return (unsigned int)(word >> 60);
}

static inline emu_queue_id emu_word_queue(uint64_t word)
{
	return (emu_queue_id)(word >> 52 & 0xff);
}

static inline uint32_t emu_word_open_id(uint64_t word)
{
	return (uint32_t)(word >> 32 & 0xfffff);
}

/* Do both belong to the same open file? Their kinds may differ. */
static inline bool emu_word_same_open(uint64_t a, uint64_t b)
{
	return !((a ^ b) << 4);
}

/* The kind of a portal's word: bits. */
#define EMU_PORTAL_USED     1u
#define EMU_PORTAL_READONLY 2u
/* a private mapping: what is stored to it does not reach the queue */
#define EMU_PORTAL_SWALLOW  4u

/* The portals of one address space, or of a process and the copies of it that fork makes. */
struct emu_portals {
	struct {
		uint64_t addr, word; /* word 0: free */
	} entry[EMU_PORTALS];
};

/* Use this table from now on. At first there is one for this process. */
void emu_portals_select(struct emu_portals *table);

/*
 * Called with each portal that was mapped by a way that was not seen, when it is first used.
 * Without such a function such portals are looked up again each time.
 */
void emu_portals_on_found(void (*found)(emu_queue_id queue, uint64_t addr));

/* A portal at addr, of the current address space. prot and flags: of mmap(2). 0 or -ENOMEM. */
int emu_portals_add(uint64_t addr, emu_queue_id queue, uint32_t open_id, int prot, int flags);

/* Remove one portal from this range. Its word, or 0 if there is none (more). */
uint64_t emu_portals_remove(uint64_t addr, size_t len);

/* Is there a portal of this open file? */
bool emu_portals_has(uint64_t word);

/* The queue whose portal is at this address; 0 if there is none. */
emu_queue_id emu_portal_at(uint64_t addr, bool *readonly, bool *swallow);

/* The same for portals that were mapped unseen, from the kernel's list of mappings. Slow. */
emu_queue_id emu_portal_search(uint64_t addr);

#endif
