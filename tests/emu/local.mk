# SPDX-License-Identifier: MIT
# Tests of sva-emu: the scripts run the programs beside them, and programs of others, on the emulated device. They need no
# device and no privilege, so they are part of make check; make check-emu runs the long ones too.
TESTS += \
	%D%/t-client.sh %D%/t-options.sh %D%/t-storm.sh %D%/t-accel-config.sh %D%/t-dpdk.sh %D%/t-ptrace.sh %D%/t-modes.sh \
	%D%/t-surroundings.sh
EXTRA_DIST += \
	%D%/check-emu %D%/session %D%/dpdk %D%/lib.sh \
	%D%/t-client.sh %D%/t-options.sh %D%/t-storm.sh %D%/t-accel-config.sh %D%/t-dpdk.sh %D%/t-ptrace.sh %D%/t-modes.sh \
	%D%/t-surroundings.sh
noinst_HEADERS += %D%/client.h
if HAVE_ZYDIS
if X86_64
check_PROGRAMS += %D%/insn %D%/cdev %D%/faults %D%/storm %D%/sites %D%/interpose %D%/hold
%C%_insn_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_faults_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_interpose_CFLAGS = $(AM_CFLAGS) -fno-builtin -fvisibility=default
%C%_interpose_LDFLAGS = $(AM_LDFLAGS) -Wl,-E
%C%_sites_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_storm_LDFLAGS = $(AM_LDFLAGS) -pthread
endif
endif

.PHONY: check-emu
check-emu: all
	$(MAKE) $(check_PROGRAMS)
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' CC='$(CC)' SANITIZERS='$(SANITIZER_NAMES)' \
		$(abs_top_srcdir)/tests/emu/check-emu
