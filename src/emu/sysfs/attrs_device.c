/* SPDX-License-Identifier: MIT */
/* Attributes of a device, its groups and its engines. */
#include "emu/sysfs/attrs.h"

static bool has_evl(const struct emu_device *dev)
{
	return prof(dev)->gen_cap >> 13 & 3;
}

static bool is_v2(const struct emu_device *dev)
{
	return prof(dev)->version >= 0x200;
}

static bool is_v3(const struct emu_device *dev)
{
	return prof(dev)->version >= 0x300;
}

SHOW(dev_version, "0x%x\n", prof(dev)->version)
SHOW(dev_groups, "%u\n", EMU_MAX_GROUPS)
SHOW(dev_wqs, "%u\n", EMU_MAX_WQS)
SHOW(dev_entries, "%u\n", EMU_MAX_ENTRIES)
SHOW(dev_engines, "%u\n", EMU_MAX_ENGINES)
SHOW(dev_batch, "%u\n", SVA_GENCAP_MAX_BATCH(prof(dev)->gen_cap))
SHOW(dev_transfer, "%lu\n", (uint64_t)SVA_GENCAP_MAX_XFER(prof(dev)->gen_cap))
SHOW(dev_node, "%d\n", dev->numa_node)
SHOW(dev_gen_cap, "0x%lx\n", prof(dev)->gen_cap)
SHOW(dev_one, "1\n")
SHOW(dev_state, "%s\n", dev->enabled ? "enabled" : "disabled")
SHOW(dev_read_buffers, "%u\n", MAX_READ_BUFFERS)
SHOW(dev_read_limit, "%u\n", dev->read_buffer_limit)
SHOW(dev_major, "%u\n", EMU_CDEV_MAJOR)
SHOW(dev_cmd_status, "0x%x\n", dev->cmd_status)
SHOW(dev_evl, "%u\n", dev->event_log_size)
SHOW(dev_caps, "%016lx,%016lx,%016lx\n", prof(dev)->dsacap[2], prof(dev)->dsacap[1],
     prof(dev)->dsacap[0])

static void dev_op_cap(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	uint64_t bits[4];
	unsigned int i;

	(void)index;
	for (i = 0; i < 4; i++)
		bits[i] = prof(dev)->op_cap[i];
	/*
	 * The driver hides batch on devices whose users could abuse it (INTEL-SA-01084): version 1
	 * from Linux 6.16 on.
	 */
	if (prof(dev)->version == 0x100)
		bits[0] &= ~(1ull << SVA_OPCODE_BATCH);
	emu_show_bitmap(bits, out);
}

static void dev_errors(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	(void)index;
	emu_show_bitmap(dev->swerror, out);
}

static void dev_clients(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	unsigned int w, n = 0;

	(void)index;
	for (w = 0; w < EMU_MAX_WQS; w++)
		n += emu_clients((struct emu_wq *)&dev->wq[w]);
	text_add(out, "%u\n", n);
}

STORE(set_cmd_status)
{
	(void)index;
	(void)value;
	(void)len;
	dev->cmd_status = 0;
	return 0;
}

STORE(set_read_limit)
{
	uint64_t v;

	(void)index;
	if (dev->enabled)
		return -EPERM;
	if (emu_parse(value, len, MAX_READ_BUFFERS, &v))
		return -EINVAL;
	dev->read_buffer_limit = (uint32_t)v;
	return 0;
}

STORE(set_evl)
{
	uint64_t v;

	(void)index;
	if (dev->enabled)
		return -EPERM;
	if (emu_parse(value, len, 0xffff, &v) || v < 0x40)
		return -EINVAL;
	dev->event_log_size = (uint32_t)v;
	return 0;
}

const struct attr emu_device_attrs[] = {
	{ "version", dev_version, NULL, NULL },
	{ "max_groups", dev_groups, NULL, NULL },
	{ "max_work_queues", dev_wqs, NULL, NULL },
	{ "max_work_queues_size", dev_entries, NULL, NULL },
	{ "max_engines", dev_engines, NULL, NULL },
	{ "max_batch_size", dev_batch, NULL, NULL },
	{ "max_transfer_size", dev_transfer, NULL, NULL },
	{ "numa_node", dev_node, NULL, NULL },
	{ "op_cap", dev_op_cap, NULL, NULL },
	{ "gen_cap", dev_gen_cap, NULL, NULL },
	{ "configurable", dev_one, NULL, NULL },
	{ "clients", dev_clients, NULL, NULL },
	{ "pasid_enabled", dev_one, NULL, NULL },
	{ "state", dev_state, NULL, NULL },
	{ "errors", dev_errors, NULL, NULL },
	{ "max_read_buffers", dev_read_buffers, NULL, NULL },
	{ "max_tokens", dev_read_buffers, NULL, NULL },
	{ "read_buffer_limit", dev_read_limit, set_read_limit, NULL },
	{ "token_limit", dev_read_limit, set_read_limit, NULL },
	{ "cdev_major", dev_major, NULL, NULL },
	{ "cmd_status", dev_cmd_status, set_cmd_status, NULL },
	{ "event_log_size", dev_evl, set_evl, has_evl },
	{ "dsacaps", dev_caps, NULL, is_v3 },
	{ NULL, NULL, NULL, NULL },
};

