/* SPDX-License-Identifier: MIT */
/**
 * @file sva/sva.h
 * libsva: memory operations on an accelerator, on the program's own virtual addresses.
 *
 * The one header that most programs need. Every function returns 0 or a count on success and a
 * negative errno value on failure; errno itself is not changed. Status byte, bytes done, fault
 * address and path are in struct sva_result. Names are sva_<object>_<verb>. All functions may be
 * called from any thread unless their comment restricts it; none may be called from a signal
 * handler.
 *
 * Since: 0.1
 */
#ifndef SVA_SVA_H
#define SVA_SVA_H

#include <stddef.h>
#include <stdint.h>

#include "sva/desc.h"
#include "sva/op.h"
#include "sva/ops.h"
#include "sva/dma.h"
#include "sva/cq.h"
#include "sva/version.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sva;      /**< a context: configuration, queues, paths */
struct sva_bond; /**< a queue that this process has bound */

/**
 * The paths on which an operation can be done. The first five carry descriptors; SVA_PATH_CPU is
 * work without a descriptor, or that the CPU finished. Since: 0.1
 */
enum sva_path {
	SVA_PATH_ENQCMD = 0,    /**< mapped portal of a shared queue */
	SVA_PATH_MOVDIR64B = 1, /**< mapped portal of a dedicated queue */
	SVA_PATH_WRITE = 2,     /**< write(2) on a queue's character device */
	SVA_PATH_DMA = 3,       /**< /dev/sva_dma: the kernel maps with the DMA API */
	SVA_PATH_SOFT = 4,      /**< the DSA in software, in this process */
	SVA_PATH_CPU = 5,       /**< plain CPU instructions */
	SVA_PATH_COUNT = 6      /**< number of paths in this version */
};

/**
 * The name of a path: "enqcmd" "movdir64b" "write" "dma" "soft" "cpu", or "none" for any other
 * number. The string is static. Since: 0.1
 */
SVA_API const char *sva_path_name(int path);

/** What to do when the device meets a page that is not resident. Since: 0.1 */
enum sva_fault_policy {
	SVA_FAULT_DEFAULT = 0, /**< SVA_FAULT_TOUCH */
	/** touch the page, resume on the device; after fault_tries, the CPU */
	SVA_FAULT_TOUCH = 1,
	SVA_FAULT_BLOCK = 2,   /**< block on fault where the queue permits it, else touch */
	SVA_FAULT_CPU = 3      /**< finish on the CPU */
};

/* sva_opts::flags. Unknown bits are -EINVAL. */
/** path cpu: bad pointers give -EFAULT, by SIGSEGV and SIGBUS handlers */
#define SVA_OPEN_GUARD     0x1u
#define SVA_OPEN_STRICT    0x2u /**< refuse devices whose trust cannot be read, too */
#define SVA_OPEN_UNTRUSTED 0x4u /**< allow removable, external and IOMMU-sharing devices */

/**
 * Options of a context. Zero means "as configured" for every field. Initialise with SVA_OPTS_INIT,
 * so that a program keeps working with a later library whose structure is longer. The settings of
 * the administrator's file and of the environment can be narrowed here, not widened. Since: 0.1
 */
struct sva_opts {
	size_t size;            /**< sizeof(struct sva_opts) when the program was compiled */
	const char *paths; /**< permitted paths, the preferred first: "write,soft"; NULL: all */
	const char *queues;     /**< permitted queues: "wq0.0,dsa2,wq4.1"; NULL: all */
	size_t threshold;       /**< shorter synchronous calls stay on the CPU (default 16 KiB) */
	uint32_t flags;         /**< SVA_OPEN_* */
	uint32_t fault_policy;  /**< enum sva_fault_policy */
	uint32_t fault_tries;   /**< device attempts after page faults before the CPU (default 8) */
	uint32_t soft_threads;  /**< engine threads of the path soft, at most 64 (default: none) */
	/** If a record does not come within this time, the bond is retired (default 10000). */
	uint32_t record_timeout_ms;
	uint32_t reserved;      /**< 0 */
	/** Receives messages (syslog levels 3 to 7), may not call libsva; NULL: stderr. */
	void (*log)(void *arg, int level, const char *text);
	void *log_arg;          /**< given to log */
};

