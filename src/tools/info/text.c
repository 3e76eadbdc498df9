/* SPDX-License-Identifier: MIT */
/* sva-info: prints for people what sva-info.c has gathered. */
#include "tools/info/info.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "tools/info/setup.h"
#include "tools/term/term.h"

static void print_path(const struct term *term, unsigned int indent, const char *name, bool usable,
		       const char *text)
{
	fprintf(term->out, "%*s%-10s  %s%-3s%s  ", (int)indent, "", name,
		term_style(term, usable ? TERM_GOOD : TERM_BAD), usable ? "yes" : "no",
		term_style(term, TERM_PLAIN));
	term_wrap(term, indent + 17, text);
}

static void print_head(const struct term *term, const char *text)
{
	fprintf(term->out, "%s%s%s\n", term_style(term, TERM_HEAD), text,
		term_style(term, TERM_PLAIN));
}

static void print_words(const struct term *term, const char *name, char *words)
{
	fprintf(term->out, "  %-13s ", name);
	term_wrap(term, 16, words);
}

static void append_word(char *text, size_t size, const char *word)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used ? " " : "", word);
}

static void print_device(const struct term *term, const struct sva_queue_info *queue)
{
	static const char *const trust[] = {
		[SVA_TRUST_UNKNOWN] = "unknown: it could not be read",
		[SVA_TRUST_YES] = "yes: fixed to the machine, an IOMMU group of its own",
		[SVA_TRUST_NO] =
			"no: removable, behind an external port, or shares its IOMMU group",
	};
	char text[2048] = "", version[16];
	unsigned int bit;
	const char *word;

	snprintf(text, sizeof(text), "Device %s", queue->device);
	print_head(term, text);
	print_words(term, "found by", strcpy(text, queue->plugin));
	word = info_version(version, queue->version);
	print_words(term, "version", strcpy(text, word ? word : "unknown"));
	if (queue->numa_node < 0)
		strcpy(text, "unknown");
	else
		snprintf(text, sizeof(text), "%" PRId32, queue->numa_node);
	print_words(term, "NUMA node", text);
	print_words(term, "trusted",
		    strcpy(text,
			   trust[queue->trust <= SVA_TRUST_NO ? queue->trust : SVA_TRUST_UNKNOWN]));
	text[0] = '\0';
	for (bit = 0; (word = info_next_capability(queue->gen_cap, &bit));)
		append_word(text, sizeof(text), word);
	print_words(term, "capabilities", text[0] ? text : strcpy(text, "unknown"));
	text[0] = '\0';
	for (bit = 0; (word = info_next_operation(queue->op_cap, &bit));)
		append_word(text, sizeof(text), word);
	print_words(term, "operations",
		    info_has_operations(queue) ? text : strcpy(text, "unknown"));
}

static void print_faults(const struct term *term, const struct info *info,
			 const struct sva_queue_info *queue)
{
	struct remedy remedy;

	if (!remedy_faults(&info->machine, queue, &remedy))
		return;
	fputs("    ", term->out);
	term_wrap(term, 4, remedy.text);
	fputs("    to let them block (the engines of the group wait meanwhile):\n", term->out);
	info_print_commands(term, 6, remedy.commands);
}

static void print_queue(const struct term *term, const struct info *info,
			const struct sva_queue_info *queue)
{
	char text[512], transfer[32];

	fprintf(term->out, "  %s%s%s", term_style(term, TERM_HEAD), queue->name,
		term_style(term, TERM_PLAIN));
	if (*queue->label) {
		fputs(" \"", term->out);
		term_text(term, queue->label);
		putc('"', term->out);
	}
	putc('\n', term->out);
	snprintf(text, sizeof(text), "%s, %" PRIu32 " entries", info_mode(queue->mode),
		 queue->entries);
	if (queue->mode == SVA_MODE_SHARED)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " (threshold %" PRIu32 ")", queue->threshold);
	snprintf(text + strlen(text), sizeof(text) - strlen(text),
		 ", transfers up to %s, batches up to %" PRIu32 "%s",
		 term_bytes(transfer, sizeof(transfer), queue->max_transfer), queue->max_batch,
		 queue->block_on_fault ? ", page faults may block" : "");
	fputs("    ", term->out);
	term_wrap(term, 4, text);
	fputs("    node ", term->out);
	if (queue->pasid >= 0)
		snprintf(text, sizeof(text), "%s, PASID %" PRId32,
			 *queue->node ? queue->node : "none", queue->pasid);
	else
		snprintf(text, sizeof(text), "%s, PASID not disclosed",
			 *queue->node ? queue->node : "none");
	term_wrap(term, 9, text);
	if (queue->reasons[SVA_PATH_WRITE] != SVA_REASON_QUEUE_UNCONFIGURED)
		print_faults(term, info, queue);
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (info_path_has_queues(path))
			print_path(term, 4, sva_path_name(path),
				   queue->reasons[path] == SVA_REASON_OK,
				   sva_reason_text(queue->reasons[path]));
}

static void print_config_file(const struct term *term)
{
	fprintf(term->out, "configuration file %s (%s)\n", sva_config_file(),
		access(sva_config_file(), F_OK) ? "absent" : "present");
}

static void print_all_devices(const struct term *term, const struct info *info)
{
	if (!info->queue_count)
		fputs("No device.\n", term->out);
	for (unsigned int i = 0; i < info->queue_count; i++) {
		if (i == 0 || !info_same_device(&info->queues[i], &info->queues[i - 1])) {
			if (i)
				putc('\n', term->out);
			print_device(term, &info->queues[i]);
		}
		print_queue(term, info, &info->queues[i]);
	}
}

static void print_problems(const struct term *term, const struct info *info)
{
	const char *problem;

	for (unsigned int i = 0; (problem = sva_problem(info->sva, i)); i++) {
		if (i == 0) {
			putc('\n', term->out);
			print_head(term, "Problems");
		}
		fputs("  ", term->out);
		term_wrap(term, 4, problem);
	}
}

void info_print(const struct term *term, const struct info *info, bool all)
{
	char version[32];

	fprintf(term->out, "libsva %s, ", term_version(version));
	print_config_file(term);
	info_print_summary(term, info);
	putc('\n', term->out);
	print_head(term, "Paths that this process can use");
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		print_path(term, 2, sva_path_name(path), info->paths[path].reason == SVA_REASON_OK,
			   info->paths[path].text);
	putc('\n', term->out);
	if (all)
		print_all_devices(term, info);
	else
		info_print_devices(term, info);
	print_problems(term, info);
}

void info_print_settings(const struct term *term, struct sva *sva)
{
	const struct sva_setting *setting;

	print_config_file(term);
	for (unsigned int i = 0; (setting = sva_setting_describe(i)); i++) {
		char value[INFO_TEXT] = "?", line[INFO_TEXT + 256];
		int rc = sva ? sva_setting_value(sva, i, value, sizeof(value)) : -ENOENT;

		if (rc)
			strcpy(value, "?");
		putc('\n', term->out);
		print_head(term, setting->env ? setting->env : setting->key);
		fputs("  ", term->out);
		term_wrap(term, 4, setting->help);
		snprintf(line, sizeof(line), "key %s, %s, default %s, now %s",
			 setting->key ? setting->key : "none", setting->type,
			 *setting->initial ? setting->initial : "empty", *value ? value : "empty");
		fputs("  ", term->out);
		term_wrap(term, 4, line);
	}
}
