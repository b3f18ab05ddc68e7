# SPDX-License-Identifier: Apache-2.0
"""DNS messages of all shapes: made by dnslib, captured, mutated."""

import os
import struct

from dnslib import (A, AAAA, CNAME, DNAME, EDNS0, HTTPS, MX, NS, RD, RR, SOA, SRV, TXT,
                    DNSHeader, DNSLabel, DNSQuestion, DNSRecord)

PLAIN = ["www", "example", "com", "net", "cdn", "a", "b", "edge-1", "_sip", "_443", "_https",
         "xn--bcher-kva", "0", "x" * 63, "longer-label-than-most-are"]
STRANGE = [b"a.b", b"a\\b", b"two words", b"\xc3\xa9t\xc3\xa9", b"\x00", b"\x1b[31m", b"*",
           b"\x7f", b"@", b"a\nb"]


def name(rng, strange=0.1):
    labels = []
    for _ in range(rng.choice((1, 2, 3, 3, 3, 4, 5, 8, 20))):
        if rng.random() < strange / 3:
            label = rng.choice(STRANGE)
        else:
            label = rng.choice(PLAIN).encode()
        if sum(len(part) + 1 for part in labels) + len(label) > 240:
            break
        labels.append(label)
    return DNSLabel(labels)


def respelled(rng, label):
    """The same name, other letters big."""
    if rng.random() < 0.7:
        return label
    return DNSLabel([bytes(byte ^ 0x20 if chr(byte).isalpha() and byte < 128 and rng.random() < 0.5
                           else byte for byte in part) for part in label.label])


def service_params(rng):
    params = [(1, bytearray(b"\x02h2"))] if rng.random() < 0.7 else []
    if rng.random() < 0.8:
        params.append((4, bytearray(rng.randbytes(4 * rng.randint(1, 4)))))
    if rng.random() < 0.3:
        params.append((5, bytearray(b"ech")))
    if rng.random() < 0.6:
        params.append((6, bytearray(rng.randbytes(16 * rng.randint(1, 3)))))
    return params


def service_bytes(priority, target, params):
    data = struct.pack("!H", priority)
    data += b"".join(bytes((len(part),)) + part for part in target.label) + b"\0"
    for key, value in params:
        data += struct.pack("!HH", key, len(value)) + bytes(value)
    return data


def address(rng, owner):
    """A record that gives addresses."""
    kind = rng.choice("446644hs")
    if kind == "4":
        return RR(owner, 1, rdata=A(tuple(rng.randbytes(4))))
    if kind == "6":
        return RR(owner, 28, rdata=AAAA(tuple(rng.randbytes(16))))
    priority = rng.choice((0, 1, 1, 1, 16))
    target = DNSLabel([]) if rng.random() < 0.6 else name(rng, 0)
    params = service_params(rng) if priority else []
    if kind == "h":
        return RR(owner, 65, rdata=HTTPS(priority, [bytearray(p) for p in target.label], params))
    return RR(owner, 64, rdata=RD(service_bytes(priority, target, params)))


def other(rng, owner):
    """A record of no concern."""
    return rng.choice((
        lambda: RR(owner, 16, rdata=TXT(["v=spf1 -all"])),
        lambda: RR(owner, 15, rdata=MX(name(rng, 0))),
        lambda: RR(owner, 2, rdata=NS(name(rng, 0))),
        lambda: RR(owner, 33, rdata=SRV(1, 1, 443, name(rng, 0))),
        lambda: RR(owner, 6, rdata=SOA(name(rng, 0), name(rng, 0), (1, 2, 3, 4, 5))),
        lambda: RR(owner, 46, rdata=RD(rng.randbytes(rng.randint(20, 200)))),
        lambda: RR(owner, 4242, rdata=RD(rng.randbytes(rng.randint(1, 30)))),
        lambda: RR(owner, 1, rclass=3, rdata=A("192.0.2.9")),
    ))()


