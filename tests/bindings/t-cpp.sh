#!/bin/bash
# SPDX-License-Identifier: MIT
# sva/sva.hpp with each C++ compiler of this machine: compiled without a warning as every standard
# that it promises, run without a device, and on the emulated one.
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"

emu=${top_builddir:?}/src/emu/sva-emu
libs=$top_builddir/src/lib/.libs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SVA_EMU_QUIET=1 LD_LIBRARY_PATH=$libs
unset SVA_PATHS SVA_QUEUES
flags=(-O1 -g -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I"$top_srcdir/include"
	-I"$top_builddir/include" -I"$top_srcdir/tests")
if [ "${SANITIZERS:-no}" != no ]; then flags+=("-fsanitize=$SANITIZERS"); fi

[ -f "$libs/libsva.so" ] || skip_all "there is no shared library in this build"

# tap PROGRAM…: a program that prints TAP succeeds; its lines stay in $work/out.
tap() {
	"$@" >"$work/out" 2>&1 && grep -q '^1\.\.' "$work/out" || ! cat "$work/out"
}

standards() {
	local standard
	for standard in c++17 c++20; do
		"$1" "-std=$standard" -x c++ -fsyntax-only - </dev/null 2>/dev/null || continue
		ok "$1 compiles the header alone as $standard" "$1" "-std=$standard" \
			"${flags[@]}" -fsyntax-only -x c++ - <<<'#include <sva/sva.hpp>'
	done
}

for compiler in g++ clang++; do
	if ! command -v $compiler >/dev/null; then
		skip "$compiler compiles the header, and the test of it runs" \
			"$compiler is not installed"
		continue
	fi
	standards $compiler
	# A sanitizer of one compiler does not fit a library that was built with that of the other.
	case ${CC:-cc} in *clang*) built_with=clang++ ;; *) built_with=g++ ;; esac
	if [ "${SANITIZERS:-no}" != no ] && [ $compiler != $built_with ]; then
		skip "the test runs, compiled with $compiler" \
			"the library has the other's sanitizer"
		continue
	fi
	ok "$compiler compiles the test" $compiler -std=c++17 "${flags[@]}" \
		-o "$work/cpp" "$top_srcdir/tests/bindings/cpp.cpp" -L"$libs" -lsva
	ok "without a device, compiled with $compiler: what tests/bindings/cpp.cpp asserts holds" \
		tap "$work/cpp"
	for mode in '' --no-mmap --async=2; do
		name="emulated device ${mode:-by portals}, compiled with $compiler"
		if [ ! -x "$emu" ]; then
			skip "$name: the same holds" "sva-emu was not built"
		elif [ "${SANITIZERS:-no}" != no ]; then
			skip "$name: the same holds" "sva-emu runs no program with sanitizers here"
		else
			# shellcheck disable=SC2086
			ok "$name: the same holds" tap "$emu" run $mode -- "$work/cpp" device
		fi
	done
done
if command -v g++ >/dev/null; then
	not_ok "control: without a device the test notices that no device has done the work" \
		"$work/cpp" device
	not_ok "control: a copy of an operation does not compile" g++ -std=c++17 "${flags[@]}" \
		-fsyntax-only -x c++ - <<-'END'
		#include <sva/sva.hpp>
		void f(libsva::operation &a);
		void f(libsva::operation &a) { libsva::operation b(a); }
	END
fi
done_testing
