#!/bin/bash
# SPDX-License-Identifier: MIT
# The Python module with the system's python3, without a device and on the emulated one; and its
# structures have the sizes of C's.
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"

python=/usr/bin/python3
emu=${top_builddir:?}/src/emu/sva-emu
export LD_LIBRARY_PATH=$top_builddir/src/lib/.libs SVA_EMU_QUIET=1 PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$top_srcdir/src/bindings/python
unset SVA_PATHS SVA_QUEUES

[ -x $python ] || skip_all "python3 is not installed"
[ "${SANITIZERS:-no}" = no ] || skip_all "python3 cannot load a library with sanitizers"
[ -f "$LD_LIBRARY_PATH/libsva.so.0" ] || skip_all "there is no shared library in this build"

# tap COMMAND…: a program that prints TAP succeeds.
tap() {
	local out
	out=$(timeout 300 "$@" 2>&1) && grep -q '^1\.\.' <<<"$out" || { echo "$out"; false; }
}
test=$top_srcdir/tests/bindings/python.py

ok "without a device: what tests/bindings/python.py asserts holds" tap $python "$test"
ok "with the DSA in software: the same holds" env SVA_PATHS=soft $python "$test"
for mode in '' --no-mmap --async=2; do
	if [ -x "$emu" ]; then
		# shellcheck disable=SC2086
		ok "on the emulated device ${mode:-by portals}: the same holds" \
			tap "$emu" run $mode -- $python "$test" device
	else
		skip "on the emulated device: the same holds" "sva-emu was not built"
	fi
done
# The numbers of the manual's page on moving from DML.
crcs() {
	$python -c 'import sva
B, R = 1 << 17, 1 << 18
for seed, flags in ((0, 0), (0, B), (2**32 - 1, B), (0, R), (0, B | R), (2**32 - 1, B | R)):
    print("%08x" % sva.default.start_crc(b"123456789", seed, flags).wait().value)'
}
listed() {
	sed -n '/^\.\\" crc/,/^\.TE/p' "$top_srcdir/man/sva_dml.7" |
		sed -n 's/.*\t\([0-9a-f]\{8\}\)$/\1/p'
}
is "$(crcs)" "$(listed)" "sva_dml.7 has the CRCs of each convention, as the CPU computes them"
is "$(SVA_PATHS=soft crcs)" "$(listed)" "the DSA in software computes the same"

not_ok "control: without a device it is noticed that no device did the work" \
	$python "$test" device

sizes='#include <stdio.h>
#include <sva/sva.h>
int main(void)
{
	return printf("%zu %zu %d\n", sizeof(struct sva_result), sizeof(struct sva_opts),
		      SVA_OP_SIZE) < 0;
}'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ${CC:-cc} -I"$top_srcdir/include" -I"$top_builddir/include" -x c -o "$work/sizes" - \
	<<<"$sizes" 2>/dev/null; then
	is "$($python -c 'import ctypes, sva
print(ctypes.sizeof(sva._Result), ctypes.sizeof(sva._Opts), sva._OP_SIZE)')" \
		"$("$work/sizes")" "the structures have the sizes that C says"
else
	skip "the structures have the sizes that C says" "no C compiler"
fi
done_testing
