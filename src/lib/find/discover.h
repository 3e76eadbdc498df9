/* SPDX-License-Identifier: MIT */
/* Plug-ins, and the queues that they found. */
#ifndef SVA_FIND_DISCOVER_H
#define SVA_FIND_DISCOVER_H

#include "lib/find/config.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

/* A queue as discovered; never changes afterwards. */
struct sva_queue {
	struct sva_queue *next;
	char name[SVA_NAME_MAX];
	char device[SVA_NAME_MAX];
	char plugin[SVA_NAME_MAX];
	char *node;                  /* "" if none */
	char *label;
	uint32_t version, mode, entries, threshold, max_batch, trust;
	uint64_t max_transfer;       /* power of two, never 0 */
	int numa_node;
	uint64_t gen_cap, op_cap[4];
	bool block_on_fault;
	uint32_t reason;             /* enum sva_reason against it, before it is opened; 0: none */
};

struct sva_inventory {
	struct sva_queue *queues;    /* in the order of discovery */
	unsigned int queue_count;
	char **problems;             /* one line each */
	unsigned int problem_count;
	bool refused;                /* a queue was, since a plug-in reported impossible values */
	uint32_t reason;             /* if there are no queues: the one that explains most */
};

/*
 * Loads the plug-ins and lets each enumerate its queues. Returns 0, or -EMFILE, -ENFILE, -ENOMEM
 * for a shortage: a mistake of a plug-in only becomes a problem. Plug-ins, and the libraries that
 * they use, need not be thread-safe: the caller holds sva_process.lock, which fork() takes, too.
 */
int sva_discover(const struct sva_config *config, struct sva_inventory **inventory);
void sva_inventory_free(struct sva_inventory *inventory);
/*
 * Why nothing can be used. nearest: the reason of the queue that is closest to working (OK: there
 * is no queue). It is returned, unless a queue that was refused may have been closer.
 */
uint32_t sva_inventory_reason(const struct sva_inventory *inventory, uint32_t nearest);
/* name: "wq0.0", "dsa0/wq0.0" or the path of a node. NULL: there is no such queue. */
const struct sva_queue *sva_inventory_find(const struct sva_inventory *inventory, const char *name);

/*
 * Check (owner, mode, ELF header, the one symbol) and load a plug-in; if it is refused, the reason
 * goes into why. A loaded plug-in stays for the life of the process. Returns 0, -ENOENT, -EACCES,
 * -ENOEXEC, -ENOMEM, other errors of open(2). One thread at a time.
 */
int sva_plugin_load(const char *path, const struct sva_accfg_plugin **plugin, char *why,
		    size_t why_size);

#pragma GCC visibility pop

#endif
