/* SPDX-License-Identifier: MIT */
/*
 * TAP for C tests: ok(), is(), is_rc(), is_str(), skip(), done(). Every assertion prints a line,
 * the plan comes last, and a failed one prints where it is and what was seen. subject() says what
 * the following lines are about, so that each of them can be understood alone. One process is one
 * test file.
 */
#ifndef SVA_TESTS_TAP_H
#define SVA_TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;
static char tap_subject[160];

/* subject("format", …): from now on, each name is printed behind these words and a colon. */
static inline void __attribute__((format(printf, 1, 2))) subject(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(tap_subject, sizeof(tap_subject) - 2, fmt, ap);
	va_end(ap);
	strcat(tap_subject, ": ");
}

static inline bool __attribute__((format(printf, 4, 5)))
tap_result(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - %s", good ? "" : "not ", ++tap_count, tap_subject);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!good) {
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return good;
}

/* ok(condition, "format", …): one test. */
#define ok(cond, ...) tap_result((cond), __FILE__, __LINE__, __VA_ARGS__)

/* is(got, want, "name"): one test of two integers, which prints both if they differ. */
#define is(got, want, name) \
	tap_is((long long)(got), (long long)(want), __FILE__, __LINE__, "%s", (name))

static inline void __attribute__((format(printf, 5, 6)))
tap_is(long long got, long long want, const char *file, int line, const char *fmt, ...)
{
	char name[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	if (!tap_result(got == want, file, line, "%s", name))
		printf("# got %lld (%#llx), want %lld (%#llx)\n", got, (unsigned long long)got,
		       want, (unsigned long long)want);
}

/*
 * is_rc(got, want, "name"): the same for 0, a count or a negative errno value, which the name is
 * given, too.
 */
#define is_rc(got, want, name) \
	do { \
		int tap_want = (int)(want); \
		tap_is((long long)(got), tap_want, __FILE__, __LINE__, "%s: %s", (name), \
		       tap_rc_name(tap_want)); \
	} while (0)

/* "-EINVAL" or a number; valid until the next call. */
static inline const char *tap_rc_name(int rc)
{
	static char name[32];
	const char *errno_name = rc < 0 ? strerrorname_np(-rc) : NULL;

	if (errno_name)
		snprintf(name, sizeof(name), "-%s", errno_name);
	else
		snprintf(name, sizeof(name), "%d", rc);
	return name;
}

/* is_str(got, want, "name"): the same for strings. */
#define is_str(got, want, name) \
	do { \
		const char *tap_g = (got), *tap_w = (want); \
		if (!tap_result(tap_g && tap_w && !strcmp(tap_g, tap_w), __FILE__, __LINE__, "%s", \
				(name))) \
			printf("# got '%s', want '%s'\n", tap_g ? tap_g : "(null)", \
			       tap_w ? tap_w : "(null)"); \
	} while (0)

/* skip("reason …"): one test that cannot run here, with the reason. */
static inline void __attribute__((format(printf, 2, 3)))
tap_skip(const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("ok %d - %s%s # SKIP ", ++tap_count, tap_subject, name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}
#define skip(name, ...) tap_skip((name), __VA_ARGS__)

/* The whole file cannot run here. */
static inline void __attribute__((format(printf, 1, 2), noreturn)) skip_all(const char *fmt, ...)
{
	va_list ap;

	printf("1..0 # SKIP ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(0);
}

/* return done(); ends main: prints the plan. */
static inline int done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
