/* SPDX-License-Identifier: MIT */
/*
 * The pages that one descriptor has used, and what is known of them. Operations that work in small
 * pieces (the entries of a delta, tuples, the descriptors of a batch) open thousands of windows on
 * the same page. So each page is probed once, and the page map is read for 64 of them at a time.
 */
#ifndef EMU_DEVICE_PAGES_H
#define EMU_DEVICE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EMU_PAGE 4096u
#define EMU_PAGES_CHUNKS 8u /* two for each of three windows of 256 KiB, and the record */

/* 64 pages in a row, a bit for each. */
struct emu_pages_chunk {
	uint64_t number;   /* address / (64 * EMU_PAGE), plus 1; 0: nothing is known */
	uint64_t present;  /* strict faults: the page table has it */
	uint64_t own;	   /* strict faults: … and it can be written there */
	uint64_t readable; /* an access succeeded */
	uint64_t writable;
};

struct emu_pages {
	struct emu_pages_chunk chunk[EMU_PAGES_CHUNKS];
	unsigned int oldest;
};

/*
 * Returns how many bytes from addr on can be read, or written, as far as is known; the page at addr
 * is probed if need be. 0 if that page cannot be used. strict: only pages count that the page table
 * has already.
 */
size_t emu_pages_usable(struct emu_pages *pages, uint64_t addr, bool write, bool strict);

#endif
