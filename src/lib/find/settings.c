/* SPDX-License-Identifier: MIT */
/*
 * The one table of settings, and how a value of each type is read, checked, narrowed and shown.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "lib/find/log.h"
#include "lib/base/names.h"
#include "lib/base/text.h"
#include "lib/find/settings.h"

#define ALL_PATHS "enqcmd,movdir64b,write,dma,soft,cpu"

static set_fn set_paths, set_queues, set_plugins, set_file_name;
static set_fn set_number, set_word, set_profile, set_flag;
static show_fn show_paths, show_names, show_file_name;
static show_fn show_number, show_bytes, show_word, show_profile, show_flag;

static const struct word policies[] = {
	{ "touch", SVA_FAULT_TOUCH },
	{ "block", SVA_FAULT_BLOCK },
	{ "cpu", SVA_FAULT_CPU },
	{ NULL, 0 },
};

static const struct word levels[] = {
	{ "none", LOG_CRIT },
	{ "error", LOG_ERR },
	{ "warning", LOG_WARNING },
	{ "notice", LOG_NOTICE },
	{ "info", LOG_INFO },
	{ "debug", LOG_DEBUG },
	{ NULL, 0 },
};

static const struct word profiles[] = {
	{ "dsa1", 1 },
	{ "dsa2", 2 },
	{ "dsa3", 3 },
	{ NULL, 0 },
};

#define FIELD(name) .offset = offsetof(struct sva_config, name)

/* Of each setting: its variable, key, type, default and meaning; then how it is set and shown. */
const struct row sva_rows[ROW_COUNT] = {
	[ROW_PATHS] = {
		{ "SVA_PATHS", "paths", "list", ALL_PATHS,
		  "paths that may be used, in order of preference: "
		  "enqcmd movdir64b write dma soft cpu" },
		.set = set_paths, .show = show_paths,
	},
	[ROW_QUEUES] = {
		{ "SVA_QUEUES", "queues", "list", "",
		  "queues that may be used: QUEUE, DEVICE or DEVICE/QUEUE, "
		  "such as wq0.0,dsa2,dsa4/wq4.1; empty: all" },
		.set = set_queues, .show = show_names, FIELD(queues),
	},
	[ROW_PLUGINS] = {
		{ "SVA_PLUGINS", "plugins", "list", "dsa,file",
		  "plug-ins that find queues, in order" },
		.set = set_plugins, .show = show_names, FIELD(plugins),
	},
	[ROW_PLUGIN_DIR] = {
		{ "SVA_PLUGIN_DIR", "plugin-dir", "path", SVA_PLUGIN_DIR,
		  "the directory that plug-ins are loaded from" },
		.set = set_file_name, .show = show_file_name, FIELD(plugin_dir),
	},
	[ROW_QUEUE_FILE] = {
		{ "SVA_QUEUE_FILE", "queue-file", "path", "",
		  "the list of queues that the plug-in \"file\" reads; empty: none" },
		.set = set_file_name, .show = show_file_name, FIELD(queue_file),
	},
	[ROW_THRESHOLD] = {
		{ "SVA_THRESHOLD", "threshold", "bytes", "16k",
		  "synchronous operations shorter than this stay on the CPU; "
		  "k, M and G are understood" },
		.set = set_number, .show = show_bytes, FIELD(threshold), .max = SIZE_MAX,
	},
	[ROW_FAULT_POLICY] = {
		{ "SVA_FAULT_POLICY", "fault-policy", "word", "touch",
		  "what happens when the device meets a page that is not there: "
		  "touch, block or cpu" },
		.set = set_word, .show = show_word, FIELD(fault_policy), .words = policies,
	},
	[ROW_FAULT_TRIES] = {
		{ "SVA_FAULT_TRIES", "fault-tries", "number", "8",
		  "page faults of one operation before the CPU finishes it" },
		.set = set_number, .show = show_number, FIELD(fault_tries), .max = 65535,
	},
	[ROW_FULL_TRIES] = {
		{ "SVA_FULL_TRIES", "full-tries", "number", "64",
		  "attempts on a full queue before the next queue is tried" },
		.set = set_number, .show = show_number, FIELD(full_tries), .min = 1, .max = 1000000,
	},
	[ROW_SOFT_THREADS] = {
		{ "SVA_SOFT_THREADS", "soft-threads", "number", "0",
		  "engine threads of the soft path, up to 64; "
		  "0: operations run when they are submitted" },
		.set = set_number, .show = show_number, FIELD(soft_threads), .max = 64,
	},
	[ROW_SOFT_PROFILE] = {
		{ "SVA_SOFT_PROFILE", "soft-profile", "word", "dsa2",
		  "which device the soft path is: dsa1, dsa2 or dsa3" },
		.set = set_profile, .show = show_profile, FIELD(soft_profile), .words = profiles,
	},
	[ROW_RECORD_TIMEOUT] = {
		{ "SVA_RECORD_TIMEOUT_MS", "record-timeout-ms", "number", "10000",
		  "a completion record that is not there after so many milliseconds "
		  "retires the queue" },
		.set = set_number, .show = show_number, FIELD(record_timeout_ms),
		.min = 1, .max = 3600000,
	},
	[ROW_GUARD] = {
		{ "SVA_GUARD", "guard", "yes/no", "no",
		  "bad pointers give EFAULT on the CPU too, by signal handlers" },
		.set = set_flag, .show = show_flag, .flag = SVA_OPEN_GUARD,
	},
	[ROW_STRICT] = {
		{ "SVA_STRICT", "strict", "yes/no", "no",
		  "refuse devices whose trust cannot be read" },
		.set = set_flag, .show = show_flag, .flag = SVA_OPEN_STRICT, .narrower = YES,
	},
	[ROW_UNTRUSTED] = {
		{ "SVA_UNTRUSTED", "untrusted", "yes/no", "no",
		  "allow devices that are removable, behind an external port "
		  "or share their IOMMU group" },
		.set = set_flag, .show = show_flag, .flag = SVA_OPEN_UNTRUSTED, .narrower = NO,
	},
	[ROW_LOG] = {
		{ "SVA_LOG", "log", "word", "warning",
		  "messages up to this level: none error warning notice info debug, "
		  "or a syslog number" },
		.set = set_word, .show = show_word, FIELD(log_level), .words = levels,
		.max = LOG_DEBUG,
	},
};

