/* SPDX-License-Identifier: MIT */
/*
 * icount: counts the instructions, locked instructions and system calls that one operation costs
 * the caller.
 *
 * icount single-steps a child program (icount-child.c) with ptrace(2). The child opens a context
 * with a queue that a text file lists and whose device node is a page of an ordinary file. ENQCMD,
 * MOVDIR64B and write(2) on that node are not executed: icount emulates them, with a completion
 * record that reports success at once. So the counts are the same on every x86-64 machine, with a
 * DSA or without, and they are not times: the few hundred nanoseconds that a submission takes on
 * hardware are not in them.
 *
 * The counts are compared with a file of budgets: exceeding a limit is a failure, missing a goal is
 * only reported.
 */
#include "icount.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/low.h"

#define BUDGETS 64
#define SKIPPED 77

struct count_case {
	const char *name;
	const char *kind, *size, *path; /* arguments of the child */
	const char *paths;              /* SVA_PATHS, NULL: unset */
	const char *mode;               /* of the queue; NULL: there is no queue */
	unsigned int ops;               /* operations in one sample; counts are for one of them */
	const char *what;
};

static const struct count_case cases[] = {
	{"sync-enqcmd", "sync", "131072", "enqcmd", "enqcmd", "shared", 1, "sva_memcpy of 128 KiB"},
	{"sync-movdir64b", "sync", "131072", "movdir64b", "movdir64b", "dedicated", 1,
	 "sva_memcpy of 128 KiB"},
	{"async-enqcmd", "async", "131072", "enqcmd", "enqcmd", "shared", 1,
	 "sva_submit and sva_poll"},
	{"async-movdir64b", "async", "131072", "movdir64b", "movdir64b", "dedicated", 1,
	 "sva_submit and sva_poll"},
	{"sync-compare", "sync-compare", "131072", "enqcmd", "enqcmd", "shared", 1,
	 "sva_compare of 128 KiB"},
	{"sync-crc", "sync-crc", "131072", "enqcmd", "enqcmd", "shared", 1,
	 "sva_crc32c of 128 KiB"},
	{"sync-dualcast", "sync-dualcast", "131072", "enqcmd", "enqcmd", "shared", 1,
	 "sva_dualcast of 128 KiB"},
	{"async-compare", "async-compare", "131072", "enqcmd", "enqcmd", "shared", 1,
	 "the same as async-enqcmd, of a compare"},
	{"async-crc", "async-crc", "131072", "enqcmd", "enqcmd", "shared", 1,
	 "the same, of a CRC"},
	{"async-dualcast", "async-dualcast", "131072", "enqcmd", "enqcmd", "shared", 1,
	 "the same, of a dualcast"},
	{"async-uncached", "async-uncached", "131072", "enqcmd", "enqcmd", "shared", 1,
	 "the same, of a copy with SVA_OP_NO_CACHE"},
	{"async-2m", "async-copy", "2097152", "enqcmd", "enqcmd", "shared", 1,
	 "the same, of a copy of 2 MiB"},
	{"prep-batch", "prep-batch", "4096", "enqcmd", "enqcmd", "shared", 32,
	 "one of 32 in sva_prep_batch, submitted and polled"},
	{"batch-enqcmd", "batch", "4096", "enqcmd", "enqcmd", "shared", 32,
	 "one of 32 in sva_submit_many, with its poll"},
	{"batch-movdir64b", "batch", "4096", "movdir64b", "movdir64b", "dedicated", 32,
	 "one of 32 in sva_submit_many, with its poll"},
	{"batch-write", "batch", "4096", "write", "write", "shared", 32,
	 "one of 32 in sva_submit_many, with its poll"},
	{"memcpy-small", "memcpy", "1024", "cpu", NULL, "shared", 1,
	 "sva_memcpy of 1 KiB less memcpy of it"},
	{"memcpy-no-device", "memcpy", "131072", "cpu", NULL, NULL, 1,
	 "sva_memcpy of 128 KiB less memcpy of it"},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

/* A line of the file of budgets; -1: any number is permitted. */
struct budget {
	char name[32];
	bool limit; /* else a goal */
	long instructions, locked, syscalls;
};

/* The largest counts of the samples of a case, for one operation. */
struct outcome {
	/* total, locked: of one operation, rounded up */
	uint64_t before, after, total, locked, syscalls;
	uint64_t descriptors, submissions;
	bool split; /* before and after have a meaning */
};

/* ------------------------------------------------------------------ budgets */

static bool parse_number(const char *text, long *value)
{
	char *end;

	if (!strcmp(text, "-")) {
		*value = -1;
		return true;
	}
	*value = strtol(text, &end, 10);
	return end != text && !*end && *value >= 0;
}

static bool known_case(const char *name)
{
	for (size_t i = 0; i < CASES; i++)
		if (!strcmp(cases[i].name, name))
			return true;
	return false;
}

/* Reads one line: NAME limit|goal INSTRUCTIONS LOCKED SYSCALLS. Returns false after a message. */
static bool parse_budget(const char *line, const char *file_name, unsigned int line_number,
			 struct budget *b)
{
	char kind[16], numbers[3][16], extra;
	int fields = sscanf(line, "%31s %15s %15s %15s %15s %c", b->name, kind, numbers[0],
			    numbers[1], numbers[2], &extra);

	if (fields > 0 && !known_case(b->name)) {
		fprintf(stderr, "icount: %s:%u: unknown case '%s'; icount --help lists the cases\n",
			file_name, line_number, b->name);
		return false;
	}
	if (fields != 5 || (strcmp(kind, "limit") && strcmp(kind, "goal")) ||
	    !parse_number(numbers[0], &b->instructions) || !parse_number(numbers[1], &b->locked) ||
	    !parse_number(numbers[2], &b->syscalls)) {
		fprintf(stderr,
			"icount: %s:%u: not CASE limit|goal INSTRUCTIONS LOCKED SYSCALLS\n",
			file_name, line_number);
		return false;
	}
	b->limit = !strcmp(kind, "limit");
	return true;
}

/* Returns the number of budgets, or -1 after a message. */
static int read_budgets(const char *name, struct budget budgets[BUDGETS])
{
	FILE *file = fopen(name, "re");
	unsigned int line_number = 0;
	char line[512];
	int n = 0;

	if (!file) {
		fprintf(stderr, "icount: cannot open %s: %s\n", name, strerror(errno));
		return -1;
	}
	while (n >= 0 && fgets(line, sizeof(line), file)) {
		line_number++;
		line[strcspn(line, "#\n")] = '\0';
		if (!line[strspn(line, " \t")])
			continue;
		if (n == BUDGETS) {
			fprintf(stderr, "icount: %s:%u: more than %d budgets\n", name, line_number,
				BUDGETS);
			n = -1;
		} else {
			n = parse_budget(line, name, line_number, &budgets[n]) ? n + 1 : -1;
		}
	}
	fclose(file);
	return n;
}

static bool within(const struct budget *b, const struct outcome *o)
{
	return (b->instructions < 0 || o->total <= (uint64_t)b->instructions) &&
	       (b->locked < 0 || o->locked <= (uint64_t)b->locked) &&
	       (b->syscalls < 0 || o->syscalls <= (uint64_t)b->syscalls);
}

/* ------------------------------------------------------------------ one case */

static char directory[] = "/tmp/sva-icount-XXXXXX";
static char node_name[PATH_MAX], queue_name[PATH_MAX], cpuinfo_name[PATH_MAX],
	devices_name[PATH_MAX];

static void remove_files(void)
{
	unlink(node_name);
	unlink(queue_name);
	unlink(cpuinfo_name);
	unlink(devices_name);
	rmdir(directory);
}

/*
 * Writes this machine's /proc/cpuinfo with the two features that icount emulates, and without
 * waitpkg, which it does not.
 */
static int write_cpuinfo(void)
{
	FILE *from = fopen("/proc/cpuinfo", "re"), *to = fopen(cpuinfo_name, "we");
	char *line = NULL;
	size_t size = 0;
	int rc;

	while (from && to && getline(&line, &size, from) > 0) {
		char *waitpkg = strstr(line, " waitpkg");

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "flags", 5) == 0) {
			if (waitpkg)
				memset(waitpkg, ' ', strlen(" waitpkg"));
			fprintf(to, "%s enqcmd movdir64b\n", line);
		} else {
			fprintf(to, "%s\n", line);
		}
	}
	free(line);
	rc = from && to ? 0 : -1;
	if (from)
		fclose(from);
	if (to && fclose(to))
		rc = -1;
	return rc;
}

