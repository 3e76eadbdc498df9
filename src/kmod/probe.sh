#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# probe.sh HEADER COMPILER FLAGS…: tries to compile uses of what not all kernels have, and writes a
# #define for each that compiles.
set -eu
out=$1
shift

# try NAME CODE…
try() {
	name=$1
	code=$2
	shift 2
	if printf '%s\n' "$code" | "$@" -Werror -Wno-unused -Wno-missing-prototypes \
		-Wno-missing-declarations -fsyntax-only -x c - >"$out.log" 2>&1; then
		echo "#define $name 1"
	else
		echo "/* $name is not there */"
		false
	fi
}

try_any() {
	try "$@" || :
}

# Controls: with a compiler that fails or passes everything, all results would be wrong.
if ! try SVAD_PROBES_WORK '#include <linux/device.h>
struct device *probe(struct device *d) { return get_device(d); }' "$@" >"$out.tmp"; then
	echo "probe.sh: not even a plain use of get_device() compiles:" >&2
	cat "$out.log" >&2
	exit 1
fi
if try SVAD_PROBES_ALWAYS_PASS '#include <linux/device.h>
int probe(void) { return no_such_function_anywhere(); }' "$@" >/dev/null; then
	echo "probe.sh: wrong code compiles, so no result can be relied on" >&2
	exit 1
fi

{
	echo '/* SPDX-License-Identifier: GPL-2.0 */'
	echo '/* Written by probe.sh for one kernel; do not edit. */'
	try_any SVAD_HAVE_CLASS_INTERFACE_DEV '#include <linux/device.h>
static void gone(struct device *d) { }
struct class_interface probe = { .remove_dev = gone };' "$@"
	try_any SVAD_HAVE_VM_FLAGS_SET '#include <linux/mm.h>
void probe(struct vm_area_struct *v) { vm_flags_set(v, VM_DONTCOPY); }' "$@"
	try_any SVAD_HAVE_MM_GET_ENQCMD_PASID '#include <linux/iommu.h>
u32 probe(struct mm_struct *m) { return mm_get_enqcmd_pasid(m); }' "$@"
	try_any SVAD_HAVE_MM_PASID '#include <linux/mm_types.h>
u32 probe(struct mm_struct *m) { return m->pasid; }' "$@"
	try_any SVAD_HAVE_OLD_UNSHARE '#include <linux/mm.h>
bool probe(struct page *p) { return gup_must_unshare(0, p); }' "$@"
	uring='#include <linux/io_uring.h>
#if __has_include(<linux/io_uring/cmd.h>)
#include <linux/io_uring/cmd.h>
#endif'
	try_any SVAD_HAVE_URING_CMD_H '#include <linux/io_uring/cmd.h>' "$@"
	try_any SVAD_HAVE_URING_CMD_POINTER "$uring
const void *probe(struct io_uring_cmd *c) { return c->cmd; }" "$@"
	try_any SVAD_HAVE_URING_DONE_SHORT "$uring
void probe(struct io_uring_cmd *c)
{ io_uring_cmd_done32(c, 0, 0, 0); io_uring_cmd_done(c, 0, 0); }" "$@"
	try_any SVAD_HAVE_URING_CANCEL "$uring
unsigned int probe(struct io_uring_cmd *c)
{ io_uring_cmd_mark_cancelable(c, 0); return IO_URING_F_CANCEL; }" "$@"
} >"$out.tmp"
rm -f "$out.log"
mv "$out.tmp" "$out"
