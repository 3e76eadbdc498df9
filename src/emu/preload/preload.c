/* SPDX-License-Identifier: MIT */
/*
 * The start of the preload library. It is initialised before all others (-z initfirst), as the
 * constructor of another library may submit. That is before libc has set environ, so the
 * environment is taken from the arguments, and no function of libc is called.
 */
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <sys/mman.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/host/process.h"
#include "emu/insn/decode.h"
#include "emu/preload/arm.h"
#include "emu/preload/cdev.h"
#include "emu/preload/patch.h"
#include "emu/preload/signals.h"
#include "emu/preload/trap.h"

/*
 * The functions that Zydis imports and that a program may interpose, and those that it has to call
 * instead (hidden.c).
 */
void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int value, size_t len);
size_t strlen(const char *s);

static const struct { const char *name; uintptr_t ours; } redirected[] = {
	{ "memcpy", (uintptr_t)memcpy },
	{ "memmove", (uintptr_t)memmove },
	{ "memset", (uintptr_t)memset },
	{ "strlen", (uintptr_t)strlen },
};

/* The dynamic section of a library, as far as it is needed to find its imports. */
struct imports {
	const ElfW(Sym) *symbols;
	const char *strings;
	const ElfW(Rela) *table[2];
	size_t size[2];
};

static void find_imports(const struct link_map *map, struct imports *imports)
{
	const ElfW(Dyn) *dyn;

	*imports = (struct imports){ 0 };
	for (dyn = map->l_ld; dyn->d_tag != DT_NULL; dyn++) {
		switch (dyn->d_tag) {
		case DT_SYMTAB:
			imports->symbols = (const ElfW(Sym) *)dyn->d_un.d_ptr;
			break;
		case DT_STRTAB:
			imports->strings = (const char *)dyn->d_un.d_ptr;
			break;
		case DT_JMPREL:
			imports->table[0] = (const ElfW(Rela) *)dyn->d_un.d_ptr;
			break;
		case DT_PLTRELSZ:
			imports->size[0] = dyn->d_un.d_val / sizeof(ElfW(Rela));
			break;
		case DT_RELA:
			imports->table[1] = (const ElfW(Rela) *)dyn->d_un.d_ptr;
			break;
		case DT_RELASZ:
			imports->size[1] = dyn->d_un.d_val / sizeof(ElfW(Rela));
		}
	}
}

static void redirect_one(const struct link_map *map, const struct imports *imports,
			 const ElfW(Rela) *rela)
{
	unsigned long type = ELF64_R_TYPE(rela->r_info), page;
	const char *name;
	size_t i;

	if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
		return;
	name = imports->strings + imports->symbols[ELF64_R_SYM(rela->r_info)].st_name;
	for (i = 0; i < sizeof(redirected) / sizeof(redirected[0]); i++) {
		if (!raw_streq(name, redirected[i].name))
			continue;
		page = (map->l_addr + rela->r_offset) & ~4095ul;
		/*
		 * The page stays writable: the dynamic linker may bind other functions there later.
		 */
		raw_syscall3(SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE);
		*(uintptr_t *)(map->l_addr + rela->r_offset) = redirected[i].ours;
	}
}

/*
 * Debian has Zydis only as a shared library, for which memset is looked up in the program first. So
 * the memset of a program that offloads it would be called in the handler that executes the
 * offload. Write ours into the import table of Zydis.
 */
static void redirect_zydis(void)
{
	const struct link_map *map;
	struct imports imports;
	unsigned int t;
	size_t i;

	for (map = _r_debug.r_map; map; map = map->l_next) {
		const char *base = map->l_name, *at;

		for (at = map->l_name; *at; at++)
			if (*at == '/')
				base = at + 1;
		if (!raw_starts(base, "libZydis.so"))
			continue;
		find_imports(map, &imports);
		for (t = 0; t < 2; t++)
			for (i = 0; imports.table[t] && i < imports.size[t]; i++)
				redirect_one(map, &imports, &imports.table[t][i]);
	}
}

static const char *get_env(char **envp, const char *name)
{
	size_t len = raw_strlen(name);

	for (; *envp; envp++)
		if (raw_starts(*envp, name) && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

static void make_mm(void)
{
	long page = raw_syscall6(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (raw_failed(page))
		return;
	raw_syscall3(SYS_madvise, page, 4096, MADV_WIPEONFORK);
	emu.mm = (struct emu_mm *)page;
}

__attribute__((constructor)) static void start(int argc, char **argv, char **envp)
{
	const char *dir = get_env(envp, EMU_ENV_DIR);
	struct emu_state *state;

	if (!dir)
		return;
	state = emu_state_attach(dir);
	make_mm();
	if (!state || !emu.mm) {
		emu_say("the run in %s has ended: nothing is emulated in %s", dir,
			argc ? argv[0] : "?");
		return;
	}
	emu.program = argc ? argv[0] : "?";
	emu.mm_ids = &state->mm_ids;
	emu.state = state;
	emu_count(state, EMU_COUNT_PROCESSES, 1);
	emu_decode_init();
	redirect_zydis();
	emu_cdev_init();
	if (state->opt.fast && !emu_patch_init())
		emu_say("this kernel has no membarrier(2): --fast is ignored");
	emu_signals_install(emu_trap);
	emu_arm_init();
}
