/* SPDX-License-Identifier: MIT */
/*
 * Names, lists of names, and selectors: see names.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/names.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

bool sva_name_valid(const char *name)
{
	size_t length = strspn(name, ALNUM "._-");

	return length && length < SVA_NAME_MAX && !name[length] && strchr(ALNUM, name[0]);
}

static size_t list_length(const char *list)
{
	size_t length = 0;

	sva_names_each(name, list)
		length += strlen(name) + 1;
	return length;
}

int sva_names_add(char **list, const char *name)
{
	size_t old = list_length(*list), more = strlen(name) + 1;
	char *grown = realloc(*list, old + more + 1);

	if (!grown)
		return -ENOMEM;
	memcpy(grown + old, name, more);
	grown[old + more] = '\0';
	*list = grown;
	return 0;
}

bool sva_names_has(const char *list, const char *name)
{
	sva_names_each(each, list)
		if (!strcmp(each, name))
			return true;
	return false;
}

/* ------------------------------------------------------------------ selectors */

/* The two parts of a selector; an empty one selects everything. */
struct parts {
	char device[SVA_NAME_MAX], queue[SVA_NAME_MAX];
};

/* False if the selector is malformed. */
static bool split_selector(const char *selector, struct parts *parts)
{
	const char *slash = strchr(selector, '/');
	size_t length = slash ? (size_t)(slash - selector) : 0;

	memset(parts, 0, sizeof(*parts));
	if (!slash) {
		if (!sva_name_valid(selector))
			return false;
		strcpy(strchr(selector, '.') ? parts->queue : parts->device, selector);
		return true;
	}
	if (length >= SVA_NAME_MAX || !sva_name_valid(slash + 1))
		return false;
	memcpy(parts->device, selector, length);
	strcpy(parts->queue, slash + 1);
	return sva_name_valid(parts->device);
}

bool sva_selector_valid(const char *selector)
{
	struct parts parts;

	return split_selector(selector, &parts);
}

bool sva_selector_matches(const char *selector, const char *device, const char *queue)
{
	const char *slash = strchr(selector, '/');
	size_t length = slash ? (size_t)(slash - selector) : 0;

	if (!slash)
		return !strcmp(selector, device) || !strcmp(selector, queue);
	return strlen(device) == length && !memcmp(device, selector, length) &&
	       !strcmp(slash + 1, queue);
}

/* What both parts allow; false if they contradict each other. */
static bool meet_names(const char *a, const char *b, char both[static SVA_NAME_MAX])
{
	if (*a && *b && strcmp(a, b))
		return false;
	strcpy(both, *a ? a : b);
	return true;
}

bool sva_selector_meet(const char *a, const char *b, char both[static SVA_SELECTOR_MAX])
{
	struct parts pa, pb, pc;

	if (!split_selector(a, &pa) || !split_selector(b, &pb) ||
	    !meet_names(pa.device, pb.device, pc.device) ||
	    !meet_names(pa.queue, pb.queue, pc.queue))
		return false;
	snprintf(both, SVA_SELECTOR_MAX, "%s%s%s", pc.device, *pc.device && *pc.queue ? "/" : "",
		 pc.queue);
	return true;
}
