#!/bin/bash
# SPDX-License-Identifier: MIT
# No silent knob: every setting of the library is in sva(7) and libsva.conf(5) with its default, and
# no code reads an environment variable that is in no page.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

export LC_ALL=C

man=$top_srcdir/man
settings=$("$top_builddir/tests/tree/settings") || exit 1

# section PAGE TITLE, as plain text: what stands under .SH or .SS TITLE.
section() {
	awk -v title="$2" '/^\.S[HS]/ { on = $0 ~ "^\\.S[HS] " title "$"; next } on' "$1" |
		sed 's/\\-/-/g; s/\\(ha/^/g'
}

# entry PAGE TITLE WORD: the paragraph of a section that is headed by a word.
entry() {
	section "$1" "$2" |
		awk -v word="$3" \
		'/^\.TP/ { head = 1; next } head { on = $2 == word; head = 0; next } on'
}

headings() {
	section "$1" "$2" | awk '/^\.TP/ { head = 1; next } head { print $2; head = 0 }' | sort
}

is "$(headings "$man/sva.7" ENVIRONMENT)" "$(cut -f 1 <<<"$settings" | sort)" \
	"sva.7 has every variable, and no other"
is "$(headings "$man/libsva.conf.5" Keys)" "$(cut -f 2 <<<"$settings" | sort)" \
	"libsva.conf.5 has every key, and no other"

while IFS=$'\t' read -r env key type initial; do
	# A place depends on the build; an empty default is "all" or "none".
	case $type:$initial in
	path:?*) default="(default
.IR libdir /libsva)" ;;
	*:) default='default: \(all\|none\))' ;;
	*) default="default $initial)" ;;
	esac
	ok "sva.7 has the default of $env" grep \
		-qz "${default#(}" <(entry "$man/sva.7" ENVIRONMENT "$env")
	ok "libsva.conf.5 has type and default of $key" grep \
		-qz "^($type; ${default#(}" <(entry "$man/libsva.conf.5" Keys "$key")
done <<<"$settings"

# The keys of the list of queues, which the plug-in "file" reads.
is "$(section "$man/libsva.conf.5" 'The list of queues' |
	awk '/^\.TP/ { head = 1; next } head { sub(/=.*/, "", $2); print $2; head = 0 }' | sort)" \
	"$(sed -n 's/^\t.*{ "\([a-z-]*\)", set_.*/\1/p' "$top_srcdir/accfg-plugins/file.c" |
	sort)" \
	"libsva.conf.5 has every key of the list of queues"

# What the sources read by name, less what belongs to the system and to sanitizers; the library's
# own table is read with a variable.
read_by_name() {
	grep -r -h -o -E --include='*.[ch]' 'getenv\("[A-Za-z0-9_]+"' "$@" |
		sed 's/.*"\(.*\)"/\1/' | sort -u |
		grep -vx -E 'COLUMNS|PATH|TERM|TMPDIR|LD_PRELOAD|ASAN_OPTIONS'
}

undocumented() {
	local name
	for name in $(read_by_name "$@"); do
		grep -q -E "^\.(B|BR|TP|IP) .*\\b$name\\b|^\.B $name" "$man"/*.[1-9] || echo "$name"
	done
}

is "$(undocumented "$top_srcdir/src" "$top_srcdir/accfg-plugins" "$top_srcdir/bench")" "" \
	"no code reads a variable that is in no page"
tmp=$(mktemp -d)
echo 'x = getenv("SVA_SECRET");' >"$tmp/x.c"
is "$(undocumented "$tmp")" SVA_SECRET "control: a variable that is in no page is noticed"
rm -rf "$tmp"

plain_getenv() {
	grep -r -n -E --include='*.[ch]' '(^|[^_])getenv\(' "$top_srcdir/src/lib" \
		"$top_srcdir/accfg-plugins"
}
is "$(plain_getenv)" "" "the library and its plug-ins use secure_getenv"

done_testing
