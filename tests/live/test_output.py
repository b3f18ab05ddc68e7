# SPDX-License-Identifier: Apache-2.0
"""Lines come at once, in the order of time, and to each that listens."""

import os
import statistics
import subprocess
import time

from harness import PATIENCE, check, equal, test, wait_until
from tool import STARTS, argv_of, places


@test
def live_through_grep(scene):
    """tcpconnect | grep shows a connect within a second."""
    client = scene.client()
    directory = scene.directory()
    out = os.path.join(directory, "out")
    with open(out, "wb") as sink, open(os.path.join(directory, "err"), "wb") as err:
        tool = subprocess.Popen(argv_of(["-v", "-p", client.pid]), stdout=subprocess.PIPE,
                                stderr=err)
        grep = subprocess.Popen(["grep", "--line-buffered", "127.0.0.1"], stdin=tool.stdout,
                                stdout=sink)
    for process in (tool, grep):
        scene.callback(process.wait)
        scene.callback(process.kill)
    wait_until(lambda: b"attached by" in open(err.name, "rb").read(),
               "the tool does not start tracing", STARTS)
    for number in (1, 2, 3):
        client.run("127.0.0.1", 80)
        wait_until(lambda: open(out).read().count("\n") == number, "no line %d" % number,
                   1 / PATIENCE)


@test
def delay(scene):
    """From a connect to its line: under 100 ms more than nothing on a quiet host."""
    client = scene.client()
    near, far = os.pipe()
    tool = scene.launch("-p", client.pid, stdout=far)
    os.close(far)
    scene.callback(os.close, near)
    said = b""
    while said.count(b"\n") < 2:
        said += os.read(near, 1000)
    delays = []
    for number in range(15):
        time.sleep(0.013 * (number % 4))  # anywhere between two looks at the buffers
        began = time.monotonic()
        client.run("127.0.0.1", 80)
        while not os.read(near, 1000).endswith(b"\n"):
            pass
        delays.append((time.monotonic() - began) * 1000)
    tool.stop()
    median = statistics.median(delays)
    scene.note("a line comes %.0f ms after its connect (median; %.0f at most)"
               % (median, max(delays)))
    check(median < 100 * PATIENCE, "a line comes %.0f ms after its connect" % median)


@test
def two_tools(scene):
    """Two at once, one of them interrupted: both show all that was in their time."""
    client = scene.client()
    first = scene.tool("-p", client.pid)
    second = scene.tool("-p", client.pid, "-L")
    client.run("127.0.0.1", 80)
    client.run("192.0.2.1", 80)
    equal(places(first.finish()), [(4, "127.0.0.1", "127.0.0.1", 80),
                                   (4, "0.0.0.0", "192.0.2.1", 80)], "events of the first")
    client.run("::1", 80)
    equal(places(second.finish()), [(4, "127.0.0.1", "127.0.0.1", 80),
                                    (4, "0.0.0.0", "192.0.2.1", 80), (6, "::1", "::1", 80)],
          "events of the second")


@test
def order_of_time(scene):
    """Both CPUs at full speed: TIME(s) never goes back."""
    each = scene.fewer(20000)
    for options in (["-t"], ["-tL"]):
        program = scene.program("connects", 2, each, "127.0.0.1", 80)
        tool = scene.tool(*options, "-p", program.pid)
        program.run()
        times = [row.time for row in tool.finish()]
        equal(len(times), 2 * each, "events")
        back = [at for at in range(1, len(times)) if times[at] < times[at - 1]]
        check(not back, "%d times back, first at event %d" % (len(back), back[0] if back else 0))


@test
def order_of_turns(scene):
    """Two processes on two CPUs connect in turn, each told by the other: 2,000 in that order."""
    program = scene.program("turns", 2000)
    tool = scene.tool("-p", program.pid)
    program.run()
    ports = [row.dport for row in tool.finish()]
    equal(ports, list(range(1, 2001)), "ports in turn")


@test
def slow_reader(scene):
    """A reader that stalls for two seconds misses nothing: the lines wait for it."""
    program = scene.program("connects", 2, 5000, "127.0.0.1", 80)
    near, far = os.pipe()
    tool = scene.launch("-p", program.pid, stdout=far)
    os.close(far)
    scene.callback(os.close, near)
    said = b""
    while said.count(b"\n") < 2:
        said += os.read(near, 1000)
    program.run()
    time.sleep(1)
    lines = said.count(b"\n")
    while lines < 10002:
        lines += os.read(near, 65536).count(b"\n")
    tool.stop()
    equal(tool.complaints(), [], "on standard error")
