/* SPDX-License-Identifier: MIT */
/*
 * The emulated part of sysfs as a FUSE file system: a read shows the present state, and a write
 * follows the rules of the driver. The directories, the links, and all files that never change come
 * from the plain tree of files.
 */
#ifndef EMU_RUN_ATTRFS_H
#define EMU_RUN_ATTRFS_H

#include "emu/device/state.h"

/*
 * Serve the file system of this descriptor of /dev/fuse until it is unmounted. root is the root of
 * the plain tree, from which /sys is shown. Does not return.
 */
void __attribute__((noreturn)) emu_attrfs_serve(struct emu_state *state, const char *root, int fd);

#endif
