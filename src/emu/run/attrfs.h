/* SPDX-License-Identifier: MIT */
/*
 * The emulated part of sysfs as a FUSE file system: a read shows the state as it is, a write
 * follows the driver's rules. It lies over the plain tree of files, which supplies the directories,
 * the links and everything that never changes.
 */
#ifndef EMU_RUN_ATTRFS_H
#define EMU_RUN_ATTRFS_H

#include "emu/device/state.h"

/*
 * Serve the file system behind this descriptor of /dev/fuse until it is unmounted. root is the root
 * of the plain tree, from which /sys is shown. Does not return.
 */
void __attribute__((noreturn)) emu_attrfs_serve(struct emu_state *state, const char *root, int fd);

#endif
