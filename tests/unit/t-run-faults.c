/* SPDX-License-Identifier: MIT */
/*
 * Page faults of a device, on a kernel that this test plays (kernel.h): every operation, every page
 * of every operand, in one chunk and in several, under every policy; with devices that report the
 * address, the page, or nothing. Memory and result must be those of the same operation on the CPU.
 */
#include <errno.h>

#include "lib/base/memory.h"
#include "lib/run/run.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/reference.h"
#include "unit/rig.h"

#define PAGES 4u
#define AREA  (PAGES * RIG_PAGE)
#define LEN   (2 * RIG_PAGE + 1000u)
#define EVEN  (2 * RIG_PAGE + 1024u)

static uint8_t *area[3], start[3][AREA], want[3][AREA];
static struct kernel_queue *queue;
static struct sva *device, *cpu;
static struct sva_op op;
static uint32_t delta_size;

static const struct sva_desc_dif made = {
	.dst_flags = SVA_DIF_DST_APP_INC, .dst_ref = 0xfffffff0, .dst_app = 0xfff0};
static const struct sva_desc_dif read_back = {
	.src_flags = SVA_DIF_SRC_APP_INC, .src_ref = 0xfffffff0, .src_app = 0xfff0};

/* ------------------------------------------------------------------ the operations */

enum kind {
	COPY,
	COPY_UP,
	COPY_DOWN,
	FILL,
	FILL_WIDE,
	COMPARE,
	COMPARE_LATE,
	PATTERN,
	CREATE_DELTA,
	APPLY_DELTA,
	DUALCAST,
	CRC,
	CRC_WIDE,
	COPY_CRC, DIF_INSERT, DIF_CHECK, DIF_STRIP, DIF_UPDATE, DIX, FLUSH, FETCH, KINDS
};

static const char *const names[KINDS] = {
	"copy",
	"copy, overlapping from above",
	"copy, overlapping from below",
	"fill",
	"16-byte fill",
	"compare",
	"compare, different at the end",
	"compare pattern",
	"create delta",
	"apply delta",
	"dualcast",
	"CRC",
	"64-bit CRC",
	"copy with CRC",
	"DIF insert",
	"DIF check",
	"DIF strip",
	"DIF update",
	"DIX generate",
	"cache flush",
	"translation fetch",
};

static void protect(uint8_t *to, const uint8_t *from, unsigned int blocks)
{
	for (unsigned int i = 0; i < blocks; i++, to += 520, from += 512) {
		memcpy(to, from, 512);
		ref_dif_tuple(to + 512, from, 512, 0, false, (uint16_t)(made.dst_app + i),
			      made.dst_ref + i);
	}
}

static void make_content(enum kind kind)
{
	uint64_t pattern = 0x1122334455667788;

	ref_random_bytes(start[0], AREA);
	ref_random_bytes(start[1], AREA);
	ref_random_bytes(start[2], AREA);
	switch (kind) {
	case COMPARE:
	case COMPARE_LATE:
		memcpy(start[1] + 77, start[0] + 33, LEN);
		if (kind == COMPARE_LATE)
			start[1][77 + LEN - 3] ^= 1;
		break;
	case PATTERN:
		ref_fill(start[0] + 33, LEN, (uint8_t *)&pattern, 8);
		break;
	case APPLY_DELTA: /* every word differs: a long record */
		delta_size = (uint32_t)ref_create_delta(start[1], start[2], EVEN, start[0] + 33);
		break;
	case DIF_CHECK:
	case DIF_STRIP:
	case DIF_UPDATE:
		protect(start[0] + 33, start[2], 17);
		break;
	default:
		break;
	}
	for (int i = 0; i < 3; i++)
		memcpy(area[i], start[i], AREA);
}

