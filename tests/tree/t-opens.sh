#!/bin/bash
# SPDX-License-Identifier: MIT
# In the library and its plug-ins one file alone, base/fd.c, makes descriptors and closes those that
# are kept: it gives out none below 3, all of them with O_CLOEXEC, and closes none that is not ours
# any more. Read from the built objects.
. "${top_srcdir:?}/tests/tap.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "${top_builddir:?}" || exit 1

makers='(open|open64|openat|openat64|creat|fopen|fopen64|freopen|opendir|scandir|glob|socket|'
makers+='socketpair|accept4?|pipe2?|dup[23]?|memfd_create|eventfd|epoll_create1?|timerfd_create|'
makers+='signalfd|inotify_init1?|mkstemp|mkostemp|popen|syscall)'

# uses FUNCTIONS OBJECT…: prints the objects other than that of fd.c that call one of these.
uses() {
	local functions=$1 o found=0
	shift
	for o in "$@"; do
		[[ $o != *-fd.o && $o != */fd.o ]] || continue
		nm -u "$o" | sed 's/@.*//' | grep -Eq " $functions\$" &&
			{ echo "$o: $(nm -u "$o" | grep -E " $functions(@|\$)")"; found=1; }
	done
	return $((1 - found))
}

mapfile -t lib < <(find src/lib/*/.libs -name 'libcore_la-*.o' | sort)
mapfile -t plugins < <(find accfg-plugins -path '*.libs/*_la-*.o' | sort)
ok "control: the objects of the library and the plug-ins were found" test "${#lib[@]}" -gt 30 \
	-a "${#plugins[@]}" -gt 1
# These two call syscall(2) for membarrier and futex, which make no descriptor.
mapfile -t others < <(printf '%s\n' "${lib[@]}" "${plugins[@]}" | grep -Ev -- '-(bias|touch)\.o$')
not_ok "only base/fd.c makes descriptors" uses "$makers" "${others[@]}"

mapfile -t keepers < <(printf '%s\n' "${lib[@]}" |
	grep -E -- '-(bond|process|dma|write|ways|lease|uring)\.o$')
ok "control: the objects that keep a descriptor were found" test "${#keepers[@]}" -gt 5
kept=()
for o in "${keepers[@]}"; do
	# queue/dma.c closes what it has opened a moment before, to ask the module who it is.
	[[ $o == src/lib/queue/*-dma.o ]] || kept+=("$o")
done
not_ok "a descriptor that is kept is closed by base/fd.c alone" uses \
	'(close|close_range|closefrom)' "${kept[@]}"

echo 'int open(const char *, int, ...); int f(void); int f(void) { return open("/", 0); }' \
	>"$tmp/opener.c"
${CC:-cc} -c -o "$tmp/opener.o" "$tmp/opener.c" || exit 1
ok "control: an object that calls open(2) is reported" uses "$makers" "$tmp/opener.o"

done_testing
