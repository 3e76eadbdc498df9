/* SPDX-License-Identifier: MIT */
/* Engine threads: with --async a descriptor is executed beside the program, as a device does. */
#ifndef EMU_DEVICE_ASYNC_H
#define EMU_DEVICE_ASYNC_H

#include "emu/device/state.h"

/* A descriptor on its way from the queue to an engine. */
struct emu_job {
	emu_queue_id queue;
	int entry;         /* of the queue, given back when an engine takes the job */
	const char *way;
	uint64_t site;
	uint64_t due;      /* CLOCK_MONOTONIC, ns: not before */
	uint64_t sequence;
	struct sva_desc desc;
};

/* What an engine does with a job. */
typedef void emu_job_fn(const struct emu_job *job);

/*
 * Start the threads of this address space, unless they run. In a handler only of what the program's
 * own code has raised, with a stack of a program's size: nothing is started on a small signal
 * stack. 0 or -errno.
 */
int emu_async_start(unsigned int threads, emu_job_fn *run);

/* Do they run in this address space? */
bool emu_async_ready(void);

/*
 * Hand a job to the engines; safe in a signal handler. There is room for every entry of every
 * queue.
 */
void emu_async_push(struct emu_job *job);

/* Wait until the engines are done with everything of this queue that this process submitted. */
void emu_async_drain(emu_queue_id queue);

#endif
