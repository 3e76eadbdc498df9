/* SPDX-License-Identifier: MIT */
/*
 * Bonds: one for each queue and process, reference-counted. The kernel stops serving
 * completion-record faults when a process opens a shared queue twice and closes one of the two
 * (Linux idxd cdev.c). So there is one descriptor, which every context and every handle shares.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cancel.h"
#include "lib/queue/proof.h"
#include "lib/queue/ways.h"

static struct sva_bond *find_bond(const char *node, const char *name)
{
	for (struct sva_bond *bond = sva_process.bonds; bond; bond = bond->next) {
		if (bond->generation != sva_process_generation())
			continue;
		/*
		 * The queue of a retired bond is closed already, so another may be made; not so
		 * while it is being freed.
		 */
		if (atomic_load(&bond->state) != SVA_BOND_LIVE && atomic_load(&bond->holds))
			continue;
		if (node[0] ? !strcmp(bond->node, node) :
			      !bond->node[0] && !strcmp(bond->name, name))
			return bond;
	}
	return NULL;
}

static void free_bond(struct sva_bond *bond)
{
	bond->magic = 0;
	if (bond->ops && bond->ops->close)
		bond->ops->close(bond);
	if (bond->portal)
		munmap(bond->portal, SVA_PORTAL_SIZE);
	/*
	 * For the node of a queue, close(2) waits in the kernel until its descriptors have
	 * finished.
	 */
	sva_file_close(&bond->file);
	pthread_mutex_destroy(&bond->lock);
	free(bond);
}

/*
 * The errno that callers get for an errno of open(2): the same, except for those that have another
 * meaning in this library.
 */
static int open_error(int err)
{
	switch (err) {
	case EPERM:
		return -EACCES;
	case ENOENT:
	case ENOTDIR:
	case ENXIO:
		return -ENODEV;
	default:
		return -err;
	}
}

static int open_node(struct sva_bond *bond, const struct sva_queue *queue,
		     const struct sva_submit_ops *ops, uint32_t *reason)
{
	int fd;

	*reason = SVA_REASON_OK;
	fd = sva_proof_open(queue, ops, reason);
	if (fd < 0 && *reason != SVA_REASON_OK)
		return -ENODEV;
	if (fd < 0) {
		*reason = ops->open_reason(-fd, bond->node);
		return open_error(-fd);
	}
	sva_file_keep(&bond->file, fd);
	return 0;
}

/*
 * A queue from a file may have no list of operations: then every operation is tried, and refused
 * ones are remembered (complete.c). Batches are tried on every queue that allows more than one
 * descriptor in one: the kernel hides them from op_cap of a DSA 1 (before 6.16 of every DSA), since
 * its write(2) refuses them, but the device behind a portal has them.
 */
static void fill_operations(struct sva_bond *bond, const struct sva_queue *queue)
{
	bool known = false;

	for (int i = 0; i < 4; i++)
		known |= queue->op_cap[i] != 0;
	for (int i = 0; i < 4; i++)
		bond->op_cap[i] = known ? queue->op_cap[i] : ~0ull;
	if (queue->max_batch > 1)
		bond->op_cap[0] |= 1ull << SVA_OPCODE_BATCH;
}

static int fill_bond(struct sva_bond *bond, const struct sva_queue *queue)
{
	bond->name = sva_intern(queue->name);
	bond->device = sva_intern(queue->device);
	bond->node = sva_intern(queue->node ? queue->node : "");
	if (!bond->name || !bond->device || !bond->node)
		return -ENOMEM;
	bond->mode = queue->mode;
	bond->entries = queue->entries ? queue->entries : 1;
	bond->max_batch = queue->max_batch;
	bond->version = queue->version;
	bond->max_transfer = queue->max_transfer;
	bond->gen_cap = queue->gen_cap;
	fill_operations(bond, queue);
	bond->block_on_fault = queue->block_on_fault;
	bond->numa_node = queue->numa_node;
	bond->pool = bond->entries;
	return 0;
}

struct sva_policy sva_policy_of(const struct sva_config *config)
{
	return (struct sva_policy){
		.fault_policy = config->fault_policy,
		.fault_tries = config->fault_tries,
		.full_tries = config->full_tries,
		.record_timeout_ms = config->record_timeout_ms,
		.cpu_allowed = sva_config_path_allowed(config, SVA_PATH_CPU),
	};
}

static int new_bond(const struct sva_config *config, const struct sva_queue *queue, int path,
		    struct sva_bond **out, uint32_t *reason)
{
	struct sva_bond *bond = calloc(1, sizeof(*bond));
	int err;

