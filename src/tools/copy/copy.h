/* SPDX-License-Identifier: MIT */
/*
 * What the files of sva-copy share. A file is copied in chunks; each goes through three hands:
 *
 *   source.c  brings the next chunk of SRC into memory: a mapping where SRC can be mapped, else a buffer that is
 *                  read into. Holes of a sparse file are stepped over where DST can have holes, too.
 *   engine.c  lets the library copy it to where DST wants it, and keeps the books on which path that took.
 *   sink.c    gives the memory that the chunk is copied to: a mapping of space that was allocated first, so that a
 *                  full disk is an errno and not a SIGBUS, else a buffer that is written out.
 */
#ifndef SVA_TOOLS_COPY_H
#define SVA_TOOLS_COPY_H

#include <stdio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sva/sva.h"

#define COPY_CHUNK (2u << 20) /* a huge page, and the most that one descriptor carries with Linux's defaults */
#define COPY_SLOTS 4          /* chunks in flight: one is read, one is copied, one is written, one to spare */

/* One chunk on its way. Slots are used in turn, and finished in that order. */
struct copy_slot {
	struct sva_op op;
	uint64_t offset;  /* of the chunk in the file */
	size_t len;
	void *src, *dst;
	void *src_map, *dst_map; /* to be unmapped, or NULL */
	void *src_buffer, *dst_buffer; /* COPY_CHUNK bytes each, allocated when first needed */
	bool in_flight;
};

struct copy_source {
	const char *name;
	int fd;
	bool mapped;   /* a regular file whose pages are used as they are */
	bool sparse;   /* holes are skipped */
	uint64_t size; /* of a mapped source, else 0 */
	uint64_t pos;
};

struct copy_sink {
	const char *name;
	int fd;
	bool created;
	bool regular;
	bool mapped;
	uint64_t done; /* everything before this is in the file */
};

/*
 * All functions: 0 or a negative errno, with the message printed already; what happened before stays in force.
 * next: slot->len 0 means the end.
 */
int copy_source_open(struct copy_source *source, const char *name);
int copy_source_next(struct copy_source *source, struct copy_slot *slot);
int copy_source_check(const struct copy_source *source);
void copy_source_release(struct copy_slot *slot);
int copy_sink_open(struct copy_sink *sink, const char *name, const struct copy_source *source);
int copy_sink_prepare(struct copy_sink *sink, struct copy_slot *slot);
int copy_sink_commit(struct copy_sink *sink, struct copy_slot *slot);
void copy_sink_release(struct copy_slot *slot);
int copy_sink_finish(struct copy_sink *sink, uint64_t size);
int copy_sink_cut(const struct copy_sink *sink);
void copy_sink_abandon(struct copy_sink *sink);

/* engine.c */
#define COPY_QUEUES 128 /* characters of queue and device names in one line of the report */

struct copy_route {
	uint64_t bytes;
	char queues[COPY_QUEUES];
	char devices[COPY_QUEUES];
	uint32_t reason;
};

struct copy_engine {
	struct sva *sva;
	const char *paths; /* of --paths, or NULL */
	bool overlap; /* keep chunks in flight; gains only where somebody else than this thread does the copying */
	struct copy_route routes[SVA_PATH_COUNT];
};

int copy_engine_open(struct copy_engine *engine, const char *paths);
int copy_engine_start(struct copy_engine *engine, struct copy_slot *slot);
int copy_engine_finish(struct copy_engine *engine, struct copy_slot *slot);
void copy_engine_report(const struct copy_engine *engine, FILE *to);
void copy_engine_close(struct copy_engine *engine);

void copy_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
