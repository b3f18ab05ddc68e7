#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzz targets of dns/: seeds-dns.py DIRECTORY [CAPTURED...]

Writes DIRECTORY/message/* for fuzz-dns-message (two bytes that tell how much was
cut off, then the message: made by dnslib, and those of the CAPTURED directories) and
DIRECTORY/cache/* for fuzz-dns-cache (limit, age, operations of four bytes).
"""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))

import dns_messages


def write(directory, number, data):
    with open(os.path.join(directory, f"{number:04}"), "wb") as out:
        out.write(data)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.splitlines()[0])
    rng = random.Random(1)
    message, cache = (os.path.join(sys.argv[1], part) for part in ("message", "cache"))
    os.makedirs(message, exist_ok=True)
    os.makedirs(cache, exist_ok=True)
    seeds = dns_messages.made(rng, 300) + dns_messages.captured(sys.argv[2:])
    for number, seed in enumerate(seeds):
        cut = rng.choice((0, 0, 1, 200))
        write(message, number, cut.to_bytes(2, "big") + seed[:4200])
    for number in range(50):
        limit = rng.choice((0, 1, 5, 31, 32, 33, 79))
        operations = rng.randbytes(4 * rng.choice((1, 10, 100, 500)))
        write(cache, number, bytes((limit, rng.choice((0, 10, 255)))) + operations)


main()
