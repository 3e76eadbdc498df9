/* SPDX-License-Identifier: MIT */
/*
 * sva-info --setup: prints, and never runs, what stands between this machine and usable queues, as
 * a shell script: the reasons are comments, and what is done already has no command.
 */
#include "tools/info/setup.h"

#include <string.h>

#include "tools/term/term.h"

/* ------------------------------------------------------------------ the queues */

static const char *name_of(enum setup_mode mode)
{
	return mode == SETUP_SHARED    ? "shared" :
	       mode == SETUP_DEDICATED ? "dedicated" :
	       mode == SETUP_KERNEL    ? "kernel" :
					 "shared and dedicated";
}

static void explain_mode(const struct setup *setup)
{
	switch (setup->mode) {
	case SETUP_SHARED:
		setup_say(setup, "One shared queue for each device, with all of its entries: any "
				 "number of processes can use it, by ENQCMD or by write(2). All of "
				 "its entries are within the threshold, so that programs may fill "
				 "it. --mode dedicated and --mode both make others.");
		break;
	case SETUP_DEDICATED:
		setup_say(setup,
			  "Dedicated queues: each serves one process at a time, by "
			  "MOVDIR64B or by write(2), and no other process delays it.%s",
			  setup->machine->enqcmd ? "" :
						   " (This CPU does not offer ENQCMD, which a "
						   "shared queue is used with.)");
		break;
	case SETUP_BOTH:
		setup_say(setup, "For each device one shared queue with half of its entries, for "
				 "any number of processes, and two dedicated ones, for one process "
				 "each.");
		break;
	default:
		setup_say(setup,
			  "Queues of the kernel, for the module sva_dma: this kernel refuses "
			  "programs their own queues (step 1).");
	}
	if (setup->mode == SETUP_SHARED || setup->mode == SETUP_BOTH)
		setup_say(setup,
			  "Page faults do not block in a shared queue: a descriptor that "
			  "waits for a page stops an engine for all programs. libsva touches "
			  "the page and submits the rest.");
}

static void say_clients(const struct setup *setup, const struct machine_device *device)
{
	for (unsigned int i = 0; i < device->queue_count; i++)
		if (device->queues[i].enabled)
			setup_say(setup,
				  "wq%u.%u is enabled: %s, %s, %u entries, used by %u open "
				  "files.",
				  device->number, device->queues[i].number, device->queues[i].type,
				  device->queues[i].dedicated ? "dedicated" : "shared",
				  device->queues[i].size, device->queues[i].clients);
}

static void configure_device(const struct setup *setup, const struct machine_device *device)
{
	unsigned int d = device->number;

	switch (setup_state(device, setup->mode)) {
	case SETUP_READY:
		setup_say(setup, "dsa%u: done: it has enabled queues (%s).", d,
			  name_of(setup->mode));
		return;
	case SETUP_ENABLE:
		setup_say(setup, "dsa%u: its queues are configured, and have to be enabled.", d);
		setup_enable_existing(setup->out, device);
		return;
	case SETUP_HALTED:
		setup_say(setup,
			  "dsa%u is halted after an error: no command of its driver mends "
			  "that on every kernel. Look at the kernel's log (dmesg), and "
			  "reboot; Linux from 7.2 on resets it by itself.",
			  d);
		return;
	case SETUP_FIXED:
		setup_say(setup,
			  "dsa%u cannot be configured here, as in most virtual machines: "
			  "its queues are those that the host gave it.",
			  d);
		setup_enable_existing(setup->out, device);
		return;
	case SETUP_BUSY:
		setup_say(setup,
			  "dsa%u has enabled queues, but none of the wanted mode, and "
			  "programs use them. No command is printed that would end these "
			  "programs' work; stop them, and call sva-info --setup again.",
			  d);
		say_clients(setup, device);
		return;
	case SETUP_CONFIGURE:
		break;
	}
	setup_say(
		setup, "dsa%u: queues (%s)%s", d, name_of(setup->mode),
		strcmp(device->state, "enabled") ?
			"." :
			"; what is enabled now is disabled first, and forgets its configuration.");
	say_clients(setup, device);
	setup_disable(setup->out, device);
	setup_configure(setup->out, device, setup->mode);
	setup_enable(setup->out, device, setup->mode);
}

static void print_queues(struct setup *setup)
{
	setup_begin(setup, "Queues");
	explain_mode(setup);
	setup_say(setup, "The order is the driver's: sizes and groups only while the device is "
			 "disabled, the threshold after the size, the device before its queues. "
			 "All engines serve one group.");
	for (unsigned int i = 0; i < setup->machine->device_count; i++)
		configure_device(setup, &setup->machine->devices[i]);
}

static void print_nodes(struct setup *setup)
{
	if (setup->mode == SETUP_KERNEL)
		return;
	setup_begin(setup, "Device nodes");
	if (setup->machine->udev) {
		setup_say(setup, "udev applies its rules to nodes that were there before them.");
		fputs("udevadm trigger --action=change --subsystem-match=dsa\nudevadm settle\n",
		      setup->out);
		return;
	}
	setup_say(setup, "udev does not run here, so that the rule has no effect: what it would do "
			 "is done by hand, each time that queues were enabled.");
	fprintf(setup->out, "chgrp %s /dev/dsa/wq*\nchmod 0660 /dev/dsa/wq*\n", setup->group);
}

static void print_end(struct setup *setup)
{
	setup_begin(setup, "Use them");
	if (setup->mode == SETUP_KERNEL) {
		setup_say(setup,
			  "sva-info shows the path dma as usable to members of the group %s "
			  "(after their next login).",
			  setup->group);
		return;
	}
	setup_say(setup,
		  "sva-info shows root the paths enqcmd (shared queues) or movdir64b "
		  "(dedicated ones), and members of the group %s (after their next login) "
		  "the path write: since Linux 6.10, and in stable kernels of that time, a "
		  "portal may be mapped with CAP_SYS_RAWIO only. A program of an "
		  "administrator may be given that: setcap cap_sys_rawio+ep PROGRAM. It "
		  "opens more than queues: see sva_security(7).",
		  setup->group);
}

void setup_print(FILE *out, const struct machine *machine, const struct info *info,
		 const char *group, enum setup_mode mode)
{
	struct setup setup = {
		.machine = machine,
		.info = info,
		.out = out,
		.group = group,
		.mode = setup_choose(machine, info, mode),
	};
	char version[32];

	fprintf(out, "#!/bin/sh\n");
	setup_say(&setup,
		  "What stands between this machine and queues that programs can use, as "
		  "libsva %s sees it (Linux %s). Nothing of it was done. Read it, then run "
		  "it as root:",
		  term_version(version), machine->release);
	fputs("#\n#     sva-info --setup >setup.sh && less setup.sh && sudo sh setup.sh\n#\n", out);
	if (info->emulated)
		setup_say(&setup, "The device is an emulated one: it ends with this run of "
				  "sva-emu.");
	if (machine->container)
		setup_say(&setup,
			  "This is a container (%s): all steps but the last ones are taken "
			  "on its host, so call sva-info --setup there.",
			  machine->container);
	if (!machine->sysfs)
		setup_say(&setup,
			  "/sys is not mounted or not readable here, so that neither driver "
			  "nor devices can be seen.");
	fputs("set -e\n", out);
	if (!setup_kernel(&setup) || !setup_driver(&setup))
		return;
	setup_tool(&setup);
	setup_group(&setup);
	setup_rule(&setup);
	print_queues(&setup);
	print_nodes(&setup);
	setup_module(&setup);
	setup_boot(&setup);
	print_end(&setup);
	setup_guests(&setup);
}
