#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hold the DNS parser against python3-dnslib, and against the rules of dns/message.h.

    dns-differential.py [--dump PROGRAM] [--count N] [--seed N] [DIRECTORY...]

Messages are made by dnslib in all shapes, taken from the files of each DIRECTORY
(one DNS message a file, as real servers sent them), and N of them (30,000 unless
told) are made by mutating those. All go through `dns-dump --stdin`. For each:

- where dns-dump and dnslib both accept, question and addresses must agree; the
  chain from the question to the addresses is followed here, over dnslib's records;
- where one refuses, it is counted under the reason, with why that is right;
- dns-dump's verdict, its reason, question and addresses must be what a second
  parser, written here from the rules of dns/message.h, comes to.

Exit status: 0; 1 when there is a disagreement without a reason (each is printed,
with the message in hex); 2 when dns-dump is missing; 77 without python3-dnslib.
"""

import argparse
import collections
import ipaddress
import json
import os
import random
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

try:
    import dnslib  # noqa: F401
except ImportError:
    print("dns-differential: skipped: python3-dnslib is missing", file=sys.stderr)
    sys.exit(77)

import dns_messages
import dns_rules

# dnslib 0.9.23 has the class for DNAME, but does not use it when it parses.
dnslib.RDMAP.setdefault("DNAME", dnslib.dns.DNAME)

# Why it is right that one refuses what the other takes.
OURS_REFUSES = {
    "a query": "QR is 0: nothing was answered",
    "not a standard query": "another OPCODE than QUERY answers no question for a name",
    "an error answer": "RCODE is set: the client takes nothing from it",
    "not exactly one question": "whose name would it be",
    "not of class IN": "QCLASS other than IN has no Internet addresses",
    "ends too early": "RFC 1035 4.1: ends inside header, question or record; dnslib reads on "
                      "where RDLENGTH does not lead it",
    "bad label type": "RFC 1035 4.1.4: 01 and 10 are no lengths; dnslib takes 64 to 191 as such",
    "bad compression pointer": "RFC 1035 4.1.4: to a prior name; dnslib follows pointers into the "
                               "header and the name itself, RFC 9460 2.2: targets are not compressed",
    "too many compression pointers": "a name of 255 bytes has no more labels to point at",
    "name too long": "RFC 1035 2.3.4: 255 bytes; dnslib does not count when it parses",
    "RDATA does not fit its type": "RDLENGTH contradicts the type's format; dnslib disregards it",
    "bad service parameters": "RFC 9460 2.2, 7.3: keys ascend, hints are whole addresses",
}
DNSLIB_REFUSES = (
    ("cut short", "TC, or longer than 4,096 bytes: what was whole counts; dnslib wants all of it"),
    ("label is no UTF-8", "RFC 2181 11: any bytes may stand in a label; dnslib wants UTF-8"),
    ("RDATA not read by us", "RDATA of types without addresses, parameters of AliasMode (RFC 9460 "
     "2.4.2); dnslib takes them apart"),
    ("RDLENGTH disregarded", "dnslib leaves RDATA elsewhere than RDLENGTH says, and is lost"),
    ("beyond the limits of the chain", "dns/message.h: 16 names by DNAME, 2,048 pairs; not compared"),
    ("pointer at its own end", "dnslib refuses a pointer where another one ended"),
)


UNKNOWN = 0xff42  # a type of which dnslib knows nothing


class Stray(Exception):
    """dnslib's parser of a type consumed other bytes than RDLENGTH tells."""


def dnslib_records(message, only_read=False):
    """What DNSRecord.parse() does for question and answers, and RDLENGTH held against it.

    only_read: it is not shown RDATA that dns/message.h does not read. The message stays as it is:
    names may point anywhere in it."""
    buffer = dnslib.dns.DNSBuffer(message)
    header = dnslib.DNSHeader.parse(buffer)
    questions = [dnslib.DNSQuestion.parse(buffer) for _ in range(header.q)]
    answers = []
    for _ in range(header.a):
        start = buffer.offset
        owner = buffer.decode_name()
        kind, klass, _, length = buffer.unpack("!HHIH")
        end = buffer.offset + length
        if only_read and not dns_rules.is_read(kind, klass, message[buffer.offset:end]):
            answers.append(dnslib.RR(owner, UNKNOWN, klass, rdata=dnslib.RD(buffer.get(length))))
            continue
        buffer.offset = start
        answers.append(dnslib.RR.parse(buffer))
        if buffer.offset != end:
            raise Stray(dnslib.QTYPE.get(answers[-1].rtype))
    return header, questions, answers


def fold(label):
    return tuple(part.lower() for part in label.label)


def hints(priority, params):
    found = []
    for key, value in params if priority else []:
        size = {4: 4, 6: 16}.get(key)
        if size:
            found += [bytes(value[i:i + size]) for i in range(0, len(value), size)]
    return found


def service(answer):
    """Priority and parameters: HTTPS as dnslib has them, SVCB it leaves as bytes."""
    if answer.rtype == 65:
        return answer.rdata.priority, answer.rdata.params
    data, params = bytes(answer.rdata.data), []
    (priority,) = struct.unpack("!H", data[:2])
    at = 2
    while data[at]:
        at += 1 + data[at]
    at += 1
    while at < len(data):
        key, length = struct.unpack("!HH", data[at:at + 4])
        params.append((key, data[at + 4:at + 4 + length]))
        at += 4 + length
    return priority, params


