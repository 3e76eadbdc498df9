/* SPDX-License-Identifier: MIT */
/*
 * The DSA in software as a queue: the operations that its profiles lack; engine threads (signals,
 * drain, order, a full ring, their end); and that contexts share it.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/run/run.h"
#include "model/model.h"
#include "lib/queue/soft.h"
#include "tap.h"
#include "unit/reference.h"
#include "unit/rig.h"

#define BIG  (4u << 20)
#define MANY 64u

static struct sva *sva;
static struct sva_op ops[MANY];
static uint8_t *from, *to;

static unsigned int tasks(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned int n = 0;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

/* ------------------------------------------------------------------ profiles */

static int try(int path, const char *name)
{
	int err = sva_run(sva, &ops[0]);

	if (!err)
		is_path(sva_op_result(&ops[0])->path, path, name);
	return err;
}

static void profile(const char *name, bool has_second)
{
	static const struct sva_desc_dif dif = { .flags = SVA_DIF_BLOCK_512 };
	int path = has_second ? SVA_PATH_SOFT : SVA_PATH_CPU;

	subject("profile %s", name);
	setenv("SVA_SOFT_PROFILE", name, 1);
	sva = rig_open("soft,cpu", 0);
	setenv("SVA_THRESHOLD", "1", 1);
	sva_prep_memcpy(&ops[0], to, from, 1000);
	is_rc(try(SVA_PATH_SOFT, "the path of a copy"), 0, "a copy");
	sva_prep_memcpy(&ops[0], to + 1, to, 1000);
	is_rc(try(SVA_PATH_SOFT, "the path of a copy that overlaps"), 0, "a copy that overlaps");
	sva_prep_translation_fetch(&ops[0], from, 1000);
	is_rc(try(path, "the path of a translation fetch"), 0, "a translation fetch");
	sva_prep_dix_generate(&ops[0], to, from, 512, &dif);
	is_rc(try(path, "the path of a DIX generate"), 0, "a DIX generate");
	sva_prep_memfill16(&ops[0], to, 1, 2, 100);
	is_rc(try(path, "the path of a 16-byte fill"), 0, "a 16-byte fill");
	sva_prep_crc(&ops[0], "123456789", 9, 0, SVA_CRC_64);
	is_rc(try(path, "the path of a 64-bit CRC"), 0, "a 64-bit CRC");
	is(sva_op_result(&ops[0])->value, 0xae8b14860a799888ull, "the 64-bit CRC is right");
	sva_close(sva);

	sva = rig_open("soft", 0);
	sva_prep_memfill16(&ops[0], to, 1, 2, 100);
	is_rc(sva_run(sva, &ops[0]), has_second ? 0 : -EOPNOTSUPP,
	      "a 16-byte fill with only soft permitted");
	if (!has_second)
		is_reason(sva_last_result()->reason, SVA_REASON_NO_OPERATION,
			  "the call's result has the reason");
	sva_close(sva);
	unsetenv("SVA_SOFT_PROFILE");
}

static void wrong_profile(void)
{
	struct sva_opts opts = SVA_OPTS_INIT;

	setenv("SVA_SOFT_PROFILE", "dsa4", 1);
	setenv("SVA_LOG", "none", 1);
	is_rc(sva_open(&sva, &opts), -EINVAL, "open with an unknown profile");
	unsetenv("SVA_SOFT_PROFILE");
	opts.soft_threads = 65;
	is_rc(sva_open(&sva, &opts), -EINVAL, "open with 65 engine threads, more than permitted");
	unsetenv("SVA_LOG");
}

/* -------------------------------------------------------- engine threads that cannot be started */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *arg),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *arg),
			  void *arg);

static unsigned int threads_left = ~0u; /* so many can be created */
static unsigned int refusals;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *arg),
			  void *arg)
{
	if (!threads_left) {
		refusals++;
		return EAGAIN;
	}
	threads_left--;
	return __real_pthread_create(thread, attr, start, arg);
}

static char said[1024];
static unsigned int lines;

static void log_line(void *arg, int level, const char *text)
{
	(void)arg;
	lines += level <= 4;
	snprintf(said, sizeof(said), "%s", text);
}

static void four_threads_and_log(struct sva_opts *opts)
{
	opts->soft_threads = 4;
	opts->log = log_line;
}

static bool copies(uint32_t reason)
{
	memset(to, 0, 1000);
	sva_prep_memcpy(&ops[0], to, from, 1000);
	return !sva_submit(sva, &ops[0]) && !sva_wait(&ops[0], -1) && !memcmp(to, from, 1000) &&
	       sva_op_result(&ops[0])->path == SVA_PATH_SOFT &&
	       sva_op_result(&ops[0])->reason == reason;
}

