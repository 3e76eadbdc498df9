/* SPDX-License-Identifier: MIT */
/*
 * sva_submit_many() on mapped portals (doorbell.h): one batch descriptor and one doorbell for
 * several independent operations; its descriptors byte by byte; batches that the device refuses,
 * cannot read, or ends late; faults and errors of single operations; and the credit of a dedicated
 * queue.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/machine.h"
#include "lib/run/group.h"
#include "tap.h"
#include "unit/doorbell.h"
#include "unit/load.h"
#include "unit/rig.h"

#define KEYS "max-transfer=4096 op-cap=0x1003f07ff gen-cap=0x40915f010f "

static struct sva_op more[MANY];

/* The bond, and what this thread has of it. */
static struct sva_bond *bond;

static struct sva_thread *share(void)
{
	return sva_tls.current;
}

/* A queue that has taken one operation; from then on it holds what it takes. */
static void begin_queue(bool dedicated, unsigned int entries, const char *keys,
			void (*change)(struct sva_opts *opts))
{
	char line[200];

	kernel_begin();
	kernel_cpu = SVA_CPU_MOVDIR64B | SVA_CPU_ENQCMD;
	snprintf(line, sizeof(line), KEYS "%s", keys);
	queue = kernel_add("wq0.0", dedicated, entries, line);
	queue->rings = true;
	queue->profile = sva_model_dsa2;
	queue->profile.max_batch = 1024;
	sva = rig_open_opts(dedicated ? "movdir64b" : "enqcmd", change);
	load_prepare(1);
	if (sva_submit(sva, &ops[0]) || load_finish(1) != 1)
		ok(false, "the first operation, which opens the queue");
	bond = share()->leases[0]->bond;
	queue->mode = KERNEL_HELD;
	queue->taken = 0;
}

static void begin(bool dedicated, unsigned int entries, const char *keys)
{
	begin_queue(dedicated, entries, keys, load_timeout);
}

static const struct sva_desc *held(unsigned int i)
{
	return &queue->ring[(queue->head + i) % KERNEL_RING];
}

static const struct sva_desc *listed(void)
{
	return (const struct sva_desc *)(uintptr_t)held(0)->src;
}

static unsigned int opcode_of(unsigned int i)
{
	return queue->log[i] >> 24;
}

/* ------------------------------------------------------------------ how they are divided */

/* sizes: of the batches, 1 for an operation alone; 0 ends them. */
static void divided(const char *keys, unsigned int n, const unsigned int *sizes)
{
	unsigned int bad = 0, i;

	begin(false, 128, keys);
	subject("%s, %u operations", keys, n);
	load_prepare(n);
	is(sva_submit_many(sva, list, n), n, "all are taken");
	for (i = 0; sizes[i]; i++)
		bad += sizes[i] == 1 ? opcode_of(i) != SVA_OPCODE_MEMMOVE :
				       opcode_of(i) != SVA_OPCODE_BATCH ||
					       queue->sizes[i] != sizes[i];
	is(queue->taken, i, "number of descriptors");
	is(bad, 0, "the descriptors have the sizes that they should");
	kernel_run(queue, n);
	is(load_finish(n), n, "all are done");
	ok(!share()->groups, "no group is in use afterwards");
	sva_close(sva);
}

