# SPDX-License-Identifier: MIT
# The programs. Each has its own sources; term.c is what all of them print with.
bin_PROGRAMS += %D%/sva-info %D%/sva-copy
dist_man_MANS += man/sva-info.1 man/sva-copy.1

%C%_sva_info_SOURCES = %D%/sva-info.c %D%/info.h %D%/info-json.c %D%/info-words.c %D%/term.c %D%/term.h
%C%_sva_info_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
%C%_sva_info_LDADD = src/lib/libsva.la $(JSON_LIBS)

%C%_sva_copy_SOURCES = %D%/sva-copy.c %D%/copy.h %D%/copy-source.c %D%/copy-engine.c %D%/copy-sink.c \
	%D%/term.c %D%/term.h
%C%_sva_copy_CFLAGS = $(AM_CFLAGS)
%C%_sva_copy_LDADD = src/lib/libsva.la