static void prepare(enum kind kind)
{
	struct sva_desc_dif both = read_back;
	uint8_t *a = area[0] + 33, *b = area[1] + 77, *c = area[2] + 77;

	both.dst_ref = 99;
	both.dst_app = 88;
	switch (kind) {
	case COPY: sva_prep_memcpy(&op, b, a, LEN); break;
	case COPY_UP: sva_prep_memcpy(&op, a + 555, a, LEN); break;
	case COPY_DOWN: sva_prep_memcpy(&op, a, a + 555, LEN); break;
	case FILL: sva_prep_memfill(&op, b, 0x1122334455667788, LEN); break;
	case FILL_WIDE:
		sva_prep_memfill16(&op, b, 0x1122334455667788, 0x99aabbccddeeff00, LEN);
		break;
	case COMPARE:
	case COMPARE_LATE: sva_prep_compare(&op, a, b, LEN); break;
	case PATTERN: sva_prep_compare_pattern(&op, a, 0x1122334455667788, LEN); break;
	case CREATE_DELTA:
		sva_prep_create_delta(&op, area[0], area[1], EVEN, area[2], 12000);
		break;
	case APPLY_DELTA: sva_prep_apply_delta(&op, area[1], EVEN, a, delta_size); break;
	case DUALCAST: sva_prep_dualcast(&op, b, c, a, LEN); break;
	case CRC: sva_prep_crc(&op, a, LEN, 123, 0); break;
	case CRC_WIDE: sva_prep_crc(&op, a, LEN, 123, SVA_CRC_64); break;
	case COPY_CRC: sva_prep_copy_crc(&op, b, a, LEN, 123, SVA_CRC_BYPASS_REFLECTION); break;
	case DIF_INSERT: sva_prep_dif_insert(&op, b, a, 17 * 512, &made); break;
	case DIF_CHECK: sva_prep_dif_check(&op, a, 17 * 520, &read_back); break;
	case DIF_STRIP: sva_prep_dif_strip(&op, b, a, 17 * 520, &read_back); break;
	case DIF_UPDATE: sva_prep_dif_update(&op, b, a, 17 * 520, &both); break;
	case DIX: sva_prep_dix_generate(&op, area[1] + 72, a, 17 * 512, &made); break;
	case FLUSH: sva_prep_cache_flush(&op, b, LEN); break;
	default: sva_prep_translation_fetch(&op, a, LEN); break;
	}
}

/* ------------------------------------------------------------------ one trial */

static struct sva_result expected;
static char why[200];

static bool right(enum kind kind, int err)
{
	const struct sva_result *result = sva_op_result(&op);

	why[0] = '\0';
	if (err || result->error)
		snprintf(why, sizeof(why), "%s: error %d, status %s", names[kind], err,
			 sva_status_name(result->status));
	for (int i = 0; i < 3 && !why[0]; i++)
		if (memcmp(area[i], want[i], AREA))
			snprintf(why, sizeof(why), "%s: memory %d is wrong", names[kind], i);
	if (!why[0] && (result->bytes != expected.bytes || result->result != expected.result ||
			result->value != expected.value))
		snprintf(why, sizeof(why),
			 "%s: %llu bytes, result %u, value %#llx; must be %llu, %u, %#llx",
			 names[kind], (unsigned long long)result->bytes, result->result,
			 (unsigned long long)result->value, (unsigned long long)expected.bytes,
			 expected.result, (unsigned long long)expected.value);
	if (!why[0] && memcmp(&result->dif, &expected.dif, sizeof(result->dif)) &&
	    kind >= DIF_INSERT && kind <= DIX)
		snprintf(why, sizeof(why), "%s: the tags to continue with are wrong", names[kind]);
	if (!why[0] &&
	    result->path_bytes[SVA_PATH_WRITE] + result->path_bytes[SVA_PATH_CPU] != result->bytes)
		snprintf(why, sizeof(why), "%s: bytes by path do not add up", names[kind]);
	return !why[0];
}

/* Memory and result of the operation on the CPU. */
static void baseline(enum kind kind)
{
	make_content(kind);
	prepare(kind);
	if (sva_run(cpu, &op))
		ok(false, "%s on the CPU succeeds", names[kind]);
	expected = *sva_op_result(&op);
	for (int i = 0; i < 3; i++) {
		memcpy(want[i], area[i], AREA);
		memcpy(area[i], start[i], AREA);
	}
}

static int run_on_device(enum kind kind, bool async, uint32_t flags)
{
	int err;

	prepare(kind);
	op.flags |= flags;
	if (!async)
		return sva_run(device, &op);
	err = sva_submit(device, &op);
	return err ? err : sva_wait(&op, -1);
}

static void begin(const char *keys, void (*options)(struct sva_opts *opts))
{
	kernel_begin();
	queue = kernel_add("wq0.0", true, 8, keys);
	queue->profile = sva_model_dsa2;
	queue->profile.max_transfer = 1u << 31;
	cpu = rig_open("cpu", 0);
	device = rig_open_opts("write,cpu", options);
}

