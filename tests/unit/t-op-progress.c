/* SPDX-License-Identifier: MIT */
/*
 * Chunks and partial completions as pure arithmetic: a device of a few lines, which stops after a
 * given number of bytes, in either direction, executes the descriptors; whatever the chunks and
 * wherever it stops, memory and result must be those of one operation without stops.
 */
#include "lib/op/op.h"
#include "tap.h"
#include "unit/reference.h"

#define SIZE 16384u
#define ROUNDS_MOST 100000u

static uint8_t mem[SIZE], start[SIZE], want[SIZE];
static struct sva_op op;

/* ------------------------------------------------------------------ the device */

struct device {
	uint64_t max;       /* of its queue */
	uint64_t first;     /* bytes done before it stops, in the first attempt at a chunk */
	uint64_t later;     /* and in each one after; 0: all */
	bool from_end;      /* where a move may go either way */
	unsigned int lies;  /* this many records have an impossible count: */
	uint32_t claim;     /* so many bytes; 0: more than there are */
	unsigned int stops; /* how often it stops; 0: always */
	/* Counted. */
	unsigned int submitted;
	bool too_long, wrong_record;
};

static struct sva_comp *const comp = &op.comp;

static uint8_t *at(uint64_t addr)
{
	return (uint8_t *)(uintptr_t)addr;
}

/* The moved bytes are right whatever the overlap: then the direction is not free. */
static void do_move(const struct sva_desc *desc, uint64_t n, bool from_end)
{
	uint8_t *to = at(desc->dst), *from = at(desc->src);
	uint64_t size = desc->size;

	if (to > from && to < from + size)
		from_end = true;
	else if (from > to && from < to + size)
		from_end = false;
	for (uint64_t i = 0; i < n; i++)
		if (from_end)
			to[size - 1 - i] = from[size - 1 - i];
		else
			to[i] = from[i];
	comp->result = from_end;
}

static void do_compare(const struct sva_desc *desc, uint64_t *n)
{
	for (uint64_t i = 0; i < *n; i++) {
		uint8_t other = sva_desc_opcode(desc) == SVA_OPCODE_COMPARE ?
					at(desc->dst)[i] :
					(uint8_t)(desc->dst >> i % 8 * 8);

		if (at(desc->src)[i] == other)
			continue;
		/* A difference before the fault: this is a success. */
		comp->result = 1;
		comp->bytes = (uint32_t)i;
		*n = desc->size;
		return;
	}
}

static void do_crc(const struct sva_desc *desc, uint64_t n, bool copies)
{
	bool inversion = desc->flags_opcode & SVA_DESC_CRC_BYPASS_INV,
	     reflection = desc->flags_opcode & SVA_DESC_CRC_BYPASS_REF;

	/* undefined after nothing; the upper half always is for 32 bits */
	comp->op.crc = 0xbad0bad0bad0bad0ull;
	if (n && (desc->flags_opcode & SVA_DESC_CRC64))
		comp->op.crc =
			ref_crc64(at(desc->src), n, desc->op.crc.seed, inversion, reflection);
	else if (n)
		comp->op.crc = 0xbad0bad000000000ull |
			       ref_crc32c(at(desc->src), n, (uint32_t)desc->op.crc.seed, inversion,
					  reflection);
	if (copies)
		memmove(at(desc->dst), at(desc->src), n);
}

/* Whole blocks, with the tags of their own; the record has those of the next block. */
static void do_dif(const struct sva_desc *desc, uint64_t *n)
{
	unsigned int opcode = sva_desc_opcode(desc);
	bool has = opcode == SVA_OPCODE_DIF_STRIP || opcode == SVA_OPCODE_DIF_CHECK ||
		   opcode == SVA_OPCODE_DIF_UPDATE;
	bool adds = opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIF_UPDATE;
	struct sva_desc_dif tags = desc->op.dif;
	uint8_t *from = at(desc->src), *to = at(desc->dst), tuple[8];
	uint64_t blocks = *n / (512 + 8 * has);

	*n = blocks * (512 + 8 * has);
	for (; blocks; blocks--) {
		ref_dif_tuple(tuple, from, 512, 0, false, tags.src_app, tags.src_ref);
		if (has && memcmp(tuple, from + 512, 8))
			comp->status = SVA_STATUS_DIF_ERROR;
		if (opcode != SVA_OPCODE_DIX_GENERATE && opcode != SVA_OPCODE_DIF_CHECK) {
			memcpy(to, from, 512);
			to += 512;
		}
		ref_dif_tuple(tuple, from, 512, 0, false, tags.dst_app, tags.dst_ref);
		if (adds || opcode == SVA_OPCODE_DIX_GENERATE) {
			memcpy(to, tuple, 8);
			to += 8;
		}
		from += 512 + 8 * has;
		tags.src_ref++;
		tags.dst_ref++;
		tags.src_app += tags.src_flags >> 4 & 1;
		tags.dst_app += tags.dst_flags >> 4 & 1;
	}
	memset(&comp->op, 0xee, sizeof(comp->op));
	if (has)
		comp->op.dif.src_ref = tags.src_ref, comp->op.dif.src_app = tags.src_app;
	if (adds || opcode == SVA_OPCODE_DIX_GENERATE)
		comp->op.dif.dst_ref = tags.dst_ref, comp->op.dif.dst_app = tags.dst_app;
}