/** Initialises struct sva_opts, in C: struct sva_opts opts = SVA_OPTS_INIT. Since: 0.1 */
#define SVA_OPTS_INIT { sizeof(struct sva_opts), NULL, NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL }

/**
 * The result of an operation. Valid until the operation is submitted again (sva_op_result()) or
 * until the thread's next synchronous call (sva_last_result()). The strings live as long as the
 * process. Since: 0.1
 */
struct sva_result {
	/** 0 or -errno, as the call returned it; -EINPROGRESS: pending; -EINVAL: not submitted. */
	int32_t error;
	uint8_t status;         /**< enum sva_status of the last completion record, 0: none */
	uint8_t result;         /**< result byte of that record, for compare, delta and DIF */
	/** enum sva_path that did most of the bytes; SVA_PATH_CPU where nothing was done. */
	uint8_t path;
	uint8_t fault_write;    /**< 1: the access to fault_addr was a write */
	uint64_t bytes;         /**< bytes done, on all paths together */
	uint64_t path_bytes[8]; /**< bytes by enum sva_path; the last two are reserved */
	uint64_t fault_addr;    /**< of the last page fault, 0: none; bits 11:0 may be cleared */
	/** CRC; size of the delta record; compare: offset of the difference */
	uint64_t value;
	const char *queue;      /**< "wq0.0"; "soft"; NULL: no queue was used */
	const char *device;     /**< "dsa0"; "soft"; NULL */
	uint32_t faults;        /**< page faults met */
	uint32_t retries;       /**< how often a queue was full */
	uint32_t chunks;        /**< descriptors submitted for it */
	/** enum sva_reason: why no better path was taken, 0 if the first choice was */
	uint32_t reason;
	struct sva_comp_dif dif; /**< DIF: tags to continue with */
	uint64_t reserved[2];   /**< 0 */
};

/* ------------------------------------------------------------------ context */

/**
 * Open a context: read configuration, load the plug-ins, find the queues. Queues are bound when
 * they are first needed.
 *
 * @param sva  receives the context; not changed on failure
 * @param opts NULL: defaults, then the file, then the environment
 * @return 0; -EINVAL unknown flag, path or size of the structure; -ENOMEM; -EACCES the
 *        administrator's file permits none of the paths or queues of the list, or may not be
 *        opened; -EBADMSG that file is malformed (the log names file and line), larger than 256
 *        KiB, not a regular file, or cannot be read
 * Since: 0.1
 */
SVA_API int sva_open(struct sva **sva, const struct sva_opts *opts);

/**
 * Close a context. Waits until no device holds work of it. Ends the operations that were submitted
 * on it by this thread or by threads that have ended; their results can be read afterwards.
 * Operations of other threads are polled or waited for by those threads, during the call and after
 * it; the end of the last one frees the context. Its bonds are released; handles from sva_bind()
 * stay valid until their sva_unbind(). NULL does nothing. No other thread may use the context
 * meanwhile, nor poll an operation that is ended here. Since: 0.1
 */
SVA_API void sva_close(struct sva *sva);

/* ------------------------------------------------------------------ bonds */

#define SVA_BIND_UNTRUSTED 0x1u /**< bind a removable, external or IOMMU-sharing device */
#define SVA_BIND_STRICT    0x2u /**< refuse a device whose trust cannot be read */

/**
 * Bind the calling process to a queue. There is no way to bind another process and no supervisor
 * mode. Binding a queue again, through any context, gives the existing bond with one more
 * reference.
 *
 * @param sva   context, NULL: the process's default one
 * @param queue "wq0.0", "dsa0/wq0.0", "/dev/dsa/wq0.0", or "soft" for the DSA in software
 * @param flags SVA_BIND_*; unknown bits: -EINVAL
 * @param bond  receives the bond; not changed on failure
 * @return 0; -EINVAL; -ENOENT no such queue; -ENODEV the queue is disabled or of the wrong type, or
 *        has no node; -EACCES no permission, or a setting excludes the queue; -EOPNOTSUPP this
 *        kernel or CPU does not support it (sva_explain() gives the reason); -EBUSY the dedicated
 *        queue is in use; -EPERM the device is not trusted; -ESTALE the context is from before a
 *        fork; other errors of open(2)
 * Since: 0.1
 */
