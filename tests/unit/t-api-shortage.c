/* SPDX-License-Identifier: MIT */
/*
 * A process that is short of descriptors or memory when it first needs the library. An explicit
 * open fails with the errno; on the default context the CPU does the work, and once there are
 * descriptors and memory again the queue does, without any call of the program for it. The shortage
 * lasts, or comes at any one of the calls that open a file or allocate.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/run/run.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define BYTES 4096u
#define LIMIT 40u

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);

/* ------------------------------------------------------------------ shortages */

static unsigned int allocations, fail_from = ~0u, fail_to = ~0u;

static bool allocation_fails(void)
{
	unsigned int n = allocations++;

	return n >= fail_from && n < fail_to;
}

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
	return allocation_fails() ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *text)
{
	return allocation_fails() ? NULL : __real_strdup(text);
}

static int held[LIMIT];
static unsigned int held_count;

/* Take every descriptor but LEFT; close them again. */
static void take_descriptors(unsigned int left)
{
	struct rlimit limit;
	int fd;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = LIMIT;
	setrlimit(RLIMIT_NOFILE, &limit);
	while ((fd = dup(0)) >= 0)
		held[held_count++] = fd;
	while (left-- && held_count)
		close(held[--held_count]);
}

static void give_back(void)
{
	while (held_count)
		close(held[--held_count]);
}

/* ---------------------------------------------------- the standard error output */

static int said;

static void begin_listening(void)
{
	char name[] = "/tmp/sva-shortage-XXXXXX";

	said = mkstemp(name);
	unlink(name);
	dup2(said, 2);
}

static unsigned int lines_said(char *text, size_t size)
{
	ssize_t n = pread(said, text, size - 1, 0);
	unsigned int lines = 0;

	text[n > 0 ? n : 0] = '\0';
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	return lines;
}

/* ------------------------------------------ children: each prints the condition that fails */

#define MUST(condition) \
	do { \
		if (!(condition)) { \
			printf("# line %d: %s; errno %d, path %s, reason %s\n", __LINE__, \
			       #condition, errno, sva_path_name(sva_last_result()->path), \
			       sva_reason_name(sva_last_result()->reason)); \
			fflush(stdout); \
			return 1; \
		} \
	} while (0)

static uint8_t from[BYTES] __attribute__((aligned(64))), to[BYTES] __attribute__((aligned(64)));

static bool copies(uint8_t path)
{
	memset(to, 0, BYTES);
	return !sva_memcpy(NULL, to, from, BYTES) && !memcmp(to, from, BYTES) &&
	       sva_last_result()->path == path;
}

/* The library tries again by itself; the delays begin with 0.1 s. */
static int opens_later(void)
{
	uint64_t begin = rig_now_ms();

	while (!copies(SVA_PATH_WRITE) && rig_now_ms() - begin < 15000)
		usleep(5000);
	MUST(copies(SVA_PATH_WRITE));
	MUST(sva_last_result()->reason == SVA_REASON_OK);
	MUST(sva_explain(NULL, SVA_PATH_WRITE, NULL, 0) == 0);
	return 0;
}

static unsigned int logged;

static void log_line(void *arg, int level, const char *text)
{
	(void)arg;
	(void)text;
	logged += level <= 4;
}

static int explicit_open(void *arg)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct sva *sva = NULL;

	(void)arg;
	opts.log = log_line;
	take_descriptors(0);
	MUST(sva_open(&sva, &opts) == -EMFILE && !sva);
	MUST(logged == 1);
	give_back();
	MUST(sva_open(&sva, &opts) == 0);
	MUST(sva_memcpy(sva, to, from, BYTES) == 0 && sva_last_result()->path == SVA_PATH_WRITE);
	sva_close(sva);
	return 0;
}

/*
 * Calls that need no queue work; calls whose outcome would last, such as a bind, fail with the
 * shortage.
 */
static int other_calls(struct sva_op *submitted)
{
	struct sva_queue_info info = { .size = sizeof(info) };
	struct sva_dma_buf *buf;
	struct sva_bond *bond;
	uint32_t crc = 0;
	char text[4096];

	MUST(!sva_memfill(NULL, to, 0x5555555555555555, BYTES) && to[BYTES - 1] == 0x55 &&
	     sva_last_result()->reason == SVA_REASON_SHORTAGE);
	MUST(!sva_compare(NULL, from, from, BYTES, NULL));
	MUST(!sva_crc32c(NULL, from, BYTES, &crc));
	sva_prep_memcpy(submitted, to, from, BYTES);
	MUST(!sva_submit(NULL, submitted) && !sva_wait(submitted, -1));
	MUST(sva_op_result(submitted)->path == SVA_PATH_CPU &&
	     sva_op_result(submitted)->reason == SVA_REASON_SHORTAGE);
	MUST(sva_bind(NULL, "wq0.0", 0, &bond) == -EMFILE);
	MUST(sva_bind(NULL, "soft", 0, &bond) == -EMFILE);
	MUST(sva_queue_describe(NULL, 0, 0, &info) == -EMFILE);
	MUST(sva_setting_value(NULL, 0, text, sizeof(text)) == -EMFILE);
	MUST(sva_dma_map(NULL, to, BYTES, 0, &buf) == -EMFILE);
	MUST(sva_explain(NULL, SVA_PATH_WRITE, NULL, 0) == SVA_REASON_SHORTAGE);
	MUST(sva_explain(NULL, SVA_PATH_CPU, NULL, 0) == SVA_REASON_OK);
	MUST(!sva_problem(NULL, 0));
	/* It is not polled before sva_reap() below. */
	sva_prep_memcpy(submitted, to, from, BYTES);
	MUST(!sva_submit(NULL, submitted));
	return 0;
}

