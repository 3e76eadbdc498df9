// SPDX-License-Identifier: GPL-2.0
/*
 * Operations through io_uring. The command bytes hold the address of an operation, so that they fit
 * into an ordinary submission.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include "compat.h"
#include "op.h"
#include "queue.h"
#include "uring.h"

/* In the command, which io_uring may cancel as long as it is not completed. */
struct command {
	struct svad_req *req;
};

static struct command *command_of(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct command) > sizeof(cmd->pdu));
	return (struct command *)cmd->pdu;
}

#ifdef SVAD_HAVE_URING_CANCEL
/*
 * Whether this is a call because the ring is going away. If the request has no descriptor yet it
 * ends with -ECANCELED.
 */
static bool cancel(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct svad_req *req;

	if (!(issue_flags & IO_URING_F_CANCEL))
		return false;
	req = command_of(cmd)->req;
	svad_req_fail(req, -ECANCELED);
	svad_queue_kick(req->chan);
	return true;
}

/*
 * From here on the command must end in svad_uring_complete(). Rings that poll cannot cancel: they
 * use the list of cancelable commands otherwise.
 */
static void make_cancelable(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	if (!(issue_flags & IO_URING_F_IOPOLL))
		io_uring_cmd_mark_cancelable(cmd, issue_flags);
}

u32 svad_uring_features(void)
{
	return IS_ENABLED(CONFIG_IO_URING) ? SVA_DMA_FEATURE_URING | SVA_DMA_FEATURE_CANCEL : 0;
}
#else
static bool cancel(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	return false;
}

static void make_cancelable(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
}

u32 svad_uring_features(void)
{
	return IS_ENABLED(CONFIG_IO_URING) ? SVA_DMA_FEATURE_URING : 0;
}
#endif

int svad_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	const struct sva_dma_uring_cmd *bytes = svad_uring_payload(cmd);
	struct svad_client *client = cmd->file->private_data;
	bool nonblock = issue_flags & IO_URING_F_NONBLOCK;
	struct sva_dma_uring_cmd args;
	struct sva_dma_op op;
	struct svad_req *req;
	int ret;

	if (cancel(cmd, issue_flags))
		return 0;
	if (cmd->cmd_op != SVA_DMA_OP_CMD)
		return -ENOTTY;
	if (client->account.mm != current->mm)
		return -EPERM;
	/* The program can still write to the bytes. */
	args.op = READ_ONCE(bytes->op);
	args.op_size = READ_ONCE(bytes->op_size);
	args.node = READ_ONCE(bytes->node);
	if (svad_node_check(args.node))
		return -EINVAL;
	ret = svad_op_read(&op, args.op, args.op_size);
	if (!ret)
		ret = svad_op_prepare(client, &op, args.node, SVAD_NOTIFY_URING, nonblock,
				      &req);
	if (ret || !req)
		return ret;
	req->uring = cmd;
	command_of(cmd)->req = req;
	make_cancelable(cmd, issue_flags);
	svad_queue_add(req, nonblock);
	return -EIOCBQUEUED;
}

/* For rings that poll: requests complete without it, so there is nothing to poll here. */
int svad_uring_iopoll(struct io_uring_cmd *cmd, struct io_comp_batch *iob, unsigned int flags)
{
	cpu_relax();
	return 0;
}