#define GROUP (dev->group[index])
SHOW(group_use_limit, "%u\n", GROUP.use_read_buffer_limit)
SHOW(group_allowed, "%u\n", GROUP.read_buffers_allowed)
SHOW(group_reserved, "%u\n", GROUP.read_buffers_reserved)
SHOW(group_tca, "%d\n", (int)GROUP.traffic_class_a)
SHOW(group_tcb, "%d\n", (int)GROUP.traffic_class_b)
SHOW(group_desc, "%u\n", GROUP.desc_progress_limit)
SHOW(group_batch, "%u\n", GROUP.batch_progress_limit)
SHOW(engine_group, "%d\n", dev->engine_group[index])

static void group_wqs(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	unsigned int w;

	for (w = 0; w < EMU_MAX_WQS; w++)
		if (dev->wq[w].group == (int32_t)index)
			text_add(out, "wq%u.%u ", dev->id, w);
	text_add(out, "\n");
}

static void group_engines(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	unsigned int e;

	for (e = 0; e < EMU_MAX_ENGINES; e++)
		if (dev->engine_group[e] == (int32_t)index)
			text_add(out, "engine%u.%u ", dev->id, e);
	text_add(out, "\n");
}

static int set_group_number(const struct emu_device *dev, uint32_t *where, uint64_t max,
			    const char *value, size_t len)
{
	uint64_t v;

	if (dev->enabled)
		return -EPERM;
	if (emu_parse(value, len, max, &v))
		return -EINVAL;
	*where = (uint32_t)v;
	return 0;
}

STORE(set_group_use_limit)
{
	return set_group_number(dev, &GROUP.use_read_buffer_limit, 1, value, len);
}

STORE(set_group_allowed)
{
	unsigned int e, engines = 0;
	uint64_t v;

	for (e = 0; e < EMU_MAX_ENGINES; e++)
		engines += dev->engine_group[e] == (int32_t)index;
	if (emu_parse(value, len, MAX_READ_BUFFERS, &v) || v < 4ull * engines)
		return -EINVAL;
	return set_group_number(dev, &GROUP.read_buffers_allowed, MAX_READ_BUFFERS, value, len);
}

STORE(set_group_reserved)
{
	return set_group_number(dev, &GROUP.read_buffers_reserved, MAX_READ_BUFFERS, value, len);
}

/*
 * Traffic classes belong to the platform up to version 2, unless a module parameter says otherwise.
 */
STORE(set_group_tca)
{
	return is_v3(dev) ? set_group_number(dev, &GROUP.traffic_class_a, 7, value, len) : -EPERM;
}

STORE(set_group_tcb)
{
	return is_v3(dev) ? set_group_number(dev, &GROUP.traffic_class_b, 7, value, len) : -EPERM;
}

STORE(set_group_desc)
{
	return set_group_number(dev, &GROUP.desc_progress_limit, 3, value, len);
}

STORE(set_group_batch)
{
	return set_group_number(dev, &GROUP.batch_progress_limit, 3, value, len);
}

STORE(set_engine_group)
{
	return emu_store_group(dev, &dev->engine_group[index], value, len);
}

const struct attr emu_group_attrs[] = {
	{ "work_queues", group_wqs, NULL, NULL },
	{ "engines", group_engines, NULL, NULL },
	{ "use_read_buffer_limit", group_use_limit, set_group_use_limit, NULL },
	{ "use_token_limit", group_use_limit, set_group_use_limit, NULL },
	{ "read_buffers_allowed", group_allowed, set_group_allowed, NULL },
	{ "tokens_allowed", group_allowed, set_group_allowed, NULL },
	{ "read_buffers_reserved", group_reserved, set_group_reserved, NULL },
	{ "tokens_reserved", group_reserved, set_group_reserved, NULL },
	{ "traffic_class_a", group_tca, set_group_tca, NULL },
	{ "traffic_class_b", group_tcb, set_group_tcb, NULL },
	{ "desc_progress_limit", group_desc, set_group_desc, is_v2 },
	{ "batch_progress_limit", group_batch, set_group_batch, is_v2 },
	{ NULL, NULL, NULL, NULL },
};

const struct attr emu_engine_attrs[] = {
	{ "group_id", engine_group, set_engine_group, NULL },
	{ NULL, NULL, NULL, NULL },
};
