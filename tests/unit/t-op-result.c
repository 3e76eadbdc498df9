/* SPDX-License-Identifier: MIT */
/*
 * Status codes, reasons and paths in words and errnos: every code, against a table written by hand
 * from the facts.
 */
#include <errno.h>

#include "lib/op/op.h"
#include "tap.h"
#include "unit/words.h"

static const struct {
	unsigned int code;
	const char *name;
	int err;
} statuses[] = {
	{ 0x00, "NONE", EINPROGRESS },
	{ 0x01, "SUCCESS", 0 },
	{ 0x02, "SUCCESS_PRED", EBADE },
	{ 0x03, "PAGE_FAULT", EFAULT },
	{ 0x04, "PAGE_FAULT_IR", EFAULT },
	{ 0x05, "BATCH_FAIL", EIO },
	{ 0x06, "BATCH_PAGE_FAULT", EFAULT },
	{ 0x07, "DELTA_OFFSET_ORDER", EBADMSG },
	{ 0x08, "DELTA_OFFSET_RANGE", EBADMSG },
	{ 0x09, "DIF_ERROR", EILSEQ },
	{ 0x10, "BAD_OPCODE", EOPNOTSUPP },
	{ 0x11, "INVALID_FLAGS", EINVAL },
	{ 0x12, "RESERVED_FIELD", EINVAL },
	{ 0x13, "XFER_SIZE", EINVAL },
	{ 0x14, "DESC_COUNT", EINVAL },
	{ 0x15, "DELTA_SIZE", EINVAL },
	{ 0x16, "OVERLAP", EINVAL },
	{ 0x17, "DUALCAST_ALIGN", EINVAL },
	{ 0x18, "LIST_ALIGN", EINVAL },
	{ 0x19, "INT_HANDLE", EINVAL },
	{ 0x1a, "COMP_FAULT", EFAULT },
	{ 0x1b, "COMP_ALIGN", EINVAL },
	{ 0x1c, "ADDR_ALIGN", EINVAL },
	{ 0x1d, "PRIV", EPERM },
	{ 0x1e, "TRAFFIC_CLASS", EIO },
	{ 0x1f, "READBACK_FAULT", EFAULT },
	{ 0x20, "HW_ERROR", EIO },
	{ 0x21, "HW_ERROR_WRITE", EIO },
	{ 0x22, "TRANSLATION", EIO },
};

