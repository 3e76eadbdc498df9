/* SPDX-License-Identifier: MIT */
/* Executes one emulated instruction on the registers and memory of the program. */
#include <errno.h>
#include <signal.h>

#include "emu/base/raw.h"
#include "emu/device/check.h"
#include "emu/device/engine.h"
#include "emu/device/trace.h"
#include "emu/host/process.h"
#include "emu/insn/portals.h"
#include "emu/insn/step.h"

#define LINE 64u
#define UMWAIT_MAX_TICKS 100000u /* Linux' default of umwait_control/max_time */

/* The cache line that UMONITOR of this thread watches, and what was in it. */
static EMU_TLS struct {
	uint64_t addr; /* 0: nothing */
	uint64_t line[LINE / 8];
} monitor;

/* Raise general protection; why is for --check. */
static enum emu_verdict raise_protection(struct emu_step *step, const char *why)
{
	emu_check_say(step->regs.rip, "%s: general protection", why);
	step->fault = (struct emu_fault){ SIGSEGV, SI_KERNEL, 0 };
	step->vector = 13;
	return EMU_FAULT;
}

static enum emu_verdict raise_page_fault(struct emu_step *step, const struct emu_fault *fault)
{
	step->fault = *fault;
	step->vector = fault->code == SI_KERNEL ? 13 : 14;
	return EMU_FAULT;
}

static enum emu_verdict run_enqcmd(struct emu_step *step)
{
	bool readonly = false, swallow = false, retry = true;
	struct emu_fault fault;
	struct sva_desc desc;
	emu_queue_id queue;

	if (step->insn.kind == EMU_INSN_ENQCMDS)
		return raise_protection(step, "ENQCMDS is for the kernel");
	if (step->insn.dst % LINE)
		return raise_protection(step, "ENQCMD to an address that is no multiple of 64");
	if (emu_fetch(&desc, step->insn.src, sizeof(desc), &fault))
		return raise_page_fault(step, &fault);
	if (desc.pasid_priv)
		return raise_protection(step,
					"ENQCMD of a descriptor whose bits 31:0 are not zero");
	queue = emu_portal_at(step->insn.dst, &readonly, &swallow);
	if (!queue)
		queue = emu_portal_search(step->insn.dst);
	if (!emu.mm->pasid)
		return raise_protection(
			step, "ENQCMD, but this process has opened no queue and so has no PASID");
	if (!queue || readonly) {
		/* Ordinary memory accepts no command: ENQCMD reports retry. */
		if (!emu_probe(step->insn.dst, true, &fault))
			return raise_page_fault(step, &fault);
		emu_check_say(step->regs.rip,
			      "ENQCMD to memory that is no portal is answered with retry forever");
	} else if (swallow) {
		emu_check_say(
			step->regs.rip,
			"ENQCMD to a private mapping of a portal is answered with retry forever");
	} else {
		desc.pasid_priv = emu.mm->id & 0xfffff;
		retry = emu_submit(queue, SVA_MODEL_ENQCMD, &desc, false) == -EAGAIN;
	}
	step->regs.flags &= ~EMU_FLAGS_ARITH;
	if (retry)
		step->regs.flags |= EMU_FLAG_ZF;
	return EMU_DONE;
}

static enum emu_verdict run_movdir64b(struct emu_step *step)
{
	bool readonly = false, swallow = false;
	struct emu_fault fault;
	struct sva_desc desc;
	emu_queue_id queue;

	if (step->insn.dst % LINE)
		return raise_protection(step, "MOVDIR64B to an address that is no multiple of 64");
	if (emu_fetch(&desc, step->insn.src, sizeof(desc), &fault))
		return raise_page_fault(step, &fault);
	queue = emu_portal_at(step->insn.dst, &readonly, &swallow);
	if (!queue || readonly) {
		if (emu_store(step->insn.dst, &desc, sizeof(desc), &fault) == 0) {
			emu_count(emu.state, EMU_COUNT_STORE64, 1);
			return EMU_DONE;
		}
		if (!readonly)
			queue = emu_portal_search(step->insn.dst);
		if (!queue || readonly)
			return raise_page_fault(step, &fault);
	}
	if (!swallow)
		emu_submit(queue, SVA_MODEL_MOVDIR64B, &desc, false);
	return EMU_DONE;
}

