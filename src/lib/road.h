/* SPDX-License-Identifier: MIT */
/*
 * The objects that a request meets on its road: context, thread, lease, bond, operation. Which lock guards what:
 *
 *	sva::lock          the list of threads of a context, the states of its routes
 *	sva_process.lock   the lists of contexts and bonds, references, opening and closing queues
 *	sva_bond::lock     the pool of credits, the list of leases
 *	sva_thread::bias   a thread's leases, its list of operations in flight, every submission
 *
 * They are taken in that order. Submitting happens inside the thread's bias section, so whoever has visited every thread with a lease on a bond knows
 * that nobody is between looking at the bond and touching its portal: that is how a bond is retired under load.
 *
 * What lives how long. An operation belongs to its owner: the thread that polls it or waits for it,
 * which need not be the thread that submitted it. Only the owner ends an operation and takes it off
 * its list. An operation on a list keeps alive everything that it names: its share and context
 * (sva::holds), the bond that it is pinned to (sva_bond::holds), the mapped buffers that it works
 * on (sva_dma_buf::users). sva_unbind() and sva_close() only look, inside the share's section,
 * whether a device still has a descriptor of a listed operation (settle.c).
 */
#ifndef SVA_ROAD_H
#define SVA_ROAD_H

#include "lib/base/bias.h"
#include "lib/base/bus.h"
#include "lib/base/fd.h"
#include "lib/internal.h"

/* Nothing of this is exported: say so where it is used, too, so that it is reached without an indirection. */
#pragma GCC visibility push(hidden)

struct sva_thread;
struct sva_lease;
struct sva_identity;
struct sva_model_profile;

/* ------------------------------------------------------------------ process.c: one per process, and what a fork does to it */

/*
 * A page that a forked child finds zeroed (MADV_WIPEONFORK). epoch changes whenever what threads have cached is not true any more;
 * generation counts forks, and every handle carries the one that it was made in.
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
	struct sva *anchor;         /* context without routes, whose threads submit on bond handles */
	uint64_t next_id;
	bool ready;
};

extern struct sva_alive *sva_alive; /* never NULL */
extern struct sva_process sva_process;

/* Make this process usable: the first time, and again after a fork. 0 or -ENOMEM. */
int sva_process_enter(void);
/* What threads have cached is not true any more. */
void sva_process_bump_epoch(void);
/* This thread has a share of a context: take it back when the thread ends. */
void sva_process_adopt_thread(void);
static inline unsigned int sva_process_generation(void)
{
	return atomic_load_explicit(&sva_alive->generation, memory_order_relaxed);
}
/* A copy of a string that lives as long as the process; NULL if there is no memory. */
const char *sva_intern(const char *text);
/* The one identity with these values; NULL if there is no memory. */
const struct sva_identity *sva_identify(const char *queue, const char *device, uint8_t path, uint32_t reason);
/* Pages that a forked child does not get: for what a device writes, or what must not be used there. */
void *sva_arena_alloc(size_t size);
void sva_arena_free(void *arena, size_t size);
/* clock.c */
uint64_t sva_now_ns(void);

/* ------------------------------------------------------------------ submit.h's objects: bond and lease */

/*
 * RETIRED: the device has stopped answering. LOST: the program has closed the queue's descriptor, so nothing more can be submitted; what was
 * submitted ends as usual.
 */
enum sva_bond_state { SVA_BOND_LIVE, SVA_BOND_RETIRED, SVA_BOND_LOST };

/* What a submission, and a call of the module, answers when the descriptor is not ours any more. Callers of the library never see it. */
#define SVA_LOST EBADFD

struct sva_submit_ops;
struct sva_soft;
struct sva_dma_side;
struct sva_dma_buf;

/* What a short result says: the names of a queue and a path, or the CPU and why. Lives as long as the process. */
struct sva_identity {
	struct sva_identity *next;
	const char *queue, *device; /* NULL: the CPU */
	uint8_t path;
	uint32_t reason;
};

/* What an operation follows when it does not simply succeed. Of its context, or of its bond if it is pinned to that. */
struct sva_policy {
	uint32_t fault_policy;      /* enum sva_fault_policy, never DEFAULT */
	uint32_t fault_tries;
	uint32_t full_tries;
	uint32_t record_timeout_ms;
	bool cpu_allowed;
};

