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

#include "lib/base/low.h"
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
			return 0;
		if (rc)
			return rc;
		grown = reallocarray(info->queues, info->queue_count + 1, sizeof(queue));
		if (!grown)
			return -ENOMEM;
		info->queues = grown;
		info->queues[info->queue_count++] = queue;
	}
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
	bool json, settings;
};

static int show(const struct arguments *arguments)
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
		if (arguments->json)
			shown = info_print_json(&info);
		else
			info_print(&term, &info);
	}
	if (shown)
		term_error("%s", strerror(-shown));
	free(info.queues);
	sva_close(info.sva);
	return rc || shown;
}

static bool set_option(void *arg, int option, const char *value)
{
	struct arguments *arguments = arg;

	(void)value;
	if (option == 'j')
		arguments->json = true;
	else
		arguments->settings = true;
	return true;
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "settings", no_argument, NULL, 'e' },
	TERM_OPTIONS_END,
};

static const struct term_program program = {
	.name = "sva-info",
	.usage = "usage: sva-info [-j] [-e] [-h] [-V]\n",
	.help = "Show the accelerator's devices, queues and paths, and why each is or is not "
		"usable by this process.\n"
		"  -j, --json      print JSON\n"
		"  -e, --settings  list every setting: variable, key, type, default, value\n"
		"  -h, --help      print this\n"
		"  -V, --version   print the version\n",
	.letters = "jehV",
	.options = options,
	.set_option = set_option,
};

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	int rc;

	sva_occupy_low();
	rc = term_read_options(&program, argc, argv, &arguments);
	if (rc != TERM_CONTINUE)
		return rc;
	rc = show(&arguments);
	return term_finish() || rc;
}
