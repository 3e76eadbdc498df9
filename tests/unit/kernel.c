/* SPDX-License-Identifier: MIT */
/* The calls of the library on queues, and the device behind them: see kernel.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/machine.h"
#include "unit/kernel.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define QUEUES 8u
#define PAGE   4096u
#define ABSENT 64u

int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
ssize_t __real_write(int fd, const void *data, size_t size);
int __real_munmap(void *addr, size_t len);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int __real_fcntl(int fd, int command, ...);
int __real_stat(const char *path, struct stat *st);
int __real_fstat(int fd, struct stat *st);
int __real_madvise(void *addr, size_t len, int advice);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
ssize_t __wrap_write(int fd, const void *data, size_t size);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_munmap(void *addr, size_t len);
int __wrap_madvise(void *addr, size_t len, int advice);
unsigned int __wrap_sva_cpu_features(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct kernel_queue queues[QUEUES];
static unsigned int queue_count;
static struct { int err; unsigned int times; } failures[KERNEL_CALLS];
static char directory[64];
static pid_t owner;

unsigned int kernel_cpu;
unsigned int kernel_faults, kernel_touches;
unsigned int kernel_looks;
bool kernel_hides_address, kernel_masks_address, kernel_no_wipe;

unsigned int __wrap_sva_cpu_features(void)
{
	return kernel_cpu;
}

/* ------------------------------------------------------------------ set-up */

static void remove_directory(void)
{
	char path[160];

	if (getpid() != owner)
		return; /* a child that exits */
	for (unsigned int i = 0; i < queue_count; i++)
		unlink(queues[i].node);
	snprintf(path, sizeof(path), "%s/queues", directory);
	unlink(path);
	kernel_show(KERNEL_NOTHING);
	rmdir(directory);
}

/* This kernel is one for parent and child, each with a copy of its own: whole, at least. */
static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

static void after_fork_child(void)
{
	pthread_cond_init(&changed, NULL);
	pthread_mutex_unlock(&lock); /* which the thread that is left holds */
}

/*
 * A kernel is below the library: its handlers are registered before the library's, so that the
 * library's locks are taken first.
 */
static __attribute__((constructor(101))) void watch_forks(void)
{
	pthread_atfork(before_fork, after_fork, after_fork_child);
}

void kernel_list(const char *line)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/queues", directory);
	file = fopen(path, line ? "a" : "w");
	if (file) {
		fputs(line ? line : "", file);
		fclose(file);
	}
	setenv("SVA_QUEUE_FILE", path, 1);
}

void kernel_begin(void)
{
	if (!getenv("SVA_PLUGIN_DIR")) {
		printf("1..0 # SKIP SVA_PLUGIN_DIR, the directory of plug-ins, is not set\n");
		exit(0);
	}
	if (!directory[0]) {
		strcpy(directory, "/tmp/sva-kernel-XXXXXX");
		if (!mkdtemp(directory))
			abort();
		owner = getpid();
		atexit(remove_directory);
	}
	for (unsigned int i = 0; i < queue_count; i++)
		unlink(queues[i].node);
	queue_count = 0;
	kernel_show(KERNEL_PROC);
	memset(failures, 0, sizeof(failures));
	kernel_cpu = 0;
	kernel_hides_address = kernel_masks_address = false;
	kernel_present();
	kernel_list(NULL);
	setenv("SVA_PLUGINS", "file", 1);
}

