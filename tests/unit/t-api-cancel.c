/* SPDX-License-Identifier: MIT */
/*
 * No function of the library is a cancellation point. A thread calls each of them with a
 * cancellation pending, so that the first cancellation point in it would end the thread there: as
 * its first call in the process, and later. It returns, the thread ends behind it, and the library
 * works in another thread. Then threads are cancelled at any time.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "sva/dma.h"
#include "sva/sva.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define BYTES 4096u

static uint8_t from[BYTES], to[BYTES], third[BYTES];
static struct sva_op op, other;
static struct sva *sva;
static struct sva_bond *bond;
static struct sva_dma_buf *buf, *buf2;

/* ------------------------------- the functions; what they return is tested elsewhere */

static void prepare(void)
{
	sva_prep_memcpy(&op, to, from, BYTES);
}

static int do_open(void)
{
	return sva_open(&sva, NULL);
}

/* The library passes a message to a function of the program that contains cancellation points. */
static void log_slowly(void *arg, int level, const char *text)
{
	(void)level;
	(void)text;
	usleep(1);
	pthread_testcancel();
	++*(int *)arg;
}

static int do_open_refused(void)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	int lines = 0, err;

	opts.paths = "no-such-path";
	opts.log = log_slowly;
	opts.log_arg = &lines;
	err = sva_open(&sva, &opts);
	return err == -EINVAL && lines == 1 ? 0 : -EDOM;
}

static int do_close(void)
{
	sva_close(sva);
	sva = NULL;
	return 0;
}

static int do_bind(void)
{
	return sva_bind(NULL, "wq0.0", 0, &bond);
}

static int do_bind_soft(void)
{
	return sva_bind(NULL, "soft", 0, &bond);
}

static int do_unbind(void)
{
	sva_unbind(bond);
	bond = NULL;
	return 0;
}

static int do_bond_path(void)
{
	return sva_bond_path(bond);
}

static int do_bond_pasid(void)
{
	uint32_t pasid;

	return sva_bond_pasid(bond, &pasid) == -ENODATA ? 0 : -EDOM;
}

static int do_bond_submit(void)
{
	prepare();
	return sva_bond_submit(bond, &op);
}

static int do_memcpy(void)
{
	return sva_memcpy(NULL, to, from, BYTES);
}

static int do_memfill(void)
{
	return sva_memfill(NULL, to, 1, BYTES);
}

static int do_memfill16(void)
{
	return sva_memfill16(NULL, to, 1, 2, BYTES);
}

static int do_compare(void)
{
	return sva_compare(NULL, from, from, BYTES, NULL);
}

static int do_compare_pattern(void)
{
	return sva_compare_pattern(NULL, from, 0, BYTES, NULL);
}

static int do_create_delta(void)
{
	uint32_t size;

	return sva_create_delta(NULL, from, from, BYTES, third, 160, &size);
}

static int do_apply_delta(void)
{
	return sva_apply_delta(NULL, to, BYTES, third, 0);
}

static int do_dualcast(void)
{
	static uint8_t targets[2][BYTES] __attribute__((aligned(4096)));

	return sva_dualcast(NULL, targets[0], targets[1], from, BYTES);
}

static int do_crc(void)
{
	uint32_t crc = 0;

	return sva_crc32c(NULL, from, BYTES, &crc);
}

static int do_copy_crc(void)
{
	uint32_t crc = 0;

	return sva_copy_crc32c(NULL, to, from, BYTES, &crc);
}

static int do_cache_flush(void)
{
	return sva_cache_flush(NULL, to, BYTES);
}

static int do_copyv(void)
{
	struct iovec dst[2] = { { to, 100 }, { to + 200, 100 } }, src = { from, 200 };

	return sva_copyv(NULL, dst, 2, &src, 1, NULL);
}

static int do_run(void)
{
	prepare();
	return sva_run(NULL, &op);
}

static int do_submit(void)
{
	prepare();
	return sva_submit(NULL, &op);
}

