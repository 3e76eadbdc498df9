/* SPDX-License-Identifier: MIT */
/* One per process: generations, the arena, interned strings; and what a fork does to all of them. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/road.h"

/* Until the first call the page is this one, whose epoch no thread has cached. */
static struct sva_alive not_yet;
struct sva_alive *sva_alive = &not_yet;
struct sva_process sva_process = { .lock = PTHREAD_MUTEX_INITIALIZER, .closed = PTHREAD_COND_INITIALIZER };

__thread struct sva_tls sva_tls __attribute__((tls_model("initial-exec"))) = {
	.key = (struct sva *)-1,
	.epoch = ~0u,
	.last = { .path = SVA_PATH_CPU },
};

static pthread_mutex_t enter_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint generations; /* how many there have been; survives a fork, unlike the page */
static atomic_uint epochs;
static pthread_key_t thread_key;

struct interned {
	struct interned *next;
	char text[];
};

static struct interned *strings;
static pthread_mutex_t strings_lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * fork(2): nobody is inside the process-wide lists while the child is made, so the child finds them whole. It closes its copies of the
 * queues' descriptors at once (a dedicated queue would stay busy, and a fork of a program that never calls the library again should not hold it), and touches no
 * portal: those pages are not there.
 */
static void before_fork(void)
{
	pthread_mutex_lock(&enter_lock);
	pthread_mutex_lock(&sva_process.lock);
	pthread_mutex_lock(&strings_lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&strings_lock);
	pthread_mutex_unlock(&sva_process.lock);
	pthread_mutex_unlock(&enter_lock);
}

static void forget_parent(void)
{
	for (struct sva_bond *bond = sva_process.bonds; bond; bond = bond->next)
		sva_file_close(&bond->file);
	sva_lease_after_fork();
	/* What the parent's objects hold is lost to the child on purpose: other threads may have been in the middle of them. */
	sva_process.contexts = NULL;
	sva_process.bonds = NULL;
	sva_process.default_context = NULL;
	sva_process.anchor = NULL;
}

static void after_fork_child(void)
{
	pthread_cond_init(&sva_process.closed, NULL);
	if (sva_process.ready) {
		/* For kernels that do not wipe the page themselves. */
		atomic_store(&sva_alive->epoch, 0);
		atomic_store(&sva_alive->generation, 0);
	}
	forget_parent();
	after_fork(); /* the thread that is left holds them */
}

/* A thread ends: its shares of contexts become nobody's. Operations on their lists stay valid. */
static void thread_ends(void *tls)
{
	/* Destructors that come later may call the library once more: then it has to ask for a share again, and to end again. */
	sva_tls.epoch = ~0u;
	pthread_mutex_lock(&sva_process.lock);
	/* sva::lock comes before sva_process.lock and is not needed: a list of threads only grows while its context is listed. */
	for (struct sva *ctx = sva_process.contexts; ctx; ctx = ctx->next)
		for (struct sva_thread *t = atomic_load(&ctx->threads); t; t = t->next)
			if (atomic_load(&t->owner) == tls)
				atomic_store(&t->owner, NULL);
	pthread_mutex_unlock(&sva_process.lock);
}

/* Remember that this thread has a share somewhere, so that thread_ends() runs. */
void sva_process_adopt_thread(void)
{
	pthread_setspecific(thread_key, &sva_tls);
}

static int make_page(void)
{
	long size = sysconf(_SC_PAGESIZE);
	struct sva_alive *page;

	page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -ENOMEM;
	/* Linux 4.14. Where it is refused (an emulation of Linux), pthread_atfork still tells of ordinary forks. */
	(void)madvise(page, (size_t)size, MADV_WIPEONFORK);
	__atomic_store_n(&sva_alive, page, __ATOMIC_RELEASE);
	return 0;
}

static int enter_locked(void)
{
	int err;

	if (!sva_process.ready) {
		err = make_page();
		if (err)
			return err;
		if (pthread_key_create(&thread_key, thread_ends))
			return -ENOMEM;
		sva_bias_setup();
		pthread_atfork(before_fork, after_fork, after_fork_child);
		sva_process.ready = true;
	} else {
		/* A child that came about without pthread_atfork (a raw clone) learns it from the wiped page alone. */
		if (sva_process.contexts || sva_process.bonds) {
			pthread_mutex_init(&sva_process.lock, NULL);
			pthread_cond_init(&sva_process.closed, NULL);
			pthread_mutex_init(&strings_lock, NULL);
			forget_parent();
		}
		sva_bias_setup(); /* the registration for membarrier is per process */
	}
	atomic_store(&sva_alive->generation, atomic_fetch_add(&generations, 1) + 1);
	atomic_store(&sva_alive->epoch, atomic_fetch_add(&epochs, 1) + 1);
	return 0;
}

int sva_process_enter(void)
{
	int err = 0;

	if (likely(atomic_load(&sva_alive->generation)))
		return 0;
	pthread_mutex_lock(&enter_lock);
	if (!atomic_load(&sva_alive->generation))
		err = enter_locked();
	pthread_mutex_unlock(&enter_lock);
	return err;
}

void sva_process_bump_epoch(void)
{
	atomic_store(&sva_alive->epoch, atomic_fetch_add(&epochs, 1) + 1);
}

const char *sva_intern(const char *text)
{
	struct interned *string;

	pthread_mutex_lock(&strings_lock);
	for (string = strings; string; string = string->next)
		if (!strcmp(string->text, text))
			break;
	if (!string) {
		string = malloc(sizeof(*string) + strlen(text) + 1);
		if (string) {
			strcpy(string->text, text);
			string->next = strings;
			strings = string;
		}
	}
	pthread_mutex_unlock(&strings_lock);
	return string ? string->text : NULL;
}

const struct sva_identity *sva_identify(const char *queue, const char *device, uint8_t path, uint32_t reason)
{
	static struct sva_identity *identities; /* few: a path on a queue each */
	struct sva_identity *id;

	pthread_mutex_lock(&strings_lock);
	for (id = identities; id; id = id->next)
		if (id->queue == queue && id->device == device && id->path == path && id->reason == reason)
			break;
	if (!id) {
		id = malloc(sizeof(*id));
		if (id) {
			*id = (struct sva_identity){ identities, queue, device, path, reason };
			identities = id;
		}
	}
	pthread_mutex_unlock(&strings_lock);
	return id;
}

static size_t whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

void *sva_arena_alloc(size_t size)
{
	void *arena;

	size = whole_pages(size);
	/* Populated: a device fault on a completion record costs far more than one here. */
	arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (arena == MAP_FAILED)
		return NULL;
	(void)madvise(arena, size, MADV_DONTFORK);
	return arena;
}

void sva_arena_free(void *arena, size_t size)
{
	if (arena)
		munmap(arena, whole_pages(size));
}

uint64_t sva_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if !defined(__x86_64__)
uint64_t sva_ticks(void)
{
	return sva_now_ns();
}
#endif
