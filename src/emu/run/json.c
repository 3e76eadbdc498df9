/* SPDX-License-Identifier: MIT */
/* --config: configures the devices from a file of accel-config. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json.h>

#include "emu/run/json.h"
#include "emu/sysfs/sysfs.h"

/* The keys of each object that are attributes, in the order in which the driver wants them. */
static const char *const device_keys[] = { "read_buffer_limit", "event_log_size", NULL };
static const char *const group_keys[] = {
	"read_buffers_reserved", "use_read_buffer_limit", "read_buffers_allowed",
	"traffic_class_a", "traffic_class_b", "desc_progress_limit", "batch_progress_limit", NULL,
};
static const char *const wq_keys[] = {
	"group_id", "mode", "size", "threshold", "priority", "block_on_fault", "ats_disable",
	"prs_disable", "max_batch_size", "max_transfer_size", "type", "driver_name", "name",
	"op_config", NULL,
};
static const char *const engine_keys[] = { "group_id", NULL };

/* Keys that save-config writes and load-config does not set. */
static const char *const read_only[] = {
	"dev", "groups", "grouped_workqueues", "grouped_engines", "ungrouped_workqueues",
	"ungrouped_engines", "state", "cdev_minor", "clients", "enqcmds_retries", "token_limit",
	"tokens_reserved", "use_token_limit", "tokens_allowed", NULL,
};

struct load {
	struct emu_state *state;
	const char *file;
	const char *where; /* the object that is being read, "wq0.1" */
};

static bool is_listed(const char *const *list, const char *word)
{
	for (; *list; list++)
		if (!strcmp(*list, word))
			return true;
	return false;
}

static int report_error(const struct load *load, const char *key, const char *why)
{
	fprintf(stderr, "sva-emu: %s: %s%s%s: %s\n", load->file, load->where, key ? ": " : "",
		key ? key : "", why);
	return -EINVAL;
}

/*
 * Set one attribute, unless it has that value already: a file may name an attribute that cannot be
 * set, with the only value that it has.
 */
static int set_attr(const struct load *load, struct emu_attr_ref *ref, const char *key,
		    json_object *value)
{
	const char *text = json_object_get_string(value);
	char now[256];
	struct emu_text shown;
	size_t len = strlen(text);
	int ret;

	ref->name = key;
	text_init(&shown, now, sizeof(now));
	if (emu_attr_show(load->state, ref, &shown) == 0 && !strncmp(now, text, len) &&
	    now[len] == '\n')
		return 0;
	ret = emu_attr_store(load->state, ref, text, len);
	return ret ? report_error(load, key, strerror(-ret)) : 0;
}

static int apply_keys(struct load *load, struct emu_attr_ref ref, const char *const *keys,
		      json_object *object)
{
	json_object *value;
	int ret = 0;

	json_object_object_foreach(object, key, unused) {
		(void)unused;
		if (!is_listed(keys, key) && !is_listed(read_only, key))
			return report_error(load, key, "unknown");
	}
	for (; *keys && !ret; keys++)
		if (json_object_object_get_ex(object, *keys, &value))
			ret = set_attr(load, &ref, *keys, value);
	return ret;
}

/*
 * The number of an object in "wq0.3", "group0.1" or "engine0.2", if it is one of this device;
 * otherwise -EINVAL.
 */
static int parse_number(struct load *load, json_object *object, const char *kind,
			unsigned int device, unsigned int max)
{
	unsigned int d, n;
	json_object *dev;
	char format[32];
	int end = 0;

	if (!json_object_object_get_ex(object, "dev", &dev))
		return report_error(load, "dev", "missing");
	load->where = json_object_get_string(dev);
	snprintf(format, sizeof(format), "%s%%u.%%u%%n", kind);
	if (sscanf(load->where, format, &d, &n, &end) != 2 || load->where[end] || d != device ||
	    n >= max)
		return report_error(load, NULL, "no such object");
	return (int)n;
}

