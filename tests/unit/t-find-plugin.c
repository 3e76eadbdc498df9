/* SPDX-License-Identifier: MIT */
/*
 * The loader of plug-ins: what it takes, and everything that it must refuse before it runs. The
 * broken plug-ins are made from a good one, the plug-in "file", byte by byte.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/find/elf-check.h"
#include "tap.h"
#include "unit/scene.h"

#define SYMBOL "sva_accfg_plugin_v1"

static unsigned char *good, *bad; /* the bytes of the good plug-in, and a copy to be broken */
static size_t size;
static char why[512];

/* ----------------------------------------------------------- the good plug-in, and places in it */

static bool read_good(void)
{
	char path[PATH_MAX];
	FILE *file;
	long end;

	snprintf(path, sizeof(path), "%s/file.so", getenv("SVA_PLUGIN_DIR"));
	file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END))
		return false;
	end = ftell(file);
	rewind(file);
	size = (size_t)end;
	good = malloc(size);
	bad = malloc(size);
	if (!good || !bad || fread(good, size, 1, file) != 1)
		return false;
	fclose(file);
	return true;
}

static ElfW(Ehdr) *header(void)
{
	return (ElfW(Ehdr) *)bad;
}

static ElfW(Phdr) *segment(unsigned int type)
{
	ElfW(Phdr) *p = (ElfW(Phdr) *)(bad + header()->e_phoff);

	for (int i = 0; i < header()->e_phnum; i++)
		if (p[i].p_type == type)
			return &p[i];
	return NULL;
}

static ElfW(Shdr) *section(unsigned int type)
{
	ElfW(Shdr) *s = (ElfW(Shdr) *)(bad + header()->e_shoff);

	for (int i = 0; i < header()->e_shnum; i++)
		if (s[i].sh_type == type)
			return &s[i];
	return NULL;
}

static char *symbol_name(const ElfW(Sym) *symbol)
{
	ElfW(Shdr) *sections = (ElfW(Shdr) *)(bad + header()->e_shoff);

	return (char *)bad + sections[section(SHT_DYNSYM)->sh_link].sh_offset + symbol->st_name;
}

static ElfW(Sym) *symbol(void)
{
	ElfW(Sym) *s = (ElfW(Sym) *)(bad + section(SHT_DYNSYM)->sh_offset);

	while (strcmp(symbol_name(s), SYMBOL))
		s++;
	return s;
}

/* The offset in the file of an address in memory. */
static size_t offset_of(ElfW(Addr) address)
{
	ElfW(Phdr) *p = (ElfW(Phdr) *)(bad + header()->e_phoff);

	for (int i = 0; i < header()->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && address >= p[i].p_vaddr &&
		    address < p[i].p_vaddr + p[i].p_filesz)
			return address - p[i].p_vaddr + p[i].p_offset;
	printf("Bail out! address %#lx is not in the file\n", (unsigned long)address);
	exit(1);
}

static void fresh(void)
{
	memcpy(bad, good, size);
}

/* ------------------------------------------------------------------ the bytes alone */

static int check(size_t length)
{
	why[0] = '\0';
	return sva_elf_check(bad, length, (const ElfW(Ehdr) *)good, SYMBOL,
			     sizeof(struct sva_accfg_plugin), why, sizeof(why));
}

/* The broken copy must be refused for this reason; then the copy is restored. */
static void refused(const char *part, const char *name)
{
	is_rc(check(size), -ENOEXEC, name);
	if (!ok(strstr(why, part) != NULL, "%s: the reason has '%s'", name, part))
		printf("# got '%s'\n", why);
	fresh();
}

