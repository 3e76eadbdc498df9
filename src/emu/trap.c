/* SPDX-License-Identifier: MIT */
/*
 * A CPU without the instructions raises SIGILL for them. A CPU that has them raises SIGBUS or SIGSEGV for a MOVDIR64B to a
 * portal, which is a mapping without a page, and SIGSEGV for an ENQCMD of a process without a PASID, with the address 0.
 * So nothing is decided by the signal or its address: the instruction is decoded in all three.
 */
#include <errno.h>
#include <sched.h>
#include <ucontext.h>

#include <asm/prctl.h>

#include "cdev.h"
#include "check.h"
#include "decode.h"
#include "engine.h"
#include "memory.h"
#include "process.h"
#include "raw.h"
#include "signals.h"
#include "trace.h"
#include "trap.h"

#define CODE_MAX 15u
#define LINE 64u
#define UMWAIT_MAX_TICKS 100000u /* Linux' default of umwait_control/max_time */

/* What became of an instruction. */
enum verdict {
	DONE,      /* go on behind it */
	NOT_OURS,  /* the program's own affair */
	FAULT,     /* it faults; the fault is in struct fault_to_tell */
};

struct trap {
	struct emu_regs regs;
	struct emu_insn insn;
	int signo;             /* FAULT: the signal that the program gets, … */
	int code;
	uint64_t addr;
	unsigned int vector;   /* … 13 or 14 */
};

/* In the order in which they are encoded. */
static const int gpr_index[EMU_GPRS] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/* What UMONITOR armed, in this thread. */
static EMU_TLS struct {
	uint64_t addr; /* 0: nothing */
	uint64_t line[LINE / 8];
} monitor;

static enum verdict general_protection(struct trap *trap)
{
	trap->signo = SIGSEGV;
	trap->code = SI_KERNEL;
	trap->addr = 0;
	trap->vector = 13;
	return FAULT;
}

static enum verdict page_fault(struct trap *trap, const struct emu_fault *fault)
{
	trap->signo = fault->signo;
	trap->code = fault->code;
	trap->addr = fault->addr;
	trap->vector = fault->code == SI_KERNEL ? 13 : 14;
	return FAULT;
}

static enum verdict enqcmd(struct trap *trap)
{
	bool readonly = false, swallow = false, retry = true;
	struct emu_fault fault;
	struct sva_desc desc;
	emu_queue_id queue;

	if (trap->insn.kind == EMU_INSN_ENQCMDS || trap->insn.dst % LINE)
		return general_protection(trap);
	if (emu_copy(&desc, (const void *)(uintptr_t)trap->insn.src, sizeof(desc), &fault))
		return page_fault(trap, &fault);
	if (desc.pasid_priv)
		return general_protection(trap);
	if (!emu.mm->pasid) {
		emu_check_say(trap->regs.rip, "ENQCMD, but this process has opened no queue and so has no PASID");
		return general_protection(trap);
	}
	queue = emu_cdev_portal(trap->insn.dst, &readonly, &swallow);
	if (!queue)
		queue = emu_cdev_portal_search(trap->insn.dst);
	if (!queue || readonly) {
		/* Ordinary memory has nothing to accept a command: the answer is retry. */
		if (!emu_probe(trap->insn.dst, true, &fault))
			return page_fault(trap, &fault);
		emu_check_say(trap->regs.rip, "ENQCMD to memory that is no portal is answered with retry for ever");
	} else if (swallow) {
		emu_check_say(trap->regs.rip, "ENQCMD to a private mapping of a portal is answered with retry for ever");
	} else {
		desc.pasid_priv = emu.mm->id & 0xfffff;
		retry = emu_submit(queue, SVA_MODEL_ENQCMD, &desc, false) == -EAGAIN;
	}
	trap->regs.flags &= ~EMU_FLAGS_ARITH;
	if (retry)
		trap->regs.flags |= EMU_FLAG_ZF;
	return DONE;
}

