/* SPDX-License-Identifier: MIT */
/*
 * Which path a synchronous call takes, and why not a better one: without a device and with one
 * (kernel.h), by default and by lists that somebody gave, around the threshold; what
 * sva_last_result() and sva_explain() say of it.
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

/* One copy and one fill of a length: both must take the path, and say why. */
static void takes(size_t len, int path, unsigned int reason, const char *name)
{
	const struct sva_result *last;

	memset(to, 0, len + 1);
	errno = 1234;
	is(sva_memcpy(sva, to, from, len), 0, name);
	last = sva_last_result();
	ok(last->path == path && last->reason == reason && !last->error,
	   "copy of %zu: path %s, reason %s", len, sva_path_name(last->path),
	   sva_reason_name(last->reason));
	ok(last->bytes == len && last->path_bytes[path] == len && !last->faults &&
		   !last->fault_addr && !last->value,
	   "its bytes are told, and nothing else");
	ok(path == SVA_PATH_CPU ? !last->queue && !last->device && !last->status && !last->chunks :
				  last->queue && last->device &&
					  last->status == SVA_STATUS_SUCCESS && last->chunks == 1,
	   "and its queue, if there was one");
	ok(!memcmp(to, from, len) && !to[len], "it is done");
	is(sva_memfill(sva, to, 0x0101010101010101, len), 0, name);
	last = sva_last_result();
	ok(last->path == path && last->reason == reason && last->bytes == len,
	   "fill of %zu: path %s, reason %s", len, sva_path_name(last->path),
	   sva_reason_name(last->reason));
	ok(!len || (to[0] == 1 && to[len - 1] == 1 && !to[len]), "it is done");
	is(errno, 1234, "errno is left alone");
}

static void fails(size_t len, int error, unsigned int reason, const char *name)
{
	is(sva_memcpy(sva, to, from, len), error, name);
	ok(sva_last_result()->error == error && sva_last_result()->reason == reason &&
		   !sva_last_result()->bytes,
	   "reason %s", sva_reason_name(sva_last_result()->reason));
}

/* ------------------------------------------------------------------ no device */

