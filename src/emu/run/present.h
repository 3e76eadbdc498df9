/* SPDX-License-Identifier: MIT */
/*
 * How the tree of files gets to where programs look for it. Best is a mount namespace: it holds for
 * static programs, shells and everything that knows no preload library, and it keeps system
 * settings out of the reach of the program. Where none is to be had the preload library redirects
 * paths.
 */
#ifndef EMU_RUN_PRESENT_H
#define EMU_RUN_PRESENT_H

#include <stdbool.h>

#include "emu/device/state.h"

enum emu_present {
	EMU_PRESENT_REDIRECT,
	EMU_PRESENT_NAMESPACE,      /* with the privilege to mount */
	EMU_PRESENT_USER_NAMESPACE, /* with that of a user namespace of our own */
};

/* What stands in the way, for people; empty if nothing does. */
struct emu_obstacle {
	char text[256];
};

/*
 * Move the calling process into a namespace of that kind. 0, or -errno and the obstacle; then the
 * process is of no more use. Afterwards, in order: emu_present_fuse if there is a FUSE server,
 * emu_present_mount.
 */
int emu_present_enter(enum emu_present kind, struct emu_obstacle *why);

/* Mount a FUSE file system on dir. Its descriptor, for the server, or -errno. */
int emu_present_fuse(const char *dir, struct emu_obstacle *why);

/*
 * Show the tree: sys is where its /sys comes from (the FUSE mount, or below the root), root
 * everything else.
 */
int emu_present_mount(const struct emu_state *state, const char *sys, const char *root,
		      struct emu_obstacle *why);

/*
 * Without a mount namespace: make lists of what the machine and the tree have in the directories
 * that both are in. What cannot be listed is only not seen.
 */
void emu_present_lists(const struct emu_state *state);

const char *emu_present_name(enum emu_present kind);

#endif