static void without_threads(void)
{
	struct sva_op *entries[3] = { &ops[1], &ops[2], &ops[3] };
	unsigned int before = tasks();

	subject("no engine thread can be started");
	threads_left = 0;
	lines = 0;
	sva = rig_open_opts("soft", four_threads_and_log);
	ok(copies(SVA_REASON_SHORTAGE),
	   "an operation runs when it is submitted, its reason is SHORTAGE");
	ok(lines == 1 && strstr(said, "0 of 4") && strstr(said, "run when they are submitted"),
	   "one warning is logged: %s", said);
	for (int i = 1; i < 4; i++)
		sva_prep_memcpy(&ops[i], to + i * 1000, from + i * 1000, 1000);
	sva_prep_batch(&ops[0], entries, 3);
	is_rc(sva_run(sva, &ops[0]), 0, "a batch is done");
	is_rc(sva_memcpy(sva, to, from, BIG), 0, "a synchronous copy is done");
	is(tasks(), before, "the process has no further thread");
	/* The library tries again, but neither at once nor with every operation. */
	refusals = 0;
	for (int i = 0; i < 5000; i++)
		copies(SVA_REASON_SHORTAGE);
	ok(refusals <= 10, "in 5,000 operations the library tries %u times to start one", refusals);
	threads_left = 2;
	usleep(120000);
	for (int i = 0; i < 1200000 && tasks() == before; i++)
		copies(SVA_REASON_OK);
	is(tasks(), before + 2, "two are started when two can be started");
	ok(copies(SVA_REASON_OK), "the reason of operations is OK then");
	threads_left = ~0u;
	sva_close(sva);
	is(tasks(), before, "they end with the context");
}

static void with_fewer_threads(void)
{
	unsigned int before = tasks();

	subject("three of four engine threads can be started");
	threads_left = 3;
	lines = 0;
	sva = rig_open_opts("soft", four_threads_and_log);
	ok(copies(SVA_REASON_OK) && tasks() == before + 3,
	   "they do the work");
	ok(lines == 1 && strstr(said, "3 of 4"), "one warning is logged: %s", said);
	threads_left = ~0u;
	sva_close(sva);
}

static bool sanitized(void)
{
	const char *all = getenv("SANITIZERS");

	return all && strcmp(all, "no");
}

/* The limit itself, in a process of its own: no stack of 8 MiB fits. */
static int under_a_limit(void *arg)
{
	struct rlimit limit = { 0, 0 };
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	(void)arg;
	if (!file || fscanf(file, "%lu", &pages) != 1)
		return 1;
	fclose(file);
	limit.rlim_cur = limit.rlim_max = pages * 4096 + (3u << 20);
	if (setrlimit(RLIMIT_AS, &limit))
		return 2;
	sva = rig_open_opts("soft", four_threads_and_log);
	return copies(SVA_REASON_SHORTAGE) ? 0 : 3;
}

/* ------------------------------------------------------------------ engine threads */

static void begin_threads(unsigned int threads)
{
	sva = rig_open("soft", threads);
	sva_prep_noop(&ops[0]);
	is_rc(sva_run(sva, &ops[0]), 0, "the first operation starts them");
}

static void number(void)
{
	unsigned int before;

	/* With the first thread of a process a sanitizer may start one of its own. */
	begin_threads(1);
	sva_close(sva);
	before = tasks();
	sva = rig_open("soft", 3);
	is(tasks(), before, "none is started before it is needed");
	sva_close(sva);
	begin_threads(3);
	is(tasks(), before + 3, "three are started");
	sva_close(sva);
	is(tasks(), before, "they end with the context");
	begin_threads(64);
	is(tasks(), before + 64, "64 are started, the greatest number");
	sva_close(sva);
	is(tasks(), before, "they end with the context");
}

static atomic_int got_signal;
static pthread_t main_thread;

static void on_signal(int sig)
{
	(void)sig;
	atomic_store(&got_signal, pthread_equal(pthread_self(), main_thread) ? 1 : 2);
}

/* Engine threads block all signals, which are for the program's threads. */
static void signals(void)
{
	sigset_t set, old;

	main_thread = pthread_self();
	begin_threads(4);
	signal(SIGUSR1, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR1);
	for (int i = 0; i < 100; i++) {
		sva_prep_memcpy(&ops[0], to, from, 10000);
		if (sva_run(sva, &ops[0]))
			ok(false, "a copy is done");
	}
	is(atomic_load(&got_signal), 0, "no engine thread takes a signal of the process");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	is(atomic_load(&got_signal), 1,
	   "the signal is delivered when a thread of the program unblocks it");
	sva_close(sva);
	signal(SIGUSR1, SIG_DFL);
}

