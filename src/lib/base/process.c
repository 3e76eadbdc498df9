/* SPDX-License-Identifier: MIT */
/*
 * The state of the process: generations, pages for devices, interned strings; and what a fork does
 * to them.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/bias.h"
#include "lib/base/machine.h"
#include "lib/base/process.h"

/* Used until the first call makes a page; no thread has cached its epoch. */
static struct sva_alive not_yet;
struct sva_alive *sva_alive = &not_yet;
struct sva_process sva_process = {.lock = PTHREAD_MUTEX_INITIALIZER,
				  .closed = PTHREAD_COND_INITIALIZER,
				  .visit_lock = PTHREAD_MUTEX_INITIALIZER};

__thread struct sva_tls sva_tls __attribute__((tls_model("initial-exec"))) = {
	.key = (struct sva *)-1,
	.epoch = ~0u,
	.last = { .path = SVA_PATH_CPU },
};

/* the number of generations so far; a fork does not reset it, unlike the page */
static atomic_uint generations;
static atomic_uint epochs;
static pthread_key_t thread_key;

struct interned {
	struct interned *next;
	char text[];
};

static struct interned *strings;
static pthread_mutex_t strings_lock = PTHREAD_MUTEX_INITIALIZER;
/* after_fork_child() has run, and sva_process_enter() has not yet; protected by sva_alive::enter */
static bool tidied;

static struct sva_alive *current_page(void)
{
	return __atomic_load_n(&sva_alive, __ATOMIC_ACQUIRE);
}

/*
 * fork(2): the forking thread holds the process-wide locks meanwhile, so the child finds the lists
 * whole and can unlock the locks. The handlers are registered when the library is loaded: a lock
 * that was taken before its handler exists would stay locked forever, by a thread that the child
 * does not have. The child closes its copies of the queues' descriptors at once (a dedicated queue
 * would stay busy, even if the child never calls the library), and touches no portal: it does not
 * inherit those mappings.
 */
static bool fork_holds_enter; /* sva_process.lock */

static void before_fork(void)
{
	struct sva_alive *page = current_page();

	if (page != &not_yet)
		pthread_mutex_lock(&page->enter);
	pthread_mutex_lock(&sva_process.lock);
	pthread_mutex_lock(&strings_lock);
	fork_holds_enter = page != &not_yet;
}

static void after_fork(void)
{
	bool holds_enter = fork_holds_enter;

	pthread_mutex_unlock(&strings_lock);
	pthread_mutex_unlock(&sva_process.lock);
	if (holds_enter)
		pthread_mutex_unlock(&current_page()->enter);
}

static void forget_parent(void)
{
	if (sva_process.in_child)
		sva_process.in_child();
	if (sva_process.cq_in_child)
		sva_process.cq_in_child();
	pthread_mutex_init(&sva_process.visit_lock, NULL);
	sva_numa_after_fork();
	/*
	 * The parent's objects are leaked in the child on purpose: other threads may have been
	 * changing them.
	 */
	sva_process.contexts = NULL;
	sva_process.bonds = NULL;
	sva_process.cqs = NULL;
	sva_process.default_context = NULL;
	sva_process.interim = NULL;
	sva_process.anchor = NULL;
}

static void after_fork_child(void)
{
	struct sva_alive *page = current_page();

	pthread_cond_init(&sva_process.closed, NULL);
	forget_parent();
	pthread_mutex_unlock(&strings_lock); /* locked by this thread in before_fork() */
	pthread_mutex_unlock(&sva_process.lock);
	if (page == &not_yet)
		return;
	/* For kernels that do not wipe the page. Where they do, the mutex is already unlocked. */
	atomic_store(&page->epoch, 0);
	atomic_store(&page->generation, 0);
	pthread_mutex_init(&page->enter, NULL);
	tidied = true;
}

static atomic_bool watched;

/*
 * Once in the life of a program, children included: they inherit the handlers. The fork handlers
 * that were registered last run first, and malloc(3) is called with our locks held. So malloc(3) is
 * called once before: an allocator with fork handlers of its own registers them in its first call.
 */
static int watch_forks(void)
{
	void *volatile first;

	if (atomic_exchange(&watched, true))
		return 0;
	first = malloc(1);
	free(first);
	if (!pthread_atfork(before_fork, after_fork, after_fork_child))
		return 0;
	atomic_store(&watched, false);
	return -ENOMEM;
}

