/* SPDX-License-Identifier: MIT */
/*
 * What all processes of one run share: the devices, their queues, the options and the counters. It
 * is a file in the directory of the run that each process maps. It has no lock: a queue entry is
 * taken with one compare-and-swap that stores the process id, so that the entries of a killed
 * process can be recognised and freed.
 */
#ifndef EMU_DEVICE_STATE_H
#define EMU_DEVICE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

#define EMU_MAGIC 0x31756d6561767301ull

#define EMU_MAX_DEVICES 8u
#define EMU_MAX_WQS     8u   /* of a device, as on Sapphire Rapids */
#define EMU_MAX_ENGINES 4u
#define EMU_MAX_GROUPS  4u
#define EMU_MAX_ENTRIES 128u /* of all queues of a device together */
#define EMU_CLIENTS     64u  /* processes that a queue can name as its openers */
/* below the range that is assigned, so no node of the machine has it */
#define EMU_CDEV_MAJOR  511u

/* The PCI functions of the devices: a bus that no machine has at the root, one slot each. */
#define EMU_PCI_ROOT "pci0000:6a"
#define EMU_PCI_BUS  "0000:6a"

#define EMU_ENV_DIR   "SVA_EMU_DIR"   /* set by sva-emu run: where the state is */
#define EMU_ENV_RAWIO "SVA_EMU_RAWIO" /* set by the user: as --rawio */
#define EMU_ENV_QUIET "SVA_EMU_QUIET" /* set by the user: no notice that the run is emulated */

enum emu_wq_type { EMU_WQ_NONE, EMU_WQ_KERNEL, EMU_WQ_USER };

enum emu_sabotage { EMU_SABOTAGE_NONE, EMU_SABOTAGE_FLIP, EMU_SABOTAGE_LOSE, EMU_SABOTAGE_LENGTH };

enum emu_trace { EMU_TRACE_OFF, EMU_TRACE_TEXT, EMU_TRACE_JSON };

struct emu_client {
	int32_t pid;
	uint32_t opens;
};

struct emu_wq {
	/* As in sysfs. */
	char name[64];
	char driver[16];
	uint32_t type;
	uint32_t enabled;
	uint32_t dedicated;
	uint32_t size;
	uint32_t threshold;
	uint32_t priority;
	int32_t group;
	uint32_t block_on_fault;
	uint32_t ats_disable;
	uint32_t prs_disable;
	uint32_t max_batch;
	uint32_t retries;       /* of the kernel's own ENQCMDS in write(2) */
	uint64_t max_transfer;
	uint64_t op_config[4];
	uint32_t minor;

	/*
	 * Which file its node is, so that a file descriptor is recognised however the process got
	 * it.
	 */
	uint64_t node_dev, node_ino;

	/* Run time. owner[i] is the process whose descriptor is in entry i, 0 if it is free. */
	int32_t owner[EMU_MAX_ENTRIES];
	struct emu_client client[EMU_CLIENTS];
	uint64_t accepted, retried, dropped;
};

struct emu_group {
	uint32_t traffic_class_a, traffic_class_b;
	uint32_t use_read_buffer_limit, read_buffers_allowed, read_buffers_reserved;
	uint32_t desc_progress_limit, batch_progress_limit;
};

struct emu_device {
	uint32_t id;
	uint32_t slot;          /* PCI: EMU_PCI_BUS:slot.0 */
	char profile[8];        /* name of the model's profile */
	uint32_t enabled;
	int32_t numa_node;
	uint32_t cmd_status;
	uint32_t read_buffer_limit;
	uint32_t event_log_size;
	uint64_t swerror[4];
	struct emu_wq wq[EMU_MAX_WQS];
	struct emu_group group[EMU_MAX_GROUPS];
	int32_t engine_group[EMU_MAX_ENGINES];
	uint8_t config[256];    /* PCI config space */
};

/* The options of the run: written by sva-emu before the program starts, constant after that. */
struct emu_options {
	/* paths are redirected by the preload library; else a mount namespace shows the tree */
	uint32_t redirect;
	/* attributes are plain files: the preload library carries out what is written to them */
	uint32_t plain_attrs;
	uint32_t no_mmap;       /* no process may map a portal */
	uint32_t rawio;         /* any process may, not only one with CAP_SYS_RAWIO */
	uint32_t user_namespace; /* capabilities of this run are not those of the initial one */
	uint32_t refuse_sva;
	uint32_t strict_faults;
	uint32_t check;
	/* engine threads of a process; 0: the submitting thread does the work */
	uint32_t async;
	uint32_t fast;          /* patch call sites after their first trap */
	uint32_t ptrace;        /* no preload library: the launcher traces the program */
	uint32_t quiet;
	uint32_t trace;         /* enum emu_trace */
	uint32_t retry_every, fault_every, error_every;
	uint32_t sabotage;      /* enum emu_sabotage */
	uint32_t sabotage_every;
	uint64_t delay_ns;
	char dir[128];          /* the run's directory */
	char root[160];         /* of the tree that shows the device: dir/root */
	char trace_file[256];
	/* 1 or 2 if the trace goes where this descriptor of the launcher goes; else 0 */
	uint32_t trace_fd;
	uint64_t trace_dev, trace_ino; /* which file that is */
};