SVA_API int sva_bind(struct sva *sva, const char *queue, unsigned int flags,
		     struct sva_bond **bond);

/**
 * The PASID of this process, where the kernel discloses it (the sva_dma module does).
 * @return 0; -ENODATA bound, but not disclosed; -ESTALE; -EINVAL
 * Since: 0.1
 */
SVA_API int sva_bond_pasid(const struct sva_bond *bond, uint32_t *pasid);

/**
 * The path of submissions on this bond, an enum sva_path; -ESTALE; -EIO the bond was retired, or
 * the program closed its descriptor; -EINVAL. Since: 0.1
 */
SVA_API int sva_bond_path(const struct sva_bond *bond);

/**
 * Release one reference. With the last one, waits until the device has finished the work in flight,
 * and closes the queue. It ends no operation: an operation that has not ended keeps the queue open,
 * and the sva_poll() or sva_wait() that ends the last one closes it. NULL does nothing. Since: 0.1
 */
SVA_API void sva_unbind(struct sva_bond *bond);

/* ------------------------------------------------------------------ synchronous calls */

/**
 * Copy len bytes. Returns when the bytes are copied. Overlapping buffers give the result of
 * memmove(3).
 *
 * @param sva context, NULL: the process's default one
 * @return 0; -EFAULT bad address, with sva_last_result()->fault_addr (on the path cpu only with
 *        SVA_OPEN_GUARD; NULL with a length always); -EINVAL the range wraps around the address
 *        space; -ENODEV no permitted path can do it; -EIO the device failed or did not write its
 *        record, also where the CPU is permitted: the CPU finishes only after page faults; -EAGAIN
 *        every queue stayed full for the record timeout and the CPU is not permitted; -ESTALE the
 *        context is from before a fork
 * Since: 0.1
 */
SVA_API int sva_memcpy(struct sva *sva, void *dst, const void *src, size_t len);

/**
 * Fill len bytes with a repeated 8-byte pattern, least significant byte first. Errors as
 * sva_memcpy(). Since: 0.1
 */
SVA_API int sva_memfill(struct sva *sva, void *dst, uint64_t pattern, size_t len);

/**
 * Submit a prepared operation and wait for its end, as every synchronous call does.
 * @return as sva_wait() without a limit, or as sva_submit(); waits while the queues are full
 * Since: 0.1
 */
SVA_API int sva_run(struct sva *sva, struct sva_op *op);

/** The result of this thread's last synchronous call; never NULL. Since: 0.1 */
SVA_API const struct sva_result *sva_last_result(void);

/* ------------------------------------------------------------------ asynchronous calls */

/**
 * Submit a prepared operation on the best path that is permitted.
 *
 * @return 0 taken: the operation is in flight or has ended (sva_poll()); -EAGAIN every queue is
 *        full: the operation was not submitted, try again (where the CPU is permitted it takes over
 *        once a queue was full for the whole record timeout); -EBUSY the operation is in flight
 *        already; -EINVAL not prepared, misaligned, unknown flag, or impossible lengths or
 *        addresses; -EFAULT a null pointer with a length; -ENODEV no permitted path can do it
 *        (sva_explain() gives the reason); -EOPNOTSUPP no device has this operation; -ESTALE
 * Since: 0.1
 */
SVA_API int sva_submit(struct sva *sva, struct sva_op *op);

/**
 * As sva_submit(), to the queue of this bond only. sva_reap() does not collect the operation. -EIO:
 * the bond was retired, or the program closed its descriptor. Since: 0.1
 */
SVA_API int sva_bond_submit(struct sva_bond *bond, struct sva_op *op);

/**
 * Submit n operations, in order, with as few calls as the path permits (one write(2) carries as
 * many as are ready).
 * @return the number that were taken, which may be fewer than n when queues fill up; -errno if the
 *        first one was refused
 * Since: 0.1
 */
SVA_API int sva_submit_many(struct sva *sva, struct sva_op **ops, unsigned int n);

/**
 * Check whether an operation has ended; may submit its next chunk or resume it after a fault. Never
 * blocks on a device. @return 1 done, 0 pending, -errno it failed (again with each call), -EIO if
 * the device failed or did not write its record, also where the CPU is permitted; -EINVAL it was
 * not submitted; -ESTALE submitted before a fork
 * Since: 0.1
 */
