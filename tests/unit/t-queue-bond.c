/* SPDX-License-Identifier: MIT */
/*
 * Binding queues, on a kernel that this test plays (kernel.h): each errno with which a call fails
 * and the path that is tried instead; one bond for each queue and process; a device that stops
 * writing records.
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

	return sva_queue_describe(sva, 0, 0, &info) ? -1 : (int)info.reasons[path];
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
		subject("open fails with \"%s\"", strerror(cases[i].err));
		kernel_fail(KERNEL_OPEN, cases[i].err, 1000);
		is_rc(sva_bind(sva, "wq0.0", 0, &bond), cases[i].want, "sva_bind()");
		ok(bond == (void *)1, "the handle is not changed");
		is_reason(sva_explain(sva, SVA_PATH_WRITE, text, sizeof(text)), cases[i].reason,
			  "sva_explain() gives the reason");
		is_str(text, sva_reason_text(cases[i].reason),
		       "sva_explain() gives the text of the reason");
		is_rc(sva_memcpy(sva, to, from, BYTES), -ENODEV,
		      "a copy, no other path is permitted");
		is_reason(sva_last_result()->reason, cases[i].reason,
			  "the call's result has the reason");
		kernel_fail(KERNEL_OPEN, 0, 0);
		is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind when open works again");
		ok(copy_works(bond), "a copy on that bond works");
		sva_unbind(bond);
		bond = (void *)1;
		sva_close(sva);
		is(queue->open_now, 0, "the queue is not left open");
	}
	begin(false, "write");
	subject("open fails with EINTR three times");
	kernel_fail(KERNEL_OPEN, EINTR, 3);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "it is repeated, and the bind works");
	sva_unbind(bond);
	sva_close(sva);
}

/* The kernel maps portals only for processes with a capability; write(2) needs none. */
static void portal_refused(bool dedicated)
{
	int portal = dedicated ? SVA_PATH_MOVDIR64B : SVA_PATH_ENQCMD,
	    other = dedicated ? SVA_PATH_ENQCMD : SVA_PATH_MOVDIR64B;
	const char *mode = dedicated ? "dedicated" : "shared";
	struct sva_bond *bond;

	begin(dedicated, NULL);
	subject("%s queue, a CPU without the instructions", mode);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	is(queue->mmaps, 0, "the library does not map the portal");
	is_path(sva_bond_path(bond), SVA_PATH_WRITE, "sva_bond_path() gives the path");
	is_reason(reason_of(portal), dedicated ? SVA_REASON_NO_MOVDIR64B : SVA_REASON_NO_ENQCMD,
	   "sva_queue_describe() gives the reason");
	is_reason(reason_of(other), SVA_REASON_WRONG_MODE,
		  "sva_queue_describe() gives the reason");
	sva_unbind(bond);
	sva_close(sva);

	begin(dedicated, NULL);
	kernel_cpu = SVA_CPU_ENQCMD | SVA_CPU_MOVDIR64B;
	subject("%s queue, mmap fails with EPERM", mode);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	ok(queue->mmaps > 0, "the library has tried to map the portal");
	is_path(sva_bond_path(bond), SVA_PATH_WRITE, "sva_bond_path() gives the path");
	ok(queue->taken == 1 && queue->log[0] >> 24 == SVA_OPCODE_NOOP,
	   "write(2) was tried with one no-op");
	is_reason(sva_explain(sva, portal, NULL, 0), SVA_REASON_NEED_RAWIO,
		  "sva_explain() gives the reason");
	is_reason(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_OK,
		  "sva_explain() gives the reason");
	ok(copy_works(bond), "a copy on the bond works");
	sva_unbind(bond);
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "sva_memcpy()");
	is_path(sva_last_result()->path, SVA_PATH_WRITE, "the call's result has the path");
	is_reason(sva_last_result()->reason, SVA_REASON_NEED_RAWIO,
		  "the call's result has the reason");
	sva_close(sva);

	begin(dedicated, dedicated ? "movdir64b" : "enqcmd");
	kernel_cpu = SVA_CPU_ENQCMD | SVA_CPU_MOVDIR64B;
	subject("%s queue, mmap fails", mode);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EACCES, "EPERM, only the portal is permitted");
	sva_close(sva);
	sva = rig_open(dedicated ? "enqcmd" : "movdir64b", 0);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EACCES,
	   "only the path of the other kind of queue is permitted");
	is(queue->open_now, 0, "the queue is not left open");
	sva_close(sva);
	sva = rig_open(dedicated ? "movdir64b" : "enqcmd", 0);
	kernel_fail(KERNEL_MMAP, ENODEV, 1000);
	ok(sva_bind(sva, "wq0.0", 0, &bond) < 0, "ENODEV, the bind fails");
	is_reason(sva_explain(sva, portal, NULL, 0), SVA_REASON_MAP_FAILED,
		  "sva_explain() gives the reason");
	is(queue->open_now, 0, "the queue is not left open after ENODEV");
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
		subject("write fails with \"%s\"", strerror(cases[i].err));
		kernel_fail(KERNEL_WRITE, cases[i].err, 1000);
		is_rc(sva_bind(sva, "wq0.0", 0, &bond), cases[i].want, "sva_bind()");
		is_reason(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), cases[i].reason,
			  "sva_explain() gives the reason");
		is(queue->open_now, 0, "the queue is not left open");
		is_rc(sva_memcpy(sva, to, from, BYTES), 0, "a copy takes the next path");
		is_path(sva_last_result()->path, SVA_PATH_SOFT, "the call's result has the path");
		is_reason(sva_last_result()->reason, cases[i].reason,
			  "the call's result has the reason");
		sva_close(sva);
	}
	begin(false, "write");
	subject("bind by write");
	kernel_fail(KERNEL_WRITE, EINTR, 3);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0,
	      "a write that was interrupted three times is repeated");
	sva_unbind(bond);
	queue->full_for = 3;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "a queue that is full for three writes");
	sva_unbind(bond);
	queue->full_for = 1000;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "a queue that stays full");
	queue->full_for = 0;
	ok(copy_works(bond), "a copy on that bond works when there is room again");
	sva_unbind(bond);
	queue->swallow = 1;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EIO, "a no-op whose record never comes");
	is(queue->open_now, 0, "the queue is not left open");
	sva_close(sva);
}

