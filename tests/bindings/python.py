# SPDX-License-Identifier: MIT
"""The Python module: results, errors, and that buffers are held while a device has them.

Prints TAP. With the argument "device" the work must be done by a device."""
import array
import asyncio
import errno
import gc
import mmap
import os
import sys

import sva

count = failed = 0
want_device = sys.argv[1:] == ["device"]


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)


def raised(kind, function, *args):
    try:
        function(*args)
    except kind as e:
        return e
    return None


def on_device(result):
    return result.path in ("enqcmd", "movdir64b", "write")


ctx = sva.Context(threshold=1)
src = bytes(i * 7 & 255 for i in range(300000))
dst = bytearray(len(src))
ctx.copy(dst, src)
ok(dst == src, "a copy from bytes to a bytearray has every byte")
ok(on_device(ctx.last_result) == want_device, "it was done by " + ctx.last_result.path)
words = array.array("Q", [0]) * 4096
ctx.fill(words, 0x0102030405060708)
ok(set(words) == {0x0102030405060708}, "a fill of an array of 64-bit words fills all of them")
area = mmap.mmap(-1, 65536)
ctx.copy(area, src[:65536])
ok(area[:] == src[:65536], "a copy to an mmap has every byte")
ok(ctx.compare(dst, src) is None, "compare() of equal buffers is None")
dst[200001] ^= 1
ok(ctx.compare(dst, src) == 200001, "compare() is the offset of the first difference")
ok(sva.crc32c(b"123456789") == 0xe3069283, "crc32c() of 123456789 is the check value of CRC-32C")
ok(sva.crc32c(b"56789", sva.crc32c(b"1234")) == 0xe3069283, "crc32c() goes on from a seed")
ok(ctx.copy_crc32c(dst, src) == ctx.crc32c(src) and dst == src, "copy_crc32c() copies and sums")
ok(raised(ValueError, ctx.copy, bytearray(3), b"1234"), "a short destination is a ValueError")
ok(raised((BufferError, TypeError), ctx.copy, b"1234", b"1234"),
   "a read-only destination is refused")
ok(raised(BufferError, ctx.copy, bytearray(4), memoryview(b"12345678")[::2]),
   "a buffer that is not contiguous is refused")
e = raised(sva.Error, lambda: sva.Context(flags=0x80000000))
ok(e and e.errno == errno.EINVAL, "an unknown flag is an Error with its errno")

op = ctx.start_copy(dst, bytes(len(src)))
held = raised(BufferError, dst.append, 1) if op.in_flight else True
ok(held, "a bytearray cannot be resized while an operation has it")
result = op.wait()
ok(dst == bytes(len(src)) and result.bytes == len(src) and not op.in_flight, "wait() ends a copy")
dst.append(1)
dst.pop()
ok(True, "after its end the bytearray can be resized")
op = ctx.start_crc(src)
while not op.poll():
    pass
ok(op.result.value == sva.crc32c(src), "poll() ends a CRC, whose value is in the result")
for i in range(50):
    ctx.start_copy(bytearray(1 << 20), bytes(1 << 20))
gc.collect()
ok(True, "operations that are dropped at once are waited for")


async def many():
    targets = [bytearray(len(src)) for _ in range(8)]
    results = await asyncio.gather(*[wait_for(t) for t in targets])
    return all(t == src for t in targets), results


async def wait_for(target):
    return await ctx.start_copy(target, src)

good, results = asyncio.run(many())
ok(good, "eight copies that coroutines await are done")
ok(all(on_device(r) == want_device for r in results), "each result names what did it")
pid = os.fork()
if not pid:
    other = bytearray(len(src))
    sva.copy(other, src)
    os._exit(other == src and 3 or 4)
ok(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3, "the default context copies after a fork")
ctx.close()
ok(raised(ValueError, ctx.copy, dst, src), "a closed context is a ValueError")
ok(isinstance(sva.explain("dma"), str) and sva.version()[0].isdigit(), "explain() and version()")
print(f"1..{count}")
sys.exit(failed > 0)
