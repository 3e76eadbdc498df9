/* SPDX-License-Identifier: MIT */
/*
 * The character device of a queue, /dev/dsa/wqD.W, as Linux' idxd driver behaves towards a process:
 * which file descriptors and mappings belong to which queue, and what open, mmap and close do.
 *
 * A node is an empty regular file. It can be mapped, but an access through the mapping raises
 * SIGBUS. So a portal is recognised even if the emulator did not see the mapping being made. A
 * dedicated queue is locked with flock(2) on the node: the kernel holds such a lock as long as the
 * open file, its copies in other processes, or its mappings exist, and the driver keeps the queue
 * for the same time.
 */
#ifndef EMU_PRELOAD_CDEV_H
#define EMU_PRELOAD_CDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "emu/device/state.h"
#include "emu/host/memory.h"

/* What a file descriptor refers to. */
enum emu_file { EMU_FILE_OTHER, EMU_FILE_NODE, EMU_FILE_ATTR };

struct emu_open {
	enum emu_file kind;
	emu_queue_id queue;
	bool foreign;     /* opened by another address space: a parent, or before exec */
	uint32_t open_id; /* the same for all copies of one open file */
};

/*
 * fd was opened just now; is about to be closed; was copied. The first returns fd, or -errno after
 * it has closed fd, if the driver would refuse it.
 */
int emu_cdev_opened(int fd, int flags);
void emu_cdev_closing(int fd);
void emu_cdev_closing_range(unsigned int first, unsigned int last);
void emu_cdev_copied(int from, int to);

/* At the start of a program: take over the descriptors that came with exec. */
void emu_cdev_init(void);

struct emu_open emu_cdev_lookup(int fd);

/*
 * The same, and it also recognises a file that was opened by a way that was not seen (io_uring).
 * Slower.
 */
struct emu_open emu_cdev_lookup_late(int fd);

/*
 * The kernel has mapped a file at addr; has unmapped a range. The first returns addr, or -errno
 * after it has unmapped it, if the driver would refuse it.
 */
long emu_cdev_mapped(const struct emu_open *file, long addr, size_t len, int prot, int flags);
void emu_cdev_unmapped(uint64_t addr, size_t len);

#endif
