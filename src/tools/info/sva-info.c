/* SPDX-License-Identifier: MIT */
/*
 * sva-info: shows which devices, queues and paths this process can use, and why not the others. The
 * reasons come from the library's own probe table, so they hold for any program that this user
 * starts here.
 */
#include "tools/info/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/low.h"
#include "tools/info/setup.h"
#include "tools/term/term.h"

/* Asks the library once for everything, so that both forms show the same. */
static int gather(struct info *info)
{
	info->emulated = term_is_emulated();
	for (int path = 0; path < SVA_PATH_COUNT; path++) {
		struct info_path *out = &info->paths[path];

		out->reason = sva_explain(info->sva, path, out->text, sizeof(out->text));
		if (out->reason < 0)
			snprintf(out->text, sizeof(out->text), "%s", strerror(-out->reason));
	}
	for (;;) {
		struct sva_queue_info queue = { .size = sizeof(queue) }, *grown;
		int rc = sva_queue_describe(info->sva, info->queue_count, 1, &queue);

		if (rc == -ENOENT)
			break;
		if (rc)
			return rc;
		grown = reallocarray(info->queues, info->queue_count + 1, sizeof(queue));
		if (!grown)
			return -ENOMEM;
		info->queues = grown;
		info->queues[info->queue_count++] = queue;
	}
	machine_read(&info->machine);
	/* They know nothing of an emulated device. */
	if (info->emulated)
		info->machine.udev = info->machine.systemd = false;
	info_summarize(info);
	return 0;
}

/*
 * What the library logs is shown as a problem or as a reason, too. Only while there is no context
 * to ask for these, its errors are printed as they are logged.
 */
static void on_log(void *arg, int level, const char *text)
{
	const bool *quiet = arg;

	if (level <= 3 && !*quiet)
		term_error("%s", text);
}

struct arguments {
	bool json, settings, all, setup;
	unsigned int watch; /* seconds; 0: print once */
	enum setup_mode mode;
	const char *group;
};

static void print_setup(const struct arguments *arguments, const struct info *info)
{
	if (arguments->json)
		setup_json(stdout, &info->machine,
			   setup_choose(&info->machine, info, arguments->mode));
	else
		setup_print(stdout, &info->machine, info, arguments->group, arguments->mode);
}

/* Prints what was asked for, from a context that is new each time. Returns whether that failed. */
static bool show(const struct arguments *arguments)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct info info = { 0 };
	struct term term;
	bool quiet = false;
	int rc, shown = 0;

	term_init(&term, stdout);
	opts.log = on_log;
	opts.log_arg = &quiet;
	rc = sva_open(&info.sva, &opts);
	quiet = true;
	if (rc)
		term_error("cannot open the library: %s", strerror(-rc));
	if (arguments->settings && arguments->json)
		shown = info_print_json_settings(info.sva);
	else if (arguments->settings)
		info_print_settings(&term, info.sva);
	else if (!rc)
		shown = gather(&info);
	if (!arguments->settings && !rc && !shown) {
		if (arguments->setup)
			print_setup(arguments, &info);
		else if (arguments->json)
			shown = info_print_json(&info);
		else
			info_print(&term, &info, arguments->all);
	}
	if (shown)
		term_error("%s", strerror(-shown));
	free(info.queues);
	sva_close(info.sva);
	return rc || shown;
}

/* On a terminal each picture replaces the last one; elsewhere an empty line is between them. */
static bool watch(const struct arguments *arguments)
{
	bool clear = isatty(STDOUT_FILENO), failed;

	do {
		if (clear)
			fputs("\033[H\033[2J", stdout);
		failed = show(arguments);
		if (!clear)
			putchar('\n');
		if (fflush(stdout) || ferror(stdout))
			return true; /* term_finish() prints the reason */
		sleep(arguments->watch);
	} while (!failed);
	return failed;
}

static bool set_watch(struct arguments *arguments, const char *value)
{
	char *end;
	unsigned long seconds = value ? strtoul(value, &end, 10) : 2;

	if (value && (end == value || *end || *value == '-' || !seconds || seconds > 86400)) {
		term_error("--watch takes seconds from 1 to 86400, not '%s'", value);
		return false;
	}
	arguments->watch = (unsigned int)seconds;
	return true;
}

static bool set_mode(struct arguments *arguments, const char *value)
{
	if (!strcmp(value, "shared"))
		arguments->mode = SETUP_SHARED;
	else if (!strcmp(value, "dedicated"))
		arguments->mode = SETUP_DEDICATED;
	else if (!strcmp(value, "both"))
		arguments->mode = SETUP_BOTH;
	else
		term_error("--mode takes shared, dedicated or both, not '%s'", value);
	return arguments->mode != SETUP_AUTO;
}

/* The name is printed into a script, so it is what groupadd takes by default. */
static bool set_group(struct arguments *arguments, const char *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	if (!*value || strspn(value, letters) != strlen(value) || strlen(value) > 32 ||
	    strchr("0123456789-", *value)) {
		term_error("--for takes the name of a group, not '%s'", value);
		return false;
	}
	arguments->group = value;
	return true;
}

enum { OPTION_SETUP = 256, OPTION_FOR, OPTION_MODE, OPTION_WATCH };

static bool set_option(void *arg, int option, const char *value)
{
	struct arguments *arguments = arg;

	switch (option) {
	case 'j':
		arguments->json = true;
		return true;
	case 'a':
		arguments->all = true;
		return true;
	case OPTION_SETUP:
		arguments->setup = true;
		return true;
	case OPTION_FOR:
		return set_group(arguments, value);
	case OPTION_MODE:
		return set_mode(arguments, value);
	case OPTION_WATCH:
		return set_watch(arguments, value);
	default:
		arguments->settings = true;
		return true;
	}
}

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "json", no_argument, NULL, 'j' },
	{ "settings", no_argument, NULL, 'e' },
	{ "setup", no_argument, NULL, OPTION_SETUP },
	{ "for", required_argument, NULL, OPTION_FOR },
	{ "mode", required_argument, NULL, OPTION_MODE },
	{ "watch", optional_argument, NULL, OPTION_WATCH },
	TERM_OPTIONS_END,
};

static const struct term_program program = {
	.name = "sva-info",
	.usage = "usage: sva-info [-a] [-j] [-e] [--watch[=SECONDS]] [-h] [-V]\n"
		 "       sva-info --setup [-j] [--for GROUP] [--mode shared|dedicated|both]\n",
	.help = "Show the accelerator's devices, queues and paths, and why each is or is not "
		"usable by this process.\n"
		"  -a, --all              all queues, with operations and every reason\n"
		"  -j, --json             print JSON\n"
		"  -e, --settings         list every setting: variable, key, type, default, value\n"
		"      --watch[=SECONDS]  again each SECONDS (2), until it is interrupted\n"
		"      --setup            print, and do not run, the script that configures queues;\n"
		"                         with -j the configuration for accel-config load-config\n"
		"      --for GROUP        whose members may use them (sva)\n"
		"      --mode MODE        shared, dedicated or both (what fits this CPU)\n"
		"  -h, --help             print this\n"
		"  -V, --version          print the version\n",
	.letters = "ajehV",
	.options = options,
	.set_option = set_option,
};

int main(int argc, char **argv)
{
	struct arguments arguments = { .group = SETUP_GROUP };
	int rc;

	sva_occupy_low();
	rc = term_read_options(&program, argc, argv, &arguments);
	if (rc != TERM_CONTINUE)
		return rc;
	rc = arguments.watch ? watch(&arguments) : show(&arguments);
	return term_finish() || rc;
}
