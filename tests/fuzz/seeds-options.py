#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for fuzz-options: seeds-options.py DIRECTORY

Writes DIRECTORY/options/*: a byte that tells the room for the message, then a line an argument;
command lines of one to eight options, of which some values are wrong.
"""

import os
import random
import sys

FLAGS = ("-4 -6 --ipv4 -t -T -U -L -r -d -c -j -v -F --failed --no-cache --no-sandbox --check "
         "--ebpf -V -h --timestamp --lport --print-uid -tLU -jrd --co --ti --").split()
VALUES = {
    "-p": ("1", "181,182", "4194304", "0", "4194305", "1,,2", ",".join(map(str, range(1, 258)))),
    "-P": ("80", "80,443", "65536", "443,80,80"),
    "-u": ("0", "1000,0", "4294967294", "4294967295"),
    "--comm": ("curl", "a name of 15 by", "sixteen bytes it"),
    "--daddr": ("10.0.0.0/8", "::1", "!10.0.0.5/24,::ffff:10.0.0.0/104,fe80::/10", "1.2.3/8",
                "::ffff:0.0.0.0/96", ",".join("10.%d.0.0/16" % i for i in range(65))),
    "--slow": ("250", "0.000001", "86400000", "86400000.1", "1."),
    "--netns": ("1", "/run/netns/a", "./1", "0"),
    "--cgroup": ("/sys/fs/cgroup", ""),
    "--cgroupmap": ("/sys/fs/bpf/a",),
    "--mntnsmap": ("/sys/fs/bpf/b",),
    "--dns-cache": ("1", "10000000", "0"),
    "--dns-ttl": ("60", "31536001"),
    "-i": ("1", "10"),
    "-n": ("1", "4294967295", "4294967296"),
    "-D": ("60",),
    "--color": ("always", "never", "auto", "sometimes"),
    "--probe": ("kprobe", "fentry", "tracepoint", "auto"),
    "--types": ("btf", "headers"),
    "--pages": ("1", "64", "65536", "3"),
    "--cache-dir": ("/tmp/\x1b[31m",),
    "--user": ("nobody",),
}


def option(rng):
    if rng.random() < 0.4:
        return [rng.choice(FLAGS)]
    name = rng.choice(list(VALUES))
    value = rng.choice(VALUES[name])
    if rng.random() < 0.5:
        return [name, value]
    return [name + ("=" if name.startswith("--") else "") + value]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    rng = random.Random(1)
    directory = os.path.join(sys.argv[1], "options")
    os.makedirs(directory, exist_ok=True)
    for number in range(300):
        arguments = [word for _ in range(rng.randrange(1, 9)) for word in option(rng)]
        with open(os.path.join(directory, f"{number:04}"), "wb") as out:
            out.write(bytes((rng.choice((0, 1, 40, 255)),)) + "\n".join(arguments).encode())


if __name__ == "__main__":
    main()
