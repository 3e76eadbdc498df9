/* SPDX-License-Identifier: MIT */
/*
 * Presentation without any privilege: paths that belong to the emulated devices are replaced by
 * paths into the run's directory on their way into libc, and results that are paths are changed
 * back on their way out.
 */
#ifndef EMU_SYSFS_PATHS_H
#define EMU_SYSFS_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#define EMU_PATH_MAX 1200

/* The path to use instead; path itself if it is none of ours. buf has EMU_PATH_MAX bytes. */
const char *emu_path_in(const char *path, char *buf);

/*
 * The same for a directory that is read: one of the machine's that lists ours is replaced by a list
 * of both.
 */
const char *emu_path_listed(const char *path, char *buf);

/* The directories that are so listed, for whoever makes the lists; NULL ends them. */
extern const char *const emu_path_lists[];

/* Take the run's directory off the front of a path. True if it was there. */
bool emu_path_out(char *path);

/* Is it a setting of the machine, which a redirected program can read and not write? */
bool emu_path_setting(const char *path);

#endif
