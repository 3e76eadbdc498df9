/* SPDX-License-Identifier: MIT */
/*
 * The kernel and the device behind queues whose nodes are ordinary files: open, stat, fstat, fcntl,
 * mmap, munmap, write, close and madvise of the library come here (the programs are linked with
 * --wrap). Nodes look like character devices of the driver, and the model executes what is written.
 * The fields of struct kernel_queue make calls fail, writes fall short, queues full and records
 * stay away; others count calls. It behaves as the idxd driver does where that matters: one opener
 * of a dedicated queue at a time, which drops what it has no room for and reports success; a shared
 * queue that fails with EAGAIN; no portal without CAP_SYS_RAWIO; a close that waits.
 */
#ifndef SVA_TESTS_UNIT_KERNEL_H
#define SVA_TESTS_UNIT_KERNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/model.h"
#include "sva/sva.h"

enum kernel_call { KERNEL_OPEN, KERNEL_MMAP, KERNEL_WRITE, KERNEL_MADVISE, KERNEL_CALLS };

enum kernel_mode {
	KERNEL_AT_ONCE,   /* executed before write returns */
	KERNEL_HELD,      /* executed by kernel_run() */
	KERNEL_THREAD,    /* executed by a thread of the queue, one after the other */
};

#define KERNEL_RING 256u
#define KERNEL_LOG  256u

struct kernel_queue {
	char name[32], node[128];
	bool dedicated;
	unsigned int entries;
	/* Set by the test. */
	enum kernel_mode mode;
	unsigned int take;        /* most descriptors of one write; 0: any number */
	/* close: what is held is executed first, else it is thrown away */
	bool close_executes;
	unsigned int swallow;     /* the next so many descriptors are never executed */
	unsigned int silent_after; /* after so many descriptors none is executed; 0: all are */
	unsigned int full_for;    /* the next so many writes fail with EAGAIN */
	bool maps; /* mmap gives a page that stands for the portal; else it answers EPERM */
	bool rings; /* maps, and a store to the portal submits (doorbell.h) */
	/* A batch keeps its entry of the queue; kernel_publish() writes its own record. */
	bool late_batches;
	struct sva_model_profile profile;
	/* Counted. */
	unsigned int opens, open_now, most_open, mmaps, munmaps, writes, taken, dropped, executed,
		most_held;
	uint32_t log[KERNEL_LOG]; /* flags and opcode of what was taken, in order */
	uint32_t sizes[KERNEL_LOG];
	/* Internal. */
	/* the device number of its node: KERNEL_MAJOR, and the first queue is minor 1 */
	dev_t rdev;
	dev_t rdev_opened;        /* and when it is open; 0: the same */
	int fd, other_fd;
	int opener;
	void *portal;
	struct sva_desc ring[KERNEL_RING];
	unsigned int head, held;
	bool is_late; /* the oldest descriptor was executed, and kernel_publish() is awaited */
	struct sva_comp late_record;
	bool has_thread;
	pthread_t thread;
};

/*
 * Begin a set-up without queues; then add them. more: further keys of the queue's line in the file,
 * such as "gen-cap=0x40915f010f". The variables of the environment that make the library find them
 * are set.
 */
void kernel_begin(void);
struct kernel_queue *kernel_add(const char *name, bool dedicated, unsigned int entries,
				const char *more);

/* A line more in the list of queues; NULL: it is empty. */
void kernel_list(const char *line);

#define KERNEL_MAJOR 511u

/*
 * Where the driver can be seen: nowhere; in /proc/devices, with its line or without; in /sys, with
 * the right number of queue wq0.0 or another.
 */
enum kernel_view {
	KERNEL_NOTHING,
	KERNEL_PROC,
	KERNEL_PROC_WITHOUT,
	KERNEL_SYSFS,
	KERNEL_SYSFS_OTHER_MAJOR,
	KERNEL_SYSFS_OTHER_MINOR,
};
void kernel_show(enum kernel_view view);
/* How often the library has called fstat(). */
extern unsigned int kernel_looks;

/* The next so many calls on queues (madvise: of pages) fail with an errno. */
void kernel_fail(enum kernel_call call, int err, unsigned int times);

/* Execute at most so many of the descriptors that are held; returns how many there were. */
unsigned int kernel_run(struct kernel_queue *queue, unsigned int most);

/* Write the record of a late batch. Returns false if there is none. */
bool kernel_publish(struct kernel_queue *queue);

/* A descriptor is stored to a portal. Returns 0; 1: the queue is full; -1: this is no portal. */
int kernel_store(const void *portal, const struct sva_desc *desc);

/* Pages that the device meets a fault on, until they are touched. */
void kernel_absent(const void *addr, size_t len);
/* Touching them does not help: -1, or the errno of madvise. */
void kernel_absent_for_good(int err);
void kernel_present(void);
extern unsigned int kernel_faults, kernel_touches;
/* The device reports no fault address; it reports only the page. */
extern bool kernel_hides_address, kernel_masks_address;
/* The kernel has no MADV_WIPEONFORK. To be set before the library is used. */
extern bool kernel_no_wipe;

/* What sva_cpu_features() returns: enum sva_cpu_feature. */
extern unsigned int kernel_cpu;

#endif
