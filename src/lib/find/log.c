/* SPDX-License-Identifier: MIT */
/*
 * Messages: to the program's function, or to stderr. Each is one line of printable text, whatever was put into it:
 * names from sysfs and from files are quoted in messages, and a terminal must not obey them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "lib/base/cancel.h"
#include "lib/find/log.h"
#include "lib/find/config.h"
#include "lib/base/utf8.h"

void sva_log(const struct sva_config *config, int level, const char *fmt, ...)
{
	char raw[1024], text[1024];
	int saved = errno, cancel;
	va_list ap;

	if (level > (config ? config->log_level : LOG_WARNING))
		return;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	sva_utf8_escape(raw, text, sizeof(text));
	cancel = sva_cancel_hold(); /* the program's function may contain cancellation points, and our caller holds locks */
	if (config && config->log)
		config->log(config->log_arg, level, text);
	else
		fprintf(stderr, "libsva: %s\n", text);
	sva_cancel_release(cancel);
	errno = saved;
}
