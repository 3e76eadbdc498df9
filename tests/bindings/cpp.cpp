/* SPDX-License-Identifier: MIT */
/*
 * sva/sva.hpp: results, errors, and that an operation in flight is not freed, moved or prepared
 * again. With the argument "device" the work must be done by a device.
 */
#include <algorithm>
#include <array>
#include <deque>
#include <numeric>
#include <string>

#include <sva/sva.hpp>

#include "tap.h"

using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<libsva::operation>);
static_assert(!std::is_move_constructible_v<libsva::operation>);
static_assert(!std::is_copy_constructible_v<libsva::context>);
static_assert(std::is_nothrow_move_constructible_v<libsva::context>);
static_assert(std::is_nothrow_move_constructible_v<libsva::bond>);
static_assert(std::is_nothrow_move_constructible_v<libsva::mapped_buffer>);
static_assert(!std::is_constructible_v<libsva::bytes, const std::string &>);
static_assert(alignof(libsva::operation) == 64);

static const char *const refused_name = "libsva: the operation is in flight";
static bool want_device;

static std::vector<std::uint8_t> numbers(std::size_t n, unsigned int seed)
{
	std::vector<std::uint8_t> v(n);

	for (std::size_t i = 0; i < n; i++)
		v[i] = std::uint8_t((i * 2654435761u + seed) >> 11);
	return v;
}

/* The errno that f() throws, 0 if it throws nothing. */
template <class F> static int thrown(F &&f)
{
	try {
		f();
	} catch (const libsva::error &e) {
		return e.code().value();
	}
	return 0;
}

static bool is_device(const sva_result &r)
{
	return r.path == SVA_PATH_ENQCMD || r.path == SVA_PATH_MOVDIR64B ||
	       r.path == SVA_PATH_WRITE;
}

static void path(const sva_result &r, const char *what)
{
	ok(is_device(r) == want_device, "%s: done by %s, path %s", what,
	   want_device ? "a device" : "no device", sva_path_name(r.path));
}

static void synchronous(libsva::context &sva)
{
	const auto from = numbers(300000, 1);
	std::vector<std::uint8_t> to(from.size()), delta(4096);
	std::vector<std::uint64_t> words(4096);
	std::array<std::uint8_t, 8192> old{}, changed{};

	subject("synchronous calls");
	sva.copy(to, from);
	ok(to == from, "a copy has every byte");
	path(libsva::last_result(), "a copy");
	sva.fill(words, 0x0102030405060708);
	ok(std::count(words.begin(), words.end(), 0x0102030405060708) == 4096,
	   "a fill of a vector of 64-bit words fills all of them");
	ok(sva.equal(to, from), "equal() is true for equal buffers");
	to[200001] ^= 1;
	ok(sva.first_difference(to, from) == std::size_t(200001),
	   "first_difference() is the offset of the byte that differs");
	ok(sva.crc32c(std::string("123456789")) == 0xe3069283,
	   "crc32c() of 123456789 is the check value of CRC-32C");
	ok(sva.crc32c(std::string("56789"), sva.crc32c(std::string("1234"))) == 0xe3069283,
	   "crc32c() goes on from the CRC of the bytes before");
	ok(sva.copy_crc32c(to, from) == sva.crc32c(from) && to == from,
	   "copy_crc32c() copies and has the CRC of the bytes");
	changed[17] = changed[8000] = 5;
	const auto size = sva.create_delta(old, changed, delta);
	ok(size == std::size_t(20),
	   "create_delta() of two changed words makes a record of 20 bytes");
	sva.apply_delta(old, {delta.data(), size.value_or(0)});
	ok(old == changed, "apply_delta() makes the old bytes the new ones");
	ok(!sva.create_delta(numbers(65536, 1), numbers(65536, 2), {delta.data(), 80}),
	   "create_delta() returns nothing if the record does not fit");
}

