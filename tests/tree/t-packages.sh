#!/bin/bash
# SPDX-License-Identifier: MIT
# What debian/ repeats of the rest of the tree is the same there: version, symbols, licences, the
# packages that the build needs, installed files.
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"
export LC_ALL=C
cd "$top_srcdir" || exit 1

map=src/lib/libsva.map
symbols=debian/libsva0.symbols

# mapped FILE: name@NODE of each symbol, and each node's own, as dpkg-gensymbols lists them.
mapped() {
	awk '/^LIBSVA_.*{/ { node = $1; print node "@" node }
	     /global:/ { on = 1; next } /local:/ { on = 0 }
	     on && /;/ { gsub(/[ \t;]/, ""); print $0 "@" node } /^}/ { on = 0 }' "$1" | sort
}
# listed FILE: the same from a symbols file.
listed() {
	sed -n 's/^ \([^ ]*\) [0-9.]*$/\1/p' "$1" | sort
}
is "$(listed $symbols)" "$(mapped $map)" "libsva0.symbols lists what libsva.map does"
not_ok "control: a symbol that is missing is noticed" \
	diff <(listed <(grep -v sva_open@ $symbols)) <(mapped $map)
is "$(sed -n 's/^ sva.*@LIBSVA_\([0-9.]*\) \([0-9.]*\)$/\1.0 \2/p' $symbols |
	awk '$1 != $2')" "" "each symbol's version is that of its node"
soname=$(sed -n 's/.*-version-info \([0-9]*\):[0-9]*:\([0-9]*\).*/\1 \2/p' src/lib/local.mk |
	awk '{ print $1 - $2 }')
is "$(sed -n 's/^libsva\.so\.\([^ ]*\) \(libsva[^ ]*\) .*/\1 \2/p' $symbols)" \
	"$soname libsva$soname" "the package of the library is named for its soname"

is "$(sed -n '1s/^libsva (\([^)]*\)).*/\1/p' debian/changelog)" \
	"$(sed -n 's/^AC_INIT(\[libsva\], \[\([^]]*\)\].*/\1/p' configure.ac)" \
	"the packages have the version of configure.ac"

# The packages that configure looks for are in one table, that of quickstart; debhelper brings
# compiler, make and autotools. Since Debian 12 pkgconf is what pkg-config depends on.
wanted=$(./quickstart packages bench | awk '{ print $1 }' | grep -v -x -E \
	'autoconf|automake|libtool|make|gcc|gnuplot-nox|mandoc' |
	sed 's/^pkg-config$/pkgconf/' | sort)
is "$(sed -n '/^Build-Depends:/,/^[A-Z]/s/^ \([a-z][^ ,]*\).*/\1/p' debian/control |
	grep -v '^d\(ebhelper-compat\|h-sequence-dkms\)$' | sort)" "$wanted" \
	"the build depends on what quickstart names"

# licence FILE: of the last paragraph of debian/copyright that has it.
licence() {
	awk -v file="$1" '
		function matches(pattern) {
			gsub(/[.+]/, "\\\\&", pattern)
			gsub(/\*/, ".*", pattern)
			return file ~ "^(" pattern ")$"
		}
		/^Files: / { on = matches($2) }
		/^License: / && on { found = substr($0, 10); on = 0 }
		/^$/ { on = 0 }
		END { print found }' debian/copyright
}
# expected IDENTIFIER: how debian/copyright names what an SPDX line has.
expected() {
	case $1 in
	MIT) echo Expat ;;
	GPL-2.0) echo GPL-2.0-only ;;
	GPL-2.0-or-later) echo "$1" ;;
	'((GPL-2.0 WITH Linux-syscall-note) OR MIT)')
		echo "GPL-2.0-only with Linux-syscall-note exception or Expat" ;;
	*) echo "unknown: $1" ;;
	esac
}
# wrong_licences FILE…: those whose SPDX line and debian/copyright differ.
wrong_licences() {
	local file id
	for file in "$@"; do
		id=$(head -n 3 "$file" | tr -d '\0' |
			sed -n 's,^.*SPDX-License-Identifier: \(.*[^ ]\)$,\1,p' |
			sed 's, *\(\*/\|-->\)$,,; 1q')
		[ -z "$id" ] || [ "$(licence "$file")" = "$(expected "$id")" ] ||
			echo "$file: $id, $(licence "$file")"
	done
}
if git rev-parse --git-dir >/dev/null 2>&1; then
	mapfile -t all < <(git ls-files -- ':!LICENSES' ':!tests/fuzz/corpus')
	is "$(wrong_licences "${all[@]}")" "" \
		"debian/copyright says of ${#all[@]} files what their SPDX lines say"
	is "$(licence src/kmod/ring.c) $(licence src/lib/api/sva.c)" "GPL-2.0-only Expat" \
		"control: licences in debian/copyright differ by folder"
else
	skip "debian/copyright says what the SPDX lines say" "not a git checkout"
fi
done_testing
