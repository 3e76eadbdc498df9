# SPDX-License-Identifier: MIT
# sva-bench is installed. icount belongs to the build tree; make check-icount runs it.
if TOOLS
bin_PROGRAMS += %D%/sva-bench
dist_man_MANS += man/sva-bench.1
endif

%C%_sva_bench_SOURCES = %D%/sva-bench.c %D%/bench.h %D%/options.c %D%/measure.c \
	%D%/instructions.c %D%/table.c %D%/json.c %D%/plot.c %D%/rows.c %D%/burst.c %D%/ops.c \
	%D%/buffers.c %D%/data.c %D%/csv.c %D%/calibrate.c %D%/output.c $(tools_term)
%C%_sva_bench_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS) -pthread
%C%_sva_bench_LDADD = src/lib/libsva.la $(JSON_LIBS) -lm
%C%_sva_bench_LDFLAGS = $(AM_LDFLAGS) -pthread

EXTRA_DIST += %D%/README.md

include bench/icount/local.mk
include bench/ratios/local.mk
