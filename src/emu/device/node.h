/* SPDX-License-Identifier: MIT */
/*
 * The node of a queue as the driver sees it, for both units: which file it is, and what write(2)
 * does.
 */
#ifndef EMU_DEVICE_NODE_H
#define EMU_DEVICE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "emu/device/state.h"

/* The queue whose node this file is; 0 if it is none. */
emu_queue_id emu_node_find(uint64_t dev, uint64_t ino);

/* The same for a path that ends in /dev/dsa/wqD.W, where only emulated nodes can be. */
emu_queue_id emu_node_path(const char *path);

/*
 * May the process map a portal? Linux from 6.10 on, and stable kernels of that time, ask for
 * CAP_SYS_RAWIO in the initial user namespace (INTEL-SA-01084).
 */
bool emu_node_may_map(void);

/*
 * write(2) by the address space that opened it: submit the descriptors in the program's memory at
 * buf. Returns the number of bytes accepted, or -errno.
 */
ssize_t emu_node_write(emu_queue_id queue, uint64_t buf, size_t len);

#endif