static int apply_list(struct load *load, json_object *group, const char *list, const char *kind,
		      enum emu_object object, const char *const *keys, unsigned int device,
		      unsigned int max)
{
	struct emu_attr_ref ref = { object, device, 0, NULL };
	json_object *array;
	size_t i;
	int n, ret = 0;

	if (!json_object_object_get_ex(group, list, &array))
		return 0;
	if (!json_object_is_type(array, json_type_array))
		return report_error(load, list, "no list");
	for (i = 0; i < json_object_array_length(array) && !ret; i++) {
		json_object *one = json_object_array_get_idx(array, i);

		n = parse_number(load, one, kind, device, max);
		if (n < 0)
			return n;
		ref.index = (unsigned int)n;
		ret = apply_keys(load, ref, keys, one);
	}
	return ret;
}

static int apply_device(struct load *load, json_object *object)
{
	struct emu_attr_ref ref = { .object = EMU_OBJ_DEVICE };
	json_object *dev, *groups;
	size_t i;
	int n, ret, end = 0;

	load->where = "device";
	if (!json_object_object_get_ex(object, "dev", &dev))
		return report_error(load, "dev", "missing");
	load->where = json_object_get_string(dev);
	if (sscanf(load->where, "dsa%u%n", &ref.device, &end) != 1 || load->where[end] ||
	    ref.device >= EMU_MAX_DEVICES)
		return report_error(load, NULL, "only dsa0 to dsa7 can be emulated");
	if (ref.device >= load->state->devices)
		load->state->devices = ref.device + 1;
	ret = apply_keys(load, ref, device_keys, object);
	if (ret || !json_object_object_get_ex(object, "groups", &groups))
		return ret;
	for (i = 0; json_object_is_type(groups, json_type_array) &&
		    i < json_object_array_length(groups) && !ret;
	     i++) {
		json_object *group = json_object_array_get_idx(groups, i);

		n = parse_number(load, group, "group", ref.device, EMU_MAX_GROUPS);
		if (n < 0)
			return n;
		ref.object = EMU_OBJ_GROUP;
		ref.index = (unsigned int)n;
		ret = apply_keys(load, ref, group_keys, group);
		if (ret == 0)
			ret = apply_list(load, group, "grouped_workqueues", "wq", EMU_OBJ_WQ,
					 wq_keys, ref.device, EMU_MAX_WQS);
		if (ret == 0)
			ret = apply_list(load, group, "grouped_engines", "engine", EMU_OBJ_ENGINE,
					 engine_keys, ref.device, EMU_MAX_ENGINES);
	}
	return ret;
}

/* As load-config -e does: enable the device, then each queue that has a type. */
static int enable_device(struct load *load, unsigned int device)
{
	struct emu_device *dev = &load->state->device[device];
	unsigned int w, configured = 0;
	char where[16];
	int ret;

	for (w = 0; w < EMU_MAX_WQS; w++)
		configured += dev->wq[w].group >= 0;
	if (!configured)
		return 0; /* the file does not name this device */
	load->where = where;
	snprintf(where, sizeof(where), "dsa%u", device);
	ret = emu_device_enable(load->state, device);
	if (ret)
		return report_error(load, "enabling", strerror(-ret));
	for (w = 0; w < EMU_MAX_WQS; w++) {
		struct emu_wq *wq = &dev->wq[w];

		if (wq->type == EMU_WQ_NONE)
			continue;
		snprintf(where, sizeof(where), "wq%u.%u", device, w);
		ret = emu_wq_enable(load->state, device, w,
				    wq->type == EMU_WQ_USER ? EMU_DRIVER_USER :
							      EMU_DRIVER_DMAENGINE);
		if (ret)
			return report_error(load, "enabling", strerror(-ret));
	}
	return 0;
}

int emu_json_configure(struct emu_state *state, const char *file)
{
	struct load load = { state, file, "file" };
	json_object *all = json_object_from_file(file);
	unsigned int d;
	size_t i;
	int ret = 0;

	if (!all) {
		fprintf(stderr, "sva-emu: %s: %s", file, json_util_get_last_err());
		return -EINVAL;
	}
	if (!json_object_is_type(all, json_type_array))
		ret = report_error(&load, NULL, "is no list of devices");
	for (i = 0; !ret && i < json_object_array_length(all); i++)
		ret = apply_device(&load, json_object_array_get_idx(all, i));
	for (d = 0; d < state->devices && !ret; d++)
		ret = enable_device(&load, d);
	json_object_put(all);
	return ret;
}
