/* SPDX-License-Identifier: MIT */
/*
 * What this CPU can do, as the kernel reports it. /proc/cpuinfo also shows what the kernel switched
 * off (ENQCMD without a scalable IOMMU) and an emulator can present it; CPUID alone would promise
 * instructions that end in SIGILL or SIGSEGV.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/cancel.h"
#include "lib/base/fd.h"
#include "lib/base/machine.h"

#define KNOWN (1u << 31)

static atomic_uint features; /* and KNOWN, once the file has been read */
static struct sva_retry retry;
static atomic_bool shortage;

static const struct {
	const char *word;
	unsigned int feature;
} words[] = {
	{ "enqcmd", SVA_CPU_ENQCMD },
	{ "movdir64b", SVA_CPU_MOVDIR64B },
	{ "waitpkg", SVA_CPU_WAITPKG },
};

static unsigned int parse_flags(char *list)
{
	unsigned int found = 0;
	char *save, *word;

	for (word = strtok_r(list, " \t\n", &save); word; word = strtok_r(NULL, " \t\n", &save))
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (!strcmp(word, words[i].word))
				found |= words[i].feature;
	return found;
}

/* The list of a "flags : …" line, NULL for any other line ("vmx flags" among them). */
static char *flags_of(char *line)
{
	if (strncmp(line, "flags", 5))
		return NULL;
	line += 5;
	while (isblank((unsigned char)*line))
		line++;
	return *line == ':' ? line + 1 : NULL;
}

/*
 * Only the first processor is read: the kernel enables these features everywhere or nowhere.
 * Returns 0, or -errno and nothing is known. Several threads may run this at once, and find the
 * same.
 */
static int read_features(void)
{
	char *line = NULL, *list = NULL;
	size_t size = 0;
	FILE *file;
	int err;

	file = sva_fd_fopen("/proc/cpuinfo");
	if (!file)
		return -errno;
	errno = 0;
	while (!list && getline(&line, &size, file) > 0)
		list = flags_of(line);
	err = list || feof(file) ? 0 : -errno;
	if (!err)
		atomic_store_explicit(&features, (list ? parse_flags(list) : 0) | KNOWN,
				      memory_order_release);
	free(line);
	fclose(file);
	return err;
}

static void load_features(void)
{
	int saved = errno, cancel, err;

	if (!sva_retry_is_due(&retry))
		return;
	cancel = sva_cancel_hold();
	err = read_features();
	if (err)
		sva_retry_failed(&retry);
	atomic_store_explicit(&shortage, sva_is_shortage(err), memory_order_relaxed);
	sva_cancel_release(cancel);
	errno = saved;
}

unsigned int sva_cpu_features(void)
{
	if (unlikely(!atomic_load_explicit(&features, memory_order_acquire)))
		load_features();
	return atomic_load_explicit(&features, memory_order_acquire) & ~KNOWN;
}

bool sva_cpu_shortage(void)
{
	return atomic_load_explicit(&shortage, memory_order_relaxed);
}
