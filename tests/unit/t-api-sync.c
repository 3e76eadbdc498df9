/* SPDX-License-Identifier: MIT */
/*
 * Which path a synchronous call takes, and why not a better one: without a device and with one
 * (kernel.h), by default and by given lists of paths, around the threshold; what sva_last_result()
 * and sva_explain() report of it.
 */
#include <errno.h>
#include <pthread.h>

#include "lib/base/machine.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define MOST (1u << 20)

static uint8_t *from, *to;
static struct sva *sva;

static void begin(const char *paths)
{
	sva = rig_open(paths, 0);
}

static void end(void)
{
	sva_close(sva);
}

/* One copy and one fill of a length: both must take the path and give the reason. */
static void takes(size_t len, int path, unsigned int reason, const char *name)
{
	const struct sva_result *last;

	memset(to, 0, len + 1);
	errno = 1234;
	subject("%s: copy of %zu bytes", name, len);
	is_rc(sva_memcpy(sva, to, from, len), 0, "sva_memcpy()");
	last = sva_last_result();
	ok(last->path == path && last->reason == reason && !last->error,
	   "path %s, reason %s", sva_path_name(last->path),
	   sva_reason_name(last->reason));
	ok(last->bytes == len && last->path_bytes[path] == len && !last->faults &&
		   !last->fault_addr && !last->value,
	   "its result has the bytes and nothing else");
	ok(path == SVA_PATH_CPU ? !last->queue && !last->device && !last->status && !last->chunks :
				  last->queue && last->device &&
					  last->status == SVA_STATUS_SUCCESS && last->chunks == 1,
	   path == SVA_PATH_CPU ? "its result names no queue" : "its result names the queue");
	ok(!memcmp(to, from, len) && !to[len], "the bytes were copied");
	subject("%s: fill of %zu bytes", name, len);
	is_rc(sva_memfill(sva, to, 0x0101010101010101, len), 0, "sva_memfill()");
	last = sva_last_result();
	ok(last->path == path && last->reason == reason && last->bytes == len,
	   "path %s, reason %s", sva_path_name(last->path),
	   sva_reason_name(last->reason));
	ok(!len || (to[0] == 1 && to[len - 1] == 1 && !to[len]), "the bytes were filled");
	is(errno, 1234, "errno is not changed");
}

static void fails(size_t len, int error, unsigned int reason, const char *name)
{
	subject("%s: copy of %zu bytes", name, len);
	is_rc(sva_memcpy(sva, to, from, len), error, "sva_memcpy()");
	ok(sva_last_result()->error == error && sva_last_result()->reason == reason &&
		   !sva_last_result()->bytes,
	   "its result has reason %s", sva_reason_name(sva_last_result()->reason));
}

/* ------------------------------------------------------------------ no device */

/* Engine threads that were asked for do what is submitted, and only that. */
static void submits_to_threads(void)
{
	struct sva_op op;

	sva = rig_open(NULL, 2);
	subject("no device, default list, engine threads: an operation");
	sva_prep_memcpy(&op, to, from, MOST);
	is_rc(sva_submit(sva, &op), 0, "sva_submit()");
	is_rc(sva_wait(&op, -1), 0, "sva_wait()");
	is_path(sva_op_result(&op)->path, SVA_PATH_SOFT, "the operation's result has the path");
	is_reason(sva_op_result(&op)->reason, SVA_REASON_NO_DEVICE,
		  "the operation's result has the reason");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_NO_DEVICE,
	      "no device, default list, engine threads, after an operation on soft");
	end();
}

