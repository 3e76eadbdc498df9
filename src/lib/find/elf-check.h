/* SPDX-License-Identifier: MIT */
/*
 * Is this an ELF shared object for this process's dynamic linker, and does it define this symbol?
 * The dynamic linker trusts what it loads, and runs its constructors; so the bytes are checked
 * first.
 */
#ifndef SVA_ELF_CHECK_H
#define SVA_ELF_CHECK_H

#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* The ELF header of the library itself, for sva_elf_check(). */
extern const ElfW(Ehdr) sva_elf_native __asm__("__ehdr_start")
	__attribute__((visibility("hidden")));

/*
 * Returns 0, or -ENOEXEC with the reason in why. native: the header whose class, byte order and
 * machine the file must have. The object must export a data symbol of at least symbol_size bytes
 * under the name symbol.
 */
int sva_elf_check(const void *file, size_t size, const ElfW(Ehdr) * native, const char *symbol,
		  size_t symbol_size, char *why, size_t why_size);

#endif
