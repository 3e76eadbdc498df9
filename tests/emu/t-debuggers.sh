#!/bin/bash
# SPDX-License-Identifier: MIT
# gdb, strace and valgrind as the manual describes them, on a program that verifies its copies.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

[ "$SANITIZERS" = no ] || [ -z "$SANITIZERS" ] ||
	skip_all "debuggers do not work with sanitizers"
storm=("$bin/storm" /dev/dsa/wq0.0 portal 2 10 16)

# debugged OPTION…: the program runs to its end in gdb, and each descriptor is executed.
debugged() {
	ends_with 0 timeout 60 "$emu" run --stats="$work/stats" "$@" -- \
		gdb -nx -batch -ex 'set debuginfod enabled off' \
		-ex 'handle SIGILL SIGSEGV SIGBUS nostop noprint pass' -ex run \
		--args "${storm[@]}" &&
		said 'exited normally' && [ "$(counter executed "$work/stats")" = 20 ]
}
if command -v gdb >/dev/null \
	&& gdb -nx -batch -ex run --args true 2>&1 | grep -q 'exited normally'; then
	ok "in gdb a program ends normally, all descriptors executed" debugged
	ok "in gdb a program ends normally, with a shared queue that is full" \
		debugged --async --queues wq0.0:shared,size=2
else
	skip "in gdb a program ends normally" "gdb is not installed, or may not trace"
fi

traced() {
	ends_with 0 timeout 60 "$emu" run --stats="$work/stats" -- \
		strace -f -o "$work/strace" "${storm[@]}" &&
		[ "$(grep -c -e '--- SIG\(ILL\|BUS\|SEGV\) ' "$work/strace")" -ge \
			"$(counter traps "$work/stats")" ]
}
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	ok "strace shows each trap as a signal" traced
else
	skip "strace shows each trap as a signal" "strace is not installed, or may not trace"
fi

storm[2]=write
valgrinded() {
	ends_with 0 timeout 120 "$emu" run --no-mmap --stats="$work/stats" -- \
		valgrind -q --error-exitcode=9 \
		--suppressions="$top_srcdir/tests/valgrind.supp" "${storm[@]}" &&
		[ "$(counter executed "$work/stats")" = 20 ]
}
if command -v valgrind >/dev/null; then
	ok "in valgrind a program that uses write(2) ends without an error" valgrinded
else
	skip "in valgrind a program that uses write(2) ends without an error" \
		"valgrind is not installed"
fi
done_testing
