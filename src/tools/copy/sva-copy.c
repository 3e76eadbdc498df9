/* SPDX-License-Identifier: MIT */
/*
 * sva-copy: copies a file with the library, from the pages of one file to the pages of the other,
 * on the path that the library chooses; -v prints which path that was.
 */
#include "tools/copy/copy.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/low.h"
#include "tools/term/term.h"

static struct copy_sink *current_sink; /* for on_sigbus() */

/*
 * Handles SIGBUS: a page of SRC or DST is gone, since the file was truncated after the chunk was
 * mapped. Where the CPU copies, the library's guard makes that an errno; for any other access the
 * program ends here, with the message and the exit status of an error.
 */
static void on_sigbus(int sig)
{
	static const char text[] = "sva-copy: SRC or DST was truncated while it was copied, "
				   "or its disk failed; DST is incomplete\n";

	(void)sig;
	if (current_sink)
		copy_sink_cut(current_sink);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(1);
}

/* Waits for the chunk of a slot and writes it to DST; the slot is free afterwards. */
static int finish_slot(struct copy_engine *engine, struct copy_sink *sink, struct copy_slot *slot)
{
	int rc;

	if (!slot->len)
		return 0;
	rc = copy_engine_finish(engine, slot);
	copy_source_release(slot);
	if (rc == 0)
		rc = copy_sink_commit(sink, slot);
	else
		copy_sink_release(slot);
	slot->len = 0;
	return rc;
}

/*
 * Copies all chunks, which use the slots in turn. While the device copies earlier chunks this
 * thread brings in the next one: it reads ahead, allocates and populates. It always waits for the
 * oldest chunk, so that a pipe gets them in order.
 */
static int copy_chunks(struct copy_engine *engine, struct copy_source *source,
		       struct copy_sink *sink, struct copy_slot *slots)
{
	unsigned int next = 0, count = engine->overlap ? COPY_SLOTS : 1;
	int rc = 0, first = 0;

	for (;; next = (next + 1) % count) {
		struct copy_slot *slot = &slots[next];

		rc = finish_slot(engine, sink, slot);
		if (rc == 0)
			rc = copy_source_next(source, slot);
		if (rc || !slot->len)
			break;
		rc = copy_sink_prepare(sink, slot);
		if (rc == 0)
			rc = copy_engine_start(engine, slot);
		if (rc) {
			copy_source_release(slot);
			copy_sink_release(slot);
			slot->len = 0;
			break;
		}
	}
	/*
	 * Waits for the other chunks in their order, also after an error: nothing may be unmapped
	 * while a device still writes to it.
	 */
	first = rc;
	for (unsigned int i = 1; i <= count; i++) {
		struct copy_slot *slot = &slots[(next + i) % count];

		if (first && slot->len) {
			copy_engine_finish(engine, slot);
			copy_source_release(slot);
			copy_sink_release(slot);
			slot->len = 0;
			continue;
		}
		rc = finish_slot(engine, sink, slot);
		if (rc)
			first = rc;
	}
	return first;
}

static int copy_file(struct copy_engine *engine, const char *from, const char *to)
{
	struct copy_slot *slots;
	struct copy_source source;
	struct copy_sink sink;
	int rc;

	rc = copy_source_open(&source, from);
	if (rc)
		return rc;
	rc = copy_sink_open(&sink, to, &source);
	if (rc)
		return rc;
	current_sink = &sink;
	if (!sink.regular)
		source.sparse = false;
	slots = aligned_alloc(64, COPY_SLOTS * sizeof(*slots));
	if (!slots) {
		term_error("out of memory");
		rc = -ENOMEM;
	} else {
		memset(slots, 0, COPY_SLOTS * sizeof(*slots));
		rc = copy_chunks(engine, &source, &sink, slots);
		for (int i = 0; i < COPY_SLOTS; i++) {
			free(slots[i].src_buffer);
			free(slots[i].dst_buffer);
		}
		free(slots);
	}
	if (rc == 0)
		rc = copy_source_check(&source);
	if (rc == 0)
		rc = copy_sink_finish(&sink, source.size);
	if (rc)
		copy_sink_abandon(&sink);
	current_sink = NULL;
	return rc;
}

/* Standard error if DST is standard output, so that the report is not mixed with the data. */
static FILE *choose_report_file(const char *dst)
{
	struct stat file, output;

	if (stat(dst, &file) == 0 && fstat(STDOUT_FILENO, &output) == 0 &&
	    file.st_dev == output.st_dev && file.st_ino == output.st_ino)
		return stderr;
	return stdout;
}

struct arguments {
	const char *paths;
	bool verbose;
};

/*
 * Checks the words of --paths: the library only returns -EINVAL, which a wrong configuration file
 * can cause as well.
 */
static bool set_option(void *arg, int option, const char *value)
{
	struct arguments *arguments = arg;
	bool known[SVA_PATH_COUNT];

	if (option == 'v') {
		arguments->verbose = true;
		return true;
	}
	arguments->paths = value;
	return term_read_words(value, "path", sva_path_name, SVA_PATH_COUNT, known);
}

static const struct option options[] = {
	{ "paths", required_argument, NULL, 'p' },
	{ "verbose", no_argument, NULL, 'v' },
	TERM_OPTIONS_END,
};

static const struct term_program program = {
	.name = "sva-copy",
	.usage = "usage: sva-copy [--paths LIST] [-v] [-h] [-V] SRC DST\n",
	.help = "Copy the file SRC to DST through libsva.\n"
		"  --paths LIST   paths that may be used, in order of preference, such as "
		"write,soft,cpu\n"
		"  -v, --verbose  print path=... queue=... device=... bytes=... of what was really "
		"used\n"
		"  -h, --help     print this\n"
		"  -V, --version  print the version\n",
	.letters = "vhV",
	.options = options,
	.argument_count = 2,
	.arguments = "SRC and DST",
	.set_option = set_option,
};

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	struct copy_engine engine;
	int rc;

	sva_occupy_low();
	rc = term_read_options(&program, argc, argv, &arguments);
	if (rc != TERM_CONTINUE)
		return rc;
	/* A reader that leaves and a file that may not grow are errors of write(2), not signals. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGBUS, on_sigbus);
	rc = copy_engine_open(&engine, arguments.paths);
	if (rc == 0)
		rc = copy_file(&engine, argv[optind], argv[optind + 1]);
	if (rc == 0 && arguments.verbose)
		copy_engine_report(&engine, choose_report_file(argv[optind + 1]));
	copy_engine_close(&engine);
	return term_finish() || rc ? 1 : 0;
}