/* ------------------------------------------------------------------ names, flags, trust */

static void arguments(void)
{
	struct sva_bond *bond = NULL, *same;
	uint32_t pasid = 77;

	begin(false, "write");
	subject("arguments of sva_bind()");
	is_rc(sva_bind(sva, NULL, 0, &bond), -EINVAL, "no name");
	is_rc(sva_bind(sva, "wq0.0", 0, NULL), -EINVAL, "no pointer for the handle");
	for (unsigned int bit = 2; bit < 32; bit++)
		is_rc(sva_bind(sva, "wq0.0", 1u << bit, &bond), -EINVAL, "an unknown flag");
	is_rc(sva_bind(sva, "wq9.9", 0, &bond), -ENOENT, "an unknown queue");
	is_rc(sva_bind(sva, "dsa1/wq0.0", 0, &bond), -ENOENT, "the queue of another device");
	is_rc(sva_bind(sva, "", 0, &bond), -ENOENT, "an empty name");
	is_rc(sva_bind(sva, "soft", 0, &bond), -EACCES, "soft where that path is not permitted");
	ok(!bond, "no failed bind changes the handle");

	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "the name of the queue");
	is_rc(sva_bind(sva, "dsa0/wq0.0", 0, &same), 0, "the names of device and queue");
	ok(same == bond, "device and queue name the same bond");
	is_rc(sva_bind(sva, queue->node, 0, &same), 0, "the path of its node");
	ok(same == bond, "the path of its node names the same bond");
	is(queue->opens, 1, "three binds have opened the queue once");
	subject("other functions of a bond");
	is_rc(sva_bond_pasid(bond, &pasid), -ENODATA,
	      "the PASID of a kernel that does not disclose it");
	is(pasid, 77, "the PASID is then not changed");
	is_rc(sva_bond_pasid(NULL, &pasid), -EINVAL, "the PASID of no bond");
	is_rc(sva_bond_path(NULL), -EINVAL, "the path of no bond");
	is_rc(sva_bond_submit(NULL, NULL), -EINVAL, "submit to no bond");
	is_rc(sva_bond_submit(bond, NULL), -EINVAL, "submit to a bond without an operation");
	sva_unbind(NULL);
	for (int i = 0; i < 3; i++)
		sva_unbind(bond);
	is(queue->open_now, 0, "the queue is closed when its three references are released");
	sva_close(sva);

	subject("SVA_QUEUES without this queue");
	setenv("SVA_QUEUES", "wq1.1", 1);
	begin(false, "write");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EACCES, "sva_bind()");
	is_reason(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_QUEUE_EXCLUDED,
		  "sva_explain() gives the reason");
	sva_close(sva);
	begin(false, NULL);
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "sva_memcpy()");
	is_path(sva_last_result()->path, SVA_PATH_CPU, "the call's result has the path");
	is_reason(sva_last_result()->reason, SVA_REASON_QUEUE_EXCLUDED,
		  "the call's result has the reason");
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

