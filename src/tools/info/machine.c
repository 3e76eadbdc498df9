/* SPDX-License-Identifier: MIT */
/* Reads the state of this machine; see machine.h. */
#include "tools/info/machine.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sva/desc.h"

#define DEVICES "/sys/bus/dsa/devices"
#define PATH_ROOM 512

/* The first line of a file, without its newline; "" if it cannot be read. */
static char *read_line(const char *path, char *text, size_t size)
{
	FILE *in = fopen(path, "re");

	text[0] = '\0';
	if (in && !fgets(text, (int)size, in))
		text[0] = '\0';
	if (in)
		fclose(in);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static char *read_attribute(const char *directory, const char *name, char *text, size_t size)
{
	char path[PATH_ROOM + 32];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return read_line(path, text, size);
}

/* A number from an attribute, or otherwise if it is not there. */
static uint64_t read_number(const char *directory, const char *name, uint64_t otherwise)
{
	char text[64], *end;
	uint64_t value;

	read_attribute(directory, name, text, sizeof(text));
	value = strtoull(text, &end, 0);
	return end == text ? otherwise : value;
}

static bool has_attribute(const char *directory, const char *name)
{
	char path[PATH_ROOM + 32];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return !access(path, F_OK);
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || strchr(" ,=\t", at[-1])) && strchr(" ,\n\t", at[length]))
			return true;
	return false;
}

static bool has_entries(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return found;
}

/* Is the program where an administrator's shell looks? The user's PATH may lack sbin. */
static bool has_program(const char *name)
{
	static const char *const directories[] = {"/usr/sbin", "/usr/bin",	  "/sbin",
						  "/bin",      "/usr/local/sbin", "/usr/local/bin"};
	char path[PATH_ROOM];

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directories[i], name);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ the kernel and the CPU */

/* The PCI numbers of DSAs: Sapphire, Emerald and Granite Rapids; Granite Rapids D; Diamond Rapids.
 */
static bool is_dsa(uint64_t vendor, uint64_t device)
{
	return vendor == 0x8086 && (device == 0x0b25 || device == 0x11fb || device == 0x1212);
}

static void read_functions(struct machine *machine)
{
	static const char directory[] = "/sys/bus/pci/devices";
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	char path[PATH_ROOM];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%.64s", directory, entry->d_name);
		if (!is_dsa(read_number(path, "vendor", 0), read_number(path, "device", 0)))
			continue;
		if (!machine->functions++)
			snprintf(machine->function, sizeof(machine->function), "%.15s",
				 entry->d_name);
	}
	if (dir)
		closedir(dir);
}

static void read_processor(struct machine *machine)
{
	FILE *in = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t size = 0;

	machine->proc = in != NULL;
	while (in && getline(&line, &size, in) > 0) {
		if (strncmp(line, "flags\t", 6))
			continue;
		machine->enqcmd = has_word(line, "enqcmd");
		machine->movdir64b = has_word(line, "movdir64b");
		break;
	}
	free(line);
	if (in)
		fclose(in);
}

/*
 * Debian's uname -r has only the first two numbers of the version; its uname -v ends in all three.
 * Stable 6.1 from 163 on and 6.12 from 64 on refuse shared virtual addressing on x86 (the first
 * mend of CVE-2025-71089).
 */
static void read_kernel(struct machine *machine)
{
	unsigned int major = 0, minor = 0, patch = 0;
	struct utsname name;
	const char *debian;

	if (uname(&name))
		return;
	snprintf(machine->release, sizeof(machine->release), "%.64s", name.release);
	debian = strstr(name.version, "Debian ");
	if (debian && sscanf(debian, "Debian %u.%u.%u", &major, &minor, &patch) == 3)
		snprintf(machine->release, sizeof(machine->release), "%u.%u.%u", major, minor,
			 patch);
	else
		(void)!sscanf(name.release, "%u.%u.%u", &major, &minor, &patch);
	machine->refuses =
		major == 6 && ((minor == 1 && patch >= 163) || (minor == 12 && patch >= 64));
}

static const char *find_container(void)
{
	static char name[32];
	const char *set = getenv("container");

	if (getenv("KUBERNETES_SERVICE_HOST"))
		return "Kubernetes";
	if (!set || !*set)
		set = read_line("/run/systemd/container", name, sizeof(name));
	if (*set) {
		if (set != name)
			snprintf(name, sizeof(name), "%.31s", set);
		return name;
	}
	if (!access("/run/.containerenv", F_OK))
		return "podman";
	return access("/.dockerenv", F_OK) ? NULL : "docker";
}

/* ------------------------------------------------------------------ devices and queues */

