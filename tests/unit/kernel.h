/* SPDX-License-Identifier: MIT */
/*
 * The kernel and the device behind queues whose nodes are ordinary files: open, stat, fstat, fcntl,
 * mmap, munmap, write, close and madvise of the library come here (the programs are linked with
 * --wrap). Nodes look like character devices of the driver, and the model executes what is written.
 * It refuses, falls short, fills up and stays silent as it is told to, and counts what it sees. It
 * behaves as the idxd driver does where that matters: one opener of a dedicated queue at a time,
 * which drops what it has no room for and reports success; a shared one that says EAGAIN; no portal
 * without CAP_SYS_RAWIO; close waits.
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
	/* As it is told. */
	enum kernel_mode mode;
	unsigned int take;        /* most descriptors of one write; 0: any number */
	/* close: what is held is executed first, else it is thrown away */
	bool close_executes;
	unsigned int swallow;     /* so many descriptors are never executed at all */
	unsigned int silent_after; /* so many descriptors none is executed any more; 0: never */
	unsigned int full_for;    /* so many writes find it full */
	bool maps; /* mmap gives a page that stands for the portal; else it answers EPERM */
	struct sva_model_profile profile;
	/* What it saw. */
	unsigned int opens, open_now, most_open, mmaps, munmaps, writes, taken, dropped, executed,
		most_held;
	uint32_t log[KERNEL_LOG]; /* flags and opcode of what was taken, in order */
	uint32_t sizes[KERNEL_LOG];
	/* Its own. */
	/* what its node looks like: KERNEL_MAJOR, and the first queue is minor 1 */
	dev_t rdev;
	dev_t rdev_opened;        /* and when it is open; 0: the same */
	int fd, other_fd;
	int opener;
	void *portal;
	struct sva_desc ring[KERNEL_RING];
	unsigned int head, held;
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
 * What tells of the driver: nothing; /proc/devices, with it or without; /sys, which takes the queue
 * wq0.0 to be another.
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
/* How often the library has asked what a descriptor is. */
extern unsigned int kernel_looks;

/* The next so many calls on queues (madvise: of pages) fail with an errno. */
void kernel_fail(enum kernel_call call, int err, unsigned int times);

/* Execute what is held, at most so many; how many there were. */
unsigned int kernel_run(struct kernel_queue *queue, unsigned int most);

/* Pages that the device meets a fault on, until they are touched. */
void kernel_absent(const void *addr, size_t len);
/* Touching them does not help: -1, or the errno of madvise. */
void kernel_absent_for_good(int err);
void kernel_present(void);
extern unsigned int kernel_faults, kernel_touches;
/* The device does not tell where it met the fault; it tells only the page. */
extern bool kernel_hides_address, kernel_masks_address;
/* It has no MADV_WIPEONFORK. To be set before the library is used. */
extern bool kernel_no_wipe;

/* What the CPU is said to be able to do: enum sva_cpu_feature. */
extern unsigned int kernel_cpu;

#endif
