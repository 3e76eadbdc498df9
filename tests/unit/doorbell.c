/* SPDX-License-Identifier: MIT */
/* Stores to portals, as signals: see doorbell.h. */
#include <errno.h>
#include <signal.h>
#include <ucontext.h>

#include "lib/base/bus.h"
#include "tap.h"
#include "unit/doorbell.h"
#include "unit/kernel.h"

#if SVA_HAVE_PORTALS

#define LENGTH    5
#define ZERO_FLAG 0x40

/* As base/bus.h encodes them, with the portal in rax and the descriptor in rdx. */
static const uint8_t movdir64b[LENGTH] = { 0x66, 0x0f, 0x38, 0xf8, 0x02 };
static const uint8_t enqcmd[LENGTH] = { 0xf2, 0x0f, 0x38, 0xf8, 0x02 };

static void on_signal(int signo, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *code = (const uint8_t *)regs[REG_RIP];
	bool is_enqcmd = !memcmp(code, enqcmd, LENGTH);
	int saved = errno, full = -1;

	(void)info;
	if (is_enqcmd || !memcmp(code, movdir64b, LENGTH))
		full = kernel_store((const void *)regs[REG_RAX],
				    (const struct sva_desc *)regs[REG_RDX]);
	errno = saved;
	if (full < 0) {
		signal(signo, SIG_DFL); /* not ours: the instruction is executed again */
		return;
	}
	regs[REG_RIP] += LENGTH;
	if (is_enqcmd)
		regs[REG_EFL] = full ? regs[REG_EFL] | ZERO_FLAG : regs[REG_EFL] & ~ZERO_FLAG;
}

void doorbell_begin(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	sigaction(SIGILL, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

#else

void doorbell_begin(void)
{
	skip_all("the library has no portals on this architecture");
}

#endif
