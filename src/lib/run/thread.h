/* SPDX-License-Identifier: MIT */
/*
 * The objects that a request uses: context, thread, lease, bond, operation. What each lock
 * protects:
 *
 * 	sva::lock          the list of threads of a context, the states of its candidates
 * 	sva_process.lock   the lists of contexts and bonds, references, opening and closing queues
 * 	sva_bond::lock     the pool of credits, the list of leases
 * 	sva_lessee::bias   a thread's leases, its list of operations in flight, every submission
 *
 * They are taken in that order. Submitting happens inside the thread's bias section. So when a
 * visitor has been in the section of every thread with a lease on a bond, no thread is between its
 * check of the lease and its store to the portal: that is how a bond is retired under load.
 *
 * Lifetimes. An operation belongs to its owner: the thread that polls it or waits for it, which
 * need not be the thread that submitted it. Only the owner ends an operation and takes it off its
 * list. An operation on a list keeps alive everything that it refers to: its share and context
 * (sva::holds), the bond that it is pinned to (sva_bond::holds), the mapped buffers that it works
 * on (sva_dma_buf::users). sva_unbind() and sva_close() only check, inside the share's section,
 * whether a device still has a descriptor of a listed operation (settle.c).
 */
#ifndef SVA_RUN_THREAD_H
#define SVA_RUN_THREAD_H

#include "lib/queue/bond.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

#define SVA_CTX_MAGIC 0x7376612063747874ull

/* A path on a queue that a context may use. */
struct sva_candidate {
	const struct sva_queue *queue; /* NULL: soft */
	uint8_t path;
	struct sva_bond *bond;         /* sva::lock */
	atomic_uint reason;            /* enum sva_reason; OK and no bond: not tried yet */
	struct sva_retry retry;        /* after a failure */
};

struct sva {
	struct sva *next;           /* sva_process.contexts */
	uint64_t magic;
	uint64_t id;                /* unique in the process */
	unsigned int generation;
	bool is_default;
	atomic_uint holds;          /* 1 until sva_close(), 1 for each operation listed after it */
	struct sva_config config;
	struct sva_inventory *inventory;
	pthread_mutex_t lock;
	_Atomic(struct sva_thread *) threads; /* grows at its head, with lock held */
	unsigned int thread_count;  /* spreads threads over equal queues */
	struct sva_candidate *candidates; /* in the order of the permitted paths */
	unsigned int candidate_count;
	struct sva_bond **lost;     /* that candidates had before, released at the end; sva::lock */
	unsigned int lost_count;
	unsigned int sync_candidates; /* how many synchronous calls try, before the CPU */
	struct sva_policy policy;

	/* enum sva_reason: why a path with a queue of its own is no candidate; OK: it is one */
	uint32_t own_reasons[SVA_PATH_COUNT];
	struct sva_cq_waiter *waiter; /* of its completion queues; NULL: it has none; lock */
	unsigned int cq_count;        /* how many completion queues it has; lock */
	atomic_int shortage; /* interim context: -errno of opening the default one; else 0 */
};

/* Descriptor and record of a synchronous copy or fill that needs one descriptor. */
struct sva_quick {
	struct sva_desc desc;       /* fields that these operations do not use stay zero */
	struct sva_comp comp;
};

/* A thread's share of a context, in pages that a forked child does not get. */
struct sva_thread {
	struct sva_quick quick;
	struct sva_op op;            /* of the other synchronous calls */
	struct sva_lessee lessee;
	struct sva *ctx;
	/* SVA_OP_FAST and SVA_OP_FAST_ENDED, with the generation of the process that made it */
	uint32_t fast_state, fast_ended;
	size_t threshold;            /* the CPU does shorter synchronous copies at once */
	size_t cpu_below;            /* the same for fills and under the guard; never 0 */
	const struct sva_identity *cpu_id; /* of what the threshold leaves to the CPU */
	/*
	 * What stands for the CPU where there is no candidate at all: submitted operations are done
	 * at once, by plain code. It has no bond; no words: the CPU may not, or is under the guard.
	 */
	struct sva_lease cpu_lease;
	struct sva_lease *lead;      /* the lease of quick synchronous calls; NULL: none yet */
	struct sva_lease *recent;    /* the lease that took the last operation */
	struct sva_lease **leases;   /* by position in order; NULL: not bound yet */
	unsigned int *order;         /* indices of candidates, best first for node */
	unsigned int candidate_count;
	bool hopeless;               /* after -EAGAIN of sva_issue(): every full queue is stuck */
	unsigned int ticks;          /* submissions until sva_choose_refresh() */
	int node;
	unsigned int number;
	/*
	 * The ring of the operations in flight, oldest first; sva_reap() moves the head to where it
	 * stopped looking. Read and written inside the section.
	 */
	struct sva_op_node list;
	unsigned int polls;         /* that found nothing, of operations on the short road */
	struct sva_group *groups, *free_groups; /* in use; not in use: run/group.c */
	/* the context is closed: each operation that leaves the list gives a hold of it back */
	bool closed;
	struct sva_thread *next;     /* sva::threads */
	struct sva_thread *earlier;  /* the thread's share of the interim context, or NULL */
	size_t arena_size;
	struct sva_desc many[32];    /* for paths that take several descriptors at once */
};

/* The calling thread's share of a context, made when it is first needed; NULL: no memory. */
struct sva_thread *sva_thread_find(struct sva *ctx);
/*
 * A share that belongs to no thread, but to an object of this address: at any time to the thread
 * that has locked the object and stored its own sva_tls as the owner. NULL: no memory.
 */
struct sva_thread *sva_thread_take(struct sva *ctx, const void *owner);
void sva_thread_free(struct sva_thread *thread);
/*
 * Release a context's references and free it: one that was never published, or that has no threads
 * left.
 */
void sva_context_free(struct sva *ctx);
/* Release a hold of a closed context; the last one frees it. */
void sva_context_drop(struct sva *ctx);

/* The same as sva_thread_find(), without a call if the thread used that context last. */
static inline struct sva_thread *sva_thread_of(struct sva *ctx)
{
	struct sva_tls *tls = &sva_tls;

	if (likely(tls->epoch == atomic_load_explicit(&sva_alive->epoch, memory_order_relaxed)) &&
	    likely(tls->current->ctx == ctx))
		return tls->current;
	return sva_thread_find(ctx);
}

static inline struct sva_thread *sva_thread_of_lessee(struct sva_lessee *lessee)
{
	return (struct sva_thread *)((uintptr_t)lessee - offsetof(struct sva_thread, lessee));
}

/* Inside the section of the thread: nothing is on its list. */
static inline bool sva_thread_is_idle(const struct sva_thread *thread)
{
	return thread->list.next == &thread->list;
}

/* Put an operation on a thread's list, inside its section. */
static inline void sva_thread_link(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_op_node *last = thread->list.prev;

	p->thread = thread;
	p->node.next = &thread->list;
	p->node.prev = last;
	last->next = &p->node;
	thread->list.prev = &p->node;
}

static inline void sva_node_remove(struct sva_op_node *node)
{
	struct sva_op_node *next = node->next, *prev = node->prev;

	next->prev = prev;
	prev->next = next;
}

/*
 * Take an operation off the thread's list, inside its section. Returns true if the context is
 * closed: then the caller must release a hold of it.
 */
static inline bool sva_thread_unlink(struct sva_thread *thread, struct sva_op *op)
{
	sva_node_remove(&SVA_OP_PRIVATE(op)->node);
	SVA_OP_PRIVATE(op)->thread = NULL;
	return thread->closed;
}

#pragma GCC visibility pop

#endif