/* ------------------------------------------------------------------ messages */

/* Where a value was set, for messages: "/etc/libsva.conf:3: paths", "SVA_PATHS", "option paths". */
static void format_place(char *text, size_t size, const struct row *row, enum source source,
			 const char *file, unsigned int line)
{
	if (source == FROM_FILE)
		snprintf(text, size, "%s:%u: %s", file, line, row->public.key);
	else if (source == FROM_ENVIRONMENT)
		snprintf(text, size, "%s", row->public.env);
	else
		snprintf(text, size, "%s %s", source == FROM_OPTIONS ? "option" : "default of",
			 row->public.key);
}

/*
 * A malformed value in the file returns the errno of a malformed file, any other that of a bad
 * argument.
 */
int sva_settings_refuse(struct loader *l, const struct row *row, const char *fmt, ...)
{
	char where[PATH_MAX + 64], text[512];
	va_list ap;

	format_place(where, sizeof(where), row, l->source, l->file, l->line);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sva_log(l->config, LOG_ERR, "%s: %s", where, text);
	return l->source == FROM_FILE ? -EBADMSG : -EINVAL;
}

/* The value is well-formed, but an earlier source does not allow it. */
int sva_settings_deny(struct loader *l, const struct row *row)
{
	char where[PATH_MAX + 64], who[PATH_MAX + 64], before[512];
	size_t index = (size_t)(row - sva_rows);

	format_place(where, sizeof(where), row, l->source, l->file, l->line);
	format_place(who, sizeof(who), row, l->origin[index].source, l->origin[index].file,
		     l->origin[index].line);
	row->show(l->config, row, before, sizeof(before));
	sva_log(l->config, LOG_ERR,
		"%s: '%.200s' is not permitted: %s says '%s', and that can only be narrowed", where,
		l->value, who, before);
	return -EACCES;
}

int sva_settings_no_memory(struct loader *l)
{
	/* LOG_INFO: the caller logs one line for all shortages. */
	sva_log(l->config, LOG_INFO, "out of memory while reading the configuration");
	return -ENOMEM;
}

static bool was_set_before(const struct loader *l, const struct row *row)
{
	return l->origin[row - sva_rows].source != FROM_DEFAULT;
}

/* ------------------------------------------------------------------ set and show, by type */

static void *field_of(const struct loader *l, const struct row *row)
{
	return (char *)l->config + row->offset;
}

static const void *const_field_of(const struct sva_config *config, const struct row *row)
{
	return (const char *)config + row->offset;
}