static void read_queue(struct machine_device *device, const char *directory, unsigned int number)
{
	struct machine_queue *queue = &device->queues[device->queue_count++];
	char text[64];

	queue->number = number;
	queue->enabled = !strcmp(read_attribute(directory, "state", text, sizeof(text)), "enabled");
	queue->dedicated =
		!strcmp(read_attribute(directory, "mode", text, sizeof(text)), "dedicated");
	queue->size = (uint32_t)read_number(directory, "size", 0);
	queue->threshold = (uint32_t)read_number(directory, "threshold", 0);
	queue->clients = (uint32_t)read_number(directory, "clients", 0);
	queue->named = *read_attribute(directory, "name", text, sizeof(text));
	read_attribute(directory, "type", queue->type, sizeof(queue->type));
	queue->has_driver_name = has_attribute(directory, "driver_name");
}

static void read_device(struct machine *machine, unsigned int number)
{
	struct machine_device *device = &machine->devices[machine->device_count++];
	char directory[PATH_ROOM / 2], path[PATH_ROOM];
	uint64_t most;

	snprintf(directory, sizeof(directory), DEVICES "/dsa%u", number);
	device->number = number;
	read_attribute(directory, "state", device->state, sizeof(device->state));
	device->pasid = (int)read_number(directory, "pasid_enabled", (uint64_t)-1);
	device->entries = (uint32_t)read_number(directory, "max_work_queues_size", 0);
	device->engines = (uint32_t)read_number(directory, "max_engines", 0);
	device->can_block = read_number(directory, "gen_cap", 0) & SVA_GENCAP_BLOCK_ON_FAULT;
	device->configurable = read_number(directory, "configurable", 1);
	most = read_number(directory, "max_work_queues", 0);
	for (unsigned int i = 0; i < most && i < MACHINE_QUEUES; i++) {
		snprintf(path, sizeof(path), "%s/wq%u.%u", directory, number, i);
		if (!access(path, F_OK))
			read_queue(device, path, i);
	}
}

static void read_devices(struct machine *machine)
{
	char path[PATH_ROOM];

	/* By number, as readdir() has no order. */
	for (unsigned int i = 0; i < 256 && machine->device_count < MACHINE_DEVICES; i++) {
		snprintf(path, sizeof(path), DEVICES "/dsa%u", i);
		if (!access(path, F_OK))
			read_device(machine, i);
	}
}

static void read_nodes(struct machine *machine)
{
	DIR *dir = opendir("/dev/dsa");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "wq", 2) && !machine->nodes++)
			snprintf(machine->node, sizeof(machine->node), "/dev/dsa/%.20s",
				 entry->d_name);
	if (dir)
		closedir(dir);
}

void machine_read(struct machine *machine)
{
	char line[4096];

	memset(machine, 0, sizeof(*machine));
	machine->sysfs = has_entries("/sys/bus");
	machine->driver = !access(DEVICES, F_OK);
	machine->iommu = has_entries("/sys/class/iommu");
	machine->scalable = has_word(read_line("/proc/cmdline", line, sizeof(line)), "sm_on");
	machine->udev = !access("/run/udev/control", F_OK);
	machine->systemd = !access("/run/systemd/system", F_OK);
	machine->accel_config = has_program("accel-config");
	machine->grub = has_program("update-grub");
	machine->grubby = has_program("grubby");
	machine->apt = has_program("apt-get");
	machine->dnf = has_program("dnf");
	machine->module = !access("/dev/sva_dma", F_OK);
	machine->container = find_container();
	read_kernel(machine);
	read_functions(machine);
	read_processor(machine);
	read_devices(machine);
	read_nodes(machine);
}

const struct machine_device *machine_device(const struct machine *machine, const char *name)
{
	char this[32];

	for (unsigned int i = 0; i < machine->device_count; i++) {
		snprintf(this, sizeof(this), "dsa%u", machine->devices[i].number);
		if (!strcmp(this, name))
			return &machine->devices[i];
	}
	return NULL;
}

const struct machine_queue *machine_queue(const struct machine *machine, const char *name)
{
	char this[32];

	for (unsigned int i = 0; i < machine->device_count; i++) {
		const struct machine_device *device = &machine->devices[i];

		for (unsigned int j = 0; j < device->queue_count; j++) {
			snprintf(this, sizeof(this), "wq%u.%u", device->number,
				 device->queues[j].number);
			if (!strcmp(this, name))
				return &device->queues[j];
		}
	}
	return NULL;
}

bool machine_is_configured(const struct machine_queue *queue)
{
	return queue->size && *queue->type && strcmp(queue->type, "none");
}
