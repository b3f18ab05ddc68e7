# SPDX-License-Identifier: Apache-2.0
"""How many DNS messages a second are taken apart, beside other parsers, and what the cache costs."""

import re
import subprocess

from bench import Row, check, measure, millions

PEERS = ("libknot", "ldns", "dnslib")
ENOUGH, FASTEST = 5e6, 97  # messages a second, of the message of so many bytes
COST = 200                 # ns, for each insert and each look-up
SIZES = (10240, 1000000)   # of the cache


def parsed(line):
    """(title, bytes, ours, {peer: (rate, ratio)}) of bench-dns's line for a message, or None."""
    number, peer = r" +(\d+)", r" +(?:(\d+ +[\d.]+)x|-)"
    found = re.match(r"(\S.*?)" + number * 3 + peer * len(PEERS) + r" *$", line)
    if not found:
        return None
    title, size, _, ours, *theirs = found.groups()
    return title, int(size), int(ours), {
        name: (int(both.split()[0]), float(both.split()[1]))
        for name, both in zip(PEERS, theirs) if both}


def message_row(title, size, ours, theirs):
    fastest = size == FASTEST
    ahead = theirs["libknot"][1] > 1 if "libknot" in theirs else None
    met = ours >= ENOUGH and ahead is not False if fastest else ahead
    return Row("DNS answers parsed on one core: %s, %s bytes" % (title, format(size, ",")),
               millions(ours),
               ("%g million/s, " % (ENOUGH / 1e6) if fastest else "") + "ahead of libknot", met,
               ", ".join("%s: %s" % (name, rate_text(rate)) for name, (rate, _) in theirs.items())
               or "none here",
               ", ".join("%.*fx" % (ratio < 100, ratio) for _, ratio in theirs.values()))


def rate_text(rate):
    """Of Python's parser there are no hundredths of a million."""
    return millions(rate) if rate >= 1e5 else format(rate, ",") + "/s"


def cache_rows(answers, filling, replacing, singly, hit, vain, touch, access):
    """Costs in ns: messages of four into an empty and a full cache, one by one into a full one;
    beside them what the memory alone costs."""
    name = "cache of %s answers, " % format(answers, ",")
    rows = [Row(name + "filled for the first time", "%d ns" % filling, "", None,
                "first touch of as much memory: %d ns" % touch, "%.1fx" % (filling / touch))]
    for what, costs in (("insert: messages of four, of one", (replacing, singly)),
                        ("look-up: found, in vain", (hit, vain))):
        rows.append(Row(name + what, ", ".join("%d ns" % cost for cost in costs), "%d ns" % COST,
                        max(costs) < COST, "one access to as much memory: %d ns" % access,
                        ", ".join("%.1fx" % (cost / access) for cost in costs)))
    return rows


@measure
def names(bench):
    # Whole, it takes half a minute of processor time: more where others run.
    said = subprocess.run([bench.program("bench-dns"), *bench.often([], ["--short"])],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True,
                          timeout=390).stdout.splitlines()
    messages = [found for found in map(parsed, said) if found]
    caches = [list(map(int, line.split())) for line in said
              if re.fullmatch(r" *\d+( +\d+){7}", line)]
    check(FASTEST in [size for _, size, *_ in messages] and len(messages) >= 4,
          "bench-dns tells of too few messages: %s" % said)
    check([answers for answers, *_ in caches] == list(SIZES[:bench.often(2, 1)]),
          "bench-dns tells of other caches: %s" % said)
    return ([message_row(*message) for message in messages]
            + [row for cache in caches for row in cache_rows(*cache)])
