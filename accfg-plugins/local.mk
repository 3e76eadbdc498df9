# SPDX-License-Identifier: MIT
# Loadable modules, one for each source of queues. Each exports one symbol and links to nothing of
# libsva; what they share with it (reading text, checking a queue) is compiled in.
pkglib_LTLIBRARIES += %D%/file.la
accfg_plugin_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared $(NODEFS_LDFLAGS) \
	-export-symbols-regex '^sva_accfg_plugin_v1$$'

%C%_file_la_SOURCES = %D%/file.c src/lib/base/names.c src/lib/find/queue-check.c \
	src/lib/base/text.c src/lib/base/fd.c
%C%_file_la_CFLAGS = $(AM_CFLAGS)
%C%_file_la_LDFLAGS = $(accfg_plugin_ldflags)

if HAVE_ACCFG
pkglib_LTLIBRARIES += %D%/dsa.la
endif
%C%_dsa_la_SOURCES = %D%/dsa.c %D%/sysfs.c %D%/sysfs.h src/lib/base/text.c src/lib/base/fd.c
%C%_dsa_la_CFLAGS = $(AM_CFLAGS) $(ACCFG_CFLAGS)
%C%_dsa_la_LIBADD = $(ACCFG_LIBS)
%C%_dsa_la_LDFLAGS = $(accfg_plugin_ldflags)
