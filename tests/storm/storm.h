/* SPDX-License-Identifier: MIT */
/*
 * The storm: threads that run random operations through the library, on every path that they may
 * use, and compare every byte and every result with what a plain computation says. One operation
 * with its memory and its expected outcome is a job; each thread is a worker with jobs of its own.
 */
#ifndef SVA_TESTS_STORM_H
#define SVA_TESTS_STORM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sva/info.h"
#include "sva/sva.h"

#define BUFFERS 3u  /* a job has so many */
#define GUARD 64u   /* bytes on either side of a buffer that must stay as they are */
#define JOBS 20u    /* of a worker */
#define ENTRIES 12u /* the most in a batch */
#define PLACES 4u   /* contexts that a worker submits to: default, common, two of its own */
#define TIES 4u	    /* references to bonds that a worker holds, at most */
#define WORKERS 32u /* the most */
#define PAGE 4096u

/* ------------------------------------------------------------------ options */

/* Kinds of actions, for --actions: bits of options.actions. */
#define ACTIONS(X) \
	X(SYNC, "sync")	      /* named synchronous calls */ \
	X(RUN, "run")	      /* sva_run() */ \
	X(SUBMIT, "submit")   /* sva_submit() */ \
	X(MANY, "many")	      /* sva_submit_many() */ \
	X(BOND, "bond")	      /* sva_bond_submit() */ \
	X(BATCH, "batch")     /* batches, with and without fences */ \
	X(LISTS, "lists")     /* sva_copyv() */ \
	X(COLLECT, "collect") /* polls, waits, reaps */ \
	X(HAND, "hand")	      /* operations handed to another thread, which ends them */ \
	X(BIND, "bind")	      /* binds and unbinds */ \
	X(CONTEXT, "context") /* contexts that are opened and closed */ \
	X(VISIT, "visit")     /* threads that begin, submit and end */ \
	X(BAD, "bad")	      /* input that must be refused */ \
	X(DROP, "drop")	      /* pages taken away under operations in flight */ \
	X(UNMAP, "unmap")     /* operations in memory that goes away when they have ended */

enum action {
#define ACTION_ENUM(name, text) ACTION_##name,
	ACTIONS(ACTION_ENUM)
#undef ACTION_ENUM
	ACTION_COUNT
};

/* What --spoil damages, once, before it is compared: the run must then fail. */
enum spoil {
	SPOIL_NOTHING,
	SPOIL_BYTE,
	SPOIL_GUARD,
	SPOIL_SOURCE,
	SPOIL_RECORD,
	SPOIL_ERROR,
	SPOIL_BYTES,
	SPOIL_SUM,
	SPOIL_PATH,
	SPOIL_QUEUE,
	SPOIL_STATUS,
	SPOIL_FAULT,
	SPOIL_VALUE,
	SPOIL_LATE,
	SPOIL_COUNT
};

struct options {
	uint64_t seed, operations;
	unsigned int threads, seconds, patience;
	unsigned int ties;    /* references to bonds that a worker holds at most */
	size_t length;	      /* the longest operation */
	unsigned int actions; /* 1u << enum action */
	unsigned int paths;   /* 1u << enum sva_path: those that SVA_PATHS permits */
	const char *path_list;
	bool errors;	   /* hardware errors are injected */
	bool soft_dsa1;	   /* the DSA in software is one of the first kind */
	bool tiny;	   /* there are fewer entries in queues than operations */
	bool losses;	   /* records get lost or come late, queues are disabled */
	bool early_unbind; /* references are released while operations are in flight */
	bool exit_early;   /* the process ends while its threads work */
	enum spoil spoil;
	const char *half;  /* a command to run when half of the operations are done */
	uint64_t spoil_at; /* after so many operations of a thread */
};

extern struct options options;

/* ------------------------------------------------------------------ chance */

struct chance {
	uint64_t state;
};

