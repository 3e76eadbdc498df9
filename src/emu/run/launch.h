/* SPDX-License-Identifier: MIT */
/* Start the program, in the best presentation that this machine allows. */
#ifndef EMU_RUN_LAUNCH_H
#define EMU_RUN_LAUNCH_H

#include <sys/types.h>

#include "emu/run/options.h"
#include "emu/run/present.h"

struct emu_child {
	pid_t pid;            /* the program, 0 if it could not be started */
	pid_t server;         /* the FUSE server, 0 if there is none */
	enum emu_present present;
	bool fuse;
	int error;            /* errno of exec, if that failed */
	struct emu_obstacle why; /* what stood in the way of this presentation */
};

/*
 * Start the program in this presentation. command NULL: only try it, for sva-emu doctor. 0, or
 * -errno with child->why (the presentation is not possible) or child->error (the program cannot be
 * executed).
 */
int emu_launch(struct emu_state *state, enum emu_present present, char **command,
	       struct emu_child *child);

/* The presentations to try, best first. */
extern const enum emu_present emu_launch_order[3];

/*
 * Set the environment that the program inherits; and the part of it that loads the library. 0 or
 * -errno.
 */
int emu_launch_environment(const struct emu_state *state);
int emu_launch_preload(const struct emu_state *state, const char *library);

/* End the FUSE server. */
void emu_launch_finish(struct emu_child *child);

#endif
