# SPDX-License-Identifier: MIT
# Completion of sva-info, sva-copy, sva-bench and sva-emu for fish. The options are those that the
# program's own --help lists, so that both are always the same.
function __sva_options
    $argv --help 2>/dev/null | string match -r -a -g -- '(?:^|[ ,\[])(--?[a-z][a-z0-9-]*)'
end

for program in sva-info sva-copy sva-bench
    complete -c $program -a "(__sva_options $program)" \
        -n 'string match -q -- "-*" (commandline -ct)'
end
complete -c sva-info -l mode -x -a 'shared dedicated both'
complete -c sva-info -l for -x -a '(__fish_complete_groups)'
for program in sva-copy sva-bench
    complete -c $program -l paths -x -a 'enqcmd movdir64b write dma soft cpu'
end
complete -c sva-emu -n __fish_use_subcommand -x -a 'run machines doctor --help --version'
complete -c sva-emu -n '__fish_seen_subcommand_from run' -a '(__sva_options sva-emu run)'
complete -c sva-emu -n '__fish_seen_subcommand_from run' -l machine -x \
    -a '(sva-emu machines 2>/dev/null | string match -r -g "^([a-z0-9.-]+)  ")'
complete -c sva-emu -n '__fish_seen_subcommand_from run' -l profile -x -a 'dsa1 dsa2 dsa3'