static void test_header(void)
{
	fresh();
	subject("the bytes of a plug-in");
	is_rc(check(size), 0, "the good plug-in");
	is(memcmp(&sva_elf_native, good, EI_OSABI), 0, "this program's own header is found");
	bad[EI_MAG1] = 'e';
	refused("not an ELF file", "another magic number in the header");
	bad[EI_CLASS] ^= ELFCLASS32 ^ ELFCLASS64;
	refused("word size", "another class in the header");
	bad[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	refused("byte order", "another byte order in the header");
	bad[EI_VERSION] = 2;
	refused("version", "another ELF version in the header");
	bad[EI_OSABI] = ELFOSABI_FREEBSD;
	refused("operating system", "another operating system in the header");
	header()->e_machine ^= 0x55;
	refused("another machine", "another machine in the header");
	header()->e_type = ET_REL;
	refused("not a shared object", "an object file instead of a library");
	header()->e_type = ET_EXEC;
	refused("not a shared object", "a program instead of a library");
	header()->e_phentsize--;
	refused("sizes in the ELF header", "another size of program headers");
	header()->e_shentsize = 0;
	refused("sizes in the ELF header", "another size of section headers");
}

static void test_tables(void)
{
	header()->e_phoff = (ElfW(Off))-8;
	refused("program headers are not in the file", "program headers beyond the end");
	header()->e_phoff += 4;
	refused("program headers are not in the file", "misaligned program headers");
	header()->e_phnum = 0;
	refused("program headers", "no program headers");
	header()->e_phnum = 0xffff;
	refused("program headers", "too many program headers");
	segment(PT_LOAD)->p_filesz = size + 1;
	refused("a segment is not in the file", "a segment beyond the end");
	segment(PT_LOAD)->p_offset = (ElfW(Off))-1;
	refused("a segment is not in the file", "a segment that wraps around");
	segment(PT_LOAD)->p_memsz = 0;
	refused("impossible size", "more bytes in the file than in memory");
	segment(PT_LOAD)->p_memsz = (ElfW(Xword))-1;
	segment(PT_LOAD)->p_vaddr = 4096;
	refused("impossible size", "a segment around the end of memory");
	segment(PT_GNU_EH_FRAME)->p_type = PT_INTERP;
	refused("a program", "a segment with an interpreter");
	segment(PT_DYNAMIC)->p_type = PT_NOTE;
	refused("no dynamic section", "no dynamic section");
	header()->e_shoff = size;
	refused("section headers are not in the file", "section headers beyond the end");
	header()->e_shnum = 0xffff;
	refused("section headers are not in the file", "too many section headers");
	section(SHT_DYNSYM)->sh_type = SHT_PROGBITS;
	refused("no table of dynamic symbols", "no table of symbols");
	section(SHT_DYNSYM)->sh_size = (ElfW(Xword))-1;
	refused("table of symbols is not in the file", "symbols beyond the end");
	section(SHT_DYNSYM)->sh_entsize = 16;
	refused("table of symbols is not in the file", "symbols of another size");
	section(SHT_DYNSYM)->sh_link = 0xffff;
	refused("table of symbols is not in the file", "symbols whose names are in no section");
	section(SHT_DYNSYM)->sh_link = 0;
	refused("table of symbols is not in the file",
		"symbols whose names are not in a table of names");
}

static void test_symbol(void)
{
	symbol()->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	refused("is not data", "a function under the symbol's name");
	symbol()->st_info = ELF64_ST_INFO(STB_WEAK, STT_OBJECT);
	refused("is not exported", "a symbol that is weak");
	symbol()->st_other = STV_HIDDEN;
	refused("is not exported", "a symbol that is hidden");
	symbol()->st_shndx = SHN_UNDEF;
	refused("instead of defining it", "a reference to the symbol");
	symbol()->st_size = sizeof(struct sva_accfg_plugin) - 1;
	refused("wrong size or place", "a symbol that is too small");
	symbol()->st_value = (ElfW(Addr))-8;
	refused("wrong size or place", "a symbol outside of memory");
	symbol()->st_name = (ElfW(Word))-1;
	refused("does not define " SYMBOL, "a name outside of the names");
	symbol_name(symbol())[strlen(SYMBOL) - 1] = '2';
	refused("one for another version of libsva", "another version of the ABI");
}

static void test_damage(void)
{
	unsigned int seed = 7, wrong = 0, accepted = 0;
	size_t sections = header()->e_shoff,
	       tables = section(SHT_DYNSYM)->sh_offset + section(SHT_DYNSYM)->sh_size;

	for (size_t length = 0; length < size; length += length < 4096 ? 1 : 61)
		wrong += check(length) != -ENOEXEC;
	is(wrong, 0, "every truncated plug-in is refused");
	for (int i = 0; i < 100000; i++) {
		size_t at;
		int err;

		seed = seed * 1103515245 + 12345;
		at = seed >> 3 & 1 ? seed / 16 % tables : sections + seed / 16 % (size - sections);
		bad[at] ^= (unsigned char)(1u << (seed >> 28 & 7));
		err = check(size);
		wrong += err && err != -ENOEXEC;
		accepted += !err;
		if (i % 4 == 3)
			fresh();
	}
	fresh();
	is(wrong, 0, "100000 plug-ins with flipped bits are accepted or refused");
	ok(accepted > 0 && accepted < 100000,
	   "%u of them have flipped bits that do not matter", accepted);
}

/* ------------------------------------------------------------------ files */

static int load(const char *name, const struct sva_accfg_plugin **plugin)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", scene_root(), name);
	snprintf(why, sizeof(why), "%s", "no reason");
	return sva_plugin_load(path, plugin, why, sizeof(why));
}

static void load_fails(const char *name, int want, const char *part, const char *what)
{
	const struct sva_accfg_plugin *plugin = NULL;

	is_rc(load(name, &plugin), want, what);
	if (!ok(strstr(why, part) && !plugin, "%s: the reason has '%s'", what, part))
		printf("# got '%s'\n", why);
}

