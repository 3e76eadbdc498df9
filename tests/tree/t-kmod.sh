#!/bin/bash
# SPDX-License-Identifier: MIT
# The kernel module's files call each other in no circle, and no name in it is one of the library's.
# The module is built only where kernel headers are, so this reads its sources; and where a virtual
# machine's run has built objects of the same sources (tests/vm/run, or KMOD_OBJECTS=DIR), it
# compares the two.
. "${top_srcdir:?}/tests/tap.sh"

here=$top_srcdir/tests/tree
kmod=$top_srcdir/src/kmod
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# symbols [-v with_static=1] [-v unconditional=1] FILE…
symbols() {
	awk -f "$here/kernel-symbols.awk" "$@"
}

# in_one_direction SYMBOLS: of files in one room.
in_one_direction() {
	awk -v rooms=. -f "$here/rooms.awk" "$1"
}

# include_circles FOLDER: headers that include each other.
include_circles() {
	awk '/^#[ \t]*include[ \t]*"/ {
		split($0, quoted, "\"")
		file = FILENAME
		sub(/.*\//, "", file)
		print file ": " file " T"
		print file ": " quoted[2] " U"
	}' "$1"/*.h | sort -u | awk -v rooms=. -f "$here/rooms.awk"
}

# taken_names SYMBOLS: names in it that a public header of the library declares.
taken_names() {
	grep -ohE '\<sva_[a-z0-9_]+ *\(' "$top_srcdir"/include/sva/*.h | tr -d ' (' | sort -u \
		>"$tmp/library"
	[ "$(wc -l <"$tmp/library")" -gt 50 ] || { echo "no names in include/sva"; return 1; }
	awk '{ print $2 }' "$1" | sort -u | comm -12 - "$tmp/library" >"$tmp/both"
	cat "$tmp/both"
	[ ! -s "$tmp/both" ]
}

# other_prefix SYMBOLS: what it defines for other files under a name that does not begin with svad_.
other_prefix() {
	awk '$3 == "T" && $2 !~ /^svad_/ { print; bad = 1 } END { exit bad }' "$1"
}

# unused_elsewhere SYMBOLS: what it defines for other files and no other file uses.
unused_elsewhere() {
	awk '$3 == "T" { from[$2] = $1 } $3 == "U" { used[$2] = 1 }
	     END {
		for (name in from)
			if (!(name in used)) { print from[name], name; bad = 1 }
		exit bad
	     }' "$1"
}

opening_comments() {
	local f failed=0
	for f in "$1"/*.[ch]; do
		sed -n '2p' "$f" | grep -q '^/\*' ||
			{ echo "no opening comment in line 2: $f"; failed=1; }
	done
	return $failed
}

symbols "$kmod"/*.c >"$tmp/symbols"
symbols -v with_static=1 "$kmod"/*.c >"$tmp/all"
symbols -v unconditional=1 "$kmod"/*.c >"$tmp/unconditional"
ok "src/kmod: its files call each other in no circle" in_one_direction "$tmp/symbols"
ok "src/kmod: its headers include each other in no circle" include_circles "$kmod"
ok "src/kmod: no function or variable has the name of one of the library's functions" \
	taken_names "$tmp/all"
ok "src/kmod: what files share begins with svad_" other_prefix "$tmp/symbols"
ok "src/kmod: what only its own file uses is static" unused_elsewhere "$tmp/symbols"
ok "src/kmod: each file opens with a comment that says what it is" opening_comments "$kmod"

# built FOLDER: it has an object of each source, and the sources are those of the tree.
built() {
	local source
	for source in "$kmod"/*.c "$kmod"/*.h; do
		cmp -s "$source" "$1/${source##*/}" || return 1
		[[ $source == *.h || -f $1/$(basename "$source" .c).o ]] || return 1
	done
}

# object_symbols FOLDER: the same as symbols, of objects. Of names used only those of the module.
object_symbols() {
	local source
	for source in "$kmod"/*.c; do
		source=${source##*/}
		nm -P "$1/${source%.c}.o" | awk -v file="$source" '
			$2 ~ /^[TDBR]$/ && $1 !~ /^(init_module|cleanup_module|__)/ {
				print file ": " $1 " T"
			}
			$2 == "U" && $1 ~ /^svad_/ { print file ": " $1 " U" }'
	done
}

# shared_symbols DEFINING SYMBOLS: without names that no file of DEFINING defines, such as inline
# functions of headers.
shared_symbols() {
	awk 'NR == FNR { if ($3 == "T") defined[$2] = 1; next } $2 in defined' "$1" "$2" |
		LC_ALL=C sort -u
}

