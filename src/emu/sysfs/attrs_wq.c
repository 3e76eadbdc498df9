/* SPDX-License-Identifier: MIT */
/* Attributes of a queue. */
#include "emu/sysfs/attrs.h"

static const char *const types[] = { "none", "kernel", "user" };

#define WQ (dev->wq[index])
SHOW(wq_state, "%s\n", WQ.enabled ? "enabled" : "disabled")
SHOW(wq_group, "%d\n", WQ.group)
SHOW(wq_mode, "%s\n", WQ.dedicated ? "dedicated" : "shared")
SHOW(wq_size, "%u\n", WQ.size)
SHOW(wq_priority, "%u\n", WQ.priority)
SHOW(wq_threshold, "%u\n", WQ.threshold)
SHOW(wq_bof, "%u\n", WQ.block_on_fault)
SHOW(wq_ats, "%u\n", WQ.ats_disable)
SHOW(wq_prs, "%u\n", WQ.prs_disable)
SHOW(wq_type, "%s\n", types[WQ.type])
SHOW(wq_name, "%s\n", WQ.name)
SHOW(wq_driver, "%s\n", WQ.driver)
SHOW(wq_transfer, "%lu\n", WQ.max_transfer)
SHOW(wq_batch, "%u\n", WQ.max_batch)
SHOW(wq_retries, "%u\n", WQ.retries)
SHOW(wq_minor, "%u\n", WQ.minor)

static void wq_clients(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	text_add(out, "%u\n", emu_clients((struct emu_wq *)&WQ));
}

static void wq_occupancy(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	unsigned int i, n = 0;

	for (i = 0; i < EMU_MAX_ENTRIES; i++)
		n += WQ.owner[i] != 0;
	text_add(out, "%u\n", n);
}

static void wq_op_config(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	emu_show_bitmap(WQ.op_config, out);
}

STORE(set_wq_group)
{
	return emu_store_group(dev, &WQ.group, value, len);
}

STORE(set_wq_mode)
{
	char word[16];

	if (WQ.enabled)
		return -EPERM;
	if (!emu_parse_word(value, len, word, sizeof(word)))
		return -EINVAL;
	if (raw_streq(word, "dedicated"))
		WQ.dedicated = 1, WQ.threshold = 0;
	else if (raw_streq(word, "shared"))
		WQ.dedicated = 0;
	else
		return -EINVAL;
	return 0;
}

STORE(set_wq_size)
{
	unsigned int w, others = 0;
	uint64_t v;

	if (dev->enabled)
		return -EPERM;
	for (w = 0; w < EMU_MAX_WQS; w++)
		others += w == index ? 0 : dev->wq[w].size;
	if (emu_parse(value, len, EMU_MAX_ENTRIES, &v) || v + others > EMU_MAX_ENTRIES)
		return -EINVAL;
	WQ.size = (uint32_t)v;
	return 0;
}

/* A number that may change while the queue is disabled. */
static int set_number(const struct emu_wq *wq, uint32_t *where, uint64_t max, const char *value,
		      size_t len)
{
	uint64_t v;

	if (wq->enabled)
		return -EPERM;
	if (emu_parse(value, len, max, &v))
		return -EINVAL;
	*where = (uint32_t)v;
	return 0;
}

STORE(set_wq_priority)
{
	return set_number(&WQ, &WQ.priority, 15, value, len);
}

STORE(set_wq_threshold)
{
	uint64_t v;

	if (WQ.enabled)
		return -ENXIO;
	if (WQ.dedicated || emu_parse(value, len, WQ.size, &v) || v == 0)
		return -EINVAL;
	WQ.threshold = (uint32_t)v;
	return 0;
}

STORE(set_wq_bof)
{
	if (!(prof(dev)->gen_cap & SVA_GENCAP_BLOCK_ON_FAULT) || WQ.prs_disable)
		return -EOPNOTSUPP;
	return set_number(&WQ, &WQ.block_on_fault, 1, value, len);
}

STORE(set_wq_ats)
{
	return set_number(&WQ, &WQ.ats_disable, 1, value, len);
}

