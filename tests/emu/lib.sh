# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests of sva-emu. To be sourced: brings TAP, and says where things are.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

emu=$top_builddir/src/emu/sva-emu
bin=$top_builddir/tests/emu
work=$(mktemp -d "${TMPDIR:-/tmp}/emu-test-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
export SVA_EMU_QUIET=1 # programs under test compare what they see on stderr

[ -x "$emu" ] || skip_all "sva-emu was not built (no Zydis, or no x86-64)"

# ends_with STATUS COMMAND…: the command must end with that status. What it printed stays in $work/out.
ends_with() {
	local want=$1 got=0
	shift
	"$@" >"$work/out" 2>&1 || got=$?
	cat "$work/out"
	[ "$got" -eq "$want" ] || echo "ended with $got, not $want"
	[ "$got" -eq "$want" ]
}

# said PATTERN: the last command of ends_with printed it.
said() {
	grep -q -e "$1" "$work/out" || ! cat "$work/out"
}

# counter NAME FILE: a number out of sva-emu's --stats=FILE.
counter() {
	sed -n "s/^  \"$1\": \([0-9]*\),*$/\1/p" "$2"
}
