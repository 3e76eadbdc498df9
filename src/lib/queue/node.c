/* SPDX-License-Identifier: MIT */
/* The node of a queue in this process: what an error of open(2) means. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/base/fd.h"
#include "lib/queue/node.h"

/* Without /proc, the descriptors below this number are checked. */
#define NUMBERS 4096

static bool is_open_on(int fd, const struct stat *want)
{
	struct stat have;

	if (fstat(fd, &have))
		return false;
	return S_ISCHR(want->st_mode) ? S_ISCHR(have.st_mode) && have.st_rdev == want->st_rdev :
					have.st_dev == want->st_dev && have.st_ino == want->st_ino;
}

static bool is_open_here(const char *node)
{
	DIR *dir = sva_fd_opendir("/proc/self/fd");
	const struct dirent *entry;
	bool found = false;
	struct stat want;

	if (!stat(node, &want)) {
		while (dir && !found && (entry = readdir(dir)))
			found = entry->d_name[0] != '.' && is_open_on(atoi(entry->d_name), &want);
		for (int fd = 0; !dir && !found && fd < NUMBERS; fd++)
			found = is_open_on(fd, &want);
	}
	if (dir)
		closedir(dir);
	return found;
}

uint32_t sva_node_open_reason(int err, const char *node)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return SVA_REASON_NO_PERMISSION;
	case ENOENT:
	case ENOTDIR:
		return SVA_REASON_NO_NODE;
	case EOPNOTSUPP:
		return SVA_REASON_SVA_REFUSED;
	case ENODEV:
		return SVA_REASON_NO_IOMMU;
	case ENOSPC:
	case EOVERFLOW:
		return SVA_REASON_NO_PASID;
	case ENXIO:
		return SVA_REASON_QUEUE_DISABLED;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return SVA_REASON_SHORTAGE;
	case EBUSY:
		return is_open_here(node) ? SVA_REASON_BUSY_HERE : SVA_REASON_BUSY;
	default:
		return SVA_REASON_OPEN_FAILED;
	}
}
