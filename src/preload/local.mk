# SPDX-License-Identifier: MIT
# The drop-in: libsva-preload.so for unmodified programs, and sva-preload, which runs them with it.
# The library is built without sanitizers, as it is loaded into programs that may have them; without
# a stack protector and without calls of its own functions, as they run before the program is set
# up; and it links nothing, so that a program without a device does not load libsva.
if X86_64
dist_man_MANS += man/sva-preload.1
pkglib_LTLIBRARIES += %D%/libsva-preload.la
%C%_libsva_preload_la_SOURCES = \
	%D%/big.c \
	%D%/calls.c \
	%D%/device.c \
	%D%/plain.c \
	%D%/preload.h \
	%D%/signals.c \
	%D%/start.c \
	%D%/state.c \
	%D%/stats.c
%C%_libsva_preload_la_CPPFLAGS = $(AM_CPPFLAGS) -U_FORTIFY_SOURCE -DSVA_LIBDIR='"$(libdir)"'
%C%_libsva_preload_la_CFLAGS = $(WARN_CFLAGS) $(COV_CFLAGS) $(MODEL_CFLAGS) -fvisibility=hidden \
	-fno-stack-protector
%C%_libsva_preload_la_LDFLAGS = -module -avoid-version -shared $(COV_CFLAGS) -pthread \
	-Wl,-z,now -Wl,-z,defs

if TOOLS
bin_PROGRAMS += %D%/sva-preload
endif
%C%_sva_preload_SOURCES = %D%/sva-preload.c %D%/device.c $(tools_term)
%C%_sva_preload_CPPFLAGS = $(AM_CPPFLAGS) \
	-DSVA_PRELOAD_LIBRARY='"$(pkglibdir)/libsva-preload.so"'
%C%_sva_preload_LDADD = src/lib/libsva.la
endif
