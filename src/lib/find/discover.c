/* SPDX-License-Identifier: MIT */
/*
 * Which queues there are: loads the plug-ins, lets each enumerate its queues, and keeps the valid
 * ones.
 *
 * A plug-in calls this file through struct sva_accfg_host. A queue that it reports with invalid
 * values is refused and becomes a problem, a line that sva-info prints; the other queues still
 * work. Plug-ins run one at a time in the whole process, since libaccel-config has global state.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/find/log.h"
#include "lib/base/names.h"
#include "lib/find/discover.h"
#include "lib/base/utf8.h"
#include "lib/find/queue-check.h"

#define MAX_QUEUES   4096
#define MAX_PROBLEMS 256
#define MAX_DETAIL   512

/* The longest transfer of a queue for which the plug-in reports none: the idxd driver's default. */
#define USUAL_MAX_TRANSFER (2u << 20)

/* What the functions that a plug-in calls work on. */
struct host {
	const struct sva_config *config;
	struct sva_inventory *inventory;
	struct sva_queue **tail;
	const char *plugin;
	/* -errno: a shortage kept the plug-in from reading something; 0: it did not */
	int shortage;
};

/* ------------------------------------------------------------------ problems */

/* How much a reason explains when there are no queues at all. */
static int weight_of(uint32_t reason)
{
	switch (reason) {
	case SVA_REASON_OK:
		return 0;
	case SVA_REASON_NO_DEVICE:
		return 1;
	case SVA_REASON_NO_DRIVER:
		return 2;
	case SVA_REASON_PLUGIN:
	case SVA_REASON_QUEUE_REFUSED:
		return 3;
	default:
		return 4;
	}
}

static void store_problem(struct host *h, const char *line)
{
	struct sva_inventory *inventory = h->inventory;
	char **grown, *copy;

	if (inventory->problem_count >= MAX_PROBLEMS)
		return;
	copy = strdup(inventory->problem_count == MAX_PROBLEMS - 1 ? "more problems were left out" :
								     line);
	grown = realloc(inventory->problems, (inventory->problem_count + 1) * sizeof(*grown));
	if (grown)
		inventory->problems = grown;
	if (!grown || !copy) {
		free(copy);
		h->shortage = -ENOMEM;
		return;
	}
	grown[inventory->problem_count++] = copy;
}

static void __attribute__((format(printf, 4, 5)))
report_problem(struct host *h, uint32_t reason, int level, const char *fmt, ...)
{
	char detail[MAX_DETAIL], shown[MAX_DETAIL], line[MAX_DETAIL + SVA_NAME_MAX + 16];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	/* The detail may quote names and paths of any bytes. */
	sva_utf8_escape(detail, shown, sizeof(shown));
	snprintf(line, sizeof(line), "plug-in %s: %s", h->plugin, shown);
	sva_log(h->config, level, "%s", line);
	store_problem(h, line);
	if (weight_of(reason) > weight_of(h->inventory->reason))
		h->inventory->reason = reason;
	h->inventory->refused |= reason == SVA_REASON_QUEUE_REFUSED;
}

/* ------------------------------------------------------------------ functions for plug-ins */

static bool same_queue(const struct sva_queue *a, const struct sva_accfg_queue *b)
{
	return (!strcmp(a->name, b->name) && !strcmp(a->device, b->device)) ||
	       (*b->node && !strcmp(a->node, b->node));
}

static const struct sva_queue *find_same_queue(const struct sva_inventory *inventory,
					 const struct sva_accfg_queue *queue)
{
	const struct sva_queue *q = inventory->queues;

	while (q && !same_queue(q, queue))
		q = q->next;
	return q;
}

static void free_queue(struct sva_queue *queue)
{
	free(queue->node);
	free(queue->label);
	free(queue);
}

