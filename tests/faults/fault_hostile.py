# SPDX-License-Identifier: Apache-2.0
"""What strangers send, and what processes call themselves."""

import json
import random
import socket
import struct

import nameserver as ns
import places
from faults import check, equal, fault, number, program
from harness import wait_until
from test_names import NONE, broken
from traffic import PR_SET_NAME, connect

TARGET = "127.0.0.14"


class Teller:
    """Tells this process an answer that nobody asked for, from port 53."""

    def __init__(self):
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.bind(("127.0.0.1", 53))
        self.own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.own.bind(("127.0.0.1", 0))
        self.own.settimeout(10)

    def tell(self, message):
        self.server.sendto(message, self.own.getsockname())
        self.own.recv(65535)


def labels(count):
    """A name of so many labels of one byte, as a list."""
    return [b"x"] * count


def forged():
    """Answers about TARGET that must name nothing."""
    good = ns.query("forged.test")
    record = ns.address(TARGET)
    head = lambda flags, *counts: good[:2] + struct.pack("!HHHHH", flags, *counts)
    question = ns.question_of(good)
    chaos = question[:-2] + b"\0\3"
    to_itself = b"\xc0" + bytes([12 + len(question)])
    there_and_back = b"\xc0\x0e\xc0\x0c" + question[-4:]
    all_of_them = {
        "chaos question": head(0x8180, 1, 1, 0, 0) + chaos + record,
        "chaos record": ns.answer(good, record[:4] + b"\0\3" + record[6:]),
        "mixed classes": head(0x8180, 1, 1, 0, 0) + chaos + record[:4] + b"\0\3" + record[6:],
        "two different questions": head(0x8180, 2, 1, 0, 0) + question + ns.name("other.test")
        + question[-4:] + record,
        "255 labels": head(0x8180, 1, 1, 0, 0) + ns.name(labels(255)) + question[-4:] + record,
        "128 labels": head(0x8180, 1, 1, 0, 0) + ns.name(labels(128)) + question[-4:] + record,
        "pointer to itself": head(0x8180, 1, 1, 0, 0) + b"\xc0\x0c" + question[-4:] + record,
        "pointers to each other": head(0x8180, 1, 1, 0, 0) + there_and_back + record,
        "record's pointer to itself": ns.answer(good, to_itself + record[2:]),
        "CNAME loop": ns.answer(
            good, ns.record(ns.ASKED, ns.CNAME, ns.name("a.test")),
            ns.record(ns.name("a.test"), ns.CNAME, ns.name("b.test")),
            ns.record(ns.name("b.test"), ns.CNAME, ns.name("a.test")),
            ns.address(TARGET, ns.name("c.test"))),
        "65,535 records said, one there": ns.answer(good, record, count=65535),
        "address in the authority section": head(0x8180, 1, 0, 1, 0) + question + record,
        "address in the additional section": head(0x8180, 1, 0, 0, 1) + question + record,
        "failed": ns.answer(good, record, flags=0x8182),
        "of 13 bytes, cut anywhere": good[:13],
    }
    return all_of_them


@fault("answers forged, QR=0, two questions, wrong class, loops, 255 labels, and the like",
       "never attributed; the next good one is")
def forged_answers(scene):
    wrong = list(forged().items())
    wrong += [("broken %d" % n, message)
              for n, message in enumerate(broken(ns.query("forged.test")))]
    noise = random.Random(7071)
    good = ns.answer(ns.query("forged.test"), ns.address(TARGET))
    for n in range(300):  # one to four bytes of the header's flags and counts are others
        message = bytearray(good)
        for _ in range(noise.randint(1, 4)):
            message[noise.randrange(4, 12)] ^= noise.randint(1, 255)
        message[2] &= 0x7f  # and in any case a query
        wrong.append(("noise %d" % n, bytes(message)))

    def work():
        teller = Teller()
        for _, message in wrong:
            teller.tell(message)
            connect(TARGET, 80)
        teller.tell(good)
        connect(TARGET, 80)

    client = scene.client(work)
    tool = scene.tool("-d", "-p", client.pid)
    client.run()
    rows = tool.finish()
    named = [what for (what, _), row in zip(wrong, rows) if row.query != NONE]
    equal(len(rows), len(wrong) + 1, "events")
    equal(named, [], "taken for answers")
    check(rows[-1].query.startswith("forged.test"), "the good one: %r" % rows[-1].query)
    return "0 of %d named anything" % len(wrong)