static void numbers(void)
{
	unsigned int wrong = 0;

	begin(false, 128, "max-batch=1024");
	for (unsigned int n = 2; n <= 64; n++) {
		load_prepare(n);
		queue->taken = 0;
		share()->ticks = 1000;
		wrong += sva_submit_many(sva, list, n) != (int)n || queue->taken != 1 ||
			 opcode_of(0) != SVA_OPCODE_BATCH || queue->sizes[0] != n;
		kernel_run(queue, 1);
		wrong += load_finish(n) != n;
	}
	is(wrong, 0, "2 to 64 operations: each time one batch descriptor, and all are done");
	load_prepare(1);
	queue->taken = 0;
	share()->ticks = 1000;
	is(sva_submit_many(sva, list, 1), 1, "one operation is submitted");
	is(opcode_of(0), SVA_OPCODE_MEMMOVE, "as itself");
	kernel_run(queue, 1);
	is(load_finish(1), 1, "one operation is done");
	is_rc(sva_submit_many(sva, list, 0), 0, "no operation is submitted");
	is_rc(sva_submit_many(sva, NULL, 2), -EINVAL, "two operations, the list is null");
	sva_close(sva);
	divided("max-batch=1024", 65, (unsigned int[]){ 64, 1, 0 });
	divided("max-batch=1024", 100, (unsigned int[]){ 64, 36, 0 });
	divided("max-batch=32", 70, (unsigned int[]){ 32, 32, 6, 0 });
	divided("max-batch=8", 17, (unsigned int[]){ 8, 8, 1, 0 });
	divided("max-batch=2", 5, (unsigned int[]){ 2, 2, 1, 0 });
	divided("max-batch=1", 3, (unsigned int[]){ 1, 1, 1, 0 });
}

/* A program that only submits in groups has its choice of queues refreshed all the same. */
static void refreshed(void)
{
	begin(false, 128, "max-batch=64");
	subject("a program that submits only in groups");
	share()->ticks = 5;
	for (unsigned int i = 0; i < 3; i++) {
		load_prepare(4);
		sva_submit_many(sva, list, 4);
		kernel_run(queue, 4);
		load_finish(4);
	}
	ok(share()->ticks > 100, "the order of its queues is made anew from time to time");
	sva_close(sva);
}

/* ------------------------------------------------------------------ descriptors */

#define READS  (SVA_DESC_CRAV | SVA_DESC_RCR)
#define WRITES (READS | SVA_DESC_CC)

static void descriptors(void)
{
	static const uint32_t flags[] = { WRITES, WRITES, READS, READS, READS,
					  WRITES, WRITES, WRITES,
					  READS | SVA_DESC_STORD, READS | SVA_DESC_CR };
	struct sva_desc before[10];
	unsigned int bad = 0;

	begin(true, 16, "max-batch=64");
	subject("a group of ten");
	load_prepare(10);
	sva_prep_memfill(&ops[1], to + 100, 0x1122334455667788, 90);
	sva_prep_compare(&ops[2], from, from, 64);
	sva_prep_compare_pattern(&ops[3], to, 0, 64);
	sva_prep_crc(&ops[4], from, 300, 7, 0);
	sva_prep_copy_crc(&ops[5], to + 2048, from + 64, 200, 9, 0);
	sva_prep_dualcast(&ops[6], to + 4096, to + 8192, from, 128);
	sva_prep_create_delta(&ops[7], from, from + 4096, 64, to + 12288, 800);
	ops[8].flags = SVA_OP_NO_CACHE | SVA_OP_STRICT_ORDER;
	sva_prep_compare(&ops[9], from, from, 64);
	ops[9].flags = SVA_OP_CHECK;
	for (unsigned int i = 0; i < 10; i++)
		before[i] = ops[i].desc;
	is(sva_submit_many(sva, list, 10), 10, "all are taken");
	is(queue->held, 1, "the device has one descriptor");
	is(held(0)->flags_opcode, (uint32_t)SVA_OPCODE_BATCH << 24 | READS,
	   "the batch has its opcode, and asks for a record");
	is(held(0)->size, 10, "the batch has the number of its descriptors");
	ok(!held(0)->pasid_priv && !held(0)->dst && !held(0)->int_handle && !held(0)->reserved &&
		   !memcmp(&held(0)->op, &(union sva_desc_specific){ { 0 } }, 24),
	   "every other field of the batch is zero");
	ok(held(0)->src % 64 == 0 && held(0)->completion_addr % 32 == 0,
	   "its list and its record are aligned");
	for (unsigned int i = 0; i < 10; i++) {
		struct sva_desc want = before[i];

		want.flags_opcode |= flags[i];
		want.completion_addr = (uint64_t)(uintptr_t)&ops[i].comp;
		if (memcmp(&want, &listed()[i], sizeof(want))) {
			printf("# descriptor %u: %#x, want %#x\n", i, listed()[i].flags_opcode,
			       want.flags_opcode);
			bad++;
		}
	}
	is(bad, 0, "each of its descriptors is right, byte by byte");
	kernel_run(queue, 1);
	for (unsigned int i = 0; i < 10; i++)
		bad += sva_poll(&ops[i]) != 1;
	is(bad, 0, "all ten end well");
	ok(sva_op_result(&ops[2])->result == 0 && sva_op_result(&ops[7])->result == 1 &&
		   sva_op_result(&ops[7])->value > 0 && sva_op_result(&ops[4])->value,
	   "comparison, delta and CRC have their results");
	ok(!memcmp(to + 4096, from, 128) && !memcmp(to + 8192, from, 128) && to[100] == 0x88 &&
		   !memcmp(to + 2048, from + 64, 200) &&
		   sva_op_result(&ops[5])->value != sva_op_result(&ops[4])->value,
	   "dualcast, fill and copy have written their bytes");
	is_path(sva_op_result(&ops[3])->path, SVA_PATH_MOVDIR64B, "the path of an operation");
	is(load_free_credits(bond), 16, "the queue's credits are all back");
	sva_close(sva);
}

