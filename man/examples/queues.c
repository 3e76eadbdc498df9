/* SPDX-License-Identifier: MIT */
/* Lists the queues, what they offer to this process, and what was wrong with the others. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/info.h>

int main(void)
{
	struct sva_queue_info info = { .size = sizeof(info) };
	const struct sva_setting *setting;
	const char *problem;
	char value[256];
	unsigned int i;
	int err, path;

	for (i = 0; (err = sva_queue_describe(NULL, i, 1, &info)) == 0; i++) {
		printf("%s of %s (%s), %" PRIu32 " entries, node %" PRId32 "\n", info.name,
		       info.device, info.mode == SVA_MODE_DEDICATED ? "dedicated" : "shared",
		       info.entries, info.numa_node);
		for (path = 0; path < SVA_PATH_COUNT; path++)
			printf("  %-9s %s\n", sva_path_name(path),
			       sva_reason_text(info.reasons[path]));
	}
	if (err != -ENOENT) {
		fprintf(stderr, "queue %u: %s\n", i, strerror(-err));
		return EXIT_FAILURE;
	}
	printf("%u queues\n", i);
	for (i = 0; (problem = sva_problem(NULL, i)); i++)
		printf("problem: %s\n", problem);
	for (i = 0; (setting = sva_setting_describe(i)); i++)
		if (sva_setting_value(NULL, i, value, sizeof(value)) == 0)
			printf("%s=%s\n", setting->env, value);
	return EXIT_SUCCESS;
}
