#!/bin/bash
# SPDX-License-Identifier: MIT
# sva_tutorial(7), followed to the letter: each command of the page is run in the order of the page,
# and must print the lines that the page shows below it ("..." stands for anything).
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"

export LC_ALL=C
unset SVA_PATHS SVA_QUEUES SVA_EMU_RAWIO SVA_EMU_QUIET SVA_LOG
page=$top_srcdir/man/sva_tutorial.7
build=${top_builddir:?}
[ "$SANITIZERS" = no ] || skip_all "the page is the same with sanitizers"
[ -x "$build/src/emu/sva-emu" ] || skip_all "sva-emu was not built (no Zydis, or no x86-64)"
[ -f "$SVA_PLUGIN_DIR/dsa.so" ] || skip_all "this build has no libaccel-config"
command -v accel-config >/dev/null || skip_all "accel-config is not installed"

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
# The library is not installed: pkg-config names the build, and the programs are those of the build.
cat >"$work/bin/pkg-config" <<END
#!/bin/sh
echo "-I$top_srcdir/include -I$build/include"
echo "-L$build/src/lib/.libs -Wl,-rpath,$build/src/lib/.libs -lsva"
END
cat >"$work/bin/cc" <<END
#!/bin/sh
exec ${CC:-cc} "\$@"
END
chmod +x "$work"/bin/*
PATH=$work/bin:$build/src/emu:$build/src/tools:$PATH
cd "$work" || exit 99
cp "$top_srcdir/man/examples/tutorial.c" batch.c

# steps PAGE: the commands and their lines: "$ COMMAND" and "> LINE".
steps() {
	sed 's/\\-/-/g; s/\\(aq/'\''/g; s/\\e/\\/g' "$1" |
		awk '/^\.EX/ { on = 1; shown = 0; next } /^\.EE/ { on = 0 }
		     on && /^\$ / { shown = 1; print; next } on && shown { print "> " $0 }'
}

# matches WANT: each line of the file has its line in out, in order.
matches() {
	local want line
	exec 3<out
	while read -r want; do
		while :; do
			IFS= read -r line <&3 || { echo "no line: $want"; cat out; return 1; }
			# shellcheck disable=SC2053
			[[ $line != ${want//.../*} ]] || break
		done
	done <"$1"
}

run() {
	bash -c "$1" >out 2>err || { cat out err; return 1; }
	matches want
}

# follow PAGE: runs all.
follow() {
	local line command=
	: >want
	while IFS= read -r line; do
		case $line in
		'$ '*)
			[ -z "$command" ] || ok "$command" run "$command"
			command=${line#'$ '}
			: >want
			;;
		*) printf '%s\n' "${line#> }" >>want ;;
		esac
	done < <(steps "$1")
	[ -z "$command" ] || ok "$command" run "$command"
}
ok "the page has at least ten commands" test "$(steps "$page" | grep -c '^\$ ')" -ge 10
follow "$page"
echo '8 blocks, sum 1, path=...' >want
not_ok "control: a line that a command does not print is noticed" run ./batch
done_testing
