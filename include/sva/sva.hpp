/* SPDX-License-Identifier: MIT */
/**
 * @file sva/sva.hpp
 * libsva for C++17: contexts, bonds, mapped buffers and operations that release themselves.
 *
 * Header only, over <sva/sva.h>, whose comments hold: units, ranges, threads, errors. Added is:
 *
 * - Failures are thrown as libsva::error, a std::system_error with the result of the operation.
 *   What is no failure is a value: a full queue (submit() returns false), a timeout (wait_for()
 *   returns false), buffers that differ.
 * - An operation in flight is never freed, moved or prepared again: it cannot be moved, preparing
 *   it throws, and its destructor waits. An operation that is declared behind its buffers is
 *   destroyed before them; where that order is not natural, operation::keep() has the operation
 *   share the buffers until it has ended.
 *
 * Nothing here may be called from a signal handler. Since: 0.1
 */
#ifndef SVA_SVA_HPP
#define SVA_SVA_HPP

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "sva/info.h"

/** Everything of this header; "sva" is the name of the C structure. Since: 0.1 */
namespace libsva {

/** A call that failed. code() is the errno in std::generic_category(). Since: 0.1 */
class error : public std::system_error {
public:
	/** @param err -errno, as the C function returned it; what names that function */
	error(int err, const char *what, const sva_result &result = {})
		: std::system_error(-err, std::generic_category(), what), result_(result)
	{
	}

	/** Status, bytes done, fault address and path; zeros if no operation was begun. */
	const sva_result &result() const noexcept { return result_; }

private:
	sva_result result_;
};

/** Returns a count or 0 as it is, throws a negative errno. Since: 0.1 */
inline int check(int rc, const char *what)
{
	if (rc < 0)
		throw error(rc, what);
	return rc;
}

/** The same for synchronous calls, whose result the exception carries. Since: 0.1 */
inline int check_call(int rc, const char *what)
{
	if (rc < 0)
		throw error(rc, what, *sva_last_result());
	return rc;
}

/** The result of this thread's last synchronous call. Since: 0.1 */
inline const sva_result &last_result() noexcept
{
	return *sva_last_result();
}

/**
 * Memory to read: an address and a length, or anything with data() and size() and elements that
 * memcpy(3) may copy. It owns nothing. Since: 0.1
 */
class const_bytes {
public:
	/** size bytes from data on. */
	const_bytes(const void *data, std::size_t size) noexcept : data_(data), size_(size) {}

	/** The elements of a container, a string, an array. */
	template <class T, class E = std::remove_pointer_t<decltype(std::data(
				   std::declval<const T &>()))>>
	const_bytes(const T &from) noexcept
		: data_(std::data(from)), size_(std::size(from) * sizeof(E))
	{
		static_assert(std::is_trivially_copyable_v<E>, "memcpy() may not copy these");
	}

	const void *data() const noexcept { return data_; }
	std::size_t size() const noexcept { return size_; }

private:
	const void *data_;
	std::size_t size_;
};

/** Memory to write; as const_bytes. Since: 0.1 */
class bytes {
public:
	/** size bytes from data on. */
	bytes(void *data, std::size_t size) noexcept : data_(data), size_(size) {}

	/** The elements of a container, a string, an array. */
	template <class T,
		  class E = std::remove_pointer_t<decltype(std::data(std::declval<T &>()))>,
		  class = std::enable_if_t<!std::is_const_v<E>>>
	bytes(T &to) noexcept : data_(std::data(to)), size_(std::size(to) * sizeof(E))
	{
		static_assert(std::is_trivially_copyable_v<E>, "memcpy() may not copy these");
	}

