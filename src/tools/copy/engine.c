/* SPDX-License-Identifier: MIT */
/* sva-copy: copies chunks with the library and records which path moved them; see copy.h. */
#include "tools/copy/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sva/info.h"
#include "tools/term/term.h"

static void on_log(void *arg, int level, const char *text)
{
	(void)arg;
	if (level <= 4)
		term_error("%s", text);
}

/* Stores the value that a setting has in this context, or "". */
static void read_setting(struct sva *sva, const char *key, char *text, size_t size)
{
	const struct sva_setting *row;

	text[0] = '\0';
	for (unsigned int i = 0; (row = sva_setting_describe(i)); i++)
		if (row->key && !strcmp(row->key, key) && sva_setting_value(sva, i, text, size))
			text[0] = '\0';
}

/*
 * Finds out before DST is changed whether there is a usable path, and whether to keep chunks in
 * flight: that gains time only where a device, or an engine thread of the path soft, copies while
 * this thread brings in the next chunk.
 */
static int check_paths(struct copy_engine *engine)
{
	char text[512], threads[16];
	bool usable = false, device = false;
	int reasons[SVA_PATH_COUNT];

	for (int path = 0; path < SVA_PATH_COUNT; path++) {
		reasons[path] = sva_explain(engine->sva, path, NULL, 0);
		if (reasons[path] != SVA_REASON_OK)
			continue;
		usable = true;
		if (path < SVA_PATH_SOFT)
			device = true;
	}
	read_setting(engine->sva, "soft-threads", threads, sizeof(threads));
	engine->overlap = device || (reasons[SVA_PATH_CPU] != SVA_REASON_OK &&
				     strtoul(threads, NULL, 10) > 0);
	if (usable)
		return 0;
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (reasons[path] != SVA_REASON_EXCLUDED &&
		    sva_explain(engine->sva, path, text, sizeof(text)) != SVA_REASON_OK)
			term_error("no path can be used: %s: %s", sva_path_name(path), text);
	return -ENODEV;
}

int copy_engine_open(struct copy_engine *engine, const char *paths)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	int rc;

	*engine = (struct copy_engine){ .paths = paths };
	opts.paths = paths;
	opts.log = on_log;
	/* If SRC is truncated during the copy, that must be an error and not a SIGBUS. */
	opts.flags = SVA_OPEN_GUARD;
	rc = sva_open(&engine->sva, &opts);
	if (rc) {
		term_error("cannot open the library: %s", strerror(-rc));
		return rc;
	}
	return check_paths(engine);
}

static void add_name(char list[COPY_QUEUES], const char *name)
{
	size_t used = strlen(list), len = strlen(name);

	for (const char *at = list; (at = strstr(at, name)); at++)
		if ((at == list || at[-1] == ',') && (at[len] == ',' || !at[len]))
			return;
	if (used + len + 2 <= COPY_QUEUES)
		snprintf(list + used, COPY_QUEUES - used, "%s%s", used ? "," : "", name);
}

static void record_route(struct copy_engine *engine, const struct sva_result *result)
{
	struct copy_route *last = NULL;

	for (int path = 0; path < SVA_PATH_COUNT; path++) {
		struct copy_route *route = &engine->routes[path];

		if (!result->path_bytes[path])
			continue;
		route->bytes += result->path_bytes[path];
		if (path == result->path) {
			if (result->queue)
				add_name(route->queues, result->queue);
			if (result->device)
				add_name(route->devices, result->device);
		}
		last = route;
	}
	/* The reason why no better path was taken is shown with the worst path that was. */
	if (last && result->reason)
		last->reason = result->reason;
}

/* Records the result of a chunk. Returns rc, after a message if it is an error. */
static int end_chunk(struct copy_engine *engine, const struct copy_slot *slot,
		     const struct sva_result *result, int rc)
{
	bool write = result->fault_write;

	record_route(engine, result);
	if (rc == 0)
		return 0;
	if (rc == -EFAULT)
		term_error("%s cannot be %s at offset %" PRIu64 " or after it: "
			   "it was truncated, or its disk failed",
			   write ? "DST" : "SRC", write ? "written" : "read", slot->offset);
	else
		term_error("copying at offset %" PRIu64 " failed: %s", slot->offset,
			   strerror(-rc));
	return rc;
}

int copy_engine_start(struct copy_engine *engine, struct copy_slot *slot)
{
	int rc = -EAGAIN;

	if (engine->overlap) {
		sva_prep_memcpy(&slot->op, slot->dst, slot->src, slot->len);
		rc = sva_submit(engine->sva, &slot->op);
		slot->in_flight = rc == 0;
	}
	/* Every queue is full: the synchronous call waits until one has room. */
	if (rc == -EAGAIN) {
		rc = sva_memcpy(engine->sva, slot->dst, slot->src, slot->len);
		return end_chunk(engine, slot, sva_last_result(), rc);
	}
	return slot->in_flight ? 0 : end_chunk(engine, slot, sva_op_result(&slot->op), rc);
}

int copy_engine_finish(struct copy_engine *engine, struct copy_slot *slot)
{
	int rc;

	if (!slot->in_flight)
		return 0;
	rc = sva_wait(&slot->op, -1);
	slot->in_flight = false;
	return end_chunk(engine, slot, sva_op_result(&slot->op), rc);
}

/* Is it the path that the user named first? No other path is better then. */
static bool is_first_choice(const struct copy_engine *engine, int path)
{
	const char *name = sva_path_name(path);
	size_t len = strlen(name);

	return engine->paths && !strncmp(engine->paths, name, len) &&
	       (!engine->paths[len] || engine->paths[len] == ',');
}

static void print_route(const struct copy_engine *engine, int path, FILE *to)
{
	const struct copy_route *route = &engine->routes[path];
	bool reason = route->reason && !is_first_choice(engine, path);

	fprintf(to, "path=%s queue=%s device=%s bytes=%" PRIu64, sva_path_name(path),
		*route->queues ? route->queues : "-", *route->devices ? route->devices : "-",
		route->bytes);
	if (reason)
		fprintf(to, " reason=%s", sva_reason_name(route->reason));
	putc('\n', to);
	if (reason)
		term_error("%s: %s", sva_reason_name(route->reason),
			   sva_reason_text(route->reason));
}

/* Prints one line for each path that moved bytes, the one that moved the most first. */
void copy_engine_report(const struct copy_engine *engine, FILE *to)
{
	bool printed[SVA_PATH_COUNT] = { false };
	int lines = 0;

	for (;; lines++) {
		int most = -1;

		for (int path = 0; path < SVA_PATH_COUNT; path++)
			if (!printed[path] && engine->routes[path].bytes &&
			    (most < 0 || engine->routes[path].bytes > engine->routes[most].bytes))
				most = path;
		if (most < 0)
			break;
		printed[most] = true;
		print_route(engine, most, to);
	}
	if (!lines)
		fputs("path=none queue=- device=- bytes=0\n", to);
}

void copy_engine_close(struct copy_engine *engine)
{
	sva_close(engine->sva);
	engine->sva = NULL;
}
