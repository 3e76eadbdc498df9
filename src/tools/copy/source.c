/* SPDX-License-Identifier: MIT */
/* sva-copy: brings the source into memory, chunk by chunk; see copy.h. */
#include "tools/copy/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/term/term.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

static int source_error(const char *name, const char *what, int err)
{
	term_error("cannot %s %s: %s", what, name, strerror(err));
	return -err;
}

int copy_source_open(struct copy_source *source, const char *name)
{
	struct stat st;

	*source = (struct copy_source){ .name = name };
	source->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (source->fd < 0 || fstat(source->fd, &st))
		return source_error(name, "open", errno);
	if (S_ISDIR(st.st_mode)) {
		term_error("%s is a directory", name);
		return -EISDIR;
	}
	/* /proc reports a size of 0 for files that have contents: these are read to their end. */
	source->mapped = S_ISREG(st.st_mode) && st.st_size > 0;
	source->size = source->mapped ? (uint64_t)st.st_size : 0;
	source->sparse = source->mapped;
	posix_fadvise(source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static int read_chunk(struct copy_source *source, struct copy_slot *slot)
{
	if (!slot->src_buffer && posix_memalign(&slot->src_buffer, 4096, COPY_CHUNK)) {
		term_error("out of memory");
		return -ENOMEM;
	}
	slot->src = slot->src_buffer;
	slot->len = 0;
	/* One read of a pipe returns little: collect a chunk that is worth a descriptor. */
	while (slot->len < COPY_CHUNK) {
		ssize_t n = read(source->fd, (char *)slot->src + slot->len, COPY_CHUNK - slot->len);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return source_error(source->name, "read", errno);
		slot->len += (size_t)n;
	}
	slot->offset = source->pos;
	source->pos += slot->len;
	return 0;
}

/* Moves to the next data and returns how many bytes there are before the next hole. */
static uint64_t data_length(struct copy_source *source)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), end;
	off_t data, hole;

	if (!source->sparse)
		return source->size - source->pos;
	data = lseek(source->fd, (off_t)source->pos, SEEK_DATA);
	if (data < 0 && errno == ENXIO) {
		source->pos = source->size;
		return 0;
	}
	if (data < 0 || (uint64_t)data >= source->size) {
		source->sparse = data >= 0;
		source->pos = data < 0 ? source->pos : source->size;
		return source->size - source->pos;
	}
	hole = lseek(source->fd, data, SEEK_HOLE);
	/*
	 * Blocks of the file system may be smaller than pages, and only whole pages can be mapped:
	 * a part of the hole is copied with the data.
	 */
	if ((uint64_t)data > source->pos)
		source->pos = (uint64_t)data & ~(page - 1);
	end = hole > data ? ((uint64_t)hole + page - 1) & ~(page - 1) : source->size;
	return (end < source->size ? end : source->size) - source->pos;
}

/* sysfs, some network file systems and some of FUSE permit no mapping. */
static int read_instead(struct copy_source *source, struct copy_slot *slot)
{
	source->mapped = false;
	source->size = 0;
	if (lseek(source->fd, (off_t)source->pos, SEEK_SET) < 0)
		return source_error(source->name, "read", errno);
	return read_chunk(source, slot);
}

int copy_source_next(struct copy_source *source, struct copy_slot *slot)
{
	uint64_t left;

	slot->len = 0;
	slot->src_map = NULL;
	if (!source->mapped)
		return read_chunk(source, slot);
	if (source->pos >= source->size)
		return 0;
	left = data_length(source);
	if (!left)
		return 0;
	slot->len = left < COPY_CHUNK ? (size_t)left : COPY_CHUNK;
	/* A chunk ends at a page boundary, where the mapping of the next one begins. */
	if (slot->len < left)
		slot->len -= (source->pos + slot->len) % (uint64_t)sysconf(_SC_PAGESIZE);
	slot->src = mmap(NULL, slot->len, PROT_READ, MAP_SHARED, source->fd, (off_t)source->pos);
	if (slot->src == MAP_FAILED) {
		slot->len = 0;
		return read_instead(source, slot);
	}
	slot->src_map = slot->src;
	slot->offset = source->pos;
	source->pos += slot->len;
	/*
	 * Reads all pages in one call, while an earlier chunk is copied. The result is not needed:
	 * the copy fails where a page cannot be read.
	 */
	madvise(slot->src, slot->len, MADV_POPULATE_READ);
	return 0;
}

/* After a truncation the rest of the last page reads as zeros; only the size shows it. */
int copy_source_check(const struct copy_source *source)
{
	struct stat st;

	if (!source->size || fstat(source->fd, &st) || (uint64_t)st.st_size >= source->size)
		return 0;
	term_error("%s was truncated while it was copied", source->name);
	return -EIO;
}

void copy_source_release(struct copy_slot *slot)
{
	if (slot->src_map)
		munmap(slot->src_map, slot->len);
	slot->src_map = NULL;
}
