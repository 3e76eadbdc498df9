/* SPDX-License-Identifier: MIT */
/*
 * What the files of sva-bench share. What the figures mean is in bench/README.md.
 *
 * The folder may call the public functions of the library and tools/term. Its files call each other
 * in one direction: sva-bench.c, then measure.c and instructions.c, which fill in rows, then
 * table.c, json.c, csv.c, plot.c and calibrate.c, which show them, then rows.c, burst.c, ops.c,
 * buffers.c, data.c and output.c. The folders below are other programs and share no file with this
 * one.
 */
#ifndef SVA_BENCH_H
#define SVA_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sva/sva.h"

#define BENCH_EMULATED "emulated: not a device time"
#define BENCH_TEXT 512    /* room for a reason */
#define BENCH_LIST 32     /* most sizes in a list */
#define BENCH_THREADS 256 /* most threads */
#define BENCH_DEPTH 1024  /* most operations in flight of one thread */
#define BENCH_WARM_BYTES (512u << 10) /* of the buffers that are in the caches together */
#define BENCH_BUCKETS 48  /* of a histogram of times */

enum bench_op {
	BENCH_COPY,
	BENCH_FILL,
	BENCH_FILL16,
	BENCH_COMPARE,
	BENCH_COMPARE_PATTERN,
	BENCH_CRC,
	BENCH_COPY_CRC,
	BENCH_DUALCAST,
	BENCH_CREATE_DELTA,
	BENCH_APPLY_DELTA,
	BENCH_DIF_CHECK,
	BENCH_DIF_INSERT,
	BENCH_DIF_STRIP,
	BENCH_DIF_UPDATE,
	BENCH_DIX_GENERATE,
	BENCH_CACHE_FLUSH,
	BENCH_NOOP,
	BENCH_OP_COUNT
};

enum bench_mode { BENCH_SYNC, BENCH_ASYNC, BENCH_MANY, BENCH_BATCH, BENCH_MODE_COUNT };

/* Where the bytes of an operation are when it begins: in turn, in the caches, in memory. */
enum bench_place { BENCH_TURN, BENCH_WARM, BENCH_COLD, BENCH_PLACE_COUNT };

enum bench_pages { BENCH_PAGES_ANY, BENCH_PAGES_SMALL, BENCH_PAGES_THP, BENCH_PAGES_HUGE,
		   BENCH_PAGES_COUNT };

struct bench_options {
	int paths[SVA_PATH_COUNT];
	unsigned int path_count;
	size_t sizes[BENCH_LIST];
	unsigned int size_count;
	bool ops[BENCH_OP_COUNT];
	bool modes[BENCH_MODE_COUNT];
	double seconds; /* for the whole run */
	bool places[BENCH_PLACE_COUNT];
	unsigned int threads, depth, batch; /* batch 0: as depth */
	unsigned int cpus[BENCH_THREADS], cpu_count; /* thread i runs on cpus[i % cpu_count] */
	int node;                                    /* of the buffers; -1: any */
	enum bench_pages pages;
	const char *json, *plot, *csv;      /* names of files; json may be "-" */
	bool list, flip, idle, instructions, histogram;
	bool calibrate, allow_emulated; /* allow_emulated: for tests of the calibration */
	const char *fragment;           /* the file that --calibrate writes; NULL: none */
	bool sizes_given, ops_given, modes_given, seconds_given;
	bool emulated;
};

/* options.c: reads the command line, as term_read_options() does. */
int bench_read_options(struct bench_options *options, int argc, char **argv);

/* output.c: a file that results are written to; name is NULL if none was asked for. */
struct bench_output {
	const char *name;
	int fd;
	bool created; /* it did not exist before */
	bool begun;   /* what it held was removed, and a result is in it */
};

int bench_output_open(struct bench_output *output, const char *name);
bool bench_output_same(const struct bench_output *a, const struct bench_output *b);
int bench_output_begin(struct bench_output *output);
int bench_output_write(const struct bench_output *output, const char *text);
int bench_output_close(struct bench_output *output);

/* What is measured in one row. */
struct bench_case {
	int path;
	bool mapped; /* on buffers that are mapped once, before; else dma maps them for each call */
	enum bench_op op;
	enum bench_mode mode;
	enum bench_place place;
	size_t size;
	/* operations in flight; in all modes the buffers that are used in turn */
	unsigned int depth;
	unsigned int batch; /* operations in one batch; divides depth */
};

enum bench_state { BENCH_MEASURED, BENCH_UNAVAILABLE, BENCH_FAILED };