/* The tie between this process and a queue. One for each queue and process. */
struct sva_bond {
	struct sva_bond *next;      /* sva_process.bonds */
	uint64_t magic;
	unsigned int generation;
	unsigned int refs;          /* of handles, contexts and buffers; sva_process.lock */
	atomic_uint holds;          /* 1 for all refs, 1 for each pinned operation; 0: closing */
	atomic_uint state;          /* enum sva_bond_state */
	const struct sva_submit_ops *ops; /* of the path that bond handles submit on */
	/* The queue, as discovered when it was bound; strings are interned. */
	const char *name, *device;
	const char *node;           /* "" for soft */
	struct sva_policy policy;   /* of the context that bound it first */
	uint32_t mode, entries, max_batch, version;
	uint64_t max_transfer, gen_cap, op_cap[4];
	bool block_on_fault;
	int numa_node;
	/* What the paths made of it. */
	struct sva_file file;       /* of the node */
	void *portal;               /* NULL: not mapped */
	uint32_t ready;             /* bit n: path n may submit */
	uint32_t reasons[SVA_PATH_COUNT]; /* enum sva_reason of the last attempt on that path */
	struct sva_soft *soft;
	struct sva_dma_side *dma;
	void (*pump)(struct sva_bond *bond, uint64_t wait_ns); /* of its path; NULL: the device writes records itself */
	/* Credits of a dedicated queue; a shared one has no limit here. */
	pthread_mutex_t lock;
	uint32_t pool;              /* credits that no lease holds */
	atomic_bool thirsty;        /* somebody found the pool empty: credits go back to it at once */
	struct sva_lease *leases;
};

/* What one thread holds of one bond on one path. Read and written inside the thread's bias section. */
struct sva_lease {
	int (*submit)(struct sva_lease *lease, const struct sva_desc *desc); /* ops->submit, one load nearer */
	void *portal;
	uint32_t move_word, fill_word; /* flags and opcode of a plain copy, a plain fill */
	int32_t credits;
	atomic_bool dead;           /* the bond was retired; credits are far below zero. Also looked at outside the section, as a hint */
	bool counted;               /* credits are real */
	uint8_t path;
	uint64_t max_transfer;
	struct sva_bond *bond;
	const struct sva_submit_ops *ops;
	struct sva_thread *thread;
	struct sva_lease *next;     /* sva_bond::leases */
	struct sva_lease *next_pinned; /* sva_thread::pinned */
	const struct sva_identity *id;
	/* The queue answered "full", and nothing else, from then to then (ns); full_since is 0 when it has taken something. */
	uint64_t full_since, full_at;
};

/* ------------------------------------------------------------------ context.c */

/* A path on a queue, as a context may use it. */
struct sva_route {
	const struct sva_queue *queue; /* NULL: soft */
	uint8_t path;
	struct sva_bond *bond;      /* sva::lock */
	atomic_uint reason;         /* enum sva_reason; OK and no bond: not tried yet */
	struct sva_retry retry;     /* after a failure */
};

struct sva {
	struct sva *next;           /* sva_process.contexts */
	uint64_t magic;
	uint64_t id;                /* never used again */
	unsigned int generation;
	bool is_default;
	atomic_uint holds;          /* 1 until sva_close(), 1 for each operation listed after it */
	struct sva_config config;
	struct sva_inventory *inventory;
	pthread_mutex_t lock;
	_Atomic(struct sva_thread *) threads; /* grows at its head, with lock held */
	unsigned int thread_count;  /* spreads threads over equal queues */
	struct sva_route *routes;   /* in the order of the permitted paths */
	unsigned int route_count;
	struct sva_bond **lost;     /* bonds that routes had before, to be released with the context; sva::lock */
	unsigned int lost_count;
	unsigned int sync_routes;   /* how many of them synchronous calls use; then comes the CPU */
	struct sva_policy policy;
	uint32_t dma_reason;        /* enum sva_reason: why there is no route to sva_dma; OK: there is */
};

/* Descriptor and record of a synchronous copy or fill that one descriptor can carry. */
struct sva_quick {
	struct sva_desc desc;       /* fields that no such operation uses stay zero */
	struct sva_comp comp;
};

/*
 * In sva_thread::in_flight: the context is closed, and each operation that leaves the list gives a
 * hold of it back.
 */
#define SVA_THREAD_CLOSED 0x80000000u

