#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzz targets of compiler/ and events/: seeds-compiler.py DIRECTORY

Writes DIRECTORY/object/* for fuzz-object (encoded objects), DIRECTORY/cache-file/* for
fuzz-cache-file (a byte that tells what to mend, then a file of the cache) and DIRECTORY/order/*
for fuzz-order (operations).
"""

import os
import random
import struct
import sys

BPF_LD_IMM64 = 0x18
OBJECT_MAGIC, OBJECT_VERSION = 0x746F626A, 2
ENTRY_MAGIC, ENTRY_VERSION = 0x74637063, 1
KEY = b"a key"


def insns(count, loads):
    code = bytearray(8 * count)
    for at in loads:
        code[8 * at] = BPF_LD_IMM64
    return bytes(code)


def encoded_object(rng):
    maps = rng.randrange(4)
    lengths = [rng.randrange(2, 12) for _ in range(rng.randrange(5))]
    total, first = sum(lengths), 0
    loads = sorted(rng.sample(range(0, max(total - 1, 0), 2), min(total // 4, 6)))
    targets = rng.randrange(3)
    kinds = [(1, rng.randrange(maps)) if maps and rng.random() < 0.5 else (2, rng.randrange(4096))
             for _ in loads]
    out = struct.pack("=7I", OBJECT_MAGIC, OBJECT_VERSION, maps, len(lengths), total, len(loads),
                      targets)
    for i in range(maps):
        out += struct.pack("=32s5I", b"map%d" % i, rng.randrange(30), 4, 8, 1024, 0)
    for i, length in enumerate(lengths):
        out += struct.pack("=32s2I", b"program%d" % i, length, first)
        first += length
    out += insns(total, loads)
    for at, (kind, index) in zip(loads, kinds):
        out += struct.pack("=3I", at, kind, index)
    for i in range(targets):
        out += struct.pack("=64s2I", b"target%d" % i, i, 1000 + i)
    return out


def checksum(data):
    """cache_hash() of compiler/cache_key.c."""
    value = 0xCBF29CE484222325 ^ len(data)
    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at:at + 8], sys.byteorder)
        value = (value ^ word) * 0x9E3779B97F4A7C15 % 2**64
        value ^= value >> 32
    return value


def cache_file(rng):
    body = encoded_object(rng)
    libraries = b"".join(
        struct.pack("=512sqqQQ", path, rng.randrange(2**27), rng.randrange(2**60),
                    rng.randrange(2**32), rng.randrange(2**16))
        for path in (b"/usr/lib/libbcc.so.0", rng.choice((b"", b"/usr/lib/libLLVM.so"))))
    checked = struct.pack("=2I", len(KEY), len(body)) + libraries + KEY + body
    return struct.pack("=2IQ", ENTRY_MAGIC, ENTRY_VERSION, checksum(checked)) + checked


def operations(rng):
    out = bytearray()
    for _ in range(rng.choice((3, 20, 100))):
        what = rng.randrange(256)
        out.append(what)
        if what < 128:
            out += rng.randbytes(3)
        elif what < 192:
            size = rng.randrange(60)
            out += bytes((rng.randrange(8), rng.choice((0, 200, 230)))) + size.to_bytes(2, "big")
            out += struct.pack("=IQI", rng.randrange(64), rng.randrange(256), rng.randrange(4))
        else:
            out += rng.randbytes(8 if what == 255 else 1)
    return bytes(out)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    rng = random.Random(1)
    makers = {
        "object": encoded_object,
        "cache-file": lambda rng: bytes((rng.randrange(4),)) + cache_file(rng),
        "order": operations,
    }
    for name, make in makers.items():
        directory = os.path.join(sys.argv[1], name)
        os.makedirs(directory, exist_ok=True)
        for number in range(100):
            with open(os.path.join(directory, f"{number:04}"), "wb") as out:
                out.write(make(rng))


if __name__ == "__main__":
    main()
