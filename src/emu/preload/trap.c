/* SPDX-License-Identifier: MIT */
/*
 * A CPU without the instructions raises SIGILL for them. A CPU that has them raises SIGBUS or
 * SIGSEGV for a MOVDIR64B to a portal, which is a mapping without a page, and SIGSEGV for an ENQCMD
 * of a process without a PASID, with the address 0. So neither the signal nor its address decides:
 * the instruction is decoded in all three cases.
 */
#include <ucontext.h>

#include "emu/base/raw.h"
#include "emu/device/state.h"
#include "emu/host/process.h"
#include "emu/insn/step.h"
#include "emu/preload/dispatch.h"
#include "emu/preload/patch.h"
#include "emu/preload/signals.h"
#include "emu/preload/trap.h"

#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2 /* si_code of SIGSYS */
#endif

/* The registers in the order of their encoding. */
static const int gpr_index[EMU_GPRS] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static void get_regs(struct emu_regs *regs, const greg_t *gregs)
{
	unsigned int i;

	for (i = 0; i < EMU_GPRS; i++)
		regs->gpr[i] = (uint64_t)gregs[gpr_index[i]];
	regs->rip = (uint64_t)gregs[REG_RIP];
	regs->flags = (uint64_t)gregs[REG_EFL];
	regs->fs_base = 0;
	regs->gs_base = 0;
}

static void write_regs(const struct emu_step *step, greg_t *gregs)
{
	if (step->insn.kind == EMU_INSN_OTHER && step->insn.load_reg >= 0)
		gregs[gpr_index[step->insn.load_reg]] = (greg_t)step->regs.gpr[step->insn.load_reg];
	gregs[REG_EFL] = (greg_t)step->regs.flags;
	gregs[REG_RIP] = (greg_t)(step->regs.rip + step->insn.length);
}

static void raise_fault(const struct emu_step *step, ucontext_t *uc)
{
	siginfo_t info = { .si_signo = step->fault.signo };

	info.si_code = step->fault.code;
	info.si_addr = (void *)(uintptr_t)step->fault.addr;
	uc->uc_mcontext.gregs[REG_TRAPNO] = step->vector;
	uc->uc_mcontext.gregs[REG_CR2] = (greg_t)step->fault.addr;
	/* a write by the program: the true error code is not known */
	uc->uc_mcontext.gregs[REG_ERR] = step->vector == 14 ? 6 : 0;
	emu_signal_deliver(step->fault.signo, &info, uc, true);
}

/*
 * Decode the instruction that trapped. With --fast another thread may be replacing it by a jump, so
 * that the bytes that are read are not those that trapped. The original is in the table of patched
 * instructions before the first byte changes; so the table is searched again after reading.
 */
static bool decode_insn(struct emu_step *step, int signo, uint8_t code[EMU_STEP_CODE])
{
	size_t len;

	if (!emu.state->opt.fast)
		return emu_step_decode(step, code, emu_step_fetch(step, code));
	if (signo == SIGTRAP)
		step->regs.rip--; /* it points behind the INT3 */
	if (emu_patch_original(step->regs.rip, code))
		return emu_step_decode(step, code, EMU_STEP_CODE);
	if (signo == SIGTRAP)
		return false;
	len = emu_step_fetch(step, code);
	if (emu_patch_original(step->regs.rip, code))
		len = EMU_STEP_CODE;
	return emu_step_decode(step, code, len);
}

static void finish_insn(const struct emu_step *step, ucontext_t *uc,
			const uint8_t code[EMU_STEP_CODE])
{
	enum emu_kind kind = step->insn.kind;

	emu_count(emu.state, EMU_COUNT_TRAPS, 1);
	write_regs(step, uc->uc_mcontext.gregs);
	if (emu.state->opt.fast && (kind == EMU_INSN_ENQCMD || kind == EMU_INSN_MOVDIR64B))
		emu_patch_site(&step->regs, &step->insn, code);
}

void emu_trap(int signo, siginfo_t *info, void *context)
{
	uint8_t code[EMU_STEP_CODE];
	ucontext_t *uc = context;
	struct emu_step step;

	emu_signals_interrupted(uc);
	if (signo == SIGSYS) {
		if (info->si_code == SYS_USER_DISPATCH)
			emu_dispatch(uc);
		else
			/* a filter of the program's, or sent by kill */
			emu_signal_deliver(signo, info, uc, true);
		return;
	}
	if (info->si_code > 0 && signo != SIGILL && emu_memory_fault(signo, info, uc))
		return;
	if (info->si_code <= 0) {
		emu_signal_deliver(signo, info, uc, true); /* sent by kill */
		return;
	}
	get_regs(&step.regs, uc->uc_mcontext.gregs);
	if (!decode_insn(&step, signo, code)) {
		emu_signal_deliver(signo, info, uc, signo == SIGTRAP);
		return;
	}
	switch (emu_step_run(&step, signo == SIGILL || signo == SIGTRAP)) {
	case EMU_DONE:
		finish_insn(&step, uc, code);
		break;
	case EMU_FAULT:
		/* The fault is reported at the instruction, not behind the INT3 in its place. */
		uc->uc_mcontext.gregs[REG_RIP] = (greg_t)step.regs.rip;
		raise_fault(&step, uc);
		break;
	case EMU_NOT_OURS:
		emu_signal_deliver(signo, info, uc, signo == SIGTRAP);
	}
}