/* Counters of the run, all processes together; each is added to atomically. */
enum emu_counter {
	EMU_COUNT_TRAPS,        /* signals that led to an emulated instruction */
	EMU_COUNT_ENQCMD,
	EMU_COUNT_MOVDIR64B,    /* to a portal */
	EMU_COUNT_STORE64,      /* MOVDIR64B to ordinary memory */
	EMU_COUNT_WRITE,        /* descriptors that came through write(2) */
	EMU_COUNT_UMONITOR,
	EMU_COUNT_UMWAIT,
	EMU_COUNT_TPAUSE,
	EMU_COUNT_RETRIED,
	EMU_COUNT_DROPPED,
	EMU_COUNT_EXECUTED,     /* descriptors taken from queues, batches as one */
	EMU_COUNT_BATCHED,      /* descriptors inside of batches */
	EMU_COUNT_FAULTS,       /* that ended with a page fault */
	EMU_COUNT_ERRORS,       /* that ended with another error */
	EMU_COUNT_LOST,         /* whose completion record could not be written */
	EMU_COUNT_BYTES,        /* worked on by descriptors outside of batches */
	EMU_COUNT_SABOTAGED,
	EMU_COUNT_UNLAWFUL,     /* findings of --check */
	EMU_COUNT_PATCHED,      /* call sites of --fast */
	EMU_COUNT_PROCESSES,
	EMU_COUNTERS
};

struct emu_state {
	uint64_t magic;
	/* of this structure, so that a library of another version notices */
	uint64_t size;
	struct emu_options opt;
	uint32_t devices;
	uint32_t mm_ids;        /* last id given to an address space */
	uint32_t unloaded;      /* rmmod was called for the driver */
	uint64_t tree_dev;      /* device number of the file system that the tree is on */
	uint64_t sequence;      /* descriptors so far, for what happens to every Nth one */
	uint64_t retry_sequence;
	uint64_t counter[EMU_COUNTERS];
	struct emu_device device[EMU_MAX_DEVICES];
};

/* The number of a queue, over all devices. Never 0. */
typedef uint32_t emu_queue_id;

static inline emu_queue_id emu_queue_make(unsigned int device, unsigned int wq)
{
	return 1 + device * EMU_MAX_WQS + wq;
}

static inline struct emu_device *emu_queue_device(struct emu_state *state, emu_queue_id id)
{
	return &state->device[(id - 1) / EMU_MAX_WQS];
}

static inline struct emu_wq *emu_queue_wq(struct emu_state *state, emu_queue_id id)
{
	return &emu_queue_device(state, id)->wq[(id - 1) % EMU_MAX_WQS];
}

static inline void emu_count(struct emu_state *state, enum emu_counter which, uint64_t n)
{
	__atomic_fetch_add(&state->counter[which], n, __ATOMIC_RELAXED);
}

/* The name of a queue, "wq0.1". buf takes at least 16 bytes. */
char *emu_queue_name(emu_queue_id id, char buf[16]);

/* Map the state that is in dir. NULL if there is none, or one of another version. */
struct emu_state *emu_state_attach(const char *dir);

/*
 * Take an entry of a queue for a process. Returns its index, or -EAGAIN if limit entries are taken.
 * If the queue is full, entries of processes that no longer exist are taken over.
 */
int emu_queue_take(struct emu_wq *wq, unsigned int limit, int pid);
void emu_queue_put(struct emu_wq *wq, int entry);

/*
 * Count one more (or, with -1, one less) open file of a queue; and the sum over all processes that
 * still exist.
 */
void emu_client_add(struct emu_wq *wq, int pid, int change);
unsigned int emu_clients(struct emu_wq *wq);

/* The limits and capabilities that apply to a descriptor in a queue; and those of the device. */
void emu_profile(const struct emu_device *dev, const struct emu_wq *wq,
		 struct sva_model_profile *profile);
const struct sva_model_profile *emu_device_profile(const struct emu_device *dev);

#endif