def dnslib_answer(message, only_read=False):
    """Question and addresses by dnslib, with the chain followed over its records."""
    _, questions, answers = dnslib_records(message, only_read)
    chain = {fold(questions[0].qname)}
    answers = [a for a in answers if a.rclass == 1 and a.rdata != ""]
    while True:
        more = set()
        for answer in answers:
            owner = fold(answer.rname)
            if answer.rtype == 5 and owner in chain:
                more.add(fold(answer.rdata.label))
            elif answer.rtype == 39:
                for name in chain:
                    rest = len(name) - len(owner)
                    if rest > 0 and name[rest:] == owner:
                        made = name[:rest] + fold(answer.rdata.label)
                        if sum(len(part) + 1 for part in made) < 255:
                            more.add(made)
        if more <= chain or len(chain) > 400:
            break
        chain |= more
    addresses = []
    for answer in answers:
        if fold(answer.rname) not in chain:
            continue
        if answer.rtype in (1, 28):
            addresses.append(bytes(answer.rdata.data))
        elif answer.rtype in (64, 65):
            addresses += hints(*service(answer))
    question = dns_rules.text([bytes(part) for part in questions[0].qname.label])
    return question, [str(ipaddress.ip_address(address)) for address in addresses]


def refusal(error):
    """The class of what dnslib said."""
    words = str(error)
    if isinstance(error, Stray):
        return "RDLENGTH disregarded"
    if "Invalid label" in words:
        return "label is no UTF-8"
    if "Recursive pointer" in words:
        return "pointer at its own end"
    return "RDATA not read by us"


def dump(program, messages):
    stream = b"".join(struct.pack("!H", len(m)) + m for m in messages)
    run = subprocess.run([program, "--why", "--stdin"], input=stream, stdout=subprocess.PIPE,
                         check=False)
    if run.returncode:
        sys.exit(f"dns-differential: {program} ends with status {run.returncode}")
    lines = [json.loads(line) for line in run.stdout.decode("ascii").splitlines()]
    if len(lines) != len(messages):
        sys.exit(f"dns-differential: {len(messages)} messages in, {len(lines)} lines out")
    for line in lines:
        line["addresses"] = [str(ipaddress.ip_address(a)) for a in line["addresses"]]
    return lines


def judge(message, ours, counts):
    """Returns what is wrong, or None."""
    expected = dns_rules.parse(message)
    got = (ours["status"], ours["why"], ours["question"], ours["addresses"])
    if expected is None:
        if ours["status"] != "ok":
            return "the rules take it"
    elif got != expected:
        return f"the rules give {expected}"
    try:
        theirs = dnslib_answer(message)
    except (dnslib.DNSError, dnslib.buffer.BufferError, dnslib.bimap.BimapError, Stray) as error:
        kind = refusal(error)
        if ours["status"] != "ok":
            counts["both refuse"] += 1
        elif ours["why"] == "cut short":
            counts["ours takes, dnslib refuses: cut short"] += 1
        elif kind == "RDATA not read by us" and not foreign(message):
            return f"dnslib refuses: {error}"
        else:
            counts["ours takes, dnslib refuses: " + kind] += 1
        return None
    except Exception as error:  # pylint: disable=broad-except
        # dnslib lets errors of Python through where it meets what it did not expect.
        if ours["status"] != "ok":
            counts["both refuse"] += 1
            return None
        if not foreign(message):
            return f"dnslib fails: {error!r}"
        counts["ours takes, dnslib refuses: RDATA not read by us"] += 1
        return None
    if ours["status"] == "ok":
        if ours["why"] == "cut short" and len(message) > 4096:
            counts["ours takes part (above 4,096 bytes), dnslib all"] += 1
            return None
        if expected is None:
            counts["both take; beyond the limits of the chain"] += 1
            return None
        if (ours["question"], ours["addresses"]) != theirs:
            return f"dnslib gives {theirs}"
        counts["both take, and agree"] += 1
        return None
    if ours["why"] not in OURS_REFUSES:
        return "no reason is known for " + ours["why"]
    counts[f"dnslib takes, ours is {ours['status']}: {ours['why']}"] += 1
    return None


def foreign(message):
    """Whether dnslib failed in RDATA that we do not read: then without it, it works."""
    try:
        dnslib_answer(message, only_read=True)
    except Stray:
        return False
    except Exception as again:  # pylint: disable=broad-except
        return refusal(again) == "label is no UTF-8"
    return True


def report(counts, total):
    print(f"{total} messages")
    reasons = dict(DNSLIB_REFUSES) | OURS_REFUSES
    for what, count in sorted(counts.items(), key=lambda item: -item[1]):
        reason = reasons.get(re.split(": |; ", what, maxsplit=1)[-1], "")
        print(f"{count:9}  {what}" + (f"\n           ({reason})" if reason else ""))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dump", default="build/tests/dns-dump")
    parser.add_argument("--count", type=int, default=30000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("directory", nargs="*")
    args = parser.parse_args()
    if not os.access(args.dump, os.X_OK):
        print(f"dns-differential: {args.dump} is missing: build it, or tell --dump",
              file=sys.stderr)
        return 2

    rng = random.Random(args.seed)
    made = dns_messages.made(rng, 2000)
    captured = dns_messages.captured(args.directory)
    print(f"{len(made)} messages made by dnslib, {len(captured)} captured, "
          f"{args.count} mutations, seed {args.seed}")
    counts, wrong, total = collections.Counter(), 0, 0
    pool = made + captured
    rest = args.count
    batch = pool
    while batch:
        for message, ours in zip(batch, dump(args.dump, batch)):
            trouble = judge(message, ours, counts)
            if trouble:
                wrong += 1
                if wrong <= 20:
                    print(f"DISAGREEMENT: {trouble}\n  dns-dump: {ours}\n  {message.hex()}")
        total += len(batch)
        size = min(rest, 5000)
        rest -= size
        batch = [dns_messages.mutation(rng, pool) for _ in range(size)]
    report(counts, total)
    print(f"{wrong} disagreements without a reason")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
