/* SPDX-License-Identifier: MIT */
/*
 * Binding queues, on a kernel that this test plays (kernel.h): every way in which it refuses, what
 * is tried instead, one bond for each queue and process, and a device that falls silent.
 */
#include <errno.h>
#include <sys/mman.h>

#include "lib/base/machine.h"
#include "lib/run/run.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define BYTES 65536u

static uint8_t *from, *to;
static struct kernel_queue *queue;
static struct sva *sva;

static void set_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 60;
}

static void begin(bool dedicated, const char *paths)
{
	kernel_begin();
	queue = kernel_add("wq0.0", dedicated, 8, "max-transfer=65536");
	sva = rig_open_opts(paths, set_timeout);
}

static int reason_of(int path)
{
	struct sva_queue_info info = { .size = sizeof(info) };

	return sva_queue_info(sva, 0, 0, &info) ? -1 : (int)info.reasons[path];
}

static bool copy_works(struct sva_bond *bond)
{
	struct sva_op op;
	int err;

	memset(to, 0, BYTES);
	memset(from, 0x5a, BYTES);
	sva_prep_memcpy(&op, to, from, BYTES);
	err = sva_bond_submit(bond, &op);
	if (!err)
		err = sva_wait(&op, -1);
	if (err)
		printf("# a copy on the bond: %d\n", err);
	return !err && !memcmp(to, from, BYTES) && sva_op_result(&op)->path == SVA_PATH_WRITE &&
	       !strcmp(sva_op_result(&op)->queue, "wq0.0") &&
	       !strcmp(sva_op_result(&op)->device, "dsa0");
}

/* ------------------------------------------------------------------ refused */

static void open_fails(void)
{
	static const struct { int err, want; unsigned int reason; } cases[] = {
		{ EACCES, -EACCES, SVA_REASON_NO_PERMISSION },
		{ EPERM, -EACCES, SVA_REASON_NO_PERMISSION },
		{ ENOENT, -ENODEV, SVA_REASON_NO_NODE },
		{ ENOTDIR, -ENODEV, SVA_REASON_NO_NODE },
		{ ENXIO, -ENODEV, SVA_REASON_QUEUE_DISABLED },
		{ ENODEV, -ENODEV, SVA_REASON_NO_IOMMU },
		{ EOPNOTSUPP, -EOPNOTSUPP, SVA_REASON_SVA_REFUSED },
		{ ENOSPC, -ENOSPC, SVA_REASON_NO_PASID },
		{ EOVERFLOW, -EOVERFLOW, SVA_REASON_NO_PASID },
		{ EBUSY, -EBUSY, SVA_REASON_BUSY },
		{ EMFILE, -EMFILE, SVA_REASON_SHORTAGE },
		{ ENOMEM, -ENOMEM, SVA_REASON_SHORTAGE },
	};
	struct sva_bond *bond = (void *)1;
	char text[200];

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(false, "write");
		kernel_fail(KERNEL_OPEN, cases[i].err, 1000);
		is(sva_bind(sva, "wq0.0", 0, &bond), cases[i].want, strerror(cases[i].err));
		ok(bond == (void *)1, "the handle is not touched");
		is(sva_explain(sva, SVA_PATH_WRITE, text, sizeof(text)), cases[i].reason, "why");
		is_str(text, sva_reason_text(cases[i].reason), "in words");
		is_rc(sva_memcpy(sva, to, from, BYTES), -ENODEV, "there is no other path");
		is(sva_last_result()->reason, cases[i].reason, "why");
		kernel_fail(KERNEL_OPEN, 0, 0);
		is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "when it is mended");
		ok(copy_works(bond), "it works");
		sva_unbind(bond);
		bond = (void *)1;
		sva_close(sva);
		is(queue->open_now, 0, "nothing stays open");
	}
	begin(false, "write");
	kernel_fail(KERNEL_OPEN, EINTR, 3);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "an open that was interrupted goes on");
	sva_unbind(bond);
	sva_close(sva);
}