/* ------------------------------------------------------------------ batches that fail */

static void refused(void)
{
	unsigned int one = 0;

	begin(true, 128, "max-batch=64");
	subject("the device refuses batches");
	queue->profile.op_cap[0] &= ~(1ull << SVA_OPCODE_BATCH);
	load_prepare(10);
	is(sva_submit_many(sva, list, 10), 10, "ten operations are submitted");
	is(queue->taken, 1, "as one batch");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 1);
	is(load_finish(10), 10, "all ten are done");
	is(queue->taken, 11, "each went alone afterwards");
	for (unsigned int i = 0; i < 10; i++)
		one += sva_op_result(&ops[i])->chunks == 1 && !sva_op_result(&ops[i])->faults;
	is(one, 10, "the result of each has one descriptor");
	ok(!share()->groups, "no group is in use");
	load_prepare(10);
	queue->taken = 0;
	is(sva_submit_many(sva, list, 10), 10, "ten more are submitted");
	ok(queue->taken == 10 && opcode_of(0) == SVA_OPCODE_MEMMOVE, "no batch is tried again");
	is(load_finish(10), 10, "all ten are done");
	is(load_free_credits(bond), 128, "the queue's credits are all back");
	sva_close(sva);
}

/* The device cannot read the list, or only its first page. */
static void unreadable(void)
{
	const struct sva_group *group;
	uintptr_t list_at, page;

	begin(true, 128, "max-batch=64");
	load_prepare(64);
	sva_submit_many(sva, list, 64);
	group = share()->groups;
	list_at = (uintptr_t)group->list;
	page = (list_at + RIG_PAGE - 1) / RIG_PAGE * RIG_PAGE;
	for (int part = 0; part < 2; part++) {
		if (part) {
			load_prepare(64);
			sva_submit_many(sva, list, 64);
		}
		subject("the device can read %s of a group's list", part ? "a part" : "nothing");
		ok(share()->groups == group && listed() == group->list, "the list is known");
		kernel_absent(part ? (void *)page : group->list,
			      part ? 64 : sizeof(group->list));
		kernel_run(queue, 1);
		is(group->comp.status & SVA_STATUS_MASK, SVA_STATUS_BATCH_PAGE_FAULT,
		   "the batch ends with a page fault");
		queue->mode = KERNEL_AT_ONCE;
		queue->taken = 0;
		is(load_finish(64), 64, "all operations are done");
		is(queue->taken, part ? (list_at + 4096 - page) / 64 : 64,
		   "those without a record went alone");
		ok(!share()->groups && load_free_credits(bond) == 128,
		   "no group is in use, and all credits are back");
		kernel_present();
		queue->mode = KERNEL_HELD;
		ok(sva_caps_has_batch(bond), "the queue counts as one that takes batches");
	}
	sva_close(sva);
}

