/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "raw.h"
#include "sysfs.h"

#define MAX_READ_BUFFERS 96u

/* Codes of cmd_status that the driver itself sets (IDXD_SCMD_* of linux/idxd.h). */
enum {
	SCMD_DEV_ENABLED = 0x80000010u,
	SCMD_DEV_NOT_ENABLED = 0x80000020u,
	SCMD_WQ_ENABLED = 0x80000021u,
	SCMD_WQ_NO_GRP = 0x80030000u,
	SCMD_WQ_NO_NAME = 0x80040000u,
	SCMD_WQ_NO_THRESH = 0x80060000u,
	SCMD_WQ_NONE_CONFIGURED = 0x800d0000u,
	SCMD_WQ_NO_DRV_NAME = 0x80200000u,
};

const char *const emu_drivers[EMU_DRIVERS] = { "idxd", "user", "dmaengine", "dsa" };

struct attr {
	const char *name;
	void (*show)(const struct emu_device *dev, unsigned int index, struct emu_text *out);
	int (*store)(struct emu_device *dev, unsigned int index, const char *value, size_t len);
	bool (*visible)(const struct emu_device *dev);
};

static const struct sva_model_profile *prof(const struct emu_device *dev)
{
	return emu_device_profile(dev);
}

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

/* A bitmap of 256 bits as the kernel prints it: groups of eight digits, the most significant first. */
static void show_bitmap(const uint64_t bits[4], struct emu_text *out)
{
	int i;

	for (i = 7; i >= 0; i--)
		text_add(out, "%08x%s", (uint32_t)(bits[i / 2] >> (i % 2 * 32)), i ? "," : "\n");
}

