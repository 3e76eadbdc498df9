/* SPDX-License-Identifier: MIT */
/*
 * See scene.h. The allocation functions are linked with --wrap, so the ones here are called in
 * their place.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "unit/scene.h"

static char root[PATH_MAX];
static char said[65536];
static _Atomic unsigned int allocations, failing;

static void run(const char *fmt, const char *a, const char *b)
{
	char command[3 * PATH_MAX];

	snprintf(command, sizeof(command), fmt, a, b);
	if (system(command)) {
		printf("Bail out! %s failed\n", command);
		exit(1);
	}
}

static void remove_scene(void)
{
	run("chmod -R u+rwx '%s' && rm -rf '%s'", root, root);
}

const char *scene_root(void)
{
	const char *tmp = getenv("TMPDIR");

	if (*root)
		return root;
	if (!getenv("top_srcdir") || !getenv("SVA_PLUGIN_DIR"))
		skip_all("top_srcdir and SVA_PLUGIN_DIR are not set: run this by make check");
	snprintf(root, sizeof(root), "%s/sva-scene-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(root) || chmod(root, 0755) || atexit(remove_scene)) {
		printf("Bail out! no temporary directory\n");
		exit(1);
	}
	setenv("SVA_TEST_ROOT", root, 1);
	run("mkdir -p '%s/etc'%s", root, "");
	return root;
}

void scene_tree(const char *name)
{
	char script[PATH_MAX];

	scene_root();
	run("rm -rf '%s'/*%s", root, "");
	run("mkdir -p '%s/etc'%s", root, "");
	if (!name)
		return;
	snprintf(script, sizeof(script), "%s/tests/fixtures/make-tree' %s", getenv("top_srcdir"),
		 name);
	run("sh '%s '%s'", script, root);
}

void scene_file_bytes(const char *path, const void *data, size_t size)
{
	char full[2 * PATH_MAX];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", scene_root(), path);
	file = fopen(full, "w");
	if (!file || (size && fwrite(data, size, 1, file) != 1) || fclose(file)) {
		printf("Bail out! %s cannot be written\n", full);
		exit(1);
	}
}

void scene_file(const char *path, const char *text)
{
	scene_file_bytes(path, text, strlen(text));
}

void scene_clear_environment(void)
{
	for (unsigned int i = 0; sva_setting_describe(i); i++)
		unsetenv(sva_setting_describe(i)->env);
}

void scene_log(void *arg, int level, const char *text)
{
	size_t used = strlen(said);

	(void)arg;
	(void)level;
	snprintf(said + used, sizeof(said) - used, "%s\n", text);
}

void scene_forget(void)
{
	said[0] = '\0';
}

bool scene_said(const char *part)
{
	if (strstr(said, part))
		return true;
	printf("# it was said: %s\n", said);
	return false;
}

unsigned int scene_fail_allocation(unsigned int nth)
{
	unsigned int before = allocations;

	allocations = 0;
	failing = nth;
	return before;
}

static bool fails(void)
{
	return ++allocations == failing;
}

#define WRAP(type, name, parameters, ...) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		return fails() ? NULL : __real_##name(__VA_ARGS__); \
	}

WRAP(void *, malloc, (size_t size), size)
WRAP(void *, calloc, (size_t count, size_t size), count, size)
WRAP(void *, realloc, (void *old, size_t size), old, size)
WRAP(char *, strdup, (const char *text), text)
WRAP(char *, strndup, (const char *text, size_t size), text, size)