static int make_files(void)
{
	FILE *file;

	if (!mkdtemp(directory))
		return -1;
	atexit(remove_files);
	snprintf(node_name, sizeof(node_name), "%s/wq0.0", directory);
	snprintf(queue_name, sizeof(queue_name), "%s/queues", directory);
	snprintf(cpuinfo_name, sizeof(cpuinfo_name), "%s/cpuinfo", directory);
	snprintf(devices_name, sizeof(devices_name), "%s/devices", directory);
	file = fopen(node_name, "we");
	if (!file || ftruncate(fileno(file), 4096) || fclose(file))
		return -1;
	file = fopen(devices_name, "we");
	if (!file || fprintf(file, "Character devices:\n%u dsa\n", ICOUNT_MAJOR) < 0 ||
	    fclose(file))
		return -1;
	return write_cpuinfo();
}

/*
 * Writes a queue of a DSA 1, with the values of its sysfs. op-cap has the batch bit, which a queue
 * with a mapped portal may use.
 */
static int write_queue(const char *mode)
{
	FILE *file = fopen(queue_name, "we");

	if (!file)
		return -1;
	if (mode)
		fprintf(file, "wq0.0 device=dsa0 mode=%s node=%s entries=64 version=0x100 "
			      "gen-cap=0x40915f010f op-cap=0x1003f03ff\n",
			mode, node_name);
	return fclose(file);
}

