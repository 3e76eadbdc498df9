# SPDX-License-Identifier: MIT
# Ratios of the operations on the CPU to plain code. Not installed; make check-ratios runs it, with
# the options in RATIOS.
EXTRA_DIST += %D%/ratios.h
if HAVE_ISAL
noinst_PROGRAMS += %D%/ratios
%C%_ratios_SOURCES = %D%/ratios.c %D%/ratios.h %D%/measure.c %D%/rows.c
%C%_ratios_CPPFLAGS = $(AM_CPPFLAGS) $(ISAL_CFLAGS)
%C%_ratios_LDADD = src/lib/libsva.la $(ISAL_LIBS)

check-ratios: all
	@if test "x$(SANITIZER_NAMES)" != xno; then \
		echo "SKIP: times of a build with sanitizers mean nothing"; exit 0; fi; \
	%D%/ratios $(RATIOS)
else
check-ratios:
	@echo "SKIP: the ratios are those to ISA-L, which this build is without"
endif
.PHONY: check-ratios
