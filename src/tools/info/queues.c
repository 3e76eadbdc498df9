/* SPDX-License-Identifier: MIT */
/*
 * Which queues a device gets, as commands and as a configuration for accel-config; see setup.h.
 *
 * The driver takes sizes and groups only while the device is disabled, mode and threshold while the
 * queue is; a threshold only for a shared queue, after its size. It enables a queue only after its
 * device, and only if it has a type, a name, entries and an engine in its group.
 */
#include <string.h>

#include "tools/info/setup.h"

struct wanted {
	unsigned int number;
	bool dedicated, kernel;
	uint32_t size;
};

#define WANTED_MAX   4
#define PRIORITY     10 /* of 1 to 15: in the middle */
#define MAX_TRANSFER 2097152 /* the driver's own limits */
#define MAX_BATCH    32

/*
 * The queues of a mode. A shared queue serves any number of processes, so one takes all entries; a
 * dedicated one serves one process, so there are several.
 */
static unsigned int list_wanted(const struct machine_device *device, enum setup_mode mode,
				struct wanted wanted[static WANTED_MAX])
{
	unsigned int most = device->queue_count < WANTED_MAX ? device->queue_count : WANTED_MAX;
	unsigned int count = mode == SETUP_SHARED || mode == SETUP_KERNEL ? 1 :
			     mode == SETUP_BOTH				    ? 3 :
									      WANTED_MAX;

	if (count > most)
		count = most;
	for (unsigned int i = 0; i < count; i++) {
		bool dedicated = mode == SETUP_BOTH ? i > 0 : mode != SETUP_SHARED;
		uint32_t parts = count == 1 ? 1 : mode == SETUP_BOTH && !i ? 2 : 4;

		wanted[i] = (struct wanted){
			.number = i,
			.dedicated = dedicated,
			.kernel = mode == SETUP_KERNEL,
			.size = device->entries / parts ? device->entries / parts : 1,
		};
	}
	return count;
}

static const char *name_of(const struct wanted *wanted)
{
	return wanted->kernel ? "sva_dma" : wanted->dedicated ? "sva_dedicated" : "sva_shared";
}

/*
 * A descriptor that waits for a page occupies an engine meanwhile, for all queues of its group: a
 * shared queue, which serves strangers, does not allow that.
 */
static bool may_block(const struct machine_device *device, const struct wanted *wanted)
{
	return device->can_block && wanted->dedicated && !wanted->kernel;
}

/* Has the device queues of the mode that are configured or, as asked, even enabled? */
static bool has_queues(const struct machine_device *device, enum setup_mode mode, bool enabled)
{
	bool shared = false, dedicated = false, kernel = false;

	for (unsigned int i = 0; i < device->queue_count; i++) {
		const struct machine_queue *queue = &device->queues[i];

		if (!machine_is_configured(queue) || !queue->named || (enabled && !queue->enabled))
			continue;
		kernel |= !strcmp(queue->type, "kernel");
		shared |= !strcmp(queue->type, "user") && !queue->dedicated;
		dedicated |= !strcmp(queue->type, "user") && queue->dedicated;
	}
	return mode == SETUP_SHARED    ? shared :
	       mode == SETUP_DEDICATED ? dedicated :
	       mode == SETUP_KERNEL    ? kernel :
					 shared && dedicated;
}

enum setup_mode setup_choose(const struct machine *machine, const struct info *info,
			     enum setup_mode asked)
{
	for (unsigned int i = 0; i < info->queue_count; i++)
		if (info->queues[i].reasons[SVA_PATH_WRITE] == SVA_REASON_SVA_REFUSED)
			return SETUP_KERNEL;
	if (machine->refuses && !info->emulated)
		return SETUP_KERNEL;
	if (asked != SETUP_AUTO)
		return asked;
	for (unsigned int i = 0; i < machine->device_count; i++) {
		if (has_queues(&machine->devices[i], SETUP_SHARED, false))
			return SETUP_SHARED;
		if (has_queues(&machine->devices[i], SETUP_DEDICATED, false))
			return SETUP_DEDICATED;
	}
	return machine->enqcmd ? SETUP_SHARED : SETUP_DEDICATED;
}

enum setup_state setup_state(const struct machine_device *device, enum setup_mode mode)
{
	if (!strcmp(device->state, "halted"))
		return SETUP_HALTED;
	if (has_queues(device, mode, true))
		return SETUP_READY;
	if (has_queues(device, mode, false))
		return SETUP_ENABLE;
	if (!device->configurable)
		return SETUP_FIXED;
	for (unsigned int i = 0; i < device->queue_count; i++)
		if (device->queues[i].enabled && device->queues[i].clients)
			return SETUP_BUSY;
	return SETUP_CONFIGURE;
}

/* ------------------------------------------------------------------ commands */

void setup_disable(FILE *out, const struct machine_device *device)
{
	for (unsigned int i = 0; i < device->queue_count; i++)
		if (device->queues[i].enabled)
			fprintf(out, "accel-config disable-wq dsa%u/wq%u.%u\n", device->number,
				device->number, device->queues[i].number);
	if (!strcmp(device->state, "enabled"))
		fprintf(out, "accel-config disable-device dsa%u\n", device->number);
}