def chain(rng, question):
    """Records from the question's name to addresses, by CNAME and DNAME."""
    records, tail = [], question
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 3, 6))):
        if rng.random() < 0.2 and len(tail.label) > 1:
            keep = rng.randint(1, len(tail.label) - 1)
            owner, target = DNSLabel(tail.label[keep:]), name(rng, 0.02)
            following = DNSLabel(tail.label[:keep] + target.label)
            if sum(len(part) + 1 for part in following.label) > 250:
                continue
            records.append(RR(respelled(rng, owner), 39, rdata=DNAME(target)))
            if rng.random() < 0.7:
                records.append(RR(respelled(rng, tail), 5, rdata=CNAME(following)))
            tail = following
        else:
            following = name(rng, 0.02)
            records.append(RR(respelled(rng, tail), 5, rdata=CNAME(following)))
            tail = following
        if rng.random() < 0.2:
            records.append(other(rng, tail))
    for _ in range(rng.choice((0, 1, 1, 2, 4, 4, 13))):
        records.append(address(rng, respelled(rng, tail)))
    return records


def make(rng):
    question = name(rng)
    flags = {"qr": 1, "aa": rng.randint(0, 1), "ra": rng.randint(0, 1), "rd": 1}
    if rng.random() < 0.1:
        flags["tc"] = 1
    if rng.random() < 0.04:
        flags["rcode"] = rng.choice((2, 3, 5))
    if rng.random() < 0.03:
        flags["qr"] = 0
    if rng.random() < 0.02:
        flags["opcode"] = rng.choice((2, 4, 5))
    record = DNSRecord(DNSHeader(id=rng.getrandbits(16), **flags))
    qclass = 3 if rng.random() < 0.02 else 1
    for _ in range(rng.choice((1,) * 40 + (0, 2))):
        record.add_question(DNSQuestion(question, rng.choice((1, 28, 65, 64, 255)), qclass))
    answers = chain(rng, question)
    for _ in range(rng.choice((0, 0, 0, 1, 3))):
        answers.append(address(rng, name(rng, 0.02)))
    if rng.random() < 0.3:
        rng.shuffle(answers)
    record.add_answer(*answers)
    for _ in range(rng.choice((0, 0, 1, 3))):
        record.add_auth(other(rng, name(rng, 0)))
    for _ in range(rng.choice((0, 0, 1, 2))):
        record.add_ar(address(rng, question))
    if rng.random() < 0.5:
        record.add_ar(EDNS0(udp_len=1232))
    return bytes(record.pack())


def made(rng, count):
    messages = []
    while len(messages) < count:
        message = make(rng)
        if len(message) <= 65535:
            messages.append(message)
    return messages


def captured(directories):
    messages = []
    for directory in directories:
        for folder, _, files in sorted(os.walk(directory)):
            for file in sorted(files):
                with open(os.path.join(folder, file), "rb") as opened:
                    messages.append(opened.read()[:65535])
    return messages


def change(rng, message):
    """One change, to bytes at random or to where the format is tender."""
    at = rng.randrange(len(message)) if message else 0
    kind = rng.choice((0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 9))
    if kind == 0 and message:
        message[at] ^= 1 << rng.randrange(8)
    elif kind == 1 and message:
        message[at] = rng.choice((0, 1, 2, 4, 5, 12, 16, 28, 39, 63, 64, 65, 128, 192, 255))
    elif kind == 2 and message:
        message[at] = (message[at] + rng.choice((-1, 1))) & 0xff
    elif kind == 3:
        del message[at:]
    elif kind == 4:
        del message[at:at + rng.randint(1, 8)]
    elif kind == 5:
        message[at:at] = rng.randbytes(rng.randint(1, 8))
    elif kind == 6 and len(message) > 12:
        message[rng.choice((2, 3, 5, 7, 9, 11))] = rng.randrange(256)
    elif kind == 7 and len(message) > 14:
        at = rng.randrange(12, len(message) - 1)
        message[at:at + 2] = struct.pack("!H", 0xc000 | rng.randrange(min(len(message) + 4, 16384)))
    elif kind == 8 and len(message) > 14:
        pointers = [i for i in range(12, len(message) - 1) if message[i] >= 0xc0]
        if pointers:
            at = rng.choice(pointers)
            message[at + 1] = rng.randrange(256)
    elif kind == 9 and message:
        source = rng.randrange(len(message))
        piece = message[source:source + rng.randint(1, 40)]
        message[at:at + (len(piece) if rng.random() < 0.5 else 0)] = piece


def mutation(rng, pool):
    message = bytearray(rng.choice(pool))
    if rng.random() < 0.05:
        donor = rng.choice(pool)
        cut = rng.randrange(min(len(message), len(donor)) + 1)
        message = message[:cut] + donor[cut:]
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3, 8))):
        change(rng, message)
    return bytes(message[:65535])
