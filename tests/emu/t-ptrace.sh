#!/bin/bash
# SPDX-License-Identifier: MIT
# --ptrace: static programs, into which no library can be loaded, traced from outside.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

[ "$SANITIZERS" = no ] || [ -z "$SANITIZERS" ] || skip_all "sanitizers cannot be linked statically"
for program in insn cdev faults storm raw; do
	static $program "$work/$program" ||
		skip_all "static programs cannot be linked here: $(head -n 1 "$work/out")"
done
"$emu" run --ptrace -- true 2>"$work/out" ||
	skip_all "ptrace is not possible here: $(head -n 1 "$work/out")"

ok "a static program is refused without --ptrace" ends_with 126 "$emu" run -- "$work/insn"
ok "the refusal of a static program names the reason, and --ptrace" \
	said "linked statically.*--ptrace"
ok "a static program that another one starts is killed at its ENQCMD" \
	ends_with "$(dies_of enqcmd)" \
	env SVA_EMU_QUIET='' "$emu" run -- bash -c "exec '$work/storm' /dev/dsa/wq0.0 portal 1 1 16"
ok "its ENQCMD: a warning names the static program, and --ptrace" \
	said "storm is linked statically.*--ptrace can"
ok "a static program that another one starts is killed at its MOVDIR64B" \
	ends_with "$(dies_of movdir64b)" \
	env SVA_EMU_QUIET='' "$emu" run -- bash -c "exec '$work/storm' /dev/dsa/wq0.1 portal 1 1 16"
ok "its MOVDIR64B: a warning names the static program, and --ptrace" \
	said "storm is linked statically.*--ptrace"
for how in "" --redirect; do
	name=${how:+ (paths redirected)}
	ok "the test of instructions passes with --ptrace$name" ends_with 0 \
		"$emu" run --ptrace $how -- "$work/insn" ptrace
	ok "the test of the character device passes with --ptrace$name" ends_with 0 \
		"$emu" run --ptrace $how -- "$work/cdev" ptrace
	ok "the test of system calls, handlers and masks passes with --ptrace$name" ends_with 0 \
		"$emu" run --ptrace $how -- "$work/raw" insn ptrace
	ok "the test of page faults passes with --ptrace$name" ends_with 0 \
		"$emu" run --ptrace $how -- "$work/faults"
	ok "4 threads on a shared queue with --ptrace: each copy is right$name" ends_with 0 \
		"$emu" run --ptrace $how --stats="$work/stats" --retry 5 -- \
		"$work/storm" /dev/dsa/wq0.0 portal 4 40 16
	is "$(counter executed "$work/stats")" 160 \
		"4 threads on a shared queue with --ptrace: 160 descriptors were executed$name"
	ok "4 threads on a dedicated queue, write(2), --ptrace: each copy is right$name" \
		ends_with 0 \
		"$emu" run --ptrace $how -- "$work/storm" /dev/dsa/wq0.1 write 4 40 16
done
ok "--ptrace of a shell: the programs that it starts use both queues" ends_with 0 \
	"$emu" run --ptrace -- sh -c "test -c /dev/dsa/wq0.0 &&
		'$work/storm' /dev/dsa/wq0.0 portal 1 5 16 &&
		'$work/storm' /dev/dsa/wq0.1 portal 1 5 16"
not_ok "control: --ptrace --sabotage flip: a program that verifies its copies fails" \
	"$emu" run --ptrace --sabotage flip:5 -- "$work/storm" /dev/dsa/wq0.0 portal 1 20 16
done_testing