static void set_environment(const struct count_case *what)
{
	setenv("SVA_PLUGINS", "file", 1);
	setenv("SVA_QUEUE_FILE", queue_name, 1);
	setenv("LD_BIND_NOW", "1", 1);
	if (what->paths)
		setenv("SVA_PATHS", what->paths, 1);
	else
		unsetenv("SVA_PATHS");
}

/* The largest value of a field of struct region. */
static uint64_t worst(const struct region *regions, unsigned int n, size_t field)
{
	uint64_t most = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t value;

		memcpy(&value, (const char *)&regions[i] + field, sizeof(value));
		most = value > most ? value : most;
	}
	return most;
}

#define WORST(s, field) worst((s)->samples, (s)->sample_count, offsetof(struct region, field))
#define WORST_BASE(s, field) worst((s)->base, (s)->base_count, offsetof(struct region, field))

static int run_case(const struct count_case *what, const char *child, FILE *trace,
		    struct outcome *o)
{
	char *argv[] = {(char *)child, (char *)what->kind, (char *)what->size, (char *)what->path,
			NULL};
	struct stepper stepper = { .node = node_name,
				   .cpuinfo = cpuinfo_name,
				   .devices = devices_name,
				   .trace = trace };
	uint64_t base;
	int rc;

	if (write_queue(what->mode)) {
		fprintf(stderr, "icount: cannot write %s: %s\n", queue_name, strerror(errno));
		return -EIO;
	}
	set_environment(what);
	rc = stepper_run(&stepper, argv);
	if (rc == 0 && !stepper.sample_count)
		rc = -EIO;
	if (rc)
		return rc;
	base = WORST_BASE(&stepper, total);
	o->split = what->ops == 1 && !base;
	o->before = WORST(&stepper, before);
	o->after = WORST(&stepper, after);
	o->total = WORST(&stepper, total) - base;
	o->total = (o->total + what->ops - 1) / what->ops;
	o->locked = WORST(&stepper, locked) - WORST_BASE(&stepper, locked);
	o->syscalls = WORST(&stepper, syscalls);
	o->descriptors = WORST(&stepper, descriptors);
	o->submissions = WORST(&stepper, submissions);
	return 0;
}

/* ------------------------------------------------------------------ the table */

static void print_budget(const struct budget *b)
{
	char text[3][16];
	long numbers[3] = { b->instructions, b->locked, b->syscalls };

	for (int i = 0; i < 3; i++)
		snprintf(text[i], sizeof(text[i]), numbers[i] < 0 ? "-" : "%ld", numbers[i]);
	printf("%s %s/%s/%s", b->limit ? "limit" : "goal", text[0], text[1], text[2]);
}