struct kernel_queue *kernel_add(const char *name, bool dedicated, unsigned int entries,
				const char *more)
{
	struct kernel_queue *queue = &queues[queue_count++];
	char line[512];
	int fd;

	memset(queue, 0, sizeof(*queue));
	snprintf(queue->name, sizeof(queue->name), "%s", name);
	snprintf(queue->node, sizeof(queue->node), "%s/%s", directory, name);
	queue->dedicated = dedicated;
	queue->entries = entries;
	queue->fd = queue->other_fd = -1;
	queue->profile = sva_model_dsa1;
	queue->rdev = makedev(KERNEL_MAJOR, queue_count);
	fd = __real_open(queue->node, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		__real_close(fd);
	snprintf(line, sizeof(line), "%s device=dsa%u node=%s mode=%s entries=%u %s\n", name,
		 queue_count - 1, queue->node, dedicated ? "dedicated" : "shared", entries,
		 more ? more : "");
	kernel_list(line);
	return queue;
}

void kernel_fail(enum kernel_call call, int err, unsigned int times)
{
	pthread_mutex_lock(&lock);
	failures[call].err = err;
	failures[call].times = times;
	pthread_mutex_unlock(&lock);
}

/* With lock held: the errno that this call is to fail with, 0 for none. */
static int failure(enum kernel_call call)
{
	if (!failures[call].times)
		return 0;
	failures[call].times--;
	return failures[call].err;
}

static struct kernel_queue *queue_of(int fd)
{
	for (unsigned int i = 0; i < queue_count && fd >= 0; i++)
		if (queues[i].fd == fd)
			return &queues[i];
	return NULL;
}

/* ------------------------------------------- nodes, and where the driver can be seen */

static void look(int ret, struct stat *st, bool opened)
{
	struct stat own;

	for (unsigned int i = 0; !ret && S_ISREG(st->st_mode) && i < queue_count; i++) {
		if (__real_stat(queues[i].node, &own) || own.st_dev != st->st_dev ||
		    own.st_ino != st->st_ino)
			continue;
		st->st_mode = (st->st_mode & ~(mode_t)S_IFMT) | S_IFCHR;
		st->st_rdev =
			opened && queues[i].rdev_opened ? queues[i].rdev_opened : queues[i].rdev;
	}
}

int __wrap_stat(const char *path, struct stat *st)
{
	int ret = __real_stat(path, st);

	look(ret, st, false);
	return ret;
}

int __wrap_fstat(int fd, struct stat *st)
{
	int ret = __real_fstat(fd, st);

	__atomic_fetch_add(&kernel_looks, 1, __ATOMIC_RELAXED);
	look(ret, st, true);
	return ret;
}

static void write_file(const char *name, const char *format, unsigned int number)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (!format) {
		remove(path);
		return;
	}
	if (!*format) {
		mkdir(path, 0700);
		return;
	}
	file = fopen(path, "w");
	if (file) {
		fprintf(file, format, number);
		fclose(file);
	}
}

void kernel_show(enum kernel_view view)
{
	static const char *const tree[] = {
		"bus",
		"bus/dsa",
		"bus/dsa/devices",
		"bus/dsa/devices/dsa0",
		"bus/dsa/devices/dsa0/wq0.0",
		"bus/dsa/devices/dsa0/cdev_major",
		"bus/dsa/devices/dsa0/wq0.0/cdev_minor",
	};
	bool sysfs = view == KERNEL_SYSFS || view == KERNEL_SYSFS_OTHER_MAJOR ||
		     view == KERNEL_SYSFS_OTHER_MINOR;

	write_file("devices",
		   view == KERNEL_PROC ?
			   "Character devices:\n  1 mem\n%u dsa\n\nBlock devices:\n" :
		   view == KERNEL_PROC_WITHOUT ?
			   "Character devices:\n%3u mem\n\nBlock devices:\n511 dsa\n" :
			   NULL,
		   view == KERNEL_PROC ? KERNEL_MAJOR : 1);
	for (unsigned int i = 7; i > 0; i--)
		write_file(tree[i - 1], NULL, 0);
	for (unsigned int i = 0; i < 5 && sysfs; i++)
		write_file(tree[i], "", 0);
	if (sysfs) {
		write_file(tree[5], "%u\n", KERNEL_MAJOR + (view == KERNEL_SYSFS_OTHER_MAJOR));
		write_file(tree[6], "%u\n", 1u + (view == KERNEL_SYSFS_OTHER_MINOR));
	}
}

/* Where this kernel's own /sys/bus and /proc/devices are, and NULL for every other path. */
static const char *own_path(const char *path, char *own, size_t size)
{
	if (!strcmp(path, "/proc/devices"))
		snprintf(own, size, "%s/devices", directory);
	else if (!strncmp(path, "/sys/bus/", 9))
		snprintf(own, size, "%s/%s", directory, path + 5);
	else
		return NULL;
	return own;
}

/* ------------------------------------------------------------------ pages */

