/* SPDX-License-Identifier: MIT */
/*
 * What each operation does, one byte at a time. Facts: sections B.3, C and D; nothing here is meant
 * to be fast.
 */
#include "reference.h"

#include <string.h>

#define S(code) (1ull << (code))

/* ---- bytes and faults ---- */

static void note_fault(struct ref_op *op, uint64_t addr, bool write, uint8_t operand)
{
	struct ref_expect *expect = op->expect;

	expect->faults[expect->nfaults++] = (struct ref_fault){ addr, write, operand };
}

static bool get(struct ref_op *op, uint64_t addr, uint8_t operand, uint8_t *byte)
{
	if (!space_allows(op->ref->space, addr, SVA_MODEL_READ | op->bof)) {
		note_fault(op, addr, false, operand);
		return false;
	}
	*byte = *space_at(op->ref->space, addr);
	return true;
}

static bool can_put(struct ref_op *op, uint64_t addr, uint8_t operand)
{
	if (space_allows(op->ref->space, addr, SVA_MODEL_WRITE | op->bof))
		return true;
	note_fault(op, addr, true, operand);
	return false;
}

static void put(struct ref_op *op, uint64_t addr, uint8_t byte)
{
	*space_at(op->ref->space, addr) = byte;
}

/* A range that may hold anything after a fault: take it over from the model. */
static void leave_open(struct ref_op *op, uint64_t addr, uint64_t len)
{
	if (op->in_batch)
		op->ref->loose = true;
	for (uint64_t i = 0; i < len; i++) {
		uint8_t *mine = space_at(op->ref->space, addr + i);

		if (mine && space_allows(op->ref->space, addr + i, SVA_MODEL_WRITE))
			*mine = *space_at(op->ref->model, addr + i);
	}
}

/*
 * The device may make any of the pages before a fault resident. In a batch the further course is
 * open; alone, only the page of the record still matters, and the model reports its state.
 */
static void leave_pages_open(struct ref_op *op)
{
	const uint64_t record = ref_field(op->desc, 8, 8);

	if (op->bof && op->in_batch)
		op->ref->loose = true;
	else if (op->bof && space_at(op->ref->space, record))
		space_use(op->ref->space, record, space_use_of(op->ref->model, record));
}

/* ---- how it ends ---- */

static void bytes_completed(struct ref_op *op, uint64_t bytes)
{
	op->expect->check_bytes = true;
	op->expect->bytes = (uint32_t)bytes;
}

static void result(struct ref_op *op, uint8_t value)
{
	op->expect->check_result = true;
	op->expect->result = value;
}

static void specific(struct ref_op *op, int byte, uint64_t value, int len)
{
	for (int i = 0; i < len; i++) {
		op->expect->specific[byte - 16 + i] = (uint8_t)(value >> (8 * i));
		op->expect->specific_known[byte - 16 + i] = 0xff;
	}
}

static void success(struct ref_op *op)
{
	op->expect->statuses = S(0x01);
	bytes_completed(op, 0);
}

static void faulted(struct ref_op *op, uint64_t bytes)
{
	op->expect->statuses = op->bof ? S(0x04) : S(0x03);
	bytes_completed(op, bytes);
	leave_pages_open(op);
}

static uint64_t src_of(const struct ref_op *op)
{
	return ref_field(op->desc, 16, 8);
}

static uint64_t dst_of(const struct ref_op *op)
{
	return ref_field(op->desc, 24, 8);
}

static uint64_t size_of(const struct ref_op *op)
{
	return ref_field(op->desc, 32, 4);
}

static bool flag(const struct ref_op *op, int bit)
{
	return ref_field(op->desc, 4, 3) >> bit & 1;
}

/* ---- drain ---- */

static void drain(struct ref_op *op)
{
	uint8_t byte;

	success(op);
	if ((flag(op, 16) && !get(op, src_of(op), 1, &byte)) ||
	    (flag(op, 17) && !get(op, dst_of(op), 2, &byte))) {
		op->expect->statuses = S(0x1f);
		op->expect->check_bytes = false;
	}
}

/* ---- move, fill, dualcast ---- */

static bool copy_byte(struct ref_op *op, uint64_t to, uint64_t from)
{
	bool readable, writable;
	uint8_t byte = 0;

	/* Both, so that either fault may be the one that is reported. */
	readable = get(op, from, 1, &byte);
	writable = can_put(op, to, 3);
	if (readable && writable)
		put(op, to, byte);
	return readable && writable;
}