static void errors(libsva::context &sva)
{
	libsva::options bad;
	std::string text = "text";

	subject("errors");
	bad.flags = 0x80000000;
	is(thrown([&] { libsva::context c(bad); }), EINVAL,
	   "an unknown flag of a context is thrown");
	is(thrown([&] { (void)sva.bind("wq99.9"); }), ENOENT, "an unknown queue is thrown");
	try {
		sva.copy({nullptr, 10}, {text.data(), 4});
		ok(false, "a null pointer is thrown");
	} catch (const std::system_error &e) {
		ok(e.code() == std::errc::bad_address,
		   "a null pointer is thrown as a system_error: %s", e.what());
	}
	bool refused = false;
	try {
		sva.copy({text.data(), 3}, {text.data(), 4});
	} catch (const std::length_error &) {
		refused = true;
	}
	ok(refused, "a destination that is shorter than the source is refused");
	libsva::operation op;
	op.compare(std::string("abcd"), text).flags(SVA_OP_CHECK);
	try {
		sva.run(op);
		ok(false, "an unexpected result of a comparison is thrown");
	} catch (const libsva::error &e) {
		ok(e.code().value() == EBADE && e.result().result == 1 && e.result().value == 0,
		   "an unexpected result of a comparison is thrown, with the result");
	}
	is(thrown([&] {
		   op.flags(0x40000000);
		   (void)sva.submit(op);
	   }),
	   EINVAL, "an unknown flag of an operation is thrown");
}

static void submit(libsva::context &sva, libsva::operation &op)
{
	while (!sva.submit(op))
		continue;
}

static void asynchronous(libsva::context &sva)
{
	const auto from = numbers(1 << 20, 7);
	std::vector<std::uint8_t> to(from.size());
	std::deque<libsva::operation> ops(8);
	libsva::operation op;

	subject("operations");
	is(thrown([&] { op.poll(); }), EINVAL, "polling one that was not submitted throws");
	op.copy(to, from);
	submit(sva, op);
	op.wait();
	ok(to == from && !op.in_flight() && op.result().bytes == from.size(),
	   "a submitted copy is done after wait()");
	path(op.result(), "a submitted copy");
	op.fill(to, 0);
	submit(sva, op);
	while (!op.poll())
		continue;
	ok(std::accumulate(to.begin(), to.end(), 0) == 0, "a fill is done when poll() says so");
	ok(op.wait_for(1h), "wait_for() is true for one that has ended");

	const std::size_t part = from.size() / ops.size();
	for (std::size_t i = 0; i < ops.size(); i++) {
		ops[i].copy({&to[i * part], part}, {&from[i * part], part});
		submit(sva, ops[i]);
	}
	std::size_t found = 0;
	libsva::operation *done[8];
	for (std::size_t got = 0; got < ops.size();) {
		const std::size_t n = sva.reap(done, 8);

		for (std::size_t i = 0; i < n; i++)
			for (const auto &o : ops)
				found += &o == done[i] && !done[i]->result().error;
		got += n;
	}
	ok(found == ops.size() && to == from, "reap() collects each of 8 submitted copies once");
}

static void ownership(libsva::context &sva)
{
	auto from = std::make_shared<std::vector<std::uint8_t>>(numbers(4 << 20, 3));
	auto to = std::make_shared<std::vector<std::uint8_t>>(from->size());
	const std::weak_ptr<std::vector<std::uint8_t>> watch = from;
	const auto copy = *from;
	std::vector<std::uint8_t> big(64 << 20);

	subject("ownership");
	{
		libsva::operation op;

		op.copy(*to, *from).keep(from).keep(to);
		from.reset();
		submit(sva, op);
		ok(!watch.expired(), "a kept buffer lives while the operation has not been ended");
	}
	ok(watch.expired() && *to == copy,
	   "the destructor waits for the operation, then gives up the buffers");

	libsva::operation op;
	const char *what = "";
	op.fill(big, 0x1111111111111111);
	submit(sva, op);
	if (op.in_flight()) {
		try {
			op.fill(big, 0);
		} catch (const libsva::error &e) {
			what = e.what();
		}
		ok(strstr(what, refused_name), "preparing an operation in flight throws EBUSY");
		is(thrown([&] { (void)sva.submit(op); }), EBUSY,
		   "submitting an operation in flight throws");
	} else {
		skip("preparing an operation in flight throws EBUSY", "it is done at once here");
		skip("submitting an operation in flight throws", "it is done at once here");
	}
	op.retire();
	ok(!op.in_flight() && big.back() == 0x11 && big.front() == 0x11,
	   "after retire() the operation has ended");
	op.fill(big, 0);
	ok(true, "after its end an operation can be prepared again");
}

