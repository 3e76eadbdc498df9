/* SPDX-License-Identifier: MIT */
/*
 * What this CPU can do, as the kernel tells it. /proc/cpuinfo also shows what the kernel switched off (ENQCMD without a
 * scalable IOMMU) and can be presented by an emulator; CPUID alone would promise instructions that end in SIGILL or
 * SIGSEGV.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fd.h"
#include "lib/internal.h"

static unsigned int features;
static pthread_once_t features_once = PTHREAD_ONCE_INIT;

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

/* The first processor stands for all: the kernel enables these features everywhere or nowhere. */
static void read_features(void)
{
	char *line = NULL, *list = NULL;
	int saved = errno;
	size_t size = 0;
	FILE *file;

	file = sva_fd_fopen("/proc/cpuinfo");
	if (file) {
		while (!list && getline(&line, &size, file) > 0)
			list = flags_of(line);
		if (list)
			features = parse_flags(list);
		free(line);
		fclose(file);
	}
	errno = saved;
}

unsigned int sva_cpu_features(void)
{
	pthread_once(&features_once, read_features);
	return features;
}
