/* SPDX-License-Identifier: MIT */
/*
 * How a machine gets queues. queues.c: which queues of a device are wanted, and the commands and
 * the configuration of accel-config that make them. setup.c: the whole way, as a script with its
 * reasons; steps.c: those of its steps that concern the system; guests.c: containers and virtual
 * machines; say.c: its comments. remedy.c: what mends one reason in this machine's state.
 */
#ifndef SVA_TOOLS_SETUP_H
#define SVA_TOOLS_SETUP_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/info/info.h"
#include "tools/info/machine.h"

enum setup_mode { SETUP_AUTO, SETUP_SHARED, SETUP_DEDICATED, SETUP_BOTH, SETUP_KERNEL };

struct setup {
	const struct machine *machine;
	const struct info *info;
	FILE *out;
	const char *group;    /* whose members may use the queues */
	enum setup_mode mode; /* never SETUP_AUTO in the functions below but setup_choose() */
	unsigned int step;
};

#define SETUP_GROUP "sva" /* the group of the installed udev rules */

/* queues.c */

/* What a device needs before it has the queues of a mode. */
enum setup_state {
	SETUP_READY,     /* nothing */
	SETUP_ENABLE,    /* its queues are configured, but not all of them enabled */
	SETUP_CONFIGURE, /* they have to be configured */
	SETUP_BUSY,      /* the same, but programs use the queues that there are */
	SETUP_FIXED,     /* the same, but this device cannot be configured */
	SETUP_HALTED,    /* it does not work */
};

/*
 * The mode, if the user has asked for none: that of queues that are there; else shared, if the CPU
 * has ENQCMD.
 */
enum setup_mode setup_choose(const struct machine *machine, const struct info *info,
			     enum setup_mode asked);
enum setup_state setup_state(const struct machine_device *device, enum setup_mode mode);

/*
 * Print commands, one a line: disable a device and its queues; configure engines and queues, all of
 * them; enable the device and the queues that are configured.
 */
void setup_disable(FILE *out, const struct machine_device *device);
void setup_configure(FILE *out, const struct machine_device *device, enum setup_mode mode);
void setup_enable(FILE *out, const struct machine_device *device, enum setup_mode mode);
void setup_enable_existing(FILE *out, const struct machine_device *device);

/* Print the same queues of all devices as accel-config load-config reads them. */
void setup_json(FILE *out, const struct machine *machine, enum setup_mode mode);

/* setup.c: prints the script. */
void setup_print(FILE *out, const struct machine *machine, const struct info *info,
		 const char *group, enum setup_mode mode);

/* steps.c: steps of the script. The first returns false if nothing further can be done before a
 * reboot. */
bool setup_kernel(struct setup *setup);
bool setup_driver(struct setup *setup);
void setup_tool(struct setup *setup);
void setup_group(struct setup *setup);
void setup_rule(struct setup *setup);
void setup_module(struct setup *setup);
void setup_boot(struct setup *setup);

/* say.c: print "# N. TITLE" and text, as comments of at most 80 columns. */
void setup_begin(struct setup *setup, const char *title);
void setup_say(const struct setup *setup, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The rule of udev for the nodes of queues. */
void setup_print_rule(FILE *out, const char *group);

/* guests.c: prints, as comments, how containers and virtual machines get the queues. */
void setup_guests(struct setup *setup);

/* remedy.c */

/* queue: the queue that has this reason, or NULL if it is that of a path without any. */
void remedy_find(const struct machine *machine, const struct info *info, uint32_t reason,
		 const struct sva_queue_info *queue, struct remedy *remedy);

/* That page faults do not block on this queue; false if they may, or the device cannot. */
bool remedy_faults(const struct machine *machine, const struct sva_queue_info *queue,
		   struct remedy *remedy);

#endif