	void *data() const noexcept { return data_; }
	std::size_t size() const noexcept { return size_; }
	operator const_bytes() const noexcept { return { data_, size_ }; }

private:
	void *data_;
	std::size_t size_;
};

namespace detail {

/* Copies take the length of their source; a destination that is shorter is a mistake. */
inline std::size_t fits(std::size_t dst, std::size_t src)
{
	if (dst < src)
		throw std::length_error("libsva: the destination is shorter than the source");
	return src;
}

inline std::size_t same(std::size_t a, std::size_t b)
{
	if (a != b)
		throw std::length_error("libsva: the buffers differ in length");
	return a;
}

struct unmap {
	void operator()(sva_dma_buf *buf) const noexcept { (void)sva_dma_unmap(buf); }
};

struct unbind {
	void operator()(sva_bond *bond) const noexcept { sva_unbind(bond); }
};

} // namespace detail

/**
 * Memory mapped for a device by context::map(). The memory belongs to the caller, and outlives this
 * object; so does each operation on it. Since: 0.1
 */
class mapped_buffer {
public:
	/** Takes over a handle. */
	explicit mapped_buffer(sva_dma_buf *buf) noexcept : buf_(buf) {}

	sva_dma_buf *get() const noexcept { return buf_.get(); }
	/** Whether a device maps it, or the library only recorded it. */
	bool is_mapped() const { return check(sva_dma_is_mapped(get()), "sva_dma_is_mapped"); }
	/** Passes a part of it; direction: SVA_DMA_FOR_CPU or SVA_DMA_FOR_DEVICE. */
	void sync(std::size_t off, std::size_t len, unsigned int direction)
	{
		check(sva_dma_sync(get(), off, len, direction), "sva_dma_sync");
	}
	/** Unmaps it now; throws EBUSY, and stays mapped, if an operation on it has not ended. */
	void unmap()
	{
		check(sva_dma_unmap(get()), "sva_dma_unmap");
		(void)buf_.release();
	}

private:
	std::unique_ptr<sva_dma_buf, detail::unmap> buf_;
};

/**
 * One operation. Prepare it, submit it through a context or a bond, poll it or wait for it; then it
 * may be prepared again. It can neither be copied nor moved, since a device may hold its address.
 * One thread at a time uses it. Since: 0.1
 */
class operation {
public:
	operation() noexcept { sva_prep_noop(&op_); }
	operation(const operation &) = delete;
	operation &operator=(const operation &) = delete;
	/** Waits until no device can touch it or its buffers any more. */
	~operation() { retire(); }

	/* Each of these prepares it, and throws EBUSY while it is in flight. */
	/** A copy; the buffers may overlap. */
	operation &copy(bytes dst, const_bytes src)
	{
		const std::size_t len = detail::fits(dst.size(), src.size());

		sva_prep_memcpy(idle(), dst.data(), src.data(), len);
		return *this;
	}
	/** A fill with an 8-byte pattern, the least significant byte first. */
	operation &fill(bytes dst, std::uint64_t pattern)
	{
		sva_prep_memfill(idle(), dst.data(), pattern, dst.size());
		return *this;
	}
	/** A comparison; result().result is 0 if they are equal. */
	operation &compare(const_bytes a, const_bytes b)
	{
		const std::size_t len = detail::same(a.size(), b.size());

		sva_prep_compare(idle(), a.data(), b.data(), len);
		return *this;
	}
	/** A CRC, in result().value; flags: SVA_CRC_*. */
	operation &crc(const_bytes src, std::uint64_t seed = 0, std::uint32_t flags = 0)
	{
		sva_prep_crc(idle(), src.data(), src.size(), seed, flags);
		return *this;
	}
	/** A copy with the CRC of the bytes. */
	operation &copy_crc(bytes dst, const_bytes src, std::uint64_t seed = 0,
			    std::uint32_t flags = 0)
	{
		const std::size_t len = detail::fits(dst.size(), src.size());

		sva_prep_copy_crc(idle(), dst.data(), src.data(), len, seed, flags);
		return *this;
	}
	/** A copy to two places, which have the same bits 11:0. */
	operation &dualcast(bytes dst1, bytes dst2, const_bytes src)
	{
		const std::size_t len =
			detail::fits(dst2.size(), detail::fits(dst1.size(), src.size()));

		sva_prep_dualcast(idle(), dst1.data(), dst2.data(), src.data(), len);
		return *this;
	}
	/** A copy between mapped buffers. */
	operation &copy(mapped_buffer &dst, std::size_t doff, mapped_buffer &src, std::size_t soff,
			std::size_t len)
	{
		sva_prep_dma_copy(idle(), dst.get(), doff, src.get(), soff, len);
		return *this;
	}
	/** Any other operation: f(sva_op *) calls a function of the C interface. */
	template <class F> operation &prepare(F &&f)
	{
		std::forward<F>(f)(idle());
		return *this;
	}
	/** Sets SVA_OP_* flags beside those that are set; after preparing. */
	operation &flags(std::uint32_t more)
	{
		idle()->flags |= more;
		return *this;
	}

