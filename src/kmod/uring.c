// SPDX-License-Identifier: GPL-2.0
/*
 * Operations through io_uring. The command bytes hold the address of an operation, so they fit an ordinary submission.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include "compat.h"
#include "internal.h"

/* What a command remembers: io_uring may ask for its cancellation as long as it is not completed. */
struct command {
	struct sva_req *req;
};

static struct command *command_of(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct command) > sizeof(cmd->pdu));
	return (struct command *)cmd->pdu;
}

#ifdef SVA_HAVE_URING_CANCEL
static bool is_cancel(unsigned int issue_flags)
{
	return issue_flags & IO_URING_F_CANCEL;
}

/* From here on the command must end in sva_uring_done(). Rings that poll can not cancel, and use the list otherwise. */
static void make_cancelable(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	if (!(issue_flags & IO_URING_F_IOPOLL))
		io_uring_cmd_mark_cancelable(cmd, issue_flags);
}

u32 sva_uring_features(void)
{
	return IS_ENABLED(CONFIG_IO_URING) ? SVA_DMA_FEATURE_URING | SVA_DMA_FEATURE_CANCEL : 0;
}
#else
static bool is_cancel(unsigned int issue_flags)
{
	return false;
}

static void make_cancelable(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
}

u32 sva_uring_features(void)
{
	return IS_ENABLED(CONFIG_IO_URING) ? SVA_DMA_FEATURE_URING : 0;
}
#endif

/* Called in a worker, never under the ring's lock. */
void sva_uring_done(struct sva_req *req, int result)
{
	sva_uring_complete(req->uring, result, IO_URING_F_UNLOCKED);
}

/* The ring is going away. What the hardware has not got yet ends with -ECANCELED, the rest as usual. */
static int cancel(struct io_uring_cmd *cmd)
{
	struct sva_req *req = command_of(cmd)->req;

	sva_req_fail(req, -ECANCELED);
	sva_queue_kick(req->chan);
	return 0;
}

int sva_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	const struct sva_dma_uring_cmd *bytes = sva_uring_payload(cmd);
	struct sva_client *client = cmd->file->private_data;
	bool nonblock = issue_flags & IO_URING_F_NONBLOCK;
	struct sva_dma_uring_cmd args;
	struct sva_dma_op op;
	struct sva_req *req;
	int ret;

	if (is_cancel(issue_flags))
		return cancel(cmd);
	if (cmd->cmd_op != SVA_DMA_OP_CMD)
		return -ENOTTY;
	if (client->mm != current->mm)
		return -EPERM;
	/* The program can still write to them. */
	args.op = READ_ONCE(bytes->op);
	args.op_size = READ_ONCE(bytes->op_size);
	args.node = READ_ONCE(bytes->node);
	if (sva_node_check(args.node))
		return -EINVAL;
	ret = sva_op_read(&op, args.op, args.op_size);
	if (!ret)
		ret = sva_op_prepare(client, &op, args.node, SVA_NOTIFY_URING, nonblock, &req);
	if (ret || !req)
		return ret;
	req->uring = cmd;
	command_of(cmd)->req = req;
	make_cancelable(cmd, issue_flags);
	sva_queue(req, nonblock);
	return -EIOCBQUEUED;
}

/* For rings that poll: completions come by themselves, there is nothing to look at here. */
int sva_uring_iopoll(struct io_uring_cmd *cmd, struct io_comp_batch *iob, unsigned int flags)
{
	cpu_relax();
	return 0;
}
