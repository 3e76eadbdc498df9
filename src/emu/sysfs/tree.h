/* SPDX-License-Identifier: MIT */
/*
 * The files that show the devices, below one root directory: what sysfs, /dev and /proc would have.
 * sva-emu makes them. When a program configures a device, they are brought up to date by the FUSE
 * server, or by the preload library where there is none.
 */
#ifndef EMU_SYSFS_TREE_H
#define EMU_SYSFS_TREE_H

#include "emu/sysfs/sysfs.h"

/* Make everything below root. 0 or -errno. */
int emu_tree_make(struct emu_state *state, const char *root);

/* Bring files, links and nodes of one device up to date. */
void emu_tree_refresh(struct emu_state *state, const char *root, unsigned int device);

/*
 * Which attribute is the file with this path below root? False if it is none. The path has no
 * symbolic links in it.
 */
bool emu_tree_attr(struct emu_state *state, const char *path, struct emu_attr_ref *ref);

#endif
