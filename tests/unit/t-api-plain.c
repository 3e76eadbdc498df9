/* SPDX-License-Identifier: MIT */
/*
 * The synchronous calls without a device do plain work without an operation. Each returns, writes
 * and reports what the same operation does that is prepared and run; so does each that is given
 * something unusual.
 */
#include <errno.h>

#include "sva/sva.h"
#include "tap.h"
#include "unit/reference.h"
#include "unit/rig.h"

#define ARENA (8 * RIG_PAGE)
#define ROUNDS 4000u

/* What a call is given. */
struct input {
	uint8_t *a, *b, *c;
	size_t len;
	uint64_t low, high;
	uint32_t size; /* of a delta record, or the room for it */
	uint32_t crc;
};

/* What it returns beside its result. */
struct output {
	int rc;
	uint64_t value;
};

static struct sva *sva;
static struct sva_op op;
static uint8_t *arena, start[ARENA], by_call[ARENA];

/* ------------------------------------------------------------------ the calls and the operations
 */

static struct output run_op(void)
{
	struct output out = {.rc = sva_run(sva, &op)};

	if (!out.rc)
		out.value = sva_last_result()->value;
	return out;
}

static struct output run_comparison(size_t len)
{
	struct output out = {.rc = sva_run(sva, &op)};

	if (out.rc)
		return out;
	out.rc = sva_last_result()->result;
	out.value = out.rc ? sva_last_result()->value : len;
	return out;
}

static struct output call_compare(const struct input *in)
{
	size_t offset = 0;
	int rc = sva_compare(sva, in->a, in->b, in->len, &offset);

	return (struct output){rc, offset};
}

static struct output op_compare(const struct input *in)
{
	sva_prep_compare(&op, in->a, in->b, in->len);
	return run_comparison(in->len);
}

static struct output call_pattern(const struct input *in)
{
	size_t offset = 0;
	int rc = sva_compare_pattern(sva, in->a, in->low, in->len, &offset);

	return (struct output){rc, offset};
}

static struct output op_pattern(const struct input *in)
{
	sva_prep_compare_pattern(&op, in->a, in->low, in->len);
	return run_comparison(in->len);
}

static struct output call_fill16(const struct input *in)
{
	return (struct output){sva_memfill16(sva, in->b, in->low, in->high, in->len), 0};
}

static struct output op_fill16(const struct input *in)
{
	sva_prep_memfill16(&op, in->b, in->low, in->high, in->len);
	return run_op();
}

static struct output call_dualcast(const struct input *in)
{
	return (struct output){sva_dualcast(sva, in->b, in->c, in->a, in->len), 0};
}

static struct output op_dualcast(const struct input *in)
{
	sva_prep_dualcast(&op, in->b, in->c, in->a, in->len);
	return run_op();
}

static struct output call_create(const struct input *in)
{
	uint32_t size = 0;
	int rc = sva_create_delta(sva, in->a, in->b, in->len, in->c, in->size, &size);

	return (struct output){rc, size};
}

static struct output op_create(const struct input *in)
{
	struct output out;

	sva_prep_create_delta(&op, in->a, in->b, in->len, in->c, in->size);
	out = run_op();
	if (!out.rc && sva_last_result()->result == 2)
		out.rc = -EOVERFLOW;
	return out;
}

static struct output call_apply(const struct input *in)
{
	return (struct output){sva_apply_delta(sva, in->a, in->len, in->c, in->size), 0};
}

static struct output op_apply(const struct input *in)
{
	sva_prep_apply_delta(&op, in->a, in->size ? in->len : 0, in->c, in->size);
	return run_op();
}

static struct output call_crc(const struct input *in)
{
	uint32_t crc = in->crc;
	int rc = sva_crc32c(sva, in->a, in->len, &crc);

	return (struct output){rc, rc ? 0 : crc};
}

static struct output op_crc(const struct input *in)
{
	sva_prep_crc(&op, in->a, in->len, in->crc, 0);
	return run_op();
}

static struct output call_copy_crc(const struct input *in)
{
	uint32_t crc = in->crc;
	int rc = sva_copy_crc32c(sva, in->b, in->a, in->len, &crc);

	return (struct output){rc, rc ? 0 : crc};
}

static struct output op_copy_crc(const struct input *in)
{
	sva_prep_copy_crc(&op, in->b, in->a, in->len, in->crc, 0);
	return run_op();
}

