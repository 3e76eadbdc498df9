# SPDX-License-Identifier: MIT
# Kernels for the virtual machine: Debian's packages, from the mirror that this machine uses, kept
# outside the tree in $vm_cache. Sourced by run.
#
#   vm_kernel VERSION	finds (once) the newest kernel of that version: sets vm_release and
#			vm_vmlinuz; or takes the one that was built in a directory
#   vm_module DIR	builds the module in DIR for it, in a Debian root that has the compiler
#			that the kernel was built with

vm_cache=${XDG_CACHE_HOME:-$HOME/.cache}/libsva/vm
vm_suite=trixie			# of the root that modules are built in
vm_compilers="gcc-12 gcc-14"	# those of these suites' kernels; others are added when needed
vm_root=$vm_cache/root-$vm_suite
vm_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

vm_die() {
	echo "run: $*" >&2
	exit 2
}

# For reasons outside the tree: no root, no network, no package.
vm_skip() {
	echo "run: $*" >&2
	exit 77
}

# vm_site SUITE: the address that this machine's apt set-up has for a suite.
vm_site() {
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v suite="$1" '$1 == suite { print $2; exit }'
}

# vm_sources: the suites that kernels are taken from. Those that are newer than this machine's are
# on the same mirror.
vm_sources() {
	local own main security suite

	own=$(. /etc/os-release && echo "$VERSION_CODENAME")
	main=${VM_MIRROR:-$(vm_site "$own")}
	security=$(vm_site "$own-security")
	[ -n "$main" ] ||
		vm_skip "apt has no Debian mirror for $own here; name one in VM_MIRROR"
	for suite in bookworm bookworm-backports trixie trixie-backports; do
		echo "deb [signed-by=$vm_keyring] $main $suite main"
	done
	[ -z "$security" ] || for suite in bookworm trixie; do
		echo "deb [signed-by=$vm_keyring] $security $suite-security main"
	done
}

# vm_apt PROGRAM ARGUMENT…: apt with state of its own; proxies and the like are those of the
# machine.
vm_apt() {
	APT_CONFIG=$vm_cache/apt/apt.conf "$@"
}

vm_apt_update() {
	local apt=$vm_cache/apt

	[ -f "$vm_keyring" ] || vm_skip "$vm_keyring is missing (package debian-archive-keyring)"
	mkdir -p "$apt/lists/partial" "$apt/archives/partial"
	: >"$apt/status"
	vm_sources >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-END
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State::lists "$apt/lists";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt";
		APT::Sandbox::User "root";
		APT::Architecture "amd64";
		Acquire::Languages "none";
		Acquire::GzipIndexes "true";
	END
	vm_apt apt-get update -q >"$apt/log" 2>&1 || vm_skip "apt-get update failed, see $apt/log"
}

# vm_depends PACKAGE: itself, and the packages of the same kernel that it depends on.
vm_depends() {
	vm_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances --important "$1" |
		grep -E '^linux-(image|binary|base|headers|kbuild)-[0-9]' | sort -u
}

