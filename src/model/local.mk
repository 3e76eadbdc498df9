# SPDX-License-Identifier: MIT
# The DSA in software: a convenience library, linked into libsva and sva-emu. Freestanding in
# spirit: see model.h. MODEL_CFLAGS keep the compiler from turning our loops into calls of memcpy,
# which a client may have replaced.
noinst_LTLIBRARIES += %D%/libmodel.la
%C%_libmodel_la_SOURCES = \
	%D%/model.h %D%/internal.h %D%/bytes.h %D%/checksum.h \
	%D%/profile.c %D%/queue.c %D%/execute.c %D%/ops.c %D%/flags.c %D%/check.c %D%/batch.c \
	%D%/memory.c %D%/bytes.c %D%/checksum.c %D%/evlog.c \
	%D%/move.c %D%/compare.c %D%/delta.c %D%/cache.c %D%/crc.c %D%/dif.c
%C%_libmodel_la_CPPFLAGS = $(AM_CPPFLAGS) $(MODEL_CPPFLAGS)
%C%_libmodel_la_CFLAGS = $(AM_CFLAGS) $(MODEL_CFLAGS) $(ISAL_CFLAGS)
%C%_libmodel_la_LIBADD = $(ISAL_LIBS)
