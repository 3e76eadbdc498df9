/* SPDX-License-Identifier: MIT */
/* A warning for programs that limit their system calls (seccomp) and use a queue. */
#include "emu/base/text.h"
#include "emu/device/state.h"
#include "emu/host/process.h"
#include "emu/preload/filter.h"

/* The program has installed a filter; the warning was printed. */
static int filtered, warned;

static void warn_of_filter(void)
{
	if (!emu.state->opt.quiet && !__atomic_exchange_n(&warned, 1, __ATOMIC_RELAXED))
		emu_say("%s limits its system calls (seccomp). The emulator makes some in the "
			"program, and the kernel kills it at one that is not allowed; sva-emu run "
			"--ptrace makes none",
			emu.program);
}

void emu_filter_opened(void)
{
	if (__atomic_load_n(&filtered, __ATOMIC_RELAXED))
		warn_of_filter();
}

void emu_filter_installed(void)
{
	__atomic_store_n(&filtered, 1, __ATOMIC_RELAXED);
	if (emu.mm->pasid)
		warn_of_filter();
}
