#!/bin/bash
# SPDX-License-Identifier: MIT
# The library alone: configured without tools, emulator, ISA-L and libnuma it builds, installs
# nothing of what was left out, links none of these libraries, and a program copies with it, shared
# and static.
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/build"
build() {
	cd "$work/build" && "$top_srcdir/configure" -q --prefix="$work/root" --enable-static \
		--disable-tools --disable-emulator --without-isal --without-numa \
		--without-accel-config CFLAGS='-O1' &&
		make -s -j"$(nproc)" && make -s install
}
ok "the library alone builds and installs" build
is "$(cd "$work/root" && find bin lib/udev lib/systemd share/bash-completion 2>/dev/null |
	grep -v '^bin$')" "" "no program and no file of the tools is installed"
is "$(readelf -d "$work/root/lib/libsva.so.0" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
	grep -v libc)" "" "the library needs libc and no other library"
sed -n '/^```c$/,/^```$/{/^```/d; p}' "$top_srcdir/README.md" >"$work/hello.c"
program() { # FLAGS…
	# shellcheck disable=SC2046
	PKG_CONFIG_PATH=$work/root/lib/pkgconfig ${CC:-cc} -o "$work/hello" "$work/hello.c" "$@" \
		$(PKG_CONFIG_PATH=$work/root/lib/pkgconfig pkg-config --cflags --libs \
			${1:+--static} libsva) &&
		LD_LIBRARY_PATH=$work/root/lib "$work/hello" | grep -x 'hello path=cpu'
}
ok "the README's program copies with it" program
ok "the README's program copies with it, linked statically" program -static
done_testing
