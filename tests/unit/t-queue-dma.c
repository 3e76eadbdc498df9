/* SPDX-License-Identifier: MIT */
/*
 * The dma path, with the sva_dma module played by the test (module.h): why it is not usable, calls,
 * errors, asynchronous work, the limit of pinned memory, and a program that closes the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <unistd.h>

#include "sva/dma.h"
#include "tap.h"
#include "unit/module.h"
#include "unit/words.h"

static void test_reasons(void)
{
	static const struct {
		int open_error, info_error;
		uint32_t version, channels, reason;
	} cases[] = {
		{ENOENT, 0, SVA_DMA_VERSION, 1, SVA_REASON_MODULE_ABSENT},
		{EACCES, 0, SVA_DMA_VERSION, 1, SVA_REASON_MODULE_PERMISSION},
		{0, ENOTTY, SVA_DMA_VERSION, 1, SVA_REASON_MODULE_FOREIGN},
		{0, EINVAL, SVA_DMA_VERSION, 1, SVA_REASON_MODULE_VERSION},
		{0, 0, SVA_DMA_VERSION + (1u << 16), 1, SVA_REASON_MODULE_VERSION},
		{0, 0, SVA_DMA_VERSION, 0, SVA_REASON_MODULE_NO_CHANNEL},
		{0, 0, SVA_DMA_VERSION, 1, SVA_REASON_OK},
	};
	char text[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		module_reset();
		module.open_error = cases[i].open_error;
		module.info_error = cases[i].info_error;
		module.version = cases[i].version;
		module.channels = cases[i].channels;
		subject("sva_explain() of dma, open: %s, INFO: %s, version %#x, %u channels",
			strerror(cases[i].open_error), strerror(cases[i].info_error),
			cases[i].version, cases[i].channels);
		is_reason(sva_explain(NULL, SVA_PATH_DMA, text, sizeof(text)), cases[i].reason,
			  "the reason");
	}
	subject("sva_explain() of dma");
	module_reset();
	module.major = 1;
	module.opens = 0;
	is_reason(sva_explain(NULL, SVA_PATH_DMA, text, sizeof(text)), SVA_REASON_MODULE_FOREIGN,
	   "another device is named /dev/sva_dma");
	is(module.opens, 0, "that device is not opened");
	module_reset();
	module.open_error = ENOENT;
	sva_explain(NULL, SVA_PATH_DMA, text, sizeof(text));
	is_str(text, "/dev/sva_dma is absent: the sva_dma module is not loaded",
	       "the text for an absent module");
}

static void test_sync(void)
{
	const struct sva_result *result;
	struct sva *sva;

	module_reset();
	sva = module_open("dma");
	subject("a copy of 100000 bytes");
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "sva_memcpy()");
	ok(!memcmp(to, from, 100000), "its bytes are right");
	result = sva_last_result();
	is_path(result->path, SVA_PATH_DMA, "its result has the path");
	is_str(result->device, "played0", "its result names the device of the channel");
	subject("a fill of 1001 bytes");
	is_rc(sva_memfill(sva, to, 0x1122334455667788, 1001), 0, "sva_memfill()");
	ok(to[0] == 0x88 && to[7] == 0x11 && to[1000] == 0x88, "its bytes are right");
	module.hold = true;
	subject("a copy that waits for its completion in the kernel");
	is_rc(sva_memcpy(sva, to, from, 5000), 0, "sva_memcpy()");
	ok(!memcmp(to, from, 5000), "its bytes are right");
	module.hold = false;
	sva_close(sva);

	module_reset();
	module.max_len = 1000;
	sva = module_open("dma");
	module.ops = 0;
	subject("a copy of 10001 bytes, the module takes 1000");
	is_rc(sva_memcpy(sva, to, from, 10001), 0, "sva_memcpy()");
	ok(!memcmp(to, from, 10001), "its bytes are right");
	is(module.ops, 11, "the module got eleven operations");
	sva_close(sva);
}

static void test_errors(void)
{
	struct sva *sva;

	module_reset();
	sva = module_open("dma,cpu");
	subject("SUBMIT fails with EAGAIN once");
	module.refuse = EAGAIN;
	module.refusals = 1;
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "sva_memcpy() repeats it");
	is_path(sva_last_result()->path, SVA_PATH_DMA, "the call's result has the path");
	subject("a copy that overlaps");
	memcpy(to, from, 1000);
	is_rc(sva_memcpy(sva, to + 100, to, 900), 0, "sva_memcpy()");
	ok(!memcmp(to + 100, from, 900), "its bytes are right");
	is_path(sva_last_result()->path, SVA_PATH_CPU, "the call's result has the path");
	subject("SUBMIT fails with ENODEV");
	module.refuse = ENODEV;
	module.refusals = 1;
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "sva_memcpy()");
	is_path(sva_last_result()->path, SVA_PATH_CPU, "the call's result has the path");
	subject("an operation fails with EFAULT once, its pages are good");
	module.result_once = -EFAULT;
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "sva_memcpy() touches them and repeats it");
	is(sva_last_result()->faults, 1, "the call's result has one fault");
	sva_close(sva);

	module_reset();
	sva = module_open("dma");
	subject("an operation fails, only dma is permitted");
	module.result_once = -EFAULT;
	is_rc(sva_memcpy(sva, to, (void *)0x10000, 4096), -EFAULT, "a copy from a bad pointer");
	is(sva_last_result()->fault_addr, 0x10000, "the call's result has the fault address");
	module.complete_once = -EIO;
	is_rc(sva_memcpy(sva, to, from, 4096), -EIO, "a completion with an error of the device");
	sva_close(sva);
}

static void test_async(void)
{
	struct sva_op ops[40], *list[40], *done[40];
	struct sva *sva;
	int n = 0, reaped = 0;

	module_reset();
	sva = module_open("dma");
	subject("asynchronous");
	module.hold = true;
	sva_prep_memcpy(&ops[0], to, from, 1000);
	is_rc(sva_submit(sva, &ops[0]), 0, "submit a copy");
	is_rc(sva_poll(&ops[0]), 0, "poll it before its completion is in the ring");
	module_release();
	is(sva_poll(&ops[0]), 1, "poll it when its completion is in the ring");
	for (int i = 0; i < 40; i++) {
		list[i] = &ops[i];
		sva_prep_memcpy(&ops[i], to + i * 1000, from + i * 1000, 1000);
	}
	module.submits = 0;
	module.hold = false;
	n = sva_submit_many(sva, list, 40);
	is(n, 40, "forty copies are submitted at a time");
	ok(module.submits <= 4, "with %u calls of the module", module.submits);
	while (reaped < n)
		reaped += sva_reap(sva, done, 40);
	is(reaped, 40, "all forty are reaped");
	ok(!memcmp(to, from, 40000), "the bytes of all forty are right");
	sva_prep_batch(&ops[39], list, 30);
	for (int i = 0; i < 30; i++)
		sva_prep_memcpy(&ops[i], to + i * 1000, from + 100000 + i * 1000, 1000);
	is_rc(sva_run(sva, &ops[39]), 0, "a batch of thirty, for which dma has no descriptor");
	ok(!memcmp(to, from + 100000, 30000), "the bytes of the batch are right");
	sva_close(sva);
}

/*
 * RLIMIT_MEMLOCK: an operation of more bytes than may be pinned is cut into pieces; operations in
 * flight make room when they end.
 */
