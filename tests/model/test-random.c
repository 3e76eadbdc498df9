/* SPDX-License-Identifier: MIT */
/*
 * Random devices, memory maps, descriptors and batches against the reference. SVA_TEST_RANDOM=N
 * runs N instead of the usual number, SVA_TEST_SEED=S others.
 */
#include "scenario.h"

static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

int main(void)
{
	const unsigned long runs = number("SVA_TEST_RANDOM", 10000),
			    seed = number("SVA_TEST_SEED", 1);
	uint8_t data[1024];
	struct trials trials = { 0 };
	unsigned long ends[64] = { 0 };


	for (unsigned long run = 0; run < runs; run++) {
		uint32_t state = (uint32_t)(seed * 1000003 + run + 1);

		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)(random_next(&state) >> 16);
		if (!scenario_run(&trials, data, sizeof(data)) && trials.failed == 1)
			printf("# run %lu of seed %lu\n", run, seed);
		ends[trials.outcome.comp.status & 63]++;
	}
	printf("# last statuses:");
	for (int i = 0; i < 64; i++) {
		if (ends[i])
			printf(" %02x: %lu", i, ends[i]);
	}
	printf("\n");
	trials_done(&trials, "random scenarios");
	return trials_end();
}
