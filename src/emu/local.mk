# SPDX-License-Identifier: MIT
# sva-emu, and the library that it loads into programs. The library is built without the sanitizers, and with a copy of the
# model that is too: it runs in signal handlers of programs that have sanitizers of their own. And without AVX: the stubs
# of --fast save what FXSAVE saves.
if HAVE_ZYDIS
if X86_64
EMU_CFLAGS = $(WARN_CFLAGS) $(COV_CFLAGS) -fvisibility=hidden -fno-stack-protector -mno-avx
EMU_CPPFLAGS = $(AM_CPPFLAGS) -U_FORTIFY_SOURCE

noinst_LTLIBRARIES += %D%/libemu-model.la
%C%_libemu_model_la_SOURCES = $(src_model_libmodel_la_SOURCES)
%C%_libemu_model_la_CPPFLAGS = $(EMU_CPPFLAGS)
%C%_libemu_model_la_CFLAGS = $(EMU_CFLAGS) $(MODEL_CFLAGS) -O2

pkglib_LTLIBRARIES += %D%/libsva-emu.la
%C%_libsva_emu_la_SOURCES = \
	%D%/raw.h %D%/hidden.c %D%/text.h %D%/text.c %D%/state.h %D%/state.c %D%/sysfs.h %D%/sysfs.c %D%/tree.h %D%/tree.c \
	%D%/process.h %D%/preload.c %D%/decode.h %D%/decode.c %D%/paths.h %D%/paths.c %D%/wrap_paths.c %D%/wrap_files.c %D%/cdev.h %D%/cdev.c %D%/node.h %D%/node.c \
	%D%/signals.h %D%/signals.c %D%/trap.h %D%/trap.c %D%/patch.h %D%/patch.c %D%/insn.h %D%/insn.c %D%/access.h %D%/access.c %D%/memory.h %D%/memory.c %D%/engine.h %D%/engine.c %D%/async.h %D%/async.c \
	%D%/trace.h %D%/trace.c %D%/check.h %D%/check.c %D%/maps.h %D%/maps.c
%C%_libsva_emu_la_CPPFLAGS = $(EMU_CPPFLAGS)
%C%_libsva_emu_la_CFLAGS = $(EMU_CFLAGS)
%C%_libsva_emu_la_LDFLAGS = -module -avoid-version -shared $(COV_CFLAGS) -Wl,-z,initfirst -Wl,-z,now -Wl,-z,defs
%C%_libsva_emu_la_LIBADD = %D%/libemu-model.la $(ZYDIS_LIBS) -ldl -lpthread

bin_PROGRAMS += %D%/sva-emu
%C%_sva_emu_SOURCES = \
	%D%/main.c %D%/run.h %D%/run.c %D%/launch.h %D%/launch.c %D%/doctor.h %D%/doctor.c %D%/json.h %D%/json.c %D%/present.h %D%/present.c %D%/attrfs.h %D%/attrfs.c \
	%D%/tracer.h %D%/tracer.c %D%/tracee.h %D%/tracee.c %D%/tracecall.h %D%/tracecall.c %D%/remote.c \
	%D%/access.h %D%/access.c %D%/insn.h %D%/insn.c %D%/decode.h %D%/decode.c %D%/engine.h %D%/engine.c \
	%D%/async.h %D%/async.c %D%/node.h %D%/node.c %D%/maps.h %D%/maps.c %D%/paths.h %D%/paths.c \
	%D%/check.h %D%/check.c %D%/trace.h %D%/trace.c %D%/memory.h %D%/process.h %D%/cdev.h \
	%D%/options.h %D%/options.c %D%/machine.h %D%/machine.c %D%/stats.h %D%/stats.c \
	%D%/state.h %D%/state.c %D%/sysfs.h %D%/sysfs.c %D%/tree.h %D%/tree.c %D%/text.h %D%/text.c %D%/raw.h
%C%_sva_emu_CPPFLAGS = $(AM_CPPFLAGS) -DSVA_EMU_LIBRARY='"$(pkglibdir)/libsva-emu.so"'
%C%_sva_emu_CFLAGS = $(AM_CFLAGS) $(FUSE_CFLAGS) $(JSON_CFLAGS)
%C%_sva_emu_LDADD = src/model/libmodel.la $(FUSE_LIBS) $(JSON_LIBS) $(ZYDIS_LIBS) -lpthread
endif
endif