/* A thread's share of a context. Lives in pages that a forked child does not get. */
struct sva_thread {
	struct sva_quick quick;
	struct sva_op op;           /* of the synchronous calls that are not so quick */
	struct sva_bias bias;
	struct sva *ctx;
	size_t threshold;           /* shorter synchronous copies go to the CPU at once */
	size_t cpu_below;           /* the same, for what takes the longer way there: under the guard, fills; never 0 */
	const struct sva_identity *cpu_id; /* of what the threshold sends to the CPU */
	struct sva_lease *lead;     /* the lease of quick synchronous calls; NULL: none is established */
	struct sva_lease *recent;   /* the lease that took the last operation */
	struct sva_lease **leases;  /* by position in order; NULL: not bound yet */
	struct sva_lease *pinned;   /* leases of operations that go to one bond and no other */
	unsigned int *order;        /* indices of routes, best first for node */
	unsigned int route_count;
	bool hopeless;              /* of the last -EAGAIN of sva_issue(): no queue that is full has taken anything for the record timeout */
	unsigned int ticks;         /* submissions until the node and failed routes are looked at again */
	int node;
	unsigned int number;
	struct sva_op *first, *last; /* in flight, oldest first */
	struct sva_op *cursor;      /* where sva_reap goes on */
	atomic_uint in_flight;      /* on the list; SVA_THREAD_CLOSED; written inside the section */
	_Atomic(const void *) owner; /* the thread's sva_tls; NULL: the thread is gone. Written with sva::lock */
	struct sva_thread *next;    /* sva::threads */
	size_t arena_size;
	struct sva_desc many[32];   /* for paths that take several descriptors at once */
};

