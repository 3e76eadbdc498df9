/* SPDX-License-Identifier: MIT */
/*
 * The state of this machine as far as it decides whether a DSA can be used: what the kernel shows
 * in /sys and /proc, which programs an administrator has, and what this process runs in. Read
 * without the library, which reports queues and reasons, but not what would mend them.
 */
#ifndef SVA_TOOLS_MACHINE_H
#define SVA_TOOLS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_DEVICES 32
#define MACHINE_QUEUES 32 /* of one device; those that are built have 8 or 16 */

struct machine_queue {
	unsigned int number; /* 3 of wq0.3 */
	bool enabled, dedicated;
	uint32_t size, threshold, clients;
	bool named;	      /* without a name the driver does not enable a queue */
	bool has_driver_name; /* Linux from 6.7 on: the attribute is there, and must be set */
	char type[16];	      /* "none", "user", "kernel" */
};

struct machine_device {
	unsigned int number; /* 0 of dsa0 */
	char state[16];	     /* "enabled", "disabled", "halted" */
	int pasid;	     /* pasid_enabled: 1, 0, or -1 if it cannot be read */
	uint32_t entries, engines;
	bool can_block; /* gen_cap: page faults may block */
	bool configurable;
	unsigned int queue_count;
	struct machine_queue queues[MACHINE_QUEUES];
};

struct machine {
	bool sysfs, proc;      /* are they mounted here? */
	const char *container; /* what this process runs in, such as "podman"; NULL: no container */
	bool driver;	       /* is idxd loaded? */
	unsigned int functions;			   /* PCI functions that are a DSA */
	char function[16];			   /* address of the first one */
	bool iommu;				   /* does the kernel use one? */
	bool scalable;				   /* the command line asks for scalable mode */
	bool enqcmd, movdir64b;			   /* in /proc/cpuinfo */
	bool udev, systemd;			   /* are they running? */
	bool accel_config, grub, grubby, apt, dnf; /* programs in the path of an administrator */
	bool module;				   /* /dev/sva_dma is there */
	char release[65];   /* of the kernel: 6.1.176, also where uname -r has 6.1.0-41-amd64 */
	bool refuses;	    /* is it one that refuses shared virtual addressing? */
	unsigned int nodes; /* of queues, in /dev/dsa */
	char node[32];	    /* the first one */
	unsigned int device_count;
	struct machine_device devices[MACHINE_DEVICES];
};

/* Reads everything. What cannot be read is left as it would be on a machine without it. */
void machine_read(struct machine *machine);

/* The device or queue of a name such as "dsa0" or "wq0.3"; NULL if it is not there. */
const struct machine_device *machine_device(const struct machine *machine, const char *name);
const struct machine_queue *machine_queue(const struct machine *machine, const char *name);

/* Has the queue what it needs to be enabled? */
bool machine_is_configured(const struct machine_queue *queue);

#endif
