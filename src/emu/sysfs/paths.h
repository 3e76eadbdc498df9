/* SPDX-License-Identifier: MIT */
/*
 * --redirect, which needs no privilege: paths of the emulated devices are replaced by paths into
 * the directory of the run before libc gets them, and results that are paths are changed back.
 */
#ifndef EMU_SYSFS_PATHS_H
#define EMU_SYSFS_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#define EMU_PATH_MAX 1200

/*
 * The path to use instead of path; path itself if it is not one of the device. buf has EMU_PATH_MAX
 * bytes.
 */
const char *emu_path_in(const char *path, char *buf);

/*
 * The same for a directory that is read: a directory of the machine in which the device has entries
 * is replaced by one that lists both.
 */
const char *emu_path_listed(const char *path, char *buf);

/* These directories; NULL ends the list. */
extern const char *const emu_path_lists[];

/* Remove the directory of the run from the front of a path. True if it was there. */
bool emu_path_out(char *path);

/* Is this path a setting of the machine, which a redirected program may read but not write? */
bool emu_path_setting(const char *path);

#endif
