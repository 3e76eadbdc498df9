/* SPDX-License-Identifier: MIT */
/*
 * The plug-in "file": queues from a text file, for set-ups that do not change, for containers
 * without a /sys, and for devices that no other plug-in knows. The setting queue-file names it.
 *
 * One queue a line: its name, then KEY=VALUE with white space between them; device and mode must be
 * there. If a file has a mistake, none of its queues is used; therefore the checks of the library
 * are made here first, by the same code.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fd.h"
#include "lib/base/text.h"
#include "lib/find/queue-check.h"
#include "sva/plugin.h"

/*
 * The sizes that the file leaves out: the defaults of the idxd driver. The entries of a dedicated
 * queue have no default: the device drops descriptors beyond them without an error.
 */
#define USUAL_ENTRIES	   16
#define USUAL_MAX_TRANSFER (2u << 20)
#define USUAL_MAX_BATCH	   32

/* A queue, and the text that its strings are in. */
struct entry {
	struct sva_accfg_queue queue;
	char *text;
	unsigned int line;
};

struct list {
	const char *path;
	struct entry *entries;
	unsigned int count;
	char why[PATH_MAX + 256];
};

/* ------------------------------------------------------------------ keys */

struct key;
typedef bool set_fn(struct sva_accfg_queue *queue, const struct key *key, char *value);

struct key {
	const char *name;
	set_fn *set;
	size_t offset; /* in struct sva_accfg_queue */
	size_t size;   /* of a number's field */
};

static void *field(struct sva_accfg_queue *queue, const struct key *key)
{
	return (char *)queue + key->offset;
}

static bool set_text(struct sva_accfg_queue *queue, const struct key *key, char *value)
{
	*(const char **)field(queue, key) = value;
	return true;
}

static bool set_number(struct sva_accfg_queue *queue, const struct key *key, char *value)
{
	uint64_t number;

	if (sva_text_number(value, SVA_TEXT_UNITS | SVA_TEXT_HEX, &number) ||
	    (key->size == 4 && number > UINT32_MAX))
		return false;
	if (key->size == 4)
		*(uint32_t *)field(queue, key) = (uint32_t)number;
	else
		*(uint64_t *)field(queue, key) = number;
	return true;
}

static bool set_node(struct sva_accfg_queue *queue, const struct key *key, char *value)
{
	uint64_t number;

	if (!strcmp(value, "-1"))
		number = (uint64_t)-1;
	else if (sva_text_number(value, 0, &number) || number > INT32_MAX)
		return false;
	*(int32_t *)field(queue, key) = (int32_t)number;
	return true;
}

static bool set_bitmap(struct sva_accfg_queue *queue, const struct key *key, char *value)
{
	return sva_text_bitmap(value, field(queue, key));
}

static bool set_mode(struct sva_accfg_queue *queue, const struct key *key, char *value)
{
	(void)key;
	queue->mode = !strcmp(value, "shared")	  ? SVA_MODE_SHARED :
		      !strcmp(value, "dedicated") ? SVA_MODE_DEDICATED :
						    0;
	return queue->mode;
}

static bool set_yes_no(struct sva_accfg_queue *queue, const struct key *key, char *value)
{
	*(uint32_t *)field(queue, key) = !strcmp(value, "yes");
	return !strcmp(value, "yes") || !strcmp(value, "no");
}

#define FIELD(member) \
	offsetof(struct sva_accfg_queue, member), sizeof(((struct sva_accfg_queue *)0)->member)

#define ENTRIES_KEY 4

