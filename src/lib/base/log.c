/* SPDX-License-Identifier: MIT */
/*
 * Messages: to the program's function, or to stderr. Each is one line of printable text, whatever was put into it:
 * names from sysfs and from files are quoted in messages, and a terminal must not obey them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "lib/internal.h"

static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void sva_log(const struct sva_config *config, int level, const char *fmt, ...)
{
	char text[1024];
	int saved = errno, cancel;
	va_list ap;

	if (level > (config ? config->log_level : LOG_WARNING))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	make_printable(text);
	cancel = sva_cancel_hold(); /* the program's function may contain cancellation points, and our caller holds locks */
	if (config && config->log)
		config->log(config->log_arg, level, text);
	else
		fprintf(stderr, "libsva: %s\n", text);
	sva_cancel_release(cancel);
	errno = saved;
}
