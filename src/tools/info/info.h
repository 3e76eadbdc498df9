/* SPDX-License-Identifier: MIT */
/*
 * What the files of sva-info share. sva-info.c gathers once what is shown; text.c and json.c print
 * it; words.c names bits and numbers for both.
 *
 * This folder may call the public functions of the library and tools/term, and no other program's
 * files.
 */
#ifndef SVA_TOOLS_INFO_H
#define SVA_TOOLS_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "sva/info.h"
#include "sva/sva.h"

struct term;

#define INFO_TEXT 512 /* room for a reason or for the value of a setting */

/* What sva_explain() returned for one path. */
struct info_path {
	int reason; /* enum sva_reason, or a negative errno */
	char text[INFO_TEXT];
};

struct info {
	struct sva *sva;
	struct info_path paths[SVA_PATH_COUNT];
	/* In the order of discovery, in which the queues of a device follow each other. */
	struct sva_queue_info *queues;
	unsigned int queue_count;
	bool emulated;
};

/*
 * words.c. The first two are iterators: each call returns the name of the next capability or
 * operation from *bit on and moves *bit behind it; NULL after the last.
 */
const char *info_next_capability(uint64_t gen_cap, unsigned int *bit);
const char *info_next_operation(const uint64_t op_cap[4], unsigned int *bit);
const char *info_mode(uint32_t mode);
const char *info_trust(uint32_t trust);
const char *info_version(char text[16], uint32_t version);
bool info_has_operations(const struct sva_queue_info *queue);
bool info_same_device(const struct sva_queue_info *a, const struct sva_queue_info *b);
bool info_path_has_queues(int path);

/* text.c: prints everything, or the settings alone; their values are "?" if sva is NULL. */
void info_print(const struct term *term, const struct info *info);
void info_print_settings(const struct term *term, struct sva *sva);

/* json.c: the same as JSON. Returns 0 or -ENOMEM. */
int info_print_json(const struct info *info);
int info_print_json_settings(struct sva *sva);

#endif
