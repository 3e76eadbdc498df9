/* SPDX-License-Identifier: MIT */
/*
 * sva-info -j. The schema is documented in sva-info(1); fields are added, never changed or removed,
 * while "schema" stays 1. 64-bit masks are strings, since most readers of JSON make a double of a
 * number.
 */
#include "tools/info/info.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "lib/base/utf8.h"
#include "tools/term/term.h"

#define SCHEMA 1

/*
 * For names of devices and queues, which may hold any bytes: json-c escapes control characters, but
 * bytes that are not UTF-8 would make the document invalid. NULL becomes null.
 */
static struct json_object *new_text(const char *text)
{
	char *valid = text ? malloc(4 * strlen(text) + 1) : NULL, *to = valid;
	struct json_object *object;
	size_t length;

	if (!valid)
		return NULL;
	for (; *text; text += length ? length : 1) {
		sva_utf8_decode(text, &length);
		if (length)
			to = (char *)memcpy(to, text, length) + length;
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*text);
	}
	*to = '\0';
	object = json_object_new_string(valid);
	free(valid);
	return object;
}

static struct json_object *new_mask(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%016" PRIx64, value);
	return json_object_new_string(text);
}

static struct json_object *new_path(int path, int reason, const char *text)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "path", json_object_new_string(sva_path_name(path)));
	json_object_object_add(object, "usable", json_object_new_boolean(reason == SVA_REASON_OK));
	json_object_object_add(
		object, "reason",
		reason < 0 ? NULL : json_object_new_string(sva_reason_name((unsigned int)reason)));
	json_object_object_add(object, "text", json_object_new_string(text));
	return object;
}

static struct json_object *new_queue(const struct sva_queue_info *queue)
{
	struct json_object *object = json_object_new_object(), *paths = json_object_new_array();

	json_object_object_add(object, "queue", new_text(queue->name));
	json_object_object_add(object, "node", new_text(queue->node));
	json_object_object_add(object, "label", new_text(queue->label));
	json_object_object_add(object, "mode", json_object_new_string(info_mode(queue->mode)));
	json_object_object_add(object, "entries", json_object_new_int64(queue->entries));
	json_object_object_add(object, "threshold", json_object_new_int64(queue->threshold));
	json_object_object_add(object, "max_transfer",
			       json_object_new_int64((int64_t)queue->max_transfer));
	json_object_object_add(object, "max_batch", json_object_new_int64(queue->max_batch));
	json_object_object_add(object, "block_on_fault",
			       json_object_new_boolean(queue->block_on_fault != 0));
	json_object_object_add(object, "pasid",
			       queue->pasid < 0 ? NULL : json_object_new_int(queue->pasid));
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (info_path_has_queues(path))
			json_object_array_add(paths,
					      new_path(path, (int)queue->reasons[path],
						       sva_reason_text(queue->reasons[path])));
	json_object_object_add(object, "paths", paths);
	return object;
}

static struct json_object *new_device(const struct sva_queue_info *queue)
{
	struct json_object *object = json_object_new_object(), *words = json_object_new_array();
	unsigned int bit = 0;
	const char *word;
	char version[16];

	json_object_object_add(object, "device", new_text(queue->device));
	json_object_object_add(object, "plugin", new_text(queue->plugin));
	json_object_object_add(object, "version", new_text(info_version(version, queue->version)));
	json_object_object_add(object, "numa_node", json_object_new_int(queue->numa_node));
	json_object_object_add(object, "trust", json_object_new_string(info_trust(queue->trust)));
	json_object_object_add(object, "gen_cap", new_mask(queue->gen_cap));
	while ((word = info_next_capability(queue->gen_cap, &bit)))
		json_object_array_add(words, json_object_new_string(word));
	json_object_object_add(object, "capabilities", words);
	words = json_object_new_array();
	for (int i = 0; i < 4; i++)
		json_object_array_add(words, new_mask(queue->op_cap[i]));
	json_object_object_add(object, "op_cap", words);
	words = json_object_new_array();
	for (bit = 0; (word = info_next_operation(queue->op_cap, &bit));)
		json_object_array_add(words, json_object_new_string(word));
	json_object_object_add(object, "operations", words);
	return object;
}

