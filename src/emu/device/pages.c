/* SPDX-License-Identifier: MIT */
/* What is known of the pages that one descriptor has used. */
#include <fcntl.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/device/pages.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"

#define CHUNK 64u

/*
 * Read the entries of a chunk from /proc/PID/pagemap. Without that file each page counts as
 * present. To be written, a page must belong to this process alone: one that is still shared by
 * copy on write, such as the zero page, is read-only in the page table (bit 56: mapped by this
 * process alone; bit 61: of a file or of shared memory).
 */
static void read_page_map(struct emu_pages_chunk *chunk)
{
	uint64_t entries[CHUNK];
	struct emu_text text;
	unsigned int i;
	char path[40];
	long got;
	int fd;

	chunk->present = chunk->own = 0;
	text_init(&text, path, sizeof(path));
	text_add(&text, "%s/pagemap", emu.proc);
	fd = raw_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		chunk->present = chunk->own = UINT64_MAX;
		return;
	}
	got = raw_syscall4(SYS_pread64, fd, entries, sizeof(entries),
			   (chunk->number - 1) * sizeof(entries));
	raw_close(fd);
	for (i = 0; i < CHUNK && (long)((i + 1) * sizeof(entries[0])) <= got; i++) {
		if (!(entries[i] >> 63))
			continue;
		chunk->present |= 1ull << i;
		if (entries[i] & (1ull << 56 | 1ull << 61))
			chunk->own |= 1ull << i;
	}
}

/* The chunk of an address; if there is none, the oldest one is reused for it. */
static struct emu_pages_chunk *find_chunk(struct emu_pages *pages, uint64_t addr)
{
	uint64_t number = addr / (CHUNK * EMU_PAGE) + 1;
	struct emu_pages_chunk *chunk;
	unsigned int i;

	for (i = 0; i < EMU_PAGES_CHUNKS; i++)
		if (pages->chunk[i].number == number)
			return &pages->chunk[i];
	chunk = &pages->chunk[pages->oldest++ % EMU_PAGES_CHUNKS];
	*chunk = (struct emu_pages_chunk){ .number = number};
	return chunk;
}

/*
 * A page that was present counts as present for the rest of the descriptor. One that was not may be
 * present by now, as an earlier descriptor of the same batch may have blocked on it; so the page
 * map is read again before a fault is reported.
 */
static bool in_page_table(struct emu_pages_chunk *chunk, uint64_t bit, bool write)
{
	if ((write ? chunk->own : chunk->present) & bit)
		return true;
	read_page_map(chunk);
	return (write ? chunk->own : chunk->present) & bit;
}

/* How many pages from this one on are known. */
static unsigned int run_length(uint64_t known, unsigned int index)
{
	uint64_t unknown = ~(known >> index);

	return unknown ? (unsigned int)__builtin_ctzll(unknown) : CHUNK;
}

size_t emu_pages_usable(struct emu_pages *pages, uint64_t addr, bool write, bool strict)
{
	struct emu_pages_chunk *chunk = find_chunk(pages, addr);
	unsigned int index = addr / EMU_PAGE % CHUNK,
		     n = run_length(write ? chunk->writable : chunk->readable, index);
	uint64_t bit = 1ull << index;

	/* A page that was probed is in the page table, so that strict faults need no other look. */
	if (EMU_UNLIKELY(n == 0)) {
		if ((strict && !in_page_table(chunk, bit, write)) || !emu_probe(addr, write, NULL))
			return 0;
		chunk->readable |= bit;
		chunk->writable |= write ? bit : 0;
		n = 1;
	}
	return n * (size_t)EMU_PAGE - addr % EMU_PAGE;
}
