/* SPDX-License-Identifier: MIT */
/* The windows that the model opens on memory: faults, sabotage, bounce buffers. */
#include <sys/mman.h>

#include "emu/base/raw.h"
#include "emu/device/access.h"
#include "emu/device/state.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"

#define PAGE EMU_PAGE
#define BOUNCE 4096u

size_t emu_access_reach(struct emu_access *access, uint64_t addr, size_t len, unsigned int how,
			uint64_t *fault)
{
	bool strict = access->strict && !(how & (SVA_MODEL_BOF | SVA_MODEL_RECORD));
	bool write = how & SVA_MODEL_WRITE;
	size_t done = 0, border = PAGE - addr % PAGE, usable;

	if (access->inject && !(how & (SVA_MODEL_BOF | SVA_MODEL_RECORD))) {
		if (addr % PAGE == 0 || len <= border) {
			access->inject = false;
			*fault = addr;
			return 0;
		}
		len = border; /* the next window starts at the border, and faults there */
	}
	for (; done < len; done += usable) {
		usable = emu_pages_usable(&access->pages, addr + done, write, strict);
		if (!usable) {
			*fault = addr + done;
			break;
		}
	}
	return done < len ? done : len;
}

/* --sabotage flip: change one byte in the middle of what was written. */
void emu_access_flip(struct emu_access *access, uint8_t *data, size_t used, unsigned int how)
{
	if (access->sabotage != EMU_SABOTAGE_FLIP || access->sabotaged ||
	    !(how & SVA_MODEL_WRITE) || used == 0)
		return;
	data[used / 2] ^= 0x10;
	access->sabotaged = true;
}

void *emu_access_scratch(struct emu_access *access, uint64_t addr, uint64_t *fault)
{
	*fault = addr;
	if (!emu_probe(addr, true, NULL) ||
	    emu_fetch(&access->scratch, addr, sizeof(access->scratch), NULL))
		return NULL;
	access->record = addr;
	return &access->scratch;
}

/* --sabotage: lose the record of the descriptor, or change the result in it. */
void emu_access_unscratch(struct emu_access *access)
{
	struct sva_comp *comp = &access->scratch;

	if (access->sabotage == EMU_SABOTAGE_LOSE) {
		access->sabotaged = true;
		return;
	}
	if (access->sabotage == EMU_SABOTAGE_FLIP && !access->sabotaged) {
		comp->result ^= 1;
		comp->op.crc ^= 1;
		access->sabotaged = true;
	}
	if (access->sabotage == EMU_SABOTAGE_LENGTH && comp->bytes) {
		comp->bytes -= comp->bytes > 64 ? 64 : 1;
		access->sabotaged = true;
	}
	emu_write_record(access->record, comp);
}

/* Each thread has bounce buffers of its own, made for its first descriptor that needs them. */
static EMU_TLS uint8_t *bounce;

static bool have_bounce(void)
{
	long mem;

	if (bounce)
		return true;
	mem = raw_syscall6(SYS_mmap, 0, 3 * BOUNCE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (raw_failed(mem))
		return false;
	bounce = (uint8_t *)mem;
	return true;
}

void *emu_access_map(void *ctx, uint64_t addr, size_t *len, unsigned int how, uint64_t *fault)
{
	struct emu_access *access = ctx;
	size_t want = *len < BOUNCE ? *len : BOUNCE, got = 0;
	unsigned int slot;

	if ((how & SVA_MODEL_RECORD) && *len == sizeof(access->scratch))
		return emu_access_scratch(access, addr, fault);
	for (slot = 0; slot < 3 && (access->open & 1u << slot); slot++)
		;
	*fault = addr;
	if (slot < 3 && have_bounce())
		got = emu_access_reach(access, addr, want, how, fault);
	if (got)
		got -= emu_fetch(bounce + slot * BOUNCE, addr, got, NULL);
	if (got == 0)
		return NULL;
	*len = got;
	access->open |= 1u << slot;
	access->target[slot] = addr;
	return bounce + slot * BOUNCE;
}

void emu_access_unmap(void *ctx, void *host, size_t used, unsigned int how)
{
	struct emu_access *access = ctx;
	unsigned int slot;

	if (host == &access->scratch) {
		emu_access_unscratch(access);
		return;
	}
	slot = (unsigned int)(((uint8_t *)host - bounce) / BOUNCE);
	access->open &= ~(1u << slot);
	if (!(how & SVA_MODEL_WRITE))
		return;
	emu_access_flip(access, host, used, how);
	emu_store(access->target[slot], host, used, NULL);
}
