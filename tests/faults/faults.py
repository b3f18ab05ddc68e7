# SPDX-License-Identifier: Apache-2.0
"""What the faults share: the table of rows, programs, counting readers, and what was lost."""

import os
import re
import statistics
import subprocess
import threading
import time

from harness import check, command, equal

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = float(os.environ.get("FAULT_SECONDS", "15"))
LONG = bool(os.environ.get("FAULT_LONG"))

FAULTS = []


def fault(what, must):
    """A function that takes a Scene, checks what must hold, and returns the figures."""
    def add(function):
        FAULTS.append((function.__name__.replace("_", "-"), what, must, function))
        return function

    return add


def program(scene, name, *arguments, **place):
    """A C program of programs/, as those of the live tests are started."""
    if name not in scene.live.built:
        path = os.path.join(scene.live.directory, "fault-" + name)
        command("cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror",
                "-pthread", "-o", path, os.path.join(HERE, "programs", name + ".c"))
        scene.live.built[name] = path
    return scene.program(name, *arguments, **place)


def lost(tool, kind="connects"):
    """How many of them the tool says that it lost in all."""
    said = [line for line in tool.complaints() if line.startswith("tcpconnect: lost in total:")]
    check(len(said) <= 1, "total said twice: %s" % said)
    return sum(int(n) for n in re.findall(r"(\d+) %s \(" % kind, said[0])) if said else 0


def only_losses(tool):
    """Nothing but losses was said on standard error."""
    equal([line for line in tool.complaints() if not line.startswith("tcpconnect: lost")], [],
          "on standard error")


def number(value):
    return format(value, ",")


def memory(tool, field="VmRSS"):
    """A size of the tool's in MB."""
    with open("/proc/%d/status" % tool.pid) as f:
        return int(re.search(r"^%s:\s+(\d+) kB" % field, f.read(), re.M).group(1)) / 1024


def cpu_seconds(tool):
    with open("/proc/%d/schedstat" % tool.pid) as f:
        return int(f.read().split()[0]) / 1e9


class Reader:
    """
    The reader of the tool's standard output: takes the first two lines, and then, told to, the
    rest; it counts lines and keeps none.
    """

    def __init__(self, scene, *options):
        near, far = os.pipe()
        self.near = near
        self.tool = scene.launch(*options, stdout=far)
        os.close(far)
        said = b""
        while said.count(b"\n") < 2:
            more = os.read(near, 4096)
            check(more, "the tool does not start: " + self.tool.err())
            said += more
        self.before = said.count(b"\n") - 2
        self.counter = None
        scene.callback(self.close)

    def read_on(self):
        self.counter = subprocess.Popen(["wc", "-l"], stdin=self.near, stdout=subprocess.PIPE)
        os.close(self.near)
        self.near = -1

    def lines(self):
        """Once the tool has ended."""
        return self.before + int(self.counter.communicate(timeout=60)[0])

    def close(self):
        if self.near >= 0:
            os.close(self.near)
        if self.counter and self.counter.poll() is None:
            self.counter.kill()
            self.counter.wait()


class Watch(threading.Thread):
    """Notes the tool's memory, some times a second."""

    def __init__(self, tool):
        super().__init__(daemon=True)
        self.tool, self.sizes, self.over = tool, [], threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.2):
            self.sizes.append(memory(self.tool))

    def stop(self):
        """(the median of the first third, that of the last); at no time was it much"""
        self.over.set()
        self.join()
        third = max(1, len(self.sizes) // 3)
        check(self.sizes, "memory was never looked at")
        # Itself 4 MB, names 3 MB; of each CPU, a queue of 8 MB and its index: see events/order.c.
        most = 8 + 10 * os.cpu_count()
        check(max(self.sizes) < most, "once it held %.1f MB" % max(self.sizes))
        return statistics.median(self.sizes[:third]), statistics.median(self.sizes[-third:])


def settled(tool, seconds=20):
    """Wait until the tool has nothing to do."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        before = cpu_seconds(tool)
        time.sleep(0.3)
        if cpu_seconds(tool) - before < 0.005:
            return


__all__ = ["FAULTS", "LONG", "SECONDS", "Reader", "Watch", "check", "cpu_seconds",
           "equal", "fault", "lost", "memory", "number", "only_losses", "program", "settled"]