static int do_submit_many(void)
{
	struct sva_op *ops[2] = { &op, &other };

	prepare();
	other = op;
	return sva_submit_many(NULL, ops, 2);
}

static int do_poll(void)
{
	return sva_poll(&op);
}

static int do_wait(void)
{
	return sva_wait(&op, -1);
}

static int do_retire(void)
{
	sva_op_retire(&op);
	return 0;
}

static int do_reap(void)
{
	struct sva_op *done[4];

	return sva_reap(NULL, done, 4);
}

static int do_explain(void)
{
	char text[256];

	for (int path = 0; path < SVA_PATH_COUNT; path++)
		sva_explain(NULL, path, text, sizeof(text));
	return 0;
}

static int do_problem(void)
{
	sva_problem(NULL, 0);
	return 0;
}

static int do_queue_info(void)
{
	struct sva_queue_info info = { .size = sizeof(info) };

	return sva_queue_describe(NULL, 0, 1, &info);
}

static int do_setting_value(void)
{
	char text[4096];

	return sva_setting_value(NULL, 0, text, sizeof(text));
}

static int do_dma_map(void)
{
	int err = sva_dma_map(NULL, to, BYTES, 0, &buf);

	return err ? err : sva_dma_map(NULL, from, BYTES, SVA_DMA_SOURCE, &buf2);
}

static int do_dma_unmap(void)
{
	int err = sva_dma_unmap(buf);

	return err ? err : sva_dma_unmap(buf2);
}

static int do_dma_sync(void)
{
	return sva_dma_sync(buf, 0, BYTES, SVA_DMA_FOR_CPU);
}

static int do_dma_is_mapped(void)
{
	return sva_dma_is_mapped(buf);
}

static int do_dma_copy(void)
{
	return sva_dma_copy(NULL, buf, 0, buf2, 0, BYTES);
}

static int do_dma_fill(void)
{
	return sva_dma_fill(NULL, buf, 0, 1, BYTES);
}

static int do_uring_prep(void)
{
	static struct { struct io_uring_sqe sqe; uint8_t cmd[64]; } big;

	sva_prep_dma_fill(&op, buf, 0, 1, BYTES);
	return sva_dma_uring_prep(&op, &big.sqe) == -EOPNOTSUPP ? 0 : -EDOM;
}

static int do_uring_done(void)
{
	return sva_dma_uring_done(&op, 0) == -EINVAL ? 0 : -EDOM;
}

static struct sva_cq *cq;

static int do_cq_open(void)
{
	return sva_cq_open(NULL, 0, &cq);
}

static int do_cq_close(void)
{
	sva_cq_close(cq);
	cq = NULL;
	return 0;
}

static int do_cq_submit(void)
{
	prepare();
	return sva_cq_submit(cq, &op);
}

static int do_cq_submit_many(void)
{
	struct sva_op *list[1] = { &op };

	prepare();
	return sva_cq_submit_many(cq, list, 1) == 1 ? 0 : -EDOM;
}

static int do_cq_reap(void)
{
	struct sva_op *done[4];

	return sva_cq_reap(cq, done, 4);
}

static int do_cq_wait(void)
{
	struct sva_op *done[4];

	return sva_cq_wait(cq, done, 4, -1) == 1 ? 0 : -EDOM;
}

/* Nothing is in flight: it sleeps until the time is over. */
static int do_cq_wait_in_vain(void)
{
	struct sva_op *done[4];

	return sva_cq_wait(cq, done, 4, 1000000) == -ETIME ? 0 : -EDOM;
}

static int do_cq_fd(void)
{
	return sva_cq_fd(cq) >= 3 ? 0 : -EDOM;
}

static int open_and_submit(void)
{
	int err = do_cq_open();

	return err ? err : do_cq_submit();
}