/*
 * A drain ends after everything that was submitted before it, also when other engines are slower.
 */
static void drains(unsigned int threads)
{
	unsigned int early = 0;

	begin_threads(threads);
	for (int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 8; i++) {
			sva_prep_memcpy(&ops[i], to + (size_t)i * (BIG / 8), from,
					i % 2 ? 64 : BIG / 8);
			while (sva_submit(sva, &ops[i]) == -EAGAIN)
				;
		}
		sva_prep_drain(&ops[8]);
		while (sva_submit(sva, &ops[8]) == -EAGAIN)
			;
		while (!sva_poll(&ops[8]))
			;
		/* Read the records themselves: polling would wait for them. */
		for (unsigned int i = 0; i < 8; i++)
			early += !__atomic_load_n(&ops[i].comp.status, __ATOMIC_ACQUIRE);
		for (unsigned int i = 0; i < 8; i++)
			if (sva_wait(&ops[i], -1))
				ok(false, "copy %u is done", i);
	}
	ok(!early, "%u threads: a drain waits for what is before it (%u were not done)", threads,
	   early);
	/* Two drains at a time, with copies between them. */
	sva_prep_drain(&ops[0]);
	sva_prep_memcpy(&ops[1], to, from, BIG);
	sva_prep_drain(&ops[2]);
	sva_prep_drain(&ops[3]);
	for (unsigned int i = 0; i < 4; i++)
		while (sva_submit(sva, &ops[i]) == -EAGAIN)
			;
	for (unsigned int i = 4; i-- > 0;)
		is_rc(sva_wait(&ops[i], -1), 0, "operation of two drains with copies between them");
	sva_close(sva);
}

/* More operations than the ring holds: -EAGAIN, and none is lost. */
static void full(void)
{
	unsigned int submitted = 0, refused = 0, done = 0;
	struct sva_op *many, *ended[64];
	void *memory;

	if (posix_memalign(&memory, 64, 1000 * sizeof(*many)))
		return;
	many = memory;
	begin_threads(1);
	/* The engine is busy for a while. */
	sva_prep_memcpy(&ops[0], to, from, BIG);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit a long copy");
	while (submitted < 1000) {
		int err;

		sva_prep_noop(&many[submitted]);
		err = sva_submit(sva, &many[submitted]);
		if (!err) {
			submitted++;
			continue;
		}
		if (err != -EAGAIN)
			ok(false, "submit a copy: %d", err);
		refused++;
		done += (unsigned int)sva_reap(sva, ended, 64);
	}
	for (uint64_t end = rig_now_ms() + 20000; done < 1001 && rig_now_ms() < end;)
		done += (unsigned int)sva_reap(sva, ended, 64);
	is(done, 1001, "all 1001 operations end");
	printf("# %u times the ring was full\n", refused);
	sva_close(sva);
	free(memory);
}

/* ------------------------------------------------------------------ one for the process */

static void shared(void)
{
	struct sva_bond *one, *two;
	struct sva *other;
	struct sva_op op;

	sva = rig_open("soft", 0);
	other = rig_open("soft", 0);
	is_rc(sva_bind(sva, "soft", 0, &one), 0, "bind in the first context");
	is_rc(sva_bind(other, "soft", 0, &two), 0, "bind in the second context");
	ok(one == two, "both have the same bond");
	is_path(sva_bond_path(one), SVA_PATH_SOFT, "sva_bond_path() gives the path");
	is_rc(sva_bond_pasid(one, &(uint32_t){ 0 }), -ENODATA, "the bond has no PASID");
	sva_close(sva);
	sva_unbind(two);
	sva_prep_memcpy(&op, to, from, 100);
	is_rc(sva_bond_submit(one, &op), 0, "submit on the bond after both contexts were closed");
	is_rc(sva_wait(&op, -1), 0, "wait for that operation");
	is_str(sva_op_result(&op)->queue, "soft", "its result names the queue \"soft\"");
	is_str(sva_op_result(&op)->device, "soft", "its result names the device \"soft\"");
	sva_unbind(one);
	sva_close(other);
}

