# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of sva-info, sva-copy, sva-bench and sva-emu for bash. The options are those that the
# program's own --help lists, so that both are always the same.

_sva_words() { # PROGRAM WORD…: options of the program, or of its command
	"$@" --help 2>/dev/null | grep -o -E -e '(^|[ ,[])--?[a-z][a-z0-9-]*' | tr -d ' ,['
}

_sva() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words i
	COMPREPLY=()
	case ${1##*/}:$prev in
	sva-info:--mode) words='shared dedicated both' ;;
	sva-info:--for | sva-emu:--users) words=$(getent group | cut -d: -f1) ;;
	sva-emu:--machine) words=$("$1" machines 2>/dev/null | sed -n '/^$/q; s/ .*//p') ;;
	sva-emu:--profile) words='dsa1 dsa2 dsa3' ;;
	sva-emu:--sabotage) words='flip lose length' ;;
	sva-emu:--trace-format) words='text json' ;;
	sva-copy:--paths | sva-bench:--paths) words='enqcmd movdir64b write dma soft cpu' ;;
	sva-emu:sva-emu | sva-emu:*/sva-emu) words='run machines doctor --help --version' ;;
	*)
		if [[ ${1##*/} = sva-emu && ${COMP_WORDS[1]} = run ]]; then
			for ((i = 2; i < COMP_CWORD; i++)); do
				[[ ${COMP_WORDS[i]} = -- ]] || continue
				if ((COMP_CWORD == i + 1)); then
					mapfile -t COMPREPLY < <(compgen -c -- "$cur")
				else
					mapfile -t COMPREPLY < <(compgen -f -- "$cur")
				fi
				return
			done
			words="$(_sva_words "$1" run) --"
		else
			words=$(_sva_words "$1")
		fi
		[[ $cur = -* || ${1##*/} = sva-emu ]] || words=
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	[[ ${#COMPREPLY[@]} -gt 0 || $cur = -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

complete -o filenames -F _sva sva-info sva-copy sva-bench sva-emu
