/* SPDX-License-Identifier: MIT */
/* What the files of sva-info share. */
#ifndef SVA_TOOLS_INFO_H
#define SVA_TOOLS_INFO_H

#include "sva/info.h"
#include "sva/sva.h"
#include "tools/term/term.h"

#define INFO_TEXT 512 /* room for a line of advice */

/* One path of this process: what sva_explain() said. */
struct info_path {
	int reason; /* enum sva_reason, or -errno */
	char text[INFO_TEXT];
};

/* Everything that is shown, asked for once, so that both formats show the same. */
struct info {
	struct sva *sva;
	struct info_path paths[SVA_PATH_COUNT];
	struct sva_queue_info *queues; /* in the order of discovery: those of a device follow each other */
	unsigned int queue_count;
	bool emulated;
};

/* words.c: numbers as words; NULL after the last. */
const char *info_capability(uint64_t gen_cap, unsigned int *bit);
const char *info_operation(const uint64_t op_cap[4], unsigned int *bit);
const char *info_mode(uint32_t mode);
const char *info_trust(uint32_t trust);
const char *info_version(char text[16], uint32_t version);
bool info_has_operations(const struct sva_queue_info *queue);
bool info_same_device(const struct sva_queue_info *a, const struct sva_queue_info *b);
bool info_path_has_queues(int path);

/* json.c: the whole, or the settings alone; 0 or -ENOMEM. */
int info_json(const struct info *info);
int info_json_settings(struct sva *sva);

#endif