@fault("an answer from port 53 to a port where nobody waits",
       "as SECURITY.md says: with kprobes and fentry never attributed, with tracepoints it may be")
def nobody_asked(scene):
    def work():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        server.sendto(ns.answer(ns.query("nobody.test"), ns.address(TARGET)), ("127.0.0.1", 5))
        connect(TARGET, 80)

    client = scene.client(work)
    tool = scene.tool("-d", "-p", client.pid)
    client.run()
    query = tool.finish()[0].query
    check(query == NONE or scene.way == "tracepoint", "QUERY: %r" % query)
    return "by %s: shown as %s" % (scene.way, query.split(" (")[0])


def hostile_bytes(noise, size):
    pieces = [b"\x1b[2J", b"\n", b"\r", b"\x9b31m", b"\xff\xfe", b"\xe2\x80\xae", b"\"", b"\\",
              b"\t", b"\x7f", b"\xc3", b"\xf0\x9f\x98\x80", b"{", b"a", b"%s"]
    text = b"".join(noise.choice(pieces) for _ in range(size))[:size]
    return text or b"x"


def hostile_run(scene, count, *options):
    """So many connects, each by another name and to another, both hostile; the output's lines."""
    def work():
        noise, teller = random.Random(count), Teller()
        for n in range(count):
            asked = [hostile_bytes(noise, noise.randint(1, 63)) for _ in range(3)]
            message = ns.query(asked)
            teller.tell(ns.answer(message, ns.address("127.1.%d.%d" % (n >> 8, n & 255))))
            places.call("prctl", PR_SET_NAME, hostile_bytes(noise, 15) + b"\0")
            connect("127.1.%d.%d" % (n >> 8, n & 255), 80)

    client = scene.client(work)
    tool = scene.launch("-d", "-p", client.pid, *options)
    if options:
        wait_until(lambda: ready(tool), "the tool does not start", 20)
    else:
        tool.wait()
    client.run()
    tool.stop()
    return tool


def ready(tool):
    """With --json nothing is printed before the first event: its descriptors tell."""
    with open("/proc/%d/status" % tool.pid) as f:
        return "Seccomp:\t2" in f.read()


@fault("hostile process and DNS names: escapes, newlines, invalid UTF-8, quotes",
       "an event a line, no control byte, JSON valid")
def hostile_names(scene):
    count = 500
    tool = hostile_run(scene, count)
    with open(tool.out_path, "rb") as f:
        text = f.read()
    lines = text.split(b"\n")[2:-1]
    equal(len(lines), count, "lines")
    wrong = {byte for byte in text if byte < 32 and byte != 10 or byte == 127}
    equal(wrong, set(), "control bytes")
    decoded = text.decode("utf-8")  # raises if it is not valid
    check(not any(0x80 <= ord(c) < 0xa0 for c in decoded), "a C1 control character")

    tool = hostile_run(scene, count, "--json")
    with open(tool.out_path, "rb") as f:
        text = f.read()
    objects = [json.loads(line) for line in text.decode("utf-8").splitlines()]
    equal(len(text.split(b"\n")) - 1, count, "JSON lines")
    equal(len(objects), count, "JSON objects")
    equal(sum(o["dns"] is None for o in objects), 0, "objects without a name")
    return "%d lines of text and %d of JSON, all sound" % (count, count)


@fault("10,000 processes with 8 PIDs between them", "COMM and names are those of the moment")
def pids_reused(scene):
    count = 10000
    program_ = program(scene, "reuse", count, 7073)
    tool = scene.tool("-d", "-P", "7073")
    made, taken_over = map(int, program_.run().split())
    rows = [row for row in tool.finish() if row.daddr.startswith("127.8.0.")]
    equal(len(rows), made, "events")
    for n, row in enumerate(rows):
        equal((row.comm, row.query.split(" ")[0]), ("r%d" % n, "p%d.reuse.test" % n),
              "COMM and QUERY of process %d" % n)
    check(taken_over > count / 2, "only %d PIDs were taken over" % taken_over)
    return "%s lines right; %s processes had the PID of one before" % (number(made),
                                                                       number(taken_over))