static void end(void)
{
	sva_close(device);
	sva_close(cpu);
}

/* ------------------------------------------------------------------ every operation, every page */

#define CAPABILITIES " op-cap=0x100bf07ff gen-cap=0x40915fb50f"

static void every_page(const char *keys, const char *what, uint32_t flags)
{
	unsigned int cases = 0, met = 0;

	begin(keys, NULL);
	for (enum kind kind = 0; kind < KINDS; kind++) {
		bool good = true;

		for (unsigned int page = 0; page <= 3 * PAGES && good; page++) {
			baseline(kind);
			kernel_present();
			if (page < 3 * PAGES)
				kernel_absent(area[page / PAGES] + page % PAGES * RIG_PAGE, 1);
			else /* all at once */
				for (int i = 0; i < 3; i++)
					kernel_absent(area[i], AREA);
			good = right(kind, run_on_device(kind, page & 1, flags));
			cases++;
			met += kernel_faults;
			/* The model may look at a page twice before it gives up. */
			if (good && (sva_op_result(&op)->faults > kernel_faults ||
				     !sva_op_result(&op)->faults != !kernel_faults)) {
				snprintf(why, sizeof(why), "%u faults, %u in the result",
					 kernel_faults, sva_op_result(&op)->faults);
				good = false;
			}
			if (!good)
				printf("# page %u of area %u: %s\n", page % PAGES, page / PAGES,
				       why);
		}
		ok(good, "%s: %s with a fault on each page is as on the CPU", what, names[kind]);
	}
	ok(met > cases / 3, "%s: %u cases have met %u faults", what, cases, met);
	subject("%s", what);
	is(queue->dropped, 0, "the device has dropped no descriptor");
	end();
}

static void set_cpu(struct sva_opts *opts)
{
	opts->fault_policy = SVA_FAULT_CPU;
}

static void set_block(struct sva_opts *opts)
{
	opts->fault_policy = SVA_FAULT_BLOCK;
}

static void set_one_try(struct sva_opts *opts)
{
	opts->fault_tries = 1;
}

/* ------------------------------------------------------------------ policies */

static bool bof_in(unsigned int from)
{
	for (unsigned int i = from; i < queue->taken && i < KERNEL_LOG; i++)
		if (!(queue->log[i] & SVA_DESC_BOF))
			return false;
	return queue->taken > from;
}