/* Change what the plug-in has reported. */
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
		subject("bind to a device of trust %u, %s, flags %#x", cases[i].trust,
			cases[i].options == set_strict ? "SVA_OPEN_STRICT" :
			cases[i].options ? "SVA_OPEN_UNTRUSTED" : "no option", cases[i].flags);
		is_rc(err, cases[i].want, "sva_bind()");
		is(queue->opens, !err, err ? "its queue was not opened" : "its queue was opened");
		if (!err)
			sva_unbind(bond);
		sva_close(sva);
	}
	begin(false, "write");
	subject("a device that is not trusted");
	claim_trust(SVA_TRUST_NO);
	is_rc(sva_memcpy(sva, to, from, BYTES), -ENODEV, "sva_memcpy() has no path");
	is_reason(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_UNTRUSTED,
		  "sva_explain() gives the reason");
	is(queue->opens, 0, "its queue was never opened");
	sva_close(sva);
}

/* ---------------------------------------------------------- one bond for each queue and process */

static void references(void)
{
	struct sva *other;
	struct sva_bond *one, *two;

	begin(false, "write");
	other = rig_open("write", 0);
	subject("one queue in two contexts");
	is_rc(sva_bind(sva, "wq0.0", 0, &one), 0, "bind in the first context");
	is_rc(sva_bind(other, "wq0.0", 0, &two), 0, "bind in the second context");
	ok(one == two, "both have the same bond");
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "a copy of the first context");
	is_rc(sva_memcpy(other, to, from, BYTES), 0, "a copy of the second context");
	is(queue->opens, 1, "the queue was opened once in the process");
	sva_close(sva);
	ok(copy_works(one), "a handle works after its context was closed");
	sva_unbind(one);
	ok(copy_works(two), "the second handle works after the first was released");
	sva_unbind(two);
	is(queue->open_now, 1, "the second context keeps the queue open");
	sva_close(other);
	is(queue->open_now, 0, "the last sva_close() closes the queue");
	sva = rig_open("write", 0);
	is_rc(sva_bind(sva, "wq0.0", 0, &one), 0, "bind again");
	is(queue->opens, 2, "which opens the queue a second time");
	ok(copy_works(one), "a copy on that bond works");
	sva_unbind(one);
	sva_close(sva);
}

/*
 * The mapping holds the open file: as long as it exists the kernel does not end the process's work
 * on the queue.
 */
static void portal_is_unmapped(bool dedicated)
{
	struct sva_bond *bond, *same;

	begin(dedicated, dedicated ? "movdir64b" : "enqcmd");
	kernel_cpu = SVA_CPU_ENQCMD | SVA_CPU_MOVDIR64B;
	queue->maps = true;
	subject("portal of a %s queue", dedicated ? "dedicated" : "shared");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	is_rc(sva_bind(sva, "wq0.0", 0, &same), 0, "bind a second time");
	is(queue->mmaps, 1, "it is mapped once");
	sva_unbind(same);
	is(queue->munmaps, 0, "it stays mapped as long as there is a reference");
	sva_unbind(bond);
	is(queue->munmaps, 1, "the last sva_unbind() unmaps it");
	is(queue->open_now, 0, "the last sva_unbind() closes the queue");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind again");
	sva_bond_retire(bond);
	is(queue->munmaps, 2, "retiring the bond unmaps it");
	is(queue->open_now, 0, "retiring the bond closes the queue");
	sva_unbind(bond);
	is(queue->munmaps, 2, "it is not unmapped a second time");
	sva_close(sva);
}