/* Portals need a capability; what is left is write(2), and the other way round. */
static void portal_refused(bool dedicated)
{
	int portal = dedicated ? SVA_PATH_MOVDIR64B : SVA_PATH_ENQCMD,
	    other = dedicated ? SVA_PATH_ENQCMD : SVA_PATH_MOVDIR64B;
	struct sva_bond *bond;

	begin(dedicated, NULL);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind on a CPU without the instructions");
	is(queue->mmaps, 0, "no portal is asked for");
	is(sva_bond_path(bond), SVA_PATH_WRITE, "write is what it takes");
	is(reason_of(portal), dedicated ? SVA_REASON_NO_MOVDIR64B : SVA_REASON_NO_ENQCMD,
	   "why not the portal");
	is(reason_of(other), SVA_REASON_WRONG_MODE, "why not the other portal");
	sva_unbind(bond);
	sva_close(sva);

	begin(dedicated, NULL);
	kernel_cpu = SVA_CPU_ENQCMD | SVA_CPU_MOVDIR64B;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind where mmap answers EPERM");
	ok(queue->mmaps > 0, "a portal was asked for");
	is(sva_bond_path(bond), SVA_PATH_WRITE, "write is what it takes");
	ok(queue->taken == 1 && queue->log[0] >> 24 == SVA_OPCODE_NOOP,
	   "which was found out with a no-op");
	is(sva_explain(sva, portal, NULL, 0), SVA_REASON_NEED_RAWIO, "why not the portal");
	is(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_OK, "and why write: it is usable");
	ok(copy_works(bond), "it works");
	sva_unbind(bond);
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "a synchronous call takes it");
	is(sva_last_result()->path, SVA_PATH_WRITE, "write");
	is(sva_last_result()->reason, SVA_REASON_NEED_RAWIO, "why not better");
	sva_close(sva);

	begin(dedicated, dedicated ? "movdir64b" : "enqcmd");
	kernel_cpu = SVA_CPU_ENQCMD | SVA_CPU_MOVDIR64B;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EACCES, "with nothing but the portal permitted");
	sva_close(sva);
	sva = rig_open(dedicated ? "enqcmd" : "movdir64b", 0);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EACCES,
	   "with nothing but paths for other queues permitted");
	is(queue->open_now, 0, "it is not kept open");
	sva_close(sva);
	sva = rig_open(dedicated ? "movdir64b" : "enqcmd", 0);
	kernel_fail(KERNEL_MMAP, ENODEV, 1000);
	ok(sva_bind(sva, "wq0.0", 0, &bond) < 0, "mmap fails otherwise");
	is(sva_explain(sva, portal, NULL, 0), SVA_REASON_MAP_FAILED, "why");
	is(queue->open_now, 0, "nothing stays open");
	sva_close(sva);
}

static void write_refused(void)
{
	static const struct { int err, want; unsigned int reason; } cases[] = {
		{ EPERM, -EOPNOTSUPP, SVA_REASON_WRITE_REFUSED },
		{ EINVAL, -EOPNOTSUPP, SVA_REASON_WRITE_REFUSED },
		{ ENXIO, -ENXIO, SVA_REASON_WRITE_REFUSED },
	};
	struct sva_bond *bond;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(false, "write,soft");
		kernel_fail(KERNEL_WRITE, cases[i].err, 1000);
		is(sva_bind(sva, "wq0.0", 0, &bond), cases[i].want, strerror(cases[i].err));
		is(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), cases[i].reason, "why");
		is(queue->open_now, 0, "nothing stays open");
		is_rc(sva_memcpy(sva, to, from, BYTES), 0, "a copy goes the next path");
		is(sva_last_result()->path, SVA_PATH_SOFT, "soft");
		is(sva_last_result()->reason, cases[i].reason, "why not better");
		sva_close(sva);
	}
	begin(false, "write");
	kernel_fail(KERNEL_WRITE, EINTR, 3);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "a write that was interrupted goes on");
	sva_unbind(bond);
	queue->full_for = 3;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "a queue that is full for a moment");
	sva_unbind(bond);
	queue->full_for = 1000;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "full for longer is no reason against it");
	queue->full_for = 0;
	ok(copy_works(bond), "and it works when there is room");
	sva_unbind(bond);
	queue->swallow = 1;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EIO, "a no-op whose record never comes");
	is(queue->open_now, 0, "nothing stays open");
	sva_close(sva);
}

