/* SPDX-License-Identifier: MIT */
/*
 * How the tree of files is shown where programs look for it. A mount namespace is best: it works
 * for static programs and for those that the preload library is not loaded into, and it protects
 * the settings of the machine. Where no namespace can be made, the preload library redirects paths.
 */
#ifndef EMU_RUN_PRESENT_H
#define EMU_RUN_PRESENT_H

#include <stdbool.h>

#include "emu/device/state.h"

enum emu_present {
	EMU_PRESENT_REDIRECT,
	EMU_PRESENT_NAMESPACE,      /* needs the privilege to mount */
	EMU_PRESENT_USER_NAMESPACE, /* in a user namespace, which gives this privilege */
};

/* Why something failed, for messages; empty if it did not. */
struct emu_obstacle {
	char text[256];
};

/*
 * Move the calling process into a namespace of that kind. 0, or -errno and the obstacle; then the
 * process should exit. To be followed by emu_present_fuse(), if there is a FUSE server, and
 * emu_present_mount().
 */
int emu_present_enter(enum emu_present kind, struct emu_obstacle *why);

/* Mount a FUSE file system on dir. Returns its descriptor, for the server, or -errno. */
int emu_present_fuse(const char *dir, struct emu_obstacle *why);

/* Mount the tree: its /sys from sys (the FUSE mount, or below the root), all else from root. */
int emu_present_mount(const struct emu_state *state, const char *sys, const char *root,
		      struct emu_obstacle *why);

/*
 * Without a mount namespace: make directories that list what the machine and the tree have, for
 * those directories that have entries of both. An entry that cannot be listed is left out.
 */
void emu_present_lists(const struct emu_state *state);

const char *emu_present_name(enum emu_present kind);

#endif