/* n bytes of the region, as far as there is room for whole entries. */
static void do_create_delta(const struct sva_desc *desc, uint64_t *n)
{
	uint8_t *record = at(desc->op.delta.addr_or_size);
	uint32_t size = 0;

	*n = *n / 8 * 8;
	comp->bytes = 0;
	for (uint64_t i = 0; i < *n; i += 8) {
		if (!memcmp(at(desc->src) + i, at(desc->dst) + i, 8))
			continue;
		if (size + 10 > desc->op.delta.max_size) {
			comp->result = 2;
			comp->bytes = (uint32_t)i;
			*n = desc->size;
			break;
		}
		record[size] = (uint8_t)(i / 8);
		record[size + 1] = (uint8_t)(i / 8 >> 8);
		memcpy(record + size + 2, at(desc->dst) + i, 8);
		size += 10;
		comp->result = 1;
	}
	comp->op.delta_size = size;
}

static void do_apply_delta(const struct sva_desc *desc, uint64_t *n)
{
	const uint8_t *record = at(desc->src);

	*n = *n / 10 * 10;
	for (uint64_t i = 0; i < *n; i += 10)
		memcpy(at(desc->dst) + (record[i] | record[i + 1] << 8) * 8, record + i + 2, 8);
}

/* Executes at most n bytes of the descriptor; n becomes the bytes done. */
static void execute(const struct sva_desc *desc, uint64_t *n, bool from_end)
{
	uint8_t pattern[16];

	memset(comp, 0, sizeof(*comp));
	switch (sva_desc_opcode(desc)) {
	case SVA_OPCODE_MEMMOVE:
		do_move(desc, *n, from_end);
		break;
	case SVA_OPCODE_FILL:
		memcpy(pattern, &desc->src, 8);
		memcpy(pattern + 8, &desc->op.fill.pattern_high, 8);
		ref_fill(at(desc->dst), *n, pattern, desc->flags_opcode & SVA_DESC_FILL16 ? 16 : 8);
		break;
	case SVA_OPCODE_DUALCAST:
		memcpy(at(desc->dst), at(desc->src), *n);
		memcpy(at(desc->op.dualcast.dst2), at(desc->src), *n);
		break;
	case SVA_OPCODE_COMPARE:
	case SVA_OPCODE_COMPARE_PATTERN:
		do_compare(desc, n);
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		do_crc(desc, *n, sva_desc_opcode(desc) == SVA_OPCODE_COPY_CRC);
		break;
	case SVA_OPCODE_CREATE_DELTA:
		do_create_delta(desc, n);
		break;
	case SVA_OPCODE_APPLY_DELTA:
		do_apply_delta(desc, n);
		break;
	case SVA_OPCODE_CACHE_FLUSH: /* writes a mark here, so that the test can see where it was */
		for (uint64_t i = 0; i < *n; i++)
			at(desc->dst)[i]++;
		break;
	case SVA_OPCODE_TRANSLATION_FETCH:
		break;
	default:
		do_dif(desc, n);
		break;
	}
}

static uint64_t work_of(const struct sva_desc *desc)
{
	return sva_desc_opcode(desc) == SVA_OPCODE_APPLY_DELTA ? desc->op.delta.addr_or_size :
								 desc->size;
}