static struct sva_queue *copy_queue(const struct sva_accfg_queue *from, const char *plugin)
{
	struct sva_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	snprintf(queue->name, sizeof(queue->name), "%s", from->name);
	snprintf(queue->device, sizeof(queue->device), "%s", from->device);
	snprintf(queue->plugin, sizeof(queue->plugin), "%s", plugin);
	queue->node = strdup(from->node);
	queue->label = strndup(from->label, SVA_LABEL_MAX - 1);
	if (!queue->node || !queue->label) {
		free_queue(queue);
		return NULL;
	}
	queue->version = from->version;
	queue->mode = from->mode;
	queue->entries = from->entries;
	queue->threshold =
		from->mode == SVA_MODE_SHARED && !from->threshold ? from->entries : from->threshold;
	queue->max_transfer = from->max_transfer ? from->max_transfer : USUAL_MAX_TRANSFER;
	queue->max_batch = from->max_batch ? from->max_batch : 1;
	queue->numa_node = from->numa_node;
	queue->gen_cap = from->gen_cap;
	memcpy(queue->op_cap, from->op_cap, sizeof(queue->op_cap));
	queue->trust = from->trust;
	queue->block_on_fault = from->block_on_fault;
	queue->reason = from->reason;
	return queue;
}

/*
 * The name of a queue, unchecked, and cut, since it may be any text. report_problem() escapes it.
 */
static const char *shown_name(const struct sva_accfg_queue *queue, char cut[static SVA_NAME_MAX])
{
	if (queue->size < sizeof(*queue) || !queue->name || !*queue->name)
		return "without a name";
	snprintf(cut, SVA_NAME_MAX, "%s", queue->name);
	return cut;
}

/*
 * Two queues with one device node are one queue. If a process opens a shared queue twice, the queue
 * loses its fault service when the first descriptor is closed. The description by the plug-in that
 * runs first is kept.
 */
static int add_queue(void *ctx, const struct sva_accfg_queue *from)
{
	const char *wrong = from ? sva_queue_check(from) : "size";
	const struct sva_queue *same;
	struct sva_queue *queue;
	struct host *h = ctx;
	char name[SVA_NAME_MAX];

	if (wrong) {
		report_problem(h, SVA_REASON_QUEUE_REFUSED, LOG_WARNING,
			"queue %s refused: the field %s makes no sense",
			from ? shown_name(from, name) : "without a name", wrong);
		return -EINVAL;
	}
	if (h->inventory->queue_count >= MAX_QUEUES) {
		report_problem(h, SVA_REASON_QUEUE_REFUSED, LOG_WARNING,
			"queue %s refused: more than %d queues", from->name, MAX_QUEUES);
		return -EINVAL;
	}
	same = find_same_queue(h->inventory, from);
	if (same && !strcmp(same->plugin, h->plugin)) {
		report_problem(h, SVA_REASON_QUEUE_REFUSED, LOG_WARNING,
			"queue %s of device %s refused: it has the name or the node of %s/%s",
			from->name, from->device, same->device, same->name);
		return -EINVAL;
	}
	if (same)
		return 0;
	queue = copy_queue(from, h->plugin);
	if (!queue) {
		h->shortage = -ENOMEM;
		return -ENOMEM;
	}
	*h->tail = queue;
	h->tail = &queue->next;
	h->inventory->queue_count++;
	return 0;
}

static void add_problem(void *ctx, uint32_t reason, const char *detail)
{
	struct host *h = ctx;

	if (reason >= SVA_REASON_COUNT_)
		reason = SVA_REASON_PLUGIN;
	report_problem(h, reason, reason == SVA_REASON_PLUGIN ? LOG_WARNING : LOG_INFO, "%s",
		detail && *detail ? detail : sva_reason_text(reason));
}

static const char *get_setting(void *ctx, const char *key)
{
	const struct host *h = ctx;

	return key ? sva_config_key(h->config, key) : NULL;
}

/* ------------------------------------------------------------------ running the plug-ins */

