# SPDX-License-Identifier: MIT
"""libsva in Python: memory operations on an accelerator, on objects that are buffers.

Everything with the buffer protocol is an argument: bytes, bytearray, memoryview, array.array,
mmap.mmap, numpy arrays; contiguous, and writable where it is written. Calls release the global
interpreter lock while they run.

    import sva
    sva.copy(dst, src)                  # the default context
    with sva.Context(paths="write,cpu") as ctx:
        op = ctx.start_copy(dst, src)   # returns at once
        ...
        op.wait()                       # or, in a coroutine: await op

While an operation is in flight it holds its buffers: a bytearray cannot be resized, an object
cannot be freed; an operation that is dropped is waited for first.
"""
from __future__ import annotations

import asyncio
import ctypes
import errno
import os
from typing import Any, Generator, List, Optional, Union

__all__ = ["Context", "Error", "Operation", "Result", "copy", "copy_crc32c", "compare", "crc32c",
           "explain", "fill", "version"]

_lib = ctypes.CDLL(os.environ.get("SVA_PYTHON_LIBRARY", "libsva.so.0"))
_c = ctypes
_PATHS = 6


class _Result(_c.Structure):
    """struct sva_result"""
    _fields_ = [
        ("error", _c.c_int32), ("status", _c.c_uint8), ("result", _c.c_uint8),
        ("path", _c.c_uint8), ("fault_write", _c.c_uint8), ("bytes", _c.c_uint64),
        ("path_bytes", _c.c_uint64 * 8), ("fault_addr", _c.c_uint64), ("value", _c.c_uint64),
        ("queue", _c.c_char_p), ("device", _c.c_char_p), ("faults", _c.c_uint32),
        ("retries", _c.c_uint32), ("chunks", _c.c_uint32), ("reason", _c.c_uint32),
        ("dif", _c.c_uint8 * 16), ("reserved", _c.c_uint64 * 2),
    ]


class _Opts(_c.Structure):
    """struct sva_opts"""
    _fields_ = [
        ("size", _c.c_size_t), ("paths", _c.c_char_p), ("queues", _c.c_char_p),
        ("threshold", _c.c_size_t), ("flags", _c.c_uint32), ("fault_policy", _c.c_uint32),
        ("fault_tries", _c.c_uint32), ("soft_threads", _c.c_uint32),
        ("record_timeout_ms", _c.c_uint32), ("reserved", _c.c_uint32),
        ("log", _c.c_void_p), ("log_arg", _c.c_void_p),
    ]


class _PyBuffer(_c.Structure):
    """Py_buffer"""
    _fields_ = [
        ("buf", _c.c_void_p), ("obj", _c.c_void_p), ("len", _c.c_ssize_t),
        ("itemsize", _c.c_ssize_t), ("readonly", _c.c_int), ("ndim", _c.c_int),
        ("format", _c.c_char_p), ("shape", _c.c_void_p), ("strides", _c.c_void_p),
        ("suboffsets", _c.c_void_p), ("internal", _c.c_void_p),
    ]


def _declare(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_lib, name)
    function.restype = result
    function.argtypes = arguments
    return function


