# SPDX-License-Identifier: Apache-2.0
"""-c: every connect is counted, once, whichever CPU it came from."""

import re
import time

from harness import check, equal, test
from tool import BANNER

FLOWS_MAX = 262144


@test
def table(scene):
    client = scene.client()
    tool = scene.tool("-c", "-p", client.pid)
    for address, port, count in (("127.0.0.1", 80, 2), ("127.0.0.1", 81, 3), ("127.0.0.2", 80, 1),
                                 ("::1", 80, 2), ("::1", 65535, 4), ("::ffff:127.0.0.1", 80, 3),
                                 ("192.0.2.1", 80, 1)):
        for _ in range(count):
            client.run(address, port)
    equal(tool.out(), BANNER, "output before the end")
    tool.stop()
    equal(tool.complaints(), [], "on standard error")
    counts = tool.counts()
    equal(counts[:2], [("127.0.0.1", "127.0.0.1", 80, 5), ("127.0.0.1", "127.0.0.1", 81, 3)],
          "most counted")
    equal(sorted(counts[2:4]), [("0.0.0.0", "192.0.2.1", 80, 1), ("127.0.0.1", "127.0.0.2", 80, 1)],
          "counted once")
    equal(counts[4:], [("::1", "::1", 65535, 4), ("::1", "::1", 80, 2)], "IPv6")


@test
def bytes_of_the_table(scene):
    client = scene.client()
    tool = scene.tool("--count", "-p", client.pid)
    for _ in range(3):
        client.run("127.0.0.1", 80)
    client.run("::1", 80)
    tool.stop()
    row = "%-25s %-25s %-20s %-10s\n"
    equal(tool.out(), BANNER + "\n" + row % ("LADDR", "RADDR", "RPORT", "CONNECTS")
          + row % ("127.0.0.1", "127.0.0.1", 80, 3) + row % ("::1", "::1", 80, 1), "output")


@test
def nothing(scene):
    client = scene.client()
    tool = scene.tool("-c", "-p", client.pid)
    tool.stop()
    equal(tool.counts(), [], "counts")
    equal(tool.err(), "", "standard error")


@test
def filtered(scene):
    client = scene.client()
    tool = scene.tool("-c", "-6", "-P", "80", "-p", client.pid)
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        for port in (80, 81):
            client.run(address, port)
    tool.stop()
    equal(tool.counts(), [("::1", "::1", 80, 1)], "counts")


@test
def exact_from_two_cpus(scene):
    """One flow, counted from both CPUs at once: not one is missing."""
    each, more = scene.fewer(20000), scene.fewer(250000)
    four = scene.program("connects", 2, each, "127.0.0.1", 80)
    six = scene.program("connects", 2, each, "::1", 80)
    failing = scene.program("connects", 2, more, "192.0.2.1", 80)  # several times as fast
    tool = scene.tool("-c", "-p", "%d,%d,%d" % (four.pid, six.pid, failing.pid))
    for program in (four, six, failing):
        program.run()
    tool.stop()
    equal(tool.complaints(), [], "on standard error")
    equal(tool.counts(), [("0.0.0.0", "192.0.2.1", 80, 2 * more),
                          ("127.0.0.1", "127.0.0.1", 80, 2 * each), ("::1", "::1", 80, 2 * each)],
          "counts")


@test
def first_from_two_cpus(scene):
    """New flows, met by both CPUs at the same moment: neither's first count is lost."""
    flows = scene.fewer(15000)
    program = scene.program("flows", flows, "127.9.0.0", 2)
    tool = scene.tool("-c", "-p", program.pid)
    program.run()
    tool.stop()
    counts = [count for _, _, _, count in tool.counts()]
    equal((len(counts), sorted(set(counts))), (flows, [2]), "flows, and their counts")


@test
def full_table(scene):
    """262,144 flows of a family fit, not one more; what does not fit is counted and said."""
    over = 1000
    program = scene.program("flows", FLOWS_MAX + over, "127.64.0.0")
    six = scene.client()
    tool = scene.tool("-c", "-p", "%d,%d" % (program.pid, six.pid))
    program.run()
    six.run("::1", 80)  # the other family has its own room
    began = time.monotonic()
    tool.stop()
    took = time.monotonic() - began
    scene.note("%d flows: interrupt to end in %.2f s" % (FLOWS_MAX, took))
    counts = tool.counts()
    equal(counts[-1], ("::1", "::1", 80, 1), "IPv6 flow")
    equal(len(counts) - 1, FLOWS_MAX, "IPv4 flows")
    equal({count for _, _, _, count in counts}, {1}, "counts")
    said = tool.complaints()
    check(said, "says nothing of the loss")
    total = re.match(r"tcpconnect: lost in total: (\d+) counts \(flow table full\)$", said[-1])
    check(total and int(total.group(1)) == over, "loss said: %s" % said)
