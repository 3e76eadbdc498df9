/* SPDX-License-Identifier: MIT */
/*
 * The start of the drop-in: it finds libc's functions, reads its variables, and loads libsva only
 * where there may be a device, so that a machine without one pays for a few look-ups of names.
 * Everything that allocates is done here and not in the program's first long copy: the library is
 * loaded, the queues are found and tried.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "preload/preload.h"
#include "sva/info.h"

#define LIBRARY "libsva.so.0"

static const char *const names[CALL_COUNT] = { "memcpy", "memmove", "memset", "memcmp" };

/* The string functions of libc may be IFUNCs, but are not interposed here; these are enough. */
static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Is a word in a list that is separated by commas? */
static bool has_word(const char *list, const char *word)
{
	size_t n = length(word);

	while (*list) {
		size_t end = 0;

		while (list[end] && list[end] != ',')
			end++;
		if (end == n && plain_compare(list, word, n) == 0)
			return true;
		list += end + (list[end] == ',');
	}
	return false;
}

/* "64k" and the like; 0 if it is none. */
static size_t read_size(const char *text)
{
	size_t value = 0, unit = 1;

	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, (size_t)10, &value) ||
		    __builtin_add_overflow(value, (size_t)(*text - '0'), &value))
			return 0;
	switch (*text) {
	case 'k': case 'K': unit = (size_t)1 << 10; break;
	case 'm': case 'M': unit = (size_t)1 << 20; break;
	case 'g': case 'G': unit = (size_t)1 << 30; break;
	}
	if (text[*text != 0] || (*text && unit == 1) ||
	    __builtin_mul_overflow(value, unit, &value))
		return 0;
	return value;
}

static const char *variable(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : NULL;
}

static bool find_functions(void)
{
#define FIND(name) preload.name = (__typeof__(preload.name))dlsym(RTLD_NEXT, #name)
	FIND(memcpy);
	FIND(memmove);
	FIND(memset);
	FIND(memcmp);
	FIND(mempcpy);
	FIND(wmemset);
	FIND(wmemcmp);
#undef FIND
	return preload.memcpy && preload.memmove && preload.memset && preload.memcmp &&
	       preload.mempcpy && preload.wmemset && preload.wmemcmp;
}

static int note_text(struct dl_phdr_info *info, size_t size, void *base)
{
	(void)size;
	if (info->dlpi_addr != *(ElfW(Addr) *)base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
			continue;
		preload.text = info->dlpi_addr + part->p_vaddr;
		preload.text_end = preload.text + part->p_memsz;
	}
	return 1;
}

static void *find(void *library, const char *name, bool *complete)
{
	void *address = dlsym(library, name);

	if (!address)
		*complete = false;
	return address;
}

typedef int explain_fn(struct sva *, int, char *, size_t);

/* Loads the library. Where that fails, as for want of static TLS, libc does the work. */
static explain_fn *load(void)
{
	bool complete = true;
	struct link_map *map;
	explain_fn *explain;
	void *library;

	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		library = dlopen(SVA_LIBDIR "/" LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map))
		return NULL;
	dl_iterate_phdr(note_text, &map->l_addr);
#define FIND(name) preload.name = (__typeof__(preload.name))find(library, #name, &complete)
	FIND(sva_memcpy);
	FIND(sva_memfill);
	FIND(sva_compare);
	FIND(sva_last_result);
#undef FIND
	explain = (explain_fn *)find(library, "sva_explain", &complete);
	return complete ? explain : NULL;
}

/* Is there a path to a device that this process can use? That is tried, with a no-op. */
static bool has_device(explain_fn *explain)
{
	static const int paths[] = { SVA_PATH_ENQCMD, SVA_PATH_MOVDIR64B, SVA_PATH_WRITE,
				     SVA_PATH_DMA };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (explain(NULL, paths[i], NULL, 0) == SVA_REASON_OK)
			return true;
	return false;
}

/* Is this program one of those that SVA_PRELOAD_ONLY names? */
static bool is_chosen(void)
{
	const char *only = variable("SVA_PRELOAD_ONLY");

	return !only || has_word(only, program_invocation_short_name);
}

static bool use_device(void)
{
	bool always = variable("SVA_PRELOAD_ALWAYS");
	explain_fn *explain;

	if (!is_chosen() || !(always || preload_may_be_device()))
		return false;
	explain = load();
	return explain && (always || has_device(explain));
}

static void set_minimum(enum preload_call call, size_t min)
{
	atomic_store_explicit(&preload.min[call], min, memory_order_release);
}

/* The calls that go to the library, from which length on. */
static void set_minima(void)
{
	const char *calls = variable("SVA_PRELOAD_CALLS"), *text = variable("SVA_PRELOAD_MIN");
	size_t min = text ? read_size(text) : 0;

	for (int i = 0; i < CALL_COUNT; i++)
		if (!calls || has_word(calls, names[i]))
			set_minimum((enum preload_call)i, min ? min : 16384);
}

static void in_child(void)
{
	preload.pid = getpid();
}

static __attribute__((constructor(101))) void start(void)
{
	const char *stats = variable("SVA_PRELOAD_STATS");
	int saved = errno;

	if (!find_functions())
		return;
	preload_signals_find();
	for (int i = 0; i < CALL_COUNT; i++)
		set_minimum((enum preload_call)i, SIZE_MAX);
	atomic_store_explicit(&preload.started, true, memory_order_release);
	preload.pid = getpid();
	if (stats)
		preload_stats_open(stats);
	if (use_device() && !pthread_atfork(NULL, NULL, in_child)) {
		preload.on = true;
		preload_signals_wrap();
		set_minima();
	}
	errno = saved;
}
