/* SPDX-License-Identifier: MIT */
/* memory.h for the tracer of --ptrace: memory of another process, through system calls. */
#include <cpuid.h>
#include <signal.h>
#include <sys/uio.h>

#include "emu/host/maps.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"

/*
 * With five levels of page tables addresses have 57 significant bits, else 48; an access to any
 * other raises general protection. Linux uses five levels on each CPU that has them.
 */
static bool is_canonical(uint64_t addr)
{
	unsigned int a, b, c = 0, d, bits;

	bits = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & 1u << 16) ? 57 : 48;
	return (uint64_t)((int64_t)(addr << (64 - bits)) >> (64 - bits)) == addr;
}

/*
 * Which signal the kernel would have raised for this access, which failed. If the mapping allows
 * the access and yet has no page, it is a mapping of a file that ends before this address.
 */
static void describe_fault(struct emu_fault *fault, uint64_t addr, bool write)
{
	struct emu_mapping mapping;

	if (!fault)
		return;
	if (!is_canonical(addr))
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
	struct iovec local = {(void *)(uintptr_t)from, len},
		     remote = {(void *)(uintptr_t)addr, len};
	ssize_t got = process_vm_writev(emu_tid(), &local, 1, &remote, 1, 0);
	size_t done = got > 0 ? (size_t)got : 0;

	if (done < len)
		describe_fault(fault, addr + done, true);
	return len - done;
}

/*
 * Writing is not tried, as that could undo what another thread of the program writes at the same
 * moment: the permissions of the mapping decide.
 */
bool emu_probe(uint64_t addr, bool write, struct emu_fault *fault)
{
	struct emu_mapping mapping;
	uint8_t byte;

	if (!emu_fetch(&byte, addr, 1, NULL) &&
	    (!write || (emu_maps_find(addr, &mapping) && mapping.writable)))
		return true;
	describe_fault(fault, addr, write);
	return false;
}

bool emu_write_record(uint64_t addr, const struct sva_comp *comp)
{
	return emu_store(addr + 8, (const uint8_t *)comp + 8, sizeof(*comp) - 8, NULL) == 0 &&
		emu_store(addr, comp, 8, NULL) == 0;
}

bool emu_memory_direct(void (*run)(void *arg), void *arg)
{
	(void)run;
	(void)arg;
	return false;
}
