/* SPDX-License-Identifier: MIT */
/*
 * A scene for a test of configuration or discovery: a tree of files in a temporary directory that
 * is shown as the machine's (tests/preload/path.c), messages that are kept instead of printed, and
 * allocations that scene_fail_allocation() makes fail.
 */
#ifndef SVA_TESTS_SCENE_H
#define SVA_TESTS_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/find/log.h"
#include "lib/base/machine.h"
#include "lib/find/discover.h"
#include "unit/words.h"

/*
 * The directory of the scene, made by the first call and removed when the program ends. Its etc/
 * exists.
 */
const char *scene_root(void);

/* Replaces the scene by a tree of tests/fixtures/make-tree; NULL: an empty one. */
void scene_tree(const char *name);

/* A file in the scene, with its directories. */
void scene_file_bytes(const char *path, const void *data, size_t size);
void scene_file(const char *path, const char *text);

/* Removes every SVA_ variable of the library from the environment. */
void scene_clear_environment(void);

/* sva_opts::log: keeps all messages since scene_forget(), one a line. */
void scene_log(void *arg, int level, const char *text);
void scene_forget(void);
bool scene_said(const char *part); /* prints what was said if it was not that */

/* The nth allocation from now on fails; 0: none does. How many there were since the last call. */
unsigned int scene_fail_allocation(unsigned int nth);

#endif