static uint64_t absent[ABSENT];
static unsigned int absent_count;
static int absent_error;

void kernel_absent(const void *addr, size_t len)
{
	pthread_mutex_lock(&lock);
	for (uint64_t page = (uintptr_t)addr / PAGE;
	     page <= ((uintptr_t)addr + len - 1) / PAGE && absent_count < ABSENT; page++)
		absent[absent_count++] = page;
	pthread_mutex_unlock(&lock);
}

void kernel_absent_for_good(int err)
{
	absent_error = err;
}

void kernel_present(void)
{
	absent_count = 0;
	absent_error = 0;
	kernel_faults = kernel_touches = 0;
}

static bool is_absent(uint64_t page)
{
	for (unsigned int i = 0; i < absent_count; i++)
		if (absent[i] == page)
			return true;
	return false;
}

static bool touch_range(uint64_t first, uint64_t last)
{
	bool found = false;

	for (unsigned int i = 0; i < absent_count; i++) {
		if (absent[i] < first || absent[i] > last)
			continue;
		found = true;
		if (!absent_error)
			absent[i--] = absent[--absent_count];
	}
	kernel_touches += found;
	return found;
}

int __wrap_madvise(void *addr, size_t len, int advice)
{
	int err = 0;

	if (advice == MADV_WIPEONFORK && kernel_no_wipe) {
		errno = EINVAL;
		return -1;
	}
	if (advice != MADV_POPULATE_READ && advice != MADV_POPULATE_WRITE)
		return __real_madvise(addr, len, advice);
	pthread_mutex_lock(&lock);
	err = failure(KERNEL_MADVISE);
	if (!err && touch_range((uintptr_t)addr / PAGE, ((uintptr_t)addr + len - 1) / PAGE))
		err = absent_error;
	pthread_mutex_unlock(&lock);
	if (!err)
		return __real_madvise(addr, len, advice);
	errno = err;
	return -1;
}

/* The device's view of memory: as far as the next page that is not there. */
static void *map(void *ctx, uint64_t addr, size_t *len, unsigned int access, uint64_t *fault)
{
	uint64_t page = addr / PAGE, last = (addr + *len - 1) / PAGE;

	(void)ctx;
	if (access & SVA_MODEL_RECORD)
		return (void *)(uintptr_t)addr;
	pthread_mutex_lock(&lock);
	while (page <= last && ((access & SVA_MODEL_BOF) || !is_absent(page)))
		page++;
	if (page > addr / PAGE && page <= last)
		*len = page * PAGE - addr;
	kernel_faults += page == addr / PAGE;
	pthread_mutex_unlock(&lock);
	if (page > addr / PAGE)
		return (void *)(uintptr_t)addr;
	*fault = kernel_hides_address ? 0 : kernel_masks_address ? page * PAGE : addr;
	return NULL;
}

/* ------------------------------------------------------------------ the device */

static void execute(struct kernel_queue *queue, const struct sva_desc *desc)
{
	static const struct sva_model_mem memory = { .map = map };
	struct sva_model_outcome outcome;

	sva_model_execute(&queue->profile, &memory, desc, &outcome);
}

/*
 * A program may send the next descriptor as soon as it sees the record of this one, so the slot has
 * to be free by then. A real queue frees it when an engine takes the descriptor, which is earlier;
 * this one frees it as late as it may, so that the library's credits are tested up to then.
 */
static void publish_record(const struct sva_desc *desc, const struct sva_comp *record)
{
	struct sva_comp *comp = (struct sva_comp *)(uintptr_t)desc->completion_addr;

	if (!record->status)
		return;
	memcpy((uint8_t *)comp + 1, (const uint8_t *)record + 1, sizeof(*record) - 1);
	__atomic_store_n(&comp->status, record->status, __ATOMIC_RELEASE);
}

/* With lock held: the oldest descriptor has left the queue. */
static void finish_oldest(struct kernel_queue *queue, const struct sva_comp *record)
{
	struct sva_desc desc = queue->ring[queue->head];

	queue->head = (queue->head + 1) % KERNEL_RING;
	queue->held--;
	queue->executed++;
	if (record)
		publish_record(&desc, record);
	pthread_cond_broadcast(&changed);
}