static void batches(libsva::context &sva)
{
	const auto from = numbers(80000, 9);
	std::vector<std::uint8_t> to(from.size());
	libsva::batch batch(3);

	subject("batches");
	batch.entry(0).copy(to, from);
	batch.entry(1).crc(from);
	batch.entry(2).compare(to, from).flags(SVA_OP_FENCE | SVA_OP_CHECK);
	submit(sva, batch);
	batch.wait();
	ok(to == from, "the copy of a batch is done");
	ok(batch.entry(1).result().value == sva.crc32c(from), "each entry has its result");
	batch.entry(0).fill(to, 1);
	batch.entry(1).compare(to, from).flags(SVA_OP_FENCE | SVA_OP_CHECK);
	batch.entry(2).crc(from).flags(SVA_OP_FENCE);
	batch.prepare_entries();
	submit(sva, batch);
	is(thrown([&] { batch.wait(); }), EIO, "a batch with a failed entry throws EIO");
	is(batch.entry(2).result().error, -ECANCELED, "an entry behind a fence is cancelled");
}

static void handles(libsva::context &sva)
{
	std::vector<std::uint8_t> a(20000, 1), b(20000);
	libsva::context moved = libsva::context::process_default();
	libsva::operation op;

	subject("handles");
	moved.copy(b, a);
	ok(moved.get() == nullptr && a == b, "the default context copies");
	moved = libsva::context();
	ok(moved.get() != nullptr, "a context can be assigned");
	const auto why = sva.explain(SVA_PATH_DMA);
	ok(why.reason >= 0 && !why.text.empty(), "explain() gives a reason and a text");

	auto bond = sva.bind("soft");
	is(bond.path(), SVA_PATH_SOFT, "the path of a bond with the software DSA is soft");
	ok(!bond.pasid(), "it discloses no PASID");
	std::fill(b.begin(), b.end(), 0);
	op.copy(b, a);
	while (!bond.submit(op))
		continue;
	op.wait();
	ok(a == b && op.result().path == SVA_PATH_SOFT, "a copy on the bond is done by soft");
	ok(sva.queues().empty() == !want_device, "queues() lists the queues of the machine");

	auto from = sva.map(a, SVA_DMA_SOURCE), to = sva.map(b, SVA_DMA_DESTINATION);
	std::fill(b.begin(), b.end(), 0);
	op.copy(to, 100, from, 0, 5000);
	sva.run(op);
	to.sync(0, b.size(), SVA_DMA_FOR_CPU);
	ok(b[99] == 0 && b[100] == 1 && b[5099] == 1 && b[5100] == 0,
	   "a copy between mapped buffers has its offsets");
	from.unmap();
	ok(from.get() == nullptr, "after unmap() the object has no handle");
}

int main(int argc, char **argv)
{
	want_device = argc > 1 && !strcmp(argv[1], "device");
	try {
		libsva::options opts;
		opts.threshold = 1;
		libsva::context sva(opts);

		synchronous(sva);
		errors(sva);
		asynchronous(sva);
		ownership(sva);
		batches(sva);
		handles(sva);
	} catch (const std::exception &e) {
		subject("the test");
		ok(false, "no exception is left: %s", e.what());
	}
	return done();
}
