/* SPDX-License-Identifier: MIT */
/*
 * storm [options]: see usage() below. Prints the seed, so that the same sequences can be run again,
 * and what was done. Ends with 0, or with 1 and a message about the first thing that was wrong.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "storm/storm.h"

struct options options = {
	.operations = 100000,
	.threads = 4,
	.length = 40000,
	.patience = 60,
	.seed = 1,
	.ties = TIES,
	.actions = (1u << ACTION_COUNT) - 1,
	.spoil_at = 100,
};

static struct worker workers[WORKERS];
static struct timespec begun;
static atomic_bool stop;

static const char *const action_names[ACTION_COUNT] = {
#define ACTION_NAME(name, text) [ACTION_##name] = text,
	ACTIONS(ACTION_NAME)
#undef ACTION_NAME
};

static const char *const spoil_names[SPOIL_COUNT] = {
	[SPOIL_NOTHING] = "nothing", [SPOIL_BYTE] = "byte",	[SPOIL_GUARD] = "guard",
	[SPOIL_SOURCE] = "source",   [SPOIL_RECORD] = "record", [SPOIL_ERROR] = "error",
	[SPOIL_BYTES] = "bytes",     [SPOIL_SUM] = "sum",	[SPOIL_PATH] = "path",
	[SPOIL_QUEUE] = "queue",     [SPOIL_STATUS] = "status", [SPOIL_FAULT] = "fault",
	[SPOIL_VALUE] = "value",     [SPOIL_LATE] = "late",
};

static void __attribute__((noreturn)) usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: storm [options]\n"
		"Random operations by several threads through libsva; every byte is checked.\n"
		"\n"
		"  --operations N    so many, all threads together (100000)\n"
		"  --threads N       1 to %u (4)\n"
		"  --seconds N       stop after that time, if the operations are not done before\n"
		"  --seed N          of all sequences (1)\n"
		"  --length BYTES    of the longest operation (40000)\n"
		"  --paths LIST      as SVA_PATHS (soft,cpu)\n"
		"  --actions LIST    only these: ",
		WORKERS);
	for (unsigned int i = 0; i < ACTION_COUNT; i++)
		fprintf(status ? stderr : stdout, "%s%s", i ? "," : "", action_names[i]);
	fprintf(status ? stderr : stdout,
		"\n"
		"  --without LIST    all but these\n"
		"  --errors          hardware errors are injected: -EIO with status 0x20 is right\n"
		"  --losses          records are lost or late, queues disabled: -EIO is right\n"
		"  --half COMMAND    run it when half of the operations are done\n"
		"  --tiny            queues have fewer entries than there are operations\n"
		"  --early-unbind    references are released while operations are in flight\n"
		"  --bonds N         references that a thread holds at most, 1 to 4 (4): with few,\n"
		"                    the last one is released more often\n"
		"  --exit-early      end the process while its threads work\n"
		"  --patience N      fail when nothing has ended for so many seconds (60)\n"
		"  --spoil WHAT[:N]  damage it once, after N operations of a thread: must fail\n"
		"                    ");
	for (unsigned int i = 1; i < SPOIL_COUNT; i++)
		fprintf(status ? stderr : stdout, "%s%s", i > 1 ? " " : "", spoil_names[i]);
	fprintf(status ? stderr : stdout, "\n");
	exit(status);
}

/* ------------------------------------------------------------------ options */

static uint64_t number(const char *name, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (end == text || *end || value < least || value > most) {
		fprintf(stderr, "storm: --%s: '%s' is no number from %llu to %llu\n", name, text,
			(unsigned long long)least, (unsigned long long)most);
		exit(2);
	}
	return value;
}

static unsigned int action_list(char *text)
{
	unsigned int actions = 0;
	char *save = NULL;

	for (char *word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		unsigned int i = 0;

		while (i < ACTION_COUNT && strcmp(word, action_names[i]))
			i++;
		if (i == ACTION_COUNT) {
			fprintf(stderr, "storm: '%s' is no action\n", word);
			exit(2);
		}
		actions |= 1u << i;
	}
	return actions;
}

static void spoil_option(char *text)
{
	char *colon = strchr(text, ':');

	if (colon) {
		*colon = '\0';
		options.spoil_at = number("spoil", colon + 1, 0, UINT64_MAX);
	}
	for (unsigned int i = 1; i < SPOIL_COUNT; i++)
		if (!strcmp(text, spoil_names[i]))
			options.spoil = (enum spoil)i;
	if (!options.spoil)
		usage(2);
}