static enum emu_verdict run_umonitor(struct emu_step *step)
{
	uint64_t line = step->insn.dst & ~(uint64_t)(LINE - 1);
	struct emu_fault fault;

	emu_count(emu.state, EMU_COUNT_UMONITOR, 1);
	if (emu_fetch(monitor.line, line, LINE, &fault))
		return raise_page_fault(step, &fault);
	monitor.addr = line;
	return EMU_DONE;
}

static bool has_line_changed(void)
{
	uint64_t now[LINE / 8];
	unsigned int i;

	if (emu_fetch(now, monitor.addr, LINE, NULL))
		return true;
	for (i = 0; i < LINE / 8; i++)
		if (now[i] != monitor.line[i])
			return true;
	return false;
}

/*
 * UMWAIT waits until the monitored line changes. UMWAIT and TPAUSE end at the deadline in edx:eax,
 * or at the limit that the system sets.
 */
static enum emu_verdict run_wait(struct emu_step *step)
{
	bool umwait = step->insn.kind == EMU_INSN_UMWAIT;
	uint64_t deadline = step->regs.gpr[EMU_RDX] << 32 | (uint32_t)step->regs.gpr[EMU_RAX];
	uint64_t start = raw_rdtsc(), now = start;

	emu_count(emu.state, umwait ? EMU_COUNT_UMWAIT : EMU_COUNT_TPAUSE, 1);
	if ((uint32_t)step->insn.control & ~1u)
		return raise_protection(step, umwait ? "UMWAIT with a reserved bit in its operand" :
						       "TPAUSE with a reserved bit in its operand");
	step->regs.flags &= ~EMU_FLAGS_ARITH;
	while (now < deadline && !(umwait && (!monitor.addr || has_line_changed()))) {
		if (now - start >= UMWAIT_MAX_TICKS) {
			step->regs.flags |= EMU_FLAG_CF;
			break;
		}
		raw_syscall0(SYS_sched_yield); /* an engine thread may need this CPU */
		now = raw_rdtsc();
	}
	if (umwait)
		monitor.addr = 0;
	return EMU_DONE;
}

/*
 * Any other load or store. On a portal a store is ignored and a load returns ones; elsewhere the
 * fault belongs to the program.
 */
static enum emu_verdict run_plain_access(struct emu_step *step)
{
	bool readonly = false, swallow = false;
	uint64_t *reg;

	if (!step->insn.loads && !step->insn.stores)
		return EMU_NOT_OURS;
	if (!emu_portal_at(step->insn.mem, &readonly, &swallow) || swallow)
		return EMU_NOT_OURS;
	if (readonly && step->insn.stores)
		return EMU_NOT_OURS;
	emu_check_say(step->regs.rip, "a portal takes only ENQCMD and MOVDIR64B: plain %s ignored",
		      step->insn.stores ? "store" : "load");
	if (step->insn.load_reg >= 0 && step->insn.loads) {
		reg = &step->regs.gpr[step->insn.load_reg];
		if (step->insn.load_bytes >= 4)
			*reg = step->insn.load_bytes == 8 ? UINT64_MAX : UINT32_MAX;
		else
			*reg |= step->insn.load_bytes == 2 ? 0xffff : 0xff;
	}
	return EMU_DONE;
}

enum emu_verdict emu_step_run(struct emu_step *step, bool undefined)
{
	switch (step->insn.kind) {
	case EMU_INSN_ENQCMD:
	case EMU_INSN_ENQCMDS:
		return run_enqcmd(step);
	case EMU_INSN_MOVDIR64B:
		return run_movdir64b(step);
	case EMU_INSN_UMONITOR:
		return run_umonitor(step);
	case EMU_INSN_UMWAIT:
	case EMU_INSN_TPAUSE:
		return run_wait(step);
	default:
		return undefined ? EMU_NOT_OURS : run_plain_access(step);
	}
}

size_t emu_step_fetch(const struct emu_step *step, uint8_t code[EMU_STEP_CODE])
{
	return EMU_STEP_CODE - emu_fetch(code, step->regs.rip, EMU_STEP_CODE, NULL);
}

bool emu_step_decode(struct emu_step *step, const uint8_t *code, size_t len)
{
	if (emu_decode_segments(code, len))
		emu_segment_bases(&step->regs.fs_base, &step->regs.gs_base);
	emu_trace_site(step->regs.rip);
	return len && emu_decode(code, len, &step->regs, &step->insn) == 0;
}
