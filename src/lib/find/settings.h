/* SPDX-License-Identifier: MIT */
/*
 * The table of settings, to which config.c applies the sources. Every setting is a row; every type
 * of value has a function that sets it and one that shows it.
 */
#ifndef SVA_SETTINGS_H
#define SVA_SETTINGS_H

#include "lib/find/config.h"

/* Which value permits less, so that a later source cannot take it back. */
enum narrower { NEITHER, YES, NO };

enum source { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_OPTIONS };

struct row;
struct loader;

typedef int set_fn(struct loader *l, const struct row *row, char *text);
typedef void show_fn(const struct sva_config *config, const struct row *row, char *text,
		     size_t size);

struct word {
	const char *word;
	uint32_t value;
};

/* One setting. */
struct row {
	struct sva_setting public;
	set_fn *set;
	show_fn *show;
	size_t offset;            /* of the field in struct sva_config */
	uint64_t min, max;        /* of numbers; if max is set, a word may be a number, too */
	const struct word *words; /* of words, ended by NULL */
	uint32_t flag;            /* of yes/no: the bit in struct sva_config::flags */
	enum narrower narrower;   /* of yes/no */
};

enum row_index {
	ROW_PATHS,
	ROW_QUEUES,
	ROW_PLUGINS,
	ROW_PLUGIN_DIR,
	ROW_QUEUE_FILE,
	ROW_THRESHOLD,
	ROW_FAULT_POLICY,
	ROW_FAULT_TRIES,
	ROW_FULL_TRIES,
	ROW_SOFT_THREADS,
	ROW_SOFT_PROFILE,
	ROW_RECORD_TIMEOUT,
	ROW_GUARD,
	ROW_STRICT,
	ROW_UNTRUSTED,
	ROW_LOG,
	ROW_COUNT
};

extern const struct row sva_rows[ROW_COUNT];

struct loader {
	struct sva_config *config;
	enum source source;
	const char *file;  /* that is read */
	unsigned int line; /* of the file */
	char *included;    /* the file that "include" names; NULL: none */
	const char *value; /* as it was given */
	struct {
		enum source source;
		const char *file;
		unsigned int line;
	} origin[ROW_COUNT]; /* which source set the row last */
};

/*
 * Log what is wrong with a value, after the place where it was set: it is malformed; it is not
 * permitted. They return the error to return.
 */
int sva_settings_refuse(struct loader *l, const struct row *row, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int sva_settings_deny(struct loader *l, const struct row *row);
int sva_settings_no_memory(struct loader *l);

#endif
