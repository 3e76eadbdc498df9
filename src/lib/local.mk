# SPDX-License-Identifier: MIT
# libsva.so. The sources are in the order in which a request travels (design: the road of a request).
#
# libtool's version: current:revision:age. Source changed: revision++. Interfaces added, removed or changed: current++,
# revision=0. Only added: age++. Removed or changed: age=0. History: 0.1.0 = 0:0:0.
lib_LTLIBRARIES += %D%/libsva.la

svaincludedir = $(includedir)/sva
svainclude_HEADERS = \
	include/sva/desc.h \
	include/sva/dma.h \
	include/sva/info.h \
	include/sva/op.h \
	include/sva/ops.h \
	include/sva/plugin.h \
	include/sva/sva.h
nodist_svainclude_HEADERS = include/sva/version.h

# The objects, also for tests that look inside.
noinst_LTLIBRARIES += %D%/libcore.la
%C%_libcore_la_SOURCES = \
	%D%/internal.h \
	%D%/road.h \
	%D%/submit.h \
	%D%/bus.h \
	%D%/bias.h \
	%D%/inline.c \
	%D%/sva.c \
	%D%/operation.c \
	%D%/kinds.c \
	%D%/kinds.h \
	%D%/progress.c \
	%D%/batch.c \
	%D%/ops.c \
	%D%/context.c \
	%D%/path.c \
	%D%/probe.c \
	%D%/bond.c \
	%D%/credit.c \
	%D%/bias.c \
	%D%/issue.c \
	%D%/submit.c \
	%D%/submit_enqcmd.c \
	%D%/submit_movdir64b.c \
	%D%/submit_write.c \
	%D%/submit_dma.c \
	%D%/dma.c \
	%D%/dma_buf.h \
	%D%/uring.c \
	%D%/submit_soft.c \
	%D%/soft.c \
	%D%/complete.c \
	%D%/resume.c \
	%D%/touch.c \
	%D%/result.c \
	%D%/guard.c \
	%D%/process.c \
	%D%/config.c \
	%D%/settings.c \
	%D%/settings.h \
	%D%/names.c \
	%D%/names.h \
	%D%/text.c \
	%D%/text.h \
	%D%/log.c \
	%D%/discover.c \
	%D%/plugin.c \
	%D%/elf-check.c \
	%D%/elf-check.h \
	%D%/queue-check.c \
	%D%/queue-check.h \
	%D%/numa.c \
	%D%/cpu.c
%C%_libcore_la_CFLAGS = $(AM_CFLAGS) $(NUMA_CFLAGS) -pthread
%C%_libcore_la_LIBADD = src/model/libmodel.la $(NUMA_LIBS) $(ISAL_LIBS)

# nodelete: threads end and programs exit through functions of the library, also after a dlclose(3).
%C%_libsva_la_SOURCES =
%C%_libsva_la_LIBADD = %D%/libcore.la
%C%_libsva_la_LDFLAGS = $(AM_LDFLAGS) -pthread -version-info 0:0:0 $(NODEFS_LDFLAGS) -Wl,-z,nodelete \
	-Wl,--no-undefined-version -Wl,--version-script=$(srcdir)/%D%/libsva.map
EXTRA_%C%_libsva_la_DEPENDENCIES = $(srcdir)/%D%/libsva.map
EXTRA_DIST += %D%/libsva.map
pkgconfig_DATA += %D%/libsva.pc
examplesdir = $(docdir)/examples
dist_examples_DATA = %D%/libsva.conf accfg-plugins/libsva.queues