/* With lock held; it is given up meanwhile. */
static bool execute_oldest(struct kernel_queue *queue)
{
	struct sva_desc desc, copy;
	struct sva_comp record;
	bool has_record;

	if (!queue->held || queue->is_late)
		return false;
	desc = copy = queue->ring[queue->head];
	has_record = sva_desc_flags(&desc) & SVA_DESC_CRAV;
	memset(&record, 0, sizeof(record));
	if (has_record)
		copy.completion_addr = (uint64_t)(uintptr_t)&record;
	pthread_mutex_unlock(&lock);
	execute(queue, &copy);
	pthread_mutex_lock(&lock);
	queue->is_late = queue->late_batches && sva_desc_opcode(&desc) == SVA_OPCODE_BATCH;
	if (queue->is_late)
		queue->late_record = record;
	else
		finish_oldest(queue, has_record ? &record : NULL);
	return true;
}

bool kernel_publish(struct kernel_queue *queue)
{
	bool was_late;

	pthread_mutex_lock(&lock);
	was_late = queue->is_late;
	queue->is_late = false;
	if (was_late)
		finish_oldest(queue, &queue->late_record);
	pthread_mutex_unlock(&lock);
	return was_late;
}

unsigned int kernel_run(struct kernel_queue *queue, unsigned int most)
{
	unsigned int done = 0;

	pthread_mutex_lock(&lock);
	while (done < most && execute_oldest(queue))
		done++;
	pthread_mutex_unlock(&lock);
	return done;
}

