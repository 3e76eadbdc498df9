/* SPDX-License-Identifier: MIT */
/* What configuration and discovery need of result.c, which would bring the whole road along into their tests. */
#include "sva/sva.h"

const char *sva_path_name(int path)
{
	static const char *const names[SVA_PATH_COUNT] = { "enqcmd", "movdir64b", "write", "dma", "soft", "cpu" };

	return path >= 0 && path < SVA_PATH_COUNT ? names[path] : "none";
}

const char *sva_reason_text(unsigned int reason)
{
	static const char *const texts[] = {
#define TEXT(name, text) [SVA_REASON_##name] = text,
		SVA_REASON_MAP(TEXT)
#undef TEXT
	};

	return reason < SVA_REASON_COUNT_ ? texts[reason] : "unknown reason";
}