/* Entries that meet a fault or an error do so alone. */
static void single_faults(void)
{
	begin(true, 128, "max-batch=64");
	subject("a group of five with a page fault");
	load_prepare(5);
	sva_prep_memcpy(&ops[2], to + 8192, from + 8192, 4096);
	kernel_absent(to + 8192, 4096);
	is(sva_submit_many(sva, list, 5), 5, "all are taken");
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 1);
	is_rc(sva_wait(&ops[2], -1), 0, "wait for that operation");
	ok(sva_op_result(&ops[2])->faults == 1 && sva_op_result(&ops[2])->chunks == 2 &&
		   !memcmp(to + 8192, from + 8192, 4096),
	   "it was resumed after one fault");
	is(queue->taken, 2, "the device got one descriptor more");
	for (unsigned int i = 0; i < 5; i++)
		if (i != 2)
			is(sva_poll(&ops[i]), 1, "another one has ended well");

	subject("a group of five with an error");
	queue->mode = KERNEL_HELD;
	load_prepare(5);
	ops[3].desc.reserved = 1;
	sva_prep_memcpy(&ops[1], to, NULL, 0);
	sva_submit_many(sva, list, 5);
	kernel_run(queue, 9);
	is(sva_poll(&ops[1]), 1, "one without bytes, which is no part of the group, ends well");
	is_rc(sva_poll(&ops[3]), -EINVAL, "the one with a reserved field fails");
	is(sva_op_result(&ops[3])->status, SVA_STATUS_RESERVED_FIELD, "its result has the status");
	ok(sva_poll(&ops[0]) == 1 && sva_poll(&ops[2]) == 1 && sva_poll(&ops[4]) == 1,
	   "the others end well");
	is(load_free_credits(bond), 128, "the queue's credits are all back");
	sva_close(sva);
}

/* ------------------------------------------------------------------ a batch that ends late */

static atomic_bool closed;

static void *close_context(void *arg)
{
	(void)arg;
	sva_close(sva);
	atomic_store(&closed, true);
	return NULL;
}

static void late_records(void)
{
	const struct sva_group *first;
	pthread_t closer;

	begin_queue(true, 16, "max-batch=64", NULL);
	subject("the record of a batch comes late");
	queue->late_batches = true;
	load_prepare(3);
	sva_submit_many(sva, list, 3);
	first = share()->groups;
	kernel_run(queue, 1);
	is(load_finish(3), 3, "its operations end");
	ok(share()->groups == first, "the group stays in use");
	is(load_free_credits(bond), 15, "its credit is not back");
	load_prepare(3);
	sva_submit_many(sva, list, 3);
	ok(share()->groups != first && share()->groups->next == first,
	   "the next group does not use its memory");
	ok(kernel_publish(queue), "the record comes");
	kernel_run(queue, 1);
	is(load_finish(3), 3, "the operations of the next group end");
	ok(share()->groups && share()->groups != first && !share()->groups->next &&
		   share()->free_groups == first,
	   "the first group is free then, the next one is in use");
	is(load_free_credits(bond), 15, "one credit of two is back");

	atomic_store(&closed, false);
	pthread_create(&closer, NULL, close_context, NULL);
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	ok(!atomic_load(&closed), "sva_close() by another thread waits for the record");
	is(queue->open_now, 1, "the queue is open meanwhile");
	kernel_publish(queue);
	pthread_join(closer, NULL);
	is(queue->open_now, 0, "sva_close() returns when the record is there");
}

