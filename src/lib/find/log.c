/* SPDX-License-Identifier: MIT */
/*
 * Messages: to the program's function, or to stderr. Each is one line of printable text, whatever
 * was put into it: names from sysfs and from files are quoted in messages, and a terminal must not
 * obey them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/find/log.h"
#include "lib/find/config.h"
#include "lib/base/utf8.h"

#define AGAIN_NS 60000000000ull

/*
 * On the standard error output the same line comes once a minute at most: a program that goes on
 * after a failure meets it again with every call. Threads that say the same at the same time may
 * both be heard.
 */
static bool was_said_lately(const char *text)
{
	static struct { _Atomic uint64_t hash, at; } said[16];
	uint64_t hash = 0xcbf29ce484222325ull, now; /* FNV-1a */
	unsigned int slot;
	bool lately;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	slot = hash % 16;
	now = sva_now_ns();
	lately = atomic_load(&said[slot].hash) == hash &&
		 now - atomic_load(&said[slot].at) < AGAIN_NS;
	if (!lately) {
		atomic_store(&said[slot].hash, hash);
		atomic_store(&said[slot].at, now);
	}
	return lately;
}

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
	/* the program's function may contain cancellation points, and our caller holds locks */
	cancel = sva_cancel_hold();
	if (config && config->log)
		config->log(config->log_arg, level, text);
	else if (!was_said_lately(text))
		fprintf(stderr, "libsva: %s\n", text);
	sva_cancel_release(cancel);
	errno = saved;
}
