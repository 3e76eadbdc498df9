#!/bin/bash
# SPDX-License-Identifier: MIT
# The programs that test themselves under sva-emu, each with the options for the run that it needs.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

ok "the test of instructions passes" ends_with 0 "$emu" run -- "$bin/insn"
ok "the test of instructions passes with --check" ends_with 0 "$emu" run --check -- "$bin/insn"
ok "--check reports MOVDIR64B to a shared queue" said "MOVDIR64B to a shared queue is dropped"
ok "--check reports ENQCMD without a PASID" said "has opened no queue"
ok "--check reports ENQCMDS in a program" said "ENQCMDS is for the kernel: general protection"
ok "--check reports an ENQCMD to a misaligned address" \
	said "ENQCMD to an address that is no multiple of 64: general"
ok "--check reports a MOVDIR64B to a misaligned address" \
	said "MOVDIR64B to an address that is no multiple of 64: general"
ok "--check reports an UMWAIT with a reserved bit" \
	said "UMWAIT with a reserved bit in its operand: general"
ok "--check reports a descriptor with a PASID in it" \
	said "ENQCMD of a descriptor whose bits 31:0 are not zero: general"
ok "the test of the character device passes" ends_with 0 "$emu" run -- "$bin/cdev"
ok "the test of the character device passes with DSA 2" ends_with 0 \
	"$emu" run --profile dsa2 -- "$bin/cdev" dsa2
ok "the test of the character device passes with --no-mmap" ends_with 0 \
	"$emu" run --no-mmap -- "$bin/cdev" no-mmap
ok "the test of the character device passes with --refuse-sva" ends_with 0 \
	"$emu" run --refuse-sva -- "$bin/cdev" refuse-sva
ok "no line of a trace goes into files of the program" ends_with 0 \
	"$emu" run --trace "$work/trace" -- "$bin/cdev" trace
is "$(grep -c memmove "$work/trace")" 2 "the trace has both descriptors of the program"
ok "the test of page faults passes" ends_with 0 "$emu" run -- "$bin/faults"
ok "the test of page faults passes with --strict-faults" ends_with 0 \
	"$emu" run --strict-faults -- "$bin/faults" strict
done_testing
