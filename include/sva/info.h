/* SPDX-License-Identifier: MIT */
/**
 * @file sva/info.h
 * The queues that this process can use, problems and settings, as sva-info prints them.
 *
 * Since: 0.1
 */
#ifndef SVA_INFO_H
#define SVA_INFO_H

#include "sva/sva.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SVA_MODE_UNKNOWN   0u /**< sva_queue_info::mode: could not be read */
#define SVA_MODE_SHARED    1u /**< ENQCMD */
#define SVA_MODE_DEDICATED 2u /**< MOVDIR64B */

/** sva_queue_info::trust: not readable, or the queue is from a file */
#define SVA_TRUST_UNKNOWN 0u
#define SVA_TRUST_YES     1u /**< fixed to the machine, an IOMMU group of its own */
/** removable, behind an external-facing port, or shares its IOMMU group */
#define SVA_TRUST_NO      2u

/**
 * One queue as this context found it. Strings belong to the context and live until sva_close().
 * Since: 0.1
 */
struct sva_queue_info {
	/** in: sizeof(struct sva_queue_info); fields that the library lacks are zeroed */
	size_t size;
	const char *name;       /**< "wq0.0" */
	const char *device;     /**< "dsa0" */
	const char *node;       /**< "/dev/dsa/wq0.0" */
	const char *plugin;     /**< which plug-in reported it: "dsa", "file" */
	const char *label; /**< the administrator's name for it, any bytes, or ""; escape it before
			      printing */
	uint32_t version;       /**< of the device: 0x100, 0x200, 0x300; 0 unknown */
	uint32_t mode;          /**< SVA_MODE_* */
	uint32_t entries;       /**< descriptors the queue holds */
	uint32_t threshold;     /**< shared: entries usable through the limited portal */
	uint64_t max_transfer;  /**< bytes of one descriptor */
	uint32_t max_batch;     /**< descriptors of one batch */
	int32_t numa_node;      /**< -1: unknown */
	uint64_t gen_cap;       /**< SVA_GENCAP_*, 0 unknown */
	uint64_t op_cap[4];     /**< bit n % 64 of word n / 64: operation n */
	uint32_t trust;         /**< SVA_TRUST_* */
	uint32_t block_on_fault; /**< 1: the queue lets faults block */
	uint32_t reasons[SVA_PATH_COUNT]; /**< enum sva_reason for each path on this queue */
	int32_t pasid;          /**< of this process on it, or -1: not disclosed or not bound */
	uint32_t reserved;      /**< 0 */
};

/**
 * Describe a queue.
 * @param index from 0 on
 * @param probe non-zero: bind it for a moment, since some reasons are known only after open(2),
 *        mmap(2) and a no-op
 * @return 0; -ENOENT: index is beyond the last queue; -EINVAL; -ESTALE
 * Since: 0.1
 */
SVA_API int sva_queue_describe(struct sva *sva, unsigned int index, int probe,
			       struct sva_queue_info *info);

/**
 * Problems during discovery: refused plug-ins, unreadable devices, malformed files. One line of
 * text each.
 * @return the text, valid until sva_close(); NULL beyond the last one
 * Since: 0.1
 */
SVA_API const char *sva_problem(struct sva *sva, unsigned int index);

/** A setting: one row of the table that environment, file and options share. Since: 0.1 */
struct sva_setting {
	const char *env;     /**< environment variable, such as "SVA_PATHS" */
	const char *key;     /**< key in the configuration file, such as "paths" */
	const char *type;    /**< "list", "bytes", "number", "word", "yes/no", "path" */
	const char *initial; /**< the default, as text */
	const char *help;    /**< one line */
};

/** The settings in order; NULL beyond the last one. Static. Since: 0.1 */
SVA_API const struct sva_setting *sva_setting_describe(unsigned int index);

/**
 * The value of a setting in a context, as text.
 * @return 0; -ENOENT no such setting; -ERANGE text is too small; -ESTALE
 * Since: 0.1
 */
SVA_API int sva_setting_value(struct sva *sva, unsigned int index, char *text, size_t size);

/** The name of the configuration file that this library reads. Static. Since: 0.1 */
SVA_API const char *sva_config_file(void);

#ifdef __cplusplus
}
#endif

#endif
