/* SPDX-License-Identifier: MIT */
/* Names and texts of status bytes, reasons and paths. */
#include "lib/base/lib.h"

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
	static const char *const names[SVA_PATH_COUNT] = {"enqcmd", "movdir64b", "write",
							  "dma",    "soft",	 "cpu"};

	return path >= 0 && path < SVA_PATH_COUNT ? names[path] : "none";
}

unsigned int sva_version(void)
{
	return SVA_VERSION;
}