static void policies(void)
{
	begin(CAPABILITIES, NULL);
	subject("default policy, a page fault");
	baseline(COPY);
	kernel_absent(area[0] + RIG_PAGE, 1);
	ok(right(COPY, run_on_device(COPY, false, 0)), "the copy is as on the CPU");
	is(sva_op_result(&op)->path_bytes[SVA_PATH_CPU], 0, "the CPU has copied no byte");
	is(sva_op_result(&op)->faults, 1, "the result has one fault");
	is(sva_op_result(&op)->fault_addr, (uintptr_t)area[0] + RIG_PAGE,
	   "the result has the address of the fault");
	is(sva_op_result(&op)->chunks, 2, "the result has two chunks");
	subject("SVA_OP_FAULT_CPU, a page fault");
	baseline(COPY);
	kernel_present();
	kernel_absent(area[0] + RIG_PAGE, 1);
	ok(right(COPY, run_on_device(COPY, false, SVA_OP_FAULT_CPU)), "the copy is as on the CPU");
	is(sva_op_result(&op)->path_bytes[SVA_PATH_WRITE], RIG_PAGE - 33,
	   "the device has copied up to the fault");
	is_reason(sva_op_result(&op)->reason, SVA_REASON_FAULTS,
		  "the operation's result has the reason");
	baseline(COPY);
	kernel_present();
	kernel_absent(area[0] + RIG_PAGE, 1);
	ok(right(COPY, run_on_device(COPY, false, SVA_OP_FAULT_BLOCK)),
	   "SVA_OP_FAULT_BLOCK on a queue without it: the copy is as on the CPU");
	is(sva_op_result(&op)->faults, 1,
	   "SVA_OP_FAULT_BLOCK on a queue without it: the page is touched");
	is(bof_in(queue->taken - 1), false,
	   "SVA_OP_FAULT_BLOCK on a queue without it: the descriptor has no such flag");
	end();

	begin(CAPABILITIES, set_cpu);
	subject("policy cpu of the context, a page fault");
	baseline(COPY);
	kernel_absent(area[0] + RIG_PAGE, 1);
	ok(right(COPY, run_on_device(COPY, false, 0)), "the copy is as on the CPU");
	is(sva_op_result(&op)->path_bytes[SVA_PATH_WRITE], RIG_PAGE - 33,
	   "the device has copied up to the fault");
	baseline(COPY);
	kernel_present();
	kernel_absent(area[0] + RIG_PAGE, 1);
	ok(right(COPY, run_on_device(COPY, false, SVA_OP_FAULT_TOUCH)),
	   "an operation with SVA_OP_FAULT_TOUCH is as on the CPU");
	is(sva_op_result(&op)->path_bytes[SVA_PATH_CPU], 0,
	   "the CPU has copied no byte of an operation with SVA_OP_FAULT_TOUCH");
	end();

	begin(CAPABILITIES " block-on-fault=yes", set_block);
	queue->profile.block_on_fault = true;
	subject("policy block of the context, a queue that blocks on faults");
	for (int round = 0; round < 3; round++) { /* the later ones take the fast path */
		unsigned int before;

		baseline(COPY);
		kernel_present();
		kernel_absent(area[0], AREA);
		before = queue->taken ? queue->taken : 1;
		is_rc(sva_memcpy(device, area[1] + 77, area[0] + 33, LEN), 0, "sva_memcpy()");
		ok(!memcmp(area[1], want[1], AREA), "sva_memcpy(): the bytes are copied");
		is(kernel_faults, 0, "sva_memcpy(): the device has reported no fault");
		ok(bof_in(before), "sva_memcpy(): the descriptor has the flag");
		before = queue->taken;
		sva_prep_memcpy(&op, area[1] + 77, area[0] + 33, LEN);
		ok(!sva_submit(device, &op) && !sva_wait(&op, -1),
		   "an operation is submitted and ends");
		ok(bof_in(before), "an operation: the descriptor has the flag");
	}
	end();

	begin(CAPABILITIES, set_one_try);
	subject("two faults, one device attempt permitted");
	baseline(COPY);
	kernel_absent(area[0] + RIG_PAGE, 1);
	kernel_absent(area[1] + 2 * RIG_PAGE, 1);
	ok(right(COPY, run_on_device(COPY, false, 0)), "the copy is as on the CPU");
	ok(sva_op_result(&op)->faults == 2 && sva_op_result(&op)->path_bytes[SVA_PATH_CPU] &&
	   sva_op_result(&op)->path_bytes[SVA_PATH_WRITE] > RIG_PAGE,
	   "the CPU finishes it after the second fault");
	end();
}

/* ------------------------------------------------------------------ the address */

static void addresses(void)
{
	begin(CAPABILITIES, NULL);
	for (int i = 0; i < 2; i++) {
		for (enum kind kind = 0; kind < KINDS; kind++) {
			bool good = true;

			for (unsigned int which = 0; which < 3 && good; which++) {
				baseline(kind);
				kernel_present();
				kernel_hides_address = i;
				kernel_masks_address = !i;
				kernel_absent(area[which], AREA);
				good = right(kind, run_on_device(kind, which & 1, 0));
			}
			if (!ok(good, "a device that reports %s: %s is as on the CPU",
				i ? "no address" : "the page only", names[kind]))
				printf("# %s\n", why);
		}
	}
	end();
}

static void bad_pointers(void)
{
	begin(CAPABILITIES, NULL);
	for (int i = 0; i < 3; i++) {
		kernel_present();
		kernel_hides_address = i == 2;
		kernel_masks_address = i == 1;
		baseline(COPY);
		kernel_absent(area[1] + RIG_PAGE, 1);
		kernel_absent_for_good(EFAULT);
		subject("a bad page, a device that reports %s",
			i == 2 ? "no address" : i == 1 ? "the page only" : "the address");
		is_rc(run_on_device(COPY, false, 0), -EFAULT, "a copy to it");
		ok(sva_op_result(&op)->fault_addr / RIG_PAGE == (uintptr_t)area[1] / RIG_PAGE + 1 &&
			   sva_op_result(&op)->fault_write,
		   "the result has page and direction");
		is(sva_op_result(&op)->bytes, RIG_PAGE - 77, "the result has the bytes before it");
		kernel_present();
		is_rc(run_on_device(COPY, false, 0), 0, "a copy when the page is good again");
	}
	kernel_hides_address = false;
	subject("a page without memory");
	baseline(COPY);
	kernel_present();
	kernel_absent(area[1] + RIG_PAGE, 1);
	kernel_absent_for_good(ENOMEM);
	ok(right(COPY, run_on_device(COPY, true, 0)) &&
		   sva_op_result(&op)->path_bytes[SVA_PATH_CPU],
	   "touching fails with ENOMEM, which is no bad pointer: the CPU copies");
	end();
}

