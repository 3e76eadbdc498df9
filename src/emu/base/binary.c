/* SPDX-License-Identifier: MIT */
/* Reads from a program's ELF headers which way it can be emulated. */
#include <elf.h>
#include <stdbool.h>

#include "emu/base/binary.h"
#include "emu/base/raw.h"

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
	return raw_syscall4(SYS_pread64, fd, to, size, offset) == (long)size;
}

/* Does the dynamic section name a library that is needed? */
static bool needs_library(int fd, const Elf64_Phdr *segment)
{
	Elf64_Dyn entry;
	uint64_t at;

	for (at = 0; at + sizeof(entry) <= segment->p_filesz; at += sizeof(entry)) {
		if (!read_at(fd, &entry, sizeof(entry), segment->p_offset + at) ||
		    entry.d_tag == DT_NULL)
			return false;
		if (entry.d_tag == DT_NEEDED)
			return true;
	}
	return false;
}

enum emu_binary emu_binary_kind(int fd)
{
	bool linker = false, library = false;
	Elf64_Phdr segment;
	Elf64_Ehdr header;
	unsigned int i;

	if (!read_at(fd, &header, sizeof(header), 0) || header.e_ident[0] != ELFMAG0 ||
	    header.e_ident[1] != ELFMAG1 || header.e_ident[2] != ELFMAG2 ||
	    header.e_ident[3] != ELFMAG3 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_machine != EM_X86_64)
		return EMU_BINARY_OTHER;
	for (i = 0; i < header.e_phnum; i++) {
		if (!read_at(fd, &segment, sizeof(segment),
			     header.e_phoff + (uint64_t)i * sizeof(segment)))
			break;
		if (segment.p_type == PT_INTERP)
			linker = true;
		else if (segment.p_type == PT_DYNAMIC)
			library = needs_library(fd, &segment);
	}
	return !linker ? EMU_BINARY_STATIC : library ? EMU_BINARY_DYNAMIC : EMU_BINARY_BARE;
}
