/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without libFuzzer: on each file named, on each file of each folder named, or
 * on standard input (for AFL++). Prints how many inputs were run.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

static int run_stream(FILE *file, const char *name)
{
	static uint8_t data[1 << 16];
	size_t size = fread(data, 1, sizeof(data), file);

	if (ferror(file)) {
		fprintf(stderr, "%s: cannot be read\n", name);
		return 1;
	}
	LLVMFuzzerTestOneInput(data, size);
	inputs++;
	return 0;
}

static int run_file(const char *name)
{
	FILE *file = fopen(name, "rb");
	int rc;

	if (!file) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return 1;
	}
	rc = run_stream(file, name);
	fclose(file);
	return rc;
}

static int run_folder(const char *name, DIR *dir)
{
	struct dirent *entry;
	char path[4096];
	int rc = 0;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
		rc |= run_file(path);
	}
	return rc;
}

int main(int argc, char **argv)
{
	int rc = argc < 2 ? run_stream(stdin, "standard input") : 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);

		if (dir) {
			rc |= run_folder(argv[i], dir);
			closedir(dir);
		} else {
			rc |= run_file(argv[i]);
		}
	}
	printf("%lu inputs\n", inputs);
	return rc;
}