/* One attempt: true if the descriptor was done. */
static bool attempt(struct device *device, bool first)
{
	const struct sva_desc *desc = &op.desc;
	uint64_t n = work_of(desc), most = first	 ? device->first :
					   device->later ? device->later :
							   n;

	device->submitted++;
	device->too_long |= desc->size > device->max;
	device->wrong_record |= desc->completion_addr != (uintptr_t)comp;
	if (most < n && !(device->stops && device->submitted > device->stops))
		n = most;
	if (device->lies) {
		n = 0;
		execute(desc, &n, device->from_end);
		comp->bytes = device->claim ? device->claim : desc->size + device->lies;
		device->lies--;
		comp->status = SVA_STATUS_PAGE_FAULT;
		return false;
	}
	execute(desc, &n, device->from_end);
	if (n == work_of(desc) || comp->result == 2) {
		if (!comp->status)
			comp->status = SVA_STATUS_SUCCESS;
		return true;
	}
	comp->bytes = (uint32_t)n;
	comp->status = SVA_STATUS_PAGE_FAULT;
	return false;
}

/* Runs an operation as issue.c and complete.c do. False: it did not end. */
static bool drive(struct device *device)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(&op);
	bool first = true;

	sva_progress_begin(&op);
	while (device->submitted < ROUNDS_MOST) {
		if (!p->mid_chunk) {
			sva_progress_next(&op, device->max);
			first = true;
		}
		if (!sva_progress_fits(&op, device->max))
			return false;
		if (!attempt(device, first)) {
			sva_progress_partial(&op, SVA_PATH_WRITE);
			first = false;
		} else if (sva_progress_chunk_done(&op, SVA_PATH_SOFT)) {
			return true;
		}
	}
	return false;
}

/* ------------------------------------------------------------------ trials */

static unsigned int cases, wrong;
static char first_wrong[300];

static void fresh(void)
{
	ref_random_bytes(mem, SIZE);
	memcpy(start, mem, SIZE);
	memcpy(want, mem, SIZE);
}

static void judge(struct device *device, uint64_t len, uint64_t value, unsigned int byte)
{
	const struct sva_result *result = &SVA_OP_PRIVATE(&op)->result;
	struct device before = *device;
	bool ended = drive(device);
	bool good = ended && !memcmp(mem, want, SIZE) && result->bytes == len &&
		    result->value == value && result->result == byte &&
		    result->path_bytes[SVA_PATH_WRITE] + result->path_bytes[SVA_PATH_SOFT] == len &&
		    !device->too_long && !device->wrong_record;

	cases++;
	if (good || wrong++)
		return;
	snprintf(
		first_wrong, sizeof(first_wrong),
		"opcode %#x, %llu bytes, queue %llu, stops after %llu then %llu%s: %s, %llu bytes done, value %#llx, result %u%s%s",
		sva_desc_opcode(&op.desc), (unsigned long long)op.length,
		(unsigned long long)before.max, (unsigned long long)before.first,
		(unsigned long long)before.later, before.from_end ? ", from the end" : "",
		ended ? "ended" : "did not end", (unsigned long long)result->bytes,
		(unsigned long long)result->value, result->result,
		memcmp(mem, want, SIZE) ? ", memory is wrong" : "",
		device->too_long ? ", a chunk was too long" : "");
}

static void report(const char *what)
{
	if (!ok(!wrong && cases, "%s: %u cases", what, cases))
		printf("# %u wrong, the first: %s\n", wrong, first_wrong);
	cases = wrong = 0;
}

/* Every overlap, every chunk, every place to stop. */
static void moves(void)
{
	const unsigned int len = 20;

	for (int by = -(int)len - 1; by <= (int)len + 1; by++) {
		for (unsigned int max = 1; max <= len + 1; max += 1 + max / 9) {
			for (unsigned int first = 0; first <= max; first++) {
				for (unsigned int later = 0; later < 4; later++) {
					struct device device = {.max = max,
								.first = first,
								.later = later,
								.from_end = (by + first) & 1};

					fresh();
					memmove(want + 100 + by, start + 100, len);
					sva_prep_memcpy(&op, mem + 100 + by, mem + 100, len);
					judge(&device, len, 0, 0);
				}
			}
		}
	}
	report("overlapping moves");
}

static void fills(void)
{
	uint8_t pattern[16];
	uint64_t low, high;

	for (unsigned int len = 1; len <= 40; len += 3) {
		for (unsigned int max = 1; max <= len; max++) {
			for (unsigned int first = 0; first <= max; first += 1 + first / 8) {
				struct device device = {
					.max = max, .first = first, .later = 1 + first % 5};

				fresh();
				ref_random_bytes(pattern, 16);
				memcpy(&low, pattern, 8);
				memcpy(&high, pattern + 8, 8);
				ref_fill(want + 33, len, pattern, 8);
				sva_prep_memfill(&op, mem + 33, low, len);
				judge(&device, len, 0, 0);
				device = (struct device){ .max = max, .first = first };
				ref_fill(want + 33, len, pattern, 16);
				sva_prep_memfill16(&op, mem + 33, low, high, len);
				judge(&device, len, 0, 0);
			}
		}
	}
	report("fills, with the pattern cut anywhere");
}

