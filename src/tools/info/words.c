/* SPDX-License-Identifier: MIT */
/* sva-info: names of capabilities, operations, modes and versions. */
#include "tools/info/info.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/opcodes.h"

static const struct {
	uint64_t mask;
	const char *name;
} capabilities[] = {
	{ SVA_GENCAP_BLOCK_ON_FAULT, "block-on-fault" },
	{ SVA_GENCAP_OVERLAP_COPY, "overlapping-copy" },
	{ SVA_GENCAP_CACHE_CONTROL, "cache-control" },
	{ SVA_GENCAP_DURABLE_WRITE, "durable-write" },
	{ SVA_GENCAP_INTER_DOMAIN, "inter-domain" },
	{ SVA_GENCAP_FETCH_STRIDE, "fetch-stride" },
	{ SVA_GENCAP_READBACK, "destination-readback" },
	{ SVA_GENCAP_DRAIN_READBACK, "drain-readback" },
	{ SVA_GENCAP_FILL16, "fill-16" },
	{ SVA_GENCAP_CRC64, "crc-64" },
	{ SVA_GENCAP_FAULT_INFO, "fault-info" },
	{ SVA_GENCAP_BATCH_CONTINUE, "batch-continue" },
	{ SVA_GENCAP_BATCH_OF_ONE, "batch-of-one" },
	{ SVA_GENCAP_NO_STORD_MEM, "no-strict-order-to-memory" },
	{ SVA_GENCAP_NO_STORD_PEER, "no-strict-order-to-peers" },
};

/* Here *bit is an index of capabilities[]. */
const char *info_next_capability(uint64_t gen_cap, unsigned int *bit)
{
	for (; *bit < sizeof(capabilities) / sizeof(capabilities[0]); ++*bit)
		if (gen_cap & capabilities[*bit].mask)
			return capabilities[(*bit)++].name;
	return NULL;
}

/* An operation without a name here, such as those of an IAX, is returned as its number. */
const char *info_next_operation(const uint64_t op_cap[4], unsigned int *bit)
{
	static char number[16];

	for (; *bit < 256; ++*bit) {
		unsigned int n = *bit;
		const char *name;

		if (!(op_cap[n / 64] >> (n % 64) & 1))
			continue;
		++*bit;
		name = sva_opcode_name(n);
		if (name)
			return name;
		snprintf(number, sizeof(number), "0x%02x", n);
		return number;
	}
	return NULL;
}

const char *info_mode(uint32_t mode)
{
	return mode == SVA_MODE_SHARED	  ? "shared" :
	       mode == SVA_MODE_DEDICATED ? "dedicated" :
					    "unknown";
}

const char *info_trust(uint32_t trust)
{
	return trust == SVA_TRUST_YES ? "yes" : trust == SVA_TRUST_NO ? "no" : "unknown";
}

/* 0x100 is "1.0"; NULL where it is unknown. */
const char *info_version(char text[16], uint32_t version)
{
	if (!version)
		return NULL;
	snprintf(text, 16, "%" PRIu32 ".%" PRIu32, version >> 8, version & 0xff);
	return text;
}

bool info_has_operations(const struct sva_queue_info *queue)
{
	return queue->op_cap[0] | queue->op_cap[1] | queue->op_cap[2] | queue->op_cap[3];
}

bool info_same_device(const struct sva_queue_info *a, const struct sva_queue_info *b)
{
	return !strcmp(a->device, b->device) && !strcmp(a->plugin, b->plugin);
}

/* Does this path use the queues of devices? */
bool info_path_has_queues(int path)
{
	return path == SVA_PATH_ENQCMD || path == SVA_PATH_MOVDIR64B || path == SVA_PATH_WRITE;
}