/* The dedicated queue is in use by another process, or by another library in this one. */
static void busy(void)
{
	struct sva_bond *bond;
	FILE *foreign;

	begin(true, "write");
	queue->open_now = 1;
	subject("a dedicated queue in use by another process");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EBUSY, "sva_bind()");
	is_reason(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_BUSY,
		  "sva_explain() gives the reason");
	foreign = fopen(queue->node, "r");
	subject("a dedicated queue that this process has opened itself");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), -EBUSY, "sva_bind()");
	is_reason(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_BUSY_HERE,
		  "sva_explain() gives the reason");
	fclose(foreign);
	queue->open_now = 0;
	sva_close(sva);
}

/* The unbind of the last reference waits for work in flight; no other unbind does. */
static void unbind_waits(void)
{
	struct sva_bond *bond, *same;
	struct sva_op op;

	begin(true, "write");
	subject("sva_unbind() with work in flight");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	sva_bind(sva, "wq0.0", 0, &same);
	queue->mode = KERNEL_HELD;
	memset(to, 0, BYTES);
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_bond_submit(bond, &op), 0, "submit");
	sva_unbind(same);
	is_rc(sva_op_result(&op)->error, -EINPROGRESS,
	   "another reference is left: it does not wait, the operation stays pending");
	kernel_run(queue, 1);
	sva_unbind(bond);
	ok(!memcmp(to, from, BYTES), "the last reference: it waits until the device is done");
	is(sva_poll(&op), 1, "the operation ends with the next poll");
	is(queue->open_now, 0, "the queue is closed");
	sva_close(sva);
}

/* ------------------------------------------------------------------ records that do not come */

static void silence(bool dedicated)
{
	struct sva_bond *bond, *fresh;
	struct sva_op ops[3];

	begin(dedicated, "write");
	subject("%s queue, no record comes", dedicated ? "dedicated" : "shared");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	queue->mode = KERNEL_HELD;
	memset(to, 0, BYTES);
	for (int i = 0; i < 3; i++) {
		sva_prep_memcpy(&ops[i], to + i * 1000, from, 1000);
		is_rc(sva_bond_submit(bond, &ops[i]), 0, "submit");
	}
	is_rc(sva_wait(&ops[0], 1000000), -ETIME, "a wait shorter than the record timeout");
	is_rc(sva_op_result(&ops[0])->error, -EINPROGRESS, "the operation is still pending");
	is_path(sva_bond_path(bond), SVA_PATH_WRITE, "the bond is not retired");
	is_rc(sva_wait(&ops[0], -1), -EIO, "a wait without limit ends after the record timeout");
	is_reason(sva_op_result(&ops[0])->reason, SVA_REASON_RETIRED,
		  "the operation's result has the reason");
	is(queue->open_now, 0, "the queue was closed");
	is_rc(sva_poll(&ops[1]), -EIO, "another operation on it fails when polled");
	sva_op_retire(&ops[2]);
	is_rc(sva_op_result(&ops[2])->error, -EIO,
	      "a third operation on it fails when sva_op_retire() ends it");
	is_rc(sva_bond_path(bond), -EIO, "the bond is retired");
	sva_prep_memcpy(&ops[0], to, from, 1000);
	is_rc(sva_bond_submit(bond, &ops[0]), -EIO, "the retired bond takes no operation");
	is_rc(sva_bond_pasid(bond, &(uint32_t){ 0 }), -EIO, "the PASID of the retired bond");
	is(kernel_run(queue, 100), 0, "the device has no work of it left");
	for (int i = 0; i < 3000; i++)
		if (to[i])
			ok(false, "the device does not write byte %d afterwards", i);
	queue->mode = KERNEL_AT_ONCE;
	is_rc(sva_bind(sva, "wq0.0", 0, &fresh), 0, "bind again");
	ok(fresh != bond, "which gives another bond");
	ok(copy_works(fresh), "a copy on the new bond works");
	sva_unbind(bond);
	sva_unbind(fresh);
	sva_close(sva);
	is(queue->open_now, 0, "the queue is not left open");
}

