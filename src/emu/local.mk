# SPDX-License-Identifier: MIT
# sva-emu, and the library that it loads into programs. The library is built without the sanitizers, and with a copy of the
# model that is too: it runs in signal handlers of programs that have sanitizers of their own. And without AVX: the stubs
# of --fast save what FXSAVE saves.
dist_man_MANS += man/sva-emu.1
EXTRA_DIST += man/examples/first-dsa.c

if HAVE_ZYDIS
if X86_64
EMU_CFLAGS = $(WARN_CFLAGS) $(COV_CFLAGS) -fvisibility=hidden -fno-stack-protector -mno-avx
EMU_CPPFLAGS = $(AM_CPPFLAGS) -U_FORTIFY_SOURCE

# What both need: the state, its files, and from a descriptor to its completion record.
emu_common = \
	%D%/raw.h %D%/text.h %D%/text.c %D%/state.h %D%/state.c %D%/process.h \
	%D%/sysfs.h %D%/sysfs.c %D%/attrs.h %D%/attrs_device.c %D%/attrs_wq.c %D%/tree.h %D%/tree.c %D%/paths.h %D%/paths.c \
	%D%/decode.h %D%/decode.c %D%/insn.h %D%/insn.c %D%/cdev.h %D%/node.h %D%/node.c %D%/maps.h %D%/maps.c \
	%D%/memory.h %D%/access.h %D%/access.c %D%/pages.h %D%/pages.c %D%/engine.h %D%/engine.c %D%/async.h %D%/async.c \
	%D%/trace.h %D%/trace.c %D%/check.h %D%/check.c %D%/binary.h %D%/binary.c

noinst_LTLIBRARIES += %D%/libemu-model.la
%C%_libemu_model_la_SOURCES = $(src_model_libmodel_la_SOURCES)
%C%_libemu_model_la_CPPFLAGS = $(EMU_CPPFLAGS) -DMODEL_AVX2=0
%C%_libemu_model_la_CFLAGS = $(EMU_CFLAGS) $(MODEL_CFLAGS) -O2

pkglib_LTLIBRARIES += %D%/libsva-emu.la
%C%_libsva_emu_la_SOURCES = $(emu_common) \
	%D%/preload.c %D%/hidden.c %D%/signals.h %D%/signals.c %D%/trap.h %D%/trap.c %D%/patch.h %D%/patch.c \
	%D%/memory.c %D%/cdev.c %D%/wrap_paths.c %D%/wrap_files.c %D%/wrap_exec.c %D%/wrap_signals.c %D%/files.h \
	%D%/calls.h %D%/calls.c %D%/dispatch.h %D%/dispatch.c %D%/exec.h
%C%_libsva_emu_la_CPPFLAGS = $(EMU_CPPFLAGS) -DEMU_GADGET
%C%_libsva_emu_la_CFLAGS = $(EMU_CFLAGS) -mno-red-zone
%C%_libsva_emu_la_LDFLAGS = -module -avoid-version -shared $(COV_CFLAGS) -Wl,-z,initfirst -Wl,-z,now -Wl,-z,defs
%C%_libsva_emu_la_LIBADD = %D%/libemu-model.la $(ZYDIS_LIBS) -ldl -lpthread

bin_PROGRAMS += %D%/sva-emu
%C%_sva_emu_SOURCES = $(emu_common) \
	%D%/main.c %D%/options.h %D%/options.c %D%/json.h %D%/json.c %D%/run.h %D%/run.c %D%/launch.h %D%/launch.c \
	%D%/present.h %D%/present.c %D%/attrfs.h %D%/attrfs.c %D%/doctor.h %D%/doctor.c %D%/machine.h %D%/machine.c \
	%D%/modules.h %D%/modules.c \
	%D%/stats.h %D%/stats.c %D%/tracer.h %D%/tracer.c %D%/tracee.h %D%/tracee.c %D%/tracecall.h %D%/tracecall.c \
	%D%/tracesignal.h %D%/tracesignal.c \
	%D%/remote.c
%C%_sva_emu_CPPFLAGS = $(AM_CPPFLAGS) -DSVA_EMU_LIBRARY='"$(pkglibdir)/libsva-emu.so"'
%C%_sva_emu_CFLAGS = $(AM_CFLAGS) $(FUSE_CFLAGS) $(JSON_CFLAGS)
%C%_sva_emu_LDADD = src/model/libmodel.la $(FUSE_LIBS) $(JSON_LIBS) $(ZYDIS_LIBS) -lpthread
endif
endif