/* What is known without a function call. */
struct sva_tls {
	struct sva *key;            /* the argument that current belongs to; NULL is the default context */
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

struct sva_thread *sva_thread_slow(struct sva *ctx, int *err);
/* The context itself (NULL: the default one, made when needed), checked; or NULL and *err. */
struct sva *sva_context(struct sva *ctx, int *err);
/* The context of bond handles, made when needed. */
struct sva *sva_anchor(int *err);
/* A hold of a closed context is given back: the last one frees it. */
void sva_context_drop(struct sva *ctx);

/* The same as in this thread's last call, in this process and without anything having been closed since? Then sva_tls.current is it. */
static inline bool sva_thread_is_cached(const struct sva *ctx)
{
	const struct sva_tls *tls = &sva_tls;

	return likely(tls->key == ctx) &&
	       likely(tls->epoch == atomic_load_explicit(&sva_alive->epoch, memory_order_relaxed));
}

/* This thread's share of a context (NULL: the default one), or NULL and *err. */
static inline struct sva_thread *sva_thread_get(struct sva *ctx, int *err)
{
	return sva_thread_is_cached(ctx) ? sva_tls.current : sva_thread_slow(ctx, err);
}

/* ------------------------------------------------------------------ path.c: which lease carries an operation */

/*
 * The next lease to try for an operation, from position *pos of the thread's order on; binds queues that have not been bound. NULL: there is no
 * further one. For a batch, those that take none, too. hint: NUMA node to prefer, -1: the thread's. May not be called inside the bias section.
 */
struct sva_lease *sva_path_next(struct sva_thread *thread, unsigned int *pos, const struct sva_op *op, bool sync, int hint);
/* Has the queue this operation, with these flags? An unknown list of operations counts as yes, unknown capabilities as no. */
bool sva_path_can_do(const struct sva_bond *bond, const struct sva_op *op);
/* Is there a queue at all that this thread can submit to? */
bool sva_path_has_lease(const struct sva_thread *thread, bool sync);
/* Why no better route was taken, or is there: an enum sva_reason. */
uint32_t sva_path_reason(const struct sva *ctx);
/* Look again at node and failed routes. */
void sva_path_refresh(struct sva_thread *thread);
/* What a thread's share needs behind it, zeroed, for its routes; and to set it up there. */
size_t sva_path_thread_size(const struct sva *ctx);
void sva_path_thread_init(struct sva_thread *thread, void *memory);
void sva_path_thread_fini(struct sva_thread *thread);

/* ------------------------------------------------------------------ bond.c, credit.c */

#define SVA_BOND_MAGIC 0x73766120626f6e64ull
#define SVA_CTX_MAGIC  0x7376612063747874ull

/* Get the bond of a queue for a path, open it if need be; one reference is the caller's. 0 or -errno with *reason. */
int sva_bond_get(struct sva *ctx, const struct sva_queue *queue, int path, struct sva_bond **bond, uint32_t *reason);
/* The last reference waits for the device; the last hold closes the queue. */
void sva_bond_put(struct sva_bond *bond);
/* The caller knows that the bond is alive. After the drop it may be gone. */
static inline void sva_bond_hold(struct sva_bond *bond)
{
	atomic_fetch_add_explicit(&bond->holds, 1, memory_order_relaxed);
}

/* false: it is being closed. */
bool sva_bond_try_hold(struct sva_bond *bond);
void sva_bond_drop(struct sva_bond *bond);
/* The descriptor is not ours any more (a submission answered -SVA_LOST): no lease on it submits any more. */
void sva_bond_lost(struct sva_bond *bond);
/* The device has stopped answering: quiesce, unmap, close. Afterwards nothing can write on its behalf. */
void sva_bond_retire(struct sva_bond *bond);
int sva_bond_check(const struct sva_bond *bond);
/* With bond->lock held: no lease on it will submit any more. */
void sva_bond_kill_leases(struct sva_bond *bond);
/* The lease of this thread on a bond that operations are pinned to, made when needed; NULL: no memory. */
struct sva_lease *sva_lease_pinned(struct sva_thread *thread, struct sva_bond *bond);
/* The thread's share goes: so do these. */
void sva_lease_free_pinned(struct sva_thread *thread);
/* Nobody has the bond any more: free what threads of the anchor context hold of it. */
void sva_bond_free_leases(struct sva_bond *bond);

/* reason: why no better path is taken than this one, for results. */
struct sva_lease *sva_lease_new(struct sva_thread *thread, struct sva_bond *bond, int path, uint32_t reason);
void sva_lease_free(struct sva_lease *lease);
/* In a child: nobody is visiting threads that it does not have. */
void sva_lease_after_fork(void);
/* Outside the bias section: get credits into an empty lease. false: there are none. */
bool sva_lease_refill(struct sva_lease *lease);
/* Give a credit back that no lease of this thread took. */
void sva_bond_return_credit(struct sva_bond *bond);

/* ------------------------------------------------------------------ touch.c: pages, without a signal */

/* Bring the pages of [addr, addr + len) in, from the calling thread. 0, or -EFAULT with *bad the first address that can not be. */
int sva_touch(uint64_t addr, uint64_t len, bool write, uint64_t *bad);

/* ------------------------------------------------------------------ soft.c: the model as a queue */

int sva_soft_new(const struct sva_config *config, struct sva_soft **soft);
/* The queue that stands for it; it has no node. */
const struct sva_queue *sva_soft_queue(void);
/* Fill in a bond's limits and capabilities from its profile. */
void sva_soft_describe(struct sva_bond *bond);
void sva_soft_free(struct sva_soft *soft);
/* Engine threads were asked for, and none could be started. */
bool sva_soft_lacks_threads(const struct sva_soft *soft);
/* Start the missing ones, if it is time to try that again. */
void sva_soft_try_again(struct sva_soft *soft);
/* The profile it runs. */
const struct sva_model_profile *sva_soft_profile(const struct sva_soft *soft);
/* Execute on this process's memory, now; 0 or -EIO when the record was lost. */
int sva_soft_execute(const struct sva_model_profile *profile, const struct sva_desc *desc, struct sva_comp *comp);
int sva_soft_submit(struct sva_soft *soft, const struct sva_desc *desc);

/* ------------------------------------------------------------------ proof.c */

struct stat;

/* Is this the node of that queue, and for that path? OK, NOT_A_QUEUE or MODULE_FOREIGN. */
uint32_t sva_proof(const struct sva_queue *queue, int path, const struct stat *st);
/* Open the node, proved before and after: a descriptor; -errno, with *reason set where it is something else (else *reason is left alone). */
int sva_proof_open(const struct sva_queue *queue, int path, uint32_t *reason);

/* ------------------------------------------------------------------ probe.c */

/* Is this node open in this process, through somebody else? */
bool sva_node_is_open_here(const char *node);
/* OK, UNTRUSTED or TRUST_UNKNOWN. */
uint32_t sva_trust_reason(const struct sva_queue *queue, bool strict, bool untrusted);
/* What keeps a queue from a path before anything is opened: policy, state, CPU; OK: nothing. */
uint32_t sva_static_reason(const struct sva *ctx, const struct sva_queue *queue, int path);

/* ------------------------------------------------------------------ submit_dma.c */

int sva_dma_pasid(uint32_t *pasid);
/* What open(2) of the module's node says, as enum sva_reason. */
uint32_t sva_dma_node_reason(int err);
/* The queue that stands for the module. */
const struct sva_queue *sva_dma_queue(void);
void sva_dma_retire(struct sva_dma_side *side);
/* The program has closed the file: what is in flight ends, then the ring goes, and with it all that the module still holds for the file. */
void sva_dma_lost(struct sva_dma_side *side);
/* One of the module's calls: 0, -errno, -SVA_LOST. */
int sva_dma_call(struct sva_bond *bond, unsigned long request, void *args);
void sva_dma_close(struct sva_dma_side *side);

/* ------------------------------------------------------------------ dma.c */

/* Is it an operation on mapped buffers? */
bool sva_dma_is_op(const struct sva_op *op);
/* Check one; it becomes one by address, or belongs on *bond. 0 or -errno, unchanged. */
int sva_dma_begin(struct sva_op *op, struct sva_dma_buf *bufs[2], struct sva_bond **bond);
/* After sva_operation_begin(): the buffers may not be unmapped while it is in flight; bond: as from sva_dma_begin(). */
void sva_dma_attach(struct sva_op *op, struct sva_dma_buf *const bufs[2], struct sva_bond *bond);
void sva_dma_release(struct sva_dma_buf *bufs[2]);
/* The same for an ended operation, and for the entries of a batch. */
void sva_dma_release_all(struct sva_op *op);
/* As it was before sva_dma_begin(), for sva_operation_undo() to write back. */
void sva_dma_undo(struct sva_op *op);
/* The device of its buffers will not have what is left of it: any path may, by address. */
void sva_dma_let_go(struct sva_op *op, const struct sva_policy *policy);
/* Can /dev/sva_dma be used? An enum sva_reason. */
uint32_t sva_dma_probe(void);

/* ------------------------------------------------------------------ progress.c: the opaque words of struct sva_op, and how far it is */

enum sva_op_state {
	SVA_OP_IN_FLIGHT = 0x5a70f117, /* a descriptor is with a device; its record is awaited */
	SVA_OP_STALLED = 0x5a705a11,   /* the next chunk found every queue full: poll tries again */
	SVA_OP_IN_BATCH = 0x5a70ba7c,  /* an entry of a batch that has not been started by itself */
	SVA_OP_BATCHING = 0x5a70b100,  /* a batch whose entries are worked off one by one */
	SVA_OP_ON_RING = 0x5a704106,   /* in a submission for the caller's own io_uring: its completion is his to see */
	SVA_OP_ENDED = 0x5a700e4d,     /* result is complete */
};

#define SVA_OP_KEEPS_BOND    1u /* a hold of bond */
#define SVA_OP_KEEPS_BUFFERS 2u /* users of its mapped buffers, or of those of its entries */

struct sva_op_private {
	struct sva_result result;
	struct sva *key;            /* as given to submit: NULL is the default context */
	struct sva_thread *thread;  /* whose list it is on; NULL: none */
	struct sva_lease *lease;    /* that carries the current chunk */
	struct sva_bond *bond;      /* that the current chunk is with; if pinned, the only one it may go to */
	const struct sva_policy *policy;
	struct sva_op *next, *prev; /* the thread's list */
	struct sva_op *parent;      /* the batch that it is an entry of */
	struct sva_dma_buf *bufs[2]; /* mapped buffers it works on: destination, source */
	struct sva_desc *list;      /* a batch's descriptors while a device may read them */
	uint64_t src, dst, third;   /* where the bytes that are not in the current chunk begin */
	uint64_t remaining;         /* bytes not done, the current chunk's included */
	uint64_t chunk_rest;        /* memmove: bytes after the current chunk's that are done already */
	uint64_t waited_since;      /* ns: when somebody first found the current chunk's record empty; 0: nobody */
	uint32_t word;              /* flags and opcode without those that depend on the queue */
	uint32_t polls;             /* that found the record empty */
	unsigned int generation;
	uint32_t touches;           /* device attempts after faults */
	uint32_t prepared_word;     /* flags and opcode as sva_submit() found them */
	uint32_t delta_max;         /* create delta: room for the whole record */
	uint32_t delta_bytes;       /* create delta: size of the earlier parts' record */
	bool is_batch;              /* src is the list of its entries */
	uint8_t keeps;              /* SVA_OP_KEEPS_*: given back when it has left the list */
	uint64_t delta_region;      /* create delta: bytes that the earlier parts covered */
	bool backward;              /* chunks are issued from the end: the destination overlaps the source from above */
	bool pinned;                /* to bond */
	bool credit;                /* a queue has the current chunk; see sva_op_set_credit() */
	bool quick;                 /* one chunk of a plain copy or fill: its success needs no arithmetic */
	bool mid_chunk;             /* the descriptor is the rest of a chunk: it keeps its shape */
	bool sync;                  /* on the routes of synchronous calls only */
	bool by_buffer;             /* pinned because its buffers are mapped there: what that device will not have, others may do */
	bool addressed;             /* on mapped buffers, and the descriptor has addresses instead of offsets */
};

/* Nothing of an operation is looked at before this has been asked. */
static inline bool sva_op_is_bad(const struct sva_op *op)
{
	return unlikely(!op) || unlikely((uintptr_t)op % 64);
}

#define SVA_OP_PRIVATE(op) ((struct sva_op_private *)(void *)(op)->opaque)

/*
 * The owner writes credit inside and outside of its section, while settle.c may read it: hence
 * atomically.
 */
static inline void sva_op_set_credit(struct sva_op *op, bool credit)
{
	__atomic_store_n(&SVA_OP_PRIVATE(op)->credit, credit, __ATOMIC_RELAXED);
}

/* Submitted, and not ended yet. */
static inline bool sva_op_is_pending(const struct sva_op *op)
{
	return op->state == SVA_OP_IN_FLIGHT || op->state == SVA_OP_STALLED || op->state == SVA_OP_IN_BATCH ||
	       op->state == SVA_OP_BATCHING;
}

static inline struct sva_op **sva_batch_entries(const struct sva_op *batch)
{
	return (struct sva_op **)(uintptr_t)SVA_OP_PRIVATE(batch)->src;
}

_Static_assert(sizeof(struct sva_op) == SVA_OP_SIZE, "the size of an operation is frozen");
_Static_assert(sizeof(struct sva_op_private) <= sizeof(((struct sva_op *)0)->opaque), "the opaque words are too few");
_Static_assert(offsetof(struct sva_op, comp) == 64, "the record has a cache line of its own");

/* Is it an operation that can be submitted? 0 or -errno, before anything is changed. */
int sva_progress_check(const struct sva_op *op);
/* Start: everything is still to be done. */
void sva_progress_begin(struct sva_op *op);
/* Fill the descriptor with the next chunk for a queue of these limits. */
void sva_progress_next(struct sva_op *op, uint64_t max_transfer);
/* The record says success: count the chunk. true: there is nothing left. */
bool sva_progress_chunk_done(struct sva_op *op, int path);
/* The record says page fault: count what was done and shorten the descriptor to the rest of its chunk. */
void sva_progress_partial(struct sva_op *op, int path);
/* Forget what was done and begin anew. */
void sva_progress_restart(struct sva_op *op);
/* Can a queue with this limit carry the next chunk? */
bool sva_progress_fits(const struct sva_op *op, uint64_t max_transfer);
/* It failed for good: count what the record says of how far it came. */
void sva_progress_failed(struct sva_op *op, int path);
/* Of what ended well: 0, or -EBADE if SVA_OP_CHECK asked for another result. */
int sva_progress_verdict(const struct sva_op *op);

/* ------------------------------------------------------------------ batch.c */

int sva_batch_begin(struct sva_op *batch);
void sva_batch_undo(struct sva_op *batch);
/* Why that queue does not take it as one descriptor, an enum sva_reason; OK: it does. */
uint32_t sva_batch_reason(const struct sva_op *batch, const struct sva_lease *lease);
/* Has the queue the operation of one of the entries, at least? */
bool sva_batch_has_part(const struct sva_op *batch, const struct sva_lease *lease);
int sva_batch_build(struct sva_op *batch, struct sva_lease *lease);
void sva_batch_take(struct sva_op *batch, bool lost);
void sva_batch_advance(struct sva_thread *thread, struct sva_op *batch);

/* ------------------------------------------------------------------ issue.c: the current chunk, onto a lease */

/* 0 submitted; -EAGAIN every permitted queue is full; -ENODEV, -EOPNOTSUPP, -EIO. */
int sva_issue(struct sva_thread *thread, struct sva_op *op);
/* Do what is left of it on the CPU, now; it has ended afterwards. */
void sva_issue_on_cpu(struct sva_op *op, uint32_t reason);

/* Flags and opcode for a queue. */
uint32_t sva_issue_word(const struct sva_bond *bond, const struct sva_op *op);

/* ------------------------------------------------------------------ operation.c */

/* sva_submit() for a synchronous call: what no queue takes, the CPU does if it may. */
int sva_submit_sync(struct sva_thread *thread, struct sva *key, struct sva_op *op);
void sva_operation_begin(struct sva_op *op, struct sva *key, const struct sva_policy *policy);
/* Not submitted after all: it can be submitted again as it is. */
void sva_operation_undo(struct sva_op *op);
int sva_operation_launch(struct sva_thread *thread, struct sva_op *op);

/* ------------------------------------------------------------------ complete.c, resume.c, result.c */

/* The credit of the current chunk goes back. */
void sva_complete_return_credit(struct sva_op *op);
/* sva_poll(), of the entry of a batch too. */
int sva_complete_poll(struct sva_op *op);
/* Every queue was full. Has it been so for the record timeout, since this was first asked? */
bool sva_complete_gives_up(struct sva_op *op);
/* Put an operation on a thread's list, inside its section; take it off. */
static inline void sva_complete_link(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	p->thread = thread;
	p->next = NULL;
	p->prev = thread->last;
	if (thread->last)
		SVA_OP_PRIVATE(thread->last)->next = op;
	else
		thread->first = op;
	thread->last = op;
	atomic_store_explicit(&thread->in_flight, atomic_load_explicit(&thread->in_flight, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* Afterwards the operation is on no list, and what it names may be freed. */
void sva_complete_unlink(struct sva_op *op);
/* What waits on this thread is the caller. */
static inline bool sva_thread_is_own(const struct sva_thread *thread)
{
	return atomic_load_explicit(&thread->owner, memory_order_relaxed) == &sva_tls;
}

/* Into the section of any thread, and out of it. */
static inline void sva_thread_enter(struct sva_thread *thread)
{
	if (likely(sva_thread_is_own(thread))) {
		sva_bias_enter(&thread->bias);
	} else {
		sva_bias_visit_begin(&thread->bias);
		sva_bias_visit_fence();
		sva_bias_visit_wait(&thread->bias);
	}
}

static inline void sva_thread_leave(struct sva_thread *thread)
{
	if (likely(sva_thread_is_own(thread)))
		sva_bias_exit(&thread->bias);
	else
		sva_bias_visit_end(&thread->bias);
}

/* It has ended with 0 or -errno. */
void sva_result_end(struct sva_op *op, int error);
/*
 * End every operation that this thread, or one that has ended, submitted on a context that the
 * caller closes.
 */
void sva_finish_own(struct sva *ctx);

/* ------------------------------------------------------------------ settle.c */

/*
 * Wait until nothing that is on the lists of a context (bond: only what is pinned to it) is with a
 * device. Ends nothing.
 */
void sva_settle(struct sva *ctx, const struct sva_bond *bond, uint32_t timeout_ms);

/* ------------------------------------------------------------------ more of complete.c */

/* Wait for a record until deadline (ns; 0: none); retires the bond when the record timeout passes. The status, or 0. */
uint8_t sva_complete_await(struct sva_bond *bond, const struct sva_comp *comp, uint64_t deadline);
/*
 * The record tells of a page fault. 0: the rest is to be issued again; 1: the CPU is to finish it; -errno: it has failed.
 */
int sva_resume(struct sva_op *op);

/* ------------------------------------------------------------------ guard.c */

/* Install the handlers, once. */
int sva_guard_setup(void);
/* memmove and fill that answer -EFAULT with the address. */
int sva_guard_move(void *dst, const void *src, size_t len, uint64_t *bad);
int sva_guard_fill(void *dst, uint64_t pattern, size_t len, uint64_t *bad);
/* The fill of the cpu route. */
void sva_cpu_fill(void *dst, uint64_t pattern, size_t len);

#pragma GCC visibility pop

#endif