static enum verdict movdir64b(struct trap *trap)
{
	bool readonly = false, swallow = false;
	struct emu_fault fault;
	struct sva_desc desc;
	emu_queue_id queue;

	if (trap->insn.dst % LINE)
		return general_protection(trap);
	if (emu_copy(&desc, (const void *)(uintptr_t)trap->insn.src, sizeof(desc), &fault))
		return page_fault(trap, &fault);
	queue = emu_cdev_portal(trap->insn.dst, &readonly, &swallow);
	if (!queue || readonly) {
		if (emu_copy((void *)(uintptr_t)trap->insn.dst, &desc, sizeof(desc), &fault) == 0) {
			emu_count(emu.state, EMU_COUNT_STORE64, 1);
			return DONE;
		}
		if (!readonly)
			queue = emu_cdev_portal_search(trap->insn.dst);
		if (!queue || readonly)
			return page_fault(trap, &fault);
	}
	if (!swallow)
		emu_submit(queue, SVA_MODEL_MOVDIR64B, &desc, false);
	return DONE;
}

static enum verdict umonitor(struct trap *trap)
{
	uint64_t line = trap->insn.dst & ~(uint64_t)(LINE - 1);
	struct emu_fault fault;

	emu_count(emu.state, EMU_COUNT_UMONITOR, 1);
	if (emu_copy(monitor.line, (const void *)(uintptr_t)line, LINE, &fault))
		return page_fault(trap, &fault);
	monitor.addr = line;
	return DONE;
}

static bool line_changed(void)
{
	uint64_t now[LINE / 8];
	unsigned int i;

	if (emu_copy(now, (const void *)(uintptr_t)monitor.addr, LINE, NULL))
		return true;
	for (i = 0; i < LINE / 8; i++)
		if (now[i] != monitor.line[i])
			return true;
	return false;
}

/* UMWAIT until the monitored line changes, TPAUSE in any case; until the deadline in edx:eax, or the system's limit. */
static enum verdict wait_for(struct trap *trap)
{
	bool umwait = trap->insn.kind == EMU_INSN_UMWAIT;
	uint64_t deadline = trap->regs.gpr[EMU_RDX] << 32 | (uint32_t)trap->regs.gpr[EMU_RAX];
	uint64_t start = raw_rdtsc(), now = start;

	emu_count(emu.state, umwait ? EMU_COUNT_UMWAIT : EMU_COUNT_TPAUSE, 1);
	if ((uint32_t)trap->insn.control & ~1u)
		return general_protection(trap);
	trap->regs.flags &= ~EMU_FLAGS_ARITH;
	while (now < deadline && !(umwait && (!monitor.addr || line_changed()))) {
		if (now - start >= UMWAIT_MAX_TICKS) {
			trap->regs.flags |= EMU_FLAG_CF;
			break;
		}
		raw_syscall0(SYS_sched_yield); /* an engine thread may need this very CPU */
		now = raw_rdtsc();
	}
	if (umwait)
		monitor.addr = 0;
	return DONE;
}

/* A load or store of another kind. On a portal it is ignored, and a load reads ones; elsewhere it is not ours. */
static enum verdict plain_access(struct trap *trap)
{
	bool readonly = false, swallow = false;
	uint64_t *reg;

	if (!trap->insn.loads && !trap->insn.stores)
		return NOT_OURS;
	if (!emu_cdev_portal(trap->insn.mem, &readonly, &swallow) || swallow)
		return NOT_OURS;
	if (readonly && trap->insn.stores)
		return NOT_OURS;
	emu_check_say(trap->regs.rip, "a portal takes only ENQCMD and MOVDIR64B: plain %s ignored",
		      trap->insn.stores ? "store" : "load");
	if (trap->insn.load_reg >= 0 && trap->insn.loads) {
		reg = &trap->regs.gpr[trap->insn.load_reg];
		if (trap->insn.load_bytes >= 4)
			*reg = trap->insn.load_bytes == 8 ? UINT64_MAX : UINT32_MAX;
		else
			*reg |= trap->insn.load_bytes == 2 ? 0xffff : 0xff;
	}
	return DONE;
}