static void paths_option(const char *list)
{
	char copy[128], *save = NULL;

	options.path_list = list;
	snprintf(copy, sizeof(copy), "%s", list);
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save))
		for (int path = 0; path < SVA_PATH_COUNT; path++)
			if (!strcmp(word, sva_path_name(path)))
				options.paths |= 1u << path;
	setenv("SVA_PATHS", list, 1);
	/* On the CPU a bad pointer is -EFAULT under the guard, and otherwise a signal. */
	setenv("SVA_GUARD", "yes", 1);
}

enum {
	OPT_OPERATIONS = 256,
	OPT_THREADS,
	OPT_SECONDS,
	OPT_SEED,
	OPT_LENGTH,
	OPT_PATHS,
	OPT_ACTIONS,
	OPT_WITHOUT,
	OPT_ERRORS,
	OPT_LOSSES,
	OPT_EARLY_UNBIND,
	OPT_EXIT_EARLY,
	OPT_PATIENCE,
	OPT_SPOIL,
	OPT_BONDS,
	OPT_TINY,
	OPT_HALF,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"operations", required_argument, NULL, OPT_OPERATIONS},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"seed", required_argument, NULL, OPT_SEED},
	{"length", required_argument, NULL, OPT_LENGTH},
	{"paths", required_argument, NULL, OPT_PATHS},
	{"actions", required_argument, NULL, OPT_ACTIONS},
	{"without", required_argument, NULL, OPT_WITHOUT},
	{"errors", no_argument, NULL, OPT_ERRORS},
	{"losses", no_argument, NULL, OPT_LOSSES},
	{"early-unbind", no_argument, NULL, OPT_EARLY_UNBIND},
	{"exit-early", no_argument, NULL, OPT_EXIT_EARLY},
	{"patience", required_argument, NULL, OPT_PATIENCE},
	{"spoil", required_argument, NULL, OPT_SPOIL},
	{"bonds", required_argument, NULL, OPT_BONDS},
	{"tiny", no_argument, NULL, OPT_TINY},
	{"half", required_argument, NULL, OPT_HALF},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static void one_option(int c)
{
	switch (c) {
	case OPT_OPERATIONS:
		options.operations = number("operations", optarg, 1, UINT64_MAX);
		break;
	case OPT_THREADS:
		options.threads = (unsigned int)number("threads", optarg, 1, WORKERS);
		break;
	case OPT_SECONDS:
		options.seconds = (unsigned int)number("seconds", optarg, 1, 1u << 30);
		break;
	case OPT_SEED:
		options.seed = number("seed", optarg, 0, UINT64_MAX);
		break;
	case OPT_LENGTH:
		options.length = number("length", optarg, 16, 1u << 28);
		break;
	case OPT_PATHS:
		paths_option(optarg);
		break;
	case OPT_ACTIONS:
		options.actions = action_list(optarg);
		break;
	case OPT_WITHOUT:
		options.actions &= ~action_list(optarg);
		break;
	case OPT_ERRORS:
		options.errors = true;
		break;
	case OPT_LOSSES:
		options.losses = true;
		break;
	case OPT_EARLY_UNBIND:
		options.early_unbind = true;
		break;
	case OPT_EXIT_EARLY:
		options.exit_early = true;
		break;
	case OPT_PATIENCE:
		options.patience = (unsigned int)number("patience", optarg, 1, 1u << 20);
		break;
	case OPT_BONDS:
		options.ties = (unsigned int)number("bonds", optarg, 1, TIES);
		break;
	case OPT_HALF:
		options.half = optarg;
		break;
	case OPT_TINY:
		options.tiny = true;
		break;
	case OPT_SPOIL:
		spoil_option(optarg);
		break;
	default:
		usage(c == OPT_HELP ? 0 : 2);
	}
}

/* ------------------------------------------------------------------ the run */

static double elapsed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) / 1e9;
}

bool storm_is_over(struct worker *worker)
{
	if (options.exit_early)
		return false;
	return worker->stats.operations >= options.operations / options.threads ||
	       atomic_load_explicit(&stop, memory_order_relaxed);
}

static uint64_t all_alive(bool *running)
{
	uint64_t sum = 0;

	*running = false;
	for (unsigned int i = 0; i < options.threads; i++) {
		sum += atomic_load_explicit(&workers[i].alive, memory_order_relaxed);
		*running |= atomic_load_explicit(&workers[i].doing, memory_order_relaxed) != NULL;
	}
	return sum;
}

