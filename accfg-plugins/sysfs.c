/* SPDX-License-Identifier: MIT */
/*
 * Reading sysfs for the dsa plug-in: see sysfs.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "sva/info.h"
#include "sysfs.h"

bool sysfs_text(const char *directory, const char *attribute, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", directory, attribute) >= (int)sizeof(path))
		return false;
	fd = sva_fd_open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return false;
	n = read(fd, text, size);
	close(fd);
	if (n <= 0 || (size_t)n == size)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return *text;
}

bool sysfs_number(const char *directory, const char *attribute, uint64_t *value)
{
	char text[64];

	return sysfs_text(directory, attribute, text, sizeof(text)) &&
	       !sva_text_number(text, SVA_TEXT_HEX, value);
}

bool sysfs_bitmap(const char *directory, const char *attribute, uint64_t words[4])
{
	char text[128];

	return sysfs_text(directory, attribute, text, sizeof(text)) && sva_text_bitmap(text, words);
}

/* How many functions share the IOMMU group; -1 if that cannot be read. */
static int group_size(const char *function)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	int count = 0;
	DIR *dir;

	if (snprintf(path, sizeof(path), "%s/iommu_group/devices", function) >= (int)sizeof(path))
		return -1;
	dir = sva_fd_opendir(path);
	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* The kernel shows "removable" only where it knows; a missing file means fixed to the board. */
static bool is_removable(const char *directory)
{
	uint64_t external;
	char text[32];

	if (sysfs_text(directory, "removable", text, sizeof(text)) && !strcmp(text, "removable"))
		return true;
	return sysfs_number(directory, "external_facing", &external) && external;
}

uint32_t sysfs_trust(const char *device_directory)
{
	char *path = realpath(device_directory, NULL), *slash;
	uint32_t trust = SVA_TRUST_UNKNOWN;
	int sharing;

	slash = path ? strrchr(path, '/') : NULL;
	if (!slash || strncmp(path, "/sys/devices/", strlen("/sys/devices/"))) {
		free(path);
		return trust;
	}
	*slash = '\0'; /* the PCI function */
	sharing = group_size(path);
	if (sharing > 0)
		trust = sharing == 1 ? SVA_TRUST_YES : SVA_TRUST_NO;
	while (trust != SVA_TRUST_NO && strncmp(slash = strrchr(path, '/'), "/pci", 4) &&
	       slash > path) {
		if (is_removable(path))
			trust = SVA_TRUST_NO;
		*slash = '\0'; /* the bridge above it */
	}
	free(path);
	return trust;
}
