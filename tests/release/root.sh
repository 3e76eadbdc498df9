# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Roots of Debian releases, for tests/release/run and tests/packages/run. To be sourced, after
# tests/vm/kernel.sh and a definition of say().

# root_skip_reason: prints why no root can be made or entered here; nothing if it can.
root_skip_reason() {
	local word
	if [ "$(id -u)" != 0 ]; then
		echo "must be root: a root of a release is made and entered"
		return
	fi
	for word in debootstrap unshare pivot_root flock timeout tar; do
		command -v "$word" >/dev/null && continue
		echo "$word is missing"
		return
	done
	[ -f "$vm_keyring" ] ||
		echo "$vm_keyring is missing (package debian-archive-keyring)"
}

root_mirror() {
	echo "${VM_MIRROR:-$(vm_site "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")")}"
}

# root_make SUITE ROOT LOG: a root of the release and nothing else. debootstrap mounts something,
# which must not outlast it.
root_make() {
	local suite=$1 root=$2 log=$3
	[ ! -f "$root/.base" ] || return 0
	say "making a root of $suite"
	rm -rf --one-file-system "$root"
	mkdir -p "$root"
	if ! unshare --mount --propagation private \
		debootstrap --variant=minbase "$suite" "$root" "$(root_mirror)" >"$log" 2>&1; then
		say "debootstrap failed: $(tail -n 1 "$log")"
		return 77
	fi
	touch "$root/.base"
}

# root_apt ROOT: apt in there is set up as out here.
root_apt() {
	cp -a /etc/apt/apt.conf.d/. "$1/etc/apt/apt.conf.d/" 2>/dev/null || :
	cp -L /etc/resolv.conf /etc/hosts "$1/etc/" 2>/dev/null || :
}

# root_enter ROOT FOLDER COMMAND…: runs the command in the root, with mounts and processes that end
# with it. pivot_root and not chroot: in a chroot no process can make a user namespace, which some
# tests want.
root_enter() {
	# shellcheck disable=SC2016 # expanded inside
	root=$1 folder=$2 unshare --mount --pid --fork --kill-child --propagation private bash -c '
		set -e
		mount --bind "$root" "$root"
		cd "$root"
		mount -t proc proc proc
		mount --rbind /sys sys
		mount --rbind /dev dev
		mount -t tmpfs tmp tmp
		mkdir -p .old
		pivot_root . .old
		cd "$folder"
		umount -l /.old
		# The shell stays as process 1: timeout(1) of coreutils 9.10 cannot be that, since
		# its child ends at once where its parent is process 1.
		env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			$(env | grep -i -E "^(https?|no)_proxy=" || :) "$@" || exit $?
		exit 0' inside "${@:3}" </dev/null 9>&-
}

# root_copy_tree FROM TO: the files that git knows of, as they are now; else all but what a build
# makes.
root_copy_tree() {
	rm -rf --one-file-system "$2"
	mkdir -p "$2"
	if git -C "$1" rev-parse --git-dir >/dev/null 2>&1; then
		(cd "$1" && git ls-files -z --cached --others --exclude-standard |
			while IFS= read -r -d '' file; do
				[ ! -e "$file" ] || printf '%s\0' "$file"
			done | tar -c --null -T -) | tar -x --no-same-owner -C "$2"
	else
		tar -c -C "$1" --exclude ./build . | tar -x --no-same-owner -C "$2"
	fi
}
