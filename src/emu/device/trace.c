/* SPDX-License-Identifier: MIT */
/* --trace: each descriptor and its record, as a line of text or JSON. */
#include <fcntl.h>
#include <sys/stat.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/device/trace.h"
#include "lib/base/opcodes.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"

#define LINE_SIZE 1024

static EMU_TLS uint64_t site;

void emu_trace_site(uint64_t rip)
{
	site = rip;
}

uint64_t emu_trace_get_site(void)
{
	return site;
}

const char *emu_opcode_name(unsigned int opcode)
{
	const char *name = sva_opcode_name(opcode);

	return name ? name : "?";
}

const char *emu_status_name(unsigned int status)
{
	switch (status & SVA_STATUS_MASK) {
#define STATUS_TEXT(name, code, err, text) \
	case code: \
		return text;
	SVA_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
	default:
		return "?";
	}
}

static const char *const flag_names[24] = {
	"fence", "bof",	 "crav", "rcr",	 "rci",	  "bit5",  "bit6",  "cr",
	"cc",	 "tcs1", "tcs2", "tcs3", "crtcs", "stord", "drdbk", "bit15",
	"op16",	 "op17", "op18", "op19", "op20",  "op21",  "op22",  "op23",
};

void emu_trace_flags(struct emu_text *text, uint32_t flags)
{
	const char *between = "";
	unsigned int i;

	for (i = 0; i < 24; i++) {
		if (!(flags >> i & 1))
			continue;
		text_add(text, "%s%s", between, flag_names[i]);
		between = "|";
	}
	if (!flags)
		text_add(text, "0");
}

/* The 24 bytes that belong to the operation, in hexadecimal, unless they are all zero. */
static void add_specific(struct emu_text *text, const struct sva_desc *desc, const char *before,
			 const char *after)
{
	unsigned int i, any = 0;

	for (i = 0; i < 24; i++)
		any |= desc->op.bytes[i];
	if (!any)
		return;
	text_add(text, "%s", before);
	for (i = 0; i < 24; i++)
		text_add(text, "%02x", (unsigned int)desc->op.bytes[i]);
	text_add(text, "%s", after);
}

static void desc_text(struct emu_text *text, const struct sva_desc *desc)
{
	text_add(text, "%s flags=", emu_opcode_name(sva_desc_opcode(desc)));
	emu_trace_flags(text, sva_desc_flags(desc));
	text_add(text, " record=0x%lx src=0x%lx dst=0x%lx size=%u", desc->completion_addr,
		 desc->src, desc->dst, desc->size);
	add_specific(text, desc, " op=", "");
}

static void comp_text(struct emu_text *text, const struct sva_comp *comp)
{
	text_add(text, "status=0x%02x (%s)", (unsigned int)comp->status,
		 emu_status_name(comp->status));
	if (comp->result)
		text_add(text, " result=%u", (unsigned int)comp->result);
	if (comp->bytes)
		text_add(text, " bytes=%u", comp->bytes);
	if (comp->fault_addr)
		text_add(text, " fault=0x%lx", comp->fault_addr);
	if (comp->op.crc)
		text_add(text, " op=0x%lx", comp->op.crc);
}

static void desc_json(struct emu_text *text, const struct sva_desc *desc)
{
	text_add(
		text,
		"\"op\":\"%s\",\"opcode\":%u,\"flags\":%u,\"record\":\"0x%lx\",\"src\":\"0x%lx\",\"dst\":\"0x%lx\","
		"\"size\":%u",
		emu_opcode_name(sva_desc_opcode(desc)), sva_desc_opcode(desc), sva_desc_flags(desc),
		desc->completion_addr, desc->src, desc->dst, desc->size);
	add_specific(text, desc, ",\"specific\":\"", "\"");
}

static void comp_json(struct emu_text *text, const struct sva_comp *comp)
{
	text_add(
		text,
		"\"status\":%u,\"text\":\"%s\",\"result\":%u,\"bytes\":%u,\"fault\":\"0x%lx\",\"data\":\"0x%lx\"",
		(unsigned int)comp->status, emu_status_name(comp->status),
		(unsigned int)comp->result, comp->bytes, comp->fault_addr, comp->op.crc);
}

/*
 * Is the kept descriptor still that of the trace file? The program may have closed it, and may have
 * opened another file under its number.
 */
