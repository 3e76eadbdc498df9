/* SPDX-License-Identifier: MIT */
/*
 * Checking the bytes of a plug-in before the dynamic linker gets them: see elf-check.h.
 *
 * No offset or count in the file is trusted. get_structures() is the only way to a structure in it:
 * it returns NULL for what is not inside the file or not aligned.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/find/elf-check.h"

struct object {
	const unsigned char *bytes;
	size_t size;
	const ElfW(Ehdr) *header;
	const ElfW(Phdr) *segments;
	char *why;
	size_t why_size;
};

static int refuse_object(struct object *o, const char *why)
{
	snprintf(o->why, o->why_size, "%s", why);
	return -ENOEXEC;
}

/* count structures of each bytes at offset, or NULL. */
static const void *get_structures(const struct object *o, uint64_t offset, uint64_t count,
				  size_t each)
{
	if (offset > o->size || count > (o->size - offset) / each || offset % _Alignof(ElfW(Addr)))
		return NULL;
	return o->bytes + offset;
}

static int check_header(struct object *o, const ElfW(Ehdr) *native)
{
	const ElfW(Ehdr) *h = get_structures(o, 0, 1, sizeof(*h));

	if (!h)
		return refuse_object(o, "too short for an ELF file");
	if (memcmp(h->e_ident, ELFMAG, SELFMAG))
		return refuse_object(o, "not an ELF file");
	if (h->e_ident[EI_CLASS] != native->e_ident[EI_CLASS])
		return refuse_object(o, "an ELF file for another word size");
	if (h->e_ident[EI_DATA] != native->e_ident[EI_DATA])
		return refuse_object(o, "an ELF file for another byte order");
	if (h->e_ident[EI_VERSION] != EV_CURRENT || h->e_version != EV_CURRENT)
		return refuse_object(o, "an ELF file of an unknown version");
	if (h->e_ident[EI_OSABI] != ELFOSABI_SYSV && h->e_ident[EI_OSABI] != ELFOSABI_GNU)
		return refuse_object(o, "an ELF file for another operating system");
	if (h->e_machine != native->e_machine)
		return refuse_object(o, "built for another machine");
	if (h->e_type != ET_DYN)
		return refuse_object(o, "not a shared object");
	if (h->e_ehsize != sizeof(*h) || h->e_phentsize != sizeof(ElfW(Phdr)) ||
	    h->e_shentsize != sizeof(ElfW(Shdr)))
		return refuse_object(o, "the sizes in the ELF header are wrong");
	o->header = h;
	return 0;
}

/*
 * The dynamic linker maps the segments without checks: one beyond the end of a truncated file would
 * raise SIGBUS.
 */
static int check_segments(struct object *o)
{
	unsigned int loads = 0, dynamics = 0;

	o->segments =
		get_structures(o, o->header->e_phoff, o->header->e_phnum, sizeof(*o->segments));
	if (!o->segments || !o->header->e_phnum)
		return refuse_object(o, "truncated: the program headers are not in the file");
	for (unsigned int i = 0; i < o->header->e_phnum; i++) {
		const ElfW(Phdr) *p = &o->segments[i];

		if (p->p_type == PT_NULL || p->p_type == PT_GNU_STACK)
			continue;
		if (p->p_offset > o->size || p->p_filesz > o->size - p->p_offset)
			return refuse_object(o, "truncated: a segment is not in the file");
		if (p->p_type == PT_INTERP)
			return refuse_object(o, "a program, not a shared object");
		if (p->p_type == PT_LOAD &&
		    (p->p_filesz > p->p_memsz || p->p_vaddr + p->p_memsz < p->p_vaddr))
			return refuse_object(o, "a segment has an impossible size");
		loads += p->p_type == PT_LOAD;
		dynamics += p->p_type == PT_DYNAMIC;
	}
	if (!loads || dynamics != 1)
		return refuse_object(o, "not a shared object: it has no dynamic section");
	return 0;
}

static bool is_in_segment(const struct object *o, uint64_t address, uint64_t size)
{
	for (unsigned int i = 0; i < o->header->e_phnum; i++) {
		const ElfW(Phdr) *p = &o->segments[i];

		if (p->p_type == PT_LOAD && address >= p->p_vaddr && size <= p->p_memsz &&
		    address - p->p_vaddr <= p->p_memsz - size)
			return true;
	}
	return false;
}

static bool has_name(const char *strings, uint64_t strings_size, uint32_t offset, const char *name)
{
	size_t length = strlen(name) + 1;

	return offset <= strings_size && length <= strings_size - offset &&
	       !memcmp(strings + offset, name, length);
}

static int check_symbol(struct object *o, const ElfW(Sym) *symbol, size_t symbol_size)
{
	if (symbol->st_shndx == SHN_UNDEF)
		return refuse_object(o, "refers to the symbol of a plug-in instead of defining it");
	if (ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
		return refuse_object(o, "the symbol of a plug-in is not data");
	if (ELF64_ST_BIND(symbol->st_info) != STB_GLOBAL ||
	    ELF64_ST_VISIBILITY(symbol->st_other) != STV_DEFAULT)
		return refuse_object(o, "the symbol of a plug-in is not exported");
	if (symbol->st_size < symbol_size || !is_in_segment(o, symbol->st_value, symbol->st_size))
		return refuse_object(o, "the symbol of a plug-in has the wrong size or place");
	return 0;
}

/* Checks the symbol in the table of dynamic symbols, which is section number index. */
static int check_symbols(struct object *o, const ElfW(Shdr) * sections, unsigned int index,
			 const char *name, size_t symbol_size)
{
	const ElfW(Shdr) *section = &sections[index];
	uint64_t count = section->sh_size / sizeof(ElfW(Sym));
	const ElfW(Sym) *symbols;
	const ElfW(Shdr) *link;
	const char *strings;

	symbols = section->sh_entsize == sizeof(*symbols) ?
			  get_structures(o, section->sh_offset, count, sizeof(*symbols)) :
			  NULL;
	link = section->sh_link < o->header->e_shnum ? &sections[section->sh_link] : NULL;
	if (!symbols || !link || link->sh_type != SHT_STRTAB || link->sh_offset > o->size ||
	    link->sh_size > o->size - link->sh_offset)
		return refuse_object(o, "truncated: the table of symbols is not in the file");
	strings = (const char *)o->bytes + link->sh_offset;
	for (uint64_t i = 0; i < count; i++)
		if (has_name(strings, link->sh_size, symbols[i].st_name, name))
			return check_symbol(o, &symbols[i], symbol_size);
	snprintf(o->why, o->why_size,
		 "does not define %s: not a plug-in, or one for another version of libsva", name);
	return -ENOEXEC;
}

int sva_elf_check(const void *file, size_t size, const ElfW(Ehdr) * native, const char *symbol,
		  size_t symbol_size, char *why, size_t why_size)
{
	struct object o = { .bytes = file, .size = size, .why = why, .why_size = why_size };
	const ElfW(Shdr) *sections;
	int err;

	err = check_header(&o, native);
	if (!err)
		err = check_segments(&o);
	if (err)
		return err;
	sections = get_structures(&o, o.header->e_shoff, o.header->e_shnum, sizeof(*sections));
	if (!sections)
		return refuse_object(&o, "truncated: the section headers are not in the file");
	for (unsigned int i = 0; i < o.header->e_shnum; i++)
		if (sections[i].sh_type == SHT_DYNSYM)
			return check_symbols(&o, sections, i, symbol, symbol_size);
	return refuse_object(&o, "it has no table of dynamic symbols");
}