static struct output call_flush(const struct input *in)
{
	return (struct output){sva_cache_flush(sva, in->b, in->len), 0};
}

static struct output op_flush(const struct input *in)
{
	sva_prep_cache_flush(&op, in->b, in->len);
	return run_op();
}

static const struct call {
	const char *name;
	struct output (*call)(const struct input *in);
	struct output (*operation)(const struct input *in);
	bool delta; /* lengths and addresses are multiples of 8 */
} calls[] = {
	{"sva_compare()", call_compare, op_compare, false},
	{"sva_compare_pattern()", call_pattern, op_pattern, false},
	{"sva_memfill16()", call_fill16, op_fill16, false},
	{"sva_dualcast()", call_dualcast, op_dualcast, false},
	{"sva_create_delta()", call_create, op_create, true},
	{"sva_apply_delta()", call_apply, op_apply, true},
	{"sva_crc32c()", call_crc, op_crc, false},
	{"sva_copy_crc32c()", call_copy_crc, op_copy_crc, false},
	{"sva_cache_flush()", call_flush, op_flush, false},
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* ------------------------------------------------------------------ random input */

static bool one_in(uint32_t n)
{
	return !ref_below(n);
}

static uint64_t random8(void)
{
	return (uint64_t)ref_random() << 32 | ref_random();
}

static struct input draw(const struct call *call)
{
	struct input in = {
		.a = arena + ref_below(1000),
		.b = arena + 2 * RIG_PAGE + ref_below(1000),
		.len = one_in(40) ? 0 : ref_below(one_in(2) ? 200 : 5000),
		.low = random8(),
		.high = random8(),
		.crc = ref_random(),
	};

	in.c = in.b + 2 * RIG_PAGE;
	ref_random_bytes(arena, one_in(20) ? ARENA : 64);
	if (call->delta) {
		in.a -= (uintptr_t)in.a % 8;
		in.b -= (uintptr_t)in.b % 8;
		in.len -= in.len % 8;
	}
	if (!one_in(3))
		memcpy(in.b, in.a, in.len);
	if (in.len && one_in(2))
		in.b[ref_below((uint32_t)in.len)] ^= 0x20;
	if (call->call == call_pattern && !one_in(3))
		ref_fill(in.a, in.len - (one_in(2) && in.len), (uint8_t *)&in.low, 8);
	in.size = one_in(3) ? 80 : (uint32_t)in.len / 8 * 10 + 80;
	if (call->call == call_apply) {
		in.size = (uint32_t)ref_create_delta(in.a, in.b, in.len, in.c);
		if (in.size && one_in(5))
			in.c[10 * ref_below(in.size / 10)] ^= 1;
	}
	return in;
}

/* One thing that is not as it should be; no address of it is used. */
static void make_unusual(struct input *in)
{
	uint8_t **const addr[] = {&in->a, &in->b, &in->c};
	uint8_t **one = addr[ref_below(3)];

	switch (ref_below(8)) {
	case 0:
		*one = NULL;
		break;
	case 1:
		*one = (uint8_t *)(UINTPTR_MAX - ref_below(20));
		break;
	case 2:
		*one = (uint8_t *)0x8000000000000000;
		break;
	case 3:
		in->len = SIZE_MAX - ref_below(64);
		break;
	case 4:
		in->len = (size_t)1 << 62;
		break;
	case 5:
		*one = *addr[ref_below(3)] + 8 * ref_below(4);
		break;
	case 6:
		in->size += ref_below(3) ? 3 : 10;
		break;
	default:
		in->size = ref_below(40);
	}
}

static bool results_differ(const struct sva_result *a, const struct sva_result *b)
{
	return a->error != b->error || a->status != b->status || a->result != b->result ||
	       a->path != b->path || a->fault_write != b->fault_write || a->bytes != b->bytes ||
	       memcmp(a->path_bytes, b->path_bytes, sizeof(a->path_bytes)) ||
	       a->fault_addr != b->fault_addr || a->value != b->value || a->queue != b->queue ||
	       a->device != b->device || a->faults != b->faults || a->retries != b->retries ||
	       a->chunks != b->chunks || a->reason != b->reason ||
	       memcmp(&a->dif, &b->dif, sizeof(a->dif)) || a->reserved[0] || a->reserved[1];
}

/* Some values of the call and of the operation mean nothing: those of what has no value. */
static bool has_value(const struct call *call)
{
	return call->call != call_fill16 && call->call != call_dualcast &&
	       call->call != call_apply && call->call != call_flush;
}

/* An address that the operation uses and that is in no arena would be a signal. */
static bool one_call(const struct call *call, const struct input *in, unsigned int spoilt)
{
	struct output x, y;
	struct sva_result result;

	memcpy(start, arena, ARENA);
	x = call->call(in);
	result = *sva_last_result();
	if (spoilt < ARENA)
		arena[spoilt] ^= 4;
	memcpy(by_call, arena, ARENA);
	memcpy(arena, start, ARENA);
	y = call->operation(in);
	if (x.rc == y.rc && (!has_value(call) || x.rc < 0 || x.value == y.value) &&
	    !results_differ(&result, sva_last_result()) && !memcmp(arena, by_call, ARENA))
		return true;
	if (spoilt < ARENA)
		return false;
	printf("# %s of %zu bytes: %d %llu, operation %d %llu; status %u %u, bytes %llu %llu\n",
	       call->name, in->len, x.rc, (unsigned long long)x.value, y.rc,
	       (unsigned long long)y.value, result.status, sva_last_result()->status,
	       (unsigned long long)result.bytes, (unsigned long long)sva_last_result()->bytes);
	return false;
}

static void all_calls(const char *name, bool unusual)
{
	for (unsigned int i = 0; i < CALLS; i++) {
		unsigned int wrong = 0;

		for (unsigned int k = 0; k < ROUNDS && wrong < 3; k++) {
			struct input in = draw(&calls[i]);

			if (unusual)
				make_unusual(&in);
			/* An operation looks at the record up to its size. */
			if (in.size > 2 * RIG_PAGE)
				in.size = 80;
			wrong += !one_call(&calls[i], &in, ARENA);
		}
		ok(!wrong, "%s: %s is as the operation, %u times, with %s input", name,
		   calls[i].name, ROUNDS, unusual ? "unusual" : "usual");
	}
}

static void control(void)
{
	unsigned int noticed = 0;

	for (unsigned int k = 0; k < 50; k++) {
		const struct call *call = &calls[k % CALLS];
		struct input in = draw(call);

		noticed += !one_call(call, &in, ref_below(ARENA));
	}
	is(noticed, 50, "control: one flipped bit is noticed in each of 50 calls");
}

/* ------------------------------------------------------------------ lists of buffers */

static void lists(void)
{
	unsigned int wrong = 0;

	for (unsigned int k = 0; k < ROUNDS; k++) {
		unsigned int nd = 1 + ref_below(6), ns = 1 + ref_below(6);
		struct iovec dst[6], src[6];
		size_t want = 0, room = 0, copied, at = 0;
		uint8_t joined[1200];

		for (unsigned int i = 0; i < ns; want += src[i++].iov_len) {
			src[i] = (struct iovec){arena + ref_below(4000), ref_below(200)};
			memcpy(joined + want, src[i].iov_base, src[i].iov_len);
		}
		for (unsigned int i = 0; i < nd; room += dst[i++].iov_len)
			dst[i] = (struct iovec){arena + 2 * RIG_PAGE + 200 * i, ref_below(200)};
		want = want < room ? want : room;
		wrong += sva_copyv(sva, dst, nd, src, ns, &copied) || copied != want;
		/* What has no bytes is no call that leaves a result. */
		if (want)
			wrong += sva_last_result()->bytes != want ||
				 sva_last_result()->path != SVA_PATH_CPU;
		for (unsigned int i = 0; i < nd && at < want; at += dst[i++].iov_len)
			wrong += !!memcmp(dst[i].iov_base, joined + at,
					  dst[i].iov_len < want - at ? dst[i].iov_len : want - at);
	}
	ok(!wrong, "sva_copyv() copies %u lists, and reports their bytes", ROUNDS);
}

static void set_guard(struct sva_opts *opts)
{
	opts->flags = SVA_OPEN_GUARD;
}

int main(void)
{
	rig_begin();
	arena = rig_pages(ARENA / RIG_PAGE);
	ref_random_bytes(arena, ARENA);
	sva = rig_open("cpu", 0);
	all_calls("cpu", false);
	all_calls("cpu", true);
	control();
	lists();
	sva_close(sva);
	sva = rig_open_opts("cpu", set_guard);
	all_calls("cpu with a guard", false);
	lists();
	sva_close(sva);
	sva = rig_open(NULL, 0);
	all_calls("default list", false);
	lists();
	sva_close(sva);
	return done();
}