/* Cuts the next word off a comma separated list; NULL at its end. */
static char *next_word(char **rest)
{
	char *word = *rest, *comma;

	if (!word)
		return NULL;
	comma = strchr(word, ',');
	*rest = comma ? comma + 1 : NULL;
	if (comma)
		*comma = '\0';
	return sva_text_trim(word);
}

static int find_path(const char *word)
{
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (!strcmp(word, sva_path_name(path)))
			return path;
	return -1;
}

static int set_paths(struct loader *l, const struct row *row, char *text)
{
	uint32_t named = 0, allowed = was_set_before(l, row) ? l->config->path_mask : UINT32_MAX;
	unsigned int count = 0;
	char *rest = text, *word;
	uint8_t paths[SVA_PATH_COUNT];

	while ((word = next_word(&rest))) {
		int path = find_path(word);

		if (!*word)
			return sva_settings_refuse(l, row, "empty word; known are " ALL_PATHS);
		if (path < 0)
			return sva_settings_refuse(
				l, row, "unknown word '%.64s'; known are " ALL_PATHS, word);
		if (named & 1u << path)
			return sva_settings_refuse(l, row, "'%s' is named twice", word);
		named |= 1u << path;
		if (allowed & 1u << path)
			paths[count++] = (uint8_t)path;
	}
	if (!count)
		return sva_settings_deny(l, row);
	memcpy(l->config->paths, paths, count);
	l->config->path_count = count;
	l->config->path_mask = named & allowed;
	l->config->paths_explicit = l->source != FROM_DEFAULT;
	return 0;
}

static void show_paths(const struct sva_config *config, const struct row *row, char *text,
		       size_t size)
{
	size_t used = 0;

	(void)row;
	text[0] = '\0';
	for (unsigned int i = 0; i < config->path_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "," : "",
					 sva_path_name(config->paths[i]));
}

/* Replaces a list that belongs to the configuration. */
static void replace_list(char **list, char *by)
{
	free(*list);
	*list = by;
}

/* The selectors of the new list, in its order, narrowed to what the old list selects. */
static int meet_selectors(const char *new, const char *old, char **both)
{
	char selector[SVA_SELECTOR_MAX];
	int err = 0;

	sva_names_each(a, new)
		sva_names_each(b, old)
			if (!err && sva_selector_meet(a, b, selector) &&
			    !sva_names_has(*both, selector))
				err = sva_names_add(both, selector);
	return err;
}

/* Parse a list of words, each of which must be valid and occur once. */
static int parse_names(struct loader *l, const struct row *row, char *text,
		       bool (*valid)(const char *), char **list)
{
	char *rest = text, *word;

	while ((word = next_word(&rest))) {
		if (!*word)
			return sva_settings_refuse(l, row, "empty word");
		if (!valid(word))
			return sva_settings_refuse(l, row, "'%.64s' is not a name", word);
		if (sva_names_has(*list, word))
			return sva_settings_refuse(l, row, "'%s' is named twice", word);
		if (sva_names_add(list, word))
			return sva_settings_no_memory(l);
	}
	return 0;
}

static int set_queues(struct loader *l, const struct row *row, char *text)
{
	char *list = NULL, *both = NULL;
	int err;

	if (!*text)
		return 0;
	err = parse_names(l, row, text, sva_selector_valid, &list);
	if (!err && was_set_before(l, row)) {
		if (meet_selectors(list, l->config->queues, &both))
			err = sva_settings_no_memory(l);
		else if (!both)
			err = sva_settings_deny(l, row);
		replace_list(&list, both);
	}
	if (err)
		free(list);
	else
		replace_list(&l->config->queues, list);
	return err;
}

static int set_plugins(struct loader *l, const struct row *row, char *text)
{
	char *list = NULL, *both = NULL;
	int err;

	err = parse_names(l, row, text, sva_name_valid, &list);
	if (!err && was_set_before(l, row)) {
		sva_names_each(name, list)
			if (!err && sva_names_has(l->config->plugins, name) &&
			    sva_names_add(&both, name))
				err = sva_settings_no_memory(l);
		if (!err && !both)
			err = sva_settings_deny(l, row);
		replace_list(&list, both);
	}
	if (err)
		free(list);
	else
		replace_list(&l->config->plugins, list);
	return err;
}

static void show_names(const struct sva_config *config, const struct row *row, char *text,
		       size_t size)
{
	char *const *list = const_field_of(config, row);
	size_t used = 0;

	text[0] = '\0';
	sva_names_each(name, *list)
		if (used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "",
						 name);
}

