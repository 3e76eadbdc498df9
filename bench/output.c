/* SPDX-License-Identifier: MIT */
/*
 * The files that results are written to. Each is opened before anything is measured, so that a name
 * that cannot be written is reported at once and not after the run.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/term/term.h"

static int output_error(const struct bench_output *output)
{
	term_error("cannot write %s: %s", output->name, strerror(errno));
	return -1;
}

/* What the file holds stays until bench_output_begin(), when there is a result to replace it. */
int bench_output_open(struct bench_output *output, const char *name)
{
	*output = (struct bench_output){ .name = name };
	output->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);
	output->created = output->fd >= 0;
	if (output->fd < 0 && errno == EEXIST)
		output->fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	if (output->fd >= 0)
		return 0;
	output_error(output);
	output->name = NULL;
	return -1;
}

static bool is_regular(const struct bench_output *output)
{
	struct stat st;

	return fstat(output->fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Are they one regular file? The later result would then replace the earlier one. */
bool bench_output_same(const struct bench_output *a, const struct bench_output *b)
{
	struct stat first, second;

	return fstat(a->fd, &first) == 0 && fstat(b->fd, &second) == 0 && S_ISREG(first.st_mode) &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int bench_output_begin(struct bench_output *output)
{
	if (is_regular(output) && ftruncate(output->fd, 0))
		return output_error(output);
	output->begun = true;
	return 0;
}

int bench_output_write(const struct bench_output *output, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(output->fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return output_error(output);
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Removes a file that was created by bench_output_open() and got no result. */
int bench_output_close(struct bench_output *output)
{
	int fd = output->fd;

	if (!output->name)
		return 0;
	if (output->created && !output->begun)
		unlink(output->name);
	output->fd = -1;
	return close(fd) ? output_error(output) : 0;
}
