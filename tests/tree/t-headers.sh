#!/bin/bash
# SPDX-License-Identifier: MIT
# Each public header compiles alone, in C and C++, old and new, without a warning; and defines no
# name that is not ours.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

CC=${CC:-cc}
CXX=${CXX:-$(command -v g++ || command -v clang++)}
flags="-Wall -Wextra -Wundef -Werror -I$top_srcdir/include -I$top_builddir/include"

# compile COMPILER LANGUAGE STANDARD TEXT. An empty translation unit is not lawful C, hence the
# object. Flexible arrays, which the kernel's interfaces are made of, are not lawful C++.
compile() {
	local pedantic=-Wpedantic
	case $2:$4 in c++:*uapi/*) pedantic= ;; esac
	# shellcheck disable=SC2086
	$1 -x "$2" "-std=$3" $flags $pedantic -fsyntax-only - <<<"$4
extern int object;"
}

# Macros that a header defines, the system's headers and the guards apart.
macros() {
	# shellcheck disable=SC2086
	comm -13 <(printf '#include <%s>\n' stddef.h stdint.h sys/uio.h linux/types.h \
		linux/ioctl.h | $CC $flags -dM -E - | awk '{ sub(/\(.*/, "", $2); print $2 }' |
		sort) \
		<($CC $flags -dM -E - <<<"$1" | awk '{ sub(/\(.*/, "", $2); print $2 }' | sort)
}

foreign_macros() {
	macros "$1" | grep -v -E '^(_UAPI_)?_*SVA_'
}

headers=$(cd "$top_srcdir/include" && ls sva/*.h uapi/*.h; cd "$top_builddir/include" && ls sva/*.h)
for header in $(printf '%s\n' "$headers" | sort -u); do
	for std in c11 c2x c++11 c++20; do
		case $std in
		c++*) language=c++ compiler=$CXX ;;
		*) language=c compiler=$CC ;;
		esac
		if [ -z "$compiler" ]; then
			skip "$header in $std" "no C++ compiler"
		elif ! compile "$compiler" "$language" "$std" "" 2>/dev/null; then
			skip "$header in $std" "$compiler does not know $std"
		else
			ok "$header in $std" compile "$compiler" "$language" "$std" \
				"#include \"$header\""
		fi
	done
	is "$(foreign_macros "#include \"$header\"")" "" "$header defines no foreign macro"
done

# Tags of types that are names of functions, too: lawful C++, but then only "struct name" is the
# type, which generators of bindings and C++ programs trip over.
type_and_function() {
	local text tags functions declares='SVA_API\|SVA_INLINE\|static inline'
	text=$(cat "$@")
	tags=$(sed -n 's/^\(struct\|union\|enum\) \(sva[a-z0-9_]*\)[ ;].*/\2/p' <<<"$text")
	functions=$(sed -n "s/^\($declares\) [^(]*[ *]\(sva[^(]*\)(.*/\2/p" <<<"$text")
	comm -12 <(sort -u <<<"$tags") <(sort -u <<<"$functions")
}
is "$(type_and_function "$top_srcdir"/include/sva/*.h)" "" \
	"no name is that of a type and of a function"
is "$(type_and_function <(sed 's/sva_queue_describe(/sva_queue_info(/' \
	"$top_srcdir/include/sva/info.h"))" sva_queue_info \
	"control: a function that has the name of a structure is noticed"

not_ok "control: a header that needs another one before it is noticed" \
	compile "$CC" c c11 'struct sva_opts opts;'
ok "control: a foreign macro is noticed" grep -qx likely <(foreign_macros '#define likely(x) (x)')

done_testing