static const struct key keys[] = {
	{ "device", set_text, FIELD(device) },
	{ "node", set_text, FIELD(node) },
	{ "label", set_text, FIELD(label) },
	{ "mode", set_mode, FIELD(mode) },
	[ENTRIES_KEY] = { "entries", set_number, FIELD(entries) },
	{ "threshold", set_number, FIELD(threshold) },
	{ "max-transfer", set_number, FIELD(max_transfer) },
	{ "max-batch", set_number, FIELD(max_batch) },
	{ "numa", set_node, FIELD(numa_node) },
	{ "version", set_number, FIELD(version) },
	{ "gen-cap", set_number, FIELD(gen_cap) },
	{ "op-cap", set_bitmap, FIELD(op_cap) },
	{ "block-on-fault", set_yes_no, FIELD(block_on_fault) },
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* ------------------------------------------------------------------ lines */

static int __attribute__((format(printf, 3, 4)))
refuse(struct list *list, unsigned int line, const char *fmt, ...)
{
	int used = snprintf(list->why, sizeof(list->why), "%s:%u: ", list->path, line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(list->why + used, sizeof(list->why) - (size_t)used, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

/* One KEY=VALUE; seen has a bit for each key that the line had already. */
static int parse_pair(struct list *list, struct entry *entry, char *word, unsigned int *seen)
{
	char *equals = strchr(word, '=');
	size_t i = 0;

	if (!equals)
		return refuse(list, entry->line, "'%.64s' is not KEY=VALUE", word);
	*equals = '\0';
	while (i < KEY_COUNT && strcmp(word, keys[i].name))
		i++;
	if (i == KEY_COUNT)
		return refuse(list, entry->line, "unknown key '%.64s'", word);
	if (*seen & 1u << i)
		return refuse(list, entry->line, "%s is there twice", word);
	*seen |= 1u << i;
	if (!keys[i].set(&entry->queue, &keys[i], equals + 1))
		return refuse(list, entry->line, "'%.64s' is no value for %s", equals + 1, word);
	return 0;
}

static int parse_entry(struct list *list, struct entry *entry)
{
	char *save, *word = strtok_r(entry->text, " \t", &save);
	unsigned int seen = 0;
	const char *wrong;
	int err;

	entry->queue = (struct sva_accfg_queue){
		.size = sizeof(entry->queue),
		.name = word,
		.node = "",
		.label = "",
		.numa_node = -1,
		.max_transfer = USUAL_MAX_TRANSFER,
		.max_batch = USUAL_MAX_BATCH,
	};
	while ((word = strtok_r(NULL, " \t", &save))) {
		err = parse_pair(list, entry, word, &seen);
		if (err)
			return err;
	}
	if (!entry->queue.device)
		return refuse(list, entry->line, "the queue has no device=");
	if (!entry->queue.mode)
		return refuse(list, entry->line, "the queue has no mode=shared or mode=dedicated");
	if (!entry->queue.entries && !(seen & 1u << ENTRIES_KEY)) {
		if (entry->queue.mode == SVA_MODE_DEDICATED)
			return refuse(list, entry->line,
				      "the queue is dedicated and has no entries=");
		entry->queue.entries = USUAL_ENTRIES;
	}
	wrong = sva_queue_check(&entry->queue);
	return wrong ? refuse(list, entry->line, "the field %s makes no sense", wrong) : 0;
}

static int check_once(struct list *list, const struct entry *entry)
{
	const struct sva_accfg_queue *a = &entry->queue;

	for (unsigned int i = 0; i < list->count; i++) {
		const struct sva_accfg_queue *b = &list->entries[i].queue;

		if ((!strcmp(a->name, b->name) && !strcmp(a->device, b->device)) ||
		    (*a->node && !strcmp(a->node, b->node)))
			return refuse(list, entry->line, "the queue of line %u is there again",
				      list->entries[i].line);
	}
	return 0;
}

static int add_line(void *arg, unsigned int number, char *text)
{
	struct list *list = arg;
	struct entry *grown, *entry;
	int err;

	grown = realloc(list->entries, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->entries = grown;
	entry = &grown[list->count];
	entry->line = number;
	entry->text = strdup(text);
	if (!entry->text)
		return -ENOMEM;
	err = parse_entry(list, entry);
	if (!err)
		err = check_once(list, entry);
	if (err)
		free(entry->text);
	else
		list->count++;
	return err;
}

/* ------------------------------------------------------------------ the plug-in */

static int report(const struct sva_accfg_host *host, const struct list *list)
{
	int err = 0;

	for (unsigned int i = 0; i < list->count && err != -ENOMEM; i++)
		err = host->add_queue(host->ctx, &list->entries[i].queue);
	return err == -ENOMEM ? err : 0;
}

static int enumerate(const struct sva_accfg_host *host)
{
	struct list list = { .path = host->setting(host->ctx, "queue-file") };
	int err;

	if (!list.path)
		return 0;
	err = sva_text_lines(list.path, add_line, &list, list.why, sizeof(list.why));
	if (err == -ENOENT)
		snprintf(list.why, sizeof(list.why), "%s: there is no such file", list.path);
	if (!err)
		err = report(host, &list);
	else if (!sva_is_shortage(err)) {
		host->problem(host->ctx, SVA_REASON_PLUGIN, list.why);
		err = 0;
	}
	for (unsigned int i = 0; i < list.count; i++)
		free(list.entries[i].text);
	free(list.entries);
	return err;
}

const struct sva_accfg_plugin sva_accfg_plugin_v1 = {
	.size = sizeof(struct sva_accfg_plugin),
	.name = "file",
	.about = "queues from the text file that the setting queue-file names",
	.enumerate = enumerate,
};