static void test_owner(void)
{
	scene_file_bytes("file.so", good, size);
	chmod("file.so", 0664);
	load_fails("file.so", -EACCES, "the file can be written to by its group (mode 0664)",
		   "a file that its group can write");
	chmod("file.so", 0646);
	load_fails("file.so", -EACCES, "the file can be written to by everyone",
		   "a file that everyone can write");
	chmod("file.so", 0755);
	mkdir("open", 0755);
	chmod("open", 0777);
	scene_file_bytes("open/file.so", good, size);
	chmod("open/file.so", 0755);
	load_fails("open/file.so", -EACCES, "its directory can be written to by everyone",
		   "a file in a directory that everyone can write");
	chmod("open", 0770);
	load_fails("open/file.so", -EACCES, "its directory can be written to by its group",
		   "a file in a directory that its group can write");
	if (geteuid()) {
		skip("a file of another owner", "only root can give files away");
		return;
	}
	if (chown("file.so", 65534, 0))
		skip("a file of another owner", "files cannot be given away here");
	else
		load_fails("file.so", -EACCES, "the file belongs to user 65534",
			   "a file of another owner");
	if (!chown("file.so", 0, 0) && !seteuid(65534)) {
		const struct sva_accfg_plugin *plugin;

		is_rc(load("file.so", &plugin), 0, "a file of root, by another user");
		if (seteuid(0))
			exit(1);
	}
}

static void test_files(void)
{
	load_fails("absent.so", -ENOENT, "No such file", "a file that does not exist");
	load_fails("absent/file.so", -ENOENT, "No such file", "a directory that does not exist");
	mkdir("dir.so", 0755);
	load_fails("dir.so", -ENOEXEC, "not a regular file", "a directory");
	mkfifo("fifo.so", 0644);
	load_fails("fifo.so", -ENOEXEC, "not a regular file", "a FIFO does not hold us up");
	scene_file("empty.so", "");
	load_fails("empty.so", -ENOEXEC, "have 0 bytes", "an empty file");
	scene_file(
		"text.so",
		"#!/bin/sh\necho this is a script and long enough to be an ELF header, at least\n");
	load_fails("text.so", -ENOEXEC, "not an ELF file", "a script");
	scene_file_bytes("half.so", good, size / 2);
	load_fails("half.so", -ENOEXEC, "truncated", "half of a plug-in");
	scene_file_bytes("other.so", good, size);
	load_fails("other.so", -ENOEXEC, "not named after the plug-in, which calls itself 'file'",
		   "another name");
	scene_file("large.so", "");
	if (truncate("large.so", 65 << 20))
		printf("# no large file\n");
	load_fails("large.so", -ENOEXEC, "a plug-in cannot have 68157440 bytes",
		   "a file that is too large");
}

/*
 * The same file is the same plug-in; a copy is another one, even if it gets the descriptor that the
 * first one had.
 */
static void test_identity(const struct sva_accfg_plugin **plugin)
{
	const struct sva_accfg_plugin *again = NULL, *copy = NULL, *link = NULL;

	subject("loading");
	is_rc(load("file.so", plugin), 0, "a plug-in");
	is_str((*plugin)->name, "file", "the plug-in has its name");
	is_rc(load("file.so", &again), 0, "the same file again");
	ok(again == *plugin, "the same file gives the same plug-in");
	is_rc(load("copy/file.so", &copy), 0, "a copy of the file");
	ok(copy && copy != *plugin, "a copy of the file gives another plug-in");
	is_rc(load("link/file.so", &link), 0, "a symbolic link to the file");
	ok(link == *plugin, "a symbolic link to the file gives the same plug-in");
}

/* The structure is checked when the code is loaded, before any function of it is called. */
static void struct_fails(const char *field, const char *name)
{
	char part[64];

	mkdir("bad", 0755);
	unlink("bad/file.so");
	scene_file_bytes("bad/file.so", bad, size);
	snprintf(part, sizeof(part), "the field %s of " SYMBOL, field);
	load_fails("bad/file.so", -ENOEXEC, part, name);
	fresh();
}

/*
 * Make a field 0 in the file by removing its relocation: the entry repeats that of its neighbour.
 */
static bool cut_relocation(ElfW(Addr) address)
{
	ElfW(Shdr) *s = (ElfW(Shdr) *)(bad + header()->e_shoff);

	for (int i = 0; i < header()->e_shnum; i++) {
		ElfW(Rela) *r = (ElfW(Rela) *)(bad + s[i].sh_offset);

		for (size_t k = 0; s[i].sh_type == SHT_RELA && k < s[i].sh_size / sizeof(*r); k++)
			if (r[k].r_offset == address) {
				r[k] = r[k ? k - 1 : 1];
				memset(bad + offset_of(address), 0, sizeof(ElfW(Addr)));
				return true;
			}
	}
	return false;
}

