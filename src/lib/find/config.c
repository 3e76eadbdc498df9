/* SPDX-License-Identifier: MIT */
/*
 * The configuration: four sources, one table (settings.c).
 *
 * The sources are the defaults, the administrator's file, the environment, and the program's
 * options, in this order. All of them go as text through the same table, so that every source has
 * the same grammar. A later source can only narrow a permission: lists are intersected, a security
 * switch stays where an earlier source put it, and a path in the file is final. All other settings
 * are tuning: the last source decides.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "lib/base/fd.h"
#include "lib/find/log.h"
#include "lib/base/names.h"
#include "lib/base/text.h"
#include "lib/find/settings.h"

/* no version will be longer; a larger size means that the structure was not initialised */
#define OPTS_SIZE_LIMIT 4096

static int apply_value(struct loader *l, enum row_index index, const char *value)
{
	const struct row *row = &sva_rows[index];
	char *text;
	int err;

	text = strdup(value);
	if (!text)
		return sva_settings_no_memory(l);
	l->value = value;
	err = row->set(l, row, sva_text_trim(text));
	free(text);
	if (err)
		return err;
	l->origin[index].source = l->source;
	l->origin[index].file = l->file;
	l->origin[index].line = l->line;
	return 0;
}

/* ------------------------------------------------------------------ the sources */

static int load_defaults(struct loader *l)
{
	int err = 0;

	l->source = FROM_DEFAULT;
	for (int i = 0; i < ROW_COUNT && !err; i++)
		err = apply_value(l, (enum row_index)i, sva_rows[i].public.initial);
	return err;
}

