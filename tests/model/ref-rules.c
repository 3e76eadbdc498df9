/* SPDX-License-Identifier: MIT */
/*
 * The rules for a descriptor, as the facts list them. All that are broken are collected, since a
 * device may check in any order. Written from the specification's tables by bit and byte number, so
 * that it shares no constant with the model.
 */
#include "reference.h"

#include <stdlib.h>
#include <string.h>

#define S(code) (1ull << (code))
/* The facts do not say which error it is, only that it is one. */
#define SOME_ERROR (S(0x11) | S(0x12) | S(0x13) | S(0x15) | S(0x1c))

/*
 * Letters: B block on fault, R check result, C cache control and readback, F the same of cache
 * flush, S strict order, 1 2 3 traffic class of an address. own: flags 16 and up. need: CRAV and
 * RCR must be set. bytes: what it uses from 16 on.
 */
static const struct rule {
	int opcode;
	const char *flags, *own, *bytes;
	bool need;
} rules[] = {
	{ 0x00, "", "", "", false },
	{ 0x01, "1", "16", "16-23 32-35", false },
	{ 0x02, "12", "16 17 18 19", "16-31", false },
	{ 0x03, "BCS12", "", "16-35", false },
	{ 0x04, "BCS2", "18", "16-35 40-47", false },
	{ 0x05, "BR12", "", "16-35 40-40", true },
	{ 0x06, "BR1", "", "16-35 40-40", true },
	{ 0x07, "BRCS123", "", "16-35 40-51 56-56", true },
	{ 0x08, "BCS12", "", "16-35 40-43", false },
	{ 0x09, "BCS123", "16", "16-35 40-47", false },
	{ 0x0a, "B", "16", "16-23 32-35 48-51", false },
	{ 0x10, "B13", "16 17 18 19", "16-23 32-35 40-47 48-55", true },
	{ 0x11, "BCS123", "16 17 18 19", "16-35 40-47 48-55", true },
	{ 0x12, "B1", "", "16-23 32-35 40-40 42-42 48-55", true },
	{ 0x13, "BCS12", "", "16-35 41-41 42-42 56-63", false },
	{ 0x14, "BCS12", "", "16-35 40-40 42-42 48-55", false },
	{ 0x15, "BCS12", "", "16-35 40-42 48-63", false },
	{ 0x17, "BCS12", "", "16-35 41-42 56-63", true },
	{ 0x20, "BFS2", "", "24-35", false },
};

static const struct rule *find(int opcode)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].opcode == opcode)
			return &rules[i];
	}
	return NULL;
}

/* Is that number in a list like "16 17" or "16-35 40-47"? */
static bool listed(const char *list, long number)
{
	while (*list) {
		char *end;
		long first = strtol(list, &end, 10), last = first;

		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (number >= first && number <= last)
			return true;
		list = end;
	}
	return false;
}

static bool has(const struct rule *rule, char letter)
{
	return strchr(rule->flags, letter) != NULL;
}

static bool cap(const struct sva_model_profile *profile, int bit)
{
	return profile->gen_cap >> bit & 1;
}

static bool set(uint32_t flags, int bit)
{
	return flags >> bit & 1;
}

/* The three cache control bits of revision 3: is this combination there? */
static bool good_encoding(const struct sva_model_profile *profile, uint32_t flags, bool flush)
{
	int code = set(flags, 5) * 100 + set(flags, 14) * 10 + set(flags, 8);

	if (code == 0)
		return true;
	if (code == 10)
		return cap(profile, 8);
	if (flush)
		return false;
	if (code == 1)
		return cap(profile, 2);
	if (code == 11)
		return cap(profile, 2) && cap(profile, 8);
	if (code == 100)
		return cap(profile, 5);
	return code == 110 && cap(profile, 8);
}

static bool cache_flag_good(const struct sva_model_profile *profile, const struct rule *rule,
			    int bit, uint32_t flags)
{
	bool flush = has(rule, 'F');

	if (bit == 5 && profile->version < 0x200)
		return set(flags, 2); /* steering tag of the record */
	if (!has(rule, 'C') && !flush)
		return false;
	if (profile->version >= 0x300)
		return good_encoding(profile, flags, flush);
	if (bit == 5)
		return false;
	if (bit == 8)
		return flush ? cap(profile, 3) : cap(profile, 2);
	return cap(profile, 8);
}