/* A case and its result: a line of the table, an object of the JSON, a point of the plot. */
struct bench_row {
	struct bench_case what;
	enum bench_state state;
	bool whole_path; /* the row says why a path cannot be used; of the case only path is set */
	int reason;      /* unavailable: enum sva_reason, or a negative errno */
	char text[BENCH_TEXT]; /* unavailable or failed: the reason in words */
	double median_ns, p99_ns, p999_ns;
	uint64_t histogram[BENCH_BUCKETS]; /* samples of 2^i to 2^(i+1) ns */
	double cpu_ns; /* of the caller's processor time for one operation */
	/* Bytes in a second, of all threads together; operations, if they have no bytes. */
	double rate, libc_rate, cpu_rate; /* of libc and the path cpu: 0 if there is none */
	double ratio, cpu_ratio; /* median of the rounds' rate / libc_rate, / cpu_rate */
	uint64_t operations;    /* timed ones, for throughput and latency */
	unsigned int rounds;
	unsigned int group;     /* calls in one sample of the time; 1 unless they are short */
	double elsewhere;       /* share of the bytes that another path moved, 0 to 1 */
	double idle;            /* share of the processors' time that was idle; below 0: unknown */
	char queue[64], device[64];
	/* --instructions */
	bool counted;
	const char *mapping; /* how the device gets at the memory */
	double user, kernel; /* instructions of one operation */
};

struct bench_results {
	const struct bench_options *options;
	struct bench_row *rows;
	unsigned int count, capacity;
	double timer_ns;
	struct bench_output json, plot, csv, fragment;
};

/* rows.c: what those who fill in rows and those who show them share. */
const char *bench_mode_name(int mode);
const char *bench_place_name(int place);
const char *bench_pages_name(int pages);
const char *bench_size_name(char text[16], size_t size);
const char *bench_path_name(const struct bench_case *what);
unsigned int bench_row_depth(const struct bench_row *row);
struct bench_row *bench_add_row(struct bench_results *results);
void bench_fail_row(struct bench_row *row, int rc);
double bench_median(double *values, unsigned int n);
bool bench_begins_series(const struct bench_results *results, unsigned int i);
unsigned int bench_series_length(const struct bench_results *results, unsigned int first);
size_t bench_break_even(const struct bench_results *results, unsigned int first);
void bench_machine_name(char *text, size_t size);

/* buffers.c: the memory of one thread, and where its parts are. */
struct bench_buffers {
	/* aux: the second destination of a dualcast, the new bytes of a delta, the old bytes. */
	unsigned char *src, *dst, *aux;
	size_t bytes;  /* of each */
	size_t stride; /* from slot to slot: the longest part rounded up, and 64 canary bytes */
	size_t size;
	enum bench_op op;
	size_t src_size, dst_size, aux_size; /* what the operation reads or writes of a slot */
	bool changed; /* src does not hold what bench_buffers_alloc() wrote */
};

size_t bench_buffers_bytes(const struct bench_options *options);
unsigned int bench_buffers_slots(const struct bench_options *options, enum bench_op op,
				 size_t size);
/* Returns 0, or a negative errno after a message that says what memory is not to be had. */
int bench_buffers_alloc(struct bench_buffers *buffers, size_t bytes,
			const struct bench_options *options);
void bench_buffers_free(struct bench_buffers *buffers);
/* Writes what the operation reads, and the canaries. */
void bench_buffers_lay_out(struct bench_buffers *buffers, enum bench_op op, size_t size,
			   unsigned int slots);
void bench_buffers_scribble(const struct bench_buffers *buffers, unsigned int slots);
/* Flips the byte in the middle of what slot 0 writes, or else reads. */
void bench_buffers_flip(const struct bench_buffers *buffers);

/* data.c: the input of each operation, and what it must write and report. */
#define BENCH_BLOCK 512    /* protected bytes, for the DIF operations */
#define BENCH_TUPLE 8      /* that protect them */
#define BENCH_DELTA_EACH 512 /* one word of so many bytes differs */

uint64_t bench_pattern(unsigned int slot);
void bench_write_input(const struct bench_buffers *buffers, unsigned int slot);
void bench_write_before(const struct bench_buffers *buffers, unsigned int slot);
/*
 * What the operation of this slot must report: the CRC, the size of the record, the result of a
 * comparison or check; else 0.
 */
uint64_t bench_expected_value(const struct bench_buffers *buffers, unsigned int slot);
/* Compares what was written; values: what was reported. On false, text says what is wrong. */
bool bench_buffers_verify(const struct bench_buffers *buffers, const uint64_t *values,
			  unsigned int slots, char *text, size_t text_size);