static void without_a_device(void)
{
	static const size_t lengths[] = { 0, 1, 100, 16383, 16384, 65536, MOST };
	struct sva_op op;
	size_t offset;

	kernel_begin();
	begin(NULL);
	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		takes(lengths[i], SVA_PATH_CPU, SVA_REASON_NO_DEVICE,
		      "no device, default list");
	subject("no device, default list: sva_compare()");
	is_rc(sva_compare(sva, from, from, MOST, &offset), 0, "equal buffers");
	is_path(sva_last_result()->path, SVA_PATH_CPU, "the call's result has the path");
	is_reason(sva_last_result()->reason, SVA_REASON_NO_DEVICE,
		  "the call's result has the reason");
	is(offset, MOST, "the offset is the length");
	subject("no device, default list: an operation");
	sva_prep_memcpy(&op, to, from, MOST);
	is_rc(sva_run(sva, &op), 0, "sva_run()");
	is_path(sva_op_result(&op)->path, SVA_PATH_CPU, "the operation's result has the path");
	sva_prep_memcpy(&op, to, from, MOST);
	is_rc(sva_submit(sva, &op), 0, "sva_submit()");
	is_rc(sva_wait(&op, -1), 0, "sva_wait()");
	is_path(sva_op_result(&op)->path, SVA_PATH_CPU, "the operation's result has the path");
	is_reason(sva_op_result(&op)->reason, SVA_REASON_NO_DEVICE,
		  "the operation's result has the reason");
	end();
	submits_to_threads();

	begin("soft");
	takes(1, SVA_PATH_SOFT, SVA_REASON_OK, "no device, list \"soft\"");
	takes(MOST, SVA_PATH_SOFT, SVA_REASON_OK, "no device, list \"soft\"");
	end();
	begin("soft,cpu");
	takes(16383, SVA_PATH_CPU, SVA_REASON_TOO_SMALL,
	      "no device, list \"soft,cpu\", below the threshold");
	takes(16384, SVA_PATH_SOFT, SVA_REASON_OK,
	      "no device, list \"soft,cpu\", at the threshold");
	end();
	begin("cpu,soft");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_OK, "no device, list \"cpu,soft\"");
	end();
	begin("cpu");
	takes(100, SVA_PATH_CPU, SVA_REASON_OK, "no device, list \"cpu\"");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_OK, "no device, list \"cpu\"");
	end();
	begin("enqcmd,movdir64b,write");
	fails(MOST, -ENODEV, SVA_REASON_NO_DEVICE, "no device, only paths to queues in the list");
	fails(1, -ENODEV, SVA_REASON_NO_DEVICE, "no device, only paths to queues in the list");
	subject("no device, only paths to queues in the list");
	is_rc(sva_memcpy(sva, to, from, 0), 0, "copy of no bytes");
	is_rc(sva_submit(sva, (sva_prep_memcpy(&op, to, from, 10), &op)), -ENODEV,
	      "submit a copy of 10 bytes");
	end();
	begin("write,cpu,soft");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_NO_DEVICE,
	      "no device, list \"write,cpu,soft\"");
	end();
}

/* ------------------------------------------------------------------ lists */

static void silent(void *arg, int level, const char *text)
{
	(void)arg, (void)level, (void)text;
}

static void lists(void)
{
	static const struct { const char *env, *option; int want;
	} cases[] = {
		{"soft,cpu", "soft", 0},      {"soft", "cpu", -EACCES},
		{"soft,cpu", "cpu,soft", 0},  {NULL, "soft,sfot", -EINVAL},
		{NULL, "", -EINVAL},	      {NULL, "soft,,cpu", -EINVAL},
		{NULL, "soft,soft", -EINVAL}, {"all", NULL, -EINVAL},
		{"SOFT", NULL, -EINVAL},      {" soft , cpu ", NULL, 0},
		{"write", "soft,write", 0},
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sva_opts opts = SVA_OPTS_INIT;
		struct sva *opened = NULL;
		char text[100];
		int err;

		kernel_begin();
		if (cases[i].env)
			setenv("SVA_PATHS", cases[i].env, 1);
		opts.paths = cases[i].option;
		opts.log = silent;
		err = sva_open(&opened, &opts);
		subject("SVA_PATHS '%s', option '%s'", cases[i].env ? cases[i].env : "",
			cases[i].option ? cases[i].option : "");
		is_rc(err, cases[i].want, "sva_open()");
		ok(!opened == !!err, err ? "no context is returned" : "a context is returned");
		if (!err && i == 2) {
			is_rc(sva_setting_value(opened, 0, text, sizeof(text)), 0,
			      "sva_setting_value() of the paths");
			is_str(text, "cpu,soft", "the paths are in the order of the option");
		}
		if (!err && i == 10) {
			is_rc(sva_setting_value(opened, 0, text, sizeof(text)), 0,
			      "sva_setting_value() of the paths");
			is_str(text, "write", "the paths are those that both permit");
		}
		sva_close(opened);
		unsetenv("SVA_PATHS");
	}
}

/* ------------------------------------------------------------------ with a device */

