#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Messages a second by dnslib, for bench-dns: RUNS SECONDS, messages on standard input."""

import struct
import sys
import time

try:
    import dnslib
except ImportError:
    sys.exit(3)


def hints(rdata):
    found = []
    if rdata.priority:
        for key, value in rdata.params:
            size = {4: 4, 6: 16}.get(key)
            if size:
                found += [bytes(value[i:i + size]) for i in range(0, len(value), size)]
    return found


def take(message):
    record = dnslib.DNSRecord.parse(message)
    question = str(record.q.qname)[:-1]
    chain = {question.lower()}
    grown = True
    while grown:
        grown = False
        for answer in record.rr:
            if answer.rtype == 5 and str(answer.rname)[:-1].lower() in chain:
                target = str(answer.rdata.label)[:-1].lower()
                if target not in chain:
                    chain.add(target)
                    grown = True
    addresses = []
    for answer in record.rr:
        if str(answer.rname)[:-1].lower() in chain:
            if answer.rtype in (1, 28):
                addresses.append(bytes(answer.rdata.data))
            elif answer.rtype == 65:
                addresses += hints(answer.rdata)
    return question, addresses


def main():
    runs, seconds = int(sys.argv[1]), float(sys.argv[2])
    data = sys.stdin.buffer.read()
    while data:
        (length,) = struct.unpack("!H", data[:2])
        message, data = data[2:2 + length], data[2 + length:]
        rates = []
        for _ in range(runs):
            start, count = time.process_time(), 0
            while time.process_time() - start < seconds:
                take(message)
                count += 1
            rates.append(count / (time.process_time() - start))
        print(sorted(rates)[runs // 2], flush=True)


main()
