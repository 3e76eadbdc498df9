/* SPDX-License-Identifier: MIT */
/* --stats: prints the counters of a run. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emu/run/stats.h"

static const char *const names[EMU_COUNTERS] = {
	[EMU_COUNT_TRAPS] = "traps",
	[EMU_COUNT_ENQCMD] = "enqcmd",
	[EMU_COUNT_MOVDIR64B] = "movdir64b",
	[EMU_COUNT_STORE64] = "store64",
	[EMU_COUNT_WRITE] = "write",
	[EMU_COUNT_UMONITOR] = "umonitor",
	[EMU_COUNT_UMWAIT] = "umwait",
	[EMU_COUNT_TPAUSE] = "tpause",
	[EMU_COUNT_RETRIED] = "retried",
	[EMU_COUNT_DROPPED] = "dropped",
	[EMU_COUNT_EXECUTED] = "executed",
	[EMU_COUNT_BATCHED] = "batched",
	[EMU_COUNT_FAULTS] = "faults",
	[EMU_COUNT_ERRORS] = "errors",
	[EMU_COUNT_LOST] = "lost",
	[EMU_COUNT_BYTES] = "bytes",
	[EMU_COUNT_SABOTAGED] = "sabotaged",
	[EMU_COUNT_UNLAWFUL] = "unlawful",
	[EMU_COUNT_PATCHED] = "patched",
	[EMU_COUNT_PROCESSES] = "processes",
};

static void print_json(const struct emu_state *state, FILE *out)
{
	unsigned int i, d, w;
	const char *between = "";

	fprintf(out, "{\n  \"emulated\": true,\n");
	for (i = 0; i < EMU_COUNTERS; i++)
		fprintf(out, "  \"%s\": %" PRIu64 ",\n", names[i], state->counter[i]);
	fprintf(out, "  \"queues\": [");
	for (d = 0; d < state->devices; d++) {
		for (w = 0; w < EMU_MAX_WQS; w++) {
			const struct emu_wq *wq = &state->device[d].wq[w];

			if (!wq->accepted && !wq->retried && !wq->dropped)
				continue;
			fprintf(out,
				"%s\n    { \"queue\": \"wq%u.%u\", \"accepted\": %" PRIu64
				", \"retried\": %" PRIu64 ", \"dropped\": %" PRIu64 " }",
				between, d, w, wq->accepted, wq->retried, wq->dropped);
			between = ",";
		}
	}
	fprintf(out, "\n  ]\n}\n");
}

void emu_stats_print(const struct emu_state *state, FILE *out)
{
	unsigned int i;

	if (out) {
		print_json(state, out);
		if (fclose(out))
			fprintf(stderr, "sva-emu: the counters: %s\n", strerror(errno));
		return;
	}
	fprintf(stderr, "sva-emu:");
	for (i = 0; i < EMU_COUNTERS; i++)
		if (state->counter[i])
			fprintf(stderr, " %s=%" PRIu64, names[i], state->counter[i]);
	fputc('\n', stderr);
}
