#!/bin/bash
# SPDX-License-Identifier: MIT
# The programs that test themselves under sva-emu, each with the options that shape the run for it.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

ok "instructions" ends_with 0 "$emu" run -- "$bin/insn"
ok "instructions, with --check" ends_with 0 "$emu" run --check -- "$bin/insn"
ok "--check names the wrong instruction" said "MOVDIR64B to a shared queue is dropped"
ok "--check names the missing PASID" said "has opened no queue"
ok "--check names ENQCMDS in a program" said "ENQCMDS is for the kernel: general protection"
ok "--check names an ENQCMD to a misaligned address" said "ENQCMD to an address that is no multiple of 64: general"
ok "--check names a MOVDIR64B to a misaligned address" said "MOVDIR64B to an address that is no multiple of 64: general"
ok "--check names an UMWAIT with a reserved bit" said "UMWAIT with a reserved bit in its operand: general"
ok "--check names a descriptor with a PASID in it" said "ENQCMD of a descriptor whose bits 31:0 are not zero: general"
ok "character device" ends_with 0 "$emu" run -- "$bin/cdev"
ok "character device of DSA 2" ends_with 0 "$emu" run --profile dsa2 -- "$bin/cdev" dsa2
ok "character device without mmap" ends_with 0 "$emu" run --no-mmap -- "$bin/cdev" no-mmap
ok "character device without SVA" ends_with 0 "$emu" run --refuse-sva -- "$bin/cdev" refuse-sva
ok "a trace does not go into files of the program" ends_with 0 "$emu" run --trace "$work/trace" -- "$bin/cdev" trace
is "$(grep -c memmove "$work/trace")" 2 "both descriptors are in the trace"
ok "page faults" ends_with 0 "$emu" run -- "$bin/faults"
ok "page faults, strictly" ends_with 0 "$emu" run --strict-faults -- "$bin/faults" strict
done_testing
