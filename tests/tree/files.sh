# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Which files the tests of texts look at. To be sourced, in the top folder of the sources.

# What git tracks; in a release, whatever looks like a source.
files() {
	local -a skip=(-name build -o -name 'build-*' -o -name _build -o -name _inst \
		-o -name autom4te.cache
		-o -name m4 -o -name .git -o -name .libs -o -name .deps)
	local -a source=(-name '*.[chS1-9]' -o -name '*.sh' -o -name '*.mk' -o -name '*.awk' \
		-o -name '*.py' -o -name '*.hpp' -o -name '*.cpp' -o -name '*.rs' \
		-o -name '*.md' -o -name '*.map' -o -name '*.in' -o -name configure.ac \
			-o -name Makefile.am
		-o -name NEWS -o -name quickstart -o -name run)

	if [ -e .git ] && git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files
	else
		find . \( "${skip[@]}" \) -prune -o -type f \( "${source[@]}" \) -print |
			sed 's,^\./,,' |
			grep -v -E '^(Makefile.in|config.h.in|config.h|.*/version.h|libsva-.*)$'
	fi
}

# Those with comments of ours: no licence texts, no patches to sources of others, no data, no lists
# that debhelper reads (debian/copyright names their licence).
sources() {
	files | grep -v -E \
		-e '^LICENSES/|^tests/(fixtures|fuzz/corpus)/|^tests/vm/idxd/matrix$' \
		-e '^debian/(copyright|changelog|not-installed|source/format)$' \
		-e '^debian/[^/]*\.(install|symbols)$|\.(patch|json)$'
}