static void move(struct ref_op *op)
{
	const uint64_t from = src_of(op), to = dst_of(op), size = size_of(op);
	const bool down = to - from < size && to != from;
	uint64_t done = 0;

	while (done < size) {
		uint64_t i = down ? size - 1 - done : done;

		if (!copy_byte(op, to + i, from + i))
			break;
		done++;
	}
	if (done == size) {
		success(op);
		return;
	}
	faulted(op, done);
	result(op, down);
	op->expect->page_only = down;
}

static void fill(struct ref_op *op)
{
	const uint64_t to = dst_of(op), size = size_of(op);

	for (uint64_t i = 0; i < size; i++) {
		uint64_t in_pattern = i % (flag(op, 18) ? 16 : 8);

		if (!can_put(op, to + i, 3)) {
			faulted(op, i);
			return;
		}
		put(op, to + i, op->desc[in_pattern < 8 ? 16 + in_pattern : 40 + in_pattern - 8]);
	}
	success(op);
}

static void dualcast(struct ref_op *op)
{
	const uint64_t from = src_of(op), one = dst_of(op), two = ref_field(op->desc, 40, 8),
		       size = size_of(op);

	for (uint64_t i = 0; i < size; i++) {
		uint8_t byte = 0;
		bool good = get(op, from + i, 1, &byte);

		good = can_put(op, one + i, 3) && good;
		good = can_put(op, two + i, 4) && good;
		if (!good) {
			faulted(op, i);
			return;
		}
		put(op, one + i, byte);
		put(op, two + i, byte);
	}
	success(op);
}

/* ---- compare ---- */

static void compared(struct ref_op *op, uint64_t equal)
{
	const bool differ = equal < size_of(op);

	success(op);
	result(op, differ);
	if (differ)
		bytes_completed(op, equal);
	if (flag(op, 7) && differ != (op->desc[40] & 1))
		op->expect->statuses = S(0x02);
}

static void compare(struct ref_op *op, bool pattern)
{
	const uint64_t size = size_of(op);
	uint64_t i;

	for (i = 0; i < size; i++) {
		uint8_t a = 0, b = op->desc[24 + i % 8];
		bool good = get(op, src_of(op) + i, 1, &a);

		if (!pattern)
			good = get(op, dst_of(op) + i, 2, &b) && good;
		if (!good) {
			faulted(op, i);
			result(op, 0);
			return;
		}
		if (a != b)
			break;
	}
	compared(op, i);
	op->expect->check_at_most = pattern;
}

/* ---- delta ---- */

/* A word of both sources. */
static bool get_words(struct ref_op *op, uint64_t offset, uint8_t old[8], uint8_t new[8])
{
	bool good = true;

	for (unsigned int i = 0; i < 8 && good; i++)
		good = get(op, src_of(op) + offset + i, 1, &old[i]);
	for (unsigned int i = 0; i < 8; i++) {
		if (!get(op, dst_of(op) + offset + i, 2, &new[i]))
			return false;
	}
	return good;
}

static void created(struct ref_op *op, uint8_t value, uint64_t size)
{
	success(op);
	result(op, value);
	specific(op, 16, size, 4);
	if (flag(op, 7) && !(op->desc[56] >> value & 1))
		op->expect->statuses = S(0x02);
}

/*
 * The record may end early when it is full, at a place that is the device's choice, so the model's
 * is taken if it is lawful: in whole entries, no more than the maximum and less than a cache line's
 * entries below it.
 */
static bool overflow_lawful(const struct ref_op *op, uint64_t used, uint64_t max, uint64_t words,
			    uint64_t entries_before)
{
	const struct sva_comp *known = op->known;

	return known && known->result == 2 && used % 10 == 0 && used <= max && used + 80 > max &&
	       known->bytes % 8 == 0 && known->bytes <= words * 8 && entries_before * 10 == used;
}