static void test_pin_limit(void)
{
	struct sva_op ops[8], *list[8];
	struct sva *sva;
	int taken;

	module_reset();
	sva = module_open("dma");
	module.pin_limit = 20000;
	subject("20000 bytes may be pinned");
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "a copy of 100000 bytes");
	ok(!memcmp(to, from, 100000), "its bytes are right");
	is(sva_last_result()->path_bytes[SVA_PATH_DMA], 100000, "all of them went by dma");
	is_rc(sva_memfill(sva, to, 0x0807060504030201, 100001), 0, "a fill of 100001 bytes");
	ok(to[0] == 1 && to[65535] == 8 && to[100000] == 1, "the bytes of the fill are right");

	module.hold = true;
	for (int i = 0; i < 8; i++) {
		list[i] = &ops[i];
		sva_prep_memcpy(&ops[i], to + i * 4000, from + i * 4000, 4000);
	}
	taken = sva_submit_many(sva, list, 8);
	is(taken, 2, "two of eight copies of 4000 bytes are taken");
	is_rc(sva_submit(sva, &ops[2]), -EAGAIN, "submit the third while two are in flight");
	module_release();
	is_rc(sva_wait(&ops[0], -1) | sva_wait(&ops[1], -1), 0, "wait for the two");
	is_rc(sva_submit(sva, &ops[2]), 0, "submit the third when they have ended");
	module_release();
	is_rc(sva_wait(&ops[2], -1), 0, "wait for the third");
	ok(!memcmp(to, from, 12000), "the bytes of all three are right");
	module.hold = false;
	sva_prep_memcpy(&ops[0], to, from, 100000);
	is_rc(sva_submit(sva, &ops[0]) | sva_wait(&ops[0], -1), 0,
	      "submit a copy of 100000 bytes and wait for it");
	ok(!memcmp(to, from, 100000), "the bytes of that copy are right");

	module.pin_limit = 100;
	subject("100 bytes may be pinned");
	is_rc(sva_memcpy(sva, to, from, 100000), -ENOMEM,
	   "a copy with only dma permitted");
	sva_close(sva);
	sva = module_open("dma,cpu");
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "a copy with the CPU permitted");
	is_path(sva_last_result()->path, SVA_PATH_CPU, "the call's result has the path");
	is_reason(sva_last_result()->reason, SVA_REASON_MEMLOCK,
		  "the call's result has the reason");
	sva_close(sva);
}

