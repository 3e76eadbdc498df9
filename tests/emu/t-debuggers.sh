#!/bin/bash
# SPDX-License-Identifier: MIT
# What the manual says of gdb, strace and valgrind, on a program that verifies what it copied.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

[ "$SANITIZERS" = no ] || [ -z "$SANITIZERS" ] || skip_all "sanitizers and debuggers do not go together"
storm=("$bin/storm" /dev/dsa/wq0.0 portal 2 10 16)

# debugged OPTION…: the program runs to its end in gdb, and every descriptor is executed.
debugged() {
	ends_with 0 timeout 60 "$emu" run --stats="$work/stats" "$@" -- gdb -nx -batch -ex 'set debuginfod enabled off' \
		-ex 'handle SIGILL SIGSEGV SIGBUS nostop noprint pass' -ex run --args "${storm[@]}" &&
		said 'exited normally' && [ "$(counter executed "$work/stats")" = 20 ]
}
if command -v gdb >/dev/null && gdb -nx -batch -ex run --args true 2>&1 | grep -q 'exited normally'; then
	ok "gdb" debugged
	ok "gdb, with a shared queue that is full" debugged --async --queues wq0.0:shared,size=2
else
	skip "gdb" "it is not installed, or may not trace"
fi

traced() {
	ends_with 0 timeout 60 "$emu" run --stats="$work/stats" -- strace -f -o "$work/strace" "${storm[@]}" &&
		[ "$(grep -c -e '--- SIG\(ILL\|BUS\|SEGV\) ' "$work/strace")" -ge "$(counter traps "$work/stats")" ]
}
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	ok "strace shows every trap as a signal" traced
else
	skip "strace" "it is not installed, or may not trace"
fi

storm[2]=write
valgrinded() {
	ends_with 0 timeout 120 "$emu" run --no-mmap --stats="$work/stats" -- \
		valgrind -q --error-exitcode=9 --suppressions="$top_srcdir/tests/valgrind.supp" "${storm[@]}" &&
		[ "$(counter executed "$work/stats")" = 20 ]
}
if command -v valgrind >/dev/null; then
	ok "valgrind, by write(2)" valgrinded
else
	skip "valgrind" "it is not installed"
fi
done_testing