# vm_download KERNEL DIR: packages of the newest kernel whose version begins so.
vm_download() {
	local version=${1//./\\.} image release packages

	image=$(vm_apt apt-cache search --names-only \
		"^linux-image-$version([.+-][-+.0-9a-z]*)?-amd64\$" |
		awk '{ print $1 }' | grep -v -e -cloud- -e -rt- -e -unsigned | sort -V | tail -n 1)
	[ -n "$image" ] || vm_skip "no kernel $1 in $(vm_sources | awk '{ printf "%s ", $4 }')"
	release=${image#linux-image-}
	packages="$(vm_depends "$image") $(vm_depends "linux-headers-$release")"
	packages=$(printf '%s\n' $packages | grep -v -e -unsigned | sort -u)
	(cd "$2" && vm_apt apt-get download -q $packages >log 2>&1) ||
		vm_skip "download failed, see $2/log"
	echo "$release" >"$2/release"
}

vm_unpack() {
	dpkg-deb --fsys-tarfile "$1" |
		tar -x -C "$2" --keep-directory-symlink --wildcards "${@:3}" 2>/dev/null || :
}

# The compiler and tools that the headers of a kernel name.
vm_wants() {
	dpkg-deb -f "$1"/linux-headers-*-amd64_*.deb Depends | grep -o 'gcc-[0-9]*' | sort -u
}

# vm_make_root COMPILER…: the root that modules are built in.
vm_make_root() {
	local site include

	site=${VM_MIRROR:-$(vm_site "$(. /etc/os-release && echo "$VERSION_CODENAME")")}
	include=$(printf '%s,' "$@" make libelf1t64 libssl3t64 sparse)
	echo "run: making a $vm_suite root to build modules in" >&2
	rm -rf "$vm_root.new"
	debootstrap --variant=minbase --include="${include%,}" "$vm_suite" "$vm_root.new" "$site" \
		>"$vm_cache/debootstrap.log" 2>&1 ||
		vm_skip "debootstrap failed, see $vm_cache/debootstrap.log"
	mkdir -p "$vm_root.new/build"
	# Not while another run builds in the old one.
	exec 7>"$vm_cache/root-lock"
	flock 7
	rm -rf "$vm_root"
	mv "$vm_root.new" "$vm_root"
	flock -u 7
}

vm_has_compilers() {
	local compiler

	for compiler in $(vm_wants "$1"); do
		[ -x "$vm_root/usr/bin/$compiler" ] || return 1
	done
}

# Headers go where their makefiles expect them: into the root.
vm_need_root() {
	local deb

	vm_has_compilers "$1" ||
		vm_make_root $(printf '%s\n' $vm_compilers $(vm_wants "$1") | sort -u)
	[ ! -f "$vm_root/usr/src/linux-headers-$vm_release/.complete" ] || return 0
	for deb in "$1"/linux-headers-*.deb "$1"/linux-kbuild-*.deb; do
		vm_unpack "$deb" "$vm_root" './usr/*'
	done
	touch "$vm_root/usr/src/linux-headers-$vm_release/.complete"
}

# Whether nothing is left to fetch or to make.
vm_is_complete() {
	[ -f "$1/release" ] && vm_has_compilers "$1" &&
		[ -f "$vm_root/usr/src/linux-headers-$(cat "$1/release")/.complete" ]
}

vm_kernel() {
	local dir=$vm_cache/kernel-$1 deb

	vm_tree=
	if [ -d "$1" ]; then
		vm_tree=$(cd "$1" && pwd)
		vm_release=$(cat "$vm_tree/include/config/kernel.release") ||
			vm_die "$1 is no built kernel"
		vm_vmlinuz=$vm_tree/arch/x86/boot/bzImage
		return
	fi
	mkdir -p "$vm_cache"
	# Two runs at once: the second waits while the first fetches, unless all is there.
	exec 9>"$vm_cache/lock"
	vm_is_complete "$dir" || flock 9
	if [ ! -f "$dir/release" ]; then
		echo "run: fetching kernel $1" >&2
		rm -rf "$dir" "$dir.new"
		mkdir -p "$dir.new"
		vm_apt_update
		vm_download "$1" "$dir.new"
		mkdir "$dir.new/image"
		for deb in "$dir.new"/linux-image-*.deb "$dir.new"/linux-binary-*.deb; do
			[ ! -f "$deb" ] ||
				vm_unpack "$deb" "$dir.new/image" './boot/vmlinuz-*' \
					'./usr/lib/modules/*/vmlinuz'
		done
		mv "$dir.new" "$dir"
	fi
	vm_release=$(cat "$dir/release")
	vm_vmlinuz=$(find "$dir/image" -name 'vmlinuz*' -type f | head -n 1)
	[ -n "$vm_vmlinuz" ] || vm_die "no vmlinuz in the packages in $dir"
	vm_need_root "$dir"
	flock -u 9
}

# The modules folder of the distribution, for --kmod. It is large, so it is unpacked when needed.
vm_distro_modules() {
	local dir=$vm_cache/kernel-$1 deb

	if [ ! -d "$dir/modules" ]; then
		mkdir "$dir/modules.new"
		[ -n "$(find "$dir" -name 'linux-modules-*.deb')" ] ||
			[ ! -f "$(echo "$dir"/linux-binary-*.deb)" ] ||
			(cd "$dir" && vm_apt apt-get download -q "linux-modules-$vm_release" \
				>>log 2>&1) ||
			vm_skip "download failed, see $dir/log"
		for deb in "$dir"/linux-{image,base,modules}-*.deb; do
			[ ! -f "$deb" ] || vm_unpack "$deb" "$dir/modules.new" './lib/modules/*' \
				'./usr/lib/modules/*'
		done
		if [ -d "$dir/modules.new/usr/lib/modules" ]; then
			mkdir -p "$dir/modules.new/lib"
			mv "$dir/modules.new/usr/lib/modules" "$dir/modules.new/lib/"
		fi
		depmod -b "$dir/modules.new" "$vm_release"
		mv "$dir/modules.new" "$dir/modules"
	fi
	echo "$dir/modules"
}

# The mounts are in a namespace of their own and end with it.
vm_module() {
	if [ -n "$vm_tree" ]; then
		make -s -C "$vm_tree" M="$1" modules >&2 ||
			vm_die "building the module in $1 failed"
		return
	fi
	exec 7>"$vm_cache/root-lock"
	flock -s 7
	vm_build_dir=$1 vm_build_root=$vm_root vm_build_release=$vm_release unshare -m sh -c '
		mount -t proc proc "$vm_build_root/proc" &&
		mount --bind "$vm_build_dir" "$vm_build_root/build" &&
		exec chroot "$vm_build_root" make -s -C "/usr/src/linux-headers-$vm_build_release" \
			M=/build CONFIG_DEBUG_INFO_BTF_MODULES= '"${VM_MAKEFLAGS:-}"' modules' \
		>"$1/make.log" 2>&1 ||
		{ cat "$1/make.log" >&2; vm_die "building the module in $1 failed"; }
	flock -u 7
	# pahole is for BTF, which is switched off; all other output are warnings.
	sed -i -e '/pahole version differs/d' -e '/kernel was built with: [0-9]/d' \
		-e '/You are using: /d' "$1/make.log"
	cat "$1/make.log" >&2
}
