/* SPDX-License-Identifier: MIT */
/* The steps of sva-info --setup that concern the system around the devices; see setup.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/info/setup.h"

/* 1: a device gives PASIDs, 0: one does not, -1: no device shows it. */
static int find_pasid(const struct machine *machine)
{
	int found = -1;

	for (unsigned int i = 0; i < machine->device_count; i++)
		if (machine->devices[i].pasid == 1)
			found = 1;
		else if (machine->devices[i].pasid == 0 && found < 0)
			found = 0;
	return found;
}

static void print_parameters(const struct setup *setup)
{
	static const char parameters[] = "intel_iommu=on,sm_on";

	if (setup->machine->grub) {
		fputs("mkdir -p /etc/default/grub.d\n", setup->out);
		fputs("cat >/etc/default/grub.d/libsva.cfg <<'END'\n", setup->out);
		fprintf(setup->out,
			"GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT %s\"\nEND\n",
			parameters);
		fputs("update-grub\n", setup->out);
	} else if (setup->machine->grubby) {
		fprintf(setup->out, "grubby --update-kernel=ALL --args='%s'\n", parameters);
	} else {
		setup_say(setup,
			  "Neither update-grub nor grubby is here: give the boot loader the "
			  "parameter %s by its own means.",
			  parameters);
	}
	fputs("echo 'reboot now, and call sva-info --setup again'\nexit 0\n", setup->out);
}

bool setup_kernel(struct setup *setup)
{
	const struct machine *machine = setup->machine;
	int pasid = find_pasid(machine);

	setup_begin(setup, "Kernel");
	if (setup->mode == SETUP_KERNEL) {
		setup_say(setup,
			  "Linux %s refuses shared virtual addressing: open(2) of a queue "
			  "fails with EOPNOTSUPP, as in stable 6.1 from 6.1.163 and 6.12 "
			  "from 6.12.64 on. Either boot a kernel that does not (6.18.7 and "
			  "later; Debian has one in backports), and call sva-info --setup "
			  "again; or go on: the steps below let sva_dma copy and fill with "
			  "queues of the kernel.",
			  machine->release);
		return true;
	}
	if (pasid == 1) {
		setup_say(setup, "Parameters: done: the devices give address spaces to processes "
				 "(pasid_enabled is 1).");
		return true;
	}
	if (pasid < 0 && machine->scalable) {
		setup_say(setup, "Parameters: done: the command line has sm_on.");
		return true;
	}
	if (pasid < 0 && !machine->functions && !machine->driver)
		return true; /* the next step says that there is no DSA */
	setup_say(setup,
		  "A device reaches the memory of processes through an IOMMU in scalable "
		  "mode. %s",
		  pasid == 0 ? "The devices report that they have none (pasid_enabled is 0)." :
			       "The command line of this kernel does not ask for it.");
	if (machine->scalable) {
		setup_say(setup,
			  "The command line asks for it already: enable VT-d in the setup of "
			  "the firmware (\"VT for Directed I/O\"), and call sva-info --setup "
			  "again.");
		return false;
	}
	setup_say(setup, "VT-d must be enabled in the setup of the firmware, too. Both take effect "
			 "after a reboot, so the other steps come then.");
	print_parameters(setup);
	return false;
}

bool setup_driver(struct setup *setup)
{
	const struct machine *machine = setup->machine;

	setup_begin(setup, "Driver");
	if (!machine->functions && !machine->device_count) {
		setup_say(setup,
			  "No PCI function of this machine is a DSA (8086:0b25, 11fb or "
			  "1212). Xeon Scalable processors have them from the fourth "
			  "generation on, some with all but one turned off, and the firmware "
			  "may hide them. A virtual machine has those that its host gives "
			  "it (see below).");
		setup_say(setup, "Without one libsva works on the CPU, and sva-emu run -- PROGRAM "
				 "shows an emulated DSA to a program.");
		return false;
	}
	if (machine->device_count) {
		setup_say(setup, "Done: idxd is loaded, and has %u device%s.",
			  machine->device_count, machine->device_count == 1 ? "" : "s");
		return true;
	}
	if (machine->driver) {
		setup_say(setup,
			  "idxd is loaded, but has no device, although there is a DSA at %s. "
			  "The kernel's log has the reason:",
			  machine->function);
		fputs("dmesg | grep -i idxd\nexit 1\n", setup->out);
		return false;
	}
	setup_say(setup,
		  "There is a DSA at %s, but its driver is not loaded. It usually is at boot: "
		  "see whether a file in /etc/modprobe.d forbids it.",
		  machine->function);
	fputs("modprobe idxd\n"
	      "echo 'call sva-info --setup again: now it sees the devices'\n"
	      "exit 0\n",
	      setup->out);
	return false;
}

void setup_tool(struct setup *setup)
{
	setup_begin(setup, "accel-config");
	if (setup->machine->accel_config) {
		setup_say(setup, "Done: it is installed. It configures devices and queues.");
		return;
	}
	setup_say(setup, "It configures devices and queues, and is missing here.");
	if (setup->machine->apt)
		fputs("apt-get install -y accel-config\n", setup->out);
	else if (setup->machine->dnf)
		fputs("dnf install -y accel-config\n", setup->out);
	else
		setup_say(setup, "Install it from its source, idxd-config.");
}