_p, _n, _u64, _u32 = _c.c_void_p, _c.c_size_t, _c.c_uint64, _c.c_uint32
_open = _declare("sva_open", _c.c_int, _c.POINTER(_p), _c.POINTER(_Opts))
_close = _declare("sva_close", None, _p)
_memcpy = _declare("sva_memcpy", _c.c_int, _p, _p, _p, _n)
_memfill = _declare("sva_memfill", _c.c_int, _p, _p, _u64, _n)
_compare = _declare("sva_compare", _c.c_int, _p, _p, _p, _n, _c.POINTER(_n))
_crc32c = _declare("sva_crc32c", _c.c_int, _p, _p, _n, _c.POINTER(_u32))
_copy_crc32c = _declare("sva_copy_crc32c", _c.c_int, _p, _p, _p, _n, _c.POINTER(_u32))
_submit = _declare("sva_submit", _c.c_int, _p, _p)
_poll = _declare("sva_poll", _c.c_int, _p)
_wait = _declare("sva_wait", _c.c_int, _p, _c.c_int64)
_retire = _declare("sva_op_retire", None, _p)
_op_result = _declare("sva_op_result", _c.POINTER(_Result), _p)
_last_result = _declare("sva_last_result", _c.POINTER(_Result))
_prep_memcpy = _declare("sva_prep_memcpy", None, _p, _p, _p, _n)
_prep_memfill = _declare("sva_prep_memfill", None, _p, _p, _u64, _n)
_prep_compare = _declare("sva_prep_compare", None, _p, _p, _p, _n)
_prep_crc = _declare("sva_prep_crc", None, _p, _p, _n, _u64, _u32)
_prep_copy_crc = _declare("sva_prep_copy_crc", None, _p, _p, _p, _n, _u64, _u32)
_path_name = _declare("sva_path_name", _c.c_char_p, _c.c_int)
_reason_name = _declare("sva_reason_name", _c.c_char_p, _c.c_uint)
_explain = _declare("sva_explain", _c.c_int, _p, _c.c_int, _c.c_char_p, _n)
_version = _declare("sva_version", _c.c_uint)

_get_buffer = _c.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = [_c.py_object, _c.POINTER(_PyBuffer), _c.c_int]
_release_buffer = _c.pythonapi.PyBuffer_Release
_release_buffer.argtypes = [_c.POINTER(_PyBuffer)]
_release_buffer.restype = None

_OP_SIZE, _OP_ALIGNMENT = 512, 64
_WRITABLE = 1  # PyBUF_WRITABLE; 0 is PyBUF_SIMPLE


class _View:
    """The memory of an object, which cannot go or move until release()."""

    def __init__(self, obj: Any, writable: bool = False) -> None:
        self._buffer = _PyBuffer()
        self._held = False
        _get_buffer(obj, self._buffer, _WRITABLE if writable else 0)
        self._held = True
        self.address: int = self._buffer.buf or 0
        self.size: int = self._buffer.len

    def release(self) -> None:
        if self._held:
            self._held = False
            _release_buffer(self._buffer)

    def __enter__(self) -> _View:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()


class Result:
    """What an operation did: struct sva_result."""

    def __init__(self, raw: _Result) -> None:
        self.error: int = raw.error
        self.status: int = raw.status
        self.result: int = raw.result
        self.bytes: int = raw.bytes
        self.value: int = raw.value
        self.fault_addr: int = raw.fault_addr
        self.path: str = _path_name(raw.path).decode()
        self.path_bytes = {_path_name(i).decode(): raw.path_bytes[i] for i in range(_PATHS)}
        self.queue: Optional[str] = raw.queue.decode(errors="replace") if raw.queue else None
        self.device: Optional[str] = raw.device.decode(errors="replace") if raw.device else None
        self.faults: int = raw.faults
        self.retries: int = raw.retries
        self.chunks: int = raw.chunks
        self.reason: str = _reason_name(raw.reason).decode()

    def __repr__(self) -> str:
        return (f"<sva.Result error={self.error} bytes={self.bytes} path={self.path}"
                f" queue={self.queue} reason={self.reason}>")


class Error(OSError):
    """A call that failed; result is that of the operation, None if none was begun."""

    def __init__(self, err: int, what: str, result: Optional[Result] = None) -> None:
        super().__init__(-err, f"{what}: {os.strerror(-err)}")
        self.result = result


def _check(rc: int, what: str) -> int:
    if rc < 0:
        raise Error(rc, what, Result(_last_result().contents))
    return rc


def _fits(dst: _View, src: _View) -> int:
    if dst.size < src.size:
        raise ValueError("the destination is shorter than the source")
    return src.size


def _same(a: _View, b: _View) -> int:
    if a.size != b.size:
        raise ValueError("the buffers differ in length")
    return a.size