# same_symbols ALL UNCONDITIONAL OBJECTS: the objects have the symbols that are unconditional, and
# of the others none that is not in ALL: each kernel compiles its own.
same_symbols() {
	shared_symbols "$1" "$3" >"$tmp/in-objects"
	shared_symbols "$1" "$2" | LC_ALL=C comm -23 - "$tmp/in-objects" |
		sed 's/^/not in the objects: /' >"$tmp/differ"
	shared_symbols "$1" "$1" | LC_ALL=C comm -13 - "$tmp/in-objects" |
		sed 's/^/not in the sources: /' >>"$tmp/differ"
	cat "$tmp/differ"
	[ ! -s "$tmp/differ" ]
}

name="src/kmod: the symbols of its built objects are those that were read from its sources"
for folder in "${KMOD_OBJECTS:-}" "${top_builddir:?}"/tests/vm/modules/*/sva_dma; do
	[ -n "$folder" ] && built "$folder" || continue
	object_symbols "$folder" >"$tmp/objects"
	ok "$name" same_symbols "$tmp/symbols" "$tmp/unconditional" "$tmp/objects"
	ok "src/kmod: its built objects call each other in no circle" in_one_direction \
		"$tmp/objects"
	name=
	break
done
[ -z "$name" ] ||
	skip "$name" "no objects of these sources: make check-vm and tests/vm/run build them"

# ---- controls ----

# says WANT COMMAND…: the command fails and reports WANT.
says() {
	local want=$1 out
	shift
	if out=$("$@"); then
		echo "passed: $*"
		return 1
	fi
	grep -qF -- "$want" <<<"$out" || { echo "$out"; return 1; }
}

mkdir "$tmp/src"
cat >"$tmp/src/low.c" <<'END'
/* svad_high() is called in a comment only. */
static const char *text = "svad_high()";
int svad_low(struct svad_high *high)
{
	return 0;
}
END
cat >"$tmp/src/high.c" <<'END'
DEFINE_MUTEX(svad_lock);
static int sva_poll(void)
{
	return svad_low(NULL);
}

int svad_high(int a,
	      int b)
{
	return sva_poll();
}
END
symbols -v with_static=1 "$tmp/src"/{low,high}.c >"$tmp/both-ways"
is "$(sort "$tmp/both-ways")" "high.c: sva_poll t
high.c: svad_high T
high.c: svad_lock T
high.c: svad_low U
low.c: svad_low T
low.c: text t" "control: names in comments, strings and tags of structures are no calls"
ok "control: a call in one direction passes" in_one_direction "$tmp/both-ways"
ok "control: a static function with the name of a library function fails, by name" \
	says sva_poll taken_names "$tmp/both-ways"
ok "control: a function that no other file uses fails, by name" \
	says "svad_high" unused_elsewhere "$tmp/both-ways"
printf 'int svad_back(void)\n{\n\treturn svad_high(1, 2);\n}\n' >>"$tmp/src/low.c"
symbols "$tmp/src"/*.c >"$tmp/circle"
ok "control: a circle of two files fails, by name" \
	says "circle: high.c+low.c" in_one_direction "$tmp/circle"
printf '#ifdef NEW\nvoid f(void)\n{\n\tsvad_low(NULL);\n\tsvad_back();\n}\n#endif\n' \
	>>"$tmp/src/high.c"
symbols "$tmp/src"/*.c >"$tmp/new"
symbols -v unconditional=1 "$tmp/src"/*.c >"$tmp/old"
ok "control: objects without a call that is conditional are those of the sources" \
	same_symbols "$tmp/new" "$tmp/old" "$tmp/old"
grep -v "high.c: svad_low U" "$tmp/old" >"$tmp/less"
ok "control: objects without a call that is unconditional are not, by name" \
	says "not in the objects: high.c: svad_low U" \
	same_symbols "$tmp/new" "$tmp/old" "$tmp/less"
ok "control: objects with a call that no source has are not, by name" \
	says "not in the sources: high.c: svad_back U" \
	same_symbols "$tmp/old" "$tmp/old" "$tmp/new"
echo 'int other(void)' >"$tmp/src/other.c"
symbols "$tmp/src"/*.c >"$tmp/other"
ok "control: a shared function without the prefix fails, by name" \
	says "other.c: other" other_prefix "$tmp/other"
echo '#include "b.h"' >"$tmp/src/a.h"
echo '#include "a.h"' >"$tmp/src/b.h"
ok "control: two headers that include each other fail, by name" \
	says "circle: a.h+b.h" include_circles "$tmp/src"
done_testing