STORE(set_wq_prs)
{
	int ret = set_number(&WQ, &WQ.prs_disable, 1, value, len);

	if (ret == 0 && WQ.prs_disable)
		WQ.block_on_fault = 0;
	return ret;
}

STORE(set_wq_type)
{
	char word[16];
	uint32_t t;

	if (WQ.enabled)
		return -EPERM;
	if (!emu_parse_word(value, len, word, sizeof(word)))
		return -EINVAL;
	for (t = 0; t < 3; t++) {
		if (raw_streq(word, types[t])) {
			WQ.type = t;
			return 0;
		}
	}
	return -EINVAL;
}

STORE(set_wq_name)
{
	if (WQ.enabled)
		return -EPERM;
	return emu_parse_word(value, len, WQ.name, sizeof(WQ.name)) ? 0 : -EINVAL;
}

STORE(set_wq_driver)
{
	if (WQ.enabled)
		return -EPERM;
	return emu_parse_word(value, len, WQ.driver, sizeof(WQ.driver)) ? 0 : -EINVAL;
}

static uint64_t round_up_power(uint64_t v)
{
	uint64_t p = 1;

	while (p < v)
		p <<= 1;
	return p;
}

STORE(set_wq_transfer)
{
	uint64_t v;

	if (WQ.enabled)
		return -EPERM;
	if (emu_parse(value, len, SVA_GENCAP_MAX_XFER(prof(dev)->gen_cap), &v) || v == 0)
		return -EINVAL;
	WQ.max_transfer = round_up_power(v);
	return 0;
}

STORE(set_wq_batch)
{
	uint64_t v;

	if (WQ.enabled)
		return -EPERM;
	if (emu_parse(value, len, SVA_GENCAP_MAX_BATCH(prof(dev)->gen_cap), &v) || v == 0)
		return -EINVAL;
	WQ.max_batch = (uint32_t)round_up_power(v);
	return 0;
}

STORE(set_wq_retries)
{
	uint64_t v;

	if (WQ.dedicated)
		return -EOPNOTSUPP;
	if (emu_parse(value, len, UINT32_MAX, &v))
		return -EINVAL;
	WQ.retries = v > 64 ? 64 : (uint32_t)v;
	return 0;
}

STORE(set_wq_op_config)
{
	uint64_t bits[4];
	unsigned int i;

	if (WQ.enabled)
		return -EPERM;
	if (emu_parse_bitmap(value, len, bits))
		return -EINVAL;
	for (i = 0; i < 4; i++)
		if (bits[i] & ~prof(dev)->op_cap[i])
			return -EINVAL;
	for (i = 0; i < 4; i++)
		WQ.op_config[i] = bits[i];
	return 0;
}

const struct attr emu_wq_attrs[] = {
	{ "state", wq_state, NULL, NULL },
	{ "clients", wq_clients, NULL, NULL },
	{ "group_id", wq_group, set_wq_group, NULL },
	{ "mode", wq_mode, set_wq_mode, NULL },
	{ "size", wq_size, set_wq_size, NULL },
	{ "priority", wq_priority, set_wq_priority, NULL },
	{ "threshold", wq_threshold, set_wq_threshold, NULL },
	{ "block_on_fault", wq_bof, set_wq_bof, NULL },
	{ "ats_disable", wq_ats, set_wq_ats, NULL },
	{ "prs_disable", wq_prs, set_wq_prs, NULL },
	{ "type", wq_type, set_wq_type, NULL },
	{ "name", wq_name, set_wq_name, NULL },
	{ "driver_name", wq_driver, set_wq_driver, NULL },
	{ "max_transfer_size", wq_transfer, set_wq_transfer, NULL },
	{ "max_batch_size", wq_batch, set_wq_batch, NULL },
	{ "occupancy", wq_occupancy, NULL, NULL },
	{ "enqcmds_retries", wq_retries, set_wq_retries, NULL },
	{ "cdev_minor", wq_minor, NULL, NULL },
	{ "op_config", wq_op_config, set_wq_op_config, NULL },
	{ NULL, NULL, NULL, NULL },
};
