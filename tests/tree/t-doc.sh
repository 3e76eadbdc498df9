#!/bin/bash
# SPDX-License-Identifier: MIT
# Every declaration of a public header has a comment, every file its licence line; no path of the
# machine it was written on is in the tree; and the spelling is right.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

cd "$top_srcdir" || exit 1
# shellcheck source=tests/tree/files.sh
. tests/tree/files.sh
awk=${AWK:-awk}

documented() {
	$awk -f tests/tree/documented.awk "$@"
}

share=$(documented include/sva/*.h include/sva/version.h.in)
ok "every declaration has a comment: ${share##*documented: }" documented include/sva/*.h \
	include/sva/version.h.in
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# A function without Since, and a field, an enumerator and a macro without a comment, behind it or
# above it.
for control in '/Close a context/,/Since:/s/Since:/since/' \
	's,/\*\*< bytes of one descriptor \*/,,' 's,/\*\*< plain CPU instructions \*/,,' \
	's,/\*\* fill of a mapped buffer: the library.*\*/,,' \
	's,/\*\*< on a page fault: finish on the CPU \*/,,'; do
	cp include/sva/*.h "$tmp"
	sed -i "$control" "$tmp"/*.h
	not_ok "control: the loss of a comment is noticed: $control" documented "$tmp"/*.h
done

without_licence() {
	local f
	while read -r f; do
		[ -s "$f" ] && ! head -n 3 "$f" | grep -q 'SPDX-License-Identifier: ' && echo "$f"
	done
}

is "$(sources | without_licence)" "" "every file names its licence"
echo 'no licence' >"$tmp/file"
is "$(without_licence <<<"$tmp/file")" "$tmp/file" "control: a file without a licence is noticed"

for id in $(sources | xargs grep -h -o -E 'SPDX-License-Identifier: [^*]*' 2>/dev/null |
	sed 's/.*: //; s/-->.*//' | tr '() ' '\n\n\n' |
	grep -E '^(GPL|MIT|BSD|LGPL|Apache|CC)[-A-Za-z0-9.]*$' | sed 's/^GPL-2.0$/GPL-2.0-only/' |
	sort -u); do
	ok "the text of $id is in LICENSES" test -s "LICENSES/$id.txt"
done

# Homes of people, and where this very copy lies: the folder at the root that it is in, unless
# it is one that every machine has. A copy at the root, such as /src, has a name of any text.
here=$(pwd -P)
IFS=/ read -r _ folder rest <<<"$here"
[ -n "$rest" ] || here=/home/me folder=home
case $folder in
home|root|usr|tmp|var|opt|src|mnt|build|run|srv|data) local_path=$here/ ;;
*) local_path=/$folder/ ;;
esac
machine_paths() {
	xargs grep -n -E "(^|[^A-Za-z0-9_.*)}/-])(/home/[a-z]|/root/|${local_path//./\\.})" \
		2>/dev/null
}

is "$(files | grep -v '^tests/tree/t-doc\.sh$' | machine_paths)" "" \
	"no path of this machine is in the tree"
echo "see $here/file" >"$tmp/file"
ok "control: a path of this machine is noticed" grep -q file <(echo "$tmp/file" | machine_paths)

if command -v codespell >/dev/null; then
	spelling() { xargs codespell --config .codespellrc; }
	is "$(sources | spelling 2>&1)" "" "codespell finds nothing"
	echo 'recieve' >"$tmp/file"
	ok "control: codespell finds a mistake" grep -q receive <(echo "$tmp/file" | spelling)
else
	skip "spelling" "codespell is not installed"
fi

done_testing
