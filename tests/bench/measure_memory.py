# SPDX-License-Identifier: Apache-2.0
"""What it holds while it traces."""

import re
import socket
import time

import nameserver as ns
import measure_start
from bench import Row, core_tool, check, measure, spent, times
from harness import Skip, wait_until

NAMES = 10240


def status(tool, field):
    """A size from /proc/PID/status, in MB."""
    with open("/proc/%d/status" % tool.pid) as f:
        return int(re.search(r"^%s:\s+(\d+) kB" % field, f.read(), re.M).group(1)) / 1024


def name_of(number):
    return "host-%05d.service-%02d.example.net" % (number, number % 100)


def address_of(number):
    return "10.77.%d.%d" % (number >> 8, number & 255)


def answer_for(message):
    number = int(message[18:23])  # the digits behind "host-" in the question
    return ns.answer(message, ns.address(address_of(number)))


def serve_all(scene):
    """A name server of 127.0.0.1 that knows each of those names."""
    with scene.home.entered():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 53))
    scene.callback(sock.close)

    def work():
        while True:
            message, sender = sock.recvfrom(512)
            sock.sendto(answer_for(message), sender)

    scene.client(work).start()


def ask_all(first, count):
    """Ask for so many names, one after another."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(("127.0.0.1", 53))
    sock.settimeout(10)
    for number in range(first, first + count):
        sock.send(ns.query(name_of(number)))
        sock.recv(512)
    sock.close()
    return count


def fill(scene, count):
    serve_all(scene)
    asking = scene.client(ask_all)
    for first in range(0, count, 1024):
        asking.run(first, min(1024, count - first))


def check_full(scene, tool, client, count):
    """The cache holds what it was told: some of the first, and the last."""
    wanted = [count // 20, count // 2, count - 1]
    for number in wanted:
        client.run(address_of(number), 80, blocking=False)
    wait_until(lambda: len(tool.lines()) == len(wanted), "its events")
    rows = tool.finish()
    for row, number in zip(rows, wanted):
        check(row.query.split(" ")[0] == name_of(number), "name forgotten: %r" % row.query)


def bcc_memory(scene):
    """The most that bcc's tool holds with its program compiled; None where that cannot be done."""
    try:
        return spent(*measure_start.bcc_compiler(scene, measure_start.kernel_headers(scene)))[1]
    except Skip:
        return None


def against(ours, peer, name):
    if not peer:
        return name + ": none here", ""
    return "%s: %.1f MB" % (name, peer), times(ours / peer)


@measure
def memory(bench):
    seconds, count = bench.often(10, 1), bench.often(NAMES, 500)
    with bench.scene() as scene:
        scene.home.ip("route", "add", "local", "10.77.0.0/16", "dev", "lo")
        plain = scene.tool()
        scene.tool().finish()  # from here on it is in the cache
        warm, names = scene.tool(), scene.tool("-d")
        client = scene.client()
        full = scene.tool("-d", "-p", client.pid)
        time.sleep(seconds)
        held, with_names = status(plain, "VmRSS"), status(names, "VmRSS")
        peak = status(warm, "VmHWM")
        names.stop()
        fill(scene, count)
        filled = status(full, "VmRSS")
        check_full(scene, full, client, count)
        bcc = None if bench.short else bcc_memory(scene)
    core = spent([core_tool()])[1] if core_tool() else None
    return [
        Row("resident after %d s" % seconds, "%.1f MB" % held, "6 MB", held <= 6,
            *against(held, bcc, "bcc's module, program compiled")),
        Row("resident after %d s, `-d`" % seconds, "%.1f MB" % with_names, "6 MB",
            with_names <= 6),
        Row("resident, `-d`, %s names kept" % format(count, ","), "%.1f MB" % filled, "8 MB",
            filled <= 8),
        Row("peak resident, warm start", "%.1f MB" % peak, "10 MB", peak <= 10,
            *against(peak, core, "CO-RE tool until it fails to attach")),
    ]
