/* SPDX-License-Identifier: MIT */
/**
 * @file sva/plugin.h
 * The ABI of accfg-plugins: loadable modules that report queues to libsva.
 *
 * A plug-in exports exactly one symbol, the constant ::sva_accfg_plugin_v1, and links to nothing of
 * libsva: the library passes it struct sva_accfg_host. The version of the ABI is in the symbol's
 * name, so an outdated plug-in fails to load with a clear message. A plug-in is trusted code:
 * before running it, the loader refuses one that is not owned by root or the user, that other users
 * may write, or that is not an ELF shared object of this machine.
 *
 * Since: 0.1
 */
#ifndef SVA_PLUGIN_H
#define SVA_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One queue, as a plug-in reports it. Fields that it does not know are zero, -1 or "". Strings are
 * copied. Since: 0.1
 */
struct sva_accfg_queue {
	size_t size;            /**< sizeof(struct sva_accfg_queue) as the plug-in was compiled */
	const char *name;       /**< "wq0.0"; letters, digits, '.', '_', '-' */
	const char *device;     /**< "dsa0"; the same characters */
	const char *node;       /**< character device, absolute, or "" if there is none */
	const char *label;      /**< the administrator's name for it, any text, or "" */
	uint32_t version;       /**< of the device: 0x100, 0x200, 0x300; 0 unknown */
	uint32_t mode;          /**< 1 shared, 2 dedicated, 0 unknown */
	uint32_t entries;       /**< descriptors the queue holds, 1 to 65535 */
	uint32_t threshold;     /**< shared: entries usable through the limited portal; 0: all */
	uint64_t max_transfer;  /**< bytes of one descriptor: a power of two, at most 2^31 */
	/** entries of one batch: a power of two, at most 2^15; 1: no batches */
	uint32_t max_batch;
	int32_t numa_node;      /**< -1: unknown */
	uint64_t gen_cap;       /**< as in sysfs; 0 unknown */
	uint64_t op_cap[4];     /**< bit n % 64 of word n / 64: operation n; all zero: unknown */
	/** 0 unknown, 1 trusted, 2 not (removable, external, shared IOMMU group) */
	uint32_t trust;
	uint32_t block_on_fault; /**< 1: the queue lets faults block */
	/** enum sva_reason why it is not usable (disabled, wrong type …); 0: none */
	uint32_t reason;
	uint32_t reserved;      /**< 0 */
};

/** The functions of the library for a plug-in while it enumerates. Since: 0.1 */
struct sva_accfg_host {
	size_t size; /**< sizeof(struct sva_accfg_host) as the library was compiled */
	void *ctx;   /**< first argument of the functions below */
	/** Report a queue. 0, or -EINVAL (refused; the host has logged why), -ENOMEM. */
	int (*add_queue)(void *ctx, const struct sva_accfg_queue *queue);
	/**
	 * Report a reason that concerns no single queue (an enum sva_reason) with a line of detail.
	 */
	void (*problem)(void *ctx, uint32_t reason, const char *detail);
	/** A setting of the library by its key ("queue-file"), or NULL. */
	const char *(*setting)(void *ctx, const char *key);
};

/** The one symbol of a plug-in. Since: 0.1 */
struct sva_accfg_plugin {
	size_t size;        /**< sizeof(struct sva_accfg_plugin) as the plug-in was compiled */
	const char *name;   /**< "dsa", "file": that of its file */
	const char *about;  /**< one line */
	/**
	 * Enumerate queues. 0, also if there are none; -errno if that is not known. After -EMFILE,
	 * -ENFILE and -ENOMEM the library ignores all that was reported and calls again later. One
	 * thread at a time.
	 */
	int (*enumerate)(const struct sva_accfg_host *host);
};

#if defined(__GNUC__)
/** Exports the symbol from a module built with hidden visibility. */
#define SVA_ACCFG_EXPORT __attribute__((visibility("default")))
#else
#define SVA_ACCFG_EXPORT
#endif

/** Defined by every plug-in. */
extern SVA_ACCFG_EXPORT const struct sva_accfg_plugin sva_accfg_plugin_v1;

#ifdef __cplusplus
}
#endif

#endif