class Operation:
    """An operation that was submitted; made by the start_ methods of a context.

    It holds its buffers until poll(), wait() or await has reported its end. One thread at a time
    uses it.
    """

    def __init__(self, views: List[_View]) -> None:
        self._memory = _c.create_string_buffer(_OP_SIZE + _OP_ALIGNMENT)
        start = _c.addressof(self._memory)
        self._op = (start + _OP_ALIGNMENT - 1) & ~(_OP_ALIGNMENT - 1)
        self._views = views
        self._pid = 0  # of the process that submitted it; 0: it has ended

    def _ended(self, rc: int, what: str) -> None:
        self._pid = 0
        for view in self._views:
            view.release()
        if rc < 0:
            raise Error(rc, what, self.result)

    @property
    def in_flight(self) -> bool:
        """Whether its buffers belong to the device."""
        return self._pid != 0

    @property
    def result(self) -> Result:
        """Its result; error is -EINPROGRESS while it is in flight."""
        return Result(_op_result(self._op).contents)

    def poll(self) -> bool:
        """True: done; False: in flight. Raises Error if it failed."""
        if self._pid:
            rc = _poll(self._op)
            if rc == 0:
                return False
            self._ended(rc, "sva_poll")
        return True

    def wait(self, timeout: Optional[float] = None) -> Result:
        """Wait for its end, at most timeout seconds (then TimeoutError: it is still in flight)."""
        if self._pid:
            ns = -1 if timeout is None else max(0, min(int(timeout * 1e9), 2**62))
            rc = _wait(self._op, ns)
            if rc == -errno.ETIME:
                raise TimeoutError("the operation is still in flight")
            self._ended(rc, "sva_wait")
        return self.result

    def __await__(self) -> Generator[Any, None, Result]:
        return self._done().__await__()

    async def _done(self) -> Result:
        # Other tasks run between the looks. Most operations have ended after a few; long ones are
        # looked at each millisecond.
        looks = 0
        while not self.poll():
            await asyncio.sleep(0 if looks < 50 else min(0.001, looks * 2e-6))
            looks += 1
        return self.result

    def __del__(self) -> None:
        # In the child of a fork the operation is the parent's, and nothing accesses this copy.
        if self._pid and self._pid == os.getpid():
            _retire(self._op)
        self._pid = 0