static enum verdict emulate(struct trap *trap, int signo)
{
	switch (trap->insn.kind) {
	case EMU_INSN_ENQCMD:
	case EMU_INSN_ENQCMDS:
		return enqcmd(trap);
	case EMU_INSN_MOVDIR64B:
		return movdir64b(trap);
	case EMU_INSN_UMONITOR:
		return umonitor(trap);
	case EMU_INSN_UMWAIT:
	case EMU_INSN_TPAUSE:
		return wait_for(trap);
	default:
		return signo == SIGILL ? NOT_OURS : plain_access(trap);
	}
}

static void get_regs(struct trap *trap, const greg_t *gregs)
{
	unsigned int i;

	for (i = 0; i < EMU_GPRS; i++)
		trap->regs.gpr[i] = (uint64_t)gregs[gpr_index[i]];
	trap->regs.rip = (uint64_t)gregs[REG_RIP];
	trap->regs.flags = (uint64_t)gregs[REG_EFL];
	trap->regs.fs_base = 0;
	trap->regs.gs_base = 0;
}

/* The instruction at the trap: fetched, decoded. False if it can't be, or is none. */
static bool fetch(struct trap *trap)
{
	uint8_t code[CODE_MAX];
	size_t len = CODE_MAX - emu_copy(code, (const void *)(uintptr_t)trap->regs.rip, CODE_MAX, NULL);

	if (emu_decode_segments(code, len)) {
		raw_syscall2(SYS_arch_prctl, ARCH_GET_FS, &trap->regs.fs_base);
		raw_syscall2(SYS_arch_prctl, ARCH_GET_GS, &trap->regs.gs_base);
	}
	return len && emu_decode(code, len, &trap->regs, &trap->insn) == 0;
}

static void finish(struct trap *trap, greg_t *gregs)
{
	if (trap->insn.load_reg >= 0 && trap->insn.kind == EMU_INSN_OTHER)
		gregs[gpr_index[trap->insn.load_reg]] = (greg_t)trap->regs.gpr[trap->insn.load_reg];
	gregs[REG_EFL] = (greg_t)trap->regs.flags;
	gregs[REG_RIP] = (greg_t)(trap->regs.rip + trap->insn.length);
}

static void tell_fault(const struct trap *trap, ucontext_t *uc)
{
	siginfo_t info;

	info = (siginfo_t){ .si_signo = trap->signo };
	info.si_code = trap->code;
	info.si_addr = (void *)(uintptr_t)trap->addr;
	uc->uc_mcontext.gregs[REG_TRAPNO] = trap->vector;
	uc->uc_mcontext.gregs[REG_CR2] = (greg_t)trap->addr;
	uc->uc_mcontext.gregs[REG_ERR] = trap->vector == 14 ? 6 : 0; /* user, write: as good as can be known */
	emu_signal_deliver(trap->signo, &info, uc, true);
}

void emu_trap(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct trap trap;

	if (info->si_code > 0 && signo != SIGILL && emu_memory_fault(signo, info, uc))
		return;
	if (info->si_code <= 0) {
		emu_signal_deliver(signo, info, uc, true); /* sent by kill */
		return;
	}
	get_regs(&trap, uc->uc_mcontext.gregs);
	if (!fetch(&trap)) {
		emu_signal_deliver(signo, info, uc, false);
		return;
	}
	emu_trace_site(trap.regs.rip);
	switch (emulate(&trap, signo)) {
	case DONE:
		emu_count(emu.state, EMU_COUNT_TRAPS, 1);
		finish(&trap, uc->uc_mcontext.gregs);
		break;
	case FAULT:
		tell_fault(&trap, uc);
		break;
	case NOT_OURS:
		emu_signal_deliver(signo, info, uc, false);
	}
}
