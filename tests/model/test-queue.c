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
	subject("a shared queue of 8, threshold 5");
	is(wrong, 0, "it accepts as many as the threshold");
	is_rc(put(&queue, SVA_MODEL_ENQCMD, 9), -EAGAIN, "ENQCMD beyond the threshold");
	is(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 5), 0,
	   "the unlimited portal goes beyond the threshold");
	is(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 6), 0,
	   "the unlimited portal accepts the seventh");
	is(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 7), 0,
	   "the unlimited portal accepts the eighth");
	is_rc(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 9), -EAGAIN,
	      "the unlimited portal beyond the size of the queue");
	is(put(&queue, SVA_MODEL_MOVDIR64B, 9), 0, "MOVDIR64B has no answer");
	is(queue.dropped, 1, "MOVDIR64B is dropped");
	is(queue.swerror, 0, "MOVDIR64B is dropped without an error");
	is(queue.retried, 2, "it has counted two retries");
	is(queue.accepted, 8, "it has counted eight accepted descriptors");
	for (uint32_t n = 0; n < 8; n++) {
		struct sva_desc want = numbered(n);

		wrong += !sva_model_dequeue(&queue, &desc) || memcmp(&desc, &want, 64);
	}
	is(wrong, 0, "the descriptors are dequeued in order, unchanged");
	ok(!sva_model_dequeue(&queue, &desc), "an empty queue gives no descriptor");
	queue.threshold = 100;
	for (uint32_t n = 0; n < 8; n++)
		wrong += put(&queue, SVA_MODEL_ENQCMD, n) != 0;
	ok(!wrong && put(&queue, SVA_MODEL_ENQCMD, 9) == -EAGAIN,
	   "a threshold beyond the size counts as the size");
}

static void dedicated(void)
{
	struct sva_model_queue queue = queue_of(true, 2);
	struct sva_desc desc;
	unsigned int wrong = 0;

	for (uint32_t n = 0; n < SIZE; n++)
		wrong += put(&queue, SVA_MODEL_MOVDIR64B, n) != 0;
	subject("a dedicated queue of 8");
	is(wrong, 0, "it accepts as many as its size, whatever the threshold");
	is(queue.swerror, 0, "it has no error up to its size");
	is(put(&queue, SVA_MODEL_MOVDIR64B, 9), 0, "the ninth descriptor has the same answer");
	is(queue.dropped, 1, "the ninth descriptor is dropped");
	is(queue.swerror, 0x53, "the drop is reported as error 0x53");
	is_rc(put(&queue, SVA_MODEL_ENQCMD, 9), -EAGAIN, "ENQCMD to the full queue");
	sva_model_dequeue(&queue, &desc);
	is_rc(put(&queue, SVA_MODEL_ENQCMD, 9), -EAGAIN, "ENQCMD when there is room");
	is_rc(put(&queue, SVA_MODEL_ENQCMD_UNLIMITED, 9), -EAGAIN,
	      "ENQCMD to the unlimited portal");
	is(queue.retried, 3, "it has counted three retries");
	/* The ring wraps around several times. */
	for (uint32_t n = SIZE; n < 100; n++) {
		struct sva_desc want = numbered(n - SIZE + 1);

		put(&queue, SVA_MODEL_MOVDIR64B, n);
		wrong += !sva_model_dequeue(&queue, &desc) || memcmp(&desc, &want, 64);
	}
	is(wrong, 0, "descriptors keep their order while the ring wraps around");
	is(queue.count, SIZE - 1, "it holds as many descriptors as before");
}

static void disabled(void)
{
	for (int kind = 0; kind < 2; kind++) {
		struct sva_model_queue queue = queue_of(kind, 4);

		queue.enabled = false;
		subject("a disabled %s queue", kind ? "dedicated" : "shared");
		is_rc(put(&queue, SVA_MODEL_ENQCMD, 1), -EAGAIN, "ENQCMD");
		is(put(&queue, SVA_MODEL_MOVDIR64B, 1), 0, "MOVDIR64B has no answer");
		ok(queue.dropped == 1 && !queue.count && !queue.swerror && !queue.accepted,
		   "MOVDIR64B is dropped without an error");
	}
}

