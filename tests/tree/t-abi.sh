#!/bin/bash
# SPDX-License-Identifier: MIT
# What the library exports is what its map lists and what the headers declare; nothing more leaks
# out of it or of a plug-in.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

export LC_ALL=C

lib=$top_builddir/src/lib/.libs/libsva.so
map=$top_srcdir/src/lib/libsva.map
plugins=$top_builddir/accfg-plugins/.libs

# Names with the version node behind them, as name@NODE.
exported() {
	nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@@/, "@", $3); print $3 }' | sort
}

mapped() {
	awk '/^LIBSVA_.*{/ { node = $1 } /global:/ { on = 1; next } /local:/ { on = 0 }
	     on && /;/ { gsub(/[ \t;]/, ""); print $0 "@" node } /^}/ { on = 0 }' "$1" | sort
}

# SVA_INLINE functions are exported once, too; what is "static inline" is not.
declared() {
	sed -n 's/^\(SVA_API\|SVA_INLINE\) [^(]*[ *]\(sva_[a-z0-9_]*\)(.*/\2/p' "$@" | sort
}

needed() {
	readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

[ -f "$lib" ] || skip_all "there is no shared library in this build"

is "$(exported "$lib")" "$(mapped "$map")" "the library exports what the map lists"
is "$(mapped "$map" | sed 's/@.*//' | sort)" "$(declared "$top_srcdir"/include/sva/*.h)" \
	"the map lists what the headers declare"

version=$(sed -n 's/^#define SVA_VERSION_M[AJIN]*OR \([0-9]*\).*/\1/p' \
	"$top_builddir/include/sva/version.h" | paste -sd.)
is "$(sed -n 's/^\(LIBSVA_[0-9.]*\) .*/\1/p' "$map" | sort -V | tail -n 1)" "LIBSVA_$version" \
	"the newest node of the map is that of this version"

# Controls: a name too many and a name too few must show.
less=$(mktemp)
sed '0,/sva_close;/s///' "$map" >"$less"
not_ok "control: a name that is missing in the map is noticed" \
	diff <(exported "$lib") <(mapped "$less")
not_ok "control: a function without a prototype is noticed" \
	diff <(mapped "$map" | sed 's/@.*//' | sort) <(declared "$top_srcdir"/include/sva/*.h |
	grep -v '^sva_close$')
rm -f "$less"

ok "only plug-ins link libaccel-config" succeed_if_fails grep -q accel-config <(needed "$lib")
ok "the stack is not executable" grep -q 'GNU_STACK.* RW ' <(readelf -lW "$lib")
ok "there are no text relocations" succeed_if_fails grep -q TEXTREL <(readelf -d "$lib")

for plugin in "$plugins"/*.so; do
	[ -f "$plugin" ] || { skip "plug-ins" "none was built"; break; }
	name=${plugin##*/}
	is "$(exported "$plugin")" sva_accfg_plugin_v1 "$name exports its one symbol"
	ok "$name does not link libsva" succeed_if_fails grep -q '^libsva' <(needed "$plugin")
	[ "$name" = dsa.so ] ||
		ok "$name does not link libaccel-config" succeed_if_fails grep \
		-q accel-config <(needed "$plugin")
done

done_testing
