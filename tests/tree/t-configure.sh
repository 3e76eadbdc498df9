#!/bin/bash
# SPDX-License-Identifier: MIT
# configure refuses machines that libsva cannot work on, early and by name. The machine is given by
# configure's own cache variables, so no compiler for it is needed; and the sources refuse it once
# more when they are compiled.
. "${top_srcdir:?}/tests/tap.sh"

top=$(cd "$top_srcdir" && pwd)
built=$(cd "${top_builddir:?}" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# refused WANT VARIABLE=VALUE: configure fails with this message, before it looks for the libraries.
refused() {
	local out
	rm -rf "$tmp/build" && mkdir "$tmp/build" && cd "$tmp/build" || return 1
	if out=$("$top/configure" "${@:2}" 2>&1); then
		echo "configure went through"
		return 1
	fi
	if ! grep -q "^configure: error: libsva needs a $1 machine" <<<"$out" ||
		grep -q "checking for numa" <<<"$out"; then
		tail -n 5 <<<"$out"
		return 1
	fi
}

# asserted WANT FLAGS…: a file of the library does not compile, for this reason.
asserted() {
	local out
	out=$(${CC:-cc} -fsyntax-only -I"$top/include" -I"$built/include" -I"$top/src" "${@:2}" \
		"$top/src/lib/base/names.c" 2>&1)
	grep -q "$1" <<<"$out" || { tail -n 5 <<<"$out"; return 1; }
}

ok "configure refuses a 32-bit machine and says why" refused 64-bit ac_cv_sizeof_void_p=4
ok "configure refuses a big-endian machine and says why" refused little-endian ac_cv_c_bigendian=yes
ok "configure refuses a machine of unknown byte order" refused little-endian \
	ac_cv_c_bigendian=unknown
ok "control: configure found the machine of this build to be 64-bit" \
	grep -q "^ac_cv_sizeof_void_p=.*8" "$built/config.log"
ok "control: configure found the machine of this build to be little-endian" \
	grep -q "^ac_cv_c_bigendian=no" "$built/config.log"
ok "the sources do not compile for another byte order" \
	asserted "64-bit little-endian" -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__

done_testing
