/* SPDX-License-Identifier: MIT */
/*
 * The plug-in "dsa": the queues of the idxd driver, through libaccel-config. It is the only file
 * that links that library, and it uses no symbol that version 3.5.3 lacks: later ones were added to
 * old symbol versions, so they would pass the version check of the dynamic linker and fail when
 * called.
 *
 * Only the functions that are right in all versions are used. The library crashes on a queue whose
 * type or mode cannot be read, so these are read first. Its getters return negative errno values
 * through unsigned types. op_cap changed its layout without a new soname, and 3.5.3 cannot parse
 * the format of today's kernels; so the capability words come from sysfs itself. On a read-only
 * /sys, versions before 4.1 find no device.
 */
#include <accel-config/libaccel_config.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "sva/info.h"
#include "sva/plugin.h"
#include "sysfs.h"

#define DIRECTORY_MAX 384

static const char *const buses[] = { "/sys/bus/dsa/devices", "/sys/bus/iax/devices" };

/*
 * A negative errno that went through an unsigned getter means unknown, 0; libsva checks all other
 * values.
 */
static uint32_t number(uint64_t value)
{
	if (value > UINT64_MAX - 4096 || (value <= UINT32_MAX && value > UINT32_MAX - 4096))
		return 0;
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static bool is_device(const char *name)
{
	return (!strncmp(name, "dsa", 3) || !strncmp(name, "iax", 3)) && name[3] >= '0' &&
	       name[3] <= '9';
}

/*
 * Calls visit for each entry of a directory; returns how often visit returned true, or -errno if
 * the directory cannot be read.
 */
static int count_entries(const char *directory,
			 bool (*visit)(const char *directory, const char *name))
{
	DIR *dir = sva_fd_opendir(directory);
	const struct dirent *entry;
	int count = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		count += visit(directory, entry->d_name);
	closedir(dir);
	return count;
}

static bool visit_device(const char *directory, const char *name)
{
	(void)directory;
	return is_device(name);
}

static bool visit_readonly(const char *directory, const char *name)
{
	char path[DIRECTORY_MAX];

	if (!is_device(name) ||
	    snprintf(path, sizeof(path), "%s/%s/cmd_status", directory, name) >= (int)sizeof(path))
		return false;
	return access(path, W_OK) && errno == EROFS;
}

/*
 * A queue that makes libaccel-config crash, since it uses both texts without checking that it has
 * read them.
 */
static bool visit_unreadable(const char *directory, const char *name)
{
	char path[DIRECTORY_MAX], text[64];

	if (strncmp(name, "wq", 2) ||
	    snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return false;
	return !sysfs_text(path, "type", text, sizeof(text)) ||
	       !sysfs_text(path, "mode", text, sizeof(text));
}

/* The device's directory in sysfs. */
static bool find_directory(const char *device, char directory[static DIRECTORY_MAX])
{
	for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++)
		if (snprintf(directory, DIRECTORY_MAX, "%s/%s", buses[i], device) < DIRECTORY_MAX &&
		    !access(directory, F_OK))
			return true;
	return false;
}

/*
 * Has the administrator given the queue entries and a type? Until then neither it nor, without such
 * a queue, its device can be enabled.
 */
static bool is_configured(struct accfg_wq *wq)
{
	return accfg_wq_get_type(wq) != ACCFG_WQT_NONE && number(accfg_wq_get_size(wq));
}

/*
 * Why a program cannot use the queue, as far as sysfs shows; the first reason that applies, in the
 * order in which an administrator removes them.
 */
static uint32_t find_reason(struct accfg_device *device, struct accfg_wq *wq, const char *directory,
			    const char *node)
{
	uint64_t pasid;

	if (!is_configured(wq))
		return SVA_REASON_QUEUE_UNCONFIGURED;
	if (accfg_wq_get_type(wq) != ACCFG_WQT_USER)
		return SVA_REASON_WRONG_TYPE;
	if (accfg_device_get_state(device) != ACCFG_DEVICE_ENABLED)
		return SVA_REASON_DEVICE_DISABLED;
	if (accfg_wq_get_state(wq) != ACCFG_WQ_ENABLED)
		return SVA_REASON_QUEUE_DISABLED;
	if (sysfs_number(directory, "pasid_enabled", &pasid) && !pasid)
		return SVA_REASON_NO_IOMMU;
	return *node ? SVA_REASON_OK : SVA_REASON_NO_NODE;
}

static uint32_t find_mode(const char *directory)
{
	char text[32];

	if (!sysfs_text(directory, "mode", text, sizeof(text)))
		return SVA_MODE_UNKNOWN;
	if (!strcmp(text, "shared"))
		return SVA_MODE_SHARED;
	return !strcmp(text, "dedicated") ? SVA_MODE_DEDICATED : SVA_MODE_UNKNOWN;
}

/*
 * The operations of a queue: those of its device, less those that the administrator has disabled.
 * Bit 1, batch, of a queue's op_config is not reliable. An analytics accelerator that reports none
 * has no-op and drain and no other operation of a DSA.
 */
static void find_operations(struct accfg_device *device, const char *device_directory,
			    const char *directory, uint64_t op_cap[4])
{
	uint64_t config[4];

	if (!sysfs_bitmap(device_directory, "op_cap", op_cap)) {
		memset(op_cap, 0, 4 * sizeof(*op_cap));
		if (accfg_device_get_type(device) == ACCFG_DEVICE_IAX)
			op_cap[0] = 1u << SVA_OPCODE_NOOP | 1u << SVA_OPCODE_DRAIN;
		return;
	}
	if (!sysfs_bitmap(directory, "op_config", config) ||
	    !(config[0] | config[1] | config[2] | config[3]))
		return;
	config[0] |= 1u << SVA_OPCODE_BATCH;
	for (int i = 0; i < 4; i++)
		op_cap[i] &= config[i];
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

static int report_queue(const struct sva_accfg_host *host, struct accfg_device *device,
			const char *device_directory, struct accfg_wq *wq)
{
	struct sva_accfg_queue queue = { .size = sizeof(queue) };
	char node[256] = "", directory[DIRECTORY_MAX + 256];
	int err;

	queue.name = accfg_wq_get_devname(wq);
	queue.device = accfg_device_get_devname(device);
	snprintf(directory, sizeof(directory), "%s/%s", device_directory, queue.name);
	if (accfg_wq_get_user_dev_path(wq, node, sizeof(node)))
		node[0] = '\0';
	queue.node = node;
	queue.label = accfg_wq_get_type_name(wq);
	if (!queue.label)
		queue.label = "";
	queue.version = number(accfg_device_get_version(device));
	queue.mode = find_mode(directory);
	queue.entries = number(accfg_wq_get_size(wq));
	queue.threshold = accfg_wq_get_threshold(wq) > 0 ? (uint32_t)accfg_wq_get_threshold(wq) : 0;
	queue.max_transfer = smaller(number(accfg_wq_get_max_transfer_size(wq)),
				     number(accfg_device_get_max_transfer_size(device)));
	queue.max_batch = (uint32_t)smaller(number(accfg_wq_get_max_batch_size(wq)),
					    number(accfg_device_get_max_batch_size(device)));
	queue.numa_node =
		accfg_device_get_numa_node(device) >= 0 ? accfg_device_get_numa_node(device) : -1;
	if (!sysfs_number(device_directory, "gen_cap", &queue.gen_cap))
		queue.gen_cap = 0;
	find_operations(device, device_directory, directory, queue.op_cap);
	queue.trust = sysfs_trust(device_directory);
	queue.block_on_fault = accfg_wq_get_block_on_fault(wq) == 1;
	queue.reason = find_reason(device, wq, device_directory, node);
	err = host->add_queue(host->ctx, &queue);
	/* continue: a refused queue does not prevent the use of others */
	return err == -ENOMEM ? err : 0;
}

/*
 * accfg_wq_get_first() is called once for each device: without groups, every call would find all
 * queues again.
 */
static int report_device(const struct sva_accfg_host *host, struct accfg_device *device)
{
	char directory[DIRECTORY_MAX], detail[DIRECTORY_MAX];
	const char *name = accfg_device_get_devname(device);
	struct accfg_wq *wq;
	int err = 0;

	if (!find_directory(name, directory))
		return 0; /* it was removed meanwhile */
	if (count_entries(directory, visit_unreadable) > 0) {
		if (sva_fd_shortage())
			return sva_fd_shortage();
		snprintf(detail, sizeof(detail),
			 "%.64s: the type or mode of a queue cannot be read", name);
		host->problem(host->ctx, SVA_REASON_PLUGIN, detail);
		return 0;
	}
	for (wq = accfg_wq_get_first(device); wq && !err; wq = accfg_wq_get_next(wq))
		err = report_queue(host, device, directory, wq);
	return err;
}

/* Report devices that are in sysfs and that the library leaves out. */
static void report_missing(const struct sva_accfg_host *host, int missing)
{
	char detail[128];
	int readonly = 0;

	for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
		int count = count_entries(buses[i], visit_readonly);

		readonly += count > 0 ? count : 0;
	}
	if (readonly) {
		host->problem(host->ctx, SVA_REASON_SYSFS_READONLY, NULL);
		return;
	}
	snprintf(detail, sizeof(detail),
		 "libaccel-config leaves out %d of the devices in /sys/bus/dsa", missing);
	host->problem(host->ctx, SVA_REASON_PLUGIN, detail);
}

/*
 * libaccel-config treats a file that it cannot open as absent, and reports no error. It opens up to
 * three files at a time: as many descriptors, and as many again for other threads, must be free
 * before the library is called, and still afterwards.
 */
static int find_room(void)
{
	int fds[6], n = 0;

	while (n < 6 && (fds[n] = sva_fd_open("/", O_PATH)) >= 0)
		n++;
	for (int i = 0; i < n; i++)
		close(fds[i]);
	return sva_fd_shortage();
}

static int report_all(const struct sva_accfg_host *host, int devices)
{
	struct accfg_device *device;
	struct accfg_ctx *ctx;
	int err, found = 0;
	bool held[3];

	err = find_room();
	if (err)
		return err;
	/* The library opens files by itself, some for writing. */
	sva_fd_hold_low(held);
	err = accfg_new(&ctx);
	if (err)
		goto out;
	/*
	 * Its messages go to stderr, and what matters in them is reported as a reason; ACCFG_LOG
	 * brings them back.
	 */
	if (accfg_get_log_priority(ctx) == LOG_ERR)
		accfg_set_log_priority(ctx, LOG_EMERG);
	accfg_device_foreach(ctx, device) {
		found++;
		if (!err)
			err = report_device(host, device);
	}
	if (!err)
		err = find_room();
	if (!err && found < devices)
		report_missing(host, devices - found);
	accfg_unref(ctx);
out:
	sva_fd_release_low(held);
	return err;
}

static bool visit_any(const char *directory, const char *name)
{
	(void)directory;
	return name[0] != '.';
}

/* Neither bus is in /sys: report whether the driver is absent or /sys is empty. */
static void report_nothing(const struct sva_accfg_host *host)
{
	bool shown = count_entries("/sys/bus", visit_any) > 0;

	host->problem(host->ctx, shown ? SVA_REASON_NO_DRIVER : SVA_REASON_SYSFS_HIDDEN, NULL);
}

static int enumerate(const struct sva_accfg_host *host)
{
	int devices = 0, bus_count = 0, unreadable = 0;
	char detail[128];

	sva_fd_forget_shortage();
	for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
		int count = count_entries(buses[i], visit_device);

		bus_count += count >= 0;
		devices += count > 0 ? count : 0;
		if (count >= 0 || count == -ENOENT || count == -ENOTDIR || sva_is_shortage(count))
			continue;
		unreadable++;
		snprintf(detail, sizeof(detail), "%s cannot be read: %s", buses[i],
			 strerror(-count));
		host->problem(host->ctx, SVA_REASON_SYSFS_HIDDEN, detail);
	}
	if (devices && !sva_fd_shortage()) {
		int err = report_all(host, devices);

		return err ? err : sva_fd_shortage();
	}
	if (sva_fd_shortage())
		return sva_fd_shortage();
	if (bus_count)
		host->problem(host->ctx, SVA_REASON_NO_DEVICE,
			      "the idxd driver is loaded, but it has no device");
	else if (!unreadable)
		report_nothing(host);
	return sva_fd_shortage();
}

const struct sva_accfg_plugin sva_accfg_plugin_v1 = {
	.size = sizeof(struct sva_accfg_plugin),
	.name = "dsa",
	.about =
		"work queues of the idxd driver (Intel DSA and IAA), found through libaccel-config",
	.enumerate = enumerate,
};
