/* SPDX-License-Identifier: MIT */
/*
 * Queues: what each instruction answers on each kind of queue, thresholds, order; and the entries
 * of the event log.
 */
#include <errno.h>

#include "model/model.h"
#include "tests/tap.h"

#define SIZE 8

static struct sva_desc ring[SIZE];

static struct sva_model_queue queue_of(bool dedicated, uint32_t threshold)
{
	return (struct sva_model_queue){
		.enabled = true,
		.dedicated = dedicated,
		.size = SIZE,
		.threshold = threshold,
		.ring = ring,
	};
}

static struct sva_desc numbered(uint32_t n)
{
	return (struct sva_desc){ .size = n, .op.bytes[23] = (uint8_t)n };
}

static int put(struct sva_model_queue *queue, enum sva_model_store how, uint32_t n)
{
	struct sva_desc desc = numbered(n);

	return sva_model_enqueue(queue, how, &desc);
}

static void shared(void)
{
	struct sva_model_queue queue = queue_of(false, 5);
	struct sva_desc desc;
	unsigned int wrong = 0;

	for (uint32_t n = 0; n < 5; n++)
		wrong += put(&queue, SVA_MODEL_ENQCMD, n) != 0;
	is(wrong, 0, "shared: accepts as many as the threshold");
	is_rc(put(&queue, SVA_MODEL_ENQCMD, 9), -EAGAIN, "then: retry");
	is(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 5), 0,
	   "the unlimited portal is not bound to the threshold");
	is(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 6), 0, "up to the size");
	is(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 7), 0, "of the queue");
	is_rc(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 9), -EAGAIN, "then: retry too");
	is(put(&queue, SVA_MODEL_MOVDIR64B, 9), 0, "MOVDIR64B to a shared queue answers nothing");
	is(queue.dropped, 1, "and is dropped");
	is(queue.swerror, 0, "without an error");
	is(queue.retried, 2, "retries are counted");
	is(queue.accepted, 8, "so is what was accepted");
	for (uint32_t n = 0; n < 8; n++) {
		struct sva_desc want = numbered(n);

		wrong += !sva_model_dequeue(&queue, &desc) || memcmp(&desc, &want, 64);
	}
	is(wrong, 0, "they come out in order, whole");
	ok(!sva_model_dequeue(&queue, &desc), "and then there is none");
	queue.threshold = 100;
	for (uint32_t n = 0; n < 8; n++)
		wrong += put(&queue, SVA_MODEL_ENQCMD, n) != 0;
	ok(!wrong && put(&queue, SVA_MODEL_ENQCMD, 9) == -EAGAIN,
	   "a threshold beyond the size is the size");
}

static void dedicated(void)
{
	struct sva_model_queue queue = queue_of(true, 2);
	struct sva_desc desc;
	unsigned int wrong = 0;

	for (uint32_t n = 0; n < SIZE; n++)
		wrong += put(&queue, SVA_MODEL_MOVDIR64B, n) != 0;
	is(wrong, 0, "dedicated: accepts as many as its size, whatever the threshold");
	is(queue.swerror, 0, "without an error");
	is(put(&queue, SVA_MODEL_MOVDIR64B, 9), 0, "the next one answers the same");
	is(queue.dropped, 1, "but is dropped");
	is(queue.swerror, 0x53, "with error 0x53");
	is_rc(put(&queue, SVA_MODEL_ENQCMD, 9), -EAGAIN, "ENQCMD to a dedicated queue: retry");
	sva_model_dequeue(&queue, &desc);
	is_rc(put(&queue, SVA_MODEL_ENQCMD, 9), -EAGAIN, "even when there is room");
	is_rc(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 9), -EAGAIN, "through each portal");
	is(queue.retried, 3, "counted");
	/* Round and round. */
	for (uint32_t n = SIZE; n < 100; n++) {
		struct sva_desc want = numbered(n - SIZE + 1);

		put(&queue, SVA_MODEL_MOVDIR64B, n);
		wrong += !sva_model_dequeue(&queue, &desc) || memcmp(&desc, &want, 64);
	}
	is(wrong, 0, "the ring goes round");
	is(queue.count, SIZE - 1, "and holds what it should");
}

static void disabled(void)
{
	for (int kind = 0; kind < 2; kind++) {
		struct sva_model_queue queue = queue_of(kind, 4);

		queue.enabled = false;
		is_rc(put(&queue, SVA_MODEL_ENQCMD, 1), -EAGAIN, "disabled: ENQCMD retries");
		is(put(&queue, SVA_MODEL_MOVDIR64B, 1), 0, "MOVDIR64B answers nothing");
		ok(queue.dropped == 1 && !queue.count && !queue.swerror && !queue.accepted,
		   "and is dropped without an error");
	}
}