static int default_context(void *arg)
{
	struct sva_op submitted, *done[2];
	char text[4096];

	(void)arg;
	begin_listening();
	take_descriptors(0);
	for (int i = 0; i < 1000; i++)
		MUST(copies(SVA_PATH_CPU) && sva_last_result()->reason == SVA_REASON_SHORTAGE);
	MUST(!other_calls(&submitted));
	usleep(120000);
	MUST(copies(SVA_PATH_CPU)); /* tried again, without success */
	MUST(lines_said(text, sizeof(text)) == 1 && strstr(text, "Too many open files"));
	give_back();
	MUST(!opens_later());
	MUST(lines_said(text, sizeof(text)) == 1);
	MUST(sva_reap(NULL, done, 2) == 1 && done[0] == &submitted);
	MUST(sva_reap(NULL, done, 2) == 0);
	return 0;
}

static int few_descriptors(void *arg)
{
	take_descriptors(*(unsigned int *)arg);
	for (int i = 0; i < 20; i++) {
		memset(to, 0, BYTES);
		MUST(!sva_memcpy(NULL, to, from, BYTES) && !memcmp(to, from, BYTES));
		usleep(10000);
	}
	give_back();
	return opens_later();
}

/* One allocation fails: the nth. */
static int one_allocation(void *arg)
{
	fail_from = allocations + *(unsigned int *)arg;
	fail_to = fail_from + 1;
	memset(to, 0, BYTES);
	MUST(!sva_memcpy(NULL, to, from, BYTES) && !memcmp(to, from, BYTES));
	if (allocations <= fail_from)
		return 77; /* there are fewer allocations */
	return opens_later();
}

/* All allocations fail, from the nth on, for a while. */
static int no_memory(void *arg)
{
	fail_from = allocations + *(unsigned int *)arg;
	for (int i = 0; i < 100; i++) {
		MUST(copies(SVA_PATH_CPU) || copies(SVA_PATH_WRITE));
		MUST(!sva_memfill(NULL, to, 1, BYTES));
	}
	fail_from = ~0u;
	return opens_later();
}

/* Where the administrator has excluded the CPU, the call fails with errno and reason. */
static int without_cpu(void *arg)
{
	(void)arg;
	setenv("SVA_PATHS", "write", 1);
	take_descriptors(0);
	MUST(sva_memcpy(NULL, to, from, BYTES) == -ENODEV &&
	     sva_last_result()->reason == SVA_REASON_SHORTAGE);
	give_back();
	return opens_later();
}

/* The queue's node alone cannot be opened. */
static int node_only(void *arg)
{
	kernel_fail(KERNEL_OPEN, *(int *)arg, 1);
	MUST(copies(SVA_PATH_CPU) && sva_last_result()->reason == SVA_REASON_SHORTAGE);
	return opens_later();
}

/* A wrong setting is an error with every call, and a message with the first. */
static int wrong_setting(void *arg)
{
	char text[4096];

	(void)arg;
	begin_listening();
	setenv("SVA_FAULT_TRIES", "many", 1);
	for (int i = 0; i < 100; i++)
		MUST(sva_memcpy(NULL, to, from, BYTES) == -EINVAL);
	MUST(lines_said(text, sizeof(text)) == 1);
	setenv("SVA_FAULT_TRIES", "few", 1);
	MUST(sva_memcpy(NULL, to, from, BYTES) == -EINVAL);
	MUST(lines_said(text, sizeof(text)) == 2);
	unsetenv("SVA_FAULT_TRIES");
	MUST(copies(SVA_PATH_WRITE)); /* at once */
	return 0;
}

static int every(int (*fn)(void *arg), unsigned int first, unsigned int last)
{
	unsigned int bad = 0;

	for (unsigned int n = first; n <= last; n++) {
		int end = rig_in_child(fn, &n);

		if (end == 77)
			break;
		if (end && bad++ < 5)
			printf("# at %u: %d\n", n, end);
	}
	return (int)bad;
}

int main(void)
{
	int emfile = EMFILE, enfile = ENFILE, enomem = ENOMEM;

	rig_begin();
	kernel_begin();
	kernel_add("wq0.0", false, 16, NULL);
	setenv("SVA_THRESHOLD", "1", 1);
	setenv("SVA_PATHS", "write,cpu", 1);
	memset(from, 0x77, BYTES);
	is(rig_in_child(explicit_open, NULL), 0,
	   "no descriptor: sva_open says EMFILE with one message, and works when there is one");
	is(rig_in_child(default_context, NULL), 0,
	   "no descriptor: on the default context the CPU works, one line says so, and the queue is used later");
	is(every(few_descriptors, 0, 12), 0,
	   "0 to 12 descriptors: the default context copies all the time, and the queue is used later");
	is(every(one_allocation, 0, 400), 0,
	   "each allocation of the first copy fails: it copies all the same, and the queue is used later");
	is(every(no_memory, 0, 40), 0,
	   "no memory from any of the first 40 allocations on: it copies, and the queue is used later");
	is(rig_in_child(without_cpu, NULL), 0,
	   "no descriptor, and the CPU ruled out: ENODEV with the reason SHORTAGE, and the queue is used later");
	is(rig_in_child(node_only, &emfile), 0,
	   "EMFILE for the queue's node: the CPU copies with the reason SHORTAGE, and the queue is used later");
	is(rig_in_child(node_only, &enfile), 0,
	   "ENFILE for the queue's node: the CPU works, then the queue");
	is(rig_in_child(node_only, &enomem), 0,
	   "ENOMEM for the queue's node: the CPU works, then the queue");
	is(rig_in_child(wrong_setting, NULL), 0,
	   "a setting that is wrong: an error with each of a hundred copies, and one message");
	return done();
}
