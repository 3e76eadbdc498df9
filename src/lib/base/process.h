/* SPDX-License-Identifier: MIT */
/*
 * The state of the process: generations, pages for devices, interned strings; and what a fork does
 * to them.
 */
#ifndef SVA_BASE_PROCESS_H
#define SVA_BASE_PROCESS_H

#include "lib/base/clock.h"
#include "lib/base/lib.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

struct sva;
struct sva_bond;
struct sva_cq;
struct sva_thread;

/*
 * What a short result refers to: queue, device and path, or the CPU and the reason. Lives as long
 * as the process.
 */
struct sva_identity {
	struct sva_identity *next;
	const char *queue, *device; /* NULL: the CPU */
	uint8_t path;
	uint32_t reason;
};

/*
 * A page that a forked child finds zeroed (MADV_WIPEONFORK). epoch changes whenever what threads
 * have cached becomes stale; generation counts forks, and every handle carries the one that it was
 * made in.
 */
struct sva_alive {
	atomic_uint epoch;
	atomic_uint generation;
	pthread_mutex_t enter; /* held while the process is made usable; before sva_process.lock */
};

struct sva_process {
	pthread_mutex_t lock;
	pthread_cond_t closed; /* signalled when a bond has been closed and is off the list */
	struct sva *contexts;
	struct sva_bond *bonds;
	struct sva_cq *cqs; /* completion queues */
	struct sva *default_context;
	struct sva *interim; /* used for the default context while that cannot be opened */
	struct sva *anchor;  /* without candidates: its threads submit on bond handles */

	/*
	 * Only one thread at a time visits the sections of several others, so that two visitors
	 * cannot wait for each other (queue/lease.c).
	 */
	pthread_mutex_t visit_lock;
	uint64_t next_id;

	/* Each is NULL until its file is first used. */
	void (*in_child)(void);              /* queue/bond.c: closes the parent's queues */
	void (*cq_in_child)(void);           /* run/cq-ready.c: closes the parent's descriptors */
	void (*end_thread)(const void *tls); /* run/thread.c: ends its shares; lock is held */
	bool ready;
};

extern struct sva_alive *sva_alive; /* never NULL */
extern struct sva_process sva_process;

/* Make this process usable: the first time, and again after a fork. 0 or -ENOMEM. */
int sva_process_enter(void);
/* Make every thread drop what it has cached. */
void sva_process_bump_epoch(void);
/*
 * Record that this thread has a share of a context: end_thread is called with its sva_tls when the
 * thread ends.
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
 * Pages that a forked child does not get: for memory that a device writes, or that the child must
 * not use.
 */
void *sva_arena_alloc(size_t size);
void sva_arena_free(void *arena, size_t size);

#define SVA_TLS_RECORD 1u

/* What a thread knows without a function call. */
struct sva_tls {
	struct sva *key;    /* the context that current belongs to; NULL: the default context */
	unsigned int epoch; /* in which that was true */
	struct sva_thread *current;

	/* The last synchronous call, if it succeeded in full: sva_last_result() expands it. */
	uint64_t last_bytes;
	/*
	 * NULL: last holds it already. With SVA_TLS_RECORD added: last_comp and last_word say more,
	 * and last_bytes is the length.
	 */
	const struct sva_identity *last_id;
	struct sva_comp last_comp;
	uint32_t last_word;
	struct sva_result last;

	void *guard; /* sigjmp_buf of the guarded section, or NULL */
	uintptr_t guard_addr;
};

extern __thread struct sva_tls sva_tls __attribute__((tls_model("initial-exec")));

#pragma GCC visibility pop

#endif
