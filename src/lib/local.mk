# SPDX-License-Identifier: MIT
# libsva.so. The sources are in rooms, the lowest first: a room calls only those before it
# (ARCHITECTURE.md).
#
# libtool's version: current:revision:age. Source changed: revision++. Interfaces added, removed or
# changed: current++, revision=0. Only added: age++. Removed or changed: age=0.
# History: 0.1.0 = 0:0:0.
lib_LTLIBRARIES += %D%/libsva.la

svaincludedir = $(includedir)/sva
svainclude_HEADERS = \
	include/sva/cq.h \
	include/sva/desc.h \
	include/sva/dma.h \
	include/sva/info.h \
	include/sva/op.h \
	include/sva/ops.h \
	include/sva/plugin.h \
	include/sva/sva.h \
	include/sva/sva.hpp
nodist_svainclude_HEADERS = include/sva/version.h

# The objects, also for tests that look inside.
noinst_LTLIBRARIES += %D%/libcore.la
%C%_libcore_la_SOURCES = \
	%D%/base/bias.c \
	%D%/base/bias.h \
	%D%/base/bus.h \
	%D%/base/cancel.h \
	%D%/base/clock.c \
	%D%/base/clock.h \
	%D%/base/cpu.c \
	%D%/base/fd.c \
	%D%/base/fd.h \
	%D%/base/guard.c \
	%D%/base/lib.h \
	%D%/base/low.h \
	%D%/base/machine.h \
	%D%/base/memory.h \
	%D%/base/names.c \
	%D%/base/names.h \
	%D%/base/numa.c \
	%D%/base/opcodes.h \
	%D%/base/process.c \
	%D%/base/process.h \
	%D%/base/text.c \
	%D%/base/text.h \
	%D%/base/touch.c \
	%D%/base/utf8.h \
	%D%/base/words.c \
	%D%/find/config.c \
	%D%/find/config.h \
	%D%/find/discover.c \
	%D%/find/discover.h \
	%D%/find/elf-check.c \
	%D%/find/elf-check.h \
	%D%/find/log.c \
	%D%/find/log.h \
	%D%/find/plugin.c \
	%D%/find/queue-check.c \
	%D%/find/queue-check.h \
	%D%/find/settings.c \
	%D%/find/settings.h \
	%D%/op/check.c \
	%D%/op/cpu.c \
	%D%/op/cpu.h \
	%D%/op/cpu-copy.c \
	%D%/op/cpu-crc.c \
	%D%/op/cpu-delta.c \
	%D%/op/cpu-dif.c \
	%D%/op/cpu-fill.c \
	%D%/op/cpu-flush.c \
	%D%/op/cpu-loops.h \
	%D%/op/cpu-wide.c \
	%D%/op/cpu-wide.h \
	%D%/op/fault.c \
	%D%/op/kinds.c \
	%D%/op/kinds.h \
	%D%/op/life.c \
	%D%/op/mapped.c \
	%D%/op/mapped.h \
	%D%/op/op.h \
	%D%/op/progress.c \
	%D%/queue/bond.c \
	%D%/queue/bond.h \
	%D%/queue/caps.c \
	%D%/queue/dma.c \
	%D%/queue/dma.h \
	%D%/queue/lease.c \
	%D%/queue/node.c \
	%D%/queue/node.h \
	%D%/queue/portal.c \
	%D%/queue/proof.c \
	%D%/queue/proof.h \
	%D%/queue/reason.c \
	%D%/queue/reason.h \
	%D%/queue/soft.c \
	%D%/queue/soft.h \
	%D%/queue/ways.c \
	%D%/queue/ways.h \
	%D%/queue/write.c \
	%D%/run/batch-fast.c \
	%D%/run/batch-list.c \
	%D%/run/batch.c \
	%D%/run/choose.c \
	%D%/run/complete.c \
	%D%/run/collect.c \
	%D%/run/context.c \
	%D%/run/cq-part.c \
	%D%/run/cq-ready.c \
	%D%/run/cq-waiter.c \
	%D%/run/cq.c \
	%D%/run/cq.h \
	%D%/run/credits.c \
	%D%/run/fast.c \
	%D%/run/fast.h \
	%D%/run/group.c \
	%D%/run/group.h \
	%D%/run/issue.c \
	%D%/run/run.h \
	%D%/run/settle.c \
	%D%/run/submit.c \
	%D%/run/thread.c \
	%D%/run/thread.h \
	%D%/run/wait.c \
	%D%/api/api.h \
	%D%/api/bind.c \
	%D%/api/cq.c \
	%D%/api/default.c \
	%D%/api/dma.c \
	%D%/api/explain.c \
	%D%/api/inline.c \
	%D%/api/open.c \
	%D%/api/ops.c \
	%D%/api/setup.c \
	%D%/api/submit.c \
	%D%/api/sva.c \
	%D%/api/uring.c
%C%_libcore_la_CFLAGS = $(AM_CFLAGS) $(NUMA_CFLAGS) -pthread
%C%_libcore_la_LIBADD = src/model/libmodel.la $(NUMA_LIBS) $(ISAL_LIBS)

# nodelete: threads end and programs fork through functions of the library, after a dlclose(3), too.
%C%_libsva_la_SOURCES =
%C%_libsva_la_LIBADD = %D%/libcore.la
%C%_libsva_la_LDFLAGS = $(AM_LDFLAGS) -pthread -version-info 0:0:0 $(NODEFS_LDFLAGS) \
	-Wl,-z,nodelete -Wl,--no-undefined-version -Wl,--version-script=$(srcdir)/%D%/libsva.map
EXTRA_%C%_libsva_la_DEPENDENCIES = $(srcdir)/%D%/libsva.map
EXTRA_DIST += %D%/libsva.map
pkgconfig_DATA += %D%/libsva.pc
examplesdir = $(docdir)/examples
dist_examples_DATA = %D%/libsva.conf accfg-plugins/libsva.queues

# No .la file is installed: programs find the library with pkg-config, and the plug-ins are opened
# as .so files. Without it "libtool --mode=uninstall" removes nothing, so that is done here, by the
# names in the .la files of the build. ldconfig is left to the caller, who may have no right to it
# or may be making a package.
.PHONY: remove-la uninstall-libraries
remove-la:
	cd $(DESTDIR)$(libdir) && rm -f libsva.la
	cd $(DESTDIR)$(pkglibdir) && for la in $(pkglib_LTLIBRARIES); do rm -f "$${la##*/}"; done
install-exec-hook: remove-la
	@test -n "$(DESTDIR)" || \
		echo "now, as root: ldconfig (so that programs find $(libdir)/libsva.so.0)"

uninstall-libraries:
	for la in $(lib_LTLIBRARIES) $(pkglib_LTLIBRARIES); do \
		case " $(lib_LTLIBRARIES) " in *" $$la "*) dir=$(DESTDIR)$(libdir) ;; \
		*) dir=$(DESTDIR)$(pkglibdir) ;; esac; \
		names=`$(SED) -n "s/^\(library_names\|old_library\)='\(.*\)'/\2/p" $$la`; \
		for name in $$names; do rm -f "$$dir/$$name"; done; \
	done
	-rmdir $(DESTDIR)$(pkglibdir) 2>/dev/null
uninstall-hook: uninstall-libraries