static void set_long_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 5000;
}

/*
 * Polling, too, gives up a queue whose records do not come: after the record timeout, not before.
 */
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
	subject("record timeout of 5 s");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	queue->mode = KERNEL_HELD;
	sva_prep_memcpy(&op, to, from, 1000);
	is_rc(sva_bond_submit(bond, &op), 0, "submit to a device that writes no record");
	for (before = rig_now_ms(); !rc && (rig_now_ms() - before < 100 || polls < 10000); polls++)
		rc = sva_poll(&op);
	is(rc, 0,
	   "an operation that is polled for 100 ms is still pending");
	is_path(sva_bond_path(bond), SVA_PATH_WRITE, "its bond is not retired");
	kernel_run(queue, 1);
	is(sva_poll(&op), 1, "the operation succeeds when its record comes");
	sva_unbind(bond);
	sva_close(sva);

	begin(false, "write");
	subject("record timeout of 60 ms");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	queue->mode = KERNEL_HELD;
	sva_prep_memcpy(&op, to, from, 1000);
	is_rc(sva_bond_submit(bond, &op), 0, "submit to a device that writes no record");
	for (before = rig_now_ms(); !(rc = sva_poll(&op)) && rig_now_ms() - before < 20000;)
		;
	is_rc(rc, -EIO, "an operation that is polled for longer fails");
	ok(rig_now_ms() - before >= 60, "it does not fail before the record timeout");
	is_rc(sva_bond_path(bond), -EIO, "its bond is retired");
	sva_unbind(bond);
	sva_close(sva);
}

/* The driver drains the queue when it is closed, and the record comes then. */
static void late_record(void)
{
	struct sva_bond *bond;
	struct sva_op op;

	begin(false, "write");
	subject("a record that comes while its queue is closed");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	queue->mode = KERNEL_HELD;
	queue->close_executes = true;
	memset(to, 0, BYTES);
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_bond_submit(bond, &op), 0, "submit");
	is_rc(sva_wait(&op, -1), 0, "the wait for its operation succeeds");
	ok(!memcmp(to, from, BYTES), "the bytes were copied");
	is_rc(sva_bond_path(bond), -EIO, "the bond is retired nevertheless");
	sva_unbind(bond);
	sva_close(sva);
}

/* A call whose record does not come fails; the next calls do not use that queue. */
static void calls_after_silence(void)
{
	begin(true, "write,cpu");
	subject("synchronous calls when records stop coming");
	memset(from, 0x31, BYTES);
	for (int i = 0; i < 3; i++)
		is_rc(sva_memcpy(sva, to, from, BYTES), 0, "a copy on the queue");
	is_path(sva_last_result()->path, SVA_PATH_WRITE, "the call's result has the path");
	queue->swallow = 1000;
	is_rc(sva_memcpy(sva, to, from, BYTES), -EIO, "a copy whose record does not come");
	is_reason(sva_last_result()->reason, SVA_REASON_RETIRED,
		  "the call's result has the reason");
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "the next copy");
	is_path(sva_last_result()->path, SVA_PATH_CPU, "the next copy takes the path");
	is_reason(sva_last_result()->reason, SVA_REASON_RETIRED,
		  "the call's result has the reason");
	is_rc(sva_memfill(sva, to, 1, BYTES), 0, "a fill after it");
	is_reason(sva_explain(sva, SVA_PATH_CPU, NULL, 0), SVA_REASON_OK,
		  "sva_explain() of the CPU path");
	queue->swallow = 0;
	sva_close(sva);
	sva = rig_open_opts("write,cpu", set_timeout);
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "a copy in a context that is opened later");
	is_path(sva_last_result()->path, SVA_PATH_WRITE, "it takes the queue's path again");
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
