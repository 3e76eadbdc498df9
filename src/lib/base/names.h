/* SPDX-License-Identifier: MIT */
/*
 * Names of queues, devices and plug-ins; lists of names; and selectors, of which a list of
 * permitted queues consists.
 */
#ifndef SVA_NAMES_H
#define SVA_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/lib.h"

#define SVA_SELECTOR_MAX (2 * SVA_NAME_MAX) /* of "device/queue", with the terminator */

/*
 * Letters, digits, '.', '_' and '-', beginning with a letter or digit, shorter than SVA_NAME_MAX.
 */
bool sva_name_valid(const char *name);

/* A list is one allocation, "a\0b\0\0"; NULL is the empty one. */
int sva_names_add(char **list, const char *name); /* 0, -ENOMEM */
bool sva_names_has(const char *list, const char *name);

#define sva_names_each(name, list) \
	for (const char *name = (list); name && *name; name += strlen(name) + 1)

/*
 * A selector is DEVICE/QUEUE, or one name, which selects devices and queues of that name. Only
 * sva_selector_meet() has to know which of the two a name is: one with a dot in it is taken for a
 * queue, one without for a device. It writes what a and b both select into both, and returns false
 * if they have nothing in common.
 */
bool sva_selector_valid(const char *selector);
bool sva_selector_matches(const char *selector, const char *device, const char *queue);
bool sva_selector_meet(const char *a, const char *b, char both[static SVA_SELECTOR_MAX]);

#endif