	/**
	 * Holds a share of something, such as its buffers, until it has ended or is destroyed. A
	 * share that was given to an operation that is not submitted stays until its next end.
	 */
	operation &keep(std::shared_ptr<const void> what)
	{
		kept_.push_back(std::move(what));
		return *this;
	}

	/** Whether a device or the library may still touch its memory. */
	bool in_flight() const noexcept
	{
		return submitted_ && sva_op_result(&op_)->error == -EINPROGRESS;
	}
	/** true: done, false: pending. Throws what it failed with. */
	bool poll() { return ended(sva_poll(&op_), 0, "sva_poll"); }
	/** Waits for its end without a limit. Throws what it failed with. */
	void wait() { (void)ended(sva_wait(&op_, -1), -ETIME, "sva_wait"); }
	/** The same with a limit; false: it is still in flight. */
	template <class Rep, class Period>
	bool wait_for(std::chrono::duration<Rep, Period> limit)
	{
		using std::chrono::nanoseconds;
		const std::chrono::hours most(1000000); /* more does not fit into 64 bits of ns */
		const nanoseconds ns(limit < most ?
					     std::chrono::duration_cast<nanoseconds>(limit) :
					     nanoseconds(most));
		const std::int64_t count = ns.count() < 0 ? 0 : std::int64_t(ns.count());

		return ended(sva_wait(&op_, count), -ETIME, "sva_wait");
	}
	/** Waits until nothing touches it, whatever its end is. */
	void retire() noexcept
	{
		if (in_flight())
			sva_op_retire(&op_);
		finish();
	}
	/** Its result; error is -EINPROGRESS while it is in flight. */
	const sva_result &result() const noexcept { return *sva_op_result(&op_); }

	/** The C structure, for functions that have no counterpart here. */
	sva_op *get() noexcept { return &op_; }
	const sva_op *get() const noexcept { return &op_; }

private:
	friend class batch;
	friend class bond;
	friend class context;

	sva_op *idle()
	{
		if (in_flight() || (parent_ && parent_->in_flight()))
			throw error(-EBUSY, "libsva: the operation is in flight");
		return &op_;
	}
	/* With a batch its entries have ended, too. */
	void finish() noexcept
	{
		submitted_ = false;
		kept_.clear();
		for (std::size_t i = 0; i < entry_count_; i++)
			entries_[i].kept_.clear();
	}
	/* Of sva_poll() and sva_wait(): "pending" is the value that means it. */
	bool ended(int rc, int pending, const char *what)
	{
		if (rc == pending && (rc || in_flight()))
			return false;
		finish();
		if (rc < 0)
			throw error(rc, what, result());
		return true;
	}
	/* Of sva_submit() and its kin. */
	bool taken(int rc, const char *what)
	{
		if (rc == -EAGAIN)
			return false;
		check(rc, what);
		return true;
	}
	/* user_data leads sva_reap() back to the object. */
	sva_op *to_submit()
	{
		sva_op *op = idle();

		op->user_data = reinterpret_cast<std::uintptr_t>(this);
		return op;
	}

	sva_op op_;
	bool submitted_ = false;
	operation *parent_ = nullptr;  /* the batch that it is an entry of */
	operation *entries_ = nullptr; /* a batch: its entries */
	std::size_t entry_count_ = 0;
	std::vector<std::shared_ptr<const void>> kept_;
};

/**
 * Operations that are submitted together; see sva_prep_batch(3). Prepare each with entry(), then
 * the batch with prepare_entries(), each time before it is submitted. Since: 0.1
 */
class batch : public operation {
public:
	/** @param size at least 1: number of entries, each a no-op at first */
	explicit batch(std::size_t size) : owned_(new operation[size]), list_(size)
	{
		entries_ = owned_.get();
		entry_count_ = size;
		for (std::size_t i = 0; i < size; i++) {
			entries_[i].parent_ = this;
			list_[i] = &entries_[i].op_;
		}
		prepare_entries();
	}
	/** Waits, as that of an operation does, before the entries are freed. */
	~batch() { retire(); }

