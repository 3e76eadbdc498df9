/* SPDX-License-Identifier: MIT */
/*
 * What the files of sva-copy share. A file is copied in chunks; each passes through three files:
 *
 *   source.c  brings the next chunk of SRC into memory: maps it where SRC can be mapped, else reads
 *             it into a buffer. Holes of a sparse file are skipped where DST can have holes, too.
 *   engine.c  copies it with the library and records which path moved the bytes.
 *   sink.c    provides the memory that the chunk is copied to: a mapping of space that is allocated
 *             first, so that a full disk is an errno and not a SIGBUS, else a buffer that is
 *             written to DST.
 *
 * This folder may call the public functions of the library and tools/term, and no other program's
 * files.
 */
#ifndef SVA_TOOLS_COPY_H
#define SVA_TOOLS_COPY_H

#include <stdio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sva/sva.h"

/* A huge page, and the most that one descriptor carries with Linux's defaults. */
#define COPY_CHUNK (2u << 20)
/* Chunks in flight: one is read, one is copied, one is written, and one is a reserve. */
#define COPY_SLOTS 4

/* One chunk in flight. Slots are used in turn, and chunks end in that order. */
struct copy_slot {
	struct sva_op op;
	uint64_t offset; /* of the chunk in the file */
	size_t len;
	void *src, *dst;
	void *src_map, *dst_map;       /* mappings to remove afterwards, or NULL */
	void *src_buffer, *dst_buffer; /* COPY_CHUNK bytes each, allocated at the first use */
	bool in_flight;
};

struct copy_source {
	const char *name;
	int fd;
	bool mapped;   /* a regular file, which is mapped instead of read */
	bool sparse;   /* holes are skipped */
	uint64_t size; /* of a mapped source, else 0 */
	uint64_t pos;
};

struct copy_sink {
	const char *name;
	int fd;
	bool regular;
	bool mapped;
	uint64_t done; /* everything before this offset is in the file */
};

/*
 * Where these functions return an int it is 0, or a negative errno after a message. What an earlier
 * call did to the files is not undone. copy_source_next() sets slot->len to 0 at the end of SRC.
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

/* Characters for the names of queues, or of devices, in one line of the report. */
#define COPY_QUEUES 128

/* What one path moved. */
struct copy_route {
	uint64_t bytes;
	char queues[COPY_QUEUES];
	char devices[COPY_QUEUES];
	uint32_t reason; /* why no better path was taken */
};

struct copy_engine {
	struct sva *sva;
	const char *paths; /* the argument of --paths, or NULL */
	bool overlap;      /* keep chunks in flight */
	struct copy_route routes[SVA_PATH_COUNT];
};

int copy_engine_open(struct copy_engine *engine, const char *paths);
int copy_engine_start(struct copy_engine *engine, struct copy_slot *slot);
int copy_engine_finish(struct copy_engine *engine, struct copy_slot *slot);
void copy_engine_report(const struct copy_engine *engine, FILE *to);
void copy_engine_close(struct copy_engine *engine);

#endif