static int parse_bitmap(const char *s, size_t len, uint64_t bits[4])
{
	uint64_t found[4] = { 0 };
	size_t i;
	unsigned int d, w;

	for (i = 0; i < len; i++) {
		if (s[i] == ',' || s[i] == '\n' || s[i] == '\0')
			continue;
		d = s[i] >= '0' && s[i] <= '9' ? (unsigned int)(s[i] - '0') :
			(s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'f' ? (unsigned int)((s[i] | 0x20) - 'a') + 10 : 99;
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

/* A number up to max. 0 or -EINVAL. */
static int parse(const char *value, size_t len, uint64_t max, uint64_t *out)
{
	return text_number(value, len, out) || *out > max ? -EINVAL : 0;
}

/* -1 too. */
static int parse_id(const char *value, size_t len, unsigned int max, int32_t *out)
{
	uint64_t v;

	while (len && (value[len - 1] == '\n' || value[len - 1] == '\0'))
		len--;
	if (len == 2 && value[0] == '-' && value[1] == '1') {
		*out = -1;
		return 0;
	}
	if (parse(value, len, max - 1, &v))
		return -EINVAL;
	*out = (int32_t)v;
	return 0;
}

/* Copy a word of sysfs input: no newline at the end. False if it does not fit. */
static bool parse_word(const char *value, size_t len, char *out, size_t size)
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

#define SHOW(fn, ...) \
	static void fn(const struct emu_device *dev, unsigned int index, struct emu_text *out) \
	{ \
		(void)dev; \
		(void)index; \
		text_add(out, __VA_ARGS__); \
	}
#define STORE(fn) static int fn(struct emu_device *dev, unsigned int index, const char *value, size_t len)

/* --- device ---------------------------------------------------------------------------------------------------------- */

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
SHOW(dev_caps, "%016lx,%016lx,%016lx\n", prof(dev)->dsacap[2], prof(dev)->dsacap[1], prof(dev)->dsacap[0])

static void dev_op_cap(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	uint64_t bits[4];
	unsigned int i;

	(void)index;
	for (i = 0; i < 4; i++)
		bits[i] = prof(dev)->op_cap[i];
	/* The driver hides batch on devices whose users could abuse it (INTEL-SA-01084): version 1 from Linux 6.16 on. */
	if (prof(dev)->version == 0x100)
		bits[0] &= ~(1ull << SVA_OPCODE_BATCH);
	show_bitmap(bits, out);
}

static void dev_errors(const struct emu_device *dev, unsigned int index, struct emu_text *out)
{
	(void)index;
	show_bitmap(dev->swerror, out);
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
	if (parse(value, len, MAX_READ_BUFFERS, &v))
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
	if (parse(value, len, 0xffff, &v) || v < 0x40)
		return -EINVAL;
	dev->event_log_size = (uint32_t)v;
	return 0;
}

static const struct attr device_attrs[] = {
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

/* --- queue ----------------------------------------------------------------------------------------------------------- */

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
	show_bitmap(WQ.op_config, out);
}

static int group_id(struct emu_device *dev, int32_t *where, const char *value, size_t len)
{
	int32_t id;

	if (dev->enabled)
		return -EPERM;
	if (parse_id(value, len, EMU_MAX_GROUPS, &id))
		return -EINVAL;
	*where = id;
	return 0;
}

STORE(set_wq_group)
{
	return group_id(dev, &WQ.group, value, len);
}

STORE(set_wq_mode)
{
	char word[16];

	if (WQ.enabled)
		return -EPERM;
	if (!parse_word(value, len, word, sizeof(word)))
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
	if (parse(value, len, EMU_MAX_ENTRIES, &v) || v + others > EMU_MAX_ENTRIES)
		return -EINVAL;
	WQ.size = (uint32_t)v;
	return 0;
}

/* A number that may change while the queue is disabled. */
static int set_number(const struct emu_wq *wq, uint32_t *where, uint64_t max, const char *value, size_t len)
{
	uint64_t v;

	if (wq->enabled)
		return -EPERM;
	if (parse(value, len, max, &v))
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
	if (WQ.dedicated || parse(value, len, WQ.size, &v) || v == 0)
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
	if (!parse_word(value, len, word, sizeof(word)))
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
	return parse_word(value, len, WQ.name, sizeof(WQ.name)) ? 0 : -EINVAL;
}

STORE(set_wq_driver)
{
	if (WQ.enabled)
		return -EPERM;
	return parse_word(value, len, WQ.driver, sizeof(WQ.driver)) ? 0 : -EINVAL;
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
	if (parse(value, len, SVA_GENCAP_MAX_XFER(prof(dev)->gen_cap), &v) || v == 0)
		return -EINVAL;
	WQ.max_transfer = round_up_power(v);
	return 0;
}

STORE(set_wq_batch)
{
	uint64_t v;

	if (WQ.enabled)
		return -EPERM;
	if (parse(value, len, SVA_GENCAP_MAX_BATCH(prof(dev)->gen_cap), &v) || v == 0)
		return -EINVAL;
	WQ.max_batch = (uint32_t)round_up_power(v);
	return 0;
}

STORE(set_wq_retries)
{
	uint64_t v;

	if (WQ.dedicated)
		return -EOPNOTSUPP;
	if (parse(value, len, UINT32_MAX, &v))
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
	if (parse_bitmap(value, len, bits))
		return -EINVAL;
	for (i = 0; i < 4; i++)
		if (bits[i] & ~prof(dev)->op_cap[i])
			return -EINVAL;
	for (i = 0; i < 4; i++)
		WQ.op_config[i] = bits[i];
	return 0;
}

static const struct attr wq_attrs[] = {
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

/* --- group and engine ------------------------------------------------------------------------------------------------ */

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

static int set_group_number(const struct emu_device *dev, uint32_t *where, uint64_t max, const char *value, size_t len)
{
	uint64_t v;

	if (dev->enabled)
		return -EPERM;
	if (parse(value, len, max, &v))
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
	if (parse(value, len, MAX_READ_BUFFERS, &v) || v < 4ull * engines)
		return -EINVAL;
	return set_group_number(dev, &GROUP.read_buffers_allowed, MAX_READ_BUFFERS, value, len);
}

STORE(set_group_reserved)
{
	return set_group_number(dev, &GROUP.read_buffers_reserved, MAX_READ_BUFFERS, value, len);
}

/* Traffic classes belong to the platform up to version 2, unless a module parameter says otherwise. */
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
	return group_id(dev, &dev->engine_group[index], value, len);
}

static const struct attr group_attrs[] = {
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

static const struct attr engine_attrs[] = {
	{ "group_id", engine_group, set_engine_group, NULL },
	{ NULL, NULL, NULL, NULL },
};

static const struct attr driver_attrs[] = {
	{ "bind", NULL, NULL, NULL },
	{ "unbind", NULL, NULL, NULL },
	{ NULL, NULL, NULL, NULL },
};

/* --- the table as a whole -------------------------------------------------------------------------------------------- */

static const struct attr *const tables[] = {
	[EMU_OBJ_DEVICE] = device_attrs,
	[EMU_OBJ_WQ] = wq_attrs,
	[EMU_OBJ_GROUP] = group_attrs,
	[EMU_OBJ_ENGINE] = engine_attrs,
	[EMU_OBJ_DRIVER] = driver_attrs,
};

const char *emu_attr_name(const struct emu_state *state, enum emu_object object, unsigned int device, unsigned int n,
			  bool *writable)
{
	const struct attr *attr = tables[object];

	for (; attr->name; attr++) {
		if (attr->visible && !attr->visible(&state->device[device]))
			continue;
		if (n-- == 0) {
			*writable = attr->store || object == EMU_OBJ_DRIVER;
			return attr->name;
		}
	}
	return NULL;
}

static const struct attr *find(const struct emu_attr_ref *ref)
{
	const struct attr *attr;

	for (attr = tables[ref->object]; attr->name; attr++)
		if (raw_streq(attr->name, ref->name))
			return attr;
	return NULL;
}

int emu_attr_show(struct emu_state *state, const struct emu_attr_ref *ref, struct emu_text *out)
{
	const struct emu_device *dev = &state->device[ref->device];
	const struct attr *attr = find(ref);

	if (!attr || !attr->show)
		return -EACCES;
	if (ref->object == EMU_OBJ_WQ) {
		if (raw_streq(ref->name, "cdev_minor") && !(dev->wq[ref->index].enabled))
			return -ENXIO;
		if (raw_streq(ref->name, "enqcmds_retries") && dev->wq[ref->index].dedicated)
			return -EOPNOTSUPP;
	}
	attr->show(dev, ref->index, out);
	return 0;
}

/* "wq0.1" or "dsa0", as written to bind and unbind: the queue's index, or -1 for the device itself. False if neither. */
static bool parse_name(const struct emu_state *state, const char *value, size_t len, unsigned int *device, int *wq)
{
	char word[16], *at = word;

	if (!parse_word(value, len, word, sizeof(word)))
		return false;
	*wq = -1;
	if (raw_starts(word, "dsa"))
		at += 3;
	else if (raw_starts(word, "wq"))
		at += 2;
	else
		return false;
	if (*at < '0' || *at > '9' || (unsigned int)(*at - '0') >= state->devices)
		return false;
	*device = (unsigned int)(*at++ - '0');
	if (word[0] == 'd')
		return *at == '\0';
	if (at[0] != '.' || at[1] < '0' || at[1] >= '0' + (char)EMU_MAX_WQS || at[2])
		return false;
	*wq = at[1] - '0';
	return true;
}

static int store_driver(struct emu_state *state, unsigned int driver, bool bind, const char *value, size_t len)
{
	unsigned int device;
	struct emu_wq *wq;
	int index;

	if (!parse_name(state, value, len, &device, &index))
		return -ENODEV;
	wq = index < 0 ? NULL : &state->device[device].wq[index];
	if (bind) {
		if (!wq)
			return driver == EMU_DRIVER_IDXD || driver == EMU_DRIVER_DSA ? emu_device_enable(state, device) :
				-ENODEV;
		if (driver == EMU_DRIVER_DSA)
			driver = wq->type == EMU_WQ_KERNEL ? EMU_DRIVER_DMAENGINE : EMU_DRIVER_USER;
		return emu_wq_enable(state, device, (unsigned int)index, driver);
	}
	if (wq ? !wq->enabled : !state->device[device].enabled)
		return -ENODEV;
	if (wq)
		emu_wq_disable(state, device, (unsigned int)index);
	else
		emu_device_disable(state, device);
	return 0;
}

int emu_attr_store(struct emu_state *state, const struct emu_attr_ref *ref, const char *value, size_t len)
{
	const struct attr *attr;

	if (ref->object == EMU_OBJ_DRIVER)
		return store_driver(state, ref->index, raw_streq(ref->name, "bind"), value, len);
	attr = ref->object == EMU_OBJ_FIXED ? NULL : find(ref);
	if (!attr || !attr->store)
		return -EACCES;
	return attr->store(&state->device[ref->device], ref->index, value, len);
}

/* --- enabling and disabling ------------------------------------------------------------------------------------------ */

/* What disabling a queue sets back; size, group and driver_name survive. */
static void wq_cleanup(const struct emu_device *dev, struct emu_wq *wq)
{
	unsigned int i;

	wq->enabled = 0;
	wq->type = EMU_WQ_NONE;
	wq->threshold = 0;
	wq->priority = 0;
	wq->dedicated = 0;
	wq->block_on_fault = 0;
	wq->ats_disable = 0;
	wq->prs_disable = 0;
	wq->name[0] = '\0';
	wq->max_transfer = 2u << 20;
	wq->max_batch = 32;
	wq->retries = 32;
	for (i = 0; i < 4; i++)
		wq->op_config[i] = prof(dev)->op_cap[i];
}

void emu_device_reset(struct emu_device *dev)
{
	unsigned int i;

	dev->read_buffer_limit = 0;
	dev->event_log_size = has_evl(dev) ? 64 : 0;
	for (i = 0; i < EMU_MAX_WQS; i++) {
		wq_cleanup(dev, &dev->wq[i]);
		dev->wq[i].size = 0;
		dev->wq[i].group = -1;
	}
	for (i = 0; i < EMU_MAX_ENGINES; i++)
		dev->engine_group[i] = -1;
	for (i = 0; i < EMU_MAX_GROUPS; i++)
		dev->group[i] = (struct emu_group){ .traffic_class_a = 1, .traffic_class_b = 1,
			.read_buffers_allowed = MAX_READ_BUFFERS };
}

int emu_wq_enable(struct emu_state *state, unsigned int device, unsigned int index, unsigned int driver)
{
	struct emu_device *dev = &state->device[device];
	struct emu_wq *wq = &dev->wq[index];

	/* The bus offers a queue only to the driver that its type and driver_name ask for. */
	if ((driver == EMU_DRIVER_USER ? EMU_WQ_USER : EMU_WQ_KERNEL) != wq->type || driver == EMU_DRIVER_IDXD)
		return -ENODEV;
	if (!dev->enabled) {
		dev->cmd_status = SCMD_DEV_NOT_ENABLED;
		return -ENXIO;
	}
	if (wq->enabled) {
		dev->cmd_status = SCMD_WQ_ENABLED;
		return -EBUSY;
	}
	if (wq->driver[0] && !raw_streq(wq->driver, emu_drivers[driver])) {
		dev->cmd_status = SCMD_WQ_NO_DRV_NAME;
		return -ENODEV;
	}
	dev->cmd_status = wq->group < 0 ? SCMD_WQ_NO_GRP : !wq->name[0] ? SCMD_WQ_NO_NAME :
		!wq->dedicated && !wq->threshold ? SCMD_WQ_NO_THRESH : 0;
	if (dev->cmd_status)
		return -EINVAL;
	if (wq->size == 0)
		wq->size = 16;
	wq->enabled = 1;
	return 0;
}

void emu_wq_disable(struct emu_state *state, unsigned int device, unsigned int index)
{
	wq_cleanup(&state->device[device], &state->device[device].wq[index]);
}

int emu_device_enable(struct emu_state *state, unsigned int device)
{
	struct emu_device *dev = &state->device[device];
	unsigned int w, configured = 0;

	if (dev->enabled) {
		dev->cmd_status = SCMD_DEV_ENABLED;
		return -EBUSY;
	}
	for (w = 0; w < EMU_MAX_WQS; w++)
		configured += dev->wq[w].group >= 0;
	if (!configured) {
		dev->cmd_status = SCMD_WQ_NONE_CONFIGURED;
		return -EINVAL;
	}
	dev->cmd_status = 0;
	dev->enabled = 1;
	return 0;
}

void emu_device_disable(struct emu_state *state, unsigned int device)
{
	struct emu_device *dev = &state->device[device];

	dev->enabled = 0;
	emu_device_reset(dev);
}
