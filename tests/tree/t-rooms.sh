#!/bin/bash
# SPDX-License-Identifier: MIT
# The direction between the rooms of each folder, read from the built objects and from the includes;
# and that files call each other in no circle but the declared ones. tests/tree/rooms says which
# rooms there are, tests/tree/objects (made by make) which objects. Last the controls: each kind of
# fault, built on purpose, must be reported.
. "${top_srcdir:?}/tests/tap.sh"

here=$top_srcdir/tests/tree
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "${top_builddir:?}" || exit 1

calls() {
	bash "$here/rooms.sh" "$@"
}

# includes TOP FOLDER ROOMS
includes() {
	local files
	mapfile -t files < <(find "$1/$2" -name '*.[ch]' | sort)
	awk -v folder="$2" -v rooms="$3" -f "$here/includes.awk" "${files[@]}"
}

opening_comments() {
	local f failed=0
	while read -r f; do
		sed -n '2p' "$f" | grep -q '^/\*' ||
			{ echo "no opening comment in line 2: ${f#"$top_srcdir"/}"; failed=1; }
	done < <(find "$top_srcdir/$1" -name '*.c' | sort)
	return $failed
}

declare -A seen
while IFS='|' read -r unit folder rooms loops; do
	unit=${unit// /} folder=${folder// /} loops=${loops%%#*}
	[[ $unit && $unit != \#* ]] || continue
	if ! read -r -a objects < <(sed -n "s/^$unit //p" tests/tree/objects); then
		skip "$unit: its files call downwards and in no circle" "it is not built here"
		continue
	fi
	ok "$unit: its files call downwards and in no circle" calls "$folder" "$rooms" "$loops" \
		"${objects[@]}"
	[ -z "${seen[$folder]:-}" ] || continue
	seen[$folder]=1
	ok "$folder: includes go downwards" includes "$top_srcdir" "$folder" "$rooms"
	ok "$folder: each file opens with a comment that says what it is" opening_comments "$folder"
done <"$here/rooms"

# Code above the submission table asks a row what it can do, never which row it is. The rows
# themselves, the table, and the calls of the module's own interface (sva_dma_…) name paths; a word
# table and its users only translate them.
names_no_path() {
	! grep -nE -e "SVA_PATH_(ENQCMD|MOVDIR64B|WRITE|DMA|SOFT)" \
		-e "sva_submit_(enqcmd|movdir64b|write|dma|soft)\b" "$@"
}

mapfile -t above < <(find "$top_srcdir"/src/lib/{api,run,op,queue} -name '*.[ch]' |
	grep -vE '/(queue/(portal|write|dma|soft|ways)\.[ch]|api/(dma|uring)\.c)$')
ok "src/lib: no code above the submission table names a path" names_no_path "${above[@]}"

# source_file FILE TEXT: a source of the controls' own folder.
source_file() {
	mkdir -p "$tmp/src/x/${1%/*}"
	echo "$2" >"$tmp/src/x/$1.c"
}

# compile FILE TEXT: the same, and its object.
compile() {
	source_file "$@"
	(cd "$tmp" && ${CC:-cc} -c -o "src/x/$1.o" "src/x/$1.c") || exit 1
}

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

control() {
	(cd "$tmp" && calls src/x "$1" "$2" x "${@:3}")
}

compile low/a "int a(void) { return 1; }"
compile high/b "int a(void); int b(void) { return a(); }"
ok "control: a call from a higher room to a lower one passes" control "low high" "" src/x/low/a.o \
	src/x/high/b.o
ok "control: a call from a lower room to a higher one fails, by name" \
	says "up: high/b.c uses low/a.c: a" control "high low" "" src/x/low/a.o src/x/high/b.o
ok "control: a call between rooms of one level fails, by name" \
	says "across: high/b.c uses low/a.c: a" control "high,low" "" src/x/low/a.o src/x/high/b.o
ok "control: a file in no room fails, by name" says "in no room: high/b.c" control "low" "" \
	src/x/low/a.o src/x/high/b.o
compile low/c "int d(void); int c(void) { return d(); }"
compile low/d "int e(void); int d(void) { return e(); }"
compile low/e "int c(void); int e(void) { return c(); }"
circle=low/c.c+low/d.c+low/e.c
ok "control: a circle of three files fails, by name" says "circle: $circle" control low "" \
	src/x/low/{c,d,e}.o
ok "control: a circle that is declared passes" control low "$circle" src/x/low/{c,d,e}.o
ok "control: a declared circle that is gone fails" says "no such circle any more: $circle" control \
	low "$circle" src/x/low/a.o
source_file low/f "#include \"x/high/b.h\""
ok "control: an include of a higher room's header fails, by name" \
	says "include: low/f.c includes x/high/b.h" includes "$tmp" src/x "low high"
ok "control: an include of a lower room's header passes" includes "$tmp" src/x "high low"
source_file low/f "#include \"../high/b.h\""
ok "control: an include through .. fails, by name" says "low/f.c includes ../high/b.h" includes \
	"$tmp" src/x "high low"

source_file low/f "int f(int path) { return path == SVA_PATH_DMA; }"
ok "control: a path that is named above the submission table fails, by name" \
	says "path == SVA_PATH_DMA" names_no_path "$tmp/src/x/low/f.c"

done_testing
