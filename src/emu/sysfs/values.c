/* SPDX-License-Identifier: MIT */
/* The values that attributes have in common: numbers, words, bitmaps and the ids of groups. */
#include "emu/sysfs/attrs.h"

void emu_show_bitmap(const uint64_t bits[4], struct emu_text *out)
{
	int i;

	for (i = 7; i >= 0; i--)
		text_add(out, "%08x%s", (uint32_t)(bits[i / 2] >> (i % 2 * 32)), i ? "," : "\n");
}

int emu_parse_bitmap(const char *s, size_t len, uint64_t bits[4])
{
	uint64_t found[4] = { 0 };
	size_t i;
	unsigned int d, w;

	for (i = 0; i < len; i++) {
		if (s[i] == ',' || s[i] == '\n' || s[i] == '\0')
			continue;
		d = s[i] >= '0' && s[i] <= '9' ? (unsigned int)(s[i] - '0') :
		    (s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'f' ?
						 (unsigned int)((s[i] | 0x20) - 'a') + 10 :
						 99;
		if (d > 15 || found[3] >> 60)
			return -EINVAL;
		for (w = 3; w > 0; w--)
			found[w] = found[w] << 4 | found[w - 1] >> 60;
		found[0] = found[0] << 4 | d;
	}
	for (w = 0; w < 4; w++)
		bits[w] = found[w];
	return 0;
}

int emu_parse(const char *value, size_t len, uint64_t max, uint64_t *out)
{
	return text_number(value, len, out) || *out > max ? -EINVAL : 0;
}

/* Read an id from 0 to max - 1, or -1. */
static int parse_id(const char *value, size_t len, unsigned int max, int32_t *out)
{
	uint64_t v;

	while (len && (value[len - 1] == '\n' || value[len - 1] == '\0'))
		len--;
	if (len == 2 && value[0] == '-' && value[1] == '1') {
		*out = -1;
		return 0;
	}
	if (emu_parse(value, len, max - 1, &v))
		return -EINVAL;
	*out = (int32_t)v;
	return 0;
}

bool emu_parse_word(const char *value, size_t len, char *out, size_t size)
{
	size_t i;

	while (len && (value[len - 1] == '\n' || value[len - 1] == '\0'))
		len--;
	if (len >= size)
		return false;
	for (i = 0; i < len; i++)
		out[i] = value[i];
	out[len] = '\0';
	return true;
}

int emu_store_group(const struct emu_device *dev, int32_t *where, const char *value, size_t len)
{
	int32_t id;

	if (dev->enabled)
		return -EPERM;
	if (parse_id(value, len, EMU_MAX_GROUPS, &id))
		return -EINVAL;
	*where = id;
	return 0;
}
