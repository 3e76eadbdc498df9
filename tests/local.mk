# SPDX-License-Identifier: MIT
# tap.h is what every C test prints its results with.
noinst_HEADERS += tests/tap.h

include tests/tree/local.mk
include tests/unit/local.mk
include tests/tools/local.mk
include tests/model/local.mk
include tests/bindings/local.mk
include tests/dropin/local.mk
include tests/emu/local.mk
include tests/storm/local.mk
include tests/fuzz/local.mk
include tests/vm/local.mk
include tests/release/local.mk
include tests/packages/local.mk
