/* SPDX-License-Identifier: MIT */
/*
 * The character device of a queue, /dev/dsa/wqD.W, as Linux' idxd driver behaves towards a process:
 * which file descriptors and which mappings belong to which queue, and what open, mmap and write
 * answer.
 *
 * A node is an empty regular file. A shared mapping of it exists, but any access through it raises
 * SIGBUS, so a portal can be recognised even when the mapping was made behind our back. A dedicated
 * queue is locked with flock on the node: the kernel keeps such a lock exactly as long as an open
 * file, its copies in other processes and its mappings live, and so does the driver keep the queue.
 */
#ifndef EMU_PRELOAD_CDEV_H
#define EMU_PRELOAD_CDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "emu/device/state.h"
#include "emu/host/memory.h"

/* What a file descriptor is to us. */
enum emu_file { EMU_FILE_OTHER, EMU_FILE_NODE, EMU_FILE_ATTR };

struct emu_open {
	enum emu_file kind;
	emu_queue_id queue;
	bool foreign;     /* opened by another address space: a parent, or before exec */
	uint32_t open_id; /* the same for all copies of one open file */
};

/*
 * Tell that fd was opened just now. fd again, or -errno after it was closed, as the driver refuses
 * it.
 */
int emu_cdev_opened(int fd, int flags);
void emu_cdev_closing(int fd);
void emu_cdev_closing_range(unsigned int first, unsigned int last);
void emu_cdev_copied(int from, int to);

/* At the start of a program: take over the descriptors that came with exec. */
void emu_cdev_init(void);

struct emu_open emu_cdev_lookup(int fd);

/*
 * The same where a file that was opened by a way that was not seen (io_uring) is to be recognised
 * too. Slower.
 */
struct emu_open emu_cdev_lookup_late(int fd);

/* fd was mapped at addr by the kernel. addr again, or -errno after it was unmapped. */
long emu_cdev_mapped(const struct emu_open *file, long addr, size_t len, int prot, int flags);
void emu_cdev_unmapped(uint64_t addr, size_t len);

#endif