/* before, after: functions that are called around it, without a cancellation. */
static const struct call {
	const char *name;
	int (*call)(void), (*before)(void), (*after)(void);
} calls[] = {
	{ "sva_open", do_open, NULL, do_close },
	{ "sva_open, refused with a message", do_open_refused, NULL, NULL },
	{ "sva_close", do_close, do_open, NULL },
	{ "sva_bind", do_bind, NULL, do_unbind },
	{ "sva_bind of soft", do_bind_soft, NULL, do_unbind },
	{ "sva_unbind", do_unbind, do_bind, NULL },
	{ "sva_unbind of soft", do_unbind, do_bind_soft, NULL },
	{ "sva_bond_path", do_bond_path, do_bind, do_unbind },
	{ "sva_bond_pasid", do_bond_pasid, do_bind, do_unbind },
	{ "sva_bond_submit", do_bond_submit, do_bind, do_wait },
	{ "sva_memcpy", do_memcpy, NULL, NULL },
	{ "sva_memfill", do_memfill, NULL, NULL },
	{ "sva_memfill16", do_memfill16, NULL, NULL },
	{ "sva_compare", do_compare, NULL, NULL },
	{ "sva_compare_pattern", do_compare_pattern, NULL, NULL },
	{ "sva_create_delta", do_create_delta, NULL, NULL },
	{ "sva_apply_delta", do_apply_delta, NULL, NULL },
	{ "sva_dualcast", do_dualcast, NULL, NULL },
	{ "sva_crc32c", do_crc, NULL, NULL },
	{ "sva_copy_crc32c", do_copy_crc, NULL, NULL },
	{ "sva_cache_flush", do_cache_flush, NULL, NULL },
	{ "sva_copyv", do_copyv, NULL, NULL },
	{ "sva_run", do_run, NULL, NULL },
	{ "sva_submit", do_submit, NULL, do_wait },
	{ "sva_submit_many", do_submit_many, NULL, do_wait },
	{ "sva_poll", do_poll, do_submit, do_wait },
	{ "sva_wait", do_wait, do_submit, NULL },
	{ "sva_op_retire", do_retire, do_submit, NULL },
	{ "sva_reap", do_reap, NULL, NULL },
	{ "sva_explain", do_explain, NULL, NULL },
	{ "sva_problem", do_problem, NULL, NULL },
	{ "sva_queue_describe", do_queue_info, NULL, NULL },
	{ "sva_setting_value", do_setting_value, NULL, NULL },
	{ "sva_dma_map", do_dma_map, NULL, do_dma_unmap },
	{ "sva_dma_unmap", do_dma_unmap, do_dma_map, NULL },
	{ "sva_dma_sync", do_dma_sync, do_dma_map, do_dma_unmap },
	{ "sva_dma_is_mapped", do_dma_is_mapped, do_dma_map, do_dma_unmap },
	{ "sva_dma_copy", do_dma_copy, do_dma_map, do_dma_unmap },
	{ "sva_dma_fill", do_dma_fill, do_dma_map, do_dma_unmap },
	{ "sva_dma_uring_prep", do_uring_prep, do_dma_map, do_dma_unmap },
	{ "sva_dma_uring_done", do_uring_done, do_submit, do_wait },
	{ "sva_cq_open", do_cq_open, NULL, do_cq_close },
	{ "sva_cq_close", do_cq_close, open_and_submit, NULL },
	{ "sva_cq_submit", do_cq_submit, do_cq_open, do_cq_close },
	{ "sva_cq_submit_many", do_cq_submit_many, do_cq_open, do_cq_close },
	{ "sva_cq_reap", do_cq_reap, do_cq_open, do_cq_close },
	{ "sva_cq_wait", do_cq_wait, open_and_submit, do_cq_close },
	{ "sva_cq_wait, in vain", do_cq_wait_in_vain, do_cq_open, do_cq_close },
	{ "sva_cq_fd", do_cq_fd, do_cq_open, do_cq_close },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* Tables and arithmetic: they neither open nor wait. */
static const char *const pure[] = {
	"sva_op_result",   "sva_last_result", "sva_path_name",	 "sva_reason_text",
	"sva_reason_name", "sva_status_text", "sva_status_name", "sva_status_errno",
	"sva_version",	   "sva_setting_describe", "sva_config_file",
};

static bool is_covered(const char *name)
{
	size_t length = strlen(name);

	if (!strncmp(name, "sva_prep", 8))
		return true;
	for (size_t i = 0; i < sizeof(pure) / sizeof(pure[0]); i++)
		if (!strcmp(pure[i], name))
			return true;
	for (size_t i = 0; i < CALLS; i++)
		if (!strncmp(calls[i].name, name, length) &&
		    !isalnum((unsigned char)calls[i].name[length]) && calls[i].name[length] != '_')
			return true;
	return false;
}

/* Every name that the library exports. */
static void all_are_here(void)
{
	const char *top = getenv("top_srcdir");
	unsigned int names = 0, missing = 0;
	char path[4096], line[256], *name;
	FILE *map;

	snprintf(path, sizeof(path), "%s/src/lib/libsva.map", top ? top : "../../..");
	map = fopen(path, "r");
	while (map && fgets(line, sizeof(line), map)) {
		name = line + strspn(line, " \t");
		if (strncmp(name, "sva_", 4))
			continue;
		name[strcspn(name, ";\n")] = '\0';
		names++;
		if (!is_covered(name)) {
			missing++;
			printf("# %s\n", name);
		}
	}
	if (map)
		fclose(map);
	ok(names > 40 && !missing,
	   "each of the %u functions that the library exports is called here, or neither opens nor waits",
	   names);
	ok(!is_covered("sva_bin") && !is_covered("sva_no_such_call"),
	   "control: a function that is not called here is noticed");
}

/* ------------------------------------------------------------------ with a cancellation pending */

static atomic_bool returned;

static void *cancelled_in(void *arg)
{
	int (*call)(void) = *(int (**)(void))arg;
	static int err;

	pthread_cancel(pthread_self());
	err = call();
	atomic_store(&returned, true);
	/* the cancellation is still pending after a call of the library */
	pthread_testcancel();
	return &err;
}

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

enum { GOOD, CANCELLED_INSIDE, NOT_CANCELLED, BEFORE, AFTER, LIBRARY, DESCRIPTORS };

/*
 * Use of the library in another thread. If a lock were still held, it would wait until the alarm.
 */
static int use_library(void)
{
	struct sva_bond *mine;
	struct sva *ctx;

	memset(to, 0, BYTES);
	if (sva_open(&ctx, NULL))
		return LIBRARY;
	if (sva_memcpy(ctx, to, from, BYTES) || memcmp(to, from, BYTES) ||
	    sva_bind(ctx, "wq0.0", 0, &mine))
		return LIBRARY;
	sva_unbind(mine);
	sva_close(ctx);
	return sva_memcpy(NULL, to, from, BYTES) ? LIBRARY : GOOD;
}

static int one_call(const struct call *call)
{
	pthread_t thread;
	void *end;

	if (call->before && call->before() < 0)
		return BEFORE;
	atomic_store(&returned, false);
	pthread_create(&thread, NULL, cancelled_in, (void *)(uintptr_t)&call->call);
	pthread_join(thread, &end);
	if (!atomic_load(&returned))
		return CANCELLED_INSIDE;
	if (end != PTHREAD_CANCELED)
		return NOT_CANCELLED;
	if (call->after && call->after() < 0)
		return AFTER;
	return GOOD;
}

static int in_a_new_process(void *arg)
{
	const struct call *call = arg;
	unsigned int before;
	int end;

	alarm(30);
	end = one_call(call);
	if (end || (end = use_library()))
		return end;
	before = open_descriptors();
	if ((end = one_call(call)))
		return end;
	return open_descriptors() > before ? DESCRIPTORS : use_library();
}

static void pending(void)
{
	static const char *const words[] = {"",
					    "cancelled inside",
					    "not cancelled afterwards",
					    "the call before it failed",
					    "the call after it failed",
					    "the library does not work any more",
					    "a descriptor is left open"};

	for (size_t i = 0; i < CALLS; i++) {
		int end = rig_in_child(in_a_new_process, (void *)(uintptr_t)&calls[i]);

		ok(end == GOOD,
		   "%s with a cancellation pending returns, and the library works in other threads",
		   calls[i].name);
		if (end != GOOD)
			printf("# %d: %s\n", end, end < 7 ? words[end] : "a signal");
	}
}

static int control(void)
{
	usleep(1);
	return 0;
}

static int control_in_a_process(void *arg)
{
	struct call call = { "usleep", control, NULL, NULL };

	(void)arg;
	return one_call(&call);
}

/* The only thread of a process can cancel itself. */
static int in_the_only_thread(void *arg)
{
	struct sva *ctx;

	(void)arg;
	pthread_cancel(pthread_self());
	if (sva_open(&ctx, NULL) || sva_memcpy(ctx, to, from, BYTES))
		_exit(2);
	sva_close(ctx);
	_exit(77);
}

/* ------------------------------------------------------------------ at any time */

/*
 * libasan of GCC 12 reports its own alternate signal stack as an overflow when a cancelled thread
 * ends.
 */
#ifdef __SANITIZE_ADDRESS__
#define HAS_ASAN true
#else
#define HAS_ASAN false
#endif


static void *works(void *arg)
{
	static __thread unsigned char own[BYTES];
	struct sva_bond *mine;
	struct sva *ctx;
	int before;

	for (;;) {
		/*
		 * What the thread has open is closed before it can be cancelled: the calls
		 * themselves are not the place.
		 */
		if (sva_open(&ctx, NULL))
			return arg;
		if (sva_memcpy(ctx, own, from, BYTES) || sva_bind(ctx, "wq0.0", 0, &mine))
			return arg;
		sva_unbind(mine);
		sva_close(ctx);
		if (sva_memcpy(NULL, own, from, BYTES))
			return arg;
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
		if (before != PTHREAD_CANCEL_ENABLE)
			return arg; /* the library has to leave it as it was */
		pthread_testcancel();
	}
}

static int at_any_time(void *arg)
{
	unsigned int turns = *(unsigned int *)arg, seed = 1, before = 0;

	alarm(120);
	for (unsigned int i = 0; i < turns; i++) {
		pthread_t thread[2];
		void *end;

		for (int k = 0; k < 2; k++)
			pthread_create(&thread[k], NULL, works, NULL);
		seed = seed * 1103515245u + 12345u;
		usleep(seed >> 16 & 1023);
		for (int k = 0; k < 2; k++)
			pthread_cancel(thread[k]);
		for (int k = 0; k < 2; k++) {
			pthread_join(thread[k], &end);
			if (end != PTHREAD_CANCELED)
				return 1;
		}
		if (use_library())
			return 2;
		if (!i)
			before = open_descriptors();
	}
	return open_descriptors() > before ? 3 : 0;
}

int main(void)
{
	unsigned int turns = 60;

	rig_begin();
	kernel_begin();
	kernel_add("wq0.0", false, 16, NULL);
	setenv("SVA_PATHS", "write,soft,cpu", 1);
	setenv("SVA_SOFT_THREADS", "1", 1);
	setenv("SVA_THRESHOLD", "1", 1);
	all_are_here();
	is(rig_in_child(control_in_a_process, NULL), CANCELLED_INSIDE,
	   "control: a cancellation point in a call is noticed");
	is(rig_in_child(in_the_only_thread, NULL), 77,
	   "the only thread of a process, which has cancelled itself, comes back from the library");
	pending();
	if (HAS_ASAN)
		skip("threads cancelled at any time leave a library that works, and no descriptor",
		     "the sanitizer's own runtime faults at the end of a cancelled thread");
	else
		is(rig_in_child(at_any_time, &turns), 0,
		   "threads cancelled at any time leave a library that works, and no descriptor");
	return done();
}
