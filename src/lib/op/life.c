/* SPDX-License-Identifier: MIT */
/* Status bytes, reasons and paths in words; and what an operation's end leaves in its result. */
#include <string.h>

#include "lib/queue/ways.h"

struct status_row {
	const char *name;
	const char *text;
	int err;
};

static const struct status_row statuses[SVA_STATUS_COUNT_] = {
#define ROW(name, code, err, text) [code] = { #name, text, err },
	SVA_STATUS_MAP(ROW)
#undef ROW
};

static const char *const reason_texts[] = {
#define ROW(name, text) [SVA_REASON_##name] = text,
	SVA_REASON_MAP(ROW)
#undef ROW
};

static const char *const reason_names[] = {
#define ROW(name, text) [SVA_REASON_##name] = #name,
	SVA_REASON_MAP(ROW)
#undef ROW
};

static const struct status_row *find_status(unsigned int status)
{
	status &= SVA_STATUS_MASK;
	return statuses[status].name ? &statuses[status] : NULL;
}

const char *sva_status_name(unsigned int status)
{
	const struct status_row *row = find_status(status);

	return row ? row->name : "UNKNOWN";
}

const char *sva_status_text(unsigned int status)
{
	const struct status_row *row = find_status(status);

	return row ? row->text : "unknown completion status";
}

int sva_status_errno(unsigned int status)
{
	const struct status_row *row = find_status(status);

	return row ? row->err : EIO;
}

const char *sva_reason_text(unsigned int reason)
{
	return reason < SVA_REASON_COUNT_ ? reason_texts[reason] : "unknown reason";
}

const char *sva_reason_name(unsigned int reason)
{
	return reason < SVA_REASON_COUNT_ ? reason_names[reason] : "UNKNOWN";
}

const char *sva_path_name(int path)
{
	static const char *const names[SVA_PATH_COUNT] = { "enqcmd", "movdir64b", "write", "dma", "soft", "cpu" };

	return path >= 0 && path < SVA_PATH_COUNT ? names[path] : "none";
}

unsigned int sva_version(void)
{
	return SVA_VERSION;
}

/* The path that did most; without any bytes, the one that the last chunk took. */
static uint8_t main_path(const struct sva_op_private *p)
{
	unsigned int best = p->lease && p->result.chunks ? p->lease->path : SVA_PATH_CPU;

	for (unsigned int path = 0; path < SVA_PATH_COUNT; path++)
		if (p->result.path_bytes[path] > p->result.path_bytes[best])
			best = path;
	return (uint8_t)best;
}

void sva_result_end(struct sva_op *op, int error)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	p->result.error = error;
	p->result.path = main_path(p);
	if (!p->result.reason && p->lease && p->result.chunks)
		p->result.reason = p->lease->id->reason;
	if (p->bond && p->result.chunks) {
		p->result.queue = p->bond->name;
		p->result.device = p->bond->device;
	}
	if (p->bufs[0])
		sva_dma_release(p->bufs);
	op->state = SVA_OP_ENDED;
}

const struct sva_result *sva_op_result(const struct sva_op *op)
{
	static const struct sva_result never = { .error = -EINVAL, .path = SVA_PATH_CPU };

	if (sva_op_is_bad(op) || (op->state != SVA_OP_ENDED && !sva_op_is_pending(op)))
		return &never;
	return &SVA_OP_PRIVATE(op)->result;
}

/* The quick calls keep two words; this is where they become a result. */
const struct sva_result *sva_last_result(void)
{
	struct sva_tls *tls = &sva_tls;

	const struct sva_identity *id = tls->last_id;

	if (id) {
		memset(&tls->last, 0, sizeof(tls->last));
		tls->last.path = id->path;
		tls->last.reason = id->reason;
		tls->last.queue = id->queue;
		tls->last.device = id->device;
		tls->last.bytes = tls->last_bytes;
		tls->last.path_bytes[id->path] = tls->last_bytes;
		tls->last.status = id->queue ? SVA_STATUS_SUCCESS : SVA_STATUS_NONE;
		tls->last.chunks = id->queue ? 1 : 0;
		tls->last_id = NULL;
	}
	return &tls->last;
}