class Context:
    """A context; the arguments are those of struct sva_opts. Use it with "with", or close() it."""

    _handle: Optional[int]

    def __init__(self, paths: Optional[str] = None, queues: Optional[str] = None,
                 threshold: int = 0, flags: int = 0, soft_threads: int = 0,
                 record_timeout_ms: int = 0) -> None:
        self._handle = None
        self._owned = False
        opts = _Opts(size=_c.sizeof(_Opts), paths=paths.encode() if paths else None,
                     queues=queues.encode() if queues else None, threshold=threshold, flags=flags,
                     soft_threads=soft_threads, record_timeout_ms=record_timeout_ms)
        handle = _p()
        rc = _open(handle, opts)
        if rc < 0:
            raise Error(rc, "sva_open")
        self._handle = handle.value
        self._owned = True
        self._pid = os.getpid()

    @classmethod
    def _default(cls) -> Context:
        self = cls.__new__(cls)
        self._handle, self._owned = None, False
        return self

    def close(self) -> None:
        """Close it, after what is in flight has ended; operations can be waited for afterwards."""
        if self._owned:
            self._owned = False
            if self._pid == os.getpid():
                _close(self._handle)

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _get(self) -> Optional[int]:
        if self._handle is not None and not self._owned:
            raise ValueError("the context is closed")
        return self._handle

    # ------------------------------------------------------------------ synchronous

    def copy(self, dst: Any, src: Any) -> None:
        """Copy all bytes of src to the begin of dst; they may overlap."""
        with _View(dst, True) as to, _View(src) as from_:
            _check(_memcpy(self._get(), to.address, from_.address, _fits(to, from_)), "sva_memcpy")

    def fill(self, dst: Any, pattern: int = 0) -> None:
        """Fill with a pattern of 8 bytes, the least significant first."""
        with _View(dst, True) as to:
            _check(_memfill(self._get(), to.address, pattern, to.size), "sva_memfill")

    def compare(self, a: Any, b: Any) -> Optional[int]:
        """The offset of the first difference; None if the buffers are equal."""
        offset = _n()
        with _View(a) as one, _View(b) as two:
            rc = _compare(self._get(), one.address, two.address, _same(one, two), offset)
        return offset.value if _check(rc, "sva_compare") else None

    def crc32c(self, src: Any, seed: int = 0) -> int:
        """CRC-32C; the value of one buffer is the seed for the next."""
        crc = _u32(seed)
        with _View(src) as from_:
            _check(_crc32c(self._get(), from_.address, from_.size, crc), "sva_crc32c")
        return crc.value

    def copy_crc32c(self, dst: Any, src: Any, seed: int = 0) -> int:
        """Copy, and the CRC-32C of the bytes; the buffers do not overlap."""
        crc = _u32(seed)
        with _View(dst, True) as to, _View(src) as from_:
            _check(_copy_crc32c(self._get(), to.address, from_.address, _fits(to, from_), crc),
                   "sva_copy_crc32c")
        return crc.value

    @property
    def last_result(self) -> Result:
        """The result of this thread's last synchronous call, on any context."""
        return Result(_last_result().contents)

    def explain(self, path: Union[int, str]) -> str:
        """Why a path is or is not used, in a line."""
        names = [_path_name(i).decode() for i in range(_PATHS)]
        number = names.index(path) if isinstance(path, str) else path
        text = _c.create_string_buffer(512)
        rc = _explain(self._get(), number, text, len(text))
        if rc < 0:
            raise Error(rc, "sva_explain")
        return text.value.decode(errors="replace")

    # ------------------------------------------------------------------ asynchronous

    def _start(self, op: Operation) -> Operation:
        rc = _submit(self._get(), op._op)
        if rc == -errno.EAGAIN:
            raise BlockingIOError(errno.EAGAIN, "every queue is full")
        if rc < 0:
            raise Error(rc, "sva_submit")
        op._pid = os.getpid()
        return op

    def start_copy(self, dst: Any, src: Any) -> Operation:
        """Submit a copy. BlockingIOError: every queue is full, nothing was submitted."""
        to, from_ = _View(dst, True), _View(src)
        op = Operation([to, from_])
        _prep_memcpy(op._op, to.address, from_.address, _fits(to, from_))
        return self._start(op)

    def start_fill(self, dst: Any, pattern: int = 0) -> Operation:
        """Submit a fill."""
        to = _View(dst, True)
        op = Operation([to])
        _prep_memfill(op._op, to.address, pattern, to.size)
        return self._start(op)

    def start_compare(self, a: Any, b: Any) -> Operation:
        """Submit a comparison; result.result is 0 if equal, else result.value is the place."""
        one, two = _View(a), _View(b)
        op = Operation([one, two])
        _prep_compare(op._op, one.address, two.address, _same(one, two))
        return self._start(op)

    def start_crc(self, src: Any, seed: int = 0, flags: int = 0) -> Operation:
        """Submit a CRC, which is in result.value."""
        from_ = _View(src)
        op = Operation([from_])
        _prep_crc(op._op, from_.address, from_.size, seed, flags)
        return self._start(op)

    def start_copy_crc(self, dst: Any, src: Any, seed: int = 0, flags: int = 0) -> Operation:
        """Submit a copy with the CRC of the bytes."""
        to, from_ = _View(dst, True), _View(src)
        op = Operation([to, from_])
        _prep_copy_crc(op._op, to.address, from_.address, _fits(to, from_), seed, flags)
        return self._start(op)


default = Context._default()
copy = default.copy
fill = default.fill
compare = default.compare
crc32c = default.crc32c
copy_crc32c = default.copy_crc32c
explain = default.explain


def version() -> str:
    """The version of the library that runs."""
    number = _version()
    return f"{number >> 16}.{number >> 8 & 255}.{number & 255}"
