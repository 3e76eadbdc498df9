/* SPDX-License-Identifier: MIT */
/* sva-copy: provides the memory that chunks are copied to, and writes it to DST; see copy.h. */
#include "tools/copy/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/term/term.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static int sink_error(const struct copy_sink *sink, const char *what, int err)
{
	term_error("cannot %s %s: %s", what, sink->name, strerror(err));
	return -err;
}

/*
 * A file that is mapped for writing must be open for reading, too. What must not be opened for
 * reading is opened for writing alone and not mapped: a fifo, since this process would then be one
 * of its readers and get no EPIPE when the other one leaves, and a file that permits only writing.
 */
static int open_target(struct copy_sink *sink)
{
	struct stat st;
	bool exists = stat(sink->name, &st) == 0;

	if (exists && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return -1;
	}
	if (!exists || S_ISREG(st.st_mode)) {
		int fd = open(sink->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);

		sink->mapped = fd >= 0;
		if (fd >= 0 || errno != EACCES)
			return fd;
	}
	return open(sink->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

int copy_sink_open(struct copy_sink *sink, const char *name, const struct copy_source *source)
{
	struct stat from, to;

	*sink = (struct copy_sink){ .name = name };
	sink->fd = open_target(sink);
	if (sink->fd < 0 || fstat(sink->fd, &to) || fstat(source->fd, &from))
		return sink_error(sink, "open", errno);
	if (from.st_dev == to.st_dev && from.st_ino == to.st_ino) {
		term_error("%s and %s are the same file", source->name, name);
		return -EINVAL;
	}
	sink->regular = S_ISREG(to.st_mode);
	sink->mapped = sink->mapped && sink->regular;
	if (sink->regular && ftruncate(sink->fd, 0))
		return sink_error(sink, "truncate", errno);
	return 0;
}

/*
 * Allocates the space of the chunk before it is mapped, so that a full disk is an errno here and
 * not a SIGBUS later.
 */
static int map_chunk(struct copy_sink *sink, struct copy_slot *slot)
{
	int rc;

	do {
		rc = fallocate(sink->fd, 0, (off_t)slot->offset, (off_t)slot->len);
	} while (rc && errno == EINTR);
	if (rc)
		return -errno;
	slot->dst = mmap(NULL, slot->len, PROT_READ | PROT_WRITE, MAP_SHARED, sink->fd,
			 (off_t)slot->offset);
	if (slot->dst == MAP_FAILED)
		return -ENODEV;
	slot->dst_map = slot->dst;
	if (madvise(slot->dst, slot->len, MADV_POPULATE_WRITE) && errno == EFAULT)
		return -EIO;
	return 0;
}

int copy_sink_prepare(struct copy_sink *sink, struct copy_slot *slot)
{
	slot->dst_map = NULL;
	/* A mapping begins at a page boundary; chunks of a source that is read may not. */
	if (sink->mapped && slot->offset % (uint64_t)sysconf(_SC_PAGESIZE) == 0) {
		int rc = map_chunk(sink, slot);

		if (rc == 0)
			return 0;
		if (rc != -EOPNOTSUPP && rc != -ENODEV && rc != -ENOSYS)
			return sink_error(sink, "write", -rc);
		sink->mapped = false;
	}
	if (!slot->dst_buffer && posix_memalign(&slot->dst_buffer, 4096, COPY_CHUNK)) {
		term_error("out of memory");
		return -ENOMEM;
	}
	slot->dst = slot->dst_buffer;
	return 0;
}

static int write_chunk(struct copy_sink *sink, const struct copy_slot *slot)
{
	size_t done = 0;

	while (done < slot->len) {
		const char *from = (const char *)slot->dst + done;
		ssize_t n;

		if (sink->regular)
			n = pwrite(sink->fd, from, slot->len - done, (off_t)(slot->offset + done));
		else
			n = write(sink->fd, from, slot->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return sink_error(sink, "write", n < 0 ? errno : EIO);
		done += (size_t)n;
		sink->done = slot->offset + done;
	}
	return 0;
}

int copy_sink_commit(struct copy_sink *sink, struct copy_slot *slot)
{
	int rc = 0;

	if (!slot->dst_map)
		rc = write_chunk(sink, slot);
	else
		sink->done = slot->offset + slot->len;
	copy_sink_release(slot);
	return rc;
}

void copy_sink_release(struct copy_slot *slot)
{
	if (slot->dst_map)
		munmap(slot->dst_map, slot->len);
	slot->dst_map = NULL;
}

int copy_sink_finish(struct copy_sink *sink, uint64_t size)
{
	int fd = sink->fd;

	/* A hole at the end of SRC, to which no chunk belongs. */
	if (sink->regular && sink->done < size && ftruncate(fd, (off_t)size))
		return sink_error(sink, "extend", errno);
	sink->fd = -1;
	if (close(fd))
		return sink_error(sink, "close", errno);
	return 0;
}

/*
 * Cuts DST after an error to what was copied, without the space that was allocated for later
 * chunks. A signal handler may call this.
 */
int copy_sink_cut(const struct copy_sink *sink)
{
	return sink->fd >= 0 && sink->regular && ftruncate(sink->fd, (off_t)sink->done) ? -errno :
											  0;
}

void copy_sink_abandon(struct copy_sink *sink)
{
	int rc;

	if (sink->fd < 0)
		return;
	rc = copy_sink_cut(sink);
	if (rc)
		term_error("cannot cut %s to what was copied: %s", sink->name, strerror(-rc));
	term_error("%s is incomplete: it has the first %" PRIu64 " bytes", sink->name, sink->done);
	close(sink->fd);
	sink->fd = -1;
}
