# SPDX-License-Identifier: MIT
# sva-emu, and the library that it loads into programs. The sources are in rooms (README.md).
#
# The library is built without the sanitizers, and so is its copy of the model: it runs in signal
# handlers of programs that have sanitizers of their own. It is also built without AVX, as the stubs
# of --fast save only what FXSAVE saves.
dist_man_MANS += man/sva-emu.1
EXTRA_DIST += %D%/README.md

if HAVE_ZYDIS
if X86_64
EMU_CFLAGS = $(WARN_CFLAGS) $(COV_CFLAGS) -fvisibility=hidden -fno-stack-protector -mno-avx
EMU_CPPFLAGS = $(AM_CPPFLAGS) -U_FORTIFY_SOURCE

# What both need, from the shared state to what an instruction does.
emu_common = \
	%D%/base/binary.c \
	%D%/base/binary.h \
	%D%/base/raw.h \
	%D%/base/text.c \
	%D%/base/text.h \
	%D%/host/maps.c \
	%D%/host/maps.h \
	%D%/host/memory.h \
	%D%/host/process.h \
	%D%/device/access.c \
	%D%/device/access.h \
	%D%/device/async.c \
	%D%/device/async.h \
	%D%/device/check.c \
	%D%/device/check.h \
	%D%/device/engine.c \
	%D%/device/engine.h \
	%D%/device/execute.c \
	%D%/device/execute.h \
	%D%/device/node.c \
	%D%/device/node.h \
	%D%/device/pages.c \
	%D%/device/pages.h \
	%D%/device/state.c \
	%D%/device/state.h \
	%D%/device/trace.c \
	%D%/device/trace.h \
	%D%/sysfs/attrs.h \
	%D%/sysfs/attrs_device.c \
	%D%/sysfs/attrs_wq.c \
	%D%/sysfs/paths.c \
	%D%/sysfs/paths.h \
	%D%/sysfs/sysfs.c \
	%D%/sysfs/sysfs.h \
	%D%/sysfs/tree.c \
	%D%/sysfs/tree.h \
	%D%/sysfs/values.c \
	%D%/insn/decode.c \
	%D%/insn/decode.h \
	%D%/insn/portals.c \
	%D%/insn/portals.h \
	%D%/insn/step.c \
	%D%/insn/step.h

noinst_LTLIBRARIES += %D%/libemu-model.la
%C%_libemu_model_la_SOURCES = $(src_model_libmodel_la_SOURCES)
%C%_libemu_model_la_CPPFLAGS = $(EMU_CPPFLAGS) -DMODEL_AVX2=0
%C%_libemu_model_la_CFLAGS = $(EMU_CFLAGS) $(MODEL_CFLAGS) -O2

pkglib_LTLIBRARIES += %D%/libsva-emu.la
%C%_libsva_emu_la_SOURCES = $(emu_common) \
	%D%/base/gadget.c \
	%D%/base/hidden.c \
	%D%/host/memory_inside.c \
	%D%/host/process_inside.c \
	%D%/preload/arm.c \
	%D%/preload/arm.h \
	%D%/preload/calls.c \
	%D%/preload/calls.h \
	%D%/preload/cdev.c \
	%D%/preload/cdev.h \
	%D%/preload/dispatch.c \
	%D%/preload/dispatch.h \
	%D%/preload/exec.h \
	%D%/preload/files.h \
	%D%/preload/filter.c \
	%D%/preload/filter.h \
	%D%/preload/interpose.c \
	%D%/preload/interpose.h \
	%D%/preload/patch.c \
	%D%/preload/patch.h \
	%D%/preload/preload.c \
	%D%/preload/signals.c \
	%D%/preload/signals.h \
	%D%/preload/trap.c \
	%D%/preload/trap.h \
	%D%/preload/wrap_exec.c \
	%D%/preload/wrap_files.c \
	%D%/preload/wrap_paths.c \
	%D%/preload/wrap_signals.c \
	%D%/preload/wrap_threads.c
%C%_libsva_emu_la_CPPFLAGS = $(EMU_CPPFLAGS) -DEMU_GADGET
%C%_libsva_emu_la_CFLAGS = $(EMU_CFLAGS) -mno-red-zone
%C%_libsva_emu_la_LDFLAGS = -module -avoid-version -shared $(COV_CFLAGS) \
	-Wl,-z,initfirst -Wl,-z,now -Wl,-z,defs
%C%_libsva_emu_la_LIBADD = %D%/libemu-model.la $(ZYDIS_LIBS) -ldl -lpthread

bin_PROGRAMS += %D%/sva-emu
%C%_sva_emu_SOURCES = $(emu_common) \
	%D%/host/memory_traced.c \
	%D%/host/process_traced.c \
	%D%/ptrace/tracecall.c \
	%D%/ptrace/tracecall.h \
	%D%/ptrace/tracee.c \
	%D%/ptrace/tracee.h \
	%D%/ptrace/tracer.c \
	%D%/ptrace/tracer.h \
	%D%/ptrace/tracesignal.c \
	%D%/ptrace/tracesignal.h \
	%D%/run/attrfs.c \
	%D%/run/attrfs.h \
	%D%/run/doctor.c \
	%D%/run/doctor.h \
	%D%/run/json.c \
	%D%/run/json.h \
	%D%/run/launch.c \
	%D%/run/launch.h \
	%D%/run/machine.c \
	%D%/run/machine.h \
	%D%/run/main.c \
	%D%/run/modules.c \
	%D%/run/modules.h \
	%D%/run/options.c \
	%D%/run/options.h \
	%D%/run/preset.c \
	%D%/run/preset.h \
	%D%/run/present.c \
	%D%/run/present.h \
	%D%/run/run.c \
	%D%/run/run.h \
	%D%/run/stats.c \
	%D%/run/stats.h
%C%_sva_emu_CPPFLAGS = $(AM_CPPFLAGS) -DSVA_EMU_LIBRARY='"$(pkglibdir)/libsva-emu.so"'
%C%_sva_emu_CFLAGS = $(AM_CFLAGS) $(FUSE_CFLAGS) $(JSON_CFLAGS)
%C%_sva_emu_LDADD = src/model/libmodel.la $(FUSE_LIBS) $(JSON_LIBS) $(ZYDIS_LIBS) -lpthread
endif
endif