/* Lives as long as the queue is open. */
static void *device_thread(void *arg)
{
	struct kernel_queue *queue = arg;

	pthread_mutex_lock(&lock);
	while (queue->fd >= 0)
		if (!execute_oldest(queue))
			pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* What the driver refuses in write(2), before the device sees it. */
static bool is_refused(const struct kernel_queue *queue, const struct sva_desc *desc)
{
	return desc->completion_addr % 32 ||
	       (sva_desc_opcode(desc) == SVA_OPCODE_BATCH && queue->profile.version < 0x200);
}

/* With lock held: 0, or the errno. */
static int take(struct kernel_queue *queue, const struct sva_desc *desc)
{
	if (queue->held == queue->entries) {
		if (!queue->dedicated)
			return EAGAIN;
		queue->dropped++;
		return 0;
	}
	if (queue->taken < KERNEL_LOG) {
		queue->log[queue->taken] = desc->flags_opcode;
		queue->sizes[queue->taken] = desc->size;
	}
	queue->taken++;
	if (queue->silent_after && queue->taken > queue->silent_after)
		return 0;
	if (queue->swallow) {
		queue->swallow--;
		return 0;
	}
	if (queue->mode == KERNEL_AT_ONCE) {
		struct sva_desc copy = *desc;

		pthread_mutex_unlock(&lock);
		execute(queue, &copy);
		pthread_mutex_lock(&lock);
		queue->executed++;
		return 0;
	}
	queue->ring[(queue->head + queue->held++) % KERNEL_RING] = *desc;
	if (queue->held > queue->most_held)
		queue->most_held = queue->held;
	pthread_cond_broadcast(&changed);
	return 0;
}

/* ------------------------------------------------------------------ calls */

int __wrap_open(const char *path, int flags, ...)
{
	struct kernel_queue *queue = NULL;
	char own[256];
	int err, fd;

	if (own_path(path, own, sizeof(own)))
		return __real_open(own, flags);
	for (unsigned int i = 0; i < queue_count; i++)
		if (!strcmp(queues[i].node, path))
			queue = &queues[i];
	if (!queue) {
		va_list ap;
		unsigned int mode;

		va_start(ap, flags);
		mode = flags & O_CREAT ? va_arg(ap, unsigned int) : 0;
		va_end(ap);
		return __real_open(path, flags, mode);
	}
	pthread_mutex_lock(&lock);
	err = failure(KERNEL_OPEN);
	if (!err && queue->dedicated && queue->open_now)
		err = EBUSY;
	if (err) {
		pthread_mutex_unlock(&lock);
		errno = err;
		return -1;
	}
	fd = __real_open(path, flags);
	queue->fd = fd;
	queue->opener = getpid();
	queue->opens++;
	if (++queue->open_now > queue->most_open)
		queue->most_open = queue->open_now;
	pthread_mutex_unlock(&lock);
	if (queue->mode == KERNEL_THREAD)
		queue->has_thread = !pthread_create(&queue->thread, NULL, device_thread, queue);
	return fd;
}

/*
 * The newest number of an open file is the one that its queue is known by; while there is another,
 * close ends nothing.
 */
int __wrap_fcntl(int fd, int command, ...)
{
	struct kernel_queue *queue;
	va_list ap;
	long arg;
	int ret;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	ret = __real_fcntl(fd, command, arg);
	if ((command != F_DUPFD_CLOEXEC && command != F_DUPFD) || ret < 0)
		return ret;
	pthread_mutex_lock(&lock);
	queue = queue_of(fd);
	if (queue) {
		queue->other_fd = fd;
		queue->fd = ret;
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

static bool closes_another(int fd)
{
	for (unsigned int i = 0; i < queue_count && fd >= 0; i++) {
		if (queues[i].other_fd == fd) {
			queues[i].other_fd = -1;
			return true;
		}
	}
	return false;
}

int __wrap_close(int fd)
{
	struct kernel_queue *queue;
	bool has_thread = false;
	pthread_t thread;

	pthread_mutex_lock(&lock);
	queue = closes_another(fd) ? NULL : queue_of(fd);
	if (queue && queue->opener == getpid()) {
		while (queue->has_thread && queue->held)
			pthread_cond_wait(&changed, &lock);
		has_thread = queue->has_thread;
		thread = queue->thread;
		queue->has_thread = false;
		while (queue->close_executes && execute_oldest(queue))
			;
		queue->held = 0;
		queue->is_late = false;
		queue->fd = -1;
		queue->open_now--;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	if (has_thread)
		pthread_join(thread, NULL);
	return __real_close(fd);
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	struct kernel_queue *queue;
	int err;

	pthread_mutex_lock(&lock);
	queue = queue_of(fd);
	err = queue ? failure(KERNEL_MMAP) : 0;
	if (queue)
		queue->mmaps++;
	pthread_mutex_unlock(&lock);
	if (!queue)
		return __real_mmap(addr, len, prot, flags, fd, offset);
	if (!err && (queue->maps || queue->rings)) {
		/* A store has to fault where the processor has the instruction, too. */
		queue->portal = __real_mmap(NULL, len, queue->rings ? PROT_NONE : prot,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return queue->portal;
	}
	errno = err ? err : EPERM;
	return MAP_FAILED;
}

int __wrap_munmap(void *addr, size_t len)
{
	for (unsigned int i = 0; i < queue_count; i++)
		if (queues[i].portal && queues[i].portal == addr)
			queues[i].munmaps++;
	return __real_munmap(addr, len);
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	const struct sva_desc *descs = data;
	unsigned int n = (unsigned int)(size / sizeof(*descs)), done = 0;
	struct kernel_queue *queue;
	int err;

	pthread_mutex_lock(&lock);
	queue = queue_of(fd);
	if (!queue) {
		pthread_mutex_unlock(&lock);
		return __real_write(fd, data, size);
	}
	queue->writes++;
	err = queue->opener == getpid() ? failure(KERNEL_WRITE) : EPERM;
	if (!err && queue->full_for) {
		queue->full_for--;
		err = EAGAIN;
	}
	if (queue->take && n > queue->take)
		n = queue->take;
	while (!err && done < n) {
		err = is_refused(queue, &descs[done]) ? EINVAL : take(queue, &descs[done]);
		done += !err;
	}
	pthread_mutex_unlock(&lock);
	if (done)
		return (ssize_t)(done * sizeof(*descs));
	errno = err;
	return -1;
}

int kernel_store(const void *portal, const struct sva_desc *desc)
{
	int ret = -1;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < queue_count; i++)
		if (queues[i].rings && queues[i].portal == portal && queues[i].fd >= 0)
			ret = take(&queues[i], desc) ? 1 : 0;
	pthread_mutex_unlock(&lock);
	return ret;
}
