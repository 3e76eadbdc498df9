# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests of sva-emu. To be sourced: TAP, the names of files, and what several tests
# need.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

emu=$top_builddir/src/emu/sva-emu
bin=$top_builddir/tests/emu
work=$(mktemp -d "${TMPDIR:-/tmp}/emu-test-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
export SVA_EMU_QUIET=1 # programs under test compare what they see on stderr
export SVA_EMU_RAWIO=1 # portals can be mapped, also where the tests have no privileges

[ -x "$emu" ] || skip_all "sva-emu was not built (no Zydis, or no x86-64)"

# ends_with STATUS COMMAND…: the command must end with that status. Its output stays in $work/out.
# If it ends otherwise, the way it ended is printed first, as long output is shortened.
ends_with() {
	local want=$1 got=0
	shift
	"$@" >"$work/out" 2>&1 || got=$?
	if [ "$got" -ne "$want" ]; then
		echo "ended with $(ending "$got"), not $want, after $(wc -l <"$work/out") lines;" \
			"the last: $(tail -n 1 "$work/out")"
		# A program that prints TAP prints its plan last.
		! grep -q '^ok 1 ' "$work/out" || grep -q '^1\.\.[0-9]' "$work/out" ||
			echo "it ended before its plan: 1..N"
		grep -A 2 '^not ok' "$work/out"
	fi
	cat "$work/out"
	[ "$got" -eq "$want" ]
}

# ending STATUS: the status in words. If a signal killed the program, sva-emu ends with 128 and the
# number of the signal, as a shell does.
ending() {
	local name
	if [ "$1" = 124 ]; then
		echo "124 (timeout(1) ended it)"
	elif [ "$1" -gt 128 ] && name=$(kill -l "$1" 2>/dev/null); then
		echo "$1 (killed by SIG$name)"
	else
		echo "$1"
	fi
}

# said PATTERN: the last command of ends_with printed this.
said() {
	grep -q -e "$1" "$work/out" || ! cat "$work/out"
}

# counter NAME FILE: prints a number from the FILE of --stats=FILE.
counter() {
	sed -n "s/^  \"$1\": \([0-9]*\),*$/\1/p" "$2"
}

# static PROGRAM FILE: links one of the programs beside the tests statically; without a compiler a
# program that was put there is taken. False, with the reason in $work/out, if it fails.
static() {
	if [ -x "$bin/$1-static" ]; then
		cp "$bin/$1-static" "$2"
	else
		${CC:-cc} -static -O2 -D_GNU_SOURCE -I"$top_srcdir/include" \
			"$top_srcdir/tests/emu/$1.c" \
			-o "$2" -pthread 2>"$work/out"
	fi
}

# dies_of INSTRUCTION: the exit status of a program that executes it at a portal without the
# emulator. A CPU that has MOVDIR64B finds no page there (SIGBUS); one that has ENQCMD, no PASID
# (SIGSEGV). Others do not know the instruction (SIGILL). The kernel does not list ENQCMD where it
# cannot provide a PASID, so CPUID is read.
dies_of() {
	if ! "$bin/hold" has "$1"; then
		echo 132
	elif [ "$1" = enqcmd ]; then
		echo 139
	else
		echo 135
	fi
}

# take_all COMMAND…: runs it as in a container without privileges: no capability, and no new
# namespace of any kind.
take_all() {
	unshare -U -r bash -c 'echo 0 >/proc/sys/user/max_user_namespaces || exit 125
		exec setpriv --bounding-set -all --inh-caps=-all "$@"' - "$@"
}

can_take_all() {
	command -v setpriv >/dev/null && take_all true 2>/dev/null
}
