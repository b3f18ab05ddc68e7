# SPDX-License-Identifier: Apache-2.0
"""What the tests of outcomes share: the tool with JSON lines, and places that delay or refuse."""

import json
import re
import select
import socket
import time

from harness import Skip, Wrong, check, wait_until
from tool import STARTS
from traffic import stream

NEAR, NOBODY = "10.9.9.1/24", "10.9.9.9"  # for Namespace.unanswered()


def start(scene, *options):
    """The tool with JSON lines, which have no first line to wait for."""
    tool = scene.launch("-j", "-v", *options)
    wait_until(lambda: "attached by" in tool.err() or tool.process.poll() is not None,
               "the tool does not start tracing", STARTS)
    check(tool.process.poll() is None, "did not start: %s" % tool.err())
    return tool


def lines_of(tool):
    """What it has printed so far, whole lines only."""
    return [json.loads(line) for line in tool.out().split("\n")[:-1]]


def events(tool):
    tool.stop()
    lines = lines_of(tool)
    check(not any("lost" in line for line in lines), "lost: %s" % lines)
    return lines


def results(lines):
    return [(line["daddr"], line["dport"], line["result"]) for line in lines]


def drop_first(home, count, port=80):
    """The first SYNs to that port are lost, that many; all later ones go."""
    home.nft("tcp dport %d tcp flags syn numgen inc mod 1000000 < %d drop" % (port, count))


def no_drops(home):
    home.run("nft", "delete", "table", "inet", "live")


def delayed(home, milliseconds):
    """Packets on the loopback device take that long, each way."""
    try:
        home.tc("qdisc", "add", "dev", "lo", "root", "netem", "delay", "%dms" % milliseconds)
    except Wrong as error:
        raise Skip("this kernel has no netem: %s" % error)


def timed(address, port):
    """A blocking connect: its error, and what it took by the client's own clock, in ms."""
    sock = stream(socket.AF_INET6 if ":" in address else socket.AF_INET)
    began = time.monotonic()
    error = sock.connect_ex((address, port))
    took = (time.monotonic() - began) * 1000
    sock.close()
    return error, took


def under_way(address, port, bind=None):
    """A nonblocking connect; the socket and its error."""
    sock = stream(socket.AF_INET6 if ":" in address else socket.AF_INET, bind)
    sock.setblocking(False)
    return sock, sock.connect_ex((address, port))


def in_syn_sent(pid, port):
    """How many sockets wait for an answer from that IPv4 port, in the process's namespace."""
    with open("/proc/%d/net/tcp" % pid) as table:
        return len(re.findall(r":%04X 02 " % port, table.read()))


def outcome(sock, seconds):
    """
    Wait for it without asking for it: whether the socket left SYN_SENT. What an ICMP error told
    while the first SYN was on its way is not final, but makes poll(2) return at once.
    """
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(events & select.POLLOUT for _, events in poll.poll(1000 * seconds)):
            return True
        time.sleep(0.02)
    return False
