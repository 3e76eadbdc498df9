/* SPDX-License-Identifier: MIT */
/*
 * sva-info: the short form. First what programs will use and what is to be mended first, then the
 * paths, then each device in a few lines; many devices in one line each, so that they fit a screen.
 */
#include <inttypes.h>
#include <string.h>

#include "tools/info/info.h"
#include "tools/info/setup.h"
#include "tools/term/term.h"

#define MANY_DEVICES 3 /* more than that get one line each */

/* The first path that is not only for those who ask for it, in the library's own order. */
static int first_path(const struct info *info)
{
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (info->paths[path].reason == SVA_REASON_OK && path != SVA_PATH_SOFT)
			return path;
	return info->paths[SVA_PATH_SOFT].reason == SVA_REASON_OK ? SVA_PATH_SOFT : -1;
}

/* A queue with this reason on this path; NULL if none has it. */
static const struct sva_queue_info *find_queue(const struct info *info, int path, uint32_t reason)
{
	for (unsigned int i = 0; i < info->queue_count; i++)
		if (info->queues[i].reasons[path] == reason)
			return &info->queues[i];
	return NULL;
}

void info_summarize(struct info *info)
{
	struct info_summary *summary = &info->summary;
	int path = SVA_PATH_WRITE;

	summary->path = first_path(info);
	/* write(2) serves queues of both modes: its reason is that of the queue nearest to use. */
	if (info->paths[path].reason == SVA_REASON_OK)
		path = info->paths[SVA_PATH_ENQCMD].reason == SVA_REASON_NEED_RAWIO ?
			       SVA_PATH_ENQCMD :
			       SVA_PATH_MOVDIR64B;
	if (summary->path == SVA_PATH_ENQCMD || summary->path == SVA_PATH_MOVDIR64B ||
	    info->paths[path].reason <= 0)
		return;
	if (summary->path == SVA_PATH_WRITE && info->paths[path].reason != SVA_REASON_NEED_RAWIO)
		return;
	summary->reason = (uint32_t)info->paths[path].reason;
	summary->reason_path = path;
	remedy_find(&info->machine, info, summary->reason,
		    find_queue(info, path, summary->reason), &summary->remedy);
}

/* ------------------------------------------------------------------ the first lines */

static void append(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s", more);
}

/* " (wq0.0, wq2.0)" or " (8 queues)": those that the path can use. */
static void append_queues(const struct info *info, int path, char *text, size_t size)
{
	char names[160] = " (", number[32];
	unsigned int count = 0;

	if (!info_path_has_queues(path))
		return;
	for (unsigned int i = 0; i < info->queue_count; i++) {
		if (info->queues[i].reasons[path] != SVA_REASON_OK || count++ >= 2)
			continue;
		append(names, sizeof(names), count == 1 ? "" : ", ");
		append(names, sizeof(names), info->queues[i].name);
	}
	append(names, sizeof(names), ")");
	snprintf(number, sizeof(number), " (%u queues)", count);
	append(text, size, count > 2 ? number : names);
}

/* "LABEL: text", with the label in a style and further lines indented by two. */
static void print_labelled(const struct term *term, enum term_style style, const char *label,
			   const char *text)
{
	fprintf(term->out, "%s%s:%s ", term_style(term, style), label,
		term_style(term, TERM_PLAIN));
	term_wrap_from(term, (unsigned int)strlen(label) + 2, 2, text);
}

static void print_used(const struct term *term, const struct info *info)
{
	char text[512] = "";
	bool any = false;

	for (int path = 0; path < SVA_PATH_COUNT; path++) {
		if (info->paths[path].reason != SVA_REASON_OK ||
		    (path == SVA_PATH_SOFT && info->summary.path != SVA_PATH_SOFT))
			continue;
		append(text, sizeof(text), any ? ", else " : "");
		append(text, sizeof(text), sva_path_name(path));
		append_queues(info, path, text, sizeof(text));
		any = true;
	}
	print_labelled(term, TERM_HEAD, "Programs use",
		       any ? text : "nothing: the settings exclude every path");
}

void info_print_commands(const struct term *term, unsigned int indent, const char *commands)
{
	for (size_t length; *commands; commands += length + (commands[length] == '\n')) {
		length = strcspn(commands, "\n");
		fprintf(term->out, "%*s%srun: %s", (int)indent, "", term_style(term, TERM_DIM),
			term_style(term, TERM_PLAIN));
		fprintf(term->out, "%.*s\n", (int)length, commands);
	}
}

static void print_first(const struct term *term, const struct info *info)
{
	const struct info_summary *summary = &info->summary;
	char text[2 * INFO_TEXT];
	const char *reason = sva_reason_text(summary->reason);

	if (!summary->reason) {
		fprintf(term->out, "%sNothing has to be mended.%s\n", term_style(term, TERM_GOOD),
			term_style(term, TERM_PLAIN));
		return;
	}
	snprintf(text, sizeof(text), "%s%s%s", reason, *summary->remedy.text ? ". " : "",
		 summary->remedy.text);
	if (summary->path == SVA_PATH_WRITE) {
		print_labelled(term, TERM_HEAD, sva_path_name(summary->reason_path), text);
		return;
	}
	print_labelled(term, TERM_BAD,
		       info->queue_count || info->machine.functions ? "To mend first" :
								      "No device is used",
		       text);
	info_print_commands(term, 2, summary->remedy.commands);
}