/* Two contexts share a queue: what the one had of it comes back when it is closed. */
static void late_and_closed(void)
{
	struct sva *other;
	struct sva_bond *handle;

	begin_queue(true, 4, "max-batch=64", NULL);
	subject("a context is closed while the record of its batch is late");
	other = rig_open("movdir64b", 0);
	is_rc(sva_bind(other, "wq0.0", 0, &handle), 0, "another context has the queue, too");
	ok(handle == bond, "it is the same bond");
	queue->late_batches = true;
	load_prepare(3);
	sva_submit_many(sva, list, 3);
	kernel_run(queue, 1);
	is(load_finish(3), 3, "its operations end");
	kernel_publish(queue);
	sva_close(sva);
	is(load_free_credits(bond), 4, "all credits are back");
	sva_unbind(handle);
	sva_close(other);
}

/* ------------------------------------------------------------------ the credit of the batch */

static void *poll_all(void *arg)
{
	unsigned int bad = 0;

	(void)arg;
	for (unsigned int i = 0; i < 5; i++)
		bad += sva_poll(&ops[i]) != 1;
	return (void *)(uintptr_t)bad;
}

static void *copy_in_thread(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)sva_memcpy(sva, to + 60000, from + 60000, 100);
}

static void credits(void)
{
	begin_queue(true, 2, "max-batch=64", NULL);
	subject("a group on a dedicated queue of two");
	load_prepare(5);
	sva_submit_many(sva, list, 5);
	is(load_free_credits(bond) + queue->held, 2,
	   "each descriptor that the device has took one credit");
	kernel_run(queue, 2);
	is(load_in_thread(poll_all), 0, "another thread polls its operations");
	is(load_free_credits(bond), 2, "all credits are back");
	ok(!share()->groups, "no group is in use");

	subject("a group that its owner does not poll");
	for (unsigned int i = 0; i < 4; i++) {
		load_prepare(5);
		queue->mode = KERNEL_HELD;
		if (sva_submit_many(sva, list, 5) != 5)
			ok(false, "round %u: five operations are submitted", i);
		sva_prep_memcpy(&more[0], to + 50000, from + 50000, 100);
		if (sva_submit(sva, &more[0]))
			ok(false, "round %u: a single operation is submitted", i);
		queue->mode = KERNEL_AT_ONCE;
		kernel_run(queue, 2);
		is(load_in_thread(copy_in_thread), 0, "another thread copies on the same queue");
		is(load_finish(5), 5, "the owner polls its operations afterwards");
		is(sva_poll(&more[0]), 1, "and the single one");
		is(load_free_credits(bond), 2, "all credits are back");
	}
	is(queue->dropped, 0, "the device has dropped no descriptor");
	sva_close(sva);
}

/* ------------------------------------------------------------------ bad lists, full queues */

static void bad_lists(void)
{
	static char memory[sizeof(struct sva_op) + 64] __attribute__((aligned(64)));
	struct sva_op *three[3] = { &ops[0], &ops[1], &ops[0] };
	struct sva_op before;

	begin(true, 16, "max-batch=64");
	subject("an operation that is listed twice");
	load_prepare(2);
	is(sva_submit_many(sva, three, 3), 2, "those before the second time are submitted");
	is_rc(sva_submit_many(sva, three + 2, 1), -EBUSY, "the second time");
	kernel_run(queue, 2);
	is(load_finish(2), 2, "both are done");
	load_prepare(1);
	three[1] = three[0];
	is(sva_submit_many(sva, three, 2), 1, "twice and no other: it is submitted once");
	kernel_run(queue, 2);
	is(load_finish(1), 1, "twice and no other: it is done");
	for (int bad = 0; bad < 2; bad++) {
		subject("a list with a %s pointer", bad ? "misaligned" : "null");
		load_prepare(3);
		list[2] = bad ? (struct sva_op *)(void *)(memory + 16) : NULL;
		is(sva_submit_many(sva, list, 3), 2, "those before it are submitted");
		is_rc(sva_submit_many(sva, list + 2, 1), -EINVAL, "it is refused");
		kernel_run(queue, 2);
		is(load_finish(2), 2, "those before it are done");
	}
	sva_close(sva);

	begin(false, 1, "max-batch=64");
	subject("the queue is full");
	load_prepare(100);
	is(sva_submit_many(sva, list, 100), 64, "room for one descriptor: one batch is taken");
	before = ops[64];
	is_rc(sva_submit_many(sva, list + 64, 36), -EAGAIN, "no room for the others");
	ok(!memcmp(&before, &ops[64], offsetof(struct sva_op, opaque)) &&
		   ops[65].state == SVA_OP_PREPARED,
	   "those that were refused are as they were prepared");
	kernel_run(queue, 1);
	is(sva_submit_many(sva, list + 64, 36), 36, "they are submitted when there is room");
	kernel_run(queue, 1);
	is(load_finish(100), 100, "all are done");
	sva_close(sva);
}

