/* SPDX-License-Identifier: MIT */
/*
 * The machines that sva-emu knows by name. How many devices a processor has differs by its model;
 * these have what the larger models have.
 */
#include "emu/run/preset.h"

#include <stdio.h>
#include <string.h>

static const struct preset {
	const char *name, *about;
	const char *profile;
	unsigned int devices;
	const char *queues; /* NULL: one of each mode for each device */
	bool refuse_sva, no_mmap;
	const char *container; /* what runtimes set in the environment */
} presets[] = {
	{ .name = "spr-2s", .profile = "dsa1", .devices = 8,
	  .about = "Sapphire Rapids, two sockets: 8 devices, DSA 1" },
	{ .name = "emr", .profile = "dsa1", .devices = 4,
	  .about = "Emerald Rapids, one socket: 4 devices, DSA 1" },
	{ .name = "gnr", .profile = "dsa2", .devices = 4,
	  .about = "Granite Rapids, one socket: 4 devices, DSA 2" },
	{ .name = "kernel-6.12", .profile = "dsa1", .devices = 1, .refuse_sva = true,
	  .about = "a stable kernel that refuses shared virtual addressing: no queue opens" },
	{ .name = "container", .profile = "dsa1", .devices = 1, .no_mmap = true,
	  .queues = "wq0.0:shared,size=16,bof=0,name=shared", .container = "oci",
	  .about = "a container that was given one shared queue: write(2) alone" },
};

#define PRESETS (sizeof(presets) / sizeof(presets[0]))

bool emu_preset_apply(struct emu_launch *launch, const char *name)
{
	struct emu_options *opt = &launch->state->opt;

	for (unsigned int i = 0; i < PRESETS; i++) {
		const struct preset *preset = &presets[i];

		if (strcmp(preset->name, name))
			continue;
		launch->profile = preset->profile;
		launch->devices = preset->devices;
		launch->queues = preset->queues;
		launch->container = preset->container;
		opt->refuse_sva = preset->refuse_sva;
		opt->no_mmap = preset->no_mmap;
		return true;
	}
	return false;
}

int emu_preset_list(void)
{
	for (unsigned int i = 0; i < PRESETS; i++)
		printf("%-12s  %s\n", presets[i].name, presets[i].about);
	puts("\nWithout --machine: one device, DSA 1, with a shared and a dedicated queue.\n"
	     "On every machine a portal is mapped with CAP_SYS_RAWIO only, as Linux from\n"
	     "6.10 on does; with --rawio always.");
	return ferror(stdout) ? 1 : 0;
}
