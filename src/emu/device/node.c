/* SPDX-License-Identifier: MIT */
/* The node of a queue: which file it is, and what write(2) to it does. */
#include <errno.h>
#include <linux/capability.h>

#include "emu/base/raw.h"
#include "emu/device/engine.h"
#include "emu/device/node.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"

emu_queue_id emu_node_find(uint64_t dev, uint64_t ino)
{
	struct emu_state *state = emu.state;
	unsigned int d, w;

	for (d = 0; d < state->devices; d++)
		for (w = 0; w < EMU_MAX_WQS; w++)
			if (state->device[d].wq[w].node_ino == ino &&
			    state->device[d].wq[w].node_dev == dev)
				return emu_queue_make(d, w);
	return 0;
}

emu_queue_id emu_node_path(const char *path)
{
	unsigned int d, w;
	const char *at;

	for (at = path; *at && !raw_starts(at, "/dev/dsa/wq"); at++)
		;
	if (!*at)
		return 0;
	at += sizeof("/dev/dsa/wq") - 1;
	if (at[0] == '\0' || at[1] != '.' || at[2] == '\0' || at[3] != '\0')
		/* both numbers have one digit, as there are eight devices of eight queues */
		return 0;
	d = (unsigned int)(at[0] - '0');
	w = (unsigned int)(at[2] - '0');
	return d < emu.state->devices && w < EMU_MAX_WQS ? emu_queue_make(d, w) : 0;
}

/* tid 0 is this thread, as inside of a program. */
static bool has_rawio(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, emu.tid };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return raw_syscall2(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_SYS_RAWIO)].effective & CAP_TO_MASK(CAP_SYS_RAWIO);
}

bool emu_node_may_map(void)
{
	const struct emu_options *opt = &emu.state->opt;

	if (opt->no_mmap)
		return false;
	return opt->rawio || (!opt->user_namespace && has_rawio());
}

/* One descriptor of a write(2), with the checks of the driver. */
static int write_one(emu_queue_id queue, struct sva_desc *desc)
{
	struct emu_device *dev = emu_queue_device(emu.state, queue);
	struct emu_wq *wq = emu_queue_wq(emu.state, queue);
	unsigned int tries;
	int ret;

	if (desc->completion_addr % 32)
		return -EINVAL;
	if (sva_desc_opcode(desc) == SVA_OPCODE_BATCH && emu_device_profile(dev)->version == 0x100)
		return -EINVAL;
	if (wq->dedicated)
		return emu_submit(queue, SVA_MODEL_MOVDIR64B, desc, true);
	desc->pasid_priv = emu_mm_id() & 0xfffff;
	for (tries = 0; tries <= wq->retries; tries++) {
		ret = emu_submit(queue, SVA_MODEL_ENQCMD, desc, true);
		if (ret != -EAGAIN)
			break;
		raw_pause();
	}
	return ret;
}

ssize_t emu_node_write(emu_queue_id queue, uint64_t buf, size_t len)
{
	struct sva_desc desc;
	size_t done = 0;
	int ret = 0;

	for (; len - done >= sizeof(desc); done += sizeof(desc)) {
		ret = emu_fetch(&desc, buf + done, sizeof(desc), NULL) ? -EFAULT :
			write_one(queue, &desc);
		if (ret)
			break;
	}
	return done ? (ssize_t)done : ret;
}
