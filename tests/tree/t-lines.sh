#!/bin/bash
# SPDX-License-Identifier: MIT
# The length of lines: at most 100 columns in sources, 80 in prose and in the text of the manual
# (lines.awk).
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"
cd "$top_srcdir" || exit 1
# shellcheck source=tests/tree/files.sh
. tests/tree/files.sh

long_lines() {
	LC_ALL=C ${AWK:-awk} -f tests/tree/lines.awk "$@"
}

# The list of mutants quotes changed lines of code.
mapfile -t all < <(sources | grep -v '^tests/model/mutation-survivors\.txt$')
ok "${#all[@]} files: no line is too long" long_lines "${all[@]}"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# line N: N characters, in words.
line() {
	printf '%0200d' 0 | sed 's/0000/abc /g' | cut -c "1-$1" | sed 's/ $/d/'
}
# passes NAME FILE TEXT; fails NAME FILE TEXT [LINE]: LINE, or the first, is reported.
passes() {
	printf '%s\n' "$3" >"$dir/$2"
	ok "control: $1 passes" long_lines "$dir/$2"
}
fails() {
	printf '%s\n' "$3" >"$dir/$2"
	is "$(long_lines "$dir/$2" | sed 's/: [0-9]*$//')" "$dir/$2:${4:-1}" \
		"control: $1 is reported"
}

passes "a source with a line of 100 columns" a.c "$(line 100)"
fails "a source with a line of 101 columns" a.c "$(line 101)"
fails "a line of 8 tabs and 40 characters" a.c "$(printf '\t\t\t\t\t\t\t\t')$(line 40)"
passes "a line of 100 columns and 104 bytes" a.sh "$(line 98)……"
passes "a string of 108 characters on a line of its own" a.c "	\"$(line 108)\","
fails "a string of 108 characters behind code" a.c "	f(\"$(line 108)\");"
passes "prose with a line of 80 columns" a.md "$(line 80)"
fails "prose with a line of 81 columns" a.md "$(line 81)"
fails "NEWS with a line of 81 columns" NEWS "$(line 81)"
passes "a row of a table in prose, 200 columns" a.md "| $(line 198)"
passes "a block of code in prose, 90 columns" a.md "\`\`\`
$(line 90)
\`\`\`"
fails "prose of 90 columns behind a block of code" a.md "\`\`\`
\`\`\`
$(line 90)" 3
passes "a single word of 90 characters in prose, as of an address" a.md "$(printf '%090d' 0)"
fails "text of the manual with 81 columns" a.3 "$(line 81)"
passes "a request of the manual with 100 columns" a.3 ".BI $(line 96)"
fails "a request of the manual with 101 columns" a.3 ".BI $(line 97)"
done_testing
