/* SPDX-License-Identifier: MIT */
/* memory.h from outside: the program's memory as its tracer reaches it. */
#include <cpuid.h>
#include <signal.h>
#include <sys/uio.h>

#include "emu/device/access.h"
#include "emu/host/maps.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"

/*
 * With five levels of page tables addresses have 57 significant bits, else 48; others are general protection. Linux uses
 * five wherever the CPU has them.
 */
static bool canonical(uint64_t addr)
{
	unsigned int a, b, c = 0, d, bits;

	bits = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & 1u << 16) ? 57 : 48;
	return (uint64_t)((int64_t)(addr << (64 - bits)) >> (64 - bits)) == addr;
}

/*
 * What the kernel would have raised for this access, which failed. A mapping that allows it, and yet has no page to give,
 * is one of a file that ends before it.
 */
static void describe_fault(struct emu_fault *fault, uint64_t addr, bool write)
{
	struct emu_mapping mapping;

	if (!fault)
		return;
	if (!canonical(addr))
		*fault = (struct emu_fault){ SIGSEGV, SI_KERNEL, 0 };
	else if (!emu_maps_find(addr, &mapping))
		*fault = (struct emu_fault){ SIGSEGV, SEGV_MAPERR, addr };
	else if (!(write ? mapping.writable : mapping.readable))
		*fault = (struct emu_fault){ SIGSEGV, SEGV_ACCERR, addr };
	else
		*fault = (struct emu_fault){ SIGBUS, BUS_ADRERR, addr };
}

size_t emu_fetch(void *to, uint64_t addr, size_t len, struct emu_fault *fault)
{
	struct iovec local = { to, len }, remote = { (void *)(uintptr_t)addr, len };
	ssize_t got = process_vm_readv(emu_tid(), &local, 1, &remote, 1, 0);
	size_t done = got > 0 ? (size_t)got : 0;

	if (done < len)
		describe_fault(fault, addr + done, false);
	return len - done;
}

size_t emu_store(uint64_t addr, const void *from, size_t len, struct emu_fault *fault)
{
	struct iovec local = { (void *)(uintptr_t)from, len }, remote = { (void *)(uintptr_t)addr, len };
	ssize_t got = process_vm_writev(emu_tid(), &local, 1, &remote, 1, 0);
	size_t done = got > 0 ? (size_t)got : 0;

	if (done < len)
		describe_fault(fault, addr + done, true);
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

	if (!emu_fetch(&byte, addr, 1, NULL) && (!write || (emu_maps_find(addr, &mapping) && mapping.writable)))
		return true;
	describe_fault(fault, addr, write);
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
