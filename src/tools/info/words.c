/* SPDX-License-Identifier: MIT */
/* sva-info: capability bits, modes and versions as words. */
#include "tools/info/info.h"

#include <inttypes.h>
#include <string.h>

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

static const char *const operations[] = {
	[SVA_OPCODE_NOOP] = "noop",
	[SVA_OPCODE_BATCH] = "batch",
	[SVA_OPCODE_DRAIN] = "drain",
	[SVA_OPCODE_MEMMOVE] = "memmove",
	[SVA_OPCODE_FILL] = "fill",
	[SVA_OPCODE_COMPARE] = "compare",
	[SVA_OPCODE_COMPARE_PATTERN] = "compare-pattern",
	[SVA_OPCODE_CREATE_DELTA] = "create-delta",
	[SVA_OPCODE_APPLY_DELTA] = "apply-delta",
	[SVA_OPCODE_DUALCAST] = "dualcast",
	[SVA_OPCODE_TRANSLATION_FETCH] = "translation-fetch",
	[SVA_OPCODE_CRC] = "crc",
	[SVA_OPCODE_COPY_CRC] = "copy-crc",
	[SVA_OPCODE_DIF_CHECK] = "dif-check",
	[SVA_OPCODE_DIF_INSERT] = "dif-insert",
	[SVA_OPCODE_DIF_STRIP] = "dif-strip",
	[SVA_OPCODE_DIF_UPDATE] = "dif-update",
	[SVA_OPCODE_DIX_GENERATE] = "dix-generate",
	[SVA_OPCODE_TYPE_CONVERT] = "type-convert",
	[SVA_OPCODE_REDUCE] = "reduce",
	[SVA_OPCODE_REDUCE_DUALCAST] = "reduce-dualcast",
	[SVA_OPCODE_GATHER_REDUCE] = "gather-reduce",
	[SVA_OPCODE_GATHER_COPY] = "gather-copy",
	[SVA_OPCODE_SCATTER_COPY] = "scatter-copy",
	[SVA_OPCODE_SCATTER_FILL] = "scatter-fill",
	[SVA_OPCODE_CACHE_FLUSH] = "cache-flush",
	[SVA_OPCODE_UPDATE_WINDOW] = "update-window",
};

/* The name of the first capability from *bit (a table index) on; *bit then points behind it. */
const char *info_capability(uint64_t gen_cap, unsigned int *bit)
{
	for (; *bit < sizeof(capabilities) / sizeof(capabilities[0]); ++*bit)
		if (gen_cap & capabilities[*bit].mask)
			return capabilities[(*bit)++].name;
	return NULL;
}

/* The same for operations. One that this version has no name for (those of an IAX, say) is shown as its number. */
const char *info_operation(const uint64_t op_cap[4], unsigned int *bit)
{
	static char number[16];

	for (; *bit < 256; ++*bit) {
		unsigned int n = *bit;

		if (!(op_cap[n / 64] >> (n % 64) & 1))
			continue;
		++*bit;
		if (n < sizeof(operations) / sizeof(operations[0]) && operations[n])
			return operations[n];
		snprintf(number, sizeof(number), "0x%02x", n);
		return number;
	}
	return NULL;
}

const char *info_mode(uint32_t mode)
{
	return mode == SVA_MODE_SHARED ? "shared" : mode == SVA_MODE_DEDICATED ? "dedicated" : "unknown";
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

/* The paths on which a queue of a device is used at all. */
bool info_path_has_queues(int path)
{
	return path == SVA_PATH_ENQCMD || path == SVA_PATH_MOVDIR64B || path == SVA_PATH_WRITE;
}
