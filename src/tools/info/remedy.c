/* SPDX-License-Identifier: MIT */
/*
 * What mends a reason, in the state that this machine is in: a sentence, and commands for root. A
 * reason that needs several steps gets the next one; sva-info shows what is left after it.
 */
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/info/setup.h"

static void say(struct remedy *remedy, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct remedy *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(remedy->text, sizeof(remedy->text), fmt, ap);
	va_end(ap);
}

/* Opens the commands for writing; fclose() ends the text. NULL without memory. */
static FILE *open_commands(struct remedy *remedy)
{
	return fmemopen(remedy->commands, sizeof(remedy->commands) - 1, "w");
}

static void command(struct remedy *remedy, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void command(struct remedy *remedy, const char *fmt, ...)
{
	size_t used = strlen(remedy->commands);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(remedy->commands + used, sizeof(remedy->commands) - used, fmt, ap);
	va_end(ap);
}

/* ------------------------------------------------------------------ devices and queues */

static void mend_absence(const struct machine *machine, struct remedy *remedy)
{
	if (machine->nodes && machine->container) {
		say(remedy,
		    "This container has %s, but /sys shows no device for it. List the queue in a "
		    "file instead: SVA_PLUGINS=file, and SVA_QUEUE_FILE names it (libsva.conf(5)).",
		    machine->node);
	} else if (machine->driver && machine->functions) {
		say(remedy, "idxd has refused the DSA at %s; the kernel's log has the reason.",
		    machine->function);
		command(remedy, "dmesg | grep -i idxd\n");
	} else if (machine->functions) {
		say(remedy, "There is a DSA at %s; load its driver.", machine->function);
		command(remedy, "modprobe idxd\n");
	} else {
		say(remedy,
		    "No PCI function of this machine is a DSA%s. Programs use the CPU; to "
		    "try one on an emulated DSA: sva-emu run -- PROGRAM.",
		    machine->container ? " that this container can see" : "");
	}
}

static void mend_unconfigured(const struct machine *machine, const struct info *info,
			      const struct machine_device *device, struct remedy *remedy)
{
	FILE *out = open_commands(remedy);

	say(remedy,
	    "dsa%u has no queue that is configured. sva-info --setup prints the whole way, "
	    "with reasons and choices; its next step:",
	    device->number);
	if (!out)
		return;
	setup_disable(out, device);
	setup_configure(out, device, setup_choose(machine, info, SETUP_AUTO));
	fclose(out);
}

static void mend_disabled(const struct machine_device *device, struct remedy *remedy)
{
	if (!strcmp(device->state, "halted")) {
		say(remedy,
		    "dsa%u is halted after an error: the kernel's log has it. Linux from 7.2 "
		    "on resets the device; other kernels need a reboot.",
		    device->number);
		command(remedy, "dmesg | grep -i idxd\n");
		return;
	}
	say(remedy, "dsa%u has queues that are configured, and is disabled.", device->number);
	command(remedy, "accel-config enable-device dsa%u\n", device->number);
}

/* Disabling a queue makes the driver forget everything of it but its size and its group. */
static void print_reconfigured(struct remedy *remedy, const struct machine_queue *queue,
			       const char *device, const char *name, bool blocks)
{
	if (queue->enabled)
		command(remedy, "accel-config disable-wq %s/%s\n", device, name);
	command(remedy, "accel-config config-wq %s/%s --mode=%s", device, name,
		queue->dedicated ? "dedicated" : "shared");
	if (!queue->dedicated)
		command(remedy, " --threshold=%u", queue->size);
	command(remedy, " --priority=10 --type=user%s --name=sva_%s --block-on-fault=%d\n",
		queue->has_driver_name ? " --driver-name=user" : "",
		queue->dedicated ? "dedicated" : "shared", blocks);
	if (queue->enabled)
		command(remedy, "accel-config enable-wq %s/%s\n", device, name);
}

bool remedy_faults(const struct machine *machine, const struct sva_queue_info *queue,
		   struct remedy *remedy)
{
	const struct machine_device *device = machine_device(machine, queue->device);
	const struct machine_queue *state = machine_queue(machine, queue->name);

	memset(remedy, 0, sizeof(*remedy));
	if (queue->block_on_fault || !device || !state || !device->can_block)
		return false;
	say(remedy, "page faults do not block: libsva touches the page and submits the rest");
	print_reconfigured(remedy, state, queue->device, queue->name, true);
	return true;
}

/* ------------------------------------------------------------------ nodes and rights */

static const char *user_name(void)
{
	const struct passwd *user = getpwuid(getuid());

	return user ? user->pw_name : "USER";
}

static void mend_permission(const struct machine *machine, const char *node, struct remedy *remedy)
{
	const struct group *group;
	struct stat st;

	if (stat(node, &st)) {
		say(remedy, "%s cannot be looked at here.", node);
		return;
	}
	group = getgrgid(st.st_gid);
	if (st.st_gid && (st.st_mode & 0060) == 0060) {
		say(remedy,
		    "%s is for the group %s, which this process is not in. From the next "
		    "login on:",
		    node, group ? group->gr_name : "of that number");
		if (group)
			command(remedy, "usermod -aG %s %s\n", group->gr_name, user_name());
		return;
	}
	say(remedy, "%s is for root alone. Give it to a group%s:", node,
	    machine->udev ? " by a udev rule" : " (udev does not run here)");
	command(remedy, "getent group %s >/dev/null || groupadd --system %s\n", SETUP_GROUP,
		SETUP_GROUP);
	if (!machine->udev) {
		command(remedy, "chgrp %s %s\nchmod 0660 %s\n", SETUP_GROUP, node, node);
		return;
	}
	command(remedy,
		"echo 'SUBSYSTEM==\"dsa\", KERNEL==\"dsa/wq*\", GROUP=\"%s\", MODE=\"0660\"' "
		">/etc/udev/rules.d/61-libsva.rules\n",
		SETUP_GROUP);
	command(remedy, "udevadm control --reload && udevadm trigger --action=change "
			"--subsystem-match=dsa\n");
}

static void mend_node(const struct machine *machine, const char *name, struct remedy *remedy)
{
	if (machine->container) {
		say(remedy,
		    "/sys shows %s, but this container (%s) has no node for it: start it "
		    "with --device /dev/dsa/%s.",
		    name, machine->container, name);
		return;
	}
	say(remedy, "The queue is enabled, but /dev/dsa/%s is not there%s", name,
	    machine->udev ? ":" : ", and udev does not run here.");
	if (machine->udev)
		command(remedy, "udevadm trigger --subsystem-match=dsa && udevadm settle\n");
}

/* Reasons that need no queue to explain them. */
static void mend_system(const struct machine *machine, uint32_t reason, struct remedy *remedy)
{
	switch (reason) {
	case SVA_REASON_SYSFS_HIDDEN:
		say(remedy, "Without /sys neither driver nor devices can be seen%s.",
		    machine->container ? " in this container" : "");
		command(remedy, "mount -t sysfs sysfs /sys\n");
		break;
	case SVA_REASON_SYSFS_READONLY:
		say(remedy, "libaccel-config before 4.1 finds nothing on a read-only /sys%s.",
		    machine->container ? ", which containers have: list the queues in a file "
					 "(SVA_PLUGINS=file, SVA_QUEUE_FILE)" :
					 "");
		if (!machine->container)
			command(remedy, "mount -o remount,rw /sys\n");
		break;
	case SVA_REASON_PROC_HIDDEN:
		command(remedy, "mount -t proc proc /proc\n");
		break;
	case SVA_REASON_NO_IOMMU:
		say(remedy,
		    "The kernel needs parameters, and a reboot: sva-info --setup prints the "
		    "commands for this machine's boot loader.");
		break;
	case SVA_REASON_SVA_REFUSED:
		say(remedy,
		    "Linux %s is the obstacle: boot 6.18.7 or later, or let sva_dma copy and "
		    "fill; sva-info --setup prints how.",
		    machine->release);
		break;
	case SVA_REASON_NEED_RAWIO:
		say(remedy,
		    "Nothing has to be mended: write(2) reaches the same queues, with a "
		    "system call for each submission. A trusted program may be given portals: "
		    "setcap cap_sys_rawio+ep PROGRAM (sva_security(7)).");
		break;
	case SVA_REASON_NO_ENQCMD:
		say(remedy, "Dedicated queues need no ENQCMD: sva-info --setup --mode dedicated.");
		break;
	case SVA_REASON_EXCLUDED:
	case SVA_REASON_QUEUE_EXCLUDED:
		say(remedy, "A setting excludes it: sva-info -e shows the value of each.");
		break;
	case SVA_REASON_UNTRUSTED:
		say(remedy, "If the device is known to be good, a program may open it with "
			    "SVA_OPEN_UNTRUSTED (sva_open(3)).");
		break;
	case SVA_REASON_MODULE_ABSENT:
		say(remedy, "Only a kernel that refuses shared virtual addressing needs it.");
		command(remedy, "modprobe sva_dma\n");
		break;
	case SVA_REASON_MODULE_PERMISSION:
		mend_permission(machine, "/dev/sva_dma", remedy);
		break;
	case SVA_REASON_MODULE_NO_CHANNEL:
		say(remedy,
		    "sva_dma works with queues of type kernel: sva-info --setup prints how.");
		break;
	default:
		break;
	}
}

void remedy_find(const struct machine *machine, const struct info *info, uint32_t reason,
		 const struct sva_queue_info *queue, struct remedy *remedy)
{
	const struct machine_device *device = queue ? machine_device(machine, queue->device) : NULL;
	const struct machine_queue *state = queue ? machine_queue(machine, queue->name) : NULL;

	memset(remedy, 0, sizeof(*remedy));
	if (reason == SVA_REASON_NO_DEVICE || reason == SVA_REASON_NO_DRIVER) {
		mend_absence(machine, remedy);
	} else if (reason == SVA_REASON_QUEUE_UNCONFIGURED && device) {
		mend_unconfigured(machine, info, device, remedy);
	} else if (reason == SVA_REASON_DEVICE_DISABLED && device) {
		mend_disabled(device, remedy);
	} else if (reason == SVA_REASON_QUEUE_DISABLED && queue) {
		command(remedy, "accel-config enable-wq %s/%s\n", queue->device, queue->name);
	} else if (reason == SVA_REASON_WRONG_TYPE && state) {
		say(remedy,
		    "%s is for drivers in the kernel. For programs it has to be configured "
		    "anew:",
		    queue->name);
		print_reconfigured(remedy, state, queue->device, queue->name, false);
	} else if (reason == SVA_REASON_NO_PERMISSION && queue) {
		mend_permission(machine, queue->node, remedy);
	} else if (reason == SVA_REASON_NO_NODE && queue) {
		mend_node(machine, queue->name, remedy);
	} else if (reason == SVA_REASON_BUSY && queue) {
		say(remedy, "This shows which process has it:");
		command(remedy, "fuser -v %s\n", queue->node);
	} else {
		mend_system(machine, reason, remedy);
	}
}
