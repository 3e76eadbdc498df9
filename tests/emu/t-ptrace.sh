#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that no library can be loaded into, traced from outside: built statically here, if this machine has what that takes.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

[ "$SANITIZERS" = no ] || [ -z "$SANITIZERS" ] || skip_all "sanitizers can not be linked statically"
for program in insn cdev faults storm raw; do
	static $program "$work/$program" || skip_all "no static programs here: $(head -n 1 "$work/out")"
done
"$emu" run --ptrace -- true 2>"$work/out" || skip_all "no ptrace here: $(head -n 1 "$work/out")"

ok "without --ptrace a static program is refused" ends_with 126 "$emu" run -- "$work/insn"
ok "with the reason and the way out" said "linked statically.*--ptrace"
ok "a static program that another one starts dies of its ENQCMD as this CPU has it" ends_with "$(dies_of enqcmd)" \
	env SVA_EMU_QUIET='' "$emu" run -- bash -c "exec '$work/storm' /dev/dsa/wq0.0 portal 1 1 16"
ok "it is named" said "storm is linked statically.*--ptrace can"
ok "and of its MOVDIR64B likewise" ends_with "$(dies_of movdir64b)" \
	env SVA_EMU_QUIET='' "$emu" run -- bash -c "exec '$work/storm' /dev/dsa/wq0.1 portal 1 1 16"
ok "with the way out" said "storm is linked statically.*--ptrace"
for how in "" --redirect; do
	name=${how:+ (paths redirected)}
	ok "instructions$name" ends_with 0 "$emu" run --ptrace $how -- "$work/insn" ptrace
	ok "character device$name" ends_with 0 "$emu" run --ptrace $how -- "$work/cdev" ptrace
	ok "system calls, handlers and masks$name" ends_with 0 "$emu" run --ptrace $how -- "$work/raw" insn ptrace
	ok "page faults$name" ends_with 0 "$emu" run --ptrace $how -- "$work/faults"
	ok "threads on a shared queue$name" ends_with 0 "$emu" run --ptrace $how --stats="$work/stats" --retry 5 -- \
		"$work/storm" /dev/dsa/wq0.0 portal 4 40 16
	is "$(counter executed "$work/stats")" 160 "every descriptor was executed, once$name"
	ok "threads on a dedicated queue, by write$name" ends_with 0 "$emu" run --ptrace $how -- \
		"$work/storm" /dev/dsa/wq0.1 write 4 40 16
done
ok "a shell and what it starts" ends_with 0 "$emu" run --ptrace -- \
	sh -c "test -c /dev/dsa/wq0.0 && '$work/storm' /dev/dsa/wq0.0 portal 1 5 16 && '$work/storm' /dev/dsa/wq0.1 portal 1 5 16"
not_ok "a flipped byte is noticed" "$emu" run --ptrace --sabotage flip:5 -- "$work/storm" /dev/dsa/wq0.0 portal 1 20 16
done_testing
