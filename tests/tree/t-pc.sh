#!/bin/bash
# SPDX-License-Identifier: MIT
# What a program needs to use an installed libsva is pkg-config alone: the program of the README and
# those of the manual are built against "make install DESTDIR=…" and run.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

command -v pkg-config >/dev/null || skip_all "pkg-config is not installed"
CC=${CC:-cc}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# The outer make's flags and job server are none of this one's business.
install_tree() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$top_builddir" install DESTDIR="$root"
}
ok "make install DESTDIR=… works" install_tree
pc=$(find "$root" -name libsva.pc)
ok "libsva.pc is installed" test -f "$pc"
export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=${pc%/*}
libdir=$root$(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --variable=libdir libsva)
export LD_LIBRARY_PATH=$libdir SVA_PLUGIN_DIR=$libdir/libsva

is "$(pkg-config --modversion libsva)" \
	"$(sed -n 's/^PACKAGE_VERSION = //p' "$top_builddir/Makefile")" \
	"libsva.pc has this version"
is "$(pkg-config --print-requires libsva)$(pkg-config --print-requires-private libsva)" "" \
	"libsva.pc asks for no .pc file of another library"
# "make check-static" links programs with it; this says of any build that no library is forgotten.
needed=$(readelf -d "$libdir/libsva.so" | sed -n 's/.*(NEEDED).*\[lib\(.*\)\.so.*/-l\1/p' |
	grep -v -x -E -e '-l(c|sva|[al]san|tsan|ubsan)' | sort)
is "$(comm -23 <(printf '%s\n' "$needed") <(pkg-config --static --libs libsva | tr ' ' '\n' |
	sort))" "" \
	"pkg-config --static names each library that libsva.so is linked with: ${needed//$'\n'/ }"
not_ok "control: pkg-config without --static names none of them" grep -q -F \
	-e "${needed%%$'\n'*}" <(pkg-config --libs libsva)

sanitize=
[ "${SANITIZERS:-no}" = no ] || sanitize=-fsanitize=$SANITIZERS
build() {
	# shellcheck disable=SC2046
	$CC -Wall -Wextra -Werror $sanitize -o "$root/$1" "$2" $(pkg-config --cflags --libs libsva)
}

# The program of the README: the block that begins with ```c.
sed -n '/^```c$/,/^```$/{/^```/d; p}' "$top_srcdir/README.md" >"$root/readme.c"
is "$(wc -l <"$root/readme.c")" 10 "the program of the README has ten lines"
ok "it builds with pkg-config alone" build readme "$root/readme.c"
ok "it runs" "$root/readme"
ok "it says which way it went" grep -q -E \
	'path=(enqcmd|movdir64b|write|dma|soft|cpu)' <("$root/readme" 2>&1)

for file in "$top_srcdir"/man/examples/*.c; do
	name=$(basename "$file" .c)
	if [ "$name" = plugin ]; then
		# shellcheck disable=SC2046
		ok "$name.c builds with pkg-config alone" $CC -Wall -Wextra -Werror -shared -fPIC \
			-fvisibility=hidden -o "$root/$name.so" "$file" \
			$(pkg-config --cflags libsva)
	else
		ok "$name.c builds with pkg-config alone" build "$name" "$file"
	fi
done

# Nothing but the parts that are meant to be there is installed, and every page is.
installed() {
	find "$root" -path "*/$1" \( -type f -o -type l \) | sed 's,.*/,,' | sort
}
is "$(installed 'include/sva/*')" "$(cd "$top_srcdir/include" && ls sva/*.h sva/*.hpp uapi/*.h |
	sed 's,.*/,,' | cat - <(echo version.h) | sort)" \
	"the public headers are installed, and no others"
# shellcheck disable=SC2016 # for the inner shell
ok "the header of the ioctl interface compiles from where it is installed" sh -c \
	'echo "#include <sva/uapi/sva_dma.h>" | $0 -Wall -Werror -x c -fsyntax-only "$@" -' $CC \
	$(pkg-config --cflags libsva)
is "$(installed 'doc/libsva/LICENSES/*')" "$(ls "$top_srcdir/LICENSES")" \
	"the texts of the licences are installed"
is "$(installed 'doc/libsva/examples/*.c')" "$(cd "$top_srcdir/man/examples" && ls ./*.c |
	sed 's,^\./,,' | sort)" \
	"the programs of the manual are installed as examples"
is "$(installed '*.la')" "" "no .la file is installed"
ok "the manual is installed" test -n "$(installed 'man/man7/sva.7')" \
	-a -n "$(installed 'man/man3/sva_close.3')"

uninstall_tree() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$top_builddir" uninstall DESTDIR="$root"
	[ -z "$(find "$root/usr" "${libdir%/lib*}" -type f 2>/dev/null)" ] ||
		{ find "$root/usr" "${libdir%/lib*}" -type f; return 1; }
}
ok "make uninstall leaves no file" uninstall_tree

done_testing
