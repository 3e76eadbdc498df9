/* SPDX-License-Identifier: MIT */
/* The options of sva-emu run, and the queues that --queues describes. */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/run/json.h"
#include "emu/run/options.h"
#include "emu/run/preset.h"
#include "emu/sysfs/sysfs.h"

enum {
	OPT_QUEUES = 256, OPT_PROFILE, OPT_DEVICES, OPT_NO_MMAP, OPT_REFUSE_SVA, OPT_STRICT,
	OPT_RETRY, OPT_FAULT, OPT_ERROR, OPT_DELAY, OPT_STATS, OPT_TRACE, OPT_TRACE_FORMAT,
	OPT_CHECK, OPT_SABOTAGE, OPT_REDIRECT, OPT_KEEP, OPT_CONFIG, OPT_ASYNC, OPT_PTRACE,
	OPT_FAST, OPT_MACHINE, OPT_RAWIO, OPT_USERS,
};

static const struct option long_options[] = {
	{ "queues", required_argument, NULL, OPT_QUEUES },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "devices", required_argument, NULL, OPT_DEVICES },
	{ "machine", required_argument, NULL, OPT_MACHINE },
	{ "rawio", no_argument, NULL, OPT_RAWIO },
	{ "users", required_argument, NULL, OPT_USERS },
	{ "no-mmap", no_argument, NULL, OPT_NO_MMAP },
	{ "refuse-sva", no_argument, NULL, OPT_REFUSE_SVA },
	{ "strict-faults", no_argument, NULL, OPT_STRICT },
	{ "retry", required_argument, NULL, OPT_RETRY },
	{ "fault", required_argument, NULL, OPT_FAULT },
	{ "error", required_argument, NULL, OPT_ERROR },
	{ "delay", required_argument, NULL, OPT_DELAY },
	{ "async", optional_argument, NULL, OPT_ASYNC },
	{ "stats", optional_argument, NULL, OPT_STATS },
	{ "trace", required_argument, NULL, OPT_TRACE },
	{ "trace-format", required_argument, NULL, OPT_TRACE_FORMAT },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "sabotage", required_argument, NULL, OPT_SABOTAGE },
	{ "fast", no_argument, NULL, OPT_FAST },
	{ "ptrace", no_argument, NULL, OPT_PTRACE },
	{ "redirect", no_argument, NULL, OPT_REDIRECT },
	{ "keep", no_argument, NULL, OPT_KEEP },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	puts("usage: sva-emu run [options] [--] PROGRAM [ARGUMENT …]\n"
	     "Run an unmodified program on an emulated DSA.\n"
	     "\n"
	     "  --machine NAME       one of those that sva-emu machines lists; other options change it\n"
	     "  --queues LIST        wqD.W:shared|dedicated[,key=value …][;…]; keys: size threshold batch\n"
	     "                       xfer name group priority bof retries\n"
	     "                       default: wq0.0:shared,size=16;wq0.1:dedicated,size=16\n"
	     "                       none: nothing is configured; accel-config can do it\n"
	     "  --config FILE        the devices as in a file of accel-config (save-config, load-config)\n"
	     "  --devices N          how many devices (1 to 8)\n"
	     "  --profile NAME       which device: dsa1 (default), dsa2, dsa3\n"
	     "  --rawio              any process may map portals, not only one with CAP_SYS_RAWIO\n"
	     "  --no-mmap            none may map portals; write(2) works\n"
	     "  --users GROUP        members of the group may run programs in the run, too (root)\n"
	     "  --refuse-sva         as on kernels without SVA: opening a queue fails with EOPNOTSUPP\n"
	     "  --strict-faults      a page that the program has not touched faults, unless it may block\n"
	     "  --retry N            every Nth ENQCMD is answered with retry\n"
	     "  --fault N            every Nth descriptor meets a page fault\n"
	     "  --error N            every Nth descriptor ends with a hardware error\n"
	     "  --async[=N]          N engine threads (default 1) execute, not the submitting thread\n"
	     "  --delay USEC         each completion comes so much later; implies --async\n"
	     "  --sabotage HOW[:N]   spoil every Nth descriptor (default 10): flip, lose or length\n"
	     "  --check              print which rules a descriptor breaks, and where it was submitted\n"
	     "  --trace FILE         write descriptors and records to FILE, as JSON if it ends in .json\n"
	     "  --trace-format F     text or json\n"
	     "  --stats[=FILE]       print counters at the end, or write them to FILE as JSON\n"
	     "  --redirect           show the device by redirecting paths, without a mount namespace\n"
	     "  --fast               trap once, then replace the instruction by a jump\n"
	     "  --ptrace             trace the program from outside, for static programs; slow\n"
	     "  --keep               keep the directory of the run, and print its name\n"
	     "  -q, --quiet          no message that this is an emulation (or set SVA_EMU_QUIET=1)");
}

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	fputs("sva-emu: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

/*
 * Read a whole number; suffix: it may end with K, M or G. -1 if it is not a number or out of range.
 */
static long long parse_number(const char *s, long long min, long long max, bool suffix)
{
	long long v;
	char *end;

	errno = 0;
	v = strtoll(s, &end, 0);
	if (end == s || errno)
		return -1;
	if (suffix && *end && strchr("KMG", *end)) {
		int shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;

		if (v > (LLONG_MAX >> shift))
			return -1;
		v <<= shift;
		end++;
	}
	return *end || v < min || v > max ? -1 : v;
}

static uint32_t parse_nth(const char *name, const char *arg)
{
	long long v = parse_number(arg, 1, UINT32_MAX, false);

	if (v < 0)
		die("--%s takes a number from 1 on, not '%s'", name, arg);
	return (uint32_t)v;
}

static void parse_sabotage(struct emu_options *opt, const char *arg)
{
	static const char *const hows[] = { "", "flip", "lose", "length" };
	const char *colon = strchrnul(arg, ':');
	size_t len = (size_t)(colon - arg);
	unsigned int i;

	opt->sabotage_every = *colon ? parse_nth("sabotage HOW:N", colon + 1) : 10;
	for (i = 1; i < 4; i++)
		if (strlen(hows[i]) == len && !strncmp(arg, hows[i], len))
			opt->sabotage = i;
	if (!opt->sabotage)
		die("--sabotage takes flip, lose or length, not '%s'", arg);
}

/* A group by its name or its number. */
static void parse_users(struct emu_launch *launch, const char *arg)
{
	const struct group *group = getgrnam(arg);
	long long number = group ? (long long)group->gr_gid :
				   parse_number(arg, 0, UINT32_MAX - 1, false);

	if (number < 0)
		die("--users takes a group, not '%s'", arg);
	if (geteuid() != 0)
		die("--users is for root: others cannot start programs of other users");
	launch->users = true;
	launch->group = (gid_t)number;
}

void emu_options_parse(int argc, char **argv, struct emu_launch *launch)
{
	struct emu_options *opt = &launch->state->opt;
	const char *format = NULL, *quiet = getenv(EMU_ENV_QUIET), *rawio = getenv(EMU_ENV_RAWIO);
	int c;

	opt->quiet = quiet && *quiet;
	opt->rawio = rawio && *rawio;
	launch->profile = "dsa1";
	while ((c = getopt_long(argc, argv, "+qh", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_QUEUES:
			launch->queues = optarg;
			break;
		case OPT_CONFIG:
			launch->config = optarg;
			break;
		case OPT_PROFILE:
			launch->profile = optarg;
			if (!sva_model_profile_find(optarg))
				die("--profile takes dsa1, dsa2 or dsa3, not '%s'", optarg);
			break;
		case OPT_DEVICES:
			if (parse_number(optarg, 1, EMU_MAX_DEVICES, false) < 0)
				die("--devices takes a number from 1 to %u, not '%s'",
				    EMU_MAX_DEVICES, optarg);
			launch->devices = (unsigned int)atoi(optarg);
			break;
		case OPT_MACHINE:
			if (!emu_preset_apply(launch, optarg))
				die("--machine takes a name that sva-emu machines lists, not '%s'",
				    optarg);
			break;
		case OPT_RAWIO:
			opt->rawio = 1;
			opt->no_mmap = 0;
			break;
		case OPT_USERS:
			parse_users(launch, optarg);
			break;
		case OPT_NO_MMAP:
			opt->no_mmap = 1;
			break;
		case OPT_REFUSE_SVA:
			opt->refuse_sva = 1;
			break;
		case OPT_STRICT:
			opt->strict_faults = 1;
			break;
		case OPT_RETRY:
			opt->retry_every = parse_nth("retry", optarg);
			break;
		case OPT_FAULT:
			opt->fault_every = parse_nth("fault", optarg);
			break;
		case OPT_ERROR:
			opt->error_every = parse_nth("error", optarg);
			break;
		case OPT_DELAY:
			opt->delay_ns = parse_nth("delay", optarg) * 1000ull;
			if (!opt->async)
				opt->async = 1;
			break;
		case OPT_ASYNC:
			if (optarg && parse_number(optarg, 1, 16, false) < 0)
				die("--async takes a number of threads from 1 to 16, not '%s'",
				    optarg);
			opt->async = optarg ? (uint32_t)atoi(optarg) : 1;
			break;
		case OPT_STATS:
			launch->stats = true;
			launch->stats_file = optarg;
			break;
		case OPT_TRACE:
			launch->trace_file = optarg;
			break;
		case OPT_TRACE_FORMAT:
			format = optarg;
			if (strcmp(optarg, "text") && strcmp(optarg, "json"))
				die("--trace-format takes text or json, not '%s'", optarg);
			break;
		case OPT_CHECK:
			opt->check = 1;
			break;
		case OPT_SABOTAGE:
			parse_sabotage(opt, optarg);
			break;
		case OPT_REDIRECT:
			launch->redirect = true;
			break;
		case OPT_FAST:
			opt->fast = 1;
			break;
		case OPT_PTRACE:
			opt->ptrace = 1;
			break;
		case OPT_KEEP:
			launch->keep = true;
			break;
		case 'q':
			opt->quiet = 1;
			break;
		case 'h':
			print_help();
			exit(0);
		default:
			die("try sva-emu run --help");
		}
	}
	if (launch->config && (launch->queues || launch->devices))
		die("--config cannot be combined with --queues or --devices");
	if (opt->ptrace && opt->async)
		die("--ptrace executes in the tracer: "
		    "it cannot be combined with --async or --delay");
	if (opt->ptrace && opt->fast)
		die("--fast patches the program from inside: it cannot be combined with --ptrace");
	if (format && !launch->trace_file)
		die("--trace-format needs --trace");
	launch->program = argv + optind;
	if (!*launch->program)
		die("no program is given; try sva-emu run --help");
	if (launch->trace_file) {
		size_t len = strlen(launch->trace_file);

		if (!format)
			format = len > 5 && !strcmp(launch->trace_file + len - 5, ".json") ?
					 "json" :
					 "text";
		opt->trace = !strcmp(format, "json") ? EMU_TRACE_JSON : EMU_TRACE_TEXT;
	}
}

/* --- queues --- */

/* The keys of a queue's description that take a number; the limits of two depend on the device. */
struct queue_number {
	const char *key;
	size_t offset; /* of the field in struct emu_wq */
	long long min, max;
	bool power; /* a power of two */
};

#define QUEUE_NUMBERS 8

static void list_numbers(const struct emu_device *dev, struct queue_number numbers[QUEUE_NUMBERS])
{
	uint64_t cap = emu_device_profile(dev)->gen_cap;
	const struct queue_number all[QUEUE_NUMBERS] = {
		{"size", offsetof(struct emu_wq, size), 1, EMU_MAX_ENTRIES, false},
		{"threshold", offsetof(struct emu_wq, threshold), 1, EMU_MAX_ENTRIES, false},
		{"batch", offsetof(struct emu_wq, max_batch), 1, SVA_GENCAP_MAX_BATCH(cap), true},
		{"xfer", offsetof(struct emu_wq, max_transfer), 1,
		 (long long)SVA_GENCAP_MAX_XFER(cap), true},
		{"group", offsetof(struct emu_wq, group), 0, EMU_MAX_GROUPS - 1, false},
		{"priority", offsetof(struct emu_wq, priority), 1, 15, false},
		{"bof", offsetof(struct emu_wq, block_on_fault), 0, 1, false},
		{"retries", offsetof(struct emu_wq, retries), 0, 64, false},
	};

	memcpy(numbers, all, sizeof(all));
}

static bool set_queue_number(struct emu_wq *wq, const char *queue, const struct queue_number *key,
			     const char *value)
{
	long long v = parse_number(value, key->min, key->max, true);

	if (v < 0 || (key->power && (v & (v - 1)))) {
		fprintf(stderr, "sva-emu: --queues: %s: '%s=%s': %s is %s from %lld to %lld\n",
			queue, key->key, value, key->key,
			key->power ? "a power of two" : "a number", key->min, key->max);
		return false;
	}
	if (key->offset == offsetof(struct emu_wq, max_transfer))
		wq->max_transfer = (uint64_t)v;
	else
		*(uint32_t *)((char *)wq + key->offset) = (uint32_t)v;
	return true;
}

static bool set_queue_name(struct emu_wq *wq, const char *queue, const char *value)
{
	if (!*value || strlen(value) >= sizeof(wq->name)) {
		fprintf(stderr,
			"sva-emu: --queues: %s: 'name=%s': a name has 1 to %zu characters\n", queue,
			value, sizeof(wq->name) - 1);
		return false;
	}
	strcpy(wq->name, value);
	return true;
}

/*
 * Set one key of the description of a queue, or its mode, which has no value. False after a
 * message.
 */
static bool set_queue_key(const struct emu_device *dev, struct emu_wq *wq, const char *queue,
			  const char *word, const char *value)
{
	struct queue_number numbers[QUEUE_NUMBERS];
	unsigned int i;

	if (!value && (!strcmp(word, "shared") || !strcmp(word, "dedicated"))) {
		wq->dedicated = *word == 'd';
		return true;
	}
	if (value && !strcmp(word, "name"))
		return set_queue_name(wq, queue, value);
	list_numbers(dev, numbers);
	for (i = 0; value && i < QUEUE_NUMBERS; i++)
		if (!strcmp(numbers[i].key, word))
			return set_queue_number(wq, queue, &numbers[i], value);
	fprintf(stderr, "sva-emu: --queues: %s: unknown '%s%s' (known: shared dedicated", queue,
		word, value ? "=" : "");
	for (i = 0; i < QUEUE_NUMBERS; i++)
		fprintf(stderr, " %s=", numbers[i].key);
	fputs(" name=)\n", stderr);
	return false;
}

static int parse_queue(struct emu_launch *launch, char *text)
{
	struct emu_state *state = launch->state;
	char *keys = strchr(text, ':'), *word, *value, *save;
	struct emu_device *dev;
	unsigned int d, w;
	struct emu_wq *wq;
	int end = 0;

	if (keys)
		*keys++ = '\0';
	if (sscanf(text, "wq%u.%u%n", &d, &w, &end) != 2 || text[end] || d >= EMU_MAX_DEVICES ||
	    w >= EMU_MAX_WQS) {
		fprintf(stderr,
			"sva-emu: --queues: '%s' is not a queue: wqD.W, D and W from 0 to 7\n",
			text);
		return -EINVAL;
	}
	dev = &state->device[d];
	wq = &dev->wq[w];
	if (wq->group >= 0) {
		fprintf(stderr, "sva-emu: --queues: %s is described twice\n", text);
		return -EINVAL;
	}
	wq->type = EMU_WQ_USER;
	wq->size = 16;
	wq->group = 0;
	wq->priority = 10;
	wq->block_on_fault = 1;
	strcpy(wq->driver, "user");
	snprintf(wq->name, sizeof(wq->name), "emu%u", w);
	for (word = strtok_r(keys ? keys : (char[]){""}, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		if (!set_queue_key(dev, wq, text, word, value))
			return -EINVAL;
	}
	if (wq->dedicated)
		wq->threshold = 0;
	else if (!wq->threshold)
		wq->threshold = wq->size;
	if (wq->threshold > wq->size) {
		fprintf(stderr,
			"sva-emu: --queues: %s: the threshold %u is larger than the size %u\n",
			text, wq->threshold, wq->size);
		return -EINVAL;
	}
	if (d >= state->devices)
		state->devices = d + 1;
	return 0;
}

/*
 * The queues without --queues: one of each mode. DPDK takes a queue whose name begins with dpdk_.
 */
static const char *default_queues(unsigned int devices, char *buf, size_t size)
{
	unsigned int d;
	size_t at = 0;

	for (d = 0; d < devices; d++)
		at += (size_t)snprintf(buf + at, size - at,
				       "wq%u.0:shared,name=emu0;wq%u.1:dedicated,name=dpdk_emu1;",
				       d, d);
	return buf;
}

/* Distribute the engines over the groups that have queues, and enable the device and its queues. */
static int enable_device(struct emu_device *dev)
{
	unsigned int w, e, g = 0, entries = 0;
	bool used[EMU_MAX_GROUPS] = { false };

	for (w = 0; w < EMU_MAX_WQS; w++) {
		entries += dev->wq[w].size;
		if (dev->wq[w].group >= 0)
			used[dev->wq[w].group] = true;
	}
	if (entries > EMU_MAX_ENTRIES) {
		fprintf(stderr,
			"sva-emu: --queues: dsa%u: the sizes add up to %u, the device has %u\n",
			dev->id, entries, EMU_MAX_ENTRIES);
		return -EINVAL;
	}
	if (!entries)
		return 0; /* a device without configured queues */
	for (e = 0; e < EMU_MAX_ENGINES; e++) {
		while (!used[g % EMU_MAX_GROUPS])
			g++;
		dev->engine_group[e] = (int32_t)(g++ % EMU_MAX_GROUPS);
	}
	dev->enabled = 1;
	for (w = 0; w < EMU_MAX_WQS; w++)
		dev->wq[w].enabled = dev->wq[w].group >= 0;
	return 0;
}

int emu_options_devices(struct emu_launch *launch)
{
	struct emu_state *state = launch->state;
	char text[1024], *list, *one, *save;
	unsigned int d, w;
	int ret = 0;

	for (d = 0; d < EMU_MAX_DEVICES; d++) {
		struct emu_device *dev = &state->device[d];

		dev->id = d;
		dev->slot = d + 1;
		strcpy(dev->profile, launch->profile);
		for (w = 0; w < EMU_MAX_WQS; w++)
			dev->wq[w].minor = d * EMU_MAX_WQS + w;
		emu_device_reset(dev);
	}
	if (launch->config)
		return emu_json_configure(state, launch->config);
	state->devices = launch->devices ? launch->devices : 1;
	if (launch->queues && !strcmp(launch->queues, "none"))
		/* as after the driver was loaded: nothing is configured, everything is disabled */
		return 0;
	if (launch->queues && !launch->queues[strspn(launch->queues, "; \n")]) {
		fprintf(stderr,
			"sva-emu: --queues describes no queue; for a device without queues use --queues none\n");
		return -EINVAL;
	}
	list = strdup(launch->queues ? launch->queues :
				       default_queues(state->devices, text, sizeof(text)));
	if (!list)
		return -ENOMEM;
	for (one = strtok_r(list, "; \n", &save); one && !ret; one = strtok_r(NULL, "; \n", &save))
		ret = parse_queue(launch, one);
	free(list);
	for (d = 0; d < state->devices && !ret; d++)
		ret = enable_device(&state->device[d]);
	return ret;
}
