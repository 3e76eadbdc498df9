# SPDX-License-Identifier: MIT
# Tests of the repository itself: interface, headers, comments, manual, settings, installation,
# examples, rooms. settings prints the table that t-env.sh compares with the manual.
TESTS += %D%/t-abi.sh %D%/t-headers.sh %D%/t-doc.sh %D%/t-man.sh %D%/t-env.sh %D%/t-pc.sh \
	%D%/t-examples.sh \
	%D%/t-addresses.sh %D%/t-quickstart.sh %D%/t-tap.sh
EXTRA_DIST += tests/tap.sh %D%/documented.awk %D%/t-static.sh \
	%D%/t-abi.sh %D%/t-headers.sh %D%/t-doc.sh %D%/t-man.sh %D%/t-env.sh %D%/t-pc.sh \
	%D%/t-examples.sh \
	%D%/t-addresses.sh %D%/t-quickstart.sh %D%/t-tap.sh
check_PROGRAMS += %D%/settings
%C%_settings_LDADD = src/lib/libsva.la

# The length of lines, the words, and debian/.
TESTS += %D%/t-lines.sh %D%/t-words.sh %D%/t-packages.sh
EXTRA_DIST += %D%/t-lines.sh %D%/t-words.sh %D%/t-packages.sh \
	%D%/files.sh %D%/lines.awk %D%/words.awk

# The rooms of each folder, read from the objects; each unit with the prefix of its objects.
TESTS += %D%/t-rooms.sh
EXTRA_DIST += %D%/t-rooms.sh %D%/rooms %D%/rooms.sh %D%/rooms.awk %D%/includes.awk
check_DATA += %D%/objects
CLEANFILES += %D%/objects
%D%/objects: Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && { \
	echo 'libcore libcore_la $(src_lib_libcore_la_OBJECTS)'; \
	echo 'model libmodel_la $(src_model_libmodel_la_OBJECTS)'; \
	echo 'sva-info sva_info $(src_tools_sva_info_OBJECTS)'; \
	echo 'sva-copy sva_copy $(src_tools_sva_copy_OBJECTS)'; \
	echo 'sva-bench sva_bench $(bench_sva_bench_OBJECTS)'; \
	echo 'icount icount $(bench_icount_icount_OBJECTS)'; \
	echo 'sva-preload libsva_preload_la $(src_preload_libsva_preload_la_OBJECTS)'; \
	echo 'emu-preload libsva_emu_la $(src_emu_libsva_emu_la_OBJECTS)'; \
	echo 'emu-program sva_emu $(src_emu_sva_emu_OBJECTS)'; \
	} >$@

# Who opens files.
TESTS += %D%/t-opens.sh
EXTRA_DIST += %D%/t-opens.sh

# The tutorial, followed to the letter.
TESTS += %D%/t-tutorial.sh
EXTRA_DIST += %D%/t-tutorial.sh

# Machines that configure refuses.
TESTS += %D%/t-configure.sh
EXTRA_DIST += %D%/t-configure.sh

# The kernel module, from its sources.
TESTS += %D%/t-kmod.sh
EXTRA_DIST += %D%/t-kmod.sh %D%/kernel-symbols.awk