static inline uint64_t chance_next(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static inline uint64_t chance_below(struct chance *chance, uint64_t n)
{
	return (chance_next(chance) >> 16) % n;
}

static inline bool chance_one_in(struct chance *chance, uint64_t n)
{
	return !chance_below(chance, n);
}

/* ------------------------------------------------------------------ memory (memory.c) */

struct buffer {
	uint8_t *live;	/* what the operation works on */
	uint8_t *image; /* what must be there afterwards */
	size_t capacity;
	int file;	/* the file that is mapped, -1: anonymous memory */
	size_t at, len; /* the part that the operation names */
	bool used;	/* by this operation */
	bool written;	/* the operation writes it */
	bool plain;	/* written, and held nothing but the byte stale before */
	uint8_t stale;
	size_t loose_from, loose_to; /* offsets from at: nothing is known of these bytes */
};

/* A page of a buffer that the operation cannot reach. */
enum bad_page {
	BAD_NOTHING,
	BAD_NONE,
	BAD_READONLY,
	BAD_BEYOND_FILE
};

struct job;

void memory_setup(void);
bool memory_make(struct buffer *buffer, size_t capacity, bool file);
void memory_free(struct buffer *buffer);
uint8_t *buffer_live(struct job *job, unsigned int i);
uint8_t *buffer_image(struct job *job, unsigned int i);
void buffer_place(struct job *job, unsigned int i, size_t len, unsigned int align);
void buffer_place_like(struct job *job, unsigned int i, unsigned int other, size_t len);
void buffer_fill_random(struct job *job, unsigned int i);
void buffer_fill_stale(struct job *job, unsigned int i);
/* The image is what the operation makes of it; the live bytes become those before. */
void buffer_publish(struct job *job, unsigned int i);
void memory_disturb(struct job *job, bool may_be_bad);
void memory_drop(struct job *job);
void memory_restore(struct job *job);
/* NULL, or what is wrong with the bytes. */
const char *memory_compare(struct job *job, char *text, size_t size);
const char *memory_compare_partly(struct job *job, uint64_t done, bool exactly, char *text,
				  size_t size);

/* ------------------------------------------------------------------ jobs */

struct kind;
struct worker;

/* What must be in the result. */
struct expectation {
	int error;
	int result; /* -1: not looked at */
	uint64_t bytes;
	uint64_t value;
	bool has_value;
	unsigned int value_slack; /* the value may be so much lower */
	bool has_src_dif, has_dst_dif;
	struct sva_comp_dif dif;
	uint64_t fault; /* address of the page that cannot be reached, 0: none */
	bool fault_write;
};

/* A context, as a worker sees it. */
struct place {
	struct sva *sva; /* NULL: the default one */
	bool open;
	unsigned int paths; /* 1u << enum sva_path */
	uint32_t fault_tries;
	unsigned int flying; /* operations of this worker in flight on it */
	unsigned int away;   /* of those, handed to other workers, or submitted by another thread */
};

/* A reference to a bond. */
struct tie {
	struct sva_bond *bond;
	const char *queue;
	int path;
	unsigned int flying;
};

enum way {
	WAY_SYNC,
	WAY_RUN,
	WAY_SUBMIT,
	WAY_MANY,
	WAY_BOND,
	WAY_ENTRY
};

struct job {
	uint8_t before[GUARD];
	struct sva_op op;
	uint8_t after[GUARD];
	struct buffer buffer[BUFFERS];
	struct worker *owner;
	const struct kind *kind;
	struct chance chance;
	uint64_t number; /* of its owner's operations */
	size_t length;
	uint32_t flags; /* as it was submitted */
	uint64_t data;	/* op.user_data */
	struct expectation expect;
	enum way way;
	struct place *place; /* NULL: on a bond */
	struct tie *tie;     /* NULL: the reference was released, or none */
	const char *queue;   /* of the bond */
	unsigned int paths;  /* that it may have taken */
	uint32_t fault_tries;
	bool fresh;   /* never used */
	bool settled; /* ended, and its buffers are as they must be */
	enum bad_page bad;
	unsigned int bad_buffer;
	bool by_cpu; /* no device had a descriptor of it */
	size_t bad_at; /* offset in the buffer's live bytes */
	struct sva_dma_buf *mapped[2];
	uint64_t borrowed;	      /* address of another job's buffer that it reads, or 0 */
	struct sva_op *list[ENTRIES]; /* of a batch */
	unsigned int entries;
};

static inline struct job *job_of(struct sva_op *op)
{
	return (struct job *)(void *)((char *)op - offsetof(struct job, op));
}

struct stats {
	uint64_t operations, bytes, faults, retries, chunks;
	uint64_t failed, refused;      /* for injected errors, and before anything happened */
	uint64_t path[SVA_PATH_COUNT]; /* operations by path */
	uint64_t action[ACTION_COUNT];
	uint64_t *kind; /* by kind */
};

struct worker {
	pthread_t thread;
	unsigned int number;
	uint64_t step, made;
	struct chance chance; /* of this step; the same in every run */
	struct chance timing; /* for choices that depend on what has ended by then */
	bool visiting;	      /* a thread of its own acts for it meanwhile */
	struct job *job;      /* JOBS of them */
	struct job *idle[JOBS];
	unsigned int idle_count;
	struct job *flying[JOBS];
	unsigned int flying_count;
	unsigned int away; /* jobs that other workers have */
	struct place place[PLACES];
	struct tie tie[TIES];
	struct stats stats;
	bool spoiled;
	/* What others bring back. */
	pthread_mutex_t lock;
	struct job *home[JOBS];
	unsigned int home_count;
	atomic_uint_fast64_t alive; /* grows as long as the worker gets on */
	const char *_Atomic doing;
};

/* ------------------------------------------------------------------ kinds (and deltas, blocks) */

/* Traits of kinds. */
#define KIND_SIMPLE 0x01u /* forward through plain buffers: a page may be missing */
#define KIND_DSA2 0x02u	  /* no DSA 1 has it */
#define KIND_WHOLE 0x04u  /* cannot be divided into chunks of any size */
#define KIND_MOVE 0x08u	  /* overlaps */
#define KIND_MAPPED 0x10u /* works on mapped buffers */

struct kind {
	const char *name;
	void (*make)(struct job *job);
	int (*call)(struct job *job, struct sva *sva); /* NULL: sva_run() */
	unsigned int weight;
	unsigned int traits;
};

static inline bool has_trait(const struct kind *kind, unsigned int trait)
{
	return kind->traits & trait;
}

extern const struct kind kinds[];
extern const unsigned int kind_count;
extern const struct kind kind_batch, kind_list;
const struct kind *kind_pick(struct chance *chance);
/* Sets everything up; the operation is prepared afterwards. */
void kind_make(struct job *job, const struct kind *kind);
size_t length_pick(struct job *job);
/* A buffer with random bytes to read, and one with equal bytes to write. */
void make_source(struct job *job, unsigned int i, size_t len, unsigned int align);
void make_destination(struct job *job, unsigned int i, size_t len, unsigned int align);
void make_create_delta(struct job *job);
int call_create_delta(struct job *job, struct sva *sva);
void make_apply_delta(struct job *job);
int call_apply_delta(struct job *job, struct sva *sva);
void make_dif_check(struct job *job);
void make_dif_insert(struct job *job);
void make_dif_strip(struct job *job);
void make_dif_update(struct job *job);
void make_dix_generate(struct job *job);

/* ------------------------------------------------------------------ reference (expect.c) */

void expect_setup(void);
uint64_t expect_crc(const uint8_t *from, size_t n, uint64_t seed, uint32_t flags);
uint16_t expect_t10(const uint8_t *from, size_t n, uint16_t seed);
/* Its size. record has room for n / 8 * 10 bytes. */
size_t expect_delta(const uint8_t *old, const uint8_t *new, size_t n, uint8_t *record);

/* ------------------------------------------------------------------ judgement (judge.c) */

/* Prints what is wrong with the job and ends the process with 1. */
void __attribute__((noreturn, format(printf, 2, 3)))
fail(const struct job *job, const char *fmt, ...);
/* The same without a job. */
void __attribute__((noreturn, format(printf, 1, 2))) fail_plainly(const char *fmt, ...);
/* It has ended, and error was returned. */
void judge(struct worker *worker, struct job *job, int error, const struct sva_result *result);
/* It was refused; false if that is right, so it has ended. */
bool may_be_refused(struct worker *worker, struct job *job, int error);
void judge_batch(struct worker *worker, struct job *batch, int error);

/* ------------------------------------------------------------------ workers (the other files) */

void *worker_run(void *arg);
bool worker_setup(struct worker *worker, unsigned int number);
void worker_free(struct worker *worker);
bool storm_is_over(struct worker *worker);

uint64_t chance_of(uint64_t thread, uint64_t n, uint64_t purpose);
struct job *job_take(struct worker *worker);
bool job_submit(struct worker *worker, struct job *job, struct sva_bond *bond);
void before_waiting(struct worker *worker);
void make_room(struct worker *worker);
struct job *job_take_made(struct worker *worker, const struct kind *kind, enum way way,
			  struct place *place, struct tie *tie);
void job_recycle(struct worker *worker, struct job *job);
void job_fly(struct worker *worker, struct job *job);
void job_end(struct worker *worker, struct job *job, int error, const struct sva_result *result);
void job_finish(struct worker *worker, struct job *job);
void collect_one(struct worker *worker);
void collect_all(struct worker *worker);
void bring_home(struct worker *worker);
struct place *place_pick(struct worker *worker);
/* Judges what a call that does not leave anything in flight has done, and recycles the job. */
void end_at_once(struct worker *worker, struct job *job, int error, const struct sva_result *r);

void act_sync(struct worker *worker);
void act_run(struct worker *worker);
void act_submit(struct worker *worker);
void act_many(struct worker *worker);
void act_bond(struct worker *worker);
void act_batch(struct worker *worker);
void act_lists(struct worker *worker);
void act_collect(struct worker *worker);
void act_hand(struct worker *worker);
void act_bind(struct worker *worker);
void act_context(struct worker *worker);
void act_visit(struct worker *worker);
void act_bad(struct worker *worker);
void act_drop(struct worker *worker);
void act_unmap(struct worker *worker);

void life_setup(void);
void life_end(void);
void life_leave(struct worker *worker);
void ties_release(struct worker *worker);
void places_close(struct worker *worker);
bool hand_take(struct worker *worker);
struct sva *common_context(void);
/* The names of the queues that sva_bind() may be asked for. */
unsigned int queue_count(void);
const char *queue_name(unsigned int i);

#endif