/* ------------------------------------------------------------------ names, flags, trust */

static void arguments(void)
{
	struct sva_bond *bond = NULL, *same;
	uint32_t pasid = 77;

	begin(false, "write");
	is_rc(sva_bind(sva, NULL, 0, &bond), -EINVAL, "no name");
	is_rc(sva_bind(sva, "wq0.0", 0, NULL), -EINVAL, "nowhere to put the handle");
	for (unsigned int bit = 2; bit < 32; bit++)
		is_rc(sva_bind(sva, "wq0.0", 1u << bit, &bond), -EINVAL, "an unknown flag");
	is_rc(sva_bind(sva, "wq9.9", 0, &bond), -ENOENT, "an unknown queue");
	is_rc(sva_bind(sva, "dsa1/wq0.0", 0, &bond), -ENOENT, "the queue of another device");
	is_rc(sva_bind(sva, "", 0, &bond), -ENOENT, "an empty name");
	is_rc(sva_bind(sva, "soft", 0, &bond), -EACCES, "soft where it is not permitted");
	ok(!bond, "the handle is not touched");

	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "by the queue's name");
	is_rc(sva_bind(sva, "dsa0/wq0.0", 0, &same), 0, "by device and queue");
	ok(same == bond, "it is the same bond");
	is_rc(sva_bind(sva, queue->node, 0, &same), 0, "by its node");
	ok(same == bond, "it is the same bond");
	is(queue->opens, 1, "and it was opened once");
	is_rc(sva_bond_pasid(bond, &pasid), -ENODATA, "the PASID is not disclosed");
	is(pasid, 77, "and not touched");
	is_rc(sva_bond_pasid(NULL, &pasid), -EINVAL, "of no bond");
	is_rc(sva_bond_path(NULL), -EINVAL, "the path of no bond");
	is_rc(sva_bond_submit(NULL, NULL), -EINVAL, "submit to no bond");
	is_rc(sva_bond_submit(bond, NULL), -EINVAL, "submit no operation");
	sva_unbind(NULL);
	for (int i = 0; i < 3; i++)
		sva_unbind(bond);
	is(queue->open_now, 0, "three references, three times released");
	sva_close(sva);

	setenv("SVA_QUEUES", "wq1.1", 1);
	begin(false, "write");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EACCES, "a queue that the list rules out");
	is(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_QUEUE_EXCLUDED, "why");
	sva_close(sva);
	begin(false, NULL);
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "a copy with every queue ruled out");
	is(sva_last_result()->path, SVA_PATH_CPU, "is the CPU's");
	is(sva_last_result()->reason, SVA_REASON_QUEUE_EXCLUDED, "and says so");
	sva_close(sva);
	unsetenv("SVA_QUEUES");
}

static void set_strict(struct sva_opts *opts)
{
	opts->flags = SVA_OPEN_STRICT;
}

static void set_untrusted(struct sva_opts *opts)
{
	opts->flags = SVA_OPEN_UNTRUSTED;
}

/* As if the plug-in had said so. */
static void claim_trust(uint32_t trust)
{
	struct sva_queue *found =
		(struct sva_queue *)(uintptr_t)sva_inventory_find(sva->inventory, "wq0.0");

	found->trust = trust;
}

