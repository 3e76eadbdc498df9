/* SPDX-License-Identifier: MIT */
/*
 * Negative controls: the reference must refuse a model that did one thing wrong. After each
 * operation one byte is flipped: in what it wrote, in what it should not have touched, in its
 * record, in its outcome.
 */
#include "trial.h"

static struct space space, before;
static struct sva_model_outcome outcome;
static struct sva_model_profile profile;
static struct ref ref;
static unsigned long flips, missed;

static void execute(const struct sva_desc *desc)
{
	struct sva_model_mem mem = space_mem(&space);

	space_free(&before);
	space_clone(&before, &space);
	space.nrecords = 0;
	sva_model_execute(&profile, &mem, desc, &outcome);
}

/* With the outcome and the memory as they are now: does the reference agree? */
static bool accepted(const struct sva_desc *desc)
{
	struct space work;
	bool good;

	memset(&ref, 0, sizeof(ref));
	space_clone(&work, &before);
	ref.profile = &profile;
	ref.space = &work;
	ref.model = &space;
	ref.outcome = &outcome;
	good = ref_run(&ref, desc);
	space_free(&work);
	return good;
}

static void must_refuse(const struct sva_desc *desc, const char *what)
{
	flips++;
	if (accepted(desc) && !missed++)
		printf("# opcode %#x: flipped %s\n", sva_desc_opcode(desc), what);
}

static void flip_memory(const struct sva_desc *desc, uint64_t addr, const char *what)
{
	*space_at(&space, addr) ^= 0x10;
	must_refuse(desc, what);
	*space_at(&space, addr) ^= 0x10;
}

/* A byte of the record, in the note of its being written, in memory and in the outcome. */
static void flip_record(const struct sva_desc *desc, int byte, uint8_t bit)
{
	((uint8_t *)&space.records[0].comp)[byte] ^= bit;
	((uint8_t *)&outcome.comp)[byte] ^= bit;
	*space_at(&space, REC_AT + (unsigned int)byte) ^= bit;
	must_refuse(desc, "record");
	((uint8_t *)&space.records[0].comp)[byte] ^= bit;
	((uint8_t *)&outcome.comp)[byte] ^= bit;
	*space_at(&space, REC_AT + (unsigned int)byte) ^= bit;
}

static void controls(enum sva_opcode opcode)
{
	struct sva_desc desc = trial_plain(opcode, SRC_AT + 8, DST_AT + 16, 520 * 8);

	if (opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIX_GENERATE)
		desc.op.dif.flags = SVA_DIF_BLOCK_520;
	execute(&desc);
	if (!accepted(&desc)) {
		ok(false, "opcode %#x as it is: %s", opcode, ref.why);
		return;
	}
	for (uint64_t at = 0; at < 2 * PAGE; at += 97) {
		flip_memory(&desc, SRC_AT + at, "source");
		flip_memory(&desc, DST_AT + at, "destination");
		flip_memory(&desc, DST2_AT + at, "second destination");
		flip_memory(&desc, LIST_AT + at, "list");
		flip_memory(&desc, REC_AT + 32 + at, "beside the record");
	}
	for (unsigned int bit = 1; bit < 0x100; bit <<= 1)
		flip_record(&desc, 0, (uint8_t)bit);
	if (outcome.comp.status == SVA_STATUS_SUCCESS)
		flip_record(&desc, 4, 1);
	outcome.end = SVA_MODEL_SILENT;
	must_refuse(&desc, "end");
	outcome.end = SVA_MODEL_RECORDED;
	space.nrecords++;
	must_refuse(&desc, "a second record");
	space.nrecords = 0;
	must_refuse(&desc, "no record");
	space.nrecords = 1;
	space.open = 1;
	must_refuse(&desc, "a window left open");
	space.open = 0;
	space.wrong = "as a control";
	must_refuse(&desc, "what the accessor noted");
	space.wrong = NULL;
}

/* Fields that only some records have. */
static void special_fields(void)
{
	struct sva_desc desc = trial_plain(SVA_OPCODE_CRC, SRC_AT, 0, 100);

	execute(&desc);
	for (int byte = 16; byte < 20; byte++)
		flip_record(&desc, byte, 0x40);
	desc.flags_opcode |= SVA_DESC_CRC64;
	execute(&desc);
	for (int byte = 16; byte < 24; byte++)
		flip_record(&desc, byte, 0x40);
	desc = trial_plain(SVA_OPCODE_DIF_INSERT, SRC_AT, DST_AT, 512);
	execute(&desc);
	for (int byte = 24; byte < 32; byte++)
		flip_record(&desc, byte, 1);
	desc = trial_plain(SVA_OPCODE_COMPARE, SRC_AT, DST_AT, 100);
	execute(&desc);
	flip_record(&desc, 1, 1);
	flip_record(&desc, 4, 0x80);
	desc = trial_plain(SVA_OPCODE_CREATE_DELTA, SRC_AT, DST_AT, 96);
	execute(&desc);
	flip_record(&desc, 1, 1);
	flip_record(&desc, 16, 1);
	desc = trial_plain(SVA_OPCODE_MEMMOVE, SRC_AT, DST_AT, 100);
	desc.flags_opcode |= 0x40;
	execute(&desc);
	flip_record(&desc, 16, 1);
	flip_record(&desc, 4, 1);
	/* A fault: where, of what kind, how far, which operand, which way. */
	space_use(&space, SRC_AT + PAGE, 0);
	desc = trial_plain(SVA_OPCODE_MEMMOVE, SRC_AT, DST_AT, 2 * PAGE);
	execute(&desc);
	flip_record(&desc, 0, 0x80);
	flip_record(&desc, 1, 1);
	flip_record(&desc, 2, 2);
	flip_record(&desc, 4, 1);
	flip_record(&desc, 8, 1);
	flip_record(&desc, 9, 0x10);
}

int main(void)
{
	profile = sva_model_dsa2;
	space_init(&before);
	for (int i = 0; i < TRIAL_OPS; i++) {
		trial_space(&space, 4, 55);
		controls(trial_ops[i]);
		space_free(&space);
	}
	ok(flips && !missed, "%lu flipped bytes, %lu not noticed", flips, missed);
	flips = missed = 0;
	trial_space(&space, 4, 55);
	special_fields();
	ok(flips && !missed, "%lu flipped fields of records, %lu not noticed", flips, missed);
	space_free(&space);
	space_free(&before);
	return done();
}