/* ------------------------------------------------------------------ forks, retired queues */

static int in_child(void *arg)
{
	struct sva_op *done[8];
	unsigned int bad = 0;

	(void)arg;
	for (unsigned int i = 0; i < 5; i++) {
		bad += sva_poll(&ops[i]) != -ESTALE;
		bad += sva_wait(&ops[i], -1) != -ESTALE;
		bad += sva_op_result(&ops[i])->error != -EINPROGRESS;
	}
	bad += sva_reap(sva, done, 8) != -ESTALE;
	bad += sva_submit_many(sva, list, 5) != -ESTALE;
	sva_close(sva);
	return (int)bad;
}

static void forks(void)
{
	begin(true, 16, "max-batch=64");
	subject("a fork while a group is in flight");
	load_prepare(5);
	sva_submit_many(sva, list, 5);
	is(rig_in_child(in_child, NULL), 0, "the child gets -ESTALE for each operation");
	kernel_run(queue, 1);
	is(rig_in_child(in_child, NULL), 0, "also when its record is there");
	is(load_finish(5), 5, "the parent ends them");
	sva_close(sva);
}

static void retired(bool dedicated)
{
	unsigned int lost = 0;
	uint64_t start;

	begin(dedicated, 16, "max-batch=64");
	subject("a group on a %s queue that stays silent", dedicated ? "dedicated" : "shared");
	load_prepare(5);
	sva_submit_many(sva, list, 5);
	start = rig_now_ms();
	for (unsigned int i = 0; i < 5; i++)
		lost += sva_wait(&ops[i], -1) == -EIO &&
			sva_op_result(&ops[i])->reason == SVA_REASON_RETIRED;
	is(lost, 5, "each operation ends with -EIO, and the reason is that it was retired");
	ok(rig_now_ms() - start >= 200, "not before the record timeout");
	is(queue->open_now, 0, "the queue is closed");
	ok(!share()->groups && share()->free_groups, "the group is not in use any more");
	load_prepare(5);
	ok(sva_submit_many(sva, list, 5) < 0, "nothing more is submitted");
	sva_close(sva);
}

static void reaped(void)
{
	struct sva_op *done[MANY];

	begin(true, 16, "max-batch=64");
	subject("two groups are reaped");
	load_prepare(100);
	sva_submit_many(sva, list, 100);
	kernel_run(queue, 1);
	is(sva_reap(sva, done, MANY), 64, "the operations of the first, which has ended");
	ok(done[0] == &ops[0] && done[63] == &ops[63], "in their order");
	kernel_run(queue, 1);
	is(sva_reap(sva, done, MANY), 36, "those of the second");
	ok(!share()->groups && load_free_credits(bond) == 16,
	   "no group is in use, all credits are back");
	sva_close(sva);
}

int main(void)
{
	rig_begin();
	doorbell_begin();
	load_init();
	numbers();
	refreshed();
	descriptors();
	refused();
	unreadable();
	single_faults();
	late_records();
	late_and_closed();
	credits();
	bad_lists();
	forks();
	retired(true);
	retired(false);
	reaped();
	return done();
}
