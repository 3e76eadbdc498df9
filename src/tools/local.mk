# SPDX-License-Identifier: MIT
# The programs, each in a folder of its own; term/ is what all of them share, the benchmark too.
if TOOLS
bin_PROGRAMS += %D%/sva-info %D%/sva-copy
dist_man_MANS += man/sva-info.1 man/sva-copy.1
endif

tools_term = %D%/term/options.c %D%/term/term.c %D%/term/term.h

%C%_sva_info_SOURCES = %D%/info/sva-info.c %D%/info/info.h %D%/info/text.c \
	%D%/info/json.c %D%/info/words.c %D%/info/machine.c %D%/info/machine.h \
	%D%/info/summary.c %D%/info/say.c %D%/info/setup.c %D%/info/setup.h %D%/info/steps.c \
	%D%/info/queues.c %D%/info/guests.c %D%/info/remedy.c $(tools_term)
%C%_sva_info_CPPFLAGS = $(AM_CPPFLAGS) -DSVA_QUEUES_FILE='"$(sysconfdir)/libsva-queues.json"'
%C%_sva_info_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
%C%_sva_info_LDADD = src/lib/libsva.la $(JSON_LIBS)

%C%_sva_copy_SOURCES = %D%/copy/sva-copy.c %D%/copy/copy.h %D%/copy/source.c %D%/copy/engine.c \
	%D%/copy/sink.c $(tools_term)
%C%_sva_copy_CFLAGS = $(AM_CFLAGS)
%C%_sva_copy_LDADD = src/lib/libsva.la