/* Numbers of the interface: they may grow, never change. */
static const char *const reasons[] = {
	"OK",
	"EXCLUDED",
	"QUEUE_EXCLUDED",
	"NO_DEVICE",
	"NO_DRIVER",
	"DEVICE_DISABLED",
	"QUEUE_DISABLED",
	"WRONG_TYPE",
	"WRONG_MODE",
	"NO_NODE",
	"NO_PERMISSION",
	"SVA_REFUSED",
	"NO_IOMMU",
	"NO_PASID",
	"NEED_RAWIO",
	"NO_ENQCMD",
	"NO_MOVDIR64B",
	"BUSY",
	"BUSY_HERE",
	"SYSFS_READONLY",
	"UNTRUSTED",
	"TRUST_UNKNOWN",
	"WRITE_REFUSED",
	"NO_OPERATION",
	"MODULE_ABSENT",
	"MODULE_PERMISSION",
	"MODULE_VERSION",
	"MODULE_NO_CHANNEL",
	"MODULE_FOREIGN",
	"FULL",
	"RETIRED",
	"TOO_SMALL",
	"FAULTS",
	"BAD_RECORD",
	"NOT_BUILT",
	"OPEN_FAILED",
	"MAP_FAILED",
	"PLUGIN",
	"FORKED",
	"MEMLOCK",
	"BATCH_SIZE",
	"BATCH_ENTRY",
	"NOT_A_QUEUE",
	"SHORTAGE",
	"SYSFS_HIDDEN",
	"PROC_HIDDEN",
	"QUEUE_REFUSED",
	"QUEUE_UNCONFIGURED",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void status_codes(void)
{
	for (unsigned int code = 0; code < 256; code++) {
		const char *name = "UNKNOWN";
		int err = EIO;

		/* Bit 7 is the direction of a fault, bit 6 has no meaning. */
		for (unsigned int i = 0; i < COUNT(statuses); i++) {
			if (statuses[i].code != (code & 0x3f))
				continue;
			name = statuses[i].name;
			err = statuses[i].err;
		}
		ok(!strcmp(sva_status_name(code), name) && sva_status_errno(code) == err &&
			   *sva_status_text(code),
		   "status %#x: %s, errno %d", code, sva_status_name(code), sva_status_errno(code));
	}
	for (unsigned int i = 0; i < COUNT(statuses); i++)
		for (unsigned int j = 0; j < i; j++)
			if (!strcmp(sva_status_text(statuses[i].code),
				    sva_status_text(statuses[j].code)))
				ok(false, "status %#x and %#x have one text", i, j);
	is_str(sva_status_name(0xffffffff), "UNKNOWN", "the name of status 0xffffffff");
	is(sva_status_errno(0xffffffff), EIO, "the errno of status 0xffffffff is EIO");
}

static void reason_codes(void)
{
	is(COUNT(reasons), SVA_REASON_COUNT_, "this test has every reason");
	for (unsigned int i = 0; i < COUNT(reasons); i++) {
		bool once = true;

		subject("reason %u, %s", i, reasons[i]);
		is_str(sva_reason_name(i), reasons[i], "sva_reason_name() returns its name");
		for (unsigned int j = 0; j < i; j++)
			once &= strcmp(sva_reason_text(i), sva_reason_text(j)) != 0;
		ok(once && strlen(sva_reason_text(i)) >= 6 && strlen(sva_reason_text(i)) < 160 &&
			   !strchr(sva_reason_text(i), '\n'),
		   "reason %u has a text of its own, in one line", i);
	}
	subject("reasons");
	is_str(sva_reason_name(SVA_REASON_COUNT_), "UNKNOWN",
	       "the name of the first unused number");
	is_str(sva_reason_text(SVA_REASON_COUNT_), "unknown reason",
	       "the text of the first unused number");
	is_str(sva_reason_name(0xffffffff), "UNKNOWN", "the name of number 0xffffffff");
	is_str(sva_reason_text(SVA_REASON_MODULE_ABSENT),
	       "/dev/sva_dma is absent: the sva_dma module is not loaded",
	       "the text of MODULE_ABSENT");
}

static void path_names(void)
{
	static const char *const names[] = { "enqcmd", "movdir64b", "write", "dma", "soft", "cpu" };

	is(SVA_PATH_COUNT, COUNT(names), "there are six paths");
	for (int i = 0; i < SVA_PATH_COUNT; i++) {
		subject("path %d, %s", i, names[i]);
		is_str(sva_path_name(i), names[i], "sva_path_name() returns its name");
	}
	subject("paths");
	is_str(sva_path_name(SVA_PATH_COUNT), "none", "the name of the first unused number");
	is_str(sva_path_name(-1), "none", "the name of number -1");
	is_str(sva_path_name(0x7fffffff), "none", "the name of number 0x7fffffff");
	subject("version");
	is(sva_version(), SVA_VERSION, "the library's version is the headers'");
}

/* ------------------------------------------ the result of an operation before and after its end */

static void operations(void)
{
	static struct sva_op op;

	subject("error of sva_op_result()");
	is_rc(sva_op_result(NULL)->error, -EINVAL, "no operation");
	memset(&op, 0xa5, sizeof(op));
	is_rc(sva_op_result(&op)->error, -EINVAL, "an operation of garbage");
	sva_prep_noop(&op);
	is_rc(sva_op_result(&op)->error, -EINVAL, "an operation that was never submitted");
	is_rc(sva_poll(&op), -EINVAL, "sva_poll() of one that was never submitted");

	sva_progress_begin(&op);
	op.state = SVA_OP_IN_FLIGHT;
	is_rc(sva_op_result(&op)->error, -EINPROGRESS, "an operation in flight");
	op.state = SVA_OP_STALLED;
	is_rc(sva_op_result(&op)->error, -EINPROGRESS,
	      "an operation whose next chunk waits for room");
	op.state = SVA_OP_IN_BATCH;
	is_rc(sva_op_result(&op)->error, -EINPROGRESS, "an entry of a batch that waits");
	op.state = SVA_OP_BATCHING;
	is_rc(sva_op_result(&op)->error, -EINPROGRESS,
	      "a batch whose entries are submitted one by one");
	sva_operation_end(&op, NULL, -ECANCELED);
	is_rc(sva_op_result(&op)->error, -ECANCELED, "an operation that has ended");
}

/* The path that did most; without bytes, the one that the descriptor took. */
static void main_paths(void)
{
	struct sva_identity id = {.queue = "wq9.9",
				  .device = "dsa9",
				  .path = SVA_PATH_WRITE,
				  .reason = SVA_REASON_NEED_RAWIO};
	static struct sva_op op;
	struct sva_op_private *p = SVA_OP_PRIVATE(&op);

	subject("result of an operation");
	for (int most = 0; most < SVA_PATH_COUNT; most++) {
		sva_prep_noop(&op);
		sva_progress_begin(&op);
		for (int path = 0; path < SVA_PATH_COUNT; path++)
			p->result.path_bytes[path] = path == most ? 101 : 100;
		sva_operation_end(&op, NULL, 0);
		is_path(sva_op_result(&op)->path, most, "path of most bytes");
		ok(!sva_op_result(&op)->queue && !sva_op_result(&op)->device,
		   "without a descriptor the result names no queue");
	}
	subject("result of an operation");
	sva_prep_noop(&op);
	sva_progress_begin(&op);
	sva_operation_end(&op, &id, 0);
	is_path(sva_op_result(&op)->path, SVA_PATH_WRITE,
		"without bytes: the path of the descriptor");
	is_str(sva_op_result(&op)->queue, "wq9.9", "without bytes: the queue of the descriptor");
	is_str(sva_op_result(&op)->device, "dsa9", "without bytes: the device of the descriptor");
	is_reason(sva_op_result(&op)->reason, SVA_REASON_NEED_RAWIO,
		  "the operation's result has the reason");
}

static void last_result(void)
{
	const struct sva_result *last = sva_last_result();

	ok(last && !last->error && !last->bytes && last->path == SVA_PATH_CPU && !last->queue,
	   "before any call: nothing, on the CPU");
}

int main(void)
{
	last_result();
	status_codes();
	reason_codes();
	path_names();
	operations();
	main_paths();
	return done();
}
