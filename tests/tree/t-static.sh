#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that are linked with libsva.a, by what "pkg-config --static" says of a staged
# installation. "make check-static" runs this: it makes the build that it needs in $static_builddir,
# with tables in place of ISA-L, since Debian has no libisal.a.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

command -v pkg-config >/dev/null || skip_all "pkg-config is not installed"
CC=${CC:-cc}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cd "$root" || exit 99
echo 'int main(void) { return 0; }' >empty.c
$CC -static -o empty empty.c -lnuma 2>/dev/null ||
	skip_all "there is no static C library, or no libnuma.a"

# Only the library and the plug-ins, which are built; not sva-emu, which the build beside this one
# has.
install_tree() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$static_builddir" DESTDIR="$root" \
		pkglib_LTLIBRARIES="$(cd "$static_builddir" && ls accfg-plugins/*.la |
		tr '\n' ' ')" \
		install-libLTLIBRARIES install-pkglibLTLIBRARIES install-pkgconfigDATA \
		install-svaincludeHEADERS install-nodist_svaincludeHEADERS
}
ok "the library, the plug-ins, the headers and libsva.pc are installed" install_tree
pc=$(find "$root" -name libsva.pc)
export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=${pc%/*}
libdir=$root$(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --variable=libdir libsva)
export SVA_PLUGIN_DIR=$libdir/libsva SVA_PLUGINS=file
unset SVA_PATHS SVA_QUEUES SVA_QUEUE_FILE LD_LIBRARY_PATH
ok "there is a static library" test -s "$libdir/libsva.a"

# Everything in it shares one name space with the program.
is "$(nm -g --defined-only "$libdir/libsva.a" | awk 'NF == 3 { print $3 }' |
	grep -v -E '^(sva|model)_')" "" \
	"all names in libsva.a begin with sva_ or model_"

# static NAME FILE [OPTION of pkg-config]: warnings of the linker about dlopen and getaddrinfo are
# no errors.
static() {
	# shellcheck disable=SC2046
	$CC -static -Wall -Wextra -o "$1" "$2" $(pkg-config ${3-"--static"} --cflags --libs libsva)
}
sed -n '/^```c$/,/^```$/{/^```/d; p}' "$top_srcdir/README.md" >readme.c
ok "the program of the README is linked statically by pkg-config --static alone" static readme \
	readme.c
not_ok "control: without --static libraries are missing" static control readme.c ""
not_ok "nothing is left to the dynamic linker" grep -q NEEDED <(readelf -d readme)
ok "it runs" ./readme
ok "it reports the path that was taken" grep -q -E '^hello path=(soft|cpu)$' <(./readme)
is "$(SVA_PATHS=soft ./readme)" "hello path=soft" "the DSA in software works in a static program"
for file in "$top_srcdir"/man/examples/*.c; do
	name=$(basename "$file" .c)
	[ "$name" = plugin ] || ok "$name.c of the manual is linked statically" static "$name" \
		"$file"
done

# libsva.a beside shared libraries, as a program may want it that wants no libsva.so.
mixed() {
	local flags
	flags=$(pkg-config --static --cflags --libs libsva)
	# shellcheck disable=SC2086
	$CC -Wall -Wextra -o mixed readme.c ${flags/-lsva/-l:libsva.a}
}
ok "libsva.a with shared libraries beside it" mixed
not_ok "the program needs no libsva.so" grep -q 'NEEDED.*libsva' <(readelf -d mixed)
is "$(SVA_PATHS=soft ./mixed)" "hello path=soft" "it runs"

# Plug-ins are loaded by dlopen, also into a static program.
cat >queues.c <<'END'
#include <stdio.h>
#include <sva/info.h>
#include <sva/sva.h>

int main(void)
{
	struct sva_queue_info queue = { .size = sizeof(queue) };
	const char *problem;
	struct sva *sva;

	if (sva_open(&sva, NULL))
		return 1;
	for (unsigned int i = 0; sva_queue_describe(sva, i, 1, &queue) == 0; i++)
		printf("%s of %s\n", queue.name, queue.plugin);
	for (unsigned int i = 0; (problem = sva_problem(sva, i)); i++)
		printf("problem: %s\n", problem);
	sva_close(sva);
	return 0;
}
END
ok "a program that asks for queues is linked statically" static queues queues.c
echo "wq1.2 device=dsa1 mode=shared entries=48 node=$root/none" >list
is "$(SVA_QUEUE_FILE=$root/list ./queues)" "wq1.2 of file" "a static program loads the plug-in file"
is "$(SVA_PLUGIN_DIR=$root/none ./queues | grep -c '^problem: .')" 1 \
	"a static program without plug-ins reports a problem, and runs"

# The whole way: the plug-in dsa with libaccel-config, an emulated queue, ENQCMD. A static program
# is emulated from outside.
emu=$top_builddir/src/emu/sva-emu
if [ ! -x "$emu" ]; then
	skip "a static program uses a queue of the emulated device" "sva-emu was not built"
elif [ ! -f "$libdir/libsva/dsa.so" ]; then
	skip "a static program uses a queue of the emulated device" "the plug-in dsa was not built"
elif ! "$emu" run -q --ptrace -- true 2>emu.out; then
	skip "a static program uses a queue of the emulated device" "$(head -n 1 emu.out)"
else
	is "$(SVA_PLUGINS=dsa SVA_PATHS=enqcmd "$emu" run -q --ptrace -- ./readme 2>&1)" \
		"hello path=enqcmd" \
		"a static program uses a queue of the emulated device"
fi
done_testing