static void report_hang(void)
{
	fprintf(stderr, "storm: FAILED, seed %llu: nothing has ended for %u seconds:\n",
		(unsigned long long)options.seed, options.patience);
	for (unsigned int i = 0; i < options.threads; i++) {
		const char *doing = atomic_load(&workers[i].doing);

		fprintf(stderr, "  thread %u is at %s\n", i, doing ? doing : "its end");
	}
	_exit(1);
}

/* Until all workers are done; looks whether they get on. */
static void watch(void)
{
	uint64_t last = 0;
	double since = elapsed();
	bool running;

	for (;;) {
		uint64_t sum = all_alive(&running);

		if (!running || (options.exit_early && sum >= options.operations))
			return;
		if (options.half && sum >= options.operations / 2) {
			if (system(options.half))
				fail_plainly("'%s' failed", options.half);
			options.half = NULL;
		}
		if (options.seconds && elapsed() >= options.seconds)
			atomic_store(&stop, true);
		if (sum != last) {
			last = sum;
			since = elapsed();
		} else if (elapsed() - since > options.patience) {
			report_hang();
		}
		usleep(2000);
	}
}

static void add_up(struct stats *sum, uint64_t *kind)
{
	for (unsigned int i = 0; i < options.threads; i++) {
		const struct stats *one = &workers[i].stats;

		sum->operations += one->operations;
		sum->bytes += one->bytes;
		sum->faults += one->faults;
		sum->retries += one->retries;
		sum->chunks += one->chunks;
		sum->failed += one->failed;
		sum->refused += one->refused;
		for (unsigned int k = 0; k < SVA_PATH_COUNT; k++)
			sum->path[k] += one->path[k];
		for (unsigned int k = 0; k < ACTION_COUNT; k++)
			sum->action[k] += one->action[k];
		for (unsigned int k = 0; k < kind_count; k++)
			kind[k] += one->kind[k];
	}
}

static void report(void)
{
	uint64_t *kind = calloc(kind_count, sizeof(*kind));
	struct stats sum = {0};

	if (!kind)
		return;
	add_up(&sum, kind);
	printf("operations=%llu bytes=%llu chunks=%llu faults=%llu retries=%llu failed=%llu "
	       "refused=%llu\n",
	       (unsigned long long)sum.operations, (unsigned long long)sum.bytes,
	       (unsigned long long)sum.chunks, (unsigned long long)sum.faults,
	       (unsigned long long)sum.retries, (unsigned long long)sum.failed,
	       (unsigned long long)sum.refused);
	printf("paths:");
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		printf(" %s=%llu", sva_path_name(path), (unsigned long long)sum.path[path]);
	printf("\nactions:");
	for (unsigned int i = 0; i < ACTION_COUNT; i++)
		printf(" %s=%llu", action_names[i], (unsigned long long)sum.action[i]);
	printf("\nkinds:");
	for (unsigned int i = 0; i < kind_count; i++)
		printf(" %s=%llu", kinds[i].name, (unsigned long long)kind[i]);
	printf("\nseconds=%.1f\n", elapsed());
	free(kind);
}

int main(int argc, char **argv)
{
	const char *profile;
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		one_option(c);
	if (optind < argc)
		usage(2);
	if (!options.paths)
		paths_option("soft,cpu");
	profile = getenv("SVA_SOFT_PROFILE");
	options.soft_dsa1 = profile && !strcmp(profile, "dsa1");
	printf("storm: seed=%llu threads=%u operations=%llu length=%zu paths=%s actions=0x%x\n",
	       (unsigned long long)options.seed, options.threads,
	       (unsigned long long)options.operations, options.length, options.path_list,
	       options.actions);
	fflush(stdout);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	expect_setup();
	memory_setup();
	life_setup();
	for (unsigned int i = 0; i < options.threads; i++)
		if (!worker_setup(&workers[i], i))
			fail_plainly("there is not enough memory");
	for (unsigned int i = 0; i < options.threads; i++) {
		atomic_store(&workers[i].doing, "its beginning");
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
			fail_plainly("a thread could not be created");
	}
	watch();
	if (options.exit_early)
		return 0;
	for (unsigned int i = 0; i < options.threads; i++)
		pthread_join(workers[i].thread, NULL);
	life_end();
	report();
	for (unsigned int i = 0; i < options.threads; i++)
		worker_free(&workers[i]);
	return 0;
}
