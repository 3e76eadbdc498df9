# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests of the drop-in. To be sourced.
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"

export LC_ALL=C
emu=${top_builddir:?}/src/emu/sva-emu
preload=$top_builddir/src/preload/sva-preload
library=$top_builddir/src/preload/.libs/libsva-preload.so
export LD_LIBRARY_PATH=$top_builddir/src/lib/.libs SVA_EMU_QUIET=1
unset SVA_PATHS SVA_QUEUES SVA_THRESHOLD "${!SVA_PRELOAD_@}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -f "$library" ] || skip_all "libsva-preload.so was not built (no x86-64)"
[ "${SANITIZERS:-no}" = no ] ||
	skip_all "the library has sanitizers, which programs that load it late do not support"

# by_device CALL FILE: how many calls a device has done, of all processes in the file of --stats.
by_device() {
	awk -v call="$1:" '$2 == call { sum += $4 } END { print sum + 0 }' "$2"
}

# by_cpu CALL WHY FILE: how many the CPU did although they were long enough.
by_cpu() {
	awk -v call="$1:" -v why="$2" '$2 == call {
		for (i = 3; i < NF; i++) if ($i == why) sum += $(i + 1)
	} END { print sum + 0 }' "$3"
}
