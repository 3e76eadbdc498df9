/* SPDX-License-Identifier: MIT */
/*
 * What a plug-in reports of a queue comes from sysfs or from a file, so it may be anything. What
 * this check accepts is printed, compared, opened and computed with everywhere else without further
 * checks.
 */
#include <string.h>

#include "lib/base/names.h"
#include "lib/base/utf8.h"
#include "lib/find/queue-check.h"

#define MAX_STRUCT_SIZE 4096
#define MAX_ENTRIES	65535u
#define MAX_TRANSFER	(1ull << 31)
#define MAX_BATCH	(1u << 15)
#define MAX_NUMA_NODE	1023
#define MAX_VERSION	0xffffu

bool sva_text_valid(const char *text, size_t max)
{
	size_t length;

	if (strnlen(text, max) == max)
		return false;
	for (; *text; text += length) {
		length = sva_utf8_printable(text);
		if (!length)
			return false;
	}
	return true;
}

/* Empty, or an absolute path without "..". */
static bool node_valid(const char *node)
{
	if (!*node)
		return true;
	return *node == '/' && sva_text_valid(node, SVA_NODE_MAX) && !strstr(node, "/../") &&
	       !strchr(node, ' ');
}

static bool zero_or_power_of_two(uint64_t value, uint64_t max)
{
	return value <= max && !(value & (value - 1));
}

/*
 * A later version of the structure may have more fields, but they must be zero, since this version
 * does not know what they ask for.
 */
static bool tail_is_zero(const struct sva_accfg_queue *q)
{
	const unsigned char *bytes = (const unsigned char *)q;

	for (size_t i = sizeof(*q); i < q->size; i++)
		if (bytes[i])
			return false;
	return true;
}

static bool strings_valid(const struct sva_accfg_queue *q, const char **wrong)
{
	*wrong = "name";
	if (!q->name || !sva_name_valid(q->name))
		return false;
	*wrong = "device";
	if (!q->device || !sva_name_valid(q->device))
		return false;
	*wrong = "node";
	if (!q->node || !node_valid(q->node))
		return false;
	/* A label may be any text: it is escaped when it is printed. */
	*wrong = "label";
	return q->label;
}

const char *sva_queue_check(const struct sva_accfg_queue *q)
{
	const char *wrong;

	if (q->size < sizeof(*q) || q->size > MAX_STRUCT_SIZE || !tail_is_zero(q))
		return "size";
	if (!strings_valid(q, &wrong))
		return wrong;
	if (q->version > MAX_VERSION)
		return "version";
	if (q->mode > SVA_MODE_DEDICATED)
		return "mode";
	if (q->entries > MAX_ENTRIES || (!q->entries && !q->reason))
		return "entries";
	if (q->threshold > q->entries)
		return "threshold";
	if (!zero_or_power_of_two(q->max_transfer, MAX_TRANSFER))
		return "max_transfer";
	if (!zero_or_power_of_two(q->max_batch, MAX_BATCH))
		return "max_batch";
	if (q->numa_node < -1 || q->numa_node > MAX_NUMA_NODE)
		return "numa_node";
	if (q->trust > SVA_TRUST_NO)
		return "trust";
	if (q->block_on_fault > 1)
		return "block_on_fault";
	if (q->reason >= SVA_REASON_COUNT_)
		return "reason";
	return q->reserved ? "reserved" : NULL;
}