static void create_delta(struct ref_op *op)
{
	const uint64_t record = ref_field(op->desc, 40, 8), max = ref_field(op->desc, 48, 4),
		       size = size_of(op);
	const struct sva_comp *known = op->known;
	const bool full = known && known->result == 2;
	/* the model wrote entries only for words before this */
	const uint64_t stop = full ? known->bytes : size;
	uint64_t entries = 0, before = 0, i;
	uint8_t old[8], new[8], entry[10];

	for (i = 0; i < size; i += 8) {
		if (!get_words(op, i, old, new)) {
			faulted(op, i);
			result(op, entries > 0);
			specific(op, 16, entries * 10, 4);
			return;
		}
		if (!memcmp(old, new, 8))
			continue;
		entries++;
		if (entries * 10 > max)
			break;
		entry[0] = (uint8_t)(i / 8);
		entry[1] = (uint8_t)(i / 8 >> 8);
		memcpy(entry + 2, new, 8);
		for (unsigned int k = 0; k < 10 && i < stop; k++) {
			if (can_put(op, record + 10 * (entries - 1) + k, 3))
				continue;
			faulted(op, i);
			result(op, entries > 1);
			specific(op, 16, (entries - 1) * 10, 4);
			leave_open(op, record + 10 * (entries - 1), 10);
			return;
		}
		for (unsigned int k = 0; k < 10 && i < stop; k++)
			put(op, record + 10 * (entries - 1) + k, entry[k]);
		before += i < stop;
	}
	if (entries * 10 > max && !known)
		/* in a batch, with a lost record: where it ended is not known */
		op->ref->loose = true;
	if (entries * 10 <= max) {
		created(op, entries > 0, entries * 10);
	} else if (overflow_lawful(op, before * 10, max, i / 8, before)) {
		created(op, 2, before * 10);
		bytes_completed(op, stop);
		leave_pages_open(op);
	} else {
		op->expect->statuses = 0; /* it should have overflowed */
	}
}

static void apply_delta(struct ref_op *op)
{
	const uint64_t record = src_of(op), record_size = ref_field(op->desc, 40, 4);
	long last = -1;

	for (uint64_t done = 0; done < record_size; done += 10) {
		uint8_t entry[10];
		long offset;

		for (unsigned int k = 0; k < 10; k++) {
			if (!get(op, record + done + k, 1, &entry[k])) {
				faulted(op, done);
				return;
			}
		}
		offset = entry[0] + 256 * entry[1];
		bytes_completed(op, done);
		if (offset <= last) {
			op->expect->statuses = S(0x07);
			return;
		}
		if ((uint64_t)offset * 8 >= size_of(op)) {
			op->expect->statuses = S(0x08);
			return;
		}
		if (!can_put(op, dst_of(op) + (uint64_t)offset * 8, 3)) {
			faulted(op, done);
			return;
		}
		for (unsigned int k = 0; k < 8; k++)
			put(op, dst_of(op) + (uint64_t)offset * 8 + k, entry[2 + k]);
		last = offset;
	}
	success(op);
}

/* ---- CRC ---- */

uint64_t ref_reverse(uint64_t value, int width)
{
	uint64_t out = 0;

	for (int i = 0; i < width; i++)
		out |= (value >> i & 1) << (width - 1 - i);
	return out;
}

uint64_t ref_crc_bits(uint64_t reg, int width, uint64_t poly, uint8_t byte, bool low_bit_first)
{
	const uint64_t ones = width == 64 ? UINT64_MAX : (1ull << width) - 1;

	for (int i = 0; i < 8; i++) {
		int in = byte >> (low_bit_first ? i : 7 - i) & 1;
		int top = (int)(reg >> (width - 1) & 1);

		reg = (reg << 1 & ones) ^ (in != top ? poly : 0);
	}
	return reg;
}

static void crc(struct ref_op *op, bool copies)
{
	const int width = flag(op, 19) ? 64 : 32;
	const uint64_t poly = width == 64 ? 0xad93d23594c93659 : 0x1edc6f41;
	const uint64_t ones = width == 64 ? UINT64_MAX : 0xffffffff;
	const uint64_t size = size_of(op),
		       unit = op->ref->profile->crc_pad ? (uint64_t)width / 8 : 1;
	const uint64_t total = (size + unit - 1) / unit * unit;
	uint64_t seed = ref_field(op->desc, 40, width / 8), reg, i, out;

	if (flag(op, 16)) {
		uint8_t byte = 0;

		seed = 0;
		for (int k = 0; k < width / 8; k++) {
			if (!get(op, ref_field(op->desc, 48, 8) + (unsigned int)k, 2, &byte)) {
				faulted(op, 0);
				return;
			}
			seed |= (uint64_t)byte << (8 * k);
		}
	}
	reg = flag(op, 17) ? seed : ref_reverse(~seed & ones, width);
	for (i = 0; i < total; i++) {
		uint8_t byte = 0;

		if (i < size) {
			if (copies ? !copy_byte(op, dst_of(op) + i, src_of(op) + i) :
				     !get(op, src_of(op) + i, 1, &byte))
				break;
			byte = *space_at(op->ref->space, src_of(op) + i);
		}
		reg = ref_crc_bits(reg, width, poly, byte, !flag(op, 18));
	}
	out = flag(op, 17) ? reg : ~ref_reverse(reg, width) & ones;
	if (i == total)
		success(op);
	else
		faulted(op, i);
	if (i)
		specific(op, 16, out, width / 8);
}

