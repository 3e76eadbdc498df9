/* SPDX-License-Identifier: MIT */
/* memory.h from outside: the program's memory as its tracer reaches it. */
#include <signal.h>
#include <sys/uio.h>

#include "access.h"
#include "maps.h"
#include "memory.h"
#include "process.h"

static void tell(struct emu_fault *fault, uint64_t addr)
{
	if (fault)
		*fault = (struct emu_fault){ SIGSEGV, SEGV_MAPERR, addr };
}

size_t emu_fetch(void *to, uint64_t addr, size_t len, struct emu_fault *fault)
{
	struct iovec local = { to, len }, remote = { (void *)(uintptr_t)addr, len };
	ssize_t got = process_vm_readv(emu_tid(), &local, 1, &remote, 1, 0);
	size_t done = got > 0 ? (size_t)got : 0;

	if (done < len)
		tell(fault, addr + done);
	return len - done;
}

size_t emu_store(uint64_t addr, const void *from, size_t len, struct emu_fault *fault)
{
	struct iovec local = { (void *)(uintptr_t)from, len }, remote = { (void *)(uintptr_t)addr, len };
	ssize_t got = process_vm_writev(emu_tid(), &local, 1, &remote, 1, 0);
	size_t done = got > 0 ? (size_t)got : 0;

	if (done < len)
		tell(fault, addr + done);
	return len - done;
}

/*
 * Writing is not tried out, as that could undo what another thread of the program writes: the mapping says whether it
 * may.
 */
bool emu_probe(uint64_t addr, bool write, struct emu_fault *fault)
{
	struct emu_mapping mapping;
	uint8_t byte;

	if (emu_fetch(&byte, addr, 1, fault))
		return false;
	if (!write || (emu_maps_find(addr, &mapping) && mapping.writable))
		return true;
	tell(fault, addr);
	return false;
}

bool emu_write_record(uint64_t addr, const struct sva_comp *comp)
{
	return emu_store(addr + 8, (const uint8_t *)comp + 8, sizeof(*comp) - 8, NULL) == 0 &&
		emu_store(addr, comp, 8, NULL) == 0;
}

void emu_execute(const struct sva_model_profile *profile, const struct sva_desc *desc, struct emu_access *access,
		 struct sva_model_outcome *outcome)
{
	const struct sva_model_mem mem = {
		.map = emu_access_map, .unmap = emu_access_unmap, .ctx = access, .event = access->event,
	};

	sva_model_execute(profile, &mem, desc, outcome);
}
