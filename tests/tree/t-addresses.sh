#!/bin/bash
# SPDX-License-Identifier: MIT
# No file names a URL or an e-mail address that does not exist. An address that does exist gets a
# line in the list below.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

# Extended regular expressions that the whole address must match. The licence texts of SPDX, which
# have addresses of their own, are not searched.
known=(
	'https://www\.debian\.org/doc/packaging-manuals/copyright-format/1\.0/'
	# RFC 2606 keeps .invalid free: an address in it says that there is none, where Debian's
	# rules want one.
	'no-address@libsva\.invalid'
)

# addresses FILE…: FILE:LINE:ADDRESS of each, but for the known ones.
addresses() {
	local line known_one
	grep -nHoIE -e "(https?|ftp|git)://[^][[:space:]<>()\"'\`]+" \
		-e '[[:alnum:]._+-]+@[[:alnum:]-]+(\.[[:alnum:]-]+)+' "$@" |
		while IFS= read -r line; do
			for known_one in "${known[@]}"; do
				[[ ${line#*:*:} =~ ^($known_one)$ ]] && continue 2
			done
			printf '%s\n' "$line"
		done
}

cd "$top_srcdir" || exit 99
git rev-parse --git-dir >/dev/null 2>&1 ||
	skip_all "not a git checkout: files that are made cannot be distinguished"
mapfile -d '' files < <(git ls-files -z -- ':!LICENSES' ':!tests/tree/t-addresses.sh')
is "$(addresses "${files[@]}")" "" \
	"no file has a URL or an e-mail address that is not known to exist"

control=$(mktemp)
trap 'rm -f "$control"' EXIT
printf '%s\n' 'AC_INIT([x], [1], [x@lists.example.org], [x], [https://example.org/x])' \
	'size@ 64 @ref{x} name@domain' >"$control"
is "$(addresses "$control" | cut -d: -f2-)" "1:x@lists.example.org
1:https://example.org/x" "control: both kinds of address are found"
is "$(sed -n 's/^PACKAGE_\(BUGREPORT\|URL\) = *//p' "$top_builddir/Makefile" | tr -d '\n')" "" \
	"the build names neither"
done_testing