SVA_API int sva_poll(struct sva_op *op);

/**
 * Wait for the end of an operation.
 * @param timeout_ns nanoseconds; negative: no limit; 0: like sva_poll()
 * @return 0 done; -ETIME pending: it stays in flight, and its memory still belongs to the library;
 *        -errno it failed
 * Since: 0.1
 */
SVA_API int sva_wait(struct sva_op *op, int64_t timeout_ns);

/**
 * Collect operations that have ended and that this thread submitted on this context;
 * sva_op_result() has the error of each. Operations of sva_bond_submit() belong to no context and
 * are not collected: poll them or wait for them.
 * @param done receives up to n operations, each once
 * @return their number; -ESTALE; -EINVAL
 * Since: 0.1
 */
SVA_API int sva_reap(struct sva *sva, struct sva_op **done, unsigned int n);

/**
 * Block until neither device nor library accesses this operation or its buffers any more, for
 * instance after a timeout. If its record does not come within the record timeout, the bond is
 * retired: its portal is unmapped, its queue closed, and all operations on it end with -EIO.
 * Since: 0.1
 */
SVA_API void sva_op_retire(struct sva_op *op);

/**
 * The result of an operation. Never NULL; error is -EINPROGRESS while it is pending. An operation
 * that sva_submit() refused counts as not submitted: error is -EINVAL then, whatever was returned.
 * Since: 0.1
 */
SVA_API const struct sva_result *sva_op_result(const struct sva_op *op);

/* ------------------------------------------------------------------ reasons and names */

/** Why a path, or a queue on a path, is not usable, with advice. X(name, text). Since: 0.1 */
#define SVA_REASON_MAP(X) \
	X(OK, "usable") \
	X(EXCLUDED, \
	  "excluded by the path list (SVA_PATHS, the configuration file or the program)") \
	X(QUEUE_EXCLUDED, \
	  "excluded by the queue list (SVA_QUEUES, the configuration file or the program)") \
	X(NO_DEVICE, "no accelerator was found: no plug-in reported a queue") \
	X(NO_DRIVER, "the idxd driver is not loaded: modprobe idxd, or this machine has no DSA") \
	X(DEVICE_DISABLED, "the device is disabled: accel-config enable-device") \
	X(QUEUE_DISABLED, "the queue is disabled: accel-config enable-wq") \
	X(WRONG_TYPE, \
	  "the queue is not of type user: configure it with accel-config config-wq --type=user") \
	X(WRONG_MODE, \
	  "this path needs a queue of the other mode (enqcmd: shared, movdir64b: dedicated)") \
	X(NO_NODE, \
	  "the queue's device node is missing: udev has not made it, or this container lacks it") \
	X(NO_PERMISSION, \
	  "no permission to open the queue's device node: have its group or mode changed (udev rule)") \
	X(SVA_REFUSED, \
	  "this kernel refuses shared virtual addressing (EOPNOTSUPP): stable 6.1 and 6.12 kernels do, 6.18.7 and later do not") \
	X(NO_IOMMU, \
	  "the kernel has no IOMMU in scalable mode for this device: boot with intel_iommu=on,sm_on") \
	X(NO_PASID, "the kernel has no PASID left, or could not give this process one") \
	X(NEED_RAWIO, \
	  "mapping a portal needs CAP_SYS_RAWIO in the initial user namespace; write(2) works without it") \
	X(NO_ENQCMD, \
	  "this CPU, or the kernel on it, does not offer ENQCMD (no enqcmd in /proc/cpuinfo)") \
	X(NO_MOVDIR64B, "this CPU does not offer MOVDIR64B (no movdir64b in /proc/cpuinfo)") \
	X(BUSY, "the dedicated queue is in use by another process") \
	X(BUSY_HERE, \
	  "the dedicated queue is in use in this process, by another DSA library or a second copy of libsva") \
	X(SYSFS_READONLY, \
	  "/sys is read-only, and libaccel-config before 4.1 finds nothing then: mount it writable, or list the queues in a file") \
	X(UNTRUSTED, \
	  "the device is removable, behind an external port or shares its IOMMU group: allow it explicitly to use it") \
	X(TRUST_UNKNOWN, \
	  "whether the device can be trusted could not be read, and the strict setting refuses that") \
	X(WRITE_REFUSED, "the kernel does not take descriptors by write(2) here") \
	X(NO_OPERATION, "the device does not have this operation, or not on this path") \
	X(MODULE_ABSENT, "/dev/sva_dma is absent: the sva_dma module is not loaded") \
	X(MODULE_PERMISSION, "no permission to open /dev/sva_dma: join its group, or ask root") \
	X(MODULE_VERSION, \
	  "the sva_dma module speaks another version of the interface: update the older of the two") \
	X(MODULE_NO_CHANNEL, \
	  "sva_dma has no DMA channel: no dmaengine provider with memcpy, or all of them are taken") \
	X(MODULE_FOREIGN, \
	  "/dev/sva_dma is not the sva_dma module: it does not know the INFO call") \
	X(FULL, "every queue was full, and stayed full while the call backed off") \
	X(RETIRED, "the queue's records stopped coming, and it was closed") \
	X(TOO_SMALL, "shorter than the threshold: the CPU is faster") \
	X(FAULTS, "page faults: the CPU finished what the device could not reach") \
	X(BAD_RECORD, "the device's completion record makes no sense") \
	X(NOT_BUILT, "this build has no code for it (another processor architecture)") \
	X(OPEN_FAILED, "the queue's device node could not be opened") \
	X(MAP_FAILED, "the portal could not be mapped") \
	X(PLUGIN, "a plug-in is missing, was refused or failed; SVA_LOG=notice names it") \
	X(FORKED, "the handle is from before a fork") \
	X(MEMLOCK, \
	  "the memory may not be pinned for sva_dma: raise RLIMIT_MEMLOCK (ulimit -l), or map less of it") \
	X(BATCH_SIZE, \
	  "the batch has more entries, or fewer, than the queue takes in one descriptor: they go one by one") \
	X(BATCH_ENTRY, \
	  "an entry cannot be part of a batch (too long, empty, a drain, mapped buffers): they go one by one") \
	X(NOT_A_QUEUE, \
	  "the queue's node is no character device of the driver, or that of another queue") \
	X(SHORTAGE, \
	  "short of descriptors, memory or threads at the moment: the library tries again later") \
	X(SYSFS_HIDDEN, \
	  "/sys is empty, not mounted or not readable here: mount it, or list the queues in a file") \
	X(PROC_HIDDEN, \
	  "/proc is not mounted here: whether this CPU offers the instruction cannot be seen") \
	X(QUEUE_REFUSED, \
	  "a queue was left out, since a field of it makes no sense; sva-info names both") \
	X(QUEUE_UNCONFIGURED, \
	  "the queue is not configured: sva-info --setup prints the commands")

