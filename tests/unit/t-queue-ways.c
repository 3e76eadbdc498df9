/* SPDX-License-Identifier: MIT */
/*
 * A path that the library does not have is added to the submission table with one file (mirror.c)
 * and one row, and all code above the table works with it. The row takes the number and the name of
 * write(2), which is not linked in.
 */
#include <errno.h>
#include <string.h>

#include "lib/run/run.h"
#include "tap.h"
#include "unit/mirror.h"
#include "unit/rig.h"

/* The table itself, with one row exchanged. */
#define sva_submit_write sva_submit_mirror
#include "lib/queue/ways.c"

#define BYTES 65536u

static uint8_t from[BYTES], to[BYTES];
static struct sva *sva;

static void set_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 20;
}

static void begin(const char *paths)
{
	sva = rig_open_opts(paths, set_timeout);
	memset(from, 0x5a, sizeof(from));
	memset(to, 0, sizeof(to));
}

static void end(const char *what)
{
	sva_close(sva);
	ok(mirror.closed == mirror.opened, "%s: each side that was opened is closed once", what);
	mirror = (struct mirror){ 0 };
}

static bool took_mirror(const struct sva_result *result)
{
	return result->path == SVA_PATH_WRITE && result->queue &&
	       !strcmp(result->queue, "mirror") && !strcmp(result->device, "glass");
}

static void synchronous(void)
{
	begin("write");
	is_rc(sva_memcpy(sva, to, from, BYTES), 0,
	      "a synchronous copy through a path of the tests");
	ok(!memcmp(to, from, BYTES), "the copy's bytes are right");
	ok(took_mirror(sva_last_result()), "its result names the path's queue and device");
	is_rc(sva_memfill(sva, to, 0x0807060504030201, 24), 0, "a fill through that path");
	ok(to[8] == 1 && to[15] == 8 && to[24] == 0x5a, "the fill's bytes are right");
	ok(mirror.pumped >= 2, "the library pumped a path whose records do not come by themselves");
	end("synchronous calls");
}

static void asynchronous(void)
{
	struct sva_op ops[MIRROR_RING + 1];
	unsigned int taken = 0;

	begin("write");
	mirror.stopped = true;
	for (; taken <= MIRROR_RING; taken++) {
		sva_prep_memcpy(&ops[taken], to + 8 * (size_t)taken, from, 8);
		if (sva_submit(sva, &ops[taken]))
			break;
	}
	is(taken, MIRROR_RING, "a full queue of the path refuses one operation more with -EAGAIN");
	is_rc(sva_wait(&ops[0], 60000000), -ETIME,
	   "always_completes: no record in three record timeouts, and the operation is pending");
	is(mirror.retired, 0, "always_completes: the queue is not given up");
	mirror.stopped = false;
	for (unsigned int i = 0; i < taken; i++)
		ok(!sva_wait(&ops[i], -1), "operation %u ends when the path is pumped", i);
	is_rc(sva_submit(sva, &ops[MIRROR_RING]), 0, "there is room for the refused operation now");
	is_rc(sva_wait(&ops[MIRROR_RING], -1), 0, "the refused operation ends without an error");
	end("asynchronous operations");
}

static void pins(void)
{
	begin("write");
	mirror.most = BYTES / 4;
	is_rc(sva_memcpy(sva, to, from, BYTES), 0,
	      "pins: a copy whose pages cannot be pinned at once");
	ok(sva_last_result()->chunks >= 4, "pins: it went out in chunks of a quarter at most");
	is(sva_last_result()->chunks, mirror.submitted, "pins: each chunk was submitted once");
	ok(!memcmp(to, from, BYTES), "pins: every byte was copied");
	end("pins");
}

static void look_says_no(void)
{
	struct sva *other;

	mirror.reason = SVA_REASON_MODULE_NO_CHANNEL;
	begin("write,cpu");
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "look: without the queue, the CPU copies");
	is_path(sva_last_result()->path, SVA_PATH_CPU, "look: the call's result has the path");
	is_reason(sva_last_result()->reason, SVA_REASON_MODULE_NO_CHANNEL,
		  "look: the call's result has the path's reason");
	is_reason(sva_explain(sva, SVA_PATH_WRITE, NULL, 0), SVA_REASON_MODULE_NO_CHANNEL,
	   "look: sva_explain() gives the path's reason");
	end("look");
	mirror.shortage = -EMFILE;
	is_rc(sva_open(&other, NULL), -EMFILE, "look: a shortage is not taken for an answer");
	mirror = (struct mirror){ 0 };
}

static void mends(void)
{
	struct sva_op op;

	begin("write");
	mirror.is_short = true;
	sva_prep_memcpy(&op, to, from, 64);
	is_rc(sva_submit(sva, &op) ? -1 : sva_wait(&op, -1), 0,
	      "mend: a copy while something is short");
	is_reason(sva_op_result(&op)->reason, SVA_REASON_SHORTAGE,
		  "mend: its result has the reason");
	mirror.is_short = false;
	for (unsigned int i = 0; i < 3000; i++) {
		sva_prep_memcpy(&op, to, from, 64);
		if (sva_submit(sva, &op) || sva_wait(&op, -1))
			break;
	}
	is_reason(sva_op_result(&op)->reason, SVA_REASON_OK, "mend: later results have the reason");
	end("mend");
}

static void bound(void)
{
	struct sva_bond *bond = NULL;
	struct sva_op op;

	begin("write");
	is_rc(sva_bind(sva, "mirror", 0, &bond), 0, "bindable: sva_bind() takes the queue's name");
	is_path(sva_bond_path(bond), SVA_PATH_WRITE, "bindable: the bond submits on that path");
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_bond_submit(bond, &op) ? -1 : sva_wait(&op, -1), 0,
	      "bindable: a copy on the bond");
	ok(!memcmp(to, from, BYTES) && took_mirror(sva_op_result(&op)),
	   "bindable: its bytes and its result are right");
	is(mirror.closed, 0, "bindable: the side is open while the bond is");
	sva_unbind(bond);
	is(mirror.closed, 1, "bindable: the last unbind closes it");
	is_rc(sva_bind(sva, "soft", 0, &bond), -EACCES,
	      "the queue of a path that is not permitted");
	end("bindable");
}

static void given_up(void)
{
	struct sva_bond *bond = NULL;
	struct sva_op op;

	begin("write");
	is_rc(sva_bind(sva, "mirror", 0, &bond), 0, "retire: the queue is bound");
	mirror.stopped = true;
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_bond_submit(bond, &op), 0, "retire: a copy is in flight");
	sva_bond_retire(bond);
	is(mirror.retired, 1, "retire: the path is called to give up its work");
	is(sva_wait(&op, -1), -EIO, "retire: the operation ends with -EIO");
	is_reason(sva_op_result(&op)->reason, SVA_REASON_RETIRED,
		  "retire: its result has the reason");
	sva_unbind(bond);
	end("retire");

	begin("write");
	is_rc(sva_bind(sva, "mirror", 0, &bond), 0, "lose: the queue is bound");
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_bond_submit(bond, &op), 0, "lose: a copy is in flight");
	sva_bond_lost(bond);
	is(mirror.lost, 1, "lose: the path learns that its descriptor is gone");
	is_rc(sva_wait(&op, -1), 0, "lose: what was submitted ends as usual");
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_bond_submit(bond, &op), -EIO, "lose: the bond takes nothing more");
	sva_unbind(bond);
	end("lose");
}

int main(void)
{
	rig_begin();
	synchronous();
	asynchronous();
	pins();
	look_says_no();
	mends();
	bound();
	given_up();
	return done();
}
