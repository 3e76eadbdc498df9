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
	%D%/queue/ways.h \
	%D%/base/bus.h \
	%D%/base/bias.h \
	%D%/api/inline.c \
	%D%/api/sva.c \
	%D%/run/submit.c \
	%D%/op/kinds.c \
	%D%/op/check.c \
	%D%/op/mapped.c \
	%D%/queue/caps.c \
	%D%/base/words.c \
	%D%/op/kinds.h \
	%D%/op/progress.c \
	%D%/run/batch.c \
	%D%/api/ops.c \
	%D%/api/open.c \
	%D%/run/route.c \
	%D%/api/explain.c \
	%D%/queue/bond.c \
	%D%/queue/proof.c \
	%D%/queue/lease.c \
	%D%/base/bias.c \
	%D%/run/issue.c \
	%D%/queue/ways.c \
	%D%/queue/enqcmd.c \
	%D%/queue/movdir64b.c \
	%D%/queue/write.c \
	%D%/queue/dma.c \
	%D%/api/dma.c \
	%D%/op/mapped.h \
	%D%/api/uring.c \
	%D%/queue/submit_soft.c \
	%D%/queue/soft.c \
	%D%/run/complete.c \
	%D%/run/settle.c \
	%D%/op/fault.c \
	%D%/base/touch.c \
	%D%/op/life.c \
	%D%/base/guard.c \
	%D%/base/process.c \
	%D%/find/config.c \
	%D%/find/settings.c \
	%D%/find/settings.h \
	%D%/base/names.c \
	%D%/base/names.h \
	%D%/base/text.c \
	%D%/base/text.h \
	%D%/base/fd.c \
	%D%/base/fd.h \
	%D%/base/low.h \
	%D%/base/utf8.h \
	%D%/base/log.c \
	%D%/find/discover.c \
	%D%/find/plugin.c \
	%D%/find/elf-check.c \
	%D%/find/elf-check.h \
	%D%/find/queue-check.c \
	%D%/find/queue-check.h \
	%D%/base/numa.c \
	%D%/base/cpu.c \
	%D%/base/clock.c
%C%_libcore_la_CFLAGS = $(AM_CFLAGS) $(NUMA_CFLAGS) -pthread
%C%_libcore_la_LIBADD = src/model/libmodel.la $(NUMA_LIBS) $(ISAL_LIBS)

# nodelete: threads end and programs fork through functions of the library, after a dlclose(3), too.
%C%_libsva_la_SOURCES =
%C%_libsva_la_LIBADD = %D%/libcore.la
%C%_libsva_la_LDFLAGS = $(AM_LDFLAGS) -pthread -version-info 0:0:0 $(NODEFS_LDFLAGS) -Wl,-z,nodelete \
	-Wl,--no-undefined-version -Wl,--version-script=$(srcdir)/%D%/libsva.map
EXTRA_%C%_libsva_la_DEPENDENCIES = $(srcdir)/%D%/libsva.map
EXTRA_DIST += %D%/libsva.map
pkgconfig_DATA += %D%/libsva.pc
examplesdir = $(docdir)/examples
dist_examples_DATA = %D%/libsva.conf accfg-plugins/libsva.queues