	std::size_t size() const noexcept { return list_.size(); }
	operation &entry(std::size_t i) { return entries_[i]; }
	const operation &entry(std::size_t i) const { return entries_[i]; }
	/** Prepares the batch of all entries. Throws EBUSY while it is in flight. */
	batch &prepare_entries()
	{
		sva_prep_batch(idle(), list_.data(), static_cast<unsigned int>(list_.size()));
		return *this;
	}

private:
	std::unique_ptr<operation[]> owned_;
	std::vector<sva_op *> list_;
};

/** A queue that this process has bound; released when the object goes. Since: 0.1 */
class bond {
public:
	/** Takes over a reference. */
	explicit bond(sva_bond *from) noexcept : bond_(from) {}

	sva_bond *get() const noexcept { return bond_.get(); }
	/** enum sva_path of submissions on it. */
	int path() const { return check(sva_bond_path(get()), "sva_bond_path"); }
	/** The PASID; nothing where the kernel does not disclose it. */
	std::optional<std::uint32_t> pasid() const
	{
		std::uint32_t pasid;
		const int rc = sva_bond_pasid(get(), &pasid);

		if (rc == -ENODATA)
			return std::nullopt;
		check(rc, "sva_bond_pasid");
		return pasid;
	}
	/** As context::submit(), to this queue only. */
	[[nodiscard]] bool submit(operation &op)
	{
		if (!op.taken(sva_bond_submit(get(), op.to_submit()), "sva_bond_submit"))
			return false;
		return op.submitted_ = true;
	}

private:
	std::unique_ptr<sva_bond, detail::unbind> bond_;
};

/** Options of a context: struct sva_opts with its size set. Since: 0.1 */
struct options : sva_opts {
	options() noexcept : sva_opts(SVA_OPTS_INIT) {}
};

/** Why a path is or is not used. Since: 0.1 */
struct explanation {
	int reason;       /**< enum sva_reason; 0: usable */
	std::string text; /**< one line of advice */
};

/**
 * A context. Mapped buffers are destroyed before it; bonds and operations may outlive it, as in the
 * C interface. Since: 0.1
 */
class context {
public:
	/** Opens one. */
	explicit context(const sva_opts &opts = options())
	{
		check(sva_open(&sva_, &opts), "sva_open");
	}
	/** Stands for the process's default context, which is not closed. */
	static context process_default() noexcept { return context(nullptr); }
	context(context &&from) noexcept : sva_(std::exchange(from.sva_, nullptr)) {}
	context &operator=(context &&from) noexcept
	{
		std::swap(sva_, from.sva_);
		return *this;
	}
	~context() { sva_close(sva_); }

	/** The C handle; NULL is the default context. */
	sva *get() const noexcept { return sva_; }