static void compares(void)
{
	uint8_t pattern[8];
	uint64_t value;

	for (unsigned int len = 1; len <= 33; len += 4) {
		for (unsigned int differs = 0; differs <= len; differs++) {
			for (unsigned int max = 1; max <= len; max += 2) {
				struct device device = { .max = max, .first = max / 2, .later = 3 };

				fresh();
				memcpy(mem + 500, mem + 100, len);
				if (differs < len)
					mem[500 + differs] ^= 4;
				memcpy(want, mem, SIZE);
				sva_prep_compare(&op, mem + 100, mem + 500, len);
				judge(&device, differs, differs < len ? differs : 0, differs < len);

				device = (struct device){.max = max, .first = max / 2, .later = 3};
				ref_random_bytes(pattern, 8);
				memcpy(&value, pattern, 8);
				ref_fill(mem + 100, len, pattern, 8);
				if (differs < len)
					mem[100 + differs] ^= 4;
				memcpy(want, mem, SIZE);
				sva_prep_compare_pattern(&op, mem + 100, value, len);
				judge(&device, differs, differs < len ? differs : 0, differs < len);
			}
		}
	}
	report("comparisons, the difference anywhere");
}

static void crcs(void)
{
	for (unsigned int flags = 0; flags < 8; flags++) {
		bool inversion = flags & 1, reflection = flags & 2, wide = flags & 4;
		uint32_t crc_flags = (inversion ? SVA_CRC_BYPASS_INVERSION : 0) |
				     (reflection ? SVA_CRC_BYPASS_REFLECTION : 0) |
				     (wide ? SVA_CRC_64 : 0);

		for (unsigned int max = 1; max <= 50; max += 7) {
			for (unsigned int first = 0; first <= max; first++) {
				struct device device = {
					.max = max, .first = first, .later = 1 + first % 3};
				uint64_t seed = 0x123456789abcdef0ull + first, crc;

				fresh();
				crc = wide ? ref_crc64(start + 9, 50, seed, inversion, reflection) :
					     ref_crc32c(start + 9, 50, (uint32_t)seed, inversion,
							reflection);
				sva_prep_crc(&op, mem + 9, 50, seed, crc_flags);
				judge(&device, 50, crc, 0);
				device = (struct device){ .max = max, .first = first, .later = 2 };
				memcpy(want + 900, start + 9, 50);
				sva_prep_copy_crc(&op, mem + 900, mem + 9, 50, seed, crc_flags);
				judge(&device, 50, crc, 0);
			}
		}
	}
	report("CRCs, chained over chunks and stops");
}

static void dualcasts_and_flushes(void)
{
	for (unsigned int max = 1; max <= 30; max++) {
		for (unsigned int first = 0; first <= max; first++) {
			struct device device = { .max = max, .first = first, .later = 4 };

			fresh();
			memcpy(want + 4096 + 7, start + 100, 30);
			memcpy(want + 8192 + 7, start + 100, 30);
			sva_prep_dualcast(&op, mem + 4096 + 7, mem + 8192 + 7, mem + 100, 30);
			judge(&device, 30, 0, 0);
			device = (struct device){ .max = max, .first = first, .later = 4 };
			for (int i = 0; i < 30; i++)
				want[200 + i]++;
			sva_prep_cache_flush(&op, mem + 200, 30);
			judge(&device, 30, 0, 0);
		}
	}
	report("dualcast and cache flush");
}

/* The result of DIF insert on plain blocks, computed independently. */
static void protect(uint8_t *to, const uint8_t *from, unsigned int blocks,
		    const struct sva_desc_dif *dif, bool alone)
{
	for (unsigned int i = 0; i < blocks; i++) {
		if (!alone) {
			memcpy(to, from + i * 512, 512);
			to += 512;
		}
		ref_dif_tuple(to, from + i * 512, 512, 0, false,
			      (uint16_t)(dif->dst_app + (dif->dst_flags & 0x10 ? i : 0)),
			      dif->dst_ref + i);
		to += 8;
	}
}

#define BLOCKS 5u
#define PLAIN  (BLOCKS * 512)
#define WHOLE  (BLOCKS * 520)

