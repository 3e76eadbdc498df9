/* SPDX-License-Identifier: MIT */
/* The table of portals. Entries are taken and freed with one compare-and-swap, in handlers too. */
#include <errno.h>
#include <sys/mman.h>

#include "emu/base/raw.h"
#include "emu/device/node.h"
#include "emu/host/maps.h"
#include "emu/host/process.h"
#include "emu/insn/portals.h"

#define PAGE_MASK (~4095ull)

static struct emu_portals own, *portals = &own;
static void (*on_found)(emu_queue_id queue, uint64_t addr);

void emu_portals_select(struct emu_portals *table)
{
	portals = table;
}

void emu_portals_on_found(void (*found)(emu_queue_id queue, uint64_t addr))
{
	on_found = found;
}

int emu_portals_add(uint64_t addr, emu_queue_id queue, uint32_t open_id, int prot, int flags)
{
	unsigned int kind = EMU_PORTAL_USED, i;
	uint64_t word, seen;

	if (!(prot & PROT_WRITE))
		kind |= EMU_PORTAL_READONLY;
	if ((flags & MAP_TYPE) == MAP_PRIVATE)
		kind |= EMU_PORTAL_SWALLOW;
	word = emu_word_pack(kind, queue, open_id, emu_mm_id());
	for (i = 0; i < EMU_PORTALS; i++) {
		seen = __atomic_load_n(&portals->entry[i].word, __ATOMIC_ACQUIRE);
		if (seen && (uint32_t)seen == (uint32_t)word)
			continue; /* in use by this address space, and not by a parent of it */
		if (!__atomic_compare_exchange_n(&portals->entry[i].word, &seen, 0, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&portals->entry[i].addr, addr, __ATOMIC_RELEASE);
		__atomic_store_n(&portals->entry[i].word, word, __ATOMIC_RELEASE);
		return 0;
	}
	return -ENOMEM;
}

uint64_t emu_portals_remove(uint64_t addr, size_t len)
{
	uint32_t mm = emu.mm->id;
	unsigned int i;
	uint64_t word;

	for (i = 0; i < EMU_PORTALS; i++) {
		word = __atomic_load_n(&portals->entry[i].word, __ATOMIC_ACQUIRE);
		if (EMU_LIKELY(!word) || (uint32_t)word != mm ||
		    portals->entry[i].addr - addr >= len)
			continue;
		if (__atomic_compare_exchange_n(&portals->entry[i].word, &word, 0, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return word;
	}
	return 0;
}

bool emu_portals_has(uint64_t word)
{
	unsigned int i;

	for (i = 0; i < EMU_PORTALS; i++)
		if (emu_word_same_open(portals->entry[i].word, word))
			return true;
	return false;
}

emu_queue_id emu_portal_at(uint64_t addr, bool *readonly, bool *swallow)
{
	uint32_t mm = __atomic_load_n(&emu.mm->id, __ATOMIC_RELAXED);
	unsigned int i;
	uint64_t word;

	for (i = 0; i < EMU_PORTALS; i++) {
		word = __atomic_load_n(&portals->entry[i].word, __ATOMIC_ACQUIRE);
		if (!word || (uint32_t)word != mm || portals->entry[i].addr != (addr & PAGE_MASK))
			continue;
		*readonly = emu_word_kind(word) & EMU_PORTAL_READONLY;
		*swallow = emu_word_kind(word) & EMU_PORTAL_SWALLOW;
		return emu_word_queue(word);
	}
	return 0;
}

emu_queue_id emu_portal_search(uint64_t addr)
{
	struct emu_mapping mapping;
	emu_queue_id queue = 0;

	if (!emu.state->opt.refuse_sva && emu_maps_find(addr, &mapping) && mapping.shared &&
	    emu_node_may_map())
		queue = emu_node_path(mapping.path);
	if (queue && on_found)
		on_found(queue, addr & PAGE_MASK);
	return queue;
}