/* Returns how many limits were exceeded. */
static int print_outcome(const struct count_case *what, const struct outcome *o,
			 const struct budget *budgets, int count)
{
	char before[24] = "-", after[24] = "-";
	int exceeded = 0;

	if (o->split) {
		snprintf(before, sizeof(before), "%" PRIu64, o->before);
		snprintf(after, sizeof(after), "%" PRIu64, o->after);
	}
	printf("%-17s %6s %6s %6" PRIu64 " %6" PRIu64 " %8" PRIu64 " %11" PRIu64 "  ", what->name,
	       before, after, o->total, o->locked, o->syscalls, o->descriptors);
	for (int i = 0, n = 0; i < count; i++) {
		const struct budget *b = &budgets[i];
		bool good = within(b, o);

		if (strcmp(b->name, what->name))
			continue;
		printf("%s", n++ ? "; " : "");
		print_budget(b);
		printf(": %s", b->limit ? (good ? "ok" : "FAILED") : (good ? "met" : "not met"));
		exceeded += b->limit && !good;
	}
	putchar('\n');
	fflush(stdout);
	return exceeded;
}

static void usage(FILE *out)
{
	fputs("usage: icount [--budgets FILE] [--child PROGRAM] [--trace FILE] [CASE ...]\n"
	      "Count the instructions of one operation.\n"
	      "  --budgets FILE   compare with budgets; an exceeded limit is a failure\n"
	      "  --child PROGRAM  count this program instead of icount-child\n"
	      "  --trace FILE     write the address of each instruction of the last sample, for\n"
	      "                   icount-profile\n"
	      "Cases:\n",
	      out);
	for (size_t i = 0; i < CASES; i++)
		fprintf(out, "  %-17s %s\n", cases[i].name, cases[i].what);
}

static bool wanted(const char *name, char **names)
{
	bool any = *names != NULL;

	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return !any;
}

/* The child is beside this program in the build tree. The plug-ins are found from there, too. */
static const char *default_child(void)
{
	static char name[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", name, PATH_MAX - 1);
	char *slash;

	name[n < 0 ? 0 : n] = '\0';
	slash = strrchr(name, '/');
	if (slash) {
		strcpy(slash, "/../../accfg-plugins/.libs");
		setenv("SVA_PLUGIN_DIR", name, 0);
		strcpy(slash, "/icount-child");
	}
	return name;
}

static int run_all(const char *child, FILE *trace, char **names, const struct budget *budgets,
		   int budget_count)
{
	int failures = 0;

	printf("%-17s %6s %6s %6s %6s %8s %11s  %s\n", "case", "before", "after", "total",
	       "locked", "syscalls", "descriptors", "budgets: instructions/locked/syscalls");
	for (size_t i = 0; i < CASES; i++) {
		struct outcome outcome;
		int rc;

		if (!wanted(cases[i].name, names))
			continue;
		rc = run_case(&cases[i], child, trace, &outcome);
		if (rc == -EPERM) {
			printf("SKIP: ptrace is not permitted here\n");
			return SKIPPED;
		}
		if (rc) {
			printf("%-17s FAILED: %s\n", cases[i].name,
			       rc < 0 ? strerror(-rc) : "the child failed");
			failures++;
			continue;
		}
		failures += print_outcome(&cases[i], &outcome, budgets, budget_count);
	}
	printf("\nInstructions of the caller for one operation, the most of up to %d warm ones.\n"
	       "before: up to and with the submission; after: from there on. locked, syscalls,\n"
	       "descriptors: of a whole sample (batch: 32).\n",
	       ICOUNT_SAMPLES);
	return failures ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"budgets", required_argument, NULL, 'b'},
		{"child", required_argument, NULL, 'c'},
		{"trace", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct budget budgets[BUDGETS + 1];
	const char *child = default_child();
	int option, budget_count = 0;
	FILE *trace = NULL;

	sva_occupy_low();
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'b':
			budget_count = read_budgets(optarg, budgets);
			if (budget_count < 0)
				return 2;
			break;
		case 'c':
			child = optarg;
			break;
		case 't':
			trace = fopen(optarg, "we");
			if (!trace) {
				fprintf(stderr, "icount: cannot open %s: %s\n", optarg,
					strerror(errno));
				return 2;
			}
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	for (char **name = argv + optind; *name; name++) {
		if (!known_case(*name)) {
			fprintf(stderr, "icount: unknown case '%s'\n", *name);
			usage(stderr);
			return 2;
		}
	}
	if (make_files()) {
		fprintf(stderr, "icount: cannot make files in /tmp: %s\n", strerror(errno));
		return 1;
	}
	return run_all(child, trace, argv + optind, budgets, budget_count);
}