static void trust(void)
{
	static const struct {
		uint32_t trust;
		void (*options)(struct sva_opts *opts);
		unsigned int flags;
		int want;
	} cases[] = {
		{SVA_TRUST_YES, NULL, 0, 0},
		{SVA_TRUST_YES, set_strict, SVA_BIND_STRICT, 0},
		{SVA_TRUST_UNKNOWN, NULL, 0, 0},
		{SVA_TRUST_UNKNOWN, NULL, SVA_BIND_STRICT, -EPERM},
		{SVA_TRUST_UNKNOWN, set_strict, 0, -EPERM},
		{SVA_TRUST_UNKNOWN, set_strict, SVA_BIND_UNTRUSTED, -EPERM},
		{SVA_TRUST_NO, NULL, 0, -EPERM},
		{SVA_TRUST_NO, set_strict, 0, -EPERM},
		{SVA_TRUST_NO, NULL, SVA_BIND_UNTRUSTED, 0},
		{SVA_TRUST_NO, set_untrusted, 0, 0},
	};
	struct sva_bond *bond;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err;

		kernel_begin();
		queue = kernel_add("wq0.0", false, 8, NULL);
		sva = rig_open_opts("write", cases[i].options);
		claim_trust(cases[i].trust);
		err = sva_bind(sva, "wq0.0", cases[i].flags, &bond);
		ok(err == cases[i].want, "trust %u, flags %#x: %d", cases[i].trust, cases[i].flags,
		   err);
		is(queue->opens, !err, "what is not trusted is not opened");
		if (!err)
			sva_unbind(bond);
		sva_close(sva);
	}
	begin(false, "write");
	claim_trust(SVA_TRUST_NO);
	is_rc(sva_memcpy(sva, to, from, BYTES), -ENODEV, "calls do not use it either");
	is(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_UNTRUSTED, "why");
	is(queue->opens, 0, "it was never opened");
	sva_close(sva);
}

/*
 * ------------------------------------------------------------------ one bond for each queue and
 * process
 */

static void references(void)
{
	struct sva *other;
	struct sva_bond *one, *two;

	begin(false, "write");
	other = rig_open("write", 0);
	is_rc(sva_bind(sva, "wq0.0", 0, &one), 0, "bind in one context");
	is_rc(sva_bind(other, "wq0.0", 0, &two), 0, "and in another");
	ok(one == two, "it is one bond");
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "calls of the one use it");
	is_rc(sva_memcpy(other, to, from, BYTES), 0, "and of the other");
	is(queue->opens, 1, "opened once in the process");
	sva_close(sva);
	ok(copy_works(one), "a handle outlives its context");
	sva_unbind(one);
	ok(copy_works(two), "and the other reference");
	sva_unbind(two);
	is(queue->open_now, 1, "the other context has it still");
	sva_close(other);
	is(queue->open_now, 0, "closed with the last");
	sva = rig_open("write", 0);
	is_rc(sva_bind(sva, "wq0.0", 0, &one), 0, "and bound anew");
	is(queue->opens, 2, "by opening it again");
	ok(copy_works(one), "it works");
	sva_unbind(one);
	sva_close(sva);
}

/*
 * The mapping keeps the open file in use: as long as it is there the kernel does not end what the
 * process has on the queue.
 */
static void portal_is_unmapped(bool dedicated)
{
	struct sva_bond *bond, *same;

	begin(dedicated, dedicated ? "movdir64b" : "enqcmd");
	kernel_cpu = SVA_CPU_ENQCMD | SVA_CPU_MOVDIR64B;
	queue->maps = true;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "a queue whose portal can be mapped is bound");
	is_rc(sva_bind(sva, "wq0.0", 0, &same), 0, "and bound again");
	is(queue->mmaps, 1, "its portal is mapped once");
	sva_unbind(same);
	is(queue->munmaps, 0, "the portal stays mapped as long as there is a reference");
	sva_unbind(bond);
	is(queue->munmaps, 1, "the last sva_unbind() unmaps the portal");
	is(queue->open_now, 0, "and closes the queue");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "the queue is bound anew");
	sva_bond_retire(bond);
	is(queue->munmaps, 2, "a queue that is given up has its portal unmapped");
	is(queue->open_now, 0, "and is closed");
	sva_unbind(bond);
	is(queue->munmaps, 2, "which is not done a second time");
	sva_close(sva);
}

