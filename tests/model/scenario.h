/* SPDX-License-Identifier: MIT */
/*
 * Bytes to a device, an address space and a descriptor or a batch: for the fuzzers, and for the
 * random test. What runs out reads as zeros, so every input means something.
 */
#ifndef SVA_TESTS_MODEL_SCENARIO_H
#define SVA_TESTS_MODEL_SCENARIO_H

#include "trial.h"

/* False if the model did something that it must not; trials->why says what. */
bool scenario_run(struct trials *trials, const uint8_t *data, size_t len);

#endif
