/* SPDX-License-Identifier: MIT */
/*
 * The proof that a node is that of a queue. The node is checked before it is opened, and again
 * before anything is written to it: 64 bytes would damage a file, could have any effect on another
 * device, and opening a FIFO or a terminal could block. It must be a character device of the
 * driver, and where /sys shows the queue of this name, that very device: a stale node in a
 * container can belong to another queue, of the other mode.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/queue/proof.h"
#include "lib/queue/ways.h"

/*
 * Majors that the kernel gives to drivers which ask for any, as idxd does. Source: Linux fs.h,
 * CHRDEV_MAJOR_DYN_*
 */
#define IS_DYNAMIC(major) (((major) >= 234 && (major) <= 254) || ((major) >= 384 && (major) <= 511))

enum verdict {
	UNKNOWN,
	YES,
	NO
};

/* The drivers of queues: names of their bus in /sys and of their devices in /proc/devices. */
static const char *const drivers[] = {"dsa", "iax"};

#define DRIVERS (sizeof(drivers) / sizeof(drivers[0]))

/* A number from a file of /sys; false if it cannot be read. */
static bool read_number(const char *directory, const char *more, const char *file, uint64_t *value)
{
	char path[512], text[32];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s/%s", directory, more, file) >= (int)sizeof(path))
		return false;
	fd = sva_fd_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return !sva_text_number(text, 0, value);
}

/* Is it the major of one of a driver's devices? directory: that of the driver's devices. */
static enum verdict major_on_bus(const char *directory, unsigned int major)
{
	DIR *dir = sva_fd_opendir(directory);
	enum verdict verdict = UNKNOWN;
	const struct dirent *entry;
	uint64_t value;

	while (dir && verdict != YES && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    read_number(directory, entry->d_name, "cdev_major", &value))
			verdict = value == major ? YES : NO;
	if (dir)
		closedir(dir);
	return verdict;
}

/* Is it the minor of the queue that /sys shows under this name? */
static enum verdict minor_of_queue(const char *directory, const struct sva_queue *queue,
				   unsigned int minor)
{
	char more[2 * SVA_NAME_MAX + 2];
	uint64_t value;

	snprintf(more, sizeof(more), "%s/%s", queue->device, queue->name);
	if (!read_number(directory, more, "cdev_minor", &value))
		return UNKNOWN;
	return value == minor ? YES : NO;
}

static enum verdict check_sysfs(const struct sva_queue *queue, dev_t node)
{
	enum verdict verdict = UNKNOWN;
	char directory[64];

	for (size_t i = 0; i < DRIVERS; i++) {
		enum verdict one;

		snprintf(directory, sizeof(directory), "/sys/bus/%s/devices", drivers[i]);
		one = major_on_bus(directory, major(node));
		if (one == YES)
			return minor_of_queue(directory, queue, minor(node)) == NO ? NO : YES;
		if (one == NO)
			verdict = NO;
	}
	return verdict;
}

/*
 * The file begins with "Character devices:", then has lines of a number and a name, up to an empty
 * one.
 */
static enum verdict check_proc(unsigned int major)
{
	FILE *file = sva_fd_fopen("/proc/devices");
	enum verdict verdict = UNKNOWN;
	unsigned int number;
	char line[128], name[64];

	if (!file)
		return UNKNOWN;
	while (verdict != YES && fgets(line, sizeof(line), file) && line[0] != '\n') {
		if (sscanf(line, "%u %63s", &number, name) != 2)
			continue;
		verdict = NO;
		for (size_t i = 0; i < DRIVERS && verdict == NO; i++)
			if (number == major && !strcmp(name, drivers[i]))
				verdict = YES;
	}
	fclose(file);
	return verdict;
}

static bool is_queue_node(const struct sva_queue *queue, const struct stat *st)
{
	enum verdict verdict;

	if (!S_ISCHR(st->st_mode))
		return false;
	verdict = check_sysfs(queue, st->st_rdev);
	if (verdict == UNKNOWN)
		verdict = check_proc(major(st->st_rdev));
	/* Neither shows anything: at least refuse the fixed majors of well-known devices. */
	if (verdict == UNKNOWN)
		verdict = IS_DYNAMIC(major(st->st_rdev)) ? YES : NO;
	return verdict == YES;
}

uint32_t sva_proof(const struct sva_queue *queue, const struct sva_submit_ops *ops,
		   const struct stat *st)
{
	bool proved = ops->is_node ? ops->is_node(st) : is_queue_node(queue, st);

	return proved ? (uint32_t)SVA_REASON_OK : ops->foreign;
}

int sva_proof_open(const struct sva_queue *queue, const struct sva_submit_ops *ops,
		   uint32_t *reason)
{
	struct stat before, after;
	int fd;

	if (stat(queue->node, &before))
		return -errno;
	*reason = sva_proof(queue, ops, &before);
	if (*reason != SVA_REASON_OK)
		return -EMEDIUMTYPE;
	fd = sva_fd_open(queue->node, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	/* The node may have been replaced in between. */
	if (!fstat(fd, &after) && S_ISCHR(after.st_mode) && after.st_rdev == before.st_rdev)
		return fd;
	close(fd);
	*reason = ops->foreign;
	return -EMEDIUMTYPE;
}