/* Which capability an operation's own flag needs. */
static bool own_flag_good(const struct sva_model_profile *profile, int opcode, int bit)
{
	switch (opcode * 100 + bit) {
	case 0x01 * 100 + 16:
		return cap(profile, 15);
	case 0x02 * 100 + 16:
	case 0x02 * 100 + 17:
		return cap(profile, 9);
	case 0x04 * 100 + 18:
		return cap(profile, 10);
	case 0x09 * 100 + 16:
		return profile->version < 0x200;
	case 0x0a * 100 + 16:
		return cap(profile, 7);
	case 0x10 * 100 + 19:
	case 0x11 * 100 + 19:
		return cap(profile, 11);
	}
	return true;
}

static bool traffic_flag_good(const struct rule *rule, int bit, uint32_t flags)
{
	if (!has(rule, (char)('1' + bit - 9)))
		return false;
	if (rule->opcode == 0x02)
		return set(flags, bit == 9 ? 16 : 17);
	if ((rule->opcode == 0x10 || rule->opcode == 0x11) && bit == 11)
		return set(flags, 16);
	return true;
}

static bool flag_good(const struct sva_model_profile *profile, const struct rule *rule, int bit,
		      uint32_t flags, bool in_batch, bool priv)
{
	switch (bit) {
	case 0:
		return in_batch;
	case 1:
		return has(rule, 'B') && profile->block_on_fault && cap(profile, 0);
	case 2:
		return true;
	case 3:
	case 12:
		return set(flags, 2);
	case 4:
		return priv || profile->user_interrupt;
	case 5:
	case 8:
	case 14:
		return cache_flag_good(profile, rule, bit, flags);
	case 7:
		return has(rule, 'R');
	case 9:
	case 10:
	case 11:
		return traffic_flag_good(rule, bit, flags);
	case 13:
		return has(rule, 'S') && !cap(profile, 53);
	case 15:
		return has(rule, 'C') && profile->version < 0x200;
	}
	return listed(rule->own, bit) && own_flag_good(profile, rule->opcode, bit);
}

static uint32_t bad_flags(const struct sva_model_profile *profile, const struct rule *rule,
			  uint32_t flags, bool in_batch, bool priv)
{
	uint32_t bad = 0;

	for (int bit = 0; bit < 24; bit++) {
		if (set(flags, bit) && !flag_good(profile, rule, bit, flags, in_batch, priv))
			bad |= 1u << bit;
	}
	if (rule->need)
		bad |= ~flags & 0xc;
	if (rule->opcode == 0x02 && !set(flags, 3) && !set(flags, 4))
		bad |= 0x8;
	return bad;
}

static bool byte_used(const struct rule *rule, int byte, uint32_t flags)
{
	const bool crc = rule->opcode == 0x10 || rule->opcode == 0x11;

	if (byte == 36 || byte == 37)
		return set(flags, 4);
	if (!listed(rule->bytes, byte))
		return false;
	if (rule->opcode == 0x02)
		return set(flags, byte < 24 ? 16 : 17);
	if (rule->opcode == 0x04 && byte >= 40)
		return set(flags, 18);
	if (rule->opcode == 0x0a && byte >= 48)
		return set(flags, 16);
	if (crc && byte >= 48)
		return set(flags, 16);
	if (crc && byte >= 40)
		return !set(flags, 16) && (byte < 44 || set(flags, 19));
	return true;
}

static bool reserved_broken(const struct rule *rule, const uint8_t *desc, uint32_t flags)
{
	for (int byte = 16; byte < 64; byte++) {
		if (desc[byte] && !byte_used(rule, byte, flags))
			return true;
	}
	if (rule->opcode >= 0x12 && rule->opcode <= 0x17 &&
	    ((desc[42] & 0xf0) || (listed(rule->bytes, 41) && (desc[41] & 7))))
		return true;
	return (ref_field(desc, 0, 4) & 0x7ff00000) || (!set(flags, 2) && ref_field(desc, 8, 8));
}

static uint64_t block_of(const uint8_t *desc)
{
	return (desc[42] & 2 ? 4096 : 512) + (desc[42] & 1 ? 8 : 0);
}

