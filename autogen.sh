#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes configure from a checkout. A release tarball has it already.
set -e
cd "$(dirname "$0")"
mkdir -p m4 build-aux
for dir in "$(automake --print-libdir)" /usr/share/automake-*; do
	if [ -f "$dir/tap-driver.sh" ]; then
		cp "$dir/tap-driver.sh" build-aux/tap-driver.sh
		break
	fi
done
exec autoreconf -fi