static struct json_object *new_devices(const struct info *info)
{
	struct json_object *devices = json_object_new_array(), *queues = NULL;

	for (unsigned int i = 0; i < info->queue_count; i++) {
		const struct sva_queue_info *queue = &info->queues[i];

		if (i == 0 || !info_same_device(queue, queue - 1)) {
			struct json_object *device = new_device(queue);

			queues = json_object_new_array();
			json_object_object_add(device, "queues", queues);
			json_object_array_add(devices, device);
		}
		json_object_array_add(queues, new_queue(queue));
	}
	return devices;
}

static struct json_object *new_root(void)
{
	struct json_object *root = json_object_new_object();
	char version[32];

	json_object_object_add(root, "schema", json_object_new_int(SCHEMA));
	json_object_object_add(root, "version", json_object_new_string(term_version(version)));
	json_object_object_add(root, "config_file", json_object_new_string(sva_config_file()));
	return root;
}

static int print_root(struct json_object *root)
{
	const char *text = json_object_to_json_string_ext(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		puts(text);
	json_object_put(root);
	return text ? 0 : -ENOMEM;
}

static struct json_object *new_summary(const struct info *info)
{
	const struct info_summary *summary = &info->summary;
	struct json_object *object = json_object_new_object(), *commands = json_object_new_array();

	json_object_object_add(object, "path",
			       summary->path < 0 ? NULL : new_text(sva_path_name(summary->path)));
	json_object_object_add(object, "reason", new_text(sva_reason_name(summary->reason)));
	json_object_object_add(object, "text", new_text(summary->remedy.text));
	for (const char *at = summary->remedy.commands; *at;) {
		size_t length = strcspn(at, "\n");

		json_object_array_add(commands, json_object_new_string_len(at, (int)length));
		at += length + (at[length] == '\n');
	}
	json_object_object_add(object, "commands", commands);
	return object;
}

static struct json_object *new_surroundings(const struct machine *machine)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "container",
			       machine->container ? new_text(machine->container) : NULL);
	json_object_object_add(object, "sysfs", json_object_new_boolean(machine->sysfs));
	json_object_object_add(object, "proc", json_object_new_boolean(machine->proc));
	json_object_object_add(object, "functions", json_object_new_int((int)machine->functions));
	json_object_object_add(object, "nodes", json_object_new_int((int)machine->nodes));
	return object;
}

int info_print_json(const struct info *info)
{
	struct json_object *root = new_root(), *paths = json_object_new_array(),
			   *problems = json_object_new_array();
	const char *problem;

	json_object_object_add(root, "emulated", json_object_new_boolean(info->emulated));
	json_object_object_add(root, "surroundings", new_surroundings(&info->machine));
	json_object_object_add(root, "summary", new_summary(info));
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		json_object_array_add(
			paths, new_path(path, info->paths[path].reason, info->paths[path].text));
	json_object_object_add(root, "paths", paths);
	json_object_object_add(root, "devices", new_devices(info));
	for (unsigned int i = 0; (problem = sva_problem(info->sva, i)); i++)
		json_object_array_add(problems, new_text(problem));
	json_object_object_add(root, "problems", problems);
	return print_root(root);
}

int info_print_json_settings(struct sva *sva)
{
	struct json_object *root = new_root(), *settings = json_object_new_array();
	const struct sva_setting *setting;

	for (unsigned int i = 0; (setting = sva_setting_describe(i)); i++) {
		struct json_object *object = json_object_new_object();
		char value[INFO_TEXT];
		int rc = sva ? sva_setting_value(sva, i, value, sizeof(value)) : -ENOENT;

		json_object_object_add(object, "variable", new_text(setting->env));
		json_object_object_add(object, "key", new_text(setting->key));
		json_object_object_add(object, "type", json_object_new_string(setting->type));
		json_object_object_add(object, "default", json_object_new_string(setting->initial));
		json_object_object_add(object, "value", rc ? NULL : new_text(value));
		json_object_object_add(object, "help", json_object_new_string(setting->help));
		json_object_array_add(settings, object);
	}
	json_object_object_add(root, "settings", settings);
	return print_root(root);
}
