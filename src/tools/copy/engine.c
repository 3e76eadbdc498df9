/* SPDX-License-Identifier: MIT */
/* sva-copy: the copying itself, which is the library's, and the account of which path it took; see copy.h. */
#include "tools/copy/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sva/info.h"

static void on_log(void *arg, int level, const char *text)
{
	(void)arg;
	if (level <= 4)
		copy_error("%s", text);
}

/* The value of a setting as this context has it, or "". */
static void setting(struct sva *sva, const char *key, char *text, size_t size)
{
	const struct sva_setting *row;

	text[0] = '\0';
	for (unsigned int i = 0; (row = sva_setting(i)); i++)
		if (row->key && !strcmp(row->key, key) && sva_setting_value(sva, i, text, size))
			text[0] = '\0';
}

/*
 * Before DST is touched: is there a path at all? And does keeping chunks in flight gain anything: only where a device,
 * or an engine thread of the soft path, copies while this thread brings in the next chunk.
 */
static int look_at_paths(struct copy_engine *engine)
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
	setting(engine->sva, "soft-threads", threads, sizeof(threads));
	engine->overlap = device || (reasons[SVA_PATH_CPU] != SVA_REASON_OK && strtoul(threads, NULL, 10) > 0);
	if (usable)
		return 0;
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (reasons[path] != SVA_REASON_EXCLUDED &&
		    sva_explain(engine->sva, path, text, sizeof(text)) != SVA_REASON_OK)
			copy_error("no path can be used: %s: %s", sva_path_name(path), text);
	return -ENODEV;
}

int copy_engine_open(struct copy_engine *engine, const char *paths)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	int rc;

	*engine = (struct copy_engine){ .paths = paths };
	opts.paths = paths;
	opts.log = on_log;
	/* A source that somebody truncates meanwhile must be an error and not the end of this process. */
	opts.flags = SVA_OPEN_GUARD;
	rc = sva_open(&engine->sva, &opts);
	if (rc) {
		copy_error("can not open the library: %s", strerror(-rc));
		return rc;
	}
	return look_at_paths(engine);
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

static void account(struct copy_engine *engine, const struct sva_result *result)
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
	/* Why no better path was taken belongs to the worst one that was. */
	if (last && result->reason)
		last->reason = result->reason;
}

static int ended(struct copy_engine *engine, const struct copy_slot *slot, const struct sva_result *result, int rc)
{
	account(engine, result);
	if (rc == 0)
		return 0;
	if (rc == -EFAULT)
		copy_error("%s can not be %s at offset %" PRIu64 " or behind it: it was truncated, or its disk failed",
			   result->fault_write ? "DST" : "SRC", result->fault_write ? "written" : "read", slot->offset);
	else
		copy_error("copying at offset %" PRIu64 " failed: %s", slot->offset, strerror(-rc));
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
	/* Every queue full: not this chunk's fault, and the synchronous call waits for room. */
	if (rc == -EAGAIN) {
		rc = sva_memcpy(engine->sva, slot->dst, slot->src, slot->len);
		return ended(engine, slot, sva_last_result(), rc);
	}
	return slot->in_flight ? 0 : ended(engine, slot, sva_op_result(&slot->op), rc);
}

int copy_engine_finish(struct copy_engine *engine, struct copy_slot *slot)
{
	int rc;

	if (!slot->in_flight)
		return 0;
	rc = sva_wait(&slot->op, -1);
	slot->in_flight = false;
	return ended(engine, slot, sva_op_result(&slot->op), rc);
}

/* Nothing is better than what the user named first. */
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

	fprintf(to, "path=%s queue=%s device=%s bytes=%" PRIu64, sva_path_name(path), *route->queues ? route->queues : "-",
	       *route->devices ? route->devices : "-", route->bytes);
	if (reason)
		fprintf(to, " reason=%s", sva_reason_name(route->reason));
	putc('\n', to);
	if (reason)
		copy_error("%s: %s", sva_reason_name(route->reason), sva_reason_text(route->reason));
}

/* One line for each path that carried bytes, the most first. */
void copy_engine_report(const struct copy_engine *engine, FILE *to)
{
	bool told[SVA_PATH_COUNT] = { false };
	int lines = 0;

	for (;; lines++) {
		int most = -1;

		for (int path = 0; path < SVA_PATH_COUNT; path++)
			if (!told[path] && engine->routes[path].bytes &&
			    (most < 0 || engine->routes[path].bytes > engine->routes[most].bytes))
				most = path;
		if (most < 0)
			break;
		told[most] = true;
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