static void profiles(void)
{
	subject("profiles");
	ok(sva_model_profile_find("dsa1") == &sva_model_dsa1 &&
		   sva_model_profile_find("dsa2") == &sva_model_dsa2 &&
		   sva_model_profile_find("dsa3") == &sva_model_dsa3,
	   "each is found by its name");
	ok(!sva_model_profile_find("dsa") && !sva_model_profile_find("dsa11") &&
		   !sva_model_profile_find(""),
	   "none is found by another name");
	is(sva_model_dsa1.gen_cap, 0x40915f010f, "gen_cap of Sapphire Rapids");
	is(sva_model_dsa1.op_cap[0], 0x1003f03ff, "op_cap of Sapphire Rapids");
	is(sva_model_dsa2.op_cap[0], 0x100bf07ff, "op_cap of DSA 2");
	is(sva_model_dsa3.op_cap[0], 0x100bf07ff, "op_cap of DSA 3, as far as the model has it");
	ok(sva_model_dsa1.version == 0x100 && sva_model_dsa2.version == 0x200 &&
		   sva_model_dsa3.version == 0x300,
	   "each has its version");
	ok(SVA_GENCAP_MAX_XFER(sva_model_dsa1.gen_cap) == 1ull << 31 &&
		   SVA_GENCAP_MAX_BATCH(sva_model_dsa1.gen_cap) == 1024,
	   "limits of the device in gen_cap of DSA 1");
	ok(sva_model_dsa1.max_transfer == 2u << 20 && sva_model_dsa1.max_batch == 32,
	   "limits of the queue of DSA 1 are those of Linux");
	is(sva_model_dsa1.gen_cap >> 13 & 3, 0, "DSA 1 has no event log");
	is(sva_model_dsa2.gen_cap >> 13 & 3, 1, "DSA 2 has an event log with entries of 64 bytes");
	/* By their numbers in the register. Which of them a chip on sale has is not known. */
	is(sva_model_dsa2.gen_cap ^ sva_model_dsa1.gen_cap,
	   1 << 3 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 15,
	   "(chosen) what revision 2.0 changed in gen_cap");
	is(sva_model_dsa3.gen_cap ^ sva_model_dsa2.gen_cap, 1 << 5 | 1ll << 52,
	   "(chosen) what revision 3.0 changed in gen_cap");
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
	subject("event log entry of an error in a batch");
	ok(sva_model_evl_entry(&desc, &outcome, 0xfedcba98, 0x5a, entry), "it is made");
	is(bits(entry, 0, 1), 0xfc,
	   "byte 0: valid descriptor, queue, information; in a batch, write, privileged");
	is(entry[1], 0x1a, "byte 1: error");
	is(entry[2], 0x5a, "byte 2: queue");
	is(entry[3], 0, "byte 3: batch identifier, which is left to the device");
	is(entry[4], SVA_OPCODE_FILL, "byte 4: operation");
	is(bits(entry, 5, 3), 0xcba98, "bytes 5 to 7: PASID, 20 bits");
	is(bits(entry, 8, 2), 0x0203, "bytes 8 and 9: index in the batch");
	is(bits(entry, 12, 4), 0xa00d4567,
	   "bytes 12 to 15: operand 5, first error, RCR, RCI, handle");
	is(bits(entry, 16, 8), 0x123456789abcdef0, "bytes 16 to 23: address");
	is(bits(entry, 24, 8), 0, "bytes 24 to 31: 0");
	ok(!memcmp(entry + 32, &outcome.comp, 32), "bytes 32 to 63: the record");
	is(bits(entry, 64, 8), 0xeeeeeeeeeeeeeeee, "bytes beyond 64 are not written");
	subject("event log entry");

	outcome.swerror = 0x27;
	outcome.in_batch = outcome.first_in_batch = outcome.priv = false;
	desc.flags_opcode = sva_desc_word(SVA_OPCODE_BATCH, SVA_DESC_CRAV);
	desc.int_handle = 0;
	sva_model_evl_entry(&desc, &outcome, 1, 0, entry);
	is(bits(entry, 0, 1), 0x8c, "a batch's record: not in a batch, no fault");
	is(bits(entry, 12, 4), 0, "a batch's record: bytes 12 to 15 are 0");
	outcome.swerror = 0;
	ok(!sva_model_evl_entry(&desc, &outcome, 1, 0, entry),
	   "an outcome without an error has none");
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
