# SPDX-License-Identifier: MIT
# The real idxd driver on the emulated DSA: "make check-vm-idxd" runs all tests, "make
# check-vm-idxd-short" one boot.
idxd_programs = %D%/idxd-open %D%/idxd-faults %D%/idxd-life %D%/idxd-load
EXTRA_PROGRAMS += $(idxd_programs)
CLEANFILES += $(idxd_programs)

%C%_idxd_open_SOURCES = %D%/open.c
%C%_idxd_faults_SOURCES = %D%/faults.c
%C%_idxd_faults_CPPFLAGS = $(vm_cppflags)
%C%_idxd_faults_LDADD = src/lib/libsva.la
%C%_idxd_faults_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_idxd_life_SOURCES = %D%/life.c
%C%_idxd_life_CPPFLAGS = $(vm_cppflags)
%C%_idxd_life_LDADD = src/lib/libsva.la
%C%_idxd_load_SOURCES = %D%/load.c
%C%_idxd_load_CPPFLAGS = $(vm_cppflags)
%C%_idxd_load_LDADD = src/lib/libsva.la
%C%_idxd_load_LDFLAGS = $(AM_LDFLAGS) -pthread

EXTRA_DIST += %D%/bench %D%/cells %D%/check %D%/counts %D%/matrix %D%/proofs %D%/setup

idxd_needs = tests/unit/t-api-ops tests/unit/t-api-batch tests/unit/t-api-bad-input \
	tests/unit/t-api-portal
.PHONY: check-vm-idxd check-vm-idxd-short
check-vm-idxd: all $(idxd_programs) $(idxd_needs)
	@$(AM_TESTS_ENVIRONMENT) VM_PATIENCE="$(VM_PATIENCE)" $(srcdir)/%D%/check
check-vm-idxd-short: all $(idxd_programs) $(idxd_needs)
	@$(AM_TESTS_ENVIRONMENT) VM_PATIENCE="$(VM_PATIENCE)" $(srcdir)/%D%/check --short
