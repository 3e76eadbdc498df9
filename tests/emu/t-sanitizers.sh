#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that were built with AddressSanitizer or ThreadSanitizer, on an emulator that was not, as
# developers of such programs run them. They end with an error if the sanitizer reports anything.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

# built KIND PROGRAM: builds it with that sanitizer, as $work/PROGRAM-KIND.
built() {
	${CC:-cc} "-fsanitize=$1" -O1 -g -D_GNU_SOURCE -I"$top_srcdir/include" \
		"$top_srcdir/tests/emu/$2.c" -o "$work/$2-$1" -pthread 2>"$work/out"
}

# The control: a program with errors that both sanitizers must report.
cat >"$work/wrong.c" <<'END'
#include <pthread.h>
#include <stdlib.h>
#include "client.h"
static int shared;
static void *add(void *arg)
{
	for (int i = 0; i < 10000; i++)
		shared++;
	return arg;
}
int main(void)
{
	static struct sva_desc desc;
	static struct sva_comp comp;
	char *volatile area = malloc(64), *volatile to = malloc(64);
	void *portal = map_queue("/dev/dsa/wq0.0", NULL);
	pthread_t thread;

	prep(&desc, &comp, SVA_OPCODE_MEMMOVE, area, to, 64);
	if (portal == MAP_FAILED || enqcmd(portal, &desc) ||
	    wait_record(&comp, 5) != SVA_STATUS_SUCCESS)
		return 0;
	pthread_create(&thread, NULL, add, NULL);
	add(NULL);
	pthread_join(thread, NULL);
	return ((volatile char *)to)[64] & 0;
}
END

for kind in address thread; do
	if ! built $kind storm; then
		skip "programs with -fsanitize=$kind pass their tests" \
			"they cannot be linked here: $(head -n 1 "$work/out")"
		continue
	fi
	if ! echo 'int main(void) { return 0; }' |
		${CC:-cc} "-fsanitize=$kind" -x c - -o "$work/none" || ! "$work/none"; then
		skip "programs with -fsanitize=$kind pass their tests" \
			"they do not run on this kernel"
		continue
	fi
	built $kind insn && built $kind cdev && built $kind faults
	for how in "" --redirect "--async=2" --fast; do
		ok "-fsanitize=$kind${how:+, $how}: the test of instructions passes" ends_with 0 \
			"$emu" run $how -- "$work/insn-$kind"
		ok "-fsanitize=$kind${how:+, $how}: each copy of 4 threads is right" ends_with 0 \
			"$emu" run $how --retry 3 \
			--queues 'wq0.0:shared,size=2' -- \
			"$work/storm-$kind" /dev/dsa/wq0.0 portal 4 25 2
	done
	ok "-fsanitize=$kind: the test of the character device passes" ends_with 0 \
		"$emu" run -- "$work/cdev-$kind"
	ok "-fsanitize=$kind: the test of page faults passes" ends_with 0 \
		"$emu" run -- "$work/faults-$kind"
	${CC:-cc} "-fsanitize=$kind" -O1 -g -D_GNU_SOURCE -I"$top_srcdir/include" \
		-I"$top_srcdir/tests/emu" "$work/wrong.c" -o "$work/wrong-$kind" -pthread
	not_ok "control: -fsanitize=$kind reports the errors of a program" \
		"$emu" run -- "$work/wrong-$kind"
done
done_testing
