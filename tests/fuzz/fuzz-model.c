/* SPDX-License-Identifier: MIT */
/*
 * The target of the fuzzers: any bytes are a device, an address space and descriptors
 * (tests/model/scenario.c). A run that the reference does not agree with, a window used beyond its
 * end and an unlawful record all end in abort().
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/model/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trials trials = { 0 };

	if (!scenario_run(&trials, data, size)) {
		fprintf(stderr, "fuzz-model: %s\n", trials.why);
		abort();
	}
	return 0;
}