/* Somebody else has the dedicated queue: another process, or another library in this one. */
static void busy(void)
{
	struct sva_bond *bond;
	FILE *foreign;

	begin(true, "write");
	queue->open_now = 1;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EBUSY, "a dedicated queue that another process has");
	is(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_BUSY, "why");
	foreign = fopen(queue->node, "r");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EBUSY, "that something else in this process has");
	is(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_BUSY_HERE, "why");
	fclose(foreign);
	queue->open_now = 0;
	sva_close(sva);
}

/* An unbind must wait for what is in flight, and only that of its bond's last reference does. */
static void unbind_waits(void)
{
	struct sva_bond *bond, *same;
	struct sva_op op;

	begin(true, "write");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	sva_bind(sva, "wq0.0", 0, &same);
	queue->mode = KERNEL_HELD;
	memset(to, 0, BYTES);
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_bond_submit(bond, &op), 0, "submit");
	sva_unbind(same);
	is_rc(sva_op_result(&op)->error, -EINPROGRESS,
	   "a reference that is not the last waits for nothing");
	kernel_run(queue, 1);
	sva_unbind(bond);
	ok(!memcmp(to, from, BYTES), "the last one waits until the device is done");
	is(sva_poll(&op), 1, "the operation ends when it is polled next");
	is(queue->open_now, 0, "and the queue is closed");
	sva_close(sva);
}

/* ------------------------------------------------------------------ records that never come */

static void silence(bool dedicated)
{
	struct sva_bond *bond, *fresh;
	struct sva_op ops[3];

	begin(dedicated, "write");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	queue->mode = KERNEL_HELD;
	memset(to, 0, BYTES);
	for (int i = 0; i < 3; i++) {
		sva_prep_memcpy(&ops[i], to + i * 1000, from, 1000);
		is_rc(sva_bond_submit(bond, &ops[i]), 0, "submit");
	}
	is_rc(sva_wait(&ops[0], 1000000), -ETIME, "a short wait");
	is_rc(sva_op_result(&ops[0])->error, -EINPROGRESS, "leaves it pending");
	is(sva_bond_path(bond), SVA_PATH_WRITE, "the bond is alive");
	is_rc(sva_wait(&ops[0], -1), -EIO, "the record never comes");
	is(sva_op_result(&ops[0])->reason, SVA_REASON_RETIRED, "why");
	is(queue->open_now, 0, "the queue was closed");
	is_rc(sva_poll(&ops[1]), -EIO, "everything on it ends so");
	sva_op_retire(&ops[2]);
	is_rc(sva_op_result(&ops[2])->error, -EIO, "also by retiring");
	is_rc(sva_bond_path(bond), -EIO, "the bond is retired");
	sva_prep_memcpy(&ops[0], to, from, 1000);
	is_rc(sva_bond_submit(bond, &ops[0]), -EIO, "and takes nothing");
	is_rc(sva_bond_pasid(bond, &(uint32_t){ 0 }), -EIO, "and says nothing");
	is(kernel_run(queue, 100), 0, "the device has nothing any more");
	for (int i = 0; i < 3000; i++)
		if (to[i])
			ok(false, "byte %d was written afterwards", i);
	queue->mode = KERNEL_AT_ONCE;
	is_rc(sva_bind(sva, "wq0.0", 0, &fresh), 0, "bind again");
	ok(fresh != bond, "gives another bond");
	ok(copy_works(fresh), "which works");
	sva_unbind(bond);
	sva_unbind(fresh);
	sva_close(sva);
	is(queue->open_now, 0, "nothing stays open");
}

static void set_long_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 5000;
}

