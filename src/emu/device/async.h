/* SPDX-License-Identifier: MIT */
/*
 * Engine threads: with --async they execute descriptors while the program runs on, as a device
 * does.
 */
#ifndef EMU_DEVICE_ASYNC_H
#define EMU_DEVICE_ASYNC_H

#include "emu/device/state.h"

/* A descriptor that waits for an engine. */
struct emu_job {
	emu_queue_id queue;
	int entry;         /* of the queue; it is freed when an engine takes the job */
	const char *way;
	uint64_t site;
	uint64_t due;      /* CLOCK_MONOTONIC, ns: not before */
	uint64_t sequence;
	struct sva_desc desc;
};

/* The function that an engine calls with a job. */
typedef void emu_job_fn(const struct emu_job *job);

/*
 * Start the threads of this address space, unless they run. No thread is started on a small signal
 * stack, where pthread_create() would overflow; the submitting threads then do the work. 0 or
 * -errno.
 */
int emu_async_start(unsigned int threads, emu_job_fn *run);

/* Do they run in this address space? */
bool emu_async_ready(void);

/*
 * Give a job to the engines; safe in a signal handler. The ring has room for each entry of each
 * queue.
 */
void emu_async_push(struct emu_job *job);

/* Wait until the engines have executed each job of this queue that this process submitted. */
void emu_async_drain(emu_queue_id queue);

#endif