static bool is_trace(int fd, uint64_t dev, uint64_t ino)
{
	struct stat st;

	return fd >= 0 && raw_syscall2(SYS_fstat, fd, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

/*
 * The trace file of this process. It is opened for the first line, with O_APPEND, so that the lines
 * of several processes do not mix. A file that is the standard output or error of the program, too,
 * is written to through that descriptor, as two open files would overwrite each other.
 */
static int trace_fd(void)
{
	static uint64_t dev, ino; /* which file it is; the same for the whole run */
	static int fd_plus_one;
	int fd = __atomic_load_n(&fd_plus_one, __ATOMIC_ACQUIRE) - 1, high;
	struct stat st;

	if (emu.state->opt.trace_fd && raw_syscall2(SYS_fstat, emu.state->opt.trace_fd, &st) == 0 &&
	    st.st_dev == emu.state->opt.trace_dev && st.st_ino == emu.state->opt.trace_ino)
		return (int)emu.state->opt.trace_fd;
	if (is_trace(fd, __atomic_load_n(&dev, __ATOMIC_RELAXED),
		     __atomic_load_n(&ino, __ATOMIC_RELAXED)))
		return fd;
	fd = raw_openat(AT_FDCWD, emu.state->opt.trace_file, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	/* A high number, as programs may expect to get the next free one. */
	high = (int)raw_syscall3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 500);
	if (high >= 0) {
		raw_close(fd);
		fd = high;
	}
	if (raw_syscall2(SYS_fstat, fd, &st) == 0) {
		__atomic_store_n(&dev, st.st_dev, __ATOMIC_RELAXED);
		__atomic_store_n(&ino, st.st_ino, __ATOMIC_RELAXED);
		__atomic_store_n(&fd_plus_one, fd + 1, __ATOMIC_RELEASE);
	}
	return fd;
}

static void put_line(struct emu_text *text)
{
	int fd = trace_fd();

	text_add(text, "\n");
	if (fd >= 0)
		raw_write(fd, text->start, text_len(text));
}

static const char *fate_name(enum emu_fate fate)
{
	return fate == EMU_FATE_RETRY ? "retry" : fate == EMU_FATE_DROPPED ? "dropped" : "executed";
}

static const char *end_name(const struct sva_model_outcome *outcome)
{
	return outcome->end == SVA_MODEL_RECORDED ? "written" :
	       outcome->end == SVA_MODEL_SILENT	  ? "none" :
						    "lost";
}

static void trace_text(const char *queue, const char *way, const struct sva_desc *desc,
		       enum emu_fate fate, const struct sva_model_outcome *outcome, uint64_t rip)
{
	char line[LINE_SIZE];
	struct emu_text text;

	text_init(&text, line, sizeof(line));
	text_add(&text, "%d/%d %s %s at 0x%lx: ", emu_pid(), emu_tid(), queue, way, rip);
	desc_text(&text, desc);
	text_add(&text, " -> %s", fate == EMU_FATE_EXECUTED ? "" : fate_name(fate));
	if (outcome) {
		comp_text(&text, &outcome->comp);
		if (outcome->end != SVA_MODEL_RECORDED)
			text_add(&text, " record %s", end_name(outcome));
	}
	put_line(&text);
}

static void trace_json(const char *queue, const char *way, const struct sva_desc *desc,
		       enum emu_fate fate, const struct sva_model_outcome *outcome, uint64_t rip)
{
	char line[LINE_SIZE];
	struct emu_text text;

	text_init(&text, line, sizeof(line));
	text_add(
		&text,
		"{\"pid\":%d,\"tid\":%d,\"queue\":\"%s\",\"way\":\"%s\",\"rip\":\"0x%lx\",\"fate\":\"%s\","
		"\"descriptor\":{",
		emu_pid(), emu_tid(), queue, way, rip, fate_name(fate));
	desc_json(&text, desc);
	text_add(&text, "}");
	if (outcome) {
		text_add(&text, ",\"completion\":{");
		comp_json(&text, &outcome->comp);
		text_add(&text, ",\"record\":\"%s\"}", end_name(outcome));
	}
	text_add(&text, "}");
	put_line(&text);
}

/* The descriptors of a batch, with the records that they wrote. */
static void trace_batch(const char *queue, const struct sva_desc *batch, uint64_t rip)
{
	struct sva_model_outcome outcome;
	struct sva_desc desc;
	uint32_t i;

	for (i = 0; i < batch->size; i++) {
		if (emu_fetch(&desc, batch->src + i * sizeof(desc), sizeof(desc), NULL))
			return;
		outcome = (struct sva_model_outcome){ .end = SVA_MODEL_SILENT };
		if ((sva_desc_flags(&desc) & SVA_DESC_CRAV) &&
		    emu_fetch(&outcome.comp, desc.completion_addr, sizeof(outcome.comp), NULL) == 0)
			outcome.end = SVA_MODEL_RECORDED;
		(emu.state->opt.trace == EMU_TRACE_JSON ? trace_json : trace_text)(
			queue, "batched", &desc, EMU_FATE_EXECUTED, &outcome, rip);
	}
}

void emu_trace(emu_queue_id queue, const char *way, const struct sva_desc *desc, enum emu_fate fate,
	       const struct sva_model_outcome *outcome, uint64_t rip)
{
	char name[16];

	emu_queue_name(queue, name);
	(emu.state->opt.trace == EMU_TRACE_JSON ? trace_json : trace_text)(name, way, desc, fate,
									   outcome, rip);
	if (outcome && sva_desc_opcode(desc) == SVA_OPCODE_BATCH &&
	    (outcome->comp.status == SVA_STATUS_SUCCESS ||
	     outcome->comp.status == SVA_STATUS_BATCH_FAIL))
		trace_batch(name, desc, rip);
}
