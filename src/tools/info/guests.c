/* SPDX-License-Identifier: MIT */
/*
 * How containers and virtual machines get the queues of this machine, printed as comments of
 * sva-info --setup; see setup.h.
 */
#include "tools/info/setup.h"

/* Lines that are not broken, each after "#     ". */
static void print_block(const struct setup *setup, const char *const *lines)
{
	fputs("#\n", setup->out);
	for (; *lines; lines++)
		fprintf(setup->out, "#     %s\n", *lines);
	fputs("#\n", setup->out);
}

static void print_containers(struct setup *setup)
{
	static const char *const podman[] = {
		"podman run --device /dev/dsa/wq0.0 --group-add keep-groups IMAGE",
		"docker run --device /dev/dsa/wq0.0 --group-add \"$(stat -c %g /dev/dsa/wq0.0)\" IMAGE",
		NULL,
	};
	static const char *const oci[] = {
		"\"linux\": {",
		"  \"devices\": [ { \"path\": \"/dev/dsa/wq0.0\", \"type\": \"c\",",
		"    \"major\": MAJOR, \"minor\": MINOR, \"fileMode\": 432, \"gid\": GID } ],",
		"  \"resources\": { \"devices\": [ { \"allow\": true, \"type\": \"c\",",
		"    \"major\": MAJOR, \"minor\": MINOR, \"access\": \"rw\" } ] }",
		"}",
		NULL,
	};
	static const char *const kubernetes[] = {
		"resources:",
		"  limits:",
		"    dsa.intel.com/wq-user-shared: 1",
		NULL,
	};

	setup_begin(setup, "Containers");
	setup_say(setup, "A container needs the node of the queue, and a user who may open it. The "
			 "path is write: CAP_SYS_RAWIO inside of a container does not count.");
	print_block(setup, podman);
	setup_say(setup,
		  "The numbers of the node are those of stat -c '%%Hr %%Lr' /dev/dsa/wq0.0. In "
		  "the configuration of an OCI runtime:");
	print_block(setup, oci);
	setup_say(setup, "In Kubernetes, Intel's DSA device plug-in offers the queues of a machine "
			 "by their mode:");
	print_block(setup, kubernetes);
	setup_say(setup,
		  "/sys is usually read-only in a container: libaccel-config before 4.1 finds "
		  "nothing then. Have the queues listed in a file instead: SVA_PLUGINS=file, "
		  "and SVA_QUEUE_FILE names it (libsva.conf(5)).");
}

static void print_machines(struct setup *setup)
{
	static const char *const host[] = {
		"modprobe vfio-pci disable_denylist=1",
		"echo vfio-pci >/sys/bus/pci/devices/FUNCTION/driver_override",
		"echo FUNCTION >/sys/bus/pci/drivers/idxd/unbind",
		"echo FUNCTION >/sys/bus/pci/drivers_probe",
		"qemu-system-x86_64 -M q35,kernel-irqchip=split -accel kvm -cpu host \\",
		"  -device intel-iommu,intremap=on -device vfio-pci,host=FUNCTION …",
		NULL,
	};

	setup_begin(setup, "Virtual machines");
	setup_say(setup,
		  "A whole device can be given to one virtual machine, whose driver then "
		  "configures it. vfio refuses DSAs by default, since the guest could reach "
		  "memory of the host that it should not (INTEL-SA-01084): only for guests "
		  "that are trusted as the host is. FUNCTION is %s here.",
		  setup->machine->function[0] ? setup->machine->function :
						"the device's address, as lspci -D prints it,");
	print_block(setup, host);
	setup_say(setup, "Programs of the guest have queues of their own only if the virtual IOMMU "
			 "has a scalable mode with PASIDs that the host's IOMMU can nest; else "
			 "pasid_enabled is 0 in the guest, and sva_dma with a queue of the kernel "
			 "is the way there. sva-info --setup in the guest shows which.");
}

void setup_guests(struct setup *setup)
{
	print_containers(setup);
	print_machines(setup);
}