/* Polling alone gives a silent queue up, too: after the record timeout, and not before. */
static void polled_silence(void)
{
	struct sva_bond *bond;
	unsigned int polls = 0;
	struct sva_op op;
	uint64_t before;
	int rc = 0;

	begin(false, "write");
	sva_close(sva);
	sva = rig_open_opts("write", set_long_timeout);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind, with a record timeout of 5 s");
	queue->mode = KERNEL_HELD;
	sva_prep_memcpy(&op, to, from, 1000);
	is_rc(sva_bond_submit(bond, &op), 0, "submit to a device that stays silent");
	for (before = rig_now_ms(); !rc && (rig_now_ms() - before < 100 || polls < 10000); polls++)
		rc = sva_poll(&op);
	is(rc, 0,
	   "an operation that is polled for a fiftieth of the record timeout is pending still");
	is(sva_bond_path(bond), SVA_PATH_WRITE, "and its queue is not given up");
	kernel_run(queue, 1);
	is(sva_poll(&op), 1, "when the record comes the operation ends well");
	sva_unbind(bond);
	sva_close(sva);

	begin(false, "write");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind, with a record timeout of 60 ms");
	queue->mode = KERNEL_HELD;
	sva_prep_memcpy(&op, to, from, 1000);
	is_rc(sva_bond_submit(bond, &op), 0, "submit to a device that stays silent");
	for (before = rig_now_ms(); !(rc = sva_poll(&op)) && rig_now_ms() - before < 20000;)
		;
	is_rc(rc, -EIO, "polled for longer than the record timeout, the operation fails");
	ok(rig_now_ms() - before >= 60, "after no less than the record timeout");
	is_rc(sva_bond_path(bond), -EIO, "and its queue is given up");
	sva_unbind(bond);
	sva_close(sva);
}

/* The drain at the end brings the record after all. */
static void late_record(void)
{
	struct sva_bond *bond;
	struct sva_op op;

	begin(false, "write");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	queue->mode = KERNEL_HELD;
	queue->close_executes = true;
	memset(to, 0, BYTES);
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_bond_submit(bond, &op), 0, "submit");
	is_rc(sva_wait(&op, -1), 0, "a record that comes while the queue is closed counts");
	ok(!memcmp(to, from, BYTES), "and the bytes are there");
	is_rc(sva_bond_path(bond), -EIO, "the bond is retired all the same");
	sva_unbind(bond);
	sva_close(sva);
}

/* Calls whose queue falls silent fail once; the next ones do without it. */
static void calls_after_silence(void)
{
	begin(true, "write,cpu");
	memset(from, 0x31, BYTES);
	for (int i = 0; i < 3; i++)
		is_rc(sva_memcpy(sva, to, from, BYTES), 0, "calls on the queue");
	is(sva_last_result()->path, SVA_PATH_WRITE, "by write");
	queue->swallow = 1000;
	is_rc(sva_memcpy(sva, to, from, BYTES), -EIO, "a call whose record never comes");
	is(sva_last_result()->reason, SVA_REASON_RETIRED, "why");
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "the next call");
	is(sva_last_result()->path, SVA_PATH_CPU, "goes to the CPU");
	is(sva_last_result()->reason, SVA_REASON_RETIRED, "why");
	is_rc(sva_memfill(sva, to, 1, BYTES), 0, "a fill, too");
	is(sva_explain(sva, SVA_PATH_CPU, NULL, 0), SVA_REASON_OK, "the CPU is usable");
	queue->swallow = 0;
	sva_close(sva);
	sva = rig_open_opts("write,cpu", set_timeout);
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "a context opened later");
	is(sva_last_result()->path, SVA_PATH_WRITE, "uses the queue again");
	sva_close(sva);
}

int main(void)
{
	rig_begin();
	from = rig_pages(BYTES / RIG_PAGE);
	to = rig_pages(BYTES / RIG_PAGE);
	setenv("SVA_THRESHOLD", "1", 1);
	open_fails();
	portal_refused(false);
	portal_refused(true);
	write_refused();
	arguments();
	trust();
	references();
	portal_is_unmapped(false);
	portal_is_unmapped(true);
	busy();
	unbind_waits();
	silence(false);
	silence(true);
	polled_silence();
	late_record();
	calls_after_silence();
	return done();
}