void setup_group(struct setup *setup)
{
	const char *user = getenv("SUDO_USER");

	setup_begin(setup, "Group");
	setup_say(setup,
		  "Members of the group %s may use the queues. Take for it a group of people "
		  "or services that may slow each other down (sva_security(7)).",
		  setup->group);
	fprintf(setup->out, "getent group %s >/dev/null || groupadd --system %s\n", setup->group,
		setup->group);
	if (!user && getuid())
		user = getenv("USER");
	if (user && *user &&
	    strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789_-") == strlen(user))
		fprintf(setup->out, "usermod -aG %s %s\n", setup->group, user);
	else
		setup_say(setup,
			  "For each user: usermod -aG %s USER. It holds from the next login "
			  "on.",
			  setup->group);
}

void setup_print_rule(FILE *out, const char *group)
{
	fprintf(out,
		"SUBSYSTEM==\"dsa\", KERNEL==\"dsa/wq*|iax/wq*\", GROUP=\"%s\", "
		"MODE=\"0660\"\n",
		group);
	fprintf(out, "SUBSYSTEM==\"misc\", KERNEL==\"sva_dma\", GROUP=\"%s\", MODE=\"0660\"\n",
		group);
}

/* Has the package, or make install, left its rule where udev reads it? */
static bool has_rule(void)
{
	return !access("/usr/lib/udev/rules.d/60-libsva.rules", F_OK) ||
	       !access("/etc/udev/rules.d/60-libsva.rules", F_OK);
}

void setup_rule(struct setup *setup)
{
	setup_begin(setup, "udev rule");
	if (has_rule() && !strcmp(setup->group, SETUP_GROUP)) {
		setup_say(setup, "Done: 60-libsva.rules gives the nodes to the group %s.",
			  setup->group);
		return;
	}
	setup_say(setup, "A queue is opened through its node in /dev/dsa, which only root may open "
			 "without a rule. The second line is for sva_dma.");
	fputs("mkdir -p /etc/udev/rules.d\ncat >/etc/udev/rules.d/61-libsva.rules <<'END'\n",
	      setup->out);
	setup_print_rule(setup->out, setup->group);
	fputs("END\n", setup->out);
	if (setup->machine->udev)
		fputs("udevadm control --reload\n", setup->out);
}

void setup_module(struct setup *setup)
{
	setup_begin(setup, "sva_dma, and the limit of pinned memory");
	if (setup->mode != SETUP_KERNEL) {
		setup_say(setup,
			  "Not needed: programs have queues of their own, which pin no memory. "
			  "(sva_dma is for kernels that refuse shared virtual addressing.)");
		return;
	}
	if (setup->machine->module) {
		setup_say(setup, "Done: /dev/sva_dma is there.");
	} else {
		setup_say(setup, "The module is in the package sva-dma-dkms, or comes with make "
				 "install-dkms from libsva's source.");
		fputs("modprobe sva_dma\n", setup->out);
	}
	if (!setup->machine->udev)
		fprintf(setup->out, "chgrp %s /dev/sva_dma\nchmod 0660 /dev/sva_dma\n",
			setup->group);
	setup_say(setup, "Mapped buffers count as locked memory of the user, of which the system "
			 "allows little (ulimit -l). 1 GiB for the group, from the next login on:");
	fprintf(setup->out,
		"mkdir -p /etc/security/limits.d\n"
		"echo '@%s - memlock 1048576' >/etc/security/limits.d/libsva.conf\n",
		setup->group);
	setup_say(setup, "A service of systemd has LimitMEMLOCK=1G in its unit instead.");
}

void setup_boot(struct setup *setup)
{
	bool all = true;

	setup_begin(setup, "The same at each boot");
	setup_say(setup,
		  "The configuration of queues does not survive a reboot. "
		  "libsva-queues.service loads it from %s.",
		  SVA_QUEUES_FILE);
	for (unsigned int i = 0; i < setup->machine->device_count; i++)
		all &= setup_state(&setup->machine->devices[i], setup->mode) == SETUP_CONFIGURE;
	fprintf(setup->out, "mkdir -p %.*s\n",
		(int)(strrchr(SVA_QUEUES_FILE, '/') - SVA_QUEUES_FILE), SVA_QUEUES_FILE);
	if (all) {
		fprintf(setup->out, "cat >%s <<'END'\n", SVA_QUEUES_FILE);
		setup_json(setup->out, setup->machine, setup->mode);
		fputs("END\n", setup->out);
	} else {
		setup_say(setup, "It is saved as it is now.");
		fprintf(setup->out, "accel-config save-config -s %s\n", SVA_QUEUES_FILE);
	}
	if (setup->machine->systemd)
		fputs("systemctl enable libsva-queues.service\n", setup->out);
	else
		setup_say(setup,
			  "systemd does not run here. What the service does: modprobe idxd; "
			  "accel-config load-config -c %s -e",
			  SVA_QUEUES_FILE);
}
