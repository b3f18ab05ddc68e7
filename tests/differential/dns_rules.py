# SPDX-License-Identifier: Apache-2.0
"""The rules of dns/message.h once more, in Python and for their own sake: slow and plain."""

import ipaddress
import struct

MESSAGE_MAX = 4096
A, CNAME, AAAA, DNAME, SVCB, HTTPS = 1, 5, 28, 39, 64, 65
READ = (A, CNAME, AAAA, DNAME, SVCB, HTTPS)


class Bad(Exception):
    """Why a message is refused, in the words of dns_why_text()."""


SHORT = "ends too early"


def text(labels):
    """RFC 1035 5.1, no last dot."""
    def escape(byte):
        char = chr(byte)
        if char.isascii() and (char.isalnum() or char in "-_"):
            return char
        return "\\" + char if char in ".\\" else f"\\{byte:03d}"
    return ".".join("".join(map(escape, label)) for label in labels) or "."


def name_at(message, at):
    """The labels of the name at an offset, and the offset behind it where it stands."""
    labels, size, behind, jumps, run = [], 0, None, 0, at
    while True:
        if at >= len(message):
            raise Bad(SHORT)
        byte = message[at]
        if byte >= 0xc0:
            if at + 2 > len(message):
                raise Bad(SHORT)
            target = (byte & 0x3f) << 8 | message[at + 1]
            behind = behind or at + 2
            if target < 12 or target >= run:
                raise Bad("bad compression pointer")
            jumps += 1
            if jumps > 127:
                raise Bad("too many compression pointers")
            at = run = target
            continue
        if byte > 63:
            raise Bad("bad label type")
        size += 1 + byte
        if size > 255:
            raise Bad("name too long")
        if not byte:
            return labels, behind or at + 1
        labels.append(message[at + 1:at + 1 + byte])
        at += 1 + byte


def service(rdata):
    """The addresses of the hints."""
    if len(rdata) < 3:
        raise Bad("RDATA does not fit its type")
    at, size = 2, 0
    while True:
        if at >= len(rdata):
            raise Bad("RDATA does not fit its type")
        byte = rdata[at]
        if byte >= 0xc0:
            raise Bad("bad compression pointer")
        if byte > 63:
            raise Bad("bad label type")
        size += 1 + byte
        at += 1 + byte
        if not byte:
            break
    if size > 255:
        raise Bad("name too long")
    found, last = [], -1
    while rdata[:2] != b"\0\0" and at < len(rdata):
        if at + 4 > len(rdata):
            raise Bad("bad service parameters")
        key, length = struct.unpack("!HH", rdata[at:at + 4])
        value = rdata[at + 4:at + 4 + length]
        if key <= last or len(value) < length:
            raise Bad("bad service parameters")
        last = key
        if key in (4, 6):
            unit = 4 if key == 4 else 16
            if not length or length % unit:
                raise Bad("bad service parameters")
            found += [value[i:i + unit] for i in range(0, length, unit)]
        at += 4 + length
    return found


def record_at(message, at):
    """(owner, type or None, what RDATA gives), and the offset behind the record."""
    owner, at = name_at(message, at)
    if at + 10 > len(message):
        raise Bad(SHORT)
    kind, klass, _, length = struct.unpack("!HHIH", message[at:at + 10])
    at += 10
    end = at + length
    if end > len(message):
        raise Bad(SHORT)
    rdata = message[at:end]
    if klass != 1 or kind not in READ:
        return (owner, None, None), end
    if kind in (A, AAAA):
        if length != (4 if kind == A else 16):
            raise Bad("RDATA does not fit its type")
        return (owner, kind, [rdata]), end
    if kind in (SVCB, HTTPS):
        return (owner, kind, service(rdata)), end
    try:
        target, behind = name_at(message, at)
    except Bad as bad:
        raise Bad("RDATA does not fit its type" if str(bad) == SHORT else str(bad)) from None
    if behind != end:
        raise Bad("RDATA does not fit its type")
    return (owner, kind, target), end


def fold(labels):
    return tuple(label.lower() for label in labels)


def chain_of(question, records):
    """All names that the question leads to, or None when there are more than is followed."""
    chain, made = {fold(question)}, set()
    before = 0
    while before != len(chain):
        before = len(chain)
        for owner, kind, target in records:
            if kind == CNAME and fold(owner) in chain:
                chain.add(fold(target))
            elif kind == DNAME:
                for name in list(chain):
                    rest = len(name) - len(owner)
                    if rest <= 0 or name[rest:] != fold(owner):
                        continue
                    new = name[:rest] + fold(target)
                    if 1 + sum(len(label) + 1 for label in new) <= 255 and new not in chain:
                        chain.add(new)
                        made.add(new)
        if len(made) > 16 or len(chain) * len(records) > 2000:
            return None
    return chain


def parse(message):
    """(status, why, question, addresses), or None where a limit decides."""
    def answer(status, why):
        return status, why, "", []
    if len(message) < 12:
        return answer("malformed", SHORT)
    wire = len(message)
    message = message[:MESSAGE_MAX]
    _, flags, questions, count = struct.unpack("!4H", message[:8])
    for refused, why in ((not flags & 0x8000, "a query"),
                         (flags & 0x7800, "not a standard query"),
                         (flags & 0xf, "an error answer"),
                         (questions != 1, "not exactly one question")):
        if refused:
            return answer("ignored", why)
    cut = wire > len(message) or flags & 0x200
    try:
        question, at = name_at(message, 12)
        if at + 4 > len(message):
            raise Bad(SHORT)
    except Bad as bad:
        if str(bad) == SHORT and cut:
            return answer("ignored", "the capture ends before the question does")
        return answer("malformed", str(bad))
    if message[at + 2:at + 4] != b"\0\1":
        return answer("ignored", "not of class IN")
    at += 4
    records, why = [], "whole"
    try:
        for _ in range(count):
            record, at = record_at(message, at)
            records.append(record)
    except Bad as bad:
        if str(bad) != SHORT or not cut:
            return answer("malformed", str(bad))
        why = "cut short"
    records = [record for record in records if record[1]]
    chain = chain_of(question, records)
    if chain is None:
        return None
    addresses = [str(ipaddress.ip_address(bytes(address)))
                 for owner, kind, found in records
                 if kind not in (CNAME, DNAME) and fold(owner) in chain for address in found]
    return "ok", why, text(question), addresses


def is_read(kind, klass, rdata):
    """Whether RDATA of this type and class is taken apart: not the parameters of AliasMode."""
    return klass == 1 and kind in READ and not (kind in (SVCB, HTTPS) and rdata[:2] == b"\0\0")