static void without_a_device(void)
{
	static const size_t lengths[] = { 0, 1, 100, 16383, 16384, 65536, MOST };
	struct sva_op op;
	size_t offset;

	kernel_begin();
	begin(NULL);
	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		takes(lengths[i], SVA_PATH_CPU, SVA_REASON_NO_DEVICE,
		      "by default: the CPU, never soft");
	is_rc(sva_compare(sva, from, from, MOST, &offset), 0, "a comparison");
	is(sva_last_result()->path, SVA_PATH_CPU, "too");
	is(sva_last_result()->reason, SVA_REASON_NO_DEVICE, "why");
	is(offset, MOST, "no difference");
	sva_prep_memcpy(&op, to, from, MOST);
	is_rc(sva_run(sva, &op), 0, "an operation that is waited for");
	is(sva_op_result(&op)->path, SVA_PATH_CPU, "too");
	sva_prep_memcpy(&op, to, from, MOST);
	is_rc(sva_submit(sva, &op), 0, "one that is not");
	is_rc(sva_wait(&op, -1), 0, "is done");
	is(sva_op_result(&op)->path, SVA_PATH_SOFT, "by soft");
	is(sva_op_result(&op)->reason, SVA_REASON_NO_DEVICE, "why");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_NO_DEVICE, "which changes nothing for calls");
	end();

	begin("soft");
	takes(1, SVA_PATH_SOFT, SVA_REASON_OK, "soft alone, whatever the length");
	takes(MOST, SVA_PATH_SOFT, SVA_REASON_OK, "soft alone");
	end();
	begin("soft,cpu");
	takes(16383, SVA_PATH_CPU, SVA_REASON_TOO_SMALL,
	      "soft when asked for: below the threshold");
	takes(16384, SVA_PATH_SOFT, SVA_REASON_OK, "and at it");
	end();
	begin("cpu,soft");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_OK, "the CPU first");
	end();
	begin("cpu");
	takes(100, SVA_PATH_CPU, SVA_REASON_OK, "the CPU alone");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_OK, "the CPU alone");
	end();
	begin("enqcmd,movdir64b,write");
	fails(MOST, -ENODEV, SVA_REASON_NO_DEVICE, "queues alone");
	fails(1, -ENODEV, SVA_REASON_NO_DEVICE, "queues alone");
	is_rc(sva_memcpy(sva, to, from, 0), 0, "but nothing can be copied");
	is_rc(sva_submit(sva, (sva_prep_memcpy(&op, to, from, 10), &op)), -ENODEV, "nor submitted");
	end();
	begin("write,cpu,soft");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_NO_DEVICE,
	      "what stands behind the CPU is never needed");
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
		ok(err == cases[i].want && !opened == !!err, "environment '%s', option '%s': %d",
		   cases[i].env ? cases[i].env : "", cases[i].option ? cases[i].option : "", err);
		if (!err && i == 2) {
			is_rc(sva_setting_value(opened, 0, text, sizeof(text)), 0, "the value");
			is_str(text, "cpu,soft", "is the option's order");
		}
		if (!err && i == 10) {
			is_rc(sva_setting_value(opened, 0, text, sizeof(text)), 0, "the value");
			is_str(text, "write", "is what both permit");
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
	takes(16383, SVA_PATH_CPU, SVA_REASON_TOO_SMALL, "below the threshold");
	is(queue->opens, 0, "a queue that nobody needs is not opened");
	takes(16384, SVA_PATH_WRITE, SVA_REASON_NO_MOVDIR64B, "at the threshold");
	takes(MOST, SVA_PATH_WRITE, SVA_REASON_NO_MOVDIR64B, "above it");
	takes(100, SVA_PATH_CPU, SVA_REASON_TOO_SMALL, "below it, later");
	takes(0, SVA_PATH_CPU, SVA_REASON_TOO_SMALL, "nothing");
	is(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_OK, "write is usable");
	is(sva_explain(sva, SVA_PATH_MOVDIR64B, NULL, 0), SVA_REASON_NO_MOVDIR64B,
	   "the portal is not");
	is(sva_explain(sva, SVA_PATH_ENQCMD, NULL, 0), SVA_REASON_WRONG_MODE, "nor the other");
	end();
	sva = rig_open_opts(NULL, set_threshold);
	takes(4095, SVA_PATH_CPU, SVA_REASON_TOO_SMALL, "another threshold, by option");
	takes(4096, SVA_PATH_WRITE, SVA_REASON_NO_MOVDIR64B, "another threshold, by option");
	end();
	setenv("SVA_THRESHOLD", "1M", 1);
	begin(NULL);
	takes(MOST - 1, SVA_PATH_CPU, SVA_REASON_TOO_SMALL,
	      "another threshold, by the environment");
	takes(MOST, SVA_PATH_WRITE, SVA_REASON_NO_MOVDIR64B,
	      "another threshold, by the environment");
	end();
	unsetenv("SVA_THRESHOLD");
	begin("write");
	takes(1, SVA_PATH_WRITE, SVA_REASON_OK, "where the CPU may not, it does not");
	end();
	begin("soft,write,cpu");
	takes(MOST, SVA_PATH_SOFT, SVA_REASON_OK, "the order is that of the list");
	end();
	begin("write,soft");
	takes(MOST, SVA_PATH_WRITE, SVA_REASON_OK, "the other order");
	end();

	kernel_fail(KERNEL_OPEN, EACCES, 1000000);
	kernel_cpu = SVA_CPU_MOVDIR64B;
	begin(NULL);
	takes(MOST, SVA_PATH_CPU, SVA_REASON_NO_PERMISSION, "a queue that may not be opened");
	end();
	begin("write,soft");
	takes(MOST, SVA_PATH_SOFT, SVA_REASON_NO_PERMISSION, "the next path");
	end();
	begin("write");
	fails(MOST, -ENODEV, SVA_REASON_NO_PERMISSION, "no other path");
	end();
	kernel_cpu = 0;
	/* It is tried again after a while. */
	begin("write,cpu");
	takes(MOST, SVA_PATH_CPU, SVA_REASON_NO_PERMISSION, "for now");
	kernel_fail(KERNEL_OPEN, 0, 0);
	for (uint64_t until = rig_now_ms() + 150; rig_now_ms() < until;)
		;
	takes(MOST, SVA_PATH_WRITE, SVA_REASON_OK, "and when it is mended, by itself");
	end();
}