/* What this process cannot see, and where it runs. */
static void print_surroundings(const struct term *term, const struct info *info)
{
	const struct machine *machine = &info->machine;
	char text[256];

	if (info->emulated)
		fprintf(term->out, "%semulated: there is no such device in this machine%s\n",
			term_style(term, TERM_BAD), term_style(term, TERM_PLAIN));
	if (machine->container) {
		snprintf(text, sizeof(text),
			 "in a container (%s): only what it was given is visible",
			 machine->container);
		term_wrap(term, 0, text);
	}
	if (!machine->sysfs)
		term_wrap(term, 0, "/sys is not visible here: devices are in it");
	if (!machine->proc)
		term_wrap(term, 0,
			  "/proc is not visible here: the instructions of the CPU are in it");
	if (machine->nodes && !machine->device_count && !info->queue_count) {
		snprintf(text, sizeof(text),
			 "%s and %u more nodes are here, but no device for them in /sys",
			 machine->node, machine->nodes - 1);
		if (machine->nodes == 1)
			snprintf(text, sizeof(text), "%s is here, but no device for it in /sys",
				 machine->node);
		term_wrap(term, 0, text);
	}
}

void info_print_summary(const struct term *term, const struct info *info)
{
	print_surroundings(term, info);
	print_used(term, info);
	print_first(term, info);
}

/* ------------------------------------------------------------------ devices in short */

static bool is_unconfigured(const struct sva_queue_info *queue)
{
	return queue->reasons[SVA_PATH_WRITE] == SVA_REASON_QUEUE_UNCONFIGURED;
}

/* "enqcmd write": the paths that can use the queue, or "not usable". */
static void list_paths(const struct sva_queue_info *queue, char *text, size_t size)
{
	text[0] = '\0';
	for (int path = 0; path < SVA_PATH_COUNT; path++) {
		if (!info_path_has_queues(path) || queue->reasons[path] != SVA_REASON_OK)
			continue;
		append(text, size, *text ? " " : "");
		append(text, size, sva_path_name(path));
	}
	if (!*text)
		append(text, size, "not usable");
}

/* A reason that the table of paths does not show already. */
static void print_reasons(const struct term *term, const struct info *info,
			  const struct sva_queue_info *queue)
{
	for (int path = 0; path < SVA_PATH_COUNT; path++) {
		uint32_t reason = queue->reasons[path];

		if (!info_path_has_queues(path) || reason == SVA_REASON_OK ||
		    reason == SVA_REASON_WRONG_MODE ||
		    info->paths[path].reason == (int)reason)
			continue;
		fprintf(term->out, "      %s: ", sva_path_name(path));
		term_wrap(term, 8, sva_reason_text(reason));
	}
}

static void print_queue_short(const struct term *term, const struct info *info,
			      const struct sva_queue_info *queue)
{
	bool usable = queue->reasons[SVA_PATH_WRITE] == SVA_REASON_OK;
	char paths[64];

	list_paths(queue, paths, sizeof(paths));
	fprintf(term->out, "    %s%s%s", term_style(term, TERM_HEAD), queue->name,
		term_style(term, TERM_PLAIN));
	if (*queue->label) {
		fputs(" \"", term->out);
		term_text(term, queue->label);
		putc('"', term->out);
	}
	fprintf(term->out, "  %s, %" PRIu32 " entries: %s%s%s\n", info_mode(queue->mode),
		queue->entries,
		term_style(term, usable ? TERM_GOOD : TERM_BAD), paths,
		term_style(term, TERM_PLAIN));
	print_reasons(term, info, queue);
}

/* The line of a device; count: its queues. */
static void print_device_line(const struct term *term, const struct sva_queue_info *queues,
			      unsigned int count, bool brief)
{
	unsigned int unconfigured = 0, usable = 0;
	char version[16];
	const char *known = info_version(version, queues->version);

	for (unsigned int i = 0; i < count; i++) {
		unconfigured += is_unconfigured(&queues[i]);
		usable += queues[i].reasons[SVA_PATH_WRITE] == SVA_REASON_OK ||
			  queues[i].reasons[SVA_PATH_ENQCMD] == SVA_REASON_OK ||
			  queues[i].reasons[SVA_PATH_MOVDIR64B] == SVA_REASON_OK;
	}
	fprintf(term->out, "  %s%s%s  version %s, ", term_style(term, TERM_HEAD), queues->device,
		term_style(term, TERM_PLAIN), known ? known : "unknown");
	if (queues->numa_node >= 0)
		fprintf(term->out, "NUMA node %" PRId32, queues->numa_node);
	else
		fputs("NUMA node unknown", term->out);
	if (brief)
		fprintf(term->out, ", %u of %u queues usable", usable, count);
	if (unconfigured)
		fprintf(term->out, ", %u not configured", unconfigured);
	fputs(queues->trust == SVA_TRUST_NO ? ", not trusted\n" : "\n", term->out);
}

void info_print_devices(const struct term *term, const struct info *info)
{
	unsigned int devices = 0, count;
	bool brief;

	for (unsigned int i = 0; i < info->queue_count; i++)
		devices += i == 0 || !info_same_device(&info->queues[i], &info->queues[i - 1]);
	if (!devices) {
		fputs("No device.\n", term->out);
		return;
	}
	brief = devices > MANY_DEVICES;
	fprintf(term->out, "%sDevices%s (-a: all queues, operations and reasons)\n",
		term_style(term, TERM_HEAD), term_style(term, TERM_PLAIN));
	for (unsigned int i = 0; i < info->queue_count; i += count) {
		const struct sva_queue_info *first = &info->queues[i];

		for (count = 1; i + count < info->queue_count; count++)
			if (!info_same_device(first, first + count))
				break;
		print_device_line(term, first, count, brief);
		for (unsigned int q = 0; q < count && !brief; q++)
			if (!is_unconfigured(first + q))
				print_queue_short(term, info, first + q);
	}
}