/* ---- DIF and DIX ---- */

struct dif {
	uint64_t block, step_from, step_to; /* bytes from block to block */
	bool checks, copies, writes;
	uint64_t from, to;                  /* of the block under way */
	uint16_t app_from, app_to;
	uint32_t ref_from, ref_to;
	uint8_t tuple[8];
	uint16_t guard;
};

/* All of the source block, and its tuple; the guard is computed on the way. */
static bool dif_read(struct ref_op *op, struct dif *dif)
{
	uint64_t reg = op->desc[42] & 4 ? 0xffff : 0;

	for (uint64_t i = 0; i < dif->block + (dif->checks ? 8 : 0); i++) {
		uint8_t byte;

		if (!get(op, dif->from + i, 1, &byte))
			return false;
		if (i < dif->block)
			reg = ref_crc_bits(reg, 16, 0x8bb7, byte, false);
		else
			dif->tuple[i - dif->block] = byte;
	}
	dif->guard = (uint16_t)(op->desc[42] & 8 ? ~reg : reg);
	return true;
}

/* The first place of the destination block that cannot be written. */
static bool dif_writable(struct ref_op *op, const struct dif *dif)
{
	for (uint64_t i = 0; i < dif->step_to; i++) {
		if (!can_put(op, dif->to + i, 3))
			return false;
	}
	return true;
}

static uint8_t dif_errors(const struct ref_op *op, const struct dif *dif)
{
	const uint8_t flags = op->desc[40];
	const unsigned int guard = dif->tuple[0] * 256u + dif->tuple[1],
			   app = dif->tuple[2] * 256u + dif->tuple[3];
	const uint32_t ref = ((uint32_t)dif->tuple[4] << 24) + ((uint32_t)dif->tuple[5] << 16) +
			     ((uint32_t)dif->tuple[6] << 8) + dif->tuple[7];
	const unsigned int counts = 0xffffu & ~(unsigned int)ref_field(op->desc, 52, 2);
	uint8_t errors = 0;

	if ((flags & 2) && guard == 0xffff && app == 0xffff && ref == 0xffffffff)
		return flags & 1 ? 8 : 0;
	if ((flags & 4) && app == 0xffff)
		return 0;
	if ((flags & 8) && app == 0xffff && ref == 0xffffffff)
		return 0;
	if (!(flags & 0x20) && guard != dif->guard)
		errors |= 1;
	if ((app & counts) != (dif->app_from & counts))
		errors |= 2;
	if (!(flags & 0x40) && ref != dif->ref_from)
		errors |= 4;
	return errors;
}

static void dif_write(struct ref_op *op, const struct dif *dif)
{
	const uint8_t pass = dif->checks ? op->desc[41] : 0;
	const uint16_t app = dif->app_to & (uint16_t)~ref_field(op->desc, 60, 2);
	uint64_t at = dif->to;

	for (uint64_t i = 0; i < dif->block && dif->copies; i++)
		put(op, at++, *space_at(op->ref->space, dif->from + i));
	if (!dif->writes)
		return;
	for (unsigned int i = 0; i < 8; i++) {
		uint64_t made = (uint64_t)dif->guard << 48 | (uint64_t)app << 32 | dif->ref_to;
		uint8_t bit = i < 2 ? 0x20 : i < 4 ? 0x08 : 0x40;

		put(op, at + i, pass & bit ? dif->tuple[i] : (uint8_t)(made >> (56 - 8 * i)));
	}
}

