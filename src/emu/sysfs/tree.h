/* SPDX-License-Identifier: MIT */
/*
 * The files that show the devices: a copy of what sysfs, /dev and /proc would have, below one root
 * directory. sva-emu makes it; the preload library keeps it up to date when a program configures a
 * device.
 */
#ifndef EMU_SYSFS_TREE_H
#define EMU_SYSFS_TREE_H

#include "emu/sysfs/sysfs.h"

/* Make everything below root. 0 or -errno. */
int emu_tree_make(struct emu_state *state, const char *root);

/* Bring files, links and nodes of one device up to date. */
void emu_tree_refresh(struct emu_state *state, const char *root, unsigned int device);

/*
 * Which attribute is the file of this path below root? False if none. The path has no symbolic
 * links in it.
 */
bool emu_tree_attr(struct emu_state *state, const char *path, struct emu_attr_ref *ref);

#endif
