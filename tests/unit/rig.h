/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the library share: contexts that know nothing of the machine they run on, and
 * memory with bad pages.
 */
#ifndef SVA_TESTS_UNIT_RIG_H
#define SVA_TESTS_UNIT_RIG_H

#include <stdbool.h>

#include "sva/info.h"
#include "unit/words.h"

#define RIG_PAGE 4096u

/*
 * Forget the settings of the user who runs the test; the machine's own queues are not looked for.
 * Call it first.
 */
void rig_begin(void);

/* A context with these paths (NULL: the default); must not fail. */
struct sva *rig_open(const char *paths, unsigned int soft_threads);
struct sva *rig_open_opts(const char *paths, void (*change)(struct sva_opts *opts));

/* Pages between two that cannot be touched; they are never freed. */
uint8_t *rig_pages(size_t n);
/*
 * What becomes of a page: gone, not to be touched, not to be written; and all is well again (and
 * zero, if it was gone).
 */
void rig_page_gone(uint8_t *page);
void rig_page_deny(uint8_t *page);
void rig_page_readonly(uint8_t *page);
void rig_page_good(uint8_t *page);
/* Is there memory behind that page already? */
bool rig_page_resident(uint8_t *page);

/* How an operation is brought through the library. */
enum rig_how { RIG_RUN, RIG_ASYNC, RIG_BATCH, RIG_BOND };

struct rig_way {
	const char *name, *paths;
	unsigned int threads;
	enum rig_how how;
	uint8_t path; /* that must have done it */
	bool guard;   /* SVA_OPEN_GUARD */
};

extern const struct rig_way *rig_ways;
extern unsigned int rig_way_count;

/*
 * With arguments PATH and QUEUE the ways are those through that queue of the machine (make
 * check-emu: of sva-emu), not those that need no device. After rig_begin.
 */
void rig_arguments(int argc, char **argv);

/* Open the context of a way; bring an operation through it, 0 or -errno; close. */
void rig_way_begin(const struct rig_way *way);
int rig_do(struct sva_op *op);
void rig_way_end(void);
/* Is a bad address -EFAULT on this way? On the cpu route it is a signal, but for the guard. */
bool rig_way_reports_faults(void);
extern struct sva *rig_sva;
extern const struct rig_way *rig_way;
extern const char *rig_queue; /* that RIG_BOND binds */

/* A child process that runs fn; what it returned, or 1000 + the signal that ended it. */
int rig_in_child(int (*fn)(void *arg), void *arg);

uint64_t rig_now_ms(void);

#endif
