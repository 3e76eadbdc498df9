# SPDX-License-Identifier: MIT
# The DSA in software: a convenience library, linked into libsva and sva-emu. Freestanding in spirit: see model.h.
noinst_LTLIBRARIES += %D%/libmodel.la
%C%_libmodel_la_SOURCES = %D%/model.h
%C%_libmodel_la_CFLAGS = $(AM_CFLAGS)
