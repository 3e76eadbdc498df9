#!/bin/bash
# SPDX-License-Identifier: MIT
# bash, zsh and fish complete the programs: what is offered after a few letters.
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"
build=${top_builddir:?}
completion=$top_srcdir/packaging/completion
[ -x "$build/src/tools/sva-info" ] || skip_all "sva-info was not built (--disable-tools)"
PATH=$build/src/tools:$build/src/emu:$build/bench:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# in_bash WORD…: what bash offers for the last word, one a line.
in_bash() {
	bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sva "$1"
		printf "%s\n" "${COMPREPLY[@]}"' "$completion/sva.bash" "$@"
}
is "$(in_bash sva-info --set | sort -u)" "$(printf '%s\n' --settings --setup)" \
	"bash completes --set of sva-info"
is "$(in_bash sva-info --mode s)" shared "bash completes a mode"
ok "bash completes an option of sva-bench" grep -qx -e --histogram <(in_bash sva-bench --hist)
ok "bash registers each program" bash -c '. "$0" &&
	complete -p sva-info sva-copy sva-bench sva-emu' "$completion/sva.bash"
if [ -x "$build/src/emu/sva-emu" ]; then
	is "$(in_bash sva-emu ma)" machines "bash completes a command of sva-emu"
	is "$(in_bash sva-emu run --machine g)" gnr "bash completes a machine"
	is "$(in_bash sva-emu run --raw)" --rawio "bash completes an option of sva-emu run"
	ok "bash completes a program after --" grep -qx readlink <(in_bash sva-emu run -- readl)
fi
if command -v zsh >/dev/null; then
	ok "the completion for zsh is well-formed" zsh -n "$completion/_sva"
	cat >"$work/zsh" <<-'END'
		compadd() { while [[ $1 = -* && $1 != -- && $1 != -a ]]; do shift; done
			if [[ $1 = -a ]]; then print -l -- ${(P)2}; else print -l -- $@; fi; }
		words=(sva-info --) CURRENT=2 PREFIX=--
		source $1
	END
	ok "zsh is offered the options of sva-info" \
		grep -qx -e --setup <(zsh -f "$work/zsh" "$completion/_sva" 2>&1)
else
	skip "zsh is offered the options of sva-info" "zsh is not installed"
fi
if command -v fish >/dev/null; then
	in_fish() {
		HOME=$work fish --no-config -c "source $completion/sva.fish; complete -C '$1'" 2>&1
	}
	ok "fish is offered the options of sva-info" \
		grep -q -e '^--setup' <(in_fish 'sva-info --set')
	ok "fish completes a mode" grep -q '^dedicated' <(in_fish 'sva-info --mode d')
else
	skip "fish is offered the options of sva-info" "fish is not installed"
fi
done_testing
