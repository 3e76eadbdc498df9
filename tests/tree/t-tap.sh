#!/bin/bash
# SPDX-License-Identifier: MIT
# What a failed test in bash shows: of long output the begin, what failed and the end; and how a
# program ended that sva-emu ran.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A test file of its own, in which COMMAND fails; its output.
failed() {
	cat >"$dir/t" <<-END
		top_srcdir=$top_srcdir
		top_builddir=$top_builddir
		. "\$top_srcdir/tests/tap.sh"
		$1
		ok "it works" $2
		done_testing
	END
	bash "$dir/t"
}

cat >"$dir/long" <<'END'
for i in $(seq 60); do echo "ok $i - line"; done
echo "not ok 61 - the one that failed"
echo "# got 1, want 0"
for i in $(seq 62 100); do echo "ok $i - line"; done
exit ${1:-0}
END
out=$(failed "" "bash $dir/long 1")
for line in 'ok 1 - line' 'ok 10 - line' 'not ok 61 - the one that failed' '# got 1, want 0' \
	'ok 100 - line'; do
	ok "long output of a failed test: its line '$line' is shown" grep -qxF "# $line" <<<"$out"
done
not_ok "long output of a failed test: other lines are left out" grep -qxF "# ok 30 - line" <<<"$out"
ok "their number is shown" grep -qxF \
	"# [81 lines left out, but for those of failed tests]" <<<"$out"
is "$(failed "" "sh -c 'seq 40; exit 1'" | grep -c '^# [0-9]*$')" 40 "all of short output is shown"

cd "$top_srcdir" || exit 1
# shellcheck source=tests/tree/files.sh
. tests/tree/files.sh
cannot_run() {
	local f
	while read -r f; do
		[ -x "$f" ] || echo "$f"
	done
}
is "$(files | grep -E '/t-[^/]*\.sh$' | cannot_run)" "" "every test in bash can be executed"
touch "$dir/t-new.sh"
is "$(cannot_run <<<"$dir/t-new.sh")" "$dir/t-new.sh" \
	"control: a test that cannot be executed is noticed"

if [ ! -x "$top_builddir/src/emu/sva-emu" ]; then
	skip "ends_with shows how a program ended" "sva-emu was not built"
else
	lib='. "$top_srcdir/tests/emu/lib.sh"'
	# dies HOW: the first line that ends_with shows of a program that prints two lines of TAP
	# and then ends so.
	dies() {
		printf '%s\n' 'echo "ok 1 - first"; echo "ok 2 - second"' "$1" >"$dir/dies"
		failed "$lib" "ends_with 0 ${2:-} bash $dir/dies" | sed -n '2p'
	}
	is "$(dies 'kill -SEGV $$')" \
		"# ended with 139 (killed by SIGSEGV), not 0, after 2 lines; the last: ok 2 - second" \
		"ends_with names the signal and the last line of a program that a signal killed"
	is "$(dies 'kill -KILL $$' "$top_builddir/src/emu/sva-emu run --redirect --")" \
		"# ended with 137 (killed by SIGKILL), not 0, after 2 lines; the last: ok 2 - second" \
		"ends_with names the signal and the last line of a program that died under sva-emu"
	is "$(dies 'exit 7')" "# ended with 7, not 0, after 2 lines; the last: ok 2 - second" \
		"ends_with shows an exit status"
	is "$(dies 'sleep 20' 'timeout 0.2')" \
		"# ended with 124 (timeout(1) ended it), not 0, after 2 lines; the last: ok 2 - second" \
		"ends_with shows that timeout(1) ended a program"
	echo 'echo "ok 1 - first"; exit 7' >"$dir/dies"
	is "$(failed "$lib" "ends_with 0 bash $dir/dies" | sed -n '3p')" \
		"# it ended before its plan: 1..N" \
		"ends_with shows that TAP ended before its plan"
	is "$(failed "$lib" "ends_with 0 bash $dir/long 1" | sed -n '4,5p')" \
		"# not ok 61 - the one that failed
# # got 1, want 0" "ends_with shows what failed in a program that prints TAP"
fi
done_testing
