/* SPDX-License-Identifier: MIT */
/*
 * What the files of sva-info share. sva-info.c gathers once what is shown; summary.c, text.c and
 * json.c print it; words.c names bits and numbers for all. machine.c reads what the library does
 * not report; setup.h has the files that print how a machine gets queues.
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
#include "tools/info/machine.h"

struct term;

#define INFO_TEXT 512 /* room for a reason or for the value of a setting */

/* What sva_explain() returned for one path. */
struct info_path {
	int reason; /* enum sva_reason, or a negative errno */
	char text[INFO_TEXT];
};

#define REMEDY_COMMANDS 2048

/* What mends a reason. */
struct remedy {
	char text[INFO_TEXT];           /* a sentence; "" if the reason says it all */
	char commands[REMEDY_COMMANDS]; /* one a line, for root; "" if there is none */
};

/* What programs will use, and what keeps them from a better path. */
struct info_summary {
	int path;        /* -1: none */
	uint32_t reason; /* SVA_REASON_OK: nothing has to be mended */
	int reason_path; /* the path that has this reason */
	struct remedy remedy;
};

struct info {
	struct sva *sva;
	struct info_path paths[SVA_PATH_COUNT];
	/* In the order of discovery, in which the queues of a device follow each other. */
	struct sva_queue_info *queues;
	unsigned int queue_count;
	bool emulated;
	struct machine machine;
	struct info_summary summary;
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

/* summary.c: finds the summary; prints it; prints the devices in short. */
void info_summarize(struct info *info);
void info_print_summary(const struct term *term, const struct info *info);
void info_print_devices(const struct term *term, const struct info *info);
/* Prints each line of commands after "run: ". */
void info_print_commands(const struct term *term, unsigned int indent, const char *commands);

/*
 * text.c: prints the summary, the paths and the devices (all: with all queues and operations), or
 * the settings alone; their values are "?" if sva is NULL.
 */
void info_print(const struct term *term, const struct info *info, bool all);
void info_print_settings(const struct term *term, struct sva *sva);

/* json.c: the same as JSON. Returns 0 or -ENOMEM. */
int info_print_json(const struct info *info);
int info_print_json_settings(struct sva *sva);

#endif
