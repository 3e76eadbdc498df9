/* SPDX-License-Identifier: MIT */
/*
 * Messages: to the program's function, or to stderr. Each is one line of printable text, whatever
 * was formatted into it: messages quote names from sysfs and from files, whose bytes must not
 * control a terminal.
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
 * The standard error output gets the same line at most once a minute: a program that continues
 * after a failure meets it again with every call. Threads that log the same line at the same time
 * may both print it.
 */
static bool was_logged_lately(const char *text)
{
	static struct { _Atomic uint64_t hash, at; } logged[16];
	uint64_t hash = 0xcbf29ce484222325ull, now; /* FNV-1a */
	unsigned int slot;
	bool lately;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	slot = hash % 16;
	now = sva_now_ns();
	lately = atomic_load(&logged[slot].hash) == hash &&
		 now - atomic_load(&logged[slot].at) < AGAIN_NS;
	if (!lately) {
		atomic_store(&logged[slot].hash, hash);
		atomic_store(&logged[slot].at, now);
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
	/*
	 * the program's function may contain cancellation points, and sva_log()'s caller holds
	 * locks
	 */
	cancel = sva_cancel_hold();
	if (config && config->log)
		config->log(config->log_arg, level, text);
	else if (!was_logged_lately(text))
		fprintf(stderr, "libsva: %s\n", text);
	sva_cancel_release(cancel);
	errno = saved;
}