/** See #SVA_REASON_MAP. The numbers may grow, never change. */
enum sva_reason {
#define SVA_REASON_ENUM(name, text) SVA_REASON_##name,
	SVA_REASON_MAP(SVA_REASON_ENUM)
#undef SVA_REASON_ENUM
	SVA_REASON_COUNT_ /**< one more than the largest of this version */
};

/** The text of a reason; static. For an unknown number, "unknown reason". Since: 0.1 */
SVA_API const char *sva_reason_text(unsigned int reason);

/** The name of a reason, such as "NEED_RAWIO"; static. Since: 0.1 */
SVA_API const char *sva_reason_name(unsigned int reason);

/**
 * Why this context does or does not use a path. Probes queues that were not probed before, so it
 * may open one and submit a no-op.
 * @param text receives one line of advice, cut to size and terminated; may be NULL
 * @return an enum sva_reason (0: usable); -EINVAL, -ESTALE
 * Since: 0.1
 */
SVA_API int sva_explain(struct sva *sva, int path, char *text, size_t size);

/** The text of a completion status code; static. Since: 0.1 */
SVA_API const char *sva_status_text(unsigned int status);

/** The name of a completion status code, such as "PAGE_FAULT"; static. Since: 0.1 */
SVA_API const char *sva_status_name(unsigned int status);

/** The errno (positive, 0 for success) of an operation with this completion status. Since: 0.1 */
SVA_API int sva_status_errno(unsigned int status);

/** The version of the library that runs, as SVA_VERSION. Since: 0.1 */
SVA_API unsigned int sva_version(void);

#ifdef __cplusplus
}
#endif

#endif