static void difs_with(uint64_t max, uint64_t first, uint64_t later)
{
	const struct sva_desc_dif out = {
		.dst_flags = SVA_DIF_DST_APP_INC, .dst_ref = 0xfffffffe, .dst_app = 0xffff,
	};
	const struct sva_desc_dif in = {
		.src_flags = SVA_DIF_SRC_APP_INC, .src_ref = 0xfffffffe, .src_app = 0xffff};
	struct sva_desc_dif both = in;
	struct device device = { .max = max, .first = first, .later = later };
	uint8_t *plain = mem, *whole = mem + 4096, *more = mem + 8192;

	both.dst_ref = 77;
	both.dst_app = 88;
	fresh();
	protect(want + 4096, start, BLOCKS, &out, false);
	sva_prep_dif_insert(&op, whole, plain, PLAIN, &out);
	judge(&device, PLAIN, 0, 0);
	if (SVA_OP_PRIVATE(&op)->result.dif.dst_ref != 0xfffffffe + BLOCKS)
		wrong++;
	device = (struct device){ .max = max, .first = first, .later = later };
	sva_prep_dif_check(&op, whole, WHOLE, &in);
	judge(&device, WHOLE, 0, 0);
	device = (struct device){ .max = max, .first = first, .later = later };
	memcpy(want + 8192, start, PLAIN);
	sva_prep_dif_strip(&op, more, whole, WHOLE, &in);
	judge(&device, WHOLE, 0, 0);
	if (SVA_OP_PRIVATE(&op)->result.dif.src_ref != 0xfffffffe + BLOCKS)
		wrong++;
	device = (struct device){ .max = max, .first = first, .later = later };
	protect(want + 8192, start, BLOCKS, &(struct sva_desc_dif){.dst_ref = 77, .dst_app = 88},
		false);
	sva_prep_dif_update(&op, more, whole, WHOLE, &both);
	judge(&device, WHOLE, 0, 0);
	device = (struct device){ .max = max, .first = first, .later = later };
	protect(want + 12288, start, BLOCKS, &out, true);
	sva_prep_dix_generate(&op, mem + 12288, plain, PLAIN, &out);
	judge(&device, PLAIN, 0, 0);
}

static void difs(void)
{
	for (uint64_t max = 521; max < WHOLE + 300; max += 261)
		for (uint64_t first = 0; first < WHOLE; first += 259)
			difs_with(max, first, first % 2 ? 600 : 0);
	report("protection information, with the tags going on");
}

static void deltas(void)
{
	static uint8_t record[800];

	for (unsigned int edits = 0; edits < 60; edits += 3) {
		for (uint64_t first = 0; first <= 512; first += 40) {
			struct device device = {
				.max = 4096, .first = first, .later = first ? 48 : 0};
			uint32_t size;

			fresh();
			memcpy(mem + 1024, mem + 512, 512);
			for (unsigned int i = 0; i < edits; i++)
				mem[1024 + ref_below(512)] ^= 1;
			memcpy(want, mem, SIZE);
			size = (uint32_t)ref_create_delta(mem + 512, mem + 1024, 512, record);
			memcpy(want + 2048, record, size);
			sva_prep_create_delta(&op, mem + 512, mem + 1024, 512, mem + 2048, 800);
			judge(&device, 512, size, size ? 1 : 0);
			if (!size)
				continue;
			device = (struct device){
				.max = 4096, .first = first, .later = first ? 30 : 0};
			memcpy(want + 512, want + 1024, 512);
			sva_prep_apply_delta(&op, mem + 512, 512, mem + 2048, size);
			judge(&device, 512, 0, 0);
		}
	}
	report("deltas, stopped and gone on with");
}

/*
 * The room for the record is used up between two stops: the whole operation is done again, with the
 * same result.
 */
static void full_delta(void)
{
	struct device device = { .max = 4096, .first = 128, .stops = 1 };
	uint8_t record[200];

	fresh();
	memcpy(mem + 1024, mem + 512, 512);
	for (int i = 0; i < 16; i++)
		mem[1024 + i * 8] ^= 1;
	memcpy(want, mem, SIZE);
	ref_create_delta(mem + 512, mem + 1024, 512, record);
	memcpy(want + 2048, record, 160);
	sva_prep_create_delta(&op, mem + 512, mem + 1024, 512, mem + 2048, 200);
	judge(&device, 512, 160, 1);
	report("a delta record with too little room left for the rest");
}