static inline unsigned char *bench_src(const struct bench_buffers *buffers, unsigned int slot)
{
	return buffers->src + slot * buffers->stride;
}

static inline unsigned char *bench_dst(const struct bench_buffers *buffers, unsigned int slot)
{
	return buffers->dst + slot * buffers->stride;
}

static inline unsigned char *bench_aux(const struct bench_buffers *buffers, unsigned int slot)
{
	return buffers->aux + slot * buffers->stride;
}

/* ops.c: the operations. */
const char *bench_op_name(int op);
/* The function of libc that does the same, or NULL. */
const char *bench_op_libc(enum bench_op op);
/* Why the operation cannot have this size; NULL: it can. */
const char *bench_op_refuses(enum bench_op op, size_t size);
/* Has it a form for buffers that are mapped for DMA? */
bool bench_op_has_mapped(enum bench_op op);
struct bench_worker;
void bench_op_prepare(struct bench_worker *worker, unsigned int slot);
int bench_op_run(struct bench_worker *worker, unsigned int slot);
void bench_op_run_libc(struct bench_worker *worker, unsigned int slot);
/* What of a result bench_expected_value() is compared with. */
uint64_t bench_op_value(enum bench_op op, const struct sva_result *result);

/* burst.c: a number of operations of a case, by the library or by libc. */
struct bench_worker {
	const struct bench_case *what;
	struct sva *sva, *cpu; /* the context of the path, and of the path cpu; NULL: none */
	/* What the operations of this burst run on. */
	struct sva *now;
	bool mapped_now;
	struct bench_buffers buffers;
	struct sva_dma_buf *src, *dst; /* the buffers, if the case has them mapped */
	struct sva_op *ops;
	struct sva_op **list;
	struct sva_op *batches;
	uint64_t *values;   /* what the checked operation in a slot reported */
	uint64_t *begun;    /* when the operation in a slot was submitted */
	uint64_t *samples;  /* ns of each timed operation, or of each group of them */
	size_t sample_count, sample_capacity;
	unsigned int group;  /* calls in one sample, sync */
	uint64_t start, end; /* of the burst */
	uint64_t busy;       /* ns of it without the preparation of buffers */
	uint64_t cpu_time;   /* of the thread in all plain bursts, ns; and their operations */
	uint64_t cpu_operations;
	uint64_t total_bytes, path_bytes; /* of checked operations */
	char queue[64], device[64];
	int error;          /* of the burst: a negative errno, or 0 */
};

/*
 * Plain: only the whole burst is timed. Timed: each operation. Checked: none, but paths are
 * recorded.
 */
enum bench_kind { BENCH_LIBC, BENCH_CPU, BENCH_PLAIN, BENCH_TIMED, BENCH_CHECKED };

uint64_t bench_now(void);
void bench_burst(struct bench_worker *worker, enum bench_kind kind, unsigned long count);

/* measure.c: the threads, and the rounds of a case. */
struct bench_crew;
int bench_crew_create(struct bench_crew **crew, const struct bench_options *options);
void bench_crew_destroy(struct bench_crew *crew);
double bench_crew_timer_ns(const struct bench_crew *crew);
void bench_measure(struct bench_crew *crew, struct sva *sva, struct sva *cpu, double seconds,
		   struct bench_row *row);

/*
 * instructions.c: counts instead of times. open_path returns the context of a path, or NULL after
 * it has added a row with the reason. Returns 0, or 1 after messages.
 */
typedef struct sva *bench_open_path(struct bench_results *results, int path);
int bench_count_instructions(struct bench_results *results, bench_open_path *open_path,
			     FILE *table);

/*
 * calibrate.c: thresholds from the results. It prints the table of break-even sizes and writes the
 * fragment of a configuration. Returns 0, or 1 after a message.
 */
void bench_calibrate_options(struct bench_options *options);
int bench_calibrate(struct bench_results *results, FILE *table);

/* table.c, json.c, csv.c, plot.c: the forms of the results. */
void bench_table_head(FILE *out, const struct bench_options *options);
void bench_table_row(FILE *out, const struct bench_options *options, const struct bench_row *row);
void bench_table_break_even(FILE *out, const struct bench_results *results);
int bench_write_json(struct bench_results *results);
int bench_write_csv(struct bench_results *results);
bool bench_plot_possible(void);
int bench_write_plot(struct bench_results *results);

#endif
