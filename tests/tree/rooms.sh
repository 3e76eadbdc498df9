#!/bin/bash
# SPDX-License-Identifier: MIT
# rooms.sh FOLDER ROOMS LOOPS PREFIX OBJECT…: the direction between the rooms of one program or
# library. ROOMS and LOOPS are those of rooms.awk, PREFIX is what automake puts before the names of
# the unit's objects. Objects outside of FOLDER are passed over. Prints each call and each include
# that goes the wrong way, by name; exits with 1 if there is one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1 rooms=$2 loops=$3 prefix=$4
shift 4

# The object file of a libtool object: the position-independent one, where there are two.
object_of() {
	local dir=${1%/*} name=${1##*/}
	case $name in
	*.lo) if [ -f "$dir/.libs/${name%.lo}.o" ]; then echo \
		"$dir/.libs/${name%.lo}.o"; else echo "$dir/${name%.lo}.o"; fi ;;
	*) echo "$1" ;;
	esac
}

# "api/open.c" for "src/lib/api/libcore_la-open.lo".
source_of() {
	local at=${1#"$folder"/} name
	name=${at##*/}
	name=${name#"$prefix"-}
	name=${name%.*}.c
	case $at in
	*/*) echo "${at%/*}/$name" ;;
	*) echo "$name" ;;
	esac
}

symbols() {
	local o
	for o in "$@"; do
		[[ $o == "$folder"/* ]] || continue
		nm -P "$(object_of "$o")" | sed "s|^|$(source_of "$o"): |"
	done
}

symbols "$@" | awk -v rooms="$rooms" -v loops="$loops" -f "$here/rooms.awk"
