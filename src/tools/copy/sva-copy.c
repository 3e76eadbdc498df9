/* SPDX-License-Identifier: MIT */
/*
 * sva-copy: copy a file through the library. The bytes are moved by whichever path the library takes, from the pages of
 * one file to the pages of the other; -v tells which path that was.
 */
#include "tools/copy/copy.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/low.h"
#include "tools/term/term.h"

static const char program[] = "sva-copy";

void copy_error(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
}

/*
 * The page of a file that was truncated between being brought in and being copied. The library's guard turns that into
 * an errno where the CPU copies; whatever it does not cover ends here, as an error like any other and not as a signal's
 * death.
 */
static struct copy_sink *current_sink;

static void on_sigbus(int sig)
{
	static const char text[] =
		"sva-copy: SRC or DST was truncated while it was copied, or its disk failed; DST is incomplete\n";

	(void)sig;
	if (current_sink)
		copy_sink_cut(current_sink);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(1);
}

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
 * Chunks go round the slots. While the device copies the earlier ones, this thread brings in the next: it reads ahead,
 * allocates and populates. The chunk that is finished is always the oldest, so that a pipe gets them in order.
 */
static int copy_chunks(struct copy_engine *engine, struct copy_source *source, struct copy_sink *sink,
		       struct copy_slot *slots)
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
	/* The rest in their order, also after an error: nothing may be unmapped that a device still writes to. */
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
		copy_error("out of memory");
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

static void unknown_path(const char *word, int len)
{
	char known[128] = "";

	for (int path = 0; path < SVA_PATH_COUNT; path++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), " %s", sva_path_name(path));
	copy_error("unknown path '%.*s' (known:%s)", len, word, known);
}

/* Is every word of the list a path? The library says no more than -EINVAL, which the configuration may deserve, too. */
static bool paths_known(const char *paths)
{
	const char *word = paths;

	while (*word) {
		size_t len = strcspn(word, ",");
		bool known = false;

		for (int path = 0; path < SVA_PATH_COUNT; path++)
			if (strlen(sva_path_name(path)) == len && !strncmp(sva_path_name(path), word, len))
				known = true;
		if (!known) {
			unknown_path(word, (int)len);
			return false;
		}
		word += len;
		word += *word == ',';
	}
	if (word == paths || word[-1] == ',') {
		copy_error("the list of paths is empty, or ends with a comma");
		return false;
	}
	return true;
}

/* Where the report goes: not among the data. */
static FILE *report_to(const char *dst)
{
	struct stat file, output;

	if (stat(dst, &file) == 0 && fstat(STDOUT_FILENO, &output) == 0 && file.st_dev == output.st_dev && file.st_ino == output.st_ino)
		return stderr;
	return stdout;
}

static void usage(FILE *out)
{
	fputs("usage: sva-copy [--paths LIST] [-v] [-h] [-V] SRC DST\n", out);
}

static void help(void)
{
	usage(stdout);
	fputs("Copy the file SRC to DST through libsva.\n"
	      "  --paths LIST   paths that may be used, in order of preference, such as write,soft,cpu\n"
	      "  -v, --verbose  print path=... queue=... device=... bytes=... of what was really used\n"
	      "  -h, --help     print this\n"
	      "  -V, --version  print the version\n",
	      stdout);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "paths", required_argument, NULL, 'p' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },	   { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct copy_engine engine;
	const char *paths = NULL;
	bool verbose = false;
	int option, rc;

	sva_occupy_low();
	while ((option = getopt_long(argc, argv, "vhV", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			paths = optarg;
			break;
		case 'v':
			verbose = true;
			break;
		case 'h':
			help();
			return term_finish(program);
		case 'V':
			term_print_version(program);
			return term_finish(program);
		default:
			usage(stderr);
			return 2;
		}
	}
	if (argc - optind != 2 || (paths && !paths_known(paths))) {
		if (argc - optind != 2)
			copy_error("SRC and DST are needed, and nothing else");
		usage(stderr);
		return 2;
	}
	/* A reader that leaves and a file that grows too long are errors to be told about, not to die of. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGBUS, on_sigbus);
	rc = copy_engine_open(&engine, paths);
	if (rc == 0)
		rc = copy_file(&engine, argv[optind], argv[optind + 1]);
	if (rc == 0 && verbose)
		copy_engine_report(&engine, report_to(argv[optind + 1]));
	copy_engine_close(&engine);
	return term_finish(program) || rc ? 1 : 0;
}
