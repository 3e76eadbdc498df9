#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual is well-formed and complete: a page for every function and program, every section in
# it, prototypes as in the headers, references that lead somewhere.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

export LC_ALL=C

man=$top_srcdir/man
pages=$(cd "$man" && ls ./*.[1-9] | sed 's,^\./,,')

functions() {
	sed -n 's/^\(SVA_API\|SVA_INLINE\) [^(]*[ *]\(sva_[a-z0-9_]*\)(.*/\2/p' \
		"$top_srcdir"/include/sva/*.h | sort
}

# The names of a page, one a line.
names() {
	sed -n '/^\.SH NAME/,/\\-/p' "$1" | sed '1d; s/ \\-.*//; s/\\//g' | tr ' ,' '\n\n' |
		grep -v '^$'
}

# Prototypes without white space, so that only the words count: from pages, and from headers.
page_prototypes() {
	sed -n '/^\.SH SYNOPSIS/,/^\.SH DESC/p' "$@" | grep '^\.BI' |
		sed 's/^\.BI//; s/[" \t]//g' | tr -d '\n' | sed 's/;/;\n/g' | sort
}

header_prototypes() {
	cat "$top_srcdir"/include/sva/*.h |
		sed -n '/^\(SVA_API\|SVA_INLINE\) /{
			:more; /)/!{N; b more}; s/\n/ /g; s/)[^)]*$/);/; p}' |
		sed 's/^SVA_[A-Z]* //; s/[ \t]//g' | sort
}

lint() {
	mandoc -T lint -W error "$@"
}

is "$(for page in $pages; do
	! grep -q '^\.TS' "$man/$page" || head -n 1 "$man/$page" | grep -q "^'.. t\$" ||
		echo "$page"
done)" "" "pages with tables ask for tbl in their first line"

for page in $pages; do
	if command -v mandoc >/dev/null; then
		ok "mandoc finds no error in $page" lint "$man/$page"
	else
		skip "mandoc finds no error in $page" "mandoc is not installed"
	fi
done
if command -v mandoc >/dev/null; then
	broken=$(mktemp)
	printf '.TH X 3 2026-01-01\n.SH NAME\nx \\- y\n.TS\nl l\n' >"$broken"
	not_ok "control: mandoc objects to a broken page" lint "$broken"
	rm -f "$broken"
fi

section3=$(printf '%s\n' "$pages" | grep '\.3$')
for page in $section3; do
	lacking=
	for section in NAME SYNOPSIS DESCRIPTION "RETURN VALUE" ERRORS ATTRIBUTES NOTES EXAMPLES \
		"SEE ALSO"; do
		grep -qx "\.SH $section" "$man/$page" || lacking="$lacking $section"
	done
	is "$lacking" "" "$page has every section"
	ok "$page has its own name" grep -qx "${page%.3}" <(names "$man/$page")
done

# Every function is a name of one page, and each further name of a page is an alias that is built.
is "$(for page in $section3; do names "$man/$page"; done | grep -vx sva_plugin | sort)" \
	"$(functions)" "every function has a page, and no page is too many"
for page in $section3; do
	for name in $(names "$man/$page"); do
		[ "$name" = "${page%.3}" ] && continue
		is "$(cat "$top_builddir/man/$name.3" 2>&1)" ".so man3/$page" "$name leads to $page"
	done
done

is "$(for page in $section3; do page_prototypes "$man/$page"; done | sort)" "$(header_prototypes)" \
	"the prototypes are those of the headers"
not_ok "control: a wrong prototype is noticed" \
	diff <(for page in $section3; do page_prototypes "$man/$page"; done |
	sed 's/uint32_t\*pasid/int*pasid/' | sort) <(header_prototypes)

# Each function has two rows of attributes: for threads, and for cancellation.
without_attributes() {
	local page name rows
	for page in $section3; do
		[ "$page" = sva_plugin.3 ] && continue
		rows=$(sed -n '/^\.SH ATTRIBUTES/,/^\.TE/p' "$man/$page" | awk '
			{ row = row " " $0; open += gsub(/T\{/, "&") - gsub(/T\}/, "&") }
			!open { print row; row = "" }')
		for name in $(names "$man/$page"); do
			grep -q "$name().*Thread safety" <<<"$rows" || echo "$name: Thread safety"
			grep -q "$name().*Cancellation" <<<"$rows" || echo "$name: Cancellation"
		done
	done
}
is "$(without_attributes)" "" "each function has its attributes for threads and for cancellation"
is "$(man=$(mktemp -d) &&
	sed 's/Cancellation/Nothing/' "$top_srcdir/man/sva_open.3" >"$man/sva_open.3" &&
	section3=sva_open.3 without_attributes)" \
	"$(printf 'sva_open: Cancellation\nsva_close: Cancellation')" \
	"control: a lacking attribute is noticed"

# The table of reasons, and that of operations.
is "$(sed -n '/^\.\\" reasons/,/^\.TE/p' "$man/sva_explain.3" |
	sed -n 's/^\([A-Z][A-Z_0-9]*\)\t.*/\1/p')" \
	"$(sed -n '/define SVA_REASON_MAP/,/[^\\]$/p' "$top_srcdir/include/sva/sva.h" |
	sed -n 's/^\tX(\([A-Z_0-9]*\),.*/\1/p')" \
	"sva_explain.3 has every reason"
is "$(sed -n '/^\.SS Descriptors/,/^\.TE/p' "$man/sva.7" |
	sed -n 's/^\([A-Z][A-Z_0-9]*\)\t.*/\1/p' | sort)" \
	"$(sed -n '/^enum sva_opcode/,/^}/p' "$top_srcdir/include/sva/desc.h" |
	grep -v 'not supported' |
		sed -n 's/^\tSVA_OPCODE_\([A-Z_0-9]*\) .*/\1/p' | sort)" \
	"sva.7 has every operation"

# Every reference to a page of ours leads to one.
dangling() {
	local page ref
	for page in $pages; do
		sed -n 's/^\.BR \([a-z_\\.-]*\) (\([1-9]\)).*/\1.\2/p' "$man/$page" |
			sed 's/\\//g' | grep -E '^(lib)?sva' | sort -u |
			while read -r ref; do
				[ -f "$man/$ref" ] || [ -f "$top_builddir/man/$ref" ] ||
					echo "$page: $ref"
			done
	done
}
is "$(dangling)" "" "every reference leads to a page"

# What the makefile says of some variables, one word a line.
variables() {
	printf 'include Makefile\nprint-variables:\n\t@echo %s\n' "$1" |
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$top_builddir" -f - \
		print-variables | tr -s ' ' '\n' | sort
}

# Every page is installed, once; every program that is installed has a page.
is "$(variables '$(dist_man_MANS)' | sed 's,.*/,,')" "$(printf '%s\n' "$pages" | sort)" \
	"every page is installed, once"
for program in $(variables '$(bin_PROGRAMS) $(bin_SCRIPTS)'); do
	name=$(basename "$program")
	ok "$name has a page" test -f "$man/$name.1"
done

done_testing
