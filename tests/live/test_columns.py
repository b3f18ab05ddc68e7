# SPDX-License-Identifier: Apache-2.0
"""What a line says: who, when, as whom, byte for byte as bcc's tool prints it."""

import re
import threading
import time

from harness import check, equal, test
from tool import BANNER
from traffic import connect


def line_of(scene, *options, uid=None):
    client = scene.client(comm="a worker", uid=uid)
    tool = scene.tool("-p", client.pid, *options)
    lport = client.run("127.0.0.1", 81)[1]
    tool.stop()
    equal(tool.err(), "", "standard error")
    return client.pid, lport, tool.out()


@test
def plain(scene):
    pid, _, out = line_of(scene)
    equal(out, BANNER + "PID     COMM         IP SADDR            DADDR            DPORT \n"
          + "%-7d a worker     4  127.0.0.1        127.0.0.1        81     \n" % pid, "output")


@test
def time_port_and_user(scene):
    pid, lport, out = line_of(scene, "-tLU", uid=12345)
    equal(out, BANNER + "TIME(s)  UID   PID     COMM         IP SADDR            LPORT  "
          "DADDR            DPORT \n" + "0.000    12345 %-7d a worker     4  127.0.0.1        "
          "%-6d 127.0.0.1        81     \n" % (pid, lport), "output")


@test
def long_options(scene):
    pid, lport, out = line_of(scene, "--timestamp", "--lport", "--print-uid")
    equal(out.split("\n")[2], "0.000    0     %-7d a worker     4  127.0.0.1        "
          "%-6d 127.0.0.1        81     " % (pid, lport), "output")


@test
def user(scene):
    for uid in (0, 1000, 65534):
        client = scene.client(uid=uid)
        tool = scene.tool("-U", "-p", client.pid)
        client.run("127.0.0.1", 81)
        equal([row.uid for row in tool.finish()], [uid], "UID")


@test
def seconds_since_the_first(scene):
    """... by the kernel's clock, held against the client's own before and after each connect."""
    def work():
        before = time.monotonic()
        connect("127.0.0.1", 81)
        return before, time.monotonic()

    client = scene.client(work)
    tool = scene.tool("-t", "-p", client.pid)
    made = []
    for pause in (0.2, 0.25, 0):
        made.append(client.run())
        time.sleep(pause)
    rows = tool.finish()
    equal(rows[0].time, 0.0, "first TIME(s)")
    for row, (before, after) in zip(rows, made):
        check(before - made[0][1] - 0.002 <= row.time <= after - made[0][0] + 0.002,
              "TIME(s) %g, by the client's clock %g to %g"
              % (row.time, before - made[0][1], after - made[0][0]))
    check(re.match(r"\d\.\d{3}  +\d", tool.lines()[1]), "second line: %r" % tool.lines()[1])


@test
def name_of_the_thread(scene):
    """COMM is cut at 12 bytes, as bcc's tool does."""
    client = scene.client(comm="fifteen-letters")
    tool = scene.tool("-p", client.pid)
    client.run("127.0.0.1", 81)
    equal([row.comm for row in tool.finish()], ["fifteen-lett"], "COMM")


@test
def hostile_name(scene):
    """A process name cannot break the line or play with the terminal."""
    for name, shown in ((b"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
                        (b"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"),
                        (b"\x7f\x9b1m\\x", "\\x7f\\x9b1m\\\\x"),
                        (b"\xff\xfe\xc3", "\\xff\\xfe\\xc3"),
                        ("\u202eevil".encode(), "\\xe2\\x80\\xaeevil"),
                        ("gr\u00fc\u00df".encode(), "gr\u00fc\u00df")):
        client = scene.client(comm=name)
        tool = scene.tool("-p", client.pid)
        client.run("127.0.0.1", 81)
        equal([row.comm for row in tool.finish()], [shown], "COMM of %r" % name)
        check(not re.search(r"[^\n -~\u00fc\u00df]", tool.out()), "unprintable output")


@test
def thread_of_a_process(scene):
    """PID is the process's, whichever thread connects."""
    def work():
        thread = threading.Thread(target=connect, args=("127.0.0.1", 81))
        thread.start()
        thread.join()

    client = scene.client(work)
    tool = scene.tool("-p", client.pid)
    client.run()
    equal([row.pid for row in tool.finish()], [client.pid], "PID")
