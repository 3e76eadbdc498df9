/* SPDX-License-Identifier: MIT */
/*
 * TAP for C tests: ok(), is(), skip(), done(). Every assertion prints a line, the plan comes last, and a failed one prints
 * where it is and what was seen. One process is one test file.
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

static inline bool __attribute__((format(printf, 4, 5)))
tap_result(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
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
	do { \
		long long tap_g = (long long)(got), tap_w = (long long)(want); \
		if (!tap_result(tap_g == tap_w, __FILE__, __LINE__, "%s", (name))) \
			printf("# got %lld (%#llx), want %lld (%#llx)\n", tap_g, (unsigned long long)tap_g, tap_w, \
			       (unsigned long long)tap_w); \
	} while (0)

/* is_str(got, want, "name"): the same for strings. */
#define is_str(got, want, name) \
	do { \
		const char *tap_g = (got), *tap_w = (want); \
		if (!tap_result(tap_g && tap_w && !strcmp(tap_g, tap_w), __FILE__, __LINE__, "%s", (name))) \
			printf("# got '%s', want '%s'\n", tap_g ? tap_g : "(null)", tap_w ? tap_w : "(null)"); \
	} while (0)

/* skip("reason …"): one test that can not run here, with the reason. */
static inline void __attribute__((format(printf, 2, 3))) tap_skip(const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("ok %d - %s # SKIP ", ++tap_count, name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}
#define skip(name, ...) tap_skip((name), __VA_ARGS__)

/* The whole file can not run here. */
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