/*
 * Runs before main() begins or dlopen(3) returns, and before constructors without a priority. If
 * memory is short, sva_process_enter() tries again.
 */
static __attribute__((constructor(1000))) void watch_forks_early(void)
{
	(void)watch_forks();
}

/*
 * A thread ends, and its shares of contexts have no owner any more. Operations on their lists stay
 * valid.
 */
static void thread_ends(void *tls)
{
	void (*end_thread)(const void *tls);

	/*
	 * Destructors that run later may call the library once more: the thread must then look up
	 * its share anew, and this destructor run again.
	 */
	sva_tls.epoch = ~0u;
	/*
	 * A child of a raw clone(2) that has not entered the library: the contexts and locks are
	 * its parent's.
	 */
	if (!sva_process_generation())
		return;
	pthread_mutex_lock(&sva_process.lock);
	end_thread = __atomic_load_n(&sva_process.end_thread, __ATOMIC_RELAXED);
	if (end_thread)
		end_thread(tls);
	pthread_mutex_unlock(&sva_process.lock);
}

/* With a value for the key, thread_ends() runs when this thread ends. */
void sva_process_adopt_thread(void (*end_thread)(const void *tls))
{
	__atomic_store_n(&sva_process.end_thread, end_thread, __ATOMIC_RELAXED);
	pthread_setspecific(thread_key, &sva_tls);
}

/* A zeroed page, whose mutex is unlocked, in a child as well. NULL: no memory. */
static struct sva_alive *make_page(void)
{
	long size = sysconf(_SC_PAGESIZE);
	struct sva_alive *page, *first = &not_yet;

	page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	pthread_mutex_init(&page->enter, NULL);
	/*
	 * Linux 4.14. Where it is refused (an emulation of Linux), pthread_atfork(3) still reports
	 * ordinary forks.
	 */
	(void)madvise(page, (size_t)size, MADV_WIPEONFORK);
	if (__atomic_compare_exchange_n(&sva_alive, &first, page, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return page;
	munmap(page, (size_t)size); /* another thread was first */
	return first;
}

/*
 * A child made without fork handlers (by a raw clone) notices it by the wiped page alone. Any
 * thread of its parent may have held any lock. What the locks protect are lists that grow at their
 * heads, which are whole at any moment.
 */
static void tidy_after_clone(void)
{
	pthread_mutex_init(&sva_process.lock, NULL);
	pthread_cond_init(&sva_process.closed, NULL);
	pthread_mutex_init(&strings_lock, NULL);
	forget_parent();
}

/* With sva_alive::enter held. */
static int enter_locked(struct sva_alive *page)
{
	int err = watch_forks();

	if (err)
		return err;
	if (sva_process.ready && !tidied)
		tidy_after_clone();
	tidied = false;
	if (!sva_process.ready && pthread_key_create(&thread_key, thread_ends))
		return -ENOMEM;
	sva_process.ready = true;
	sva_bias_setup(); /* the registration for membarrier is per process */
	atomic_store(&page->epoch, atomic_fetch_add(&epochs, 1) + 1);
	atomic_store(&page->generation, atomic_fetch_add(&generations, 1) + 1);
	return 0;
}

int sva_process_enter(void)
{
	struct sva_alive *page = current_page();
	int err = 0;

	if (likely(atomic_load(&page->generation)))
		return 0;
	if (page == &not_yet)
		page = make_page();
	if (!page)
		return -ENOMEM;
	pthread_mutex_lock(&page->enter);
	if (!atomic_load(&page->generation))
		err = enter_locked(page);
	pthread_mutex_unlock(&page->enter);
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

const struct sva_identity *sva_identify(const char *queue, const char *device, uint8_t path,
					uint32_t reason)
{
	static struct sva_identity *identities; /* few: a path on a queue each */
	struct sva_identity *id;

	pthread_mutex_lock(&strings_lock);
	for (id = identities; id; id = id->next)
		if (id->queue == queue && id->device == device && id->path == path &&
		    id->reason == reason)
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
	/*
	 * Populated: a fault that a device takes on a completion record costs far more than one
	 * taken here.
	 */
	arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		     -1, 0);
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