/* ------------------------------------------------------------------ asking */

static void explain(void)
{
	char text[200];
	int dma;

	kernel_begin();
	begin(NULL);
	dma = sva_explain(sva, SVA_PATH_DMA, NULL, 0);
	is(sva_explain(sva, SVA_PATH_ENQCMD, text, sizeof(text)), SVA_REASON_NO_DEVICE,
	   "enqcmd without a device");
	is_str(text, sva_reason_text(SVA_REASON_NO_DEVICE), "in words");
	is(sva_explain(sva, SVA_PATH_MOVDIR64B, NULL, 0), SVA_REASON_NO_DEVICE,
	   "movdir64b without a device");
	is(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_NO_DEVICE,
	   "write without a device");
	ok(dma == SVA_REASON_MODULE_ABSENT || dma == SVA_REASON_MODULE_PERMISSION ||
		   dma == SVA_REASON_OK || dma == SVA_REASON_MODULE_NO_CHANNEL ||
		   dma == SVA_REASON_MODULE_FOREIGN || dma == SVA_REASON_MODULE_VERSION,
	   "dma is the module's matter: %s", sva_reason_name((unsigned int)dma));
	is(sva_explain(sva, SVA_PATH_SOFT, text, sizeof(text)), SVA_REASON_OK,
	   "soft always is usable");
	is_str(text, "usable", "in words");
	is(sva_explain(sva, SVA_PATH_CPU, NULL, 0), SVA_REASON_OK, "and the CPU");
	is_rc(sva_explain(sva, SVA_PATH_COUNT, text, sizeof(text)), -EINVAL, "a path that is none");
	is_rc(sva_explain(sva, -1, NULL, 0), -EINVAL, "a path that is none");
	memset(text, 'x', sizeof(text));
	sva_explain(sva, SVA_PATH_ENQCMD, text, 10);
	ok(strlen(text) == 9 && text[10] == 'x', "the text is cut to its room");
	sva_explain(sva, SVA_PATH_ENQCMD, text, 0);
	ok(strlen(text) == 9, "no room, no text");
	end();
	begin("soft");
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		is(sva_explain(sva, path, NULL, 0),
		   path == SVA_PATH_SOFT ? SVA_REASON_OK : SVA_REASON_EXCLUDED,
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
	is_rc(sva_memcpy(sva, to, from, 55), 0, "a call");
	pthread_create(&thread, NULL, in_a_thread, NULL);
	pthread_join(thread, &wrong);
	ok(!wrong, "each thread has a last result of its own");
	is(sva_last_result()->bytes, 55, "which others do not change");
	is(sva_last_result()->bytes, 55, "nor asking");
	is_rc(sva_memcpy(sva, NULL, from, 55), -EFAULT, "one that fails");
	is_rc(sva_last_result()->error, -EFAULT, "is the last");
	is_rc(sva_memcpy(sva, to, from, 20000), 0, "one that is done by a descriptor");
	ok(!sva_last_result()->error && sva_last_result()->bytes == 20000, "is the last");
	is_rc(sva_memcpy(NULL, to, from, 10), 0, "the default context, by NULL");
	is(sva_last_result()->bytes, 10, "is no different");
	is_rc(sva_memcpy((struct sva *)(void *)from, to, from, 10), -EINVAL, "what is no context");
	is_rc(sva_last_result()->error, -EINVAL, "is told");
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
