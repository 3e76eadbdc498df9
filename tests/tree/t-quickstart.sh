#!/bin/bash
# SPDX-License-Identifier: MIT
# quickstart: what it asks of dpkg and apt, which here are stand-ins that write down each call; and
# what it shows of failed tests.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin"
quickstart=$top_srcdir/quickstart

# A stand-in logs its name and arguments. Installed is what $dir/installed lists; the package lists
# have what $dir/lists lists, and after an update what $dir/archive lists; "apt-get install" fails
# for a package that the lists do not have.
cat >"$dir/bin/stand-in" <<'END'
#!/bin/bash
dir=${0%/bin/*}
name=${0##*/}
echo "$name $*" >>"$dir/calls"
options=0
case "$name $1" in
"dpkg-query -W")
	for p in "${@:4}"; do
		grep -qxF "$p" "$dir/installed" && echo "installed $p" || options=1
	done
	exit $options
	;;
"apt-cache show")
	for p in "${@:3}"; do
		if grep -qxF "$p" "$dir/lists"; then
			printf 'Package: %s\nVersion: 1\n\n' "$p"
		else
			options=100
		fi
	done
	exit $options
	;;
"apt-get update") cp "$dir/archive" "$dir/lists" ;;
"apt-get install")
	for p in "$@"; do
		case $p in install | -*) continue ;; esac
		grep -qxF "$p" "$dir/lists" || exit 100
	done
	;;
"id -u") echo 0 ;;
*) exit 99 ;;
esac
END
chmod +x "$dir/bin/stand-in"
for name in dpkg-query apt-cache apt-get id; do ln -s stand-in "$dir/bin/$name"; done

packages=$("$quickstart" packages check | awk '{ print $1 }')
first=$(head -n 1 <<<"$packages")
last=$(tail -n 1 <<<"$packages")

# install INSTALLED LISTS ARCHIVE: what quickstart does on such a machine; its output is in
# $dir/out.
install() {
	printf '%s\n' "$1" >"$dir/installed"
	printf '%s\n' "$2" >"$dir/lists"
	printf '%s\n' "$3" >"$dir/archive"
	: >"$dir/calls"
	PATH="$dir/bin:$PATH" "$quickstart" install check >"$dir/out" 2>&1 </dev/null
}
calls() {
	grep -c "^$1" "$dir/calls"
}

ok "nothing is missing" install "$packages" "$packages" "$packages"
is "$(cat "$dir/out"; calls apt)" 0 "nothing missing: no call of apt, and nothing is said"
is "$(calls dpkg-query)" 1 "one call of dpkg-query for all packages"

ok "all are missing, the lists have them" install none "$packages" "$packages"
is "$(calls 'apt-cache ')" 1 "one call of apt-cache for all packages"
is "$(calls 'apt-get update')" 0 "the lists are not fetched again"
is "$(sed -n 's/^apt-get install -q -y --no-install-recommends //p' "$dir/calls" | tr ' ' '\n')" \
	"$packages" \
	"one call of apt-get installs all"

ok "all are missing, the lists are empty" install none none "$packages"
is "$(calls 'apt-get update') $(calls 'apt-cache ')" "1 2" \
	"empty lists are fetched, and asked once more"
is "$(calls 'apt-get install')" 1 "and all is installed in one call"

ok "one package is not in this release" install "$first" "$packages" \
	"$(grep -vxF "$last" <<<"$packages")"
ok "which is so before the update, too" install "$first" "$(grep -vxF "$last" <<<"$packages")" \
	"$(grep -vxF "$last" <<<"$packages")"
ok "the package is named" grep -q "this release has no package $last; continuing without it" \
	"$dir/out"
not_ok "it is not asked to be installed" grep -q "^apt-get install.* $last\( \|\$\)" "$dir/calls"
not_ok "nor is what is installed" grep -q "^apt-get install.* $first " "$dir/calls"

# ------------------------------------------------------------------ failed tests

# As automake's log has them: the results stand between the lines of the tests.
cat >"$dir/log" <<'END'
====================================
   libsva: ./test-suite.log
====================================

FAIL: tests/emu/t-modes
=======================

ok 1 - fine
PASS: tests/emu/t-modes.sh 1 - fine
not ok 2 - instructions
FAIL: tests/emu/t-modes.sh 2 - instructions
# ended with 139 (killed by SIGSEGV), not 0, after 3 lines; the last: ok 3 - form
# ok 1 - both queues
# ok 2 - form
# ok 3 - form
# ok 4 - form
ok 3 - fine
PASS: tests/emu/t-modes.sh 3 - fine
# a remark that belongs to no failed test
not ok 4 - known # TODO

ERROR: tests/unit/t-died
========================

ok 1 - the last thing that it did
PASS: tests/unit/t-died 1 - the last thing that it did
ERROR: tests/unit/t-died - missing test plan
END
is "$("$quickstart" failures "$dir/log")" "tests/emu/t-modes: not ok 2 - instructions
    # ended with 139 (killed by SIGSEGV), not 0, after 3 lines; the last: ok 3 - form
    # ok 1 - both queues
    # ok 2 - form
    # ok 3 - form
    # ok 4 - form
ERROR: tests/unit/t-died - missing test plan
    ok 1 - the last thing that it did" \
	"failed tests are shown with all that they said, one that died with its last lines"
done_testing