/*
 * The program closes the module's descriptor, and opens a file of its own, which gets the same
 * number.
 */
static void test_closed_by_program(void)
{
	struct sva_dma_buf *a = NULL, *b = NULL;
	unsigned int opens, rings;
	struct io_uring_sqe sqe;
	struct sva *sva;
	struct sva_op op;
	int taken;

	module_reset();
	module.features = SVA_DMA_FEATURE_URING;
	sva = module_open("dma,cpu");
	subject("the program replaces the module's file");
	is_rc(sva_dma_map(sva, from, sizeof(from), SVA_DMA_SOURCE, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), SVA_DMA_DESTINATION, &b), 0, "map a destination");
	is_rc(sva_dma_copy(sva, b, 0, a, 0, 1000), 0, "a copy by handle");
	module.hold = true;
	sva_prep_memcpy(&op, to + 5000, from + 5000, 70000);
	is_rc(sva_submit(sva, &op), 0, "submit an operation before it");
	module.foreign = 0;
	opens = module.opens;
	rings = module_ring_mappings();
	module_take_number();
	taken = module.fd;
	is_rc(sva_poll(&op), 0, "poll the operation in flight after it");
	module_release();
	module.hold = false;
	ok(!sva_wait(&op, -1) && !memcmp(to + 5000, from + 5000, 70000),
	   "the operation in flight ends and its bytes are right");
	is_rc(sva_dma_sync(b, 0, 100, SVA_DMA_FOR_CPU), -EIO,
	   "sync of a mapped buffer");
	sva_prep_dma_copy(&op, b, 0, a, 100, 1000);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EOPNOTSUPP,
	   "prepare an operation for io_uring");
	is(module_ring_mappings(), rings - 1,
	   "the library unmaps the ring, which releases the file");
	is_rc(sva_dma_is_mapped(b), 0, "sva_dma_is_mapped() of a buffer");
	ok(!sva_dma_copy(sva, b, 0, a, 7, 3000) && !memcmp(to, from + 7, 3000),
	   "a copy by handle is done by address");
	ok(!sva_memcpy(sva, to, from, 100000) && !memcmp(to, from, 100000),
	   "a copy by address is done");
	is_path(sva_last_result()->path, SVA_PATH_DMA, "the call's result has the path");
	is(module.opens, opens + 1, "the module's file was opened once more");
	is_rc(sva_dma_unmap(a), 0, "unmap the source");
	is_rc(sva_dma_unmap(b), 0, "unmap the destination");
	is(module.unmaps, 0, "no handle of the old file was given to the new one");
	is_rc(sva_dma_map(sva, to, sizeof(to), SVA_DMA_DESTINATION, &b), 0,
	      "map the destination again");
	is(sva_dma_is_mapped(b), 1, "the destination is mapped by the new file");
	sva_dma_unmap(b);
	sva_close(sva);
	is(module.foreign, 0, "no call was made on the program's file");
	ok(fcntl(taken, F_GETFD) >= 0, "the program's file is still open");
	close(taken);
}

/*
 * The module writes completions over those that the library has read, which it knows by the ring's
 * head.
 */
static void test_ring(void)
{
	struct sva *sva;

	module_reset();
	sva = module_open("dma");
	subject("the ring");
	for (unsigned int i = 0; i < 3 * RING; i++)
		if (sva_memcpy(sva, to, from, 100))
			ok(false, "copy %u is done", i);
	is(module.ring->tail, 3 * RING,
	   "three times as many copies as it has entries are completed through it");
	is(module.ring->head, module.ring->tail,
	   "the library advances its head");
	is(module.overruns, 0, "there was room for each completion");
	is(module_ring_mappings(), 2, "the library has it mapped");
	sva_close(sva);
	is(module_ring_mappings(), 0, "the last sva_close() unmaps it");
}

static void test_pasid(void)
{
	struct sva_bond *bond = NULL;
	uint32_t pasid = 0;
	struct sva *sva;

	module_reset();
	sva = module_open("soft");
	subject("sva_bond_pasid()");
	is_rc(sva_bind(sva, "soft", 0, &bond), 0, "bind soft");
	is_rc(sva_bond_pasid(bond, &pasid), -ENODATA, "a module without the feature PASID");
	module.features = SVA_DMA_FEATURE_PASID;
	is_rc(sva_bond_pasid(bond, &pasid), 0, "a module with the feature PASID");
	is(pasid, 4711, "the PASID is the one that the module reports");
	sva_unbind(bond);
	sva_close(sva);
}

int main(void)
{
	module_reset();
	test_reasons();
	test_sync();
	test_errors();
	test_async();
	test_pin_limit();
	test_ring();
	test_closed_by_program();
	test_pasid();
	return done();
}