static void set_threshold(struct sva_opts *opts)
{
	opts->threshold = 4096;
}

static void with_a_device(void)
{
	struct kernel_queue *queue;

	kernel_begin();
	queue = kernel_add("wq0.0", true, 16, "max-transfer=2097152");
	begin(NULL);
	takes(16383, SVA_PATH_CPU, SVA_REASON_TOO_SMALL,
	      "write queue, default list, below the threshold");
	is(queue->opens, 0, "a queue that no operation needs is not opened");
	takes(16384, SVA_PATH_WRITE, SVA_REASON_NO_MOVDIR64B,
	      "write queue, default list, at the threshold");
	takes(MOST, SVA_PATH_WRITE, SVA_REASON_NO_MOVDIR64B,
	      "write queue, default list, above the threshold");
	takes(100, SVA_PATH_CPU, SVA_REASON_TOO_SMALL,
	      "write queue, default list, below the threshold, later");
	takes(0, SVA_PATH_CPU, SVA_REASON_TOO_SMALL, "write queue, default list");
	subject("sva_explain(), dedicated queue without a portal");
	is_reason(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_OK, "path write");
	is_reason(sva_explain(sva, SVA_PATH_MOVDIR64B, NULL, 0), SVA_REASON_NO_MOVDIR64B,
	   "path movdir64b");
	is_reason(sva_explain(sva, SVA_PATH_ENQCMD, NULL, 0), SVA_REASON_WRONG_MODE,
		  "path enqcmd");
	end();
	sva = rig_open_opts(NULL, set_threshold);
	takes(4095, SVA_PATH_CPU, SVA_REASON_TOO_SMALL, "write queue, a threshold by option");
	takes(4096, SVA_PATH_WRITE, SVA_REASON_NO_MOVDIR64B, "write queue, a threshold by option");
	end();
	setenv("SVA_THRESHOLD", "1M", 1);
	begin(NULL);
	takes(MOST - 1, SVA_PATH_CPU, SVA_REASON_TOO_SMALL,
	      "write queue, a threshold by SVA_THRESHOLD");
	takes(MOST, SVA_PATH_WRITE, SVA_REASON_NO_MOVDIR64B,
	      "write queue, a threshold by SVA_THRESHOLD");
	end();
	unsetenv("SVA_THRESHOLD");
	begin("write");
	takes(1, SVA_PATH_WRITE, SVA_REASON_OK, "write queue, list \"write\"");
	end();
	begin("soft,write,cpu");
	takes(MOST, SVA_PATH_SOFT, SVA_REASON_OK, "write queue, list \"soft,write,cpu\"");
	end();
	begin("write,soft");
	takes(MOST, SVA_PATH_WRITE, SVA_REASON_OK, "write queue, list \"write,soft\"");
	end();

	kernel_fail(KERNEL_OPEN, EACCES, 1000000);
	kernel_cpu = SVA_CPU_MOVDIR64B;
	begin(NULL);
	takes(MOST, SVA_PATH_CPU, SVA_REASON_NO_PERMISSION,
	      "queue without permission, default list");
	end();
	begin("write,soft");
	takes(MOST, SVA_PATH_SOFT, SVA_REASON_NO_PERMISSION,
	      "queue without permission, list \"write,soft\"");
	end();
	begin("write");
	fails(MOST, -ENODEV, SVA_REASON_NO_PERMISSION, "queue without permission, list \"write\"");
	end();
	kernel_cpu = 0;
	/* The library tries to open it again after 100 ms. */
	begin("write,cpu");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_NO_PERMISSION,
	      "queue without permission, list \"write,cpu\"");
	kernel_fail(KERNEL_OPEN, 0, 0);
	for (uint64_t until = rig_now_ms() + 150; rig_now_ms() < until;)
		;
	takes(MOST, SVA_PATH_WRITE, SVA_REASON_OK, "the same queue, with permission, 150 ms later");
	end();
}

/* ------------------------------------------------------------------ asking */

