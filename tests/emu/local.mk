# SPDX-License-Identifier: MIT
# Tests of sva-emu: the scripts run the programs beside them, and programs of others, on the
# emulated device. They need no device and no privilege, so they are part of make check; make
# check-emu runs the long ones, too.
emu_tests = \
	%D%/t-accel-config.sh \
	%D%/t-client.sh \
	%D%/t-debuggers.sh \
	%D%/t-dpdk.sh \
	%D%/t-machines.sh \
	%D%/t-modes.sh \
	%D%/t-options.sh \
	%D%/t-ptrace.sh \
	%D%/t-raw.sh \
	%D%/t-sanitizers.sh \
	%D%/t-storm.sh \
	%D%/t-surroundings.sh
TESTS += $(emu_tests)
EXTRA_DIST += %D%/check-emu %D%/session %D%/dpdk %D%/lib.sh $(emu_tests)
noinst_HEADERS += %D%/client.h
if HAVE_ZYDIS
if X86_64
emu_programs = %D%/insn %D%/cdev %D%/faults %D%/storm %D%/sites %D%/interpose %D%/hold %D%/raw
check_PROGRAMS += $(emu_programs)
%C%_insn_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_faults_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_interpose_CFLAGS = $(AM_CFLAGS) -fno-builtin -fvisibility=default
%C%_interpose_LDFLAGS = $(AM_LDFLAGS) -Wl,-E
%C%_raw_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_sites_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_storm_LDFLAGS = $(AM_LDFLAGS) -pthread
endif
endif

# Each row takes seconds; all of them and the long tests take some minutes, the short form two.
.PHONY: check-emu check-emu-short
check_emu_programs = $(emu_programs) tests/unit/t-api-portal tests/unit/t-api-ops \
	tests/unit/t-api-batch tests/unit/t-api-bad-input
check_emu = top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' CC='$(CC)' \
	SANITIZERS='$(SANITIZER_NAMES)' $(abs_top_srcdir)/tests/emu/check-emu
check-emu: all
	$(MAKE) $(check_emu_programs)
	$(check_emu)
check-emu-short: all
	$(MAKE) $(check_emu_programs)
	EMU_SHORT=1 $(check_emu)