/* Every descriptor gets a record, whatever its bytes are. */
static void any_descriptor(void)
{
	unsigned int errors = 0, without = 0;

	sva = rig_open("soft", 0);
	for (unsigned int i = 0; i < 3000; i++) {
		struct sva_desc desc __attribute__((aligned(64)));
		struct sva_comp comp;

		ref_random_bytes((uint8_t *)&desc, sizeof(desc));
		desc.flags_opcode = (desc.flags_opcode & 0xff3fffff) | SVA_DESC_CRAV | SVA_DESC_RCR;
		desc.pasid_priv = 0;
		memset(&comp, 0, sizeof(comp));
		desc.completion_addr = (uintptr_t)&comp;
		desc.src = i % 3 ? (uintptr_t)from : desc.src;
		desc.dst = i % 5 ? (uintptr_t)to : desc.dst | 1ull << 63;
		desc.size = i % 7 ? desc.size % BIG : desc.size;
		if (i % 2)
			memset(&desc.op, 0, sizeof(desc.op));
		desc.reserved = i % 2 ? 0 : desc.reserved;
		sva_soft_execute(&sva_model_dsa2, &desc, NULL);
		without += !comp.status;
		errors += (comp.status & SVA_STATUS_MASK) != SVA_STATUS_SUCCESS;
	}
	ok(!without && errors > 2000,
	   "3000 arbitrary descriptors all get a record, %u with an error", errors);
	sva_close(sva);
}

/* ------------------------------------------------------------------ system calls */

static atomic_uint touches; /* engine threads touch, too */

int __real_madvise(void *addr, size_t len, int advice);
int __wrap_madvise(void *addr, size_t len, int advice);

int __wrap_madvise(void *addr, size_t len, int advice)
{
	touches++;
	return __real_madvise(addr, len, advice);
}

static void touches_at_most(unsigned int most, const char *name)
{
	int err;

	touches = 0;
	err = sva_run(sva, &ops[0]);
	ok(!err && touches && touches <= most, "%s: at most %u calls of madvise(2)", name, most);
	if (err || touches > most)
		printf("# rc %d, %u calls\n", err, touches);
}

/* Each operand is touched once and remembered; of what is written here and there, each page. */
static void system_calls(void)
{
	const size_t len = 64 << 10, pages = len / RIG_PAGE;
	const struct sva_desc_dif dif = { .flags = SVA_DIF_BLOCK_512 };
	uint8_t *record = from + 1000000;
	uint32_t size;

	subject("soft");
	sva = rig_open("soft", 0);
	/* The first call of a context sets up memory of the library's own. */
	sva_prep_memcpy(&ops[0], to, from, 1);
	is(sva_run(sva, &ops[0]), 0, "a copy of 1 byte");
	sva_prep_memcpy(&ops[0], to, from, len);
	touches_at_most(2, "a copy of 64 KiB");
	sva_prep_memcpy(&ops[0], to + 16, to, len);
	touches_at_most(2 * (unsigned int)pages + 4, "a copy of 64 KiB from its end");
	sva_prep_crc(&ops[0], from, len, 0, 0);
	touches_at_most(1, "a CRC of 64 KiB");
	sva_prep_dif_insert(&ops[0], to, from, len, &dif);
	touches_at_most(2, "protection of 128 blocks");
	sva_prep_dif_check(&ops[0], to, len / 512 * 520, &dif);
	touches_at_most(1, "a check of 128 blocks");
	memset(to, 0, len);
	memset(from, 1, len);
	sva_prep_create_delta(&ops[0], to, from, len, record, (uint32_t)len / 8 * 10);
	touches_at_most(2 + 22, "a delta record of 8192 words");
	size = (uint32_t)sva_op_result(&ops[0])->value;
	sva_prep_apply_delta(&ops[0], to, len, record, size);
	touches_at_most(1 + 17, "a delta record of 8192 words that is applied");
	ok(size == len / 8 * 10 && !memcmp(to, from, len), "the record was right");
	sva_close(sva);
	ref_random_bytes(from, 100000);
}

int main(void)
{
	rig_begin();
	from = malloc(BIG);
	to = malloc(BIG);
	ref_random_bytes(from, 100000);
	memset(to, 0, BIG);
	/* First: stacks of threads that have ended are used again. */
	if (sanitized())
		skip("operations under an RLIMIT_AS with no room for a stack",
		     "a sanitizer needs the address space for itself");
	else
		is(rig_in_child(under_a_limit, NULL), 0,
		   "under an RLIMIT_AS with no room for a stack, operations run when they are submitted");
	profile("dsa1", false);
	profile("dsa2", true);
	profile("dsa3", true);
	wrong_profile();
	number();
	signals();
	drains(1);
	drains(2);
	drains(4);
	full();
	shared();
	any_descriptor();
	system_calls();
	without_threads();
	with_fewer_threads();
	free(from);
	free(to);
	return done();
}