static uint64_t size_broken(const struct sva_model_profile *profile, int opcode,
			    const uint8_t *desc)
{
	const uint64_t size = ref_field(desc, 32, 4), src = ref_field(desc, 16, 8);
	uint64_t broken = 0, step = block_of(desc), record;

	if (opcode == 0x00 || opcode == 0x02)
		return 0;
	if (opcode == 0x01)
		return size < (cap(profile, 52) ? 1 : 2) || size > profile->max_batch ? S(0x14) : 0;
	if (size == 0 || size > profile->max_transfer)
		broken |= S(0x13);
	if ((opcode == 0x07 || opcode == 0x08) && size > 512 * 1024)
		broken |= S(0x13);
	if (opcode == 0x07 &&
	    (ref_field(desc, 48, 4) < 80 || ref_field(desc, 48, 4) > profile->max_transfer))
		broken |= S(0x15);
	record = ref_field(desc, 40, 4);
	if (opcode == 0x08 && record < 10)
		broken |= S(0x15);
	if (opcode == 0x08 && record >= 10 && (record % 10 || record > profile->max_transfer))
		broken |= SOME_ERROR;
	if (opcode == 0x12 || opcode == 0x14 || opcode == 0x15)
		step += 8;
	if (opcode >= 0x12 && opcode <= 0x17 && size % step)
		broken |= SOME_ERROR;
	if (opcode == 0x0a && size && size - 1 > UINT64_MAX - src)
		broken |= SOME_ERROR;
	return broken;
}

static uint64_t alignment_broken(int opcode, const uint8_t *desc, uint32_t flags)
{
	const uint64_t a = ref_field(desc, 16, 8), b = ref_field(desc, 24, 8),
		       size = ref_field(desc, 32, 4);
	uint64_t stride = ref_field(desc, 48, 4);
	bool power = false;

	switch (opcode) {
	case 0x01:
		return a % 64 ? S(0x18) : 0;
	case 0x07:
		return a % 8 || b % 8 || size % 8 ? S(0x1c) : 0;
	case 0x08:
		return b % 8 || size % 8 ? S(0x1c) : 0;
	case 0x09:
		return b % 4096 != ref_field(desc, 40, 8) % 4096 ? S(0x17) : 0;
	case 0x0a:
		for (int bit = 12; bit < 32; bit++)
			power |= stride == 1ull << bit;
		return set(flags, 16) && !power ? S(0x1c) : 0;
	case 0x10:
	case 0x11:
		return set(flags, 16) && ref_field(desc, 48, 8) % (set(flags, 19) ? 8 : 4) ?
			       S(0x1c) :
			       0;
	case 0x17:
		return b % 8 ? S(0x1c) : 0;
	}
	return 0;
}

/* Does one of two ranges begin inside the other? Ranges may go round 2^64. */
static bool touch(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return (a_len && b_len) && ((uint64_t)(b - a) < a_len || (uint64_t)(a - b) < b_len);
}

static bool overlap_broken(const struct sva_model_profile *profile, int opcode, const uint8_t *desc)
{
	const uint64_t a = ref_field(desc, 16, 8), b = ref_field(desc, 24, 8),
		       c = ref_field(desc, 40, 8);
	const uint64_t size = ref_field(desc, 32, 4), block = block_of(desc);

	switch (opcode) {
	case 0x03:
		return !cap(profile, 1) && touch(a, size, b, size);
	case 0x07:
		return touch(c, ref_field(desc, 48, 4), a, size) ||
		       touch(c, ref_field(desc, 48, 4), b, size);
	case 0x08:
		return touch(a, ref_field(desc, 40, 4), b, size);
	case 0x09:
		return touch(a, size, b, size) || touch(a, size, c, size) ||
		       touch(b, size, c, size);
	case 0x11:
	case 0x15:
		return touch(a, size, b, size);
	case 0x13:
		return touch(a, size, b, size + size / block * 8);
	case 0x14:
		return touch(a, size, b, size - size / (block + 8) * 8);
	case 0x17:
		return touch(a, size, b, size / block * 8);
	}
	return false;
}

uint64_t ref_broken_rules(const struct sva_model_profile *profile, const uint8_t *desc,
			  bool in_batch, bool priv, uint32_t *invalid_flags)
{
	const int opcode = desc[7];
	const uint32_t flags = (uint32_t)ref_field(desc, 4, 3);
	const struct rule *rule = find(opcode);
	uint64_t broken = 0;

	*invalid_flags = 0;
	if (!rule || !(profile->op_cap[0] >> opcode & 1) ||
	    (in_batch && (opcode == 0x01 || opcode == 0x02)))
		return S(0x10);
	*invalid_flags = bad_flags(profile, rule, flags, in_batch, priv);
	if (*invalid_flags)
		broken |= S(0x11);
	if (set(flags, 4) && ref_field(desc, 36, 2) >= profile->int_handles)
		broken |= S(0x19);
	if (reserved_broken(rule, desc, flags))
		broken |= S(0x12);
	broken |= size_broken(profile, opcode, desc) | alignment_broken(opcode, desc, flags);
	if (overlap_broken(profile, opcode, desc))
		broken |= S(0x16);
	return broken;
}
