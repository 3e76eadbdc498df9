/* SPDX-License-Identifier: MIT */
/* The attributes of all objects; enabling and disabling as the driver does it. */
#include "emu/sysfs/attrs.h"

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

static const struct attr driver_attrs[] = {
	{ "bind", NULL, NULL, NULL },
	{ "unbind", NULL, NULL, NULL },
	{ NULL, NULL, NULL, NULL },
};

/* --- all tables --- */

static const struct attr *const tables[] = {
	[EMU_OBJ_DEVICE] = emu_device_attrs,
	[EMU_OBJ_WQ] = emu_wq_attrs,
	[EMU_OBJ_GROUP] = emu_group_attrs,
	[EMU_OBJ_ENGINE] = emu_engine_attrs,
	[EMU_OBJ_DRIVER] = driver_attrs,
};

const char *emu_attr_name(const struct emu_state *state, enum emu_object object,
			  unsigned int device, unsigned int n, bool *writable)
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

static const struct attr *find_attr(const struct emu_attr_ref *ref)
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
	const struct attr *attr = find_attr(ref);

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

/*
 * Read "wq0.1" or "dsa0", as written to bind and unbind; *wq is -1 for the device itself. False if
 * it is neither.
 */
static bool parse_name(const struct emu_state *state, const char *value, size_t len,
		       unsigned int *device, int *wq)
{
	char word[16], *at = word;

	if (!emu_parse_word(value, len, word, sizeof(word)))
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

/* Reset what a queue loses when it is disabled; size, group and driver_name stay. */
static void reset_wq(const struct emu_device *dev, struct emu_wq *wq)
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

static int store_driver(struct emu_state *state, unsigned int driver, bool bind, const char *value,
			size_t len)
{
	unsigned int device;
	struct emu_wq *wq;
	int index;

	if (!parse_name(state, value, len, &device, &index))
		return -ENODEV;
	wq = index < 0 ? NULL : &state->device[device].wq[index];
	if (bind) {
		if (!wq)
			return driver == EMU_DRIVER_IDXD || driver == EMU_DRIVER_DSA ?
				       emu_device_enable(state, device) :
				       -ENODEV;
		if (driver == EMU_DRIVER_DSA)
			driver = wq->type == EMU_WQ_KERNEL ? EMU_DRIVER_DMAENGINE : EMU_DRIVER_USER;
		return emu_wq_enable(state, device, (unsigned int)index, driver);
	}
	if (wq ? !wq->enabled : !state->device[device].enabled)
		return -ENODEV;
	if (wq)
		reset_wq(&state->device[device], wq);
	else
		emu_device_disable(state, device);
	return 0;
}

int emu_attr_store(struct emu_state *state, const struct emu_attr_ref *ref, const char *value,
		   size_t len)
{
	const struct attr *attr;

	if (ref->object == EMU_OBJ_DRIVER)
		return store_driver(state, ref->index, raw_streq(ref->name, "bind"), value, len);
	attr = ref->object == EMU_OBJ_FIXED ? NULL : find_attr(ref);
	if (!attr || !attr->store)
		return -EACCES;
	return attr->store(&state->device[ref->device], ref->index, value, len);
}

/* --- enabling and disabling --- */

void emu_device_reset(struct emu_device *dev)
{
	unsigned int i;

	dev->read_buffer_limit = 0;
	dev->event_log_size = prof(dev)->gen_cap >> 13 & 3 ? 64 : 0;
	for (i = 0; i < EMU_MAX_WQS; i++) {
		reset_wq(dev, &dev->wq[i]);
		dev->wq[i].size = 0;
		dev->wq[i].group = -1;
	}
	for (i = 0; i < EMU_MAX_ENGINES; i++)
		dev->engine_group[i] = -1;
	for (i = 0; i < EMU_MAX_GROUPS; i++)
		dev->group[i] = (struct emu_group){ .traffic_class_a = 1, .traffic_class_b = 1,
			.read_buffers_allowed = MAX_READ_BUFFERS };
}

int emu_wq_enable(struct emu_state *state, unsigned int device, unsigned int index,
		  unsigned int driver)
{
	struct emu_device *dev = &state->device[device];
	struct emu_wq *wq = &dev->wq[index];

	/* The bus offers a queue only to the driver that its type and driver_name ask for. */
	if ((driver == EMU_DRIVER_USER ? EMU_WQ_USER : EMU_WQ_KERNEL) != wq->type ||
	    driver == EMU_DRIVER_IDXD)
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
