/* SPDX-License-Identifier: MIT */
/* The comments of the script that sva-info --setup prints: its steps and their reasons. */
#include "tools/info/setup.h"

#include <stdarg.h>
#include <string.h>

#define COLUMNS 78 /* of a comment, without "# " */

static void print_comment(FILE *out, const char *text)
{
	while (strlen(text) > COLUMNS) {
		size_t cut = COLUMNS;

		while (cut && text[cut] != ' ')
			cut--;
		if (!cut)
			cut = strcspn(text, " ");
		fprintf(out, "# %.*s\n", (int)cut, text);
		text += cut;
		text += strspn(text, " ");
	}
	if (*text)
		fprintf(out, "# %s\n", text);
}

void setup_say(const struct setup *setup, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_comment(setup->out, text);
}

void setup_begin(struct setup *setup, const char *title)
{
	fprintf(setup->out, "\n# %u. %s\n", ++setup->step, title);
}