static void test_struct(const struct sva_accfg_plugin *plugin)
{
	ElfW(Addr) base, address = symbol()->st_value;
	Dl_info info;

	if (!dladdr(plugin, &info)) {
		skip("fields of the structure", "dladdr does not know the plug-in");
		return;
	}
	base = (ElfW(Addr))info.dli_fbase;
	bad[offset_of(address)] = 8;
	struct_fails("size", "a size that is too small");
	bad[offset_of(address) + 2] = 1;
	struct_fails("size", "a size that is too large");
	bad[offset_of((ElfW(Addr))plugin->name - base)] = '/';
	struct_fails("name", "a slash in the name");
	bad[offset_of((ElfW(Addr))plugin->about - base) + 3] = '\033';
	struct_fails("about", "a control character in the description");
	if (cut_relocation(address + offsetof(struct sva_accfg_plugin, name)))
		struct_fails("name", "a structure without a name");
	if (cut_relocation(address + offsetof(struct sva_accfg_plugin, about)))
		struct_fails("about", "a structure without a description");
	if (cut_relocation(address + offsetof(struct sva_accfg_plugin, enumerate)))
		struct_fails("enumerate", "a structure without a function");
	else
		skip("a structure without a function",
		     "this machine's relocations are of another kind");
}

/* ------------------------------------------------------------------ without /proc */

/* In a mount namespace of its own. false: not permitted here. */
static bool hide_proc(void)
{
	return !unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("none", "/proc", "tmpfs", 0, NULL) && access("/proc/self", F_OK);
}

enum { LOADED, CANNOT_HIDE, NOT_LOADED, OTHER_ONE, NOT_REFUSED };

static int without_proc(void)
{
	const struct sva_accfg_plugin *plugin = NULL, *again = NULL, *copy = NULL;

	if (!hide_proc())
		return CANNOT_HIDE;
	if (load("file.so", &plugin) || !plugin || strcmp(plugin->name, "file"))
		return NOT_LOADED;
	if (load("link/file.so", &again) || again != plugin || load("copy/file.so", &copy) ||
	    copy == plugin)
		return OTHER_ONE;
	/* Other users may rename files below such a directory. */
	mkdir("anyones", 0755);
	mkdir("anyones/own", 0755);
	scene_file_bytes("anyones/own/file.so", good, size);
	chmod("anyones", 0777);
	if (load("anyones/own/file.so", &copy) != -EACCES || !strstr(why, "/anyones") ||
	    !strstr(why, "without /proc"))
		return NOT_REFUSED;
	chmod("anyones", 01777);
	return load("anyones/own/file.so", &copy) ? NOT_LOADED : LOADED;
}

/* In a child, where nothing has been loaded yet. */
static void test_without_proc(void)
{
	int status = 0;
	pid_t pid;

	mkdir("copy", 0755);
	scene_file_bytes("copy/file.so", good, size);
	mkdir("link", 0755);
	if (symlink("../file.so", "link/file.so"))
		printf("# no symbolic link\n");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int result = without_proc();

		if (result > CANNOT_HIDE)
			printf("# %s\n", why);
		fflush(stdout);
		_exit(result);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		exit(1);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_HIDE)
		skip("loading without /proc", "no mount namespace may be made here");
	else
		is(status, LOADED << 8,
		   "without /proc a plug-in is loaded by its path, if others cannot change that");
}

static void test_no_memory(void)
{
	const struct sva_accfg_plugin *plugin = NULL;
	int err = -ENOMEM;
	unsigned int n;

	mkdir("memory", 0755);
	scene_file_bytes("memory/file.so", good, size);
	for (n = 1; n < 20 && err == -ENOMEM; n++) {
		scene_fail_allocation(n);
		err = load("memory/file.so", &plugin);
		scene_fail_allocation(0);
	}
	ok(!err && plugin && n > 3, "no memory: each of %u allocations may fail", n - 2);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

int main(void)
{
	const struct sva_accfg_plugin *plugin = NULL;
	struct statvfs fs;
	int before;

	scene_root();
	if (!read_good())
		skip_all("the plug-in \"file\" is not in %s", getenv("SVA_PLUGIN_DIR"));
	umask(022);
	if (chdir(scene_root()))
		return 1;
	test_header();
	test_tables();
	test_symbol();
	test_damage();
	before = open_descriptors();
	if (statvfs(".", &fs) || fs.f_flag & ST_NOEXEC) {
		skip("plug-ins can be loaded", "no code can be loaded from %s", scene_root());
		return done();
	}
	test_owner();
	test_files();
	test_without_proc();
	test_identity(&plugin);
	test_struct(plugin);
	test_no_memory();
	is(open_descriptors(), before, "no descriptor is left open");
	free(good);
	free(bad);
	return done();
}
