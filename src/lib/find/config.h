/* SPDX-License-Identifier: MIT */
/* The configuration: what may be used, and how. */
#ifndef SVA_FIND_CONFIG_H
#define SVA_FIND_CONFIG_H

#include "lib/base/lib.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

/* Lists of names are one string each: "a\0b\0\0"; NULL: no restriction. */
struct sva_config {
	uint8_t paths[SVA_PATH_COUNT]; /* permitted paths, in order of preference */
	unsigned int path_count;
	uint32_t path_mask;          /* bit n: path n is permitted */
	bool paths_explicit;         /* a source listed paths; false: the default order */
	char *queues;                /* permitted queues, as selectors (names.h); NULL: all */
	char *plugins;               /* plug-ins to load, in order */
	char *plugin_dir;
	char *queue_file;            /* read by the plug-in "file"; NULL: none */
	size_t threshold;            /* bytes; shorter synchronous operations stay on the CPU */
	uint32_t flags;              /* SVA_OPEN_* */
	uint32_t fault_policy;       /* enum sva_fault_policy, never DEFAULT */
	uint32_t fault_tries;
	uint32_t full_tries;         /* attempts on a full queue before the next one */
	uint32_t soft_threads;
	uint32_t record_timeout_ms;
	char soft_profile[16];       /* "dsa1", "dsa2", "dsa3" */
	int log_level;               /* syslog level; messages of higher levels are dropped */
	void (*log)(void *arg, int level, const char *text);
	void *log_arg;
	char **texts;                /* the values, in the order of sva_setting_describe() */
};

/*
 * Reads the defaults, then the file under sysconfdir, then the environment (secure_getenv(3)), then
 * opts. Each may only narrow what the file allows. Returns 0, -EINVAL, -EBADMSG, -EACCES, -ENOMEM;
 * every failure has been logged with file and line, or variable.
 */
int sva_config_load(struct sva_config *config, const struct sva_opts *opts);
/*
 * The configuration while the file cannot be read for a shortage: defaults and the environment, and
 * of the paths cpu alone.
 */
int sva_config_interim(struct sva_config *config);
void sva_config_free(struct sva_config *config);
bool sva_config_path_allowed(const struct sva_config *config, int path);
bool sva_config_queue_allowed(const struct sva_config *config, const char *device,
			      const char *queue);
/* The value of the index-th setting as text: 0, -ENOENT, -ERANGE. */
int sva_config_value(const struct sva_config *config, unsigned int index, char *text, size_t size);
/* The value of the setting with this key, for plug-ins; NULL: empty, or no such setting. */
const char *sva_config_key(const struct sva_config *config, const char *key);

#pragma GCC visibility pop

#endif
