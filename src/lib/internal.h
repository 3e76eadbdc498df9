/* SPDX-License-Identifier: MIT */
/*
 * What the files of the library share, grouped by the file that implements it, in the order in which a request travels.
 */
#ifndef SVA_INTERNAL_H
#define SVA_INTERNAL_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sva/info.h"
#include "sva/plugin.h"
#include "sva/sva.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* configure refuses other machines: code that compares addresses with 64-bit limits may rely on it. */
_Static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "libsva needs a 64-bit little-endian machine");

#define SVA_NAME_MAX 64 /* of a queue or device, with the terminator */

/* ------------------------------------------------------------------ clock.c: what failed for a moment is tried again */

struct sva_retry {
	_Atomic uint64_t at;         /* ns; not before */
	_Atomic uint64_t delay;      /* ns; doubles with every failure, up to ten seconds; 0: nothing has failed */
};

bool sva_retry_is_due(const struct sva_retry *retry);
void sva_retry_failed(struct sva_retry *retry);
/* Short of descriptors or memory, of the process or the machine: says nothing about what was looked for. err: an errno of either sign. */
static inline bool sva_is_shortage(int err)
{
	err = err < 0 ? -err : err;
	return err == EMFILE || err == ENFILE || err == ENOMEM;
}

/* ------------------------------------------------------------------ cancellation */

/*
 * No function of the library is a cancellation point: a thread that were cancelled inside would leave locks, descriptors, and operations that a
 * device still writes for. So whatever calls a cancellation point of libc (open, close, read, write, a wait, a program's own log function)
 * holds cancellation off meanwhile. In a process of one thread nothing can be cancelled, and nothing is done; glibc says when that ends.
 */
#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define SVA_SINGLE_THREADED __libc_single_threaded
#endif
#endif
#ifndef SVA_SINGLE_THREADED
#define SVA_SINGLE_THREADED 0
#endif