static void profiles(void)
{
	ok(sva_model_profile_find("dsa1") == &sva_model_dsa1 &&
		   sva_model_profile_find("dsa2") == &sva_model_dsa2 &&
		   sva_model_profile_find("dsa3") == &sva_model_dsa3,
	   "profiles are found by name");
	ok(!sva_model_profile_find("dsa") && !sva_model_profile_find("dsa11") &&
		   !sva_model_profile_find(""),
	   "and only by the whole name");
	is(sva_model_dsa1.gen_cap, 0x40915f010f, "gen_cap of Sapphire Rapids");
	is(sva_model_dsa1.op_cap[0], 0x1003f03ff, "its operations");
	is(sva_model_dsa2.op_cap[0], 0x100bf07ff, "those of DSA 2");
	is(sva_model_dsa3.op_cap[0], 0x100bf07ff, "and of DSA 3, less what the model does not do");
	ok(sva_model_dsa1.version == 0x100 && sva_model_dsa2.version == 0x200 &&
		   sva_model_dsa3.version == 0x300,
	   "versions");
	ok(SVA_GENCAP_MAX_XFER(sva_model_dsa1.gen_cap) == 1ull << 31 &&
		   SVA_GENCAP_MAX_BATCH(sva_model_dsa1.gen_cap) == 1024,
	   "limits of the device");
	ok(sva_model_dsa1.max_transfer == 2u << 20 && sva_model_dsa1.max_batch == 32,
	   "limits of the queue");
	is(sva_model_dsa1.gen_cap >> 13 & 3, 0, "DSA 1 has no event log");
	is(sva_model_dsa2.gen_cap >> 13 & 3, 1, "DSA 2 has one of 64 bytes");
	/* By their numbers in the register. Which of them a chip on sale has is not known. */
	is(sva_model_dsa2.gen_cap ^ sva_model_dsa1.gen_cap,
	   1 << 3 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 15,
	   "(chosen) what revision 2.0 changed in gen_cap");
	is(sva_model_dsa3.gen_cap ^ sva_model_dsa2.gen_cap, 1 << 5 | 1ll << 52,
	   "(chosen) what revision 3.0 changed in it");
}

static uint64_t bits(const uint8_t *entry, int byte, int len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | entry[byte + len];
	return value;
}

static void event_log(void)
{
	struct sva_desc desc = {.flags_opcode =
					sva_desc_word(SVA_OPCODE_FILL,
						      SVA_DESC_CRAV | SVA_DESC_RCR | SVA_DESC_RCI)};
	struct sva_model_outcome outcome = {
		.end = SVA_MODEL_LOST,
		.comp = {.status = 1, .bytes = 0x11223344},
		.swerror = 0x1a,
		.swerror_addr = 0x123456789abcdef0,
		.swerror_index = 0x0203,
		.in_batch = true,
		.first_in_batch = true,
		.priv = true,
	};
	uint8_t entry[72];

	memset(entry, 0xee, sizeof(entry));
	desc.int_handle = 0x4567;
	ok(sva_model_evl_entry(&desc, &outcome, 0xfedcba98, 0x5a, entry), "an error is logged");
	is(bits(entry, 0, 1), 0xfc,
	   "valid: descriptor, queue, information; in a batch, write, privileged");
	is(entry[1], 0x1a, "error");
	is(entry[2], 0x5a, "queue");
	is(entry[3], 0, "batch identifier is the device's");
	is(entry[4], SVA_OPCODE_FILL, "operation");
	is(bits(entry, 5, 3), 0xcba98, "PASID, 20 bits");
	is(bits(entry, 8, 2), 0x0203, "index in the batch");
	is(bits(entry, 12, 4), 0xa00d4567, "operand 5, first error, RCR, RCI, handle");
	is(bits(entry, 16, 8), 0x123456789abcdef0, "address");
	is(bits(entry, 24, 8), 0, "nothing here");
	ok(!memcmp(entry + 32, &outcome.comp, 32), "and the record");
	is(bits(entry, 64, 8), 0xeeeeeeeeeeeeeeee, "nothing beyond");

	outcome.swerror = 0x27;
	outcome.in_batch = outcome.first_in_batch = outcome.priv = false;
	desc.flags_opcode = sva_desc_word(SVA_OPCODE_BATCH, SVA_DESC_CRAV);
	desc.int_handle = 0;
	sva_model_evl_entry(&desc, &outcome, 1, 0, entry);
	is(bits(entry, 0, 1), 0x8c, "a batch's record: not in a batch, no fault");
	is(bits(entry, 12, 4), 0, "no information");
	outcome.swerror = 0;
	ok(!sva_model_evl_entry(&desc, &outcome, 1, 0, entry), "no error: nothing to log");
}

int main(void)
{
	shared();
	dedicated();
	disabled();
	profiles();
	event_log();
	return done();
}
