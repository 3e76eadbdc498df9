/* SPDX-License-Identifier: MIT */
/* The command line of sva-emu run: it fills the shared state. */
#ifndef EMU_RUN_OPTIONS_H
#define EMU_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "emu/device/state.h"

/* What only the launcher needs to know. */
struct emu_launch {
	struct emu_state *state;
	bool stats;
	bool keep;             /* leave the run's directory behind */
	bool redirect;         /* do not even try a mount namespace */
	const char *stats_file;
	FILE *stats_out;       /* stats_file, open before the program starts */
	const char *queues;
	const char *config;
	const char *profile;
	const char *trace_file;
	unsigned int devices;
	const char *container; /* the variable of this name for the program; NULL: not set */
	bool users;            /* members of the group may take part in the run */
	gid_t group;
	char **program;
};

/*
 * Parse the options of run. The program's arguments begin at launch->program. Exits with a message
 * on bad ones.
 */
void emu_options_parse(int argc, char **argv, struct emu_launch *launch);

/*
 * Configure the devices by --profile, --devices, --queues and --config. 0, or -EINVAL after a
 * message.
 */
int emu_options_devices(struct emu_launch *launch);

#endif