void setup_configure(FILE *out, const struct machine_device *device, enum setup_mode mode)
{
	unsigned int d = device->number, count;
	struct wanted wanted[WANTED_MAX];

	for (unsigned int e = 0; e < device->engines; e++)
		fprintf(out, "accel-config config-engine dsa%u/engine%u.%u --group-id=0\n", d, d,
			e);
	count = list_wanted(device, mode, wanted);
	for (unsigned int i = 0; i < count; i++) {
		const struct wanted *w = &wanted[i];

		fprintf(out, "accel-config config-wq dsa%u/wq%u.%u --group-id=0 --mode=%s", d, d,
			w->number, w->dedicated ? "dedicated" : "shared");
		fprintf(out, " --wq-size=%u", w->size);
		if (!w->dedicated)
			fprintf(out, " --threshold=%u", w->size);
		fprintf(out, " --priority=%d --type=%s", PRIORITY, w->kernel ? "kernel" : "user");
		if (device->queues[i].has_driver_name)
			fprintf(out, " --driver-name=%s", w->kernel ? "dmaengine" : "user");
		fprintf(out, " --name=%s", name_of(w));
		if (device->can_block)
			fprintf(out, " --block-on-fault=%d", may_block(device, w));
		putc('\n', out);
	}
}

void setup_enable(FILE *out, const struct machine_device *device, enum setup_mode mode)
{
	unsigned int d = device->number, count;
	struct wanted wanted[WANTED_MAX];

	fprintf(out, "accel-config enable-device dsa%u\n", d);
	count = list_wanted(device, mode, wanted);
	for (unsigned int i = 0; i < count; i++)
		fprintf(out, "accel-config enable-wq dsa%u/wq%u.%u\n", d, d, wanted[i].number);
}

void setup_enable_existing(FILE *out, const struct machine_device *device)
{
	unsigned int d = device->number;

	if (strcmp(device->state, "enabled"))
		fprintf(out, "accel-config enable-device dsa%u\n", d);
	for (unsigned int i = 0; i < device->queue_count; i++)
		if (machine_is_configured(&device->queues[i]) && !device->queues[i].enabled)
			fprintf(out, "accel-config enable-wq dsa%u/wq%u.%u\n", d, d,
				device->queues[i].number);
}

/* ------------------------------------------------------------------ the configuration */

static void print_queue(FILE *out, const struct machine_device *device, const struct wanted *w,
			bool last)
{
	fprintf(out, "          {\n            \"dev\":\"wq%u.%u\",\n", device->number, w->number);
	fprintf(out, "            \"mode\":\"%s\",\n", w->dedicated ? "dedicated" : "shared");
	fprintf(out, "            \"size\":%u,\n            \"group_id\":0,\n", w->size);
	fprintf(out, "            \"priority\":%d,\n", PRIORITY);
	if (device->can_block)
		fprintf(out, "            \"block_on_fault\":%d,\n", may_block(device, w));
	fprintf(out, "            \"max_batch_size\":%d,\n", MAX_BATCH);
	fprintf(out, "            \"max_transfer_size\":%d,\n", MAX_TRANSFER);
	fprintf(out, "            \"type\":\"%s\",\n", w->kernel ? "kernel" : "user");
	if (device->queues[w->number].has_driver_name)
		fprintf(out, "            \"driver_name\":\"%s\",\n",
			w->kernel ? "dmaengine" : "user");
	fprintf(out, "            \"name\":\"%s\"", name_of(w));
	if (!w->dedicated)
		fprintf(out, ",\n            \"threshold\":%u", w->size);
	fprintf(out, "\n          }%s\n", last ? "" : ",");
}

static void print_device(FILE *out, const struct machine_device *device, enum setup_mode mode)
{
	struct wanted wanted[WANTED_MAX];
	unsigned int count = list_wanted(device, mode, wanted);

	fprintf(out, "  {\n    \"dev\":\"dsa%u\",\n    \"groups\":[\n      {\n", device->number);
	fprintf(out, "        \"dev\":\"group%u.0\",\n        \"grouped_workqueues\":[\n",
		device->number);
	for (unsigned int i = 0; i < count; i++)
		print_queue(out, device, &wanted[i], i + 1 == count);
	fputs("        ],\n        \"grouped_engines\":[\n", out);
	for (unsigned int e = 0; e < device->engines; e++)
		fprintf(out, "          { \"dev\":\"engine%u.%u\", \"group_id\":0 }%s\n",
			device->number, e, e + 1 == device->engines ? "" : ",");
	fputs("        ]\n      }\n    ]\n  }", out);
}

void setup_json(FILE *out, const struct machine *machine, enum setup_mode mode)
{
	fputs("[\n", out);
	for (unsigned int i = 0; i < machine->device_count; i++) {
		print_device(out, &machine->devices[i], mode);
		fputs(i + 1 == machine->device_count ? "\n" : ",\n", out);
	}
	fputs("]\n", out);
}