/* --------------------------------------------------- touching on kernels without MADV_POPULATE */

/* The library touches byte by byte where madvise fails with ERR. */
static void without_madvise(int err, const char *where)
{
	uint8_t *pages = rig_pages(4);
	uint64_t bad = 0;

	kernel_begin();
	kernel_fail(KERNEL_MADVISE, err, 1000000);
	pages[RIG_PAGE + 5] = 9;
	subject("%s", where);
	is_rc(sva_touch((uintptr_t)pages, 4 * RIG_PAGE, true, &bad), 0, "sva_touch() to write");
	ok(rig_page_resident(pages) && rig_page_resident(pages + 3 * RIG_PAGE) &&
		   pages[RIG_PAGE + 5] == 9,
	   "pages touched to write are resident and keep their content");
	rig_page_readonly(pages + RIG_PAGE);
	ok(sva_touch((uintptr_t)pages + 3, 4 * RIG_PAGE - 3, true, &bad) == -EFAULT &&
		   bad == (uintptr_t)pages + RIG_PAGE,
	   "a page that cannot be written: -EFAULT and its address");
	is_rc(sva_touch((uintptr_t)pages + 3, 4 * RIG_PAGE - 3, false, &bad), 0,
	      "a page that can only be read, to read");
	rig_page_deny(pages + 2 * RIG_PAGE);
	ok(sva_touch((uintptr_t)pages + 3, 4 * RIG_PAGE - 3, false, &bad) == -EFAULT &&
		   bad == (uintptr_t)pages + 2 * RIG_PAGE,
	   "a page that cannot be read: -EFAULT and its address");
	kernel_begin();
}

static void old_kernel(void)
{
	begin(CAPABILITIES, NULL);
	subject("madvise fails");
	baseline(COPY);
	kernel_absent(area[0], AREA);
	kernel_fail(KERNEL_MADVISE, EINTR, 3);
	ok(right(COPY, run_on_device(COPY, false, 0)),
	   "with EINTR three times: the copy is as on the CPU");
	is(sva_op_result(&op)->path_bytes[SVA_PATH_CPU], 0,
	   "with EINTR three times: the CPU has copied no byte");
	baseline(COPY);
	kernel_absent(area[0] + RIG_PAGE, 1);
	kernel_fail(KERNEL_MADVISE, EINVAL, 1000000);
	ok(right(COPY, run_on_device(COPY, false, 0)),
	   "always, and the page stays absent for the device: the copy is as on the CPU");
	ok(sva_op_result(&op)->path_bytes[SVA_PATH_CPU] && sva_op_result(&op)->faults == 9,
	   "always: the CPU finishes the copy after 9 faults");
	end();
	without_madvise(EINVAL, "an old kernel");
	without_madvise(EPERM, "a sandbox that answers EPERM");
	without_madvise(ENOSYS, "a sandbox that answers ENOSYS");
	without_madvise(EACCES, "a sandbox that answers EACCES");
}
int main(void)
{
	rig_begin();
	setenv("SVA_THRESHOLD", "1", 1);
	for (int i = 0; i < 3; i++)
		area[i] = rig_pages(PAGES);
	every_page("max-transfer=65536" CAPABILITIES, "one chunk", 0);
	every_page("max-transfer=4096" CAPABILITIES, "chunks of a page", 0);
	every_page("max-transfer=1024" CAPABILITIES, "small chunks", 0);
	every_page("max-transfer=65536" CAPABILITIES, "finished by the CPU", SVA_OP_FAULT_CPU);
	every_page("max-transfer=4096" CAPABILITIES, "chunks, finished by the CPU",
		   SVA_OP_FAULT_CPU);
	policies();
	addresses();
	bad_pointers();
	old_kernel();
	return done();
}