	/* Synchronous calls; last_result() describes them. */
	void copy(bytes dst, const_bytes src)
	{
		const std::size_t len = detail::fits(dst.size(), src.size());

		check_call(sva_memcpy(sva_, dst.data(), src.data(), len), "sva_memcpy");
	}
	void fill(bytes dst, std::uint64_t pattern)
	{
		check_call(sva_memfill(sva_, dst.data(), pattern, dst.size()), "sva_memfill");
	}
	/** The offset of the first difference; nothing: they are equal. */
	std::optional<std::size_t> first_difference(const_bytes a, const_bytes b)
	{
		const std::size_t len = detail::same(a.size(), b.size());
		std::size_t offset;

		if (!check_call(sva_compare(sva_, a.data(), b.data(), len, &offset), "sva_compare"))
			return std::nullopt;
		return offset;
	}
	bool equal(const_bytes a, const_bytes b) { return !first_difference(a, b); }
	/** CRC-32C; the value of one buffer is the seed for the next. */
	std::uint32_t crc32c(const_bytes src, std::uint32_t seed = 0)
	{
		check_call(sva_crc32c(sva_, src.data(), src.size(), &seed), "sva_crc32c");
		return seed;
	}
	/** A copy, and the CRC-32C of the bytes. */
	std::uint32_t copy_crc32c(bytes dst, const_bytes src, std::uint32_t seed = 0)
	{
		const std::size_t len = detail::fits(dst.size(), src.size());

		check_call(sva_copy_crc32c(sva_, dst.data(), src.data(), len, &seed),
			   "sva_copy_crc32c");
		return seed;
	}
	/** The record of the differences, in delta; returns its size, nothing: it does not fit. */
	std::optional<std::size_t> create_delta(const_bytes from, const_bytes to, bytes delta)
	{
		const std::size_t len = detail::same(from.size(), to.size());
		const std::size_t room = delta.size() / SVA_DELTA_ENTRY_SIZE * SVA_DELTA_ENTRY_SIZE;
		std::uint32_t size;
		const int rc = sva_create_delta(sva_, from.data(), to.data(), len, delta.data(),
						static_cast<std::uint32_t>(room), &size);

		if (rc == -EOVERFLOW)
			return std::nullopt;
		check_call(rc, "sva_create_delta");
		return size;
	}
	void apply_delta(bytes dst, const_bytes delta)
	{
		check_call(sva_apply_delta(sva_, dst.data(), dst.size(), delta.data(),
					   static_cast<std::uint32_t>(delta.size())),
			   "sva_apply_delta");
	}
	/** Submits a prepared operation and waits for its end. */
	void run(operation &op)
	{
		const int rc = sva_run(sva_, op.to_submit());

		op.finish();
		if (rc < 0)
			throw error(rc, "sva_run", op.result());
	}

	/** false: every queue is full, the operation was not submitted, and may be again. */
	[[nodiscard]] bool submit(operation &op)
	{
		if (!op.taken(sva_submit(sva_, op.to_submit()), "sva_submit"))
			return false;
		return op.submitted_ = true;
	}
	/**
	 * Collects up to n operations that have ended; their results have their errors. Each one
	 * that this thread submitted on this context must have been so through an operation.
	 */
	std::size_t reap(operation **done, unsigned int n)
	{
		std::vector<sva_op *> ops(n);
		const int count = check(sva_reap(sva_, ops.data(), n), "sva_reap");

		for (int i = 0; i < count; i++) {
			done[i] = reinterpret_cast<operation *>(
				static_cast<std::uintptr_t>(ops[std::size_t(i)]->user_data));
			done[i]->finish();
		}
		return static_cast<std::size_t>(count);
	}

	/** Binds the process to a queue, such as "wq0.0"; flags: SVA_BIND_*. */
	libsva::bond bind(const std::string &queue, unsigned int flags = 0)
	{
		sva_bond *got;

		check(sva_bind(sva_, queue.c_str(), flags, &got), "sva_bind");
		return libsva::bond(got);
	}
	/** Maps a buffer for devices; flags: SVA_DMA_SOURCE, SVA_DMA_DESTINATION, 0: both. */
	mapped_buffer map(bytes memory, unsigned int flags = 0)
	{
		sva_dma_buf *got;

		check(sva_dma_map(sva_, memory.data(), memory.size(), flags, &got), "sva_dma_map");
		return mapped_buffer(got);
	}

	/** Why a path, an enum sva_path, is or is not used. */
	explanation explain(int path) const
	{
		char text[512];
		const int reason =
			check(sva_explain(sva_, path, text, sizeof(text)), "sva_explain");

		return { reason, text };
	}
	/** The queues. Their strings live as long as the context. */
	std::vector<sva_queue_info> queues(bool probe = false) const
	{
		std::vector<sva_queue_info> all;
		sva_queue_info info;
		int rc;

		for (unsigned int i = 0;; i++) {
			info = sva_queue_info();
			info.size = sizeof(info);
			rc = sva_queue_describe(sva_, i, probe, &info);
			if (rc == -ENOENT)
				return all;
			check(rc, "sva_queue_describe");
			all.push_back(info);
		}
	}

private:
	explicit context(std::nullptr_t) noexcept {}

	sva *sva_ = nullptr;
};

} // namespace libsva

#endif