/* Log what is wrong with a line that sets no row, after file and number. */
__attribute__((format(printf, 2, 3))) static int refuse_line(const struct loader *l,
							     const char *fmt, ...)
{
	char text[PATH_MAX + 256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sva_log(l->config, LOG_ERR, "%s:%u: %s", l->file, l->line, text);
	return -EBADMSG;
}

static int load_row(struct loader *l, const char *key, const char *value)
{
	int i = 0;

	while (i < ROW_COUNT && strcmp(key, sva_rows[i].public.key))
		i++;
	if (i == ROW_COUNT)
		return refuse_line(l, "unknown key '%.64s'", key);
	if (l->origin[i].source == FROM_FILE && l->origin[i].file != l->file)
		return sva_settings_refuse(l, &sva_rows[i], "was set in %s:%u already",
					   l->origin[i].file, l->origin[i].line);
	if (l->origin[i].source == FROM_FILE)
		return sva_settings_refuse(l, &sva_rows[i], "was set in line %u already",
					   l->origin[i].line);
	if (!*value)
		return sva_settings_refuse(l, &sva_rows[i],
					   "no value; leave the line out to have the default");
	return apply_value(l, (enum row_index)i, value);
}

static int load_include(struct loader *l, const char *path);

/* One line of a file: KEY = VALUE. */
static int load_line(void *arg, unsigned int number, char *text)
{
	char *equals = strchr(text, '='), *key, *value;
	struct loader *l = arg;

	l->line = number;
	if (!equals)
		return refuse_line(l, "'%.64s' is not KEY = VALUE", text);
	*equals = '\0';
	key = sva_text_trim(text);
	value = sva_text_trim(equals + 1);
	return strcmp(key, "include") ? load_row(l, key, value) : load_include(l, value);
}

/* Reads a file and logs what is wrong with the file as a whole. */
static int load_lines(struct loader *l, const char *path)
{
	char why[PATH_MAX + 256];
	int err;

	l->file = path;
	l->line = 0;
	err = sva_text_lines(path, load_line, l, why, sizeof(why));
	/*
	 * A shortage of descriptors or memory says nothing about the file; the caller logs one line
	 * for all shortages.
	 */
	if (*why)
		sva_log(l->config, sva_is_shortage(err) ? LOG_INFO : LOG_ERR, "%s", why);
	return err;
}

/*
 * The file that "include" names is read where the line stands, as part of the file that names it.
 * It must exist: if its absence were no error, a mistake in its name would permit more.
 */
static int load_include(struct loader *l, const char *path)
{
	const char *file = l->file;
	unsigned int line = l->line;
	int err;

	if (file == l->included)
		return refuse_line(l, "include: a file that is included cannot include another");
	if (l->included)
		return refuse_line(l, "include: %s was included already", l->included);
	if (*path != '/')
		return refuse_line(l, "include: '%.200s' is not an absolute path", path);
	l->included = strdup(path);
	if (!l->included)
		return sva_settings_no_memory(l);
	err = load_lines(l, l->included);
	l->file = file;
	l->line = line;
	if (err == -ENOENT)
		return refuse_line(l, "include: %s does not exist", path);
	/* The error of the other file has been logged; this line says why it was read. */
	if (err && !sva_is_shortage(err))
		refuse_line(l, "include: %s has an error", path);
	return err;
}

static int load_file(struct loader *l)
{
	int err;

	l->source = FROM_FILE;
	err = load_lines(l, SVA_CONFIG_FILE);
	return err == -ENOENT ? 0 : err;
}

/*
 * secure_getenv(3): the user who runs a set-user-ID program must not choose plug-ins for it. An
 * empty variable counts as not set.
 */
static int load_environment(struct loader *l)
{
	int err = 0;

	l->source = FROM_ENVIRONMENT;
	for (int i = 0; i < ROW_COUNT && !err; i++) {
		const char *value = secure_getenv(sva_rows[i].public.env);

		if (value && value[strspn(value, " \t")])
			err = apply_value(l, (enum row_index)i, value);
	}
	return err;
}

static int apply_number(struct loader *l, enum row_index index, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return value ? apply_value(l, index, text) : 0;
}

static int apply_names(struct loader *l, enum row_index index, const char *names)
{
	if (names && !names[strspn(names, " \t")])
		return sva_settings_refuse(l, &sva_rows[index],
					   "an empty list; NULL means that nothing is restricted");
	return names ? apply_value(l, index, names) : 0;
}

static int apply_flag(struct loader *l, enum row_index index, const struct sva_opts *opts)
{
	return opts->flags & sva_rows[index].flag ? apply_value(l, index, "yes") : 0;
}

static int load_options(struct loader *l, const struct sva_opts *opts)
{
	int err;

	l->source = FROM_OPTIONS;
	err = apply_names(l, ROW_PATHS, opts->paths);
	if (!err)
		err = apply_names(l, ROW_QUEUES, opts->queues);
	if (!err)
		err = apply_number(l, ROW_THRESHOLD, opts->threshold);
	if (!err && opts->fault_policy)
		err = apply_value(l, ROW_FAULT_POLICY,
			    sva_rows[ROW_FAULT_POLICY].words[opts->fault_policy - 1].word);
	if (!err)
		err = apply_number(l, ROW_FAULT_TRIES, opts->fault_tries);
	if (!err)
		err = apply_number(l, ROW_SOFT_THREADS, opts->soft_threads);
	if (!err)
		err = apply_number(l, ROW_RECORD_TIMEOUT, opts->record_timeout_ms);
	if (!err)
		err = apply_flag(l, ROW_GUARD, opts);
	if (!err)
		err = apply_flag(l, ROW_STRICT, opts);
	if (!err)
		err = apply_flag(l, ROW_UNTRUSTED, opts);
	return err;
}

/* ------------------------------------------------------------------ functions for other files */

/*
 * Copy a structure of any version: fields that a shorter one lacks are zero. The fields that a
 * longer one adds must be zero, since this library does not know what they ask for.
 */
static int copy_options(struct sva_config *config, const struct sva_opts *opts,
			struct sva_opts *copy)
{
	const unsigned char *bytes = (const unsigned char *)opts;

	memset(copy, 0, sizeof(*copy));
	if (opts->size < sizeof(opts->size) || opts->size > OPTS_SIZE_LIMIT) {
		sva_log(config, LOG_ERR,
			"the size of the options, %zu, cannot be right: begin with SVA_OPTS_INIT",
			opts->size);
		return -EINVAL;
	}
	memcpy(copy, opts, opts->size < sizeof(*copy) ? opts->size : sizeof(*copy));
	config->log = copy->log;
	config->log_arg = copy->log_arg;
	for (size_t i = sizeof(*copy); i < opts->size; i++)
		if (bytes[i]) {
			sva_log(config, LOG_ERR,
				"an option is set that this version of libsva does not know (byte %zu)",
				i);
			return -EINVAL;
		}
	if (copy->flags & ~(SVA_OPEN_GUARD | SVA_OPEN_STRICT | SVA_OPEN_UNTRUSTED) ||
	    copy->reserved || copy->fault_policy > SVA_FAULT_CPU) {
		sva_log(config, LOG_ERR,
			"option flags, fault_policy or reserved has a value that this version does not know");
		return -EINVAL;
	}
	return 0;
}

/* Store the value of each row as text, for sva_config_value() and sva_config_key(). */
static int store_texts(struct loader *l)
{
	struct sva_config *config = l->config;
	char text[PATH_MAX];

	config->texts = calloc(ROW_COUNT, sizeof(*config->texts));
	if (!config->texts)
		return sva_settings_no_memory(l);
	for (int i = 0; i < ROW_COUNT; i++) {
		sva_rows[i].show(config, &sva_rows[i], text, sizeof(text));
		config->texts[i] = strdup(text);
		if (!config->texts[i])
			return sva_settings_no_memory(l);
	}
	return 0;
}

int sva_config_load(struct sva_config *config, const struct sva_opts *opts)
{
	struct loader loader = { .config = config };
	struct sva_opts copy;
	int err, saved = errno;

	memset(config, 0, sizeof(*config));
	config->log_level = LOG_WARNING;
	err = opts ? copy_options(config, opts, &copy) : 0;
	if (!err)
		err = load_defaults(&loader);
	if (!err)
		err = load_file(&loader);
	if (!err)
		err = load_environment(&loader);
	if (!err && opts)
		err = load_options(&loader, &copy);
	if (!err)
		err = store_texts(&loader);
	if (err)
		sva_config_free(config);
	free(loader.included);
	errno = saved;
	return err;
}

int sva_config_interim(struct sva_config *config)
{
	struct loader loader = { .config = config };
	int err, saved = errno;

	memset(config, 0, sizeof(*config));
	config->log_level = LOG_WARNING;
	err = load_defaults(&loader);
	if (!err)
		err = load_environment(&loader);
	if (!err) {
		config->path_mask &= 1u << SVA_PATH_CPU;
		config->path_count = config->path_mask ? 1 : 0;
		config->paths[0] = SVA_PATH_CPU;
		err = store_texts(&loader);
	}
	if (err)
		sva_config_free(config);
	errno = saved;
	return err;
}

void sva_config_free(struct sva_config *config)
{
	for (int i = 0; config->texts && i < ROW_COUNT; i++)
		free(config->texts[i]);
	free(config->texts);
	free(config->queues);
	free(config->plugins);
	free(config->plugin_dir);
	free(config->queue_file);
	memset(config, 0, sizeof(*config));
}

bool sva_config_path_allowed(const struct sva_config *config, int path)
{
	return path >= 0 && path < SVA_PATH_COUNT && config->path_mask & 1u << path;
}

bool sva_config_queue_allowed(const struct sva_config *config, const char *device,
			      const char *queue)
{
	if (!config->queues)
		return true;
	sva_names_each(selector, config->queues)
		if (sva_selector_matches(selector, device, queue))
			return true;
	return false;
}

int sva_config_value(const struct sva_config *config, unsigned int index, char *text, size_t size)
{
	if (index >= ROW_COUNT)
		return -ENOENT;
	if (strlen(config->texts[index]) >= size)
		return -ERANGE;
	strcpy(text, config->texts[index]);
	return 0;
}

const char *sva_config_key(const struct sva_config *config, const char *key)
{
	for (int i = 0; i < ROW_COUNT; i++)
		if (!strcmp(key, sva_rows[i].public.key))
			return *config->texts[i] ? config->texts[i] : NULL;
	return NULL;
}

const struct sva_setting *sva_setting_describe(unsigned int index)
{
	return index < ROW_COUNT ? &sva_rows[index].public : NULL;
}

const char *sva_config_file(void)
{
	return SVA_CONFIG_FILE;
}
