/* SPDX-License-Identifier: MIT */
/*
 * How a record is written: everything but its status first, the status last. The record lies across
 * two pages, the status in the first and the rest in the second, and both cannot be written at
 * first: the handler of the faults sees the order. The model also runs inside that kind of handler,
 * on little stack. And a flush ends with the last page that is there.
 */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/bytes.h"
#include "model/model.h"
#include "tests/tap.h"

/* two and one that is not there; the record's first byte is the last of the first one */
static uint8_t *pages;
static size_t page;
static uint8_t *record;
static char order[8];
static int norder;
static bool tail_complete, status_absent;

static struct sva_model_outcome outcome;
static struct sva_desc desc;
static struct sva_model_mem mem;
static uint8_t buffer[2][8192];

static void *map(void *ctx, uint64_t addr, size_t *len, unsigned int access, uint64_t *fault)
{
	(void)ctx;
	(void)len;
	(void)fault;
	return access & SVA_MODEL_RECORD ? record : (void *)(uintptr_t)addr;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	const bool first = (uint8_t *)info->si_addr < pages + page;

	(void)sig;
	(void)context;
	if (norder == (int)sizeof(order) - 1)
		_exit(1);
	order[norder++] = first ? 's' : 't';
	mprotect(pages + (first ? 0 : page), page, PROT_READ | PROT_WRITE);
	if (first) {
		tail_complete = record[1] == 1 && record[4] == 100;
	} else {
		mprotect(pages, page, PROT_READ);
		status_absent = record[0] == 0;
		mprotect(pages, page, PROT_NONE);
	}
}

static void order_of_the_record(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	/*
	 * A compare that finds a difference at byte 100: result and bytes completed are not zero.
	 */
	desc.flags_opcode = sva_desc_word(SVA_OPCODE_COMPARE, SVA_DESC_CRAV | SVA_DESC_RCR);
	desc.src = (uintptr_t)buffer[0];
	desc.dst = (uintptr_t)buffer[1];
	desc.size = 200;
	desc.completion_addr = 4096;
	buffer[1][100] = 1;
	mprotect(pages, 2 * page, PROT_NONE);
	sva_model_execute(&sva_model_dsa1, &mem, &desc, &outcome);
	mprotect(pages, 2 * page, PROT_READ | PROT_WRITE);
	is_str(order, "ts", "the tail is written, then the status, each once");
	ok(status_absent, "the status is not written before the rest of the record");
	ok(tail_complete, "the rest of the record is complete when the status is written");
	is(record[0], SVA_STATUS_SUCCESS, "the status is written");
}

/* ---- inside a signal handler ---- */

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	for (unsigned int opcode = 0; opcode < 64; opcode++) {
		struct sva_desc d = {
			.size = 520, .src = (uintptr_t)buffer[0], .dst = (uintptr_t)buffer[1]};

		if (opcode == SVA_OPCODE_BATCH)
			continue;
		d.flags_opcode = sva_desc_word(opcode, SVA_DESC_CRAV | SVA_DESC_RCR);
		d.completion_addr = 4096;
		if (opcode == SVA_OPCODE_DIF_CHECK)
			d.dst = 0;
		if (opcode == SVA_OPCODE_CRC) {
			d.dst = 0;
			d.flags_opcode |= SVA_DESC_CRC_BYPASS_REF;
		}
		if (opcode == SVA_OPCODE_DIX_GENERATE)
			d.size = 512;
		if (opcode == SVA_OPCODE_CREATE_DELTA) {
			d.op.delta.addr_or_size = (uintptr_t)buffer[1] + 4096;
			d.op.delta.max_size = 2000;
		}
		sva_model_execute(&sva_model_dsa2, &mem, &d, &outcome);
		handled += outcome.comp.status == SVA_STATUS_SUCCESS ||
			   outcome.comp.status == SVA_STATUS_DIF_ERROR;
	}
}

/*
 * The same memory twice: to run on, and to read (checkers of memory do not permit reads below the
 * stack pointer).
 */
static void little_stack(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	const size_t size = 64 * 1024;
	const int fd = memfd_create("stack", 0);
	uint8_t *view, *stack;
	stack_t alt = { .ss_size = size };
	size_t untouched = 0;

	if (fd < 0 || ftruncate(fd, (off_t)size)) {
		skip("stack used", "no memfd");
		return;
	}
	view = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (view == MAP_FAILED || stack == MAP_FAILED)
		abort();
	memset(view, 0xa5, size);
	alt.ss_sp = stack;
	sigaltstack(&alt, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	ok(handled >= 10, "%d operations in a signal handler", (int)handled);
	while (untouched < size && view[untouched] == 0xa5)
		untouched++;
#if MODEL_PLAIN_LOOPS
	skip("stack used", "not measured with a sanitizer, which uses more");
#else
	/* The kernel's frame with all of AVX-512 is 3 to 4 KiB of this. */
	ok(size - untouched < 8192, "%zu bytes of stack, the kernel's signal frame included",
	   size - untouched);
#endif
	alt.ss_flags = SS_DISABLE;
	sigaltstack(&alt, NULL);
	munmap(stack, size);
	munmap(view, size);
	close(fd);
}

/* With its handler still there a fault would be seen: behind the second page there is nothing. */
static void flush_to_the_end(void)
{
	const int before = norder;

	for (uint32_t len = 1; len <= 200; len++) {
		desc.flags_opcode =
			sva_desc_word(SVA_OPCODE_CACHE_FLUSH, SVA_DESC_CRAV | SVA_DESC_RCR);
		desc.src = 0;
		desc.dst = (uintptr_t)pages + 2 * page - len;
		desc.size = len;
		sva_model_execute(&sva_model_dsa1, &mem, &desc, &outcome);
		if (outcome.comp.status != SVA_STATUS_SUCCESS || norder != before)
			break;
	}
	ok(outcome.comp.status == SVA_STATUS_SUCCESS && norder == before,
	   "no line beyond the range is flushed");
}

int main(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || mprotect(pages + 2 * page, page, PROT_NONE))
		skip_all("no memory");
	record = pages + page - 1;
	mem.map = map;
	sva_model_prepare();
	order_of_the_record();
	flush_to_the_end();
	little_stack();
	return done();
}