static inline int sva_cancel_hold(void)
{
	int before = PTHREAD_CANCEL_DISABLE;

	if (!SVA_SINGLE_THREADED)
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

/* before: what sva_cancel_hold() returned. */
static inline void sva_cancel_release(int before)
{
	int now;

	if (before != PTHREAD_CANCEL_DISABLE)
		pthread_setcancelstate(before, &now);
}

/* ------------------------------------------------------------------ config.c: what may be used, and how */

/* A list of queue or plug-in names, in one string: "a\0b\0\0". NULL: no restriction. */
struct sva_config {
	uint8_t paths[SVA_PATH_COUNT]; /* permitted paths, in order of preference */
	unsigned int path_count;
	uint32_t path_mask;          /* bit n: path n is permitted */
	bool paths_explicit;         /* somebody named paths; the default order was not used */
	char *queues;                /* permitted queues: names of queues, devices, or device/queue; NULL: all */
	char *plugins;               /* plug-ins to load, in order */
	char *plugin_dir;
	char *queue_file;            /* of the file plug-in; NULL: none */
	size_t threshold;            /* bytes; shorter synchronous operations stay on the CPU */
	uint32_t flags;              /* SVA_OPEN_* */
	uint32_t fault_policy;       /* enum sva_fault_policy, never DEFAULT */
	uint32_t fault_tries;
	uint32_t full_tries;         /* attempts on a full queue before the next one */
	uint32_t soft_threads;
	uint32_t record_timeout_ms;
	char soft_profile[16];       /* "dsa1", "dsa2", "dsa3" */
	int log_level;               /* syslog level: messages up to this one are given out */
	void (*log)(void *arg, int level, const char *text);
	void *log_arg;
	char **texts;                /* the value of each setting, as sva_setting() counts them */
};

/*
 * Defaults, then the file under sysconfdir, then the environment (secure_getenv), then opts. Each may only narrow what the
 * file allows. 0, -EINVAL, -EBADMSG, -EACCES, -ENOMEM; every failure has been logged with file and line, or variable.
 */
int sva_config_load(struct sva_config *config, const struct sva_opts *opts);
void sva_config_free(struct sva_config *config);
bool sva_config_path_allowed(const struct sva_config *config, int path);
bool sva_config_queue_allowed(const struct sva_config *config, const char *device, const char *queue);
/* The value of the index-th setting as text: 0, -ENOENT, -ERANGE. By key, for plug-ins: the text, or NULL. */
int sva_config_value(const struct sva_config *config, unsigned int index, char *text, size_t size);
const char *sva_config_key(const struct sva_config *config, const char *key);

/* ------------------------------------------------------------------ log.c */

void sva_log(const struct sva_config *config, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ------------------------------------------------------------------ discover.c: plug-ins and what they found */

/* A queue as discovered; never changes afterwards. */
struct sva_queue {
	struct sva_queue *next;
	char name[SVA_NAME_MAX];
	char device[SVA_NAME_MAX];
	char plugin[SVA_NAME_MAX];
	char *node;                  /* "" if none */
	char *label;
	uint32_t version, mode, entries, threshold, max_batch, trust;
	uint64_t max_transfer;       /* power of two, never 0 */
	int numa_node;
	uint64_t gen_cap, op_cap[4];
	bool block_on_fault;
	uint32_t reason;             /* enum sva_reason known before opening it; 0: none */
};

struct sva_inventory {
	struct sva_queue *queues;    /* in the order of discovery */
	unsigned int queue_count;
	char **problems;             /* one line each */
	unsigned int problem_count;
	bool refused;                /* a queue was left out, since what a plug-in says of it makes no sense */
	uint32_t reason;             /* when there are no queues: why, the most telling reason of all plug-ins */
};

/*
 * Loads the plug-ins and asks each. Only -ENOMEM is fatal: what a plug-in does wrong becomes a problem. Plug-ins, and the libraries that they use, need
 * not be thread-safe: the caller holds sva_process.lock, which fork() waits for, too.
 */
int sva_discover(const struct sva_config *config, struct sva_inventory **inventory);
void sva_inventory_free(struct sva_inventory *inventory);
/*
 * Why nothing can be used: the reason of the queue that is nearest to working (OK: there is none), unless a queue that was refused may have been
 * nearer.
 */
uint32_t sva_inventory_reason(const struct sva_inventory *inventory, uint32_t nearest);
/* "wq0.0", "dsa0/wq0.0" or a node's path; NULL if there is none. */
const struct sva_queue *sva_inventory_find(const struct sva_inventory *inventory, const char *name);

/* ------------------------------------------------------------------ plugin.c: the loader, which checks before it runs */

/*
 * Check (owner, mode, ELF header, the one symbol) and load; the reason goes into why if it is refused. What is loaded stays
 * for the life of the process. 0, -ENOENT, -EACCES, -ENOEXEC, -ENOMEM, other errors of open(2). One thread at a time.
 */
int sva_plugin_load(const char *path, const struct sva_accfg_plugin **plugin, char *why, size_t why_size);

/* ------------------------------------------------------------------ numa.c: the only caller of libnuma */

int sva_numa_thread_node(void);                  /* of the calling thread, without a syscall; 0 if there are no nodes, -1: not known yet */
int sva_numa_distance(int a, int b);             /* 10 is local; unknown (-1) nodes are near to everything */
int sva_numa_buffer_node(const void *addr);      /* of the page at addr, by a syscall; -1 if it can not be told */
void sva_numa_after_fork(void);                  /* in a child: no thread of it is looking */

/* ------------------------------------------------------------------ cpu.c: what this CPU can do */

enum sva_cpu_feature { SVA_CPU_ENQCMD = 1, SVA_CPU_MOVDIR64B = 2, SVA_CPU_WAITPKG = 4 };
unsigned int sva_cpu_features(void);             /* from /proc/cpuinfo; 0 while that cannot be read */
/* It could not be read for want of descriptors or memory, and is looked at again. */
bool sva_cpu_shortage(void);

#endif