static void run_plugin(struct host *h)
{
	const struct sva_accfg_host host = {
		.size = sizeof(host),
		.ctx = h,
		.add_queue = add_queue,
		.problem = add_problem,
		.setting = get_setting,
	};
	const struct sva_accfg_plugin *plugin;
	char path[PATH_MAX], why[MAX_DETAIL];
	int err;

	if (snprintf(path, sizeof(path), "%s/%s.so", h->config->plugin_dir, h->plugin) >=
	    (int)sizeof(path)) {
		report_problem(h, SVA_REASON_PLUGIN, LOG_WARNING,
			       "the name of its file is too long");
		return;
	}
	err = sva_plugin_load(path, &plugin, why, sizeof(why));
	if (sva_is_shortage(err)) {
		h->shortage = err;
		return;
	}
	if (err == -ENOENT) {
		report_problem(h, SVA_REASON_PLUGIN, LOG_NOTICE,
			       "not installed: there is no %.300s", path);
		return;
	}
	if (err) {
		report_problem(h, SVA_REASON_PLUGIN, LOG_WARNING, "refused: %s", why);
		return;
	}
	err = plugin->enumerate(&host);
	if (sva_is_shortage(err))
		h->shortage = err;
	else if (err)
		report_problem(h, SVA_REASON_PLUGIN, LOG_WARNING, "failed: %s",
			strerror(err < 0 ? -err : err));
}

/* Reports, before any plug-in runs, that /proc is missing, and what follows from that. */
static void check_proc(struct host *h)
{
	static const char line[] =
		"/proc is not mounted: which instructions the CPU has cannot be seen, nor whose a device node is";

	if (!access("/proc/self", F_OK))
		return;
	sva_log(h->config, LOG_NOTICE, "%s", line);
	store_problem(h, line);
}

int sva_discover(const struct sva_config *config, struct sva_inventory **result)
{
	struct sva_inventory *inventory = calloc(1, sizeof(*inventory));
	struct host h = { .config = config, .inventory = inventory };
	int saved = errno;

	if (!inventory)
		return -ENOMEM;
	h.tail = &inventory->queues;
	check_proc(&h);
	sva_names_each(name, config->plugins) {
		h.plugin = name;
		if (!h.shortage)
			run_plugin(&h);
	}
	errno = saved;
	if (h.shortage) {
		sva_inventory_free(inventory);
		return h.shortage;
	}
	if (!inventory->queue_count && !inventory->reason)
		inventory->reason = SVA_REASON_NO_DEVICE;
	*result = inventory;
	return 0;
}

void sva_inventory_free(struct sva_inventory *inventory)
{
	struct sva_queue *queue, *next;

	if (!inventory)
		return;
	for (queue = inventory->queues; queue; queue = next) {
		next = queue->next;
		free_queue(queue);
	}
	for (unsigned int i = 0; i < inventory->problem_count; i++)
		free(inventory->problems[i]);
	free(inventory->problems);
	free(inventory);
}

uint32_t sva_inventory_reason(const struct sva_inventory *inventory, uint32_t reason)
{
	switch (reason) {
	case SVA_REASON_QUEUE_UNCONFIGURED:
	case SVA_REASON_DEVICE_DISABLED:
	case SVA_REASON_QUEUE_DISABLED:
	case SVA_REASON_QUEUE_EXCLUDED:
	case SVA_REASON_WRONG_TYPE:
	case SVA_REASON_WRONG_MODE:
		return inventory->refused ? (uint32_t)SVA_REASON_QUEUE_REFUSED : reason;
	case SVA_REASON_OK:
		return inventory->reason ? inventory->reason : (uint32_t)SVA_REASON_NO_DEVICE;
	default:
		return reason;
	}
}

const struct sva_queue *sva_inventory_find(const struct sva_inventory *inventory, const char *name)
{
	const struct sva_queue *q = inventory->queues;
	bool both = *name != '/' && strchr(name, '/');

	while (q && !(both ? sva_selector_matches(name, q->device, q->name) :
			     !strcmp(name, *name == '/' ? q->node : q->name)))
		q = q->next;
	return q;
}