/* A path from the file is final: no later source may name another directory or list. */
static int set_file_name(struct loader *l, const struct row *row, char *text)
{
	char **name = field_of(l, row), *copy;

	if (!*text)
		return 0;
	if (*text != '/')
		return sva_settings_refuse(l, row, "'%.200s' is not an absolute path", text);
	if (strlen(text) >= PATH_MAX)
		return sva_settings_refuse(l, row, "the path is too long");
	if (l->origin[row - sva_rows].source == FROM_FILE && strcmp(text, *name))
		return sva_settings_deny(l, row);
	copy = strdup(text);
	if (!copy)
		return sva_settings_no_memory(l);
	replace_list(name, copy);
	return 0;
}

static void show_file_name(const struct sva_config *config, const struct row *row, char *text,
			   size_t size)
{
	char *const *name = const_field_of(config, row);

	snprintf(text, size, "%s", *name ? *name : "");
}

static int set_number(struct loader *l, const struct row *row, char *text)
{
	bool bytes = row->show == show_bytes;
	uint64_t value;
	int err = sva_text_number(text, bytes ? SVA_TEXT_UNITS : 0, &value);

	if (err == -EINVAL)
		return sva_settings_refuse(l, row, "'%.64s' is not a number%s", text,
					   bytes ? " of bytes (16384, 16k, 1M)" : "");
	if (err || value < row->min || value > row->max)
		return sva_settings_refuse(l, row, "%.64s is out of range: %llu to %llu", text,
					   (unsigned long long)row->min,
					   (unsigned long long)row->max);
	if (bytes)
		*(size_t *)field_of(l, row) = (size_t)value;
	else
		*(uint32_t *)field_of(l, row) = (uint32_t)value;
	return 0;
}

static void show_number(const struct sva_config *config, const struct row *row, char *text,
			size_t size)
{
	snprintf(text, size, "%u", *(const uint32_t *)const_field_of(config, row));
}

static void show_bytes(const struct sva_config *config, const struct row *row, char *text,
		       size_t size)
{
	snprintf(text, size, "%zu", *(const size_t *)const_field_of(config, row));
}

static const struct word *find_word(const struct word *words, const char *text)
{
	for (; words->word; words++)
		if (!strcmp(words->word, text))
			return words;
	return NULL;
}

static int refuse_word(struct loader *l, const struct row *row, const char *text)
{
	char known[128] = "";

	for (const struct word *w = row->words; w->word; w++) {
		strcat(known, " ");
		strcat(known, w->word);
	}
	return sva_settings_refuse(l, row, "unknown word '%.64s'; known are%s", text, known);
}

static int set_word(struct loader *l, const struct row *row, char *text)
{
	const struct word *word = find_word(row->words, text);
	uint64_t value;

	if (word)
		value = word->value;
	else if (!row->max || sva_text_number(text, 0, &value) || value > row->max)
		return refuse_word(l, row, text);
	*(uint32_t *)field_of(l, row) = (uint32_t)value;
	return 0;
}

/* A number below those of all words is shown as the first word. */
static void show_word(const struct sva_config *config, const struct row *row, char *text,
		      size_t size)
{
	uint32_t value = *(const uint32_t *)const_field_of(config, row);
	const struct word *word = row->words;

	while (word->word && word->value != value)
		word++;
	snprintf(text, size, "%s", word->word ? word->word : row->words->word);
}

static int set_profile(struct loader *l, const struct row *row, char *text)
{
	if (!find_word(row->words, text))
		return refuse_word(l, row, text);
	snprintf(l->config->soft_profile, sizeof(l->config->soft_profile), "%s", text);
	return 0;
}

static void show_profile(const struct sva_config *config, const struct row *row, char *text,
			 size_t size)
{
	(void)row;
	snprintf(text, size, "%s", config->soft_profile);
}

static int set_flag(struct loader *l, const struct row *row, char *text)
{
	bool yes = !strcmp(text, "yes") || !strcmp(text, "1");
	bool no = !strcmp(text, "no") || !strcmp(text, "0");
	bool was = l->config->flags & row->flag;

	if (!yes && !no)
		return sva_settings_refuse(l, row, "'%.64s' is neither yes nor no", text);
	if (was_set_before(l, row) && yes != was &&
	    ((row->narrower == YES && was) || (row->narrower == NO && !was)))
		return sva_settings_deny(l, row);
	if (yes)
		l->config->flags |= row->flag;
	else
		l->config->flags &= ~row->flag;
	return 0;
}

static void show_flag(const struct sva_config *config, const struct row *row, char *text,
		      size_t size)
{
	snprintf(text, size, "%s", config->flags & row->flag ? "yes" : "no");
}