static void dif_set_up(const struct ref_op *op, struct dif *dif)
{
	const uint8_t opcode = op->desc[7];
	static const uint64_t blocks[] = { 512, 520, 4096, 4104 };

	memset(dif, 0, sizeof(*dif));
	dif->block = blocks[op->desc[42] & 3];
	dif->checks = opcode == 0x12 || opcode == 0x14 || opcode == 0x15;
	dif->copies = opcode == 0x13 || opcode == 0x14 || opcode == 0x15;
	dif->writes = opcode == 0x13 || opcode == 0x15 || opcode == 0x17;
	dif->step_from = dif->block + (dif->checks ? 8 : 0);
	dif->step_to = (dif->copies ? dif->block : 0) + (dif->writes ? 8 : 0);
	dif->from = src_of(op);
	dif->to = dst_of(op);
	dif->ref_from = (uint32_t)ref_field(op->desc, 48, 4);
	dif->app_from = (uint16_t)ref_field(op->desc, 54, 2);
	dif->ref_to = (uint32_t)ref_field(op->desc, 56, 4);
	dif->app_to = (uint16_t)ref_field(op->desc, 62, 2);
}

/* False: it ends at this block. */
static bool dif_block(struct ref_op *op, struct dif *dif)
{
	const uint64_t done = dif->from - src_of(op);
	uint8_t errors;
	bool readable;

	readable = dif_read(op, dif);
	if (readable && dif->checks) {
		errors = dif_errors(op, dif);
		if (errors) {
			op->expect->statuses = S(0x09);
			bytes_completed(op, done);
			result(op, errors);
			return false;
		}
	}
	if (!dif_writable(op, dif) || !readable) {
		faulted(op, done);
		leave_open(op, dif->to, dif->step_to);
		return false;
	}
	dif_write(op, dif);
	return true;
}

static void dif(struct ref_op *op)
{
	struct dif dif;

	dif_set_up(op, &dif);
	success(op);
	while (dif.from - src_of(op) < size_of(op) && dif_block(op, &dif)) {
		dif.from += dif.step_from;
		dif.to += dif.step_to;
		dif.ref_from += op->desc[40] & 0x80 ? 0 : 1;
		dif.app_from += op->desc[40] & 0x10 ? 1 : 0;
		dif.ref_to += op->desc[41] & 0x80 ? 0 : 1;
		dif.app_to += op->desc[41] & 0x10 ? 1 : 0;
	}
	if (op->expect->statuses == S(0x09))
		return;
	if (dif.checks) {
		specific(op, 16, dif.ref_from, 4);
		specific(op, 20, ref_field(op->desc, 52, 2), 2);
		specific(op, 22, dif.app_from, 2);
	}
	if (dif.writes) {
		specific(op, 24, dif.ref_to, 4);
		specific(op, 28, ref_field(op->desc, 60, 2), 2);
		specific(op, 30, dif.app_to, 2);
	}
}

/* ---- caches ---- */

static void flush(struct ref_op *op)
{
	uint8_t byte;

	for (uint64_t i = 0; i < size_of(op); i++) {
		if (!get(op, dst_of(op) + i, 3, &byte)) {
			faulted(op, i);
			return;
		}
	}
	success(op);
}

static void fetch(struct ref_op *op)
{
	const uint64_t stride = flag(op, 16) ? ref_field(op->desc, 48, 4) : 1;
	uint8_t byte;

	success(op);
	for (uint64_t i = 0; i < size_of(op); i += stride) {
		if (!get(op, src_of(op) + i, 1, &byte)) {
			faulted(op, 0);
			op->expect->check_bytes = false;
			return;
		}
	}
}

void ref_operate(struct ref_op *op)
{
	switch (op->desc[7]) {
	case 0x00:
		success(op);
		break;
	case 0x02:
		drain(op);
		break;
	case 0x03:
		move(op);
		break;
	case 0x04:
		fill(op);
		break;
	case 0x05:
	case 0x06:
		compare(op, op->desc[7] == 0x06);
		break;
	case 0x07:
		create_delta(op);
		break;
	case 0x08:
		apply_delta(op);
		break;
	case 0x09:
		dualcast(op);
		break;
	case 0x0a:
		fetch(op);
		break;
	case 0x10:
	case 0x11:
		crc(op, op->desc[7] == 0x11);
		break;
	case 0x20:
		flush(op);
		break;
	default:
		dif(op);
	}
}
