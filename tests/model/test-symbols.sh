#!/bin/sh
# SPDX-License-Identifier: MIT
# The model may run inside a client's own memcpy, or in a signal handler: its objects may need
# nothing from outside but ISA-L. Compilers turn loops and struct copies into calls of memcpy and
# memset, so this looks at the objects.
echo 1..2

skip()
{
	echo "ok 1 - symbols of the model # SKIP $1"
	echo "ok 2 - negative control # SKIP $1"
	exit 0
}

# Names that are needed and not defined by the objects themselves. __stack_chk_fail and its kin come
# with hardening options, end the process and call nothing that a client replaces;
# _GLOBAL_OFFSET_TABLE_ is no function, nor is __cpu_model, in which libgcc keeps the answers of
# __builtin_cpu_supports().
foreign()
{
	nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u >"$tmp/needed"
	nm --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/defined"
	comm -23 "$tmp/needed" "$tmp/defined" |
		grep -vxE -e 'crc32_iscsi|crc16_t10dif(_copy)?|crc64_rocksoft_refl' \
			-e '_GLOBAL_OFFSET_TABLE_|__cpu_model|__stack_chk_fail(_local)?'
}

command -v nm >/dev/null || skip "no nm"
objects=$(find "$top_builddir/src/model" -name 'libmodel_la-*.o')
[ -n "$objects" ] || skip "no objects of the model"
# shellcheck disable=SC2086
if nm -u $objects | grep -qE '__(asan|tsan|ubsan|gcov)|__sanitizer'; then
	skip "built with a sanitizer or for coverage, which adds calls of its own"
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# shellcheck disable=SC2086
found=$(foreign $objects)
if [ -z "$found" ]; then
	echo "ok 1 - the model needs no symbol but those of ISA-L"
else
	echo "not ok 1 - the model needs other symbols"
	echo "$found" | sed 's/^/# /'
fi

cat >"$tmp/bad.c" <<'END'
#include <string.h>
void copy(char *to, const char *from, unsigned long len);
void copy(char *to, const char *from, unsigned long len) { memcpy(to, from, len); }
END
if ! ${CC:-cc} -O2 -c "$tmp/bad.c" -o "$tmp/bad.o" 2>/dev/null; then
	echo "ok 2 - negative control # SKIP no compiler"
elif [ "$(foreign "$tmp/bad.o")" = memcpy ]; then
	echo "ok 2 - an object that calls memcpy is found"
else
	echo "not ok 2 - an object that calls memcpy is not found"
fi