	if (!bond)
		return -ENOMEM;
	bond->magic = SVA_BOND_MAGIC;
	bond->generation = sva_process_generation();
	bond->file.fd = -1;
	bond->policy = sva_policy_of(config);
	pthread_mutex_init(&bond->lock, NULL);
	err = fill_bond(bond, queue);
	if (!err && bond->node[0])
		err = open_node(bond, queue, sva_submit_ops_of(path), reason);
	if (err) {
		free_bond(bond);
		return err;
	}
	*out = bond;
	return 0;
}

/* Open one path on a bond, if it is not open yet. */
static int open_path(struct sva_bond *bond, const struct sva_config *config,
		     const struct sva_submit_ops *ops, uint32_t *reason)
{
	int err;

	if (bond->ready & (1u << ops->path))
		return 0;
	if (ops->mode != SVA_MODE_UNKNOWN && ops->mode != bond->mode) {
		*reason = SVA_REASON_WRONG_MODE;
		return -EOPNOTSUPP;
	}
	*reason = SVA_REASON_OK;
	err = ops->open(bond, config, reason);
	if (err)
		return err;
	if (!bond->ops) {
		bond->ops = ops; /* free_bond() frees what open() has made */
		bond->id = sva_identify(bond->name, bond->device, ops->path, SVA_REASON_OK);
		if (!bond->id)
			return -ENOMEM;
	}
	bond->ready |= 1u << ops->path;
	if (ops->pump)
		bond->pump = ops->pump;
	return 0;
}

void sva_bond_lost(struct sva_bond *bond)
{
	int saved = errno;

	pthread_mutex_lock(&bond->lock);
	/*
	 * A mapped portal keeps the queue open and works without the descriptor: only the path
	 * write is gone.
	 */
	if (atomic_load(&bond->state) == SVA_BOND_LIVE && !bond->portal) {
		sva_bond_kill_leases(bond);
		/*
		 * Do not close it: it is the program's now. Forget the number, since the next bond
		 * can get the same.
		 */
		bond->file.fd = -1;
		if (bond->ops->lose)
			bond->ops->lose(bond);
		atomic_store(&bond->state, SVA_BOND_LOST);
	}
	pthread_mutex_unlock(&bond->lock);
	errno = saved;
}

/*
 * With sva_process.lock held: the bond of a queue that is open already, if it still has a
 * descriptor or works without one.
 */
static struct sva_bond *usable_bond(const struct sva_queue *queue)
{
	struct sva_bond *bond = find_bond(queue->node ? queue->node : "", queue->name);

	if (!bond || !atomic_load(&bond->holds) || !bond->node[0] || bond->portal ||
	    sva_file_ours(&bond->file))
		return bond;
	sva_bond_lost(bond);
	return find_bond(queue->node, queue->name);
}

/*
 * With sva_process.lock held: a reference to the bond of a queue that is open, or NULL. Waits for a
 * bond that is being closed, so that no queue is open twice.
 */
static struct sva_bond *get_open_bond(const struct sva_queue *queue)
{
	struct sva_bond *bond;

	while ((bond = usable_bond(queue))) {
		/*
		 * A bond without references stays open for operations that have not ended; then it
		 * gets its first reference again.
		 */
		if (bond->refs || sva_bond_try_hold(bond)) {
			bond->refs++;
			return bond;
		}
		pthread_cond_wait(&sva_process.closed, &sva_process.lock);
	}
	return NULL;
}

static void close_in_child(void)
{
	for (struct sva_bond *bond = sva_process.bonds; bond; bond = bond->next)
		sva_file_close(&bond->file);
}

static int get_new_bond(const struct sva_config *config, const struct sva_queue *queue, int path,
		   struct sva_bond **out, uint32_t *reason)
{
	struct sva_bond *bond;
	int err = new_bond(config, queue, path, &bond, reason);

	if (err)
		return err;
	err = open_path(bond, config, sva_submit_ops_of(path), reason);
	if (err) {
		free_bond(bond);
		return err;
	}
	bond->refs = 1;
	atomic_init(&bond->holds, 1);
	bond->next = sva_process.bonds;
	sva_process.bonds = bond;
	sva_process.in_child = close_in_child;
	*out = bond;
	return 0;
}

int sva_bond_get(const struct sva_config *config, const struct sva_queue *queue, int path,
		 struct sva_bond **out, uint32_t *reason)
{
	int err, saved = errno, cancel = sva_cancel_hold();
	struct sva_bond *bond;

