/* SPDX-License-Identifier: MIT */
/*
 * What mmap(2), write(2) and its relatives do to a node or an attribute file, however they are
 * called.
 */
#ifndef EMU_PRELOAD_FILES_H
#define EMU_PRELOAD_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The kernel has mapped fd at addr. Returns what the program gets: addr, or -errno after it was
 * unmapped again.
 */
long emu_files_mapped(long addr, size_t len, int prot, int flags, int fd);

/* True if fd is a node or an attribute; then *ret is the number of bytes taken, or -errno. */
bool emu_files_write(int fd, uint64_t buf, size_t len, uint64_t site, long *ret);
bool emu_files_writev(int fd, uint64_t iov, int n, uint64_t site, long *ret);

#endif
