/* SPDX-License-Identifier: MIT */
/*
 * One per process: generations, the arena, interned strings; and what a fork does to all of them.
 */
#ifndef SVA_BASE_PROCESS_H
#define SVA_BASE_PROCESS_H

#include "lib/base/clock.h"
#include "lib/base/lib.h"

/*
 * Nothing of this is exported: say so where it is used, too, so that it is reached without an
 * indirection.
 */
#pragma GCC visibility push(hidden)

struct sva;
struct sva_bond;
struct sva_thread;

/*
 * What a short result says: the names of a queue and a path, or the CPU and why. Lives as long as
 * the process.
 */
struct sva_identity {
	struct sva_identity *next;
	const char *queue, *device; /* NULL: the CPU */
	uint8_t path;
	uint32_t reason;
};

/*
 * A page that a forked child finds zeroed (MADV_WIPEONFORK). epoch changes whenever what threads
 * have cached is not true any more; generation counts forks, and every handle carries the one that
 * it was made in.
 */
struct sva_alive {
	atomic_uint epoch;
	atomic_uint generation;
	pthread_mutex_t enter;      /* making the process usable; comes before sva_process.lock */
};

struct sva_process {
	pthread_mutex_t lock;
	pthread_cond_t closed;      /* a bond that was being closed is off the list */
	struct sva *contexts;
	struct sva_bond *bonds;
	struct sva *default_context;
	/* stands in for the default context while that cannot be opened */
	struct sva *interim;
	/* context without routes, whose threads submit on bond handles */
	struct sva *anchor;
	/*
	 * One visitor of several threads at a time, so that two cannot wait for each other
	 * (queue/lease.c).
	 */
	pthread_mutex_t visit_lock;
	uint64_t next_id;
	/* NULL, or closes what a forked child must not keep open (queue/bond.c) */
	void (*in_child)(void);
	/* NULL, or gives a thread's shares back (run/thread.c); called with lock held */
	void (*end_thread)(const void *tls);
	bool ready;
};

extern struct sva_alive *sva_alive; /* never NULL */
extern struct sva_process sva_process;

/* Make this process usable: the first time, and again after a fork. 0 or -ENOMEM. */
int sva_process_enter(void);
/* What threads have cached is not true any more. */
void sva_process_bump_epoch(void);
/*
 * This thread has a share of a context: end_thread is called when the thread ends, with its
 * sva_tls.
 */
void sva_process_adopt_thread(void (*end_thread)(const void *tls));
static inline unsigned int sva_process_generation(void)
{
	return atomic_load_explicit(&sva_alive->generation, memory_order_relaxed);
}
/* A copy of a string that lives as long as the process; NULL if there is no memory. */
const char *sva_intern(const char *text);
/* The one identity with these values; NULL if there is no memory. */
const struct sva_identity *sva_identify(const char *queue, const char *device, uint8_t path,
					uint32_t reason);
/*
 * Pages that a forked child does not get: for what a device writes, or what must not be used there.
 */
void *sva_arena_alloc(size_t size);
void sva_arena_free(void *arena, size_t size);

/* What is known without a function call. */
struct sva_tls {
	/* the argument that current belongs to; NULL is the default context */
	struct sva *key;
	unsigned int epoch;         /* and the epoch in which that was true */
	struct sva_thread *current;
	/* The last synchronous call, all of it done well: told in full by sva_last_result(). */
	uint64_t last_bytes;
	const struct sva_identity *last_id; /* NULL: last holds it already */
	struct sva_result last;
	void *guard;                /* sigjmp_buf of the guarded section, or NULL */
	uintptr_t guard_addr;
};

extern __thread struct sva_tls sva_tls __attribute__((tls_model("initial-exec")));

#pragma GCC visibility pop

#endif