	pthread_mutex_lock(&sva_process.lock);
	bond = get_open_bond(queue);
	if (bond)
		err = open_path(bond, config, sva_submit_ops_of(path), reason);
	else
		err = get_new_bond(config, queue, path, &bond, reason);
	pthread_mutex_unlock(&sva_process.lock);
	if (!err)
		*out = bond;
	else if (bond)
		sva_bond_unref(bond);
	sva_cancel_release(cancel);
	errno = saved;
	return err;
}

bool sva_bond_try_hold(struct sva_bond *bond)
{
	unsigned int holds = atomic_load(&bond->holds);

	while (holds)
		if (atomic_compare_exchange_weak(&bond->holds, &holds, holds + 1))
			return true;
	return false;
}

/* Only the list of bonds still has it, where sva_bond_get() finds it and waits. */
static void close_bond(struct sva_bond *bond)
{
	/* close(2) is a cancellation point; sva_poll() gets here, too */
	int saved = errno, cancel = sva_cancel_hold();

	sva_bond_free_leases(bond);
	pthread_mutex_lock(&sva_process.lock);
	for (struct sva_bond **at = &sva_process.bonds; *at; at = &(*at)->next) {
		if (*at == bond) {
			*at = bond->next;
			break;
		}
	}
	/*
	 * With the lock held, so that a forked child either has the descriptor open, or knows that
	 * it has none.
	 */
	free_bond(bond);
	pthread_cond_broadcast(&sva_process.closed);
	pthread_mutex_unlock(&sva_process.lock);
	sva_cancel_release(cancel);
	errno = saved;
}

/*
 * The thread that lowers the count to zero closes the bond, and no other thread may use it after
 * its own drop: acquire and release order everything that was done on the bond before that.
 * sva_bond_try_hold() never raises the count from zero.
 */
void sva_bond_drop(struct sva_bond *bond)
{
	if (atomic_fetch_sub_explicit(&bond->holds, 1, memory_order_acq_rel) == 1)
		close_bond(bond);
}

/*
 * The last reference releases the hold that all references share; the last hold closes the queue.
 */
void sva_bond_unref(struct sva_bond *bond)
{
	bool last;

	pthread_mutex_lock(&sva_process.lock);
	last = !--bond->refs;
	pthread_mutex_unlock(&sva_process.lock);
	if (last)
		sva_bond_drop(bond);
}

void sva_bond_retire(struct sva_bond *bond)
{
	int saved = errno, cancel = sva_cancel_hold();

	pthread_mutex_lock(&bond->lock);
	if (atomic_load(&bond->state) != SVA_BOND_RETIRED) {
		sva_bond_kill_leases(bond);
		/*
		 * No thread is between the check of its lease and its store to the portal now, and
		 * none will be.
		 */
		if (bond->ops->retire)
			bond->ops->retire(bond);
		if (bond->portal)
			munmap(bond->portal, SVA_PORTAL_SIZE);
		bond->portal = NULL;
		sva_file_close(&bond->file); /* the kernel drains the queue for this process */
		/*
		 * Release: a thread that sees the state also sees every record that was written
		 * before the close returned.
		 */
		atomic_store_explicit(&bond->state, SVA_BOND_RETIRED, memory_order_release);
	}
	pthread_mutex_unlock(&bond->lock);
	sva_cancel_release(cancel);
	errno = saved;
}

int sva_bond_check(const struct sva_bond *bond)
{
	if (!bond || bond->magic != SVA_BOND_MAGIC)
		return -EINVAL;
	/* Check this first: in a forked child the queue is not open. */
	if (bond->generation != sva_process_generation())
		return -ESTALE;
	if (atomic_load_explicit(&bond->state, memory_order_acquire) != SVA_BOND_LIVE)
		return -EIO;
	return 0;
}

/*
 * Another thread may be closing one of these bonds: it unpins the lease inside the section of the
 * share, and frees lease and bond afterwards. So a lease that is found pinned inside the section
 * still has its bond, and a hold on the bond keeps both.
 */
static struct sva_lease *pop_pinned(struct sva_lessee *lessee, bool *closing)
{
	struct sva_lease *lease;

	sva_lessee_enter(lessee);
	lease = lessee->pinned;
	*closing = lease && !sva_bond_try_hold(lease->bond);
	if (*closing)
		lease = NULL;
	else if (lease)
		lessee->pinned = lease->next_pinned;
	sva_lessee_leave(lessee);
	return lease;
}

void sva_lease_free_pinned(struct sva_lessee *lessee)
{
	struct sva_lease *lease;
	bool closing;

	while ((lease = pop_pinned(lessee, &closing)) || closing) {
		struct sva_bond *bond = lease ? lease->bond : NULL;

		if (closing) {
			sched_yield();
			continue;
		}
		sva_lease_free(lease);
		sva_bond_drop(bond);
	}
}