/* Impossible records: the whole chunk is submitted again. */
static void lies(void)
{
	static const struct sva_desc_dif dif = { .dst_ref = 1 };
	struct device device = { .max = 7, .first = 7, .lies = 3 };
	uint32_t size;

	fresh();
	memcpy(want + 300, start + 100, 50);
	sva_prep_memcpy(&op, mem + 300, mem + 100, 50);
	judge(&device, 50, 0, 0);
	device = (struct device){ .max = 1 << 20, .first = 1 << 20, .lies = 3 };
	protect(want + 4096, start, BLOCKS, &dif, false);
	memcpy(mem + 300, start + 300, 50);
	memcpy(want + 300, start + 300, 50);
	sva_prep_dif_insert(&op, mem + 4096, mem, PLAIN, &dif);
	judge(&device, PLAIN, 0, 0);
	device = (struct device){ .max = 1 << 20, .first = 1 << 20, .lies = 2, .claim = 513 };
	sva_prep_dif_insert(&op, mem + 4096, mem, PLAIN, &dif);
	judge(&device, PLAIN, 0, 0);
	device = (struct device){ .max = 1 << 20, .first = 1 << 20, .lies = 2, .claim = 12 };
	memcpy(mem + 1024, mem + 512, 64);
	mem[1024] ^= 1;
	mem[1024 + 40] ^= 1;
	memcpy(want, mem, SIZE);
	size = (uint32_t)ref_create_delta(mem + 512, mem + 1024, 64, want + 2048);
	sva_prep_create_delta(&op, mem + 512, mem + 1024, 64, mem + 2048, 80);
	judge(&device, 64, size, 1);
	device = (struct device){ .max = 1 << 20, .first = 1 << 20, .lies = 2, .claim = 12 };
	memcpy(want + 512, want + 1024, 64);
	sva_prep_apply_delta(&op, mem + 512, 64, mem + 2048, size);
	judge(&device, 64, 0, 0);
	report("records with impossible counts");
}

/* An operation that cannot be cut waits for a queue that can carry it. */
static void fits(void)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(&op);

	sva_prep_memcpy(&op, mem, mem + 100, 100);
	sva_progress_begin(&op);
	ok(sva_progress_fits(&op, 1), "an operation that can be cut fits any queue");
	sva_progress_next(&op, 64);
	comp->status = SVA_STATUS_PAGE_FAULT;
	comp->bytes = 14;
	comp->result = 0;
	sva_progress_partial(&op, SVA_PATH_SOFT);
	is(p->mid_chunk, true, "a chunk that was stopped is marked");
	is(op.desc.size, 50, "a chunk that was stopped has the bytes that are left");
	is(sva_progress_fits(&op, 49), false,
	   "a chunk that was stopped does not fit a smaller queue");
	is(sva_progress_fits(&op, 50), true, "a chunk that was stopped fits a queue of its size");
	sva_prep_create_delta(&op, mem, mem + 1024, 512, mem + 2048, 640);
	sva_progress_begin(&op);
	is(sva_progress_fits(&op, 511), false,
	   "create delta does not fit a queue smaller than its source");
	is(sva_progress_fits(&op, 512), false,
	   "create delta does not fit a queue smaller than its record");
	is(sva_progress_fits(&op, 640), true, "create delta fits a queue of its record's size");
	sva_prep_dif_insert(&op, mem, mem + 8192, 5120,
			    &(struct sva_desc_dif){.flags = SVA_DIF_BLOCK_512});
	sva_progress_begin(&op);
	is(sva_progress_fits(&op, 511), false,
	   "a DIF operation does not fit a queue smaller than a block");
	is(sva_progress_fits(&op, 512), true, "a DIF operation fits a queue of one block");
}

/* The verifier, with a device that moves one byte less than it reports. */
static void controls(void)
{
	struct device device = { .max = 10, .first = 3 };

	fresh();
	memmove(want + 300, start + 100, 30);
	want[329] ^= 1;
	sva_prep_memcpy(&op, mem + 300, mem + 100, 30);
	judge(&device, 30, 0, 0);
	device = (struct device){ .max = 10, .first = 3 };
	fresh();
	sva_prep_crc(&op, mem, 30, 0, 0);
	judge(&device, 30, ref_crc32c(mem, 30, 0, false, false) ^ 1, 0);
	is(wrong, 2, "control: one wrong byte and one wrong CRC are reported");
	cases = wrong = 0;
}

int main(void)
{
	moves();
	fills();
	compares();
	crcs();
	dualcasts_and_flushes();
	difs();
	deltas();
	full_delta();
	lies();
	fits();
	controls();
	return done();
}
