# SPDX-License-Identifier: Apache-2.0
"""What the kernel refuses once all is prepared: a program by its verifier, a kprobe."""

import errno
import os
import struct

from harness import EXTRA, Skip, check, equal, test
from test_failures import new_cache, said_in_one_line
from tool import once

# compiler/cache_entry.c and compiler/object.c: the layouts of an entry and of the object in it.
ENTRY, LIBRARY, OBJECT, MAP, PROGRAM, INSN = "=IIQII", "=512sqqQQ", "=7I", "=32s5I", "=32sII", 8
CHECKED_FROM = struct.calcsize("=IIQ")
# r0 = r9, and nothing was ever written to r9.
UNREADABLE = bytes((0xbf, 0x90, 0, 0, 0, 0, 0, 0))
THE_LOG = "R9 !read_ok"


def checksum(data):
    """cache_hash() of compiler/cache_key.c"""
    value = 0xcbf29ce484222325 ^ len(data)
    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at:at + 8].ljust(8, b"\0"), "little")
        value = (value ^ word) * 0x9e3779b97f4a7c15 % 2 ** 64
        value ^= value >> 32
    return value


def spoil(path):
    """Have an entry's first program refused; all else about it is as it should be."""
    with open(path, "rb") as file:
        entry = bytearray(file.read())
    magic, version, told, key_size, object_size = struct.unpack_from(ENTRY, entry)
    equal(checksum(entry[CHECKED_FROM:]), told, "checksum, as it is understood here")
    begins = struct.calcsize(ENTRY) + 2 * struct.calcsize(LIBRARY) + key_size
    equal(len(entry), begins + object_size, "size of the entry, as it is understood here")
    _, _, maps, programs, *_ = struct.unpack_from(OBJECT, entry, begins)
    check(programs > 0, "no program in the entry")
    program = begins + struct.calcsize(OBJECT) + maps * struct.calcsize(MAP)
    insns = program + programs * struct.calcsize(PROGRAM)
    _, _, first = struct.unpack_from(PROGRAM, entry, program)
    at = insns + first * INSN
    entry[at:at + INSN] = UNREADABLE
    struct.pack_into(ENTRY, entry, 0, magic, version, checksum(entry[CHECKED_FROM:]), key_size,
                     object_size)
    with open(path, "r+b") as file:
        file.write(entry)


def entry_of(cache):
    entries = os.listdir(cache)
    equal(len(entries), 1, "entries in the cache")
    return os.path.join(cache, entries[0])


def traced(scene, *options):
    """It sees a connect; what it said on standard error."""
    client = scene.client()
    tool = scene.tool("-p", client.pid, *options)
    client.run("127.0.0.1", 80)
    tool.stop()
    equal([(row.pid, row.daddr) for row in tool.rows()], [(client.pid, "127.0.0.1")], "events")
    return tool.err()


@test
def program(scene):
    """Refused fresh from the compiler: one line, the verifier's log only with -v, nothing kept."""
    before = ("env", "LD_PRELOAD=" + scene.live.program("spoil"))
    options = (*EXTRA, "--probe", scene.way, "--cache-dir", new_cache(scene))
    said_in_one_line(*once(*options, before=before), "the kernel refused the BPF program",
                     "Permission denied", "-v")
    status, out, err = once(*options, "-v", before=before)
    equal((status, out), (1, ""), "status and output with -v")
    check(THE_LOG in err, "-v does not show the verifier's log: %r" % err[-300:])
    equal(os.listdir(options[-1]), [], "entries in the cache")


@test
def program_in_the_cache(scene):
    """A whole entry whose program is refused: compiled once more, and that is kept."""
    cache = new_cache(scene)
    options = ("--probe", scene.way, "--cache-dir", cache)
    traced(scene, *options)
    spoil(entry_of(cache))
    equal(traced(scene, *options), "", "on standard error")
    spoil(entry_of(cache))
    said = traced(scene, *options, "-v")
    equal([said.count(words) for words in ("compiled before, in", "; once more", "compiling for",
                                           THE_LOG)], [1] * 4, "steps told by -v: " + said[:2000])
    said = traced(scene, *options, "-v")
    check("compiled before, in" in said and "; once more" not in said,
          "the new one is not kept: %r" % said[-300:])


@test
def program_in_the_cache_and_again(scene):
    """... and where the fresh one is refused, too, that is the end of it."""
    cache = new_cache(scene)
    before = ("env", "LD_PRELOAD=" + scene.live.program("spoil"))
    traced(scene, "--probe", scene.way, "--cache-dir", cache)
    spoil(entry_of(cache))
    # With any PID: which one, is no part of what is compiled.
    said_in_one_line(*once(*EXTRA, "--probe", scene.way, "--cache-dir", cache, "-p", "1",
                           before=before), "the kernel refused the BPF program", "-v")
    for again in ("; once more", "compiled before, in"):
        said = traced(scene, "--probe", scene.way, "--cache-dir", cache, "-v")
        check(again in said, "%r is not told by -v: %r" % (again, said[:2000]))


@test
def kprobe(scene):
    """Forced, one line tells it; else another way is taken."""
    if not os.path.exists("/sys/bus/event_source/devices/kprobe"):
        raise Skip("this kernel has no kprobes to refuse: failures/no_kprobes tells what it says")
    before = (scene.live.program("forbid"), "perf_event_open", str(errno.EPERM))
    said_in_one_line(*once("--probe", "kprobe", before=before), "kprobe", "perf_event")