static void explain(void)
{
	char text[200];
	int dma;

	kernel_begin();
	begin(NULL);
	subject("sva_explain() without a device");
	dma = sva_explain(sva, SVA_PATH_DMA, NULL, 0);
	is_reason(sva_explain(sva, SVA_PATH_ENQCMD, text, sizeof(text)), SVA_REASON_NO_DEVICE,
	   "path enqcmd");
	is_str(text, sva_reason_text(SVA_REASON_NO_DEVICE),
	       "path enqcmd: the text is that of the reason");
	is_reason(sva_explain(sva, SVA_PATH_MOVDIR64B, NULL, 0), SVA_REASON_NO_DEVICE,
	   "path movdir64b");
	is_reason(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_NO_DEVICE,
	   "path write");
	ok(dma == SVA_REASON_MODULE_ABSENT || dma == SVA_REASON_MODULE_PERMISSION ||
		   dma == SVA_REASON_OK || dma == SVA_REASON_MODULE_NO_CHANNEL ||
		   dma == SVA_REASON_MODULE_FOREIGN || dma == SVA_REASON_MODULE_VERSION,
	   "path dma, a reason of the kernel module: %s", sva_reason_name((unsigned int)dma));
	is_reason(sva_explain(sva, SVA_PATH_SOFT, text, sizeof(text)), SVA_REASON_OK,
	   "path soft");
	is_str(text, "usable", "path soft: the text is that of the reason");
	is_reason(sva_explain(sva, SVA_PATH_CPU, NULL, 0), SVA_REASON_OK, "path cpu");
	is_rc(sva_explain(sva, SVA_PATH_COUNT, text, sizeof(text)), -EINVAL, "path 6, unknown");
	is_rc(sva_explain(sva, -1, NULL, 0), -EINVAL, "path -1, unknown");
	memset(text, 'x', sizeof(text));
	sva_explain(sva, SVA_PATH_ENQCMD, text, 10);
	ok(strlen(text) == 9 && text[10] == 'x', "the text is cut to the size of the buffer");
	sva_explain(sva, SVA_PATH_ENQCMD, text, 0);
	ok(strlen(text) == 9, "a buffer of no bytes is not written");
	end();
	begin("soft");
	subject("sva_explain(), list \"soft\"");
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		is_reason(sva_explain(sva, path, NULL, 0),
		   (path == SVA_PATH_SOFT ? SVA_REASON_OK : SVA_REASON_EXCLUDED),
		   sva_path_name(path));
	end();
}

/* ------------------------------------------------------------------ the last result */

static void *in_a_thread(void *arg)
{
	const struct sva_result *last = sva_last_result();

	(void)arg;
	if (last->bytes || last->error)
		return (void *)1;
	sva_memcpy(sva, to + MOST / 2, from, 77);
	return sva_last_result()->bytes == 77 ? NULL : (void *)2;
}

static void last_result(void)
{
	pthread_t thread;
	void *wrong;

	kernel_begin();
	begin("soft,cpu");
	subject("sva_last_result()");
	is_rc(sva_memcpy(sva, to, from, 55), 0, "a copy of 55 bytes");
	pthread_create(&thread, NULL, in_a_thread, NULL);
	pthread_join(thread, &wrong);
	ok(!wrong, "each thread has a last result of its own");
	is(sva_last_result()->bytes, 55, "a call of another thread does not change it");
	is(sva_last_result()->bytes, 55, "asking does not change it");
	is_rc(sva_memcpy(sva, NULL, from, 55), -EFAULT, "a copy to null");
	is_rc(sva_last_result()->error, -EFAULT, "it is that of the copy to null");
	is_rc(sva_memcpy(sva, to, from, 20000), 0, "a copy by a descriptor");
	ok(!sva_last_result()->error && sva_last_result()->bytes == 20000,
	   "it is that of the copy by a descriptor");
	is_rc(sva_memcpy(NULL, to, from, 10), 0, "a copy in the default context");
	is(sva_last_result()->bytes, 10, "it is that of the copy in the default context");
	is_rc(sva_memcpy((struct sva *)(void *)from, to, from, 10), -EINVAL,
	      "a copy with a pointer that is not a context");
	is_rc(sva_last_result()->error, -EINVAL, "it is that of the call without a context");
	end();
}

int main(void)
{
	rig_begin();
	from = rig_pages(MOST / RIG_PAGE + 1);
	to = rig_pages(MOST / RIG_PAGE + 1);
	for (unsigned int i = 0; i < MOST; i++)
		from[i] = (uint8_t)(i * 5 + i / 253 + 1);
	without_a_device();
	lists();
	with_a_device();
	explain();
	last_result();
	return done();
}
