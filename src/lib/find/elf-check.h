/* SPDX-License-Identifier: MIT */
/*
 * Is this an ELF shared object that the dynamic linker of this process can be given, and does it
 * define this symbol? The dynamic linker trusts what it loads, and runs its constructors; so this
 * is asked first, of the bytes alone.
 */
#ifndef SVA_ELF_CHECK_H
#define SVA_ELF_CHECK_H

#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* Of the library itself: what a plug-in must have been built for. */
extern const ElfW(Ehdr) sva_elf_native __asm__("__ehdr_start")
	__attribute__((visibility("hidden")));

/*
 * 0, or -ENOEXEC with a reason. native: the header that class, byte order and machine are compared
 * with. The object must export a data symbol of at least symbol_size bytes under the name symbol.
 */
int sva_elf_check(const void *file, size_t size, const ElfW(Ehdr) * native, const char *symbol,
		  size_t symbol_size, char *why, size_t why_size);

#endif
