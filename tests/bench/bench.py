# SPDX-License-Identifier: Apache-2.0
"""What the measures share: rows of the table, medians, hyperfine, what the machine is."""

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile

import harness
from harness import Skip, Wrong, check, command

MEASURES = []


def measure(function):
    """A measure takes a Bench, checks that all works, and returns its rows."""
    MEASURES.append((function.__name__.replace("_", "-"), function))
    return function


class Row:
    """One line of the table; what does not apply is "". met: True, False, None (no target)."""

    def __init__(self, what, ours, target="", met=None, peer="", ratio=""):
        self.what, self.ours, self.target, self.met = what, ours, target, met
        self.peer, self.ratio = peer, ratio

    def cells(self):
        met = {True: "reached", False: "missed", None: ""}[self.met]
        return [self.what, self.ours, self.peer, self.ratio, self.target, met]


HEAD = ["measure", "tcpconnect", "peer", "ratio", "target", ""]


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Bench:
    """One run: short (does it work?) or whole, and where things are."""

    def __init__(self, live, build, short):
        self.live, self.build, self.short = live, build, short

    def scene(self):
        return harness.Scene(self.live)

    def program(self, name):
        """A bench program of the build."""
        path = os.path.join(self.build, "tests", name)
        if not os.access(path, os.X_OK):
            raise Wrong("no %s: build with -DBUILD_TESTING=ON" % path)
        return path

    def often(self, whole, short):
        return short if self.short else whole

    def hyperfine(self, commands, runs, environ=None, fails=()):
        """
        Run commands (lists of words) in turn, the same number of times; of each the median in
        milliseconds. fails: indices of those that end with an error.
        """
        if not shutil.which("hyperfine"):
            raise Skip("hyperfine is not installed")
        found = []
        for at, words in enumerate(commands):
            with tempfile.NamedTemporaryFile(dir=self.live.directory) as result:
                subprocess.run(["hyperfine", "-N", "--style", "none", "--runs", str(runs),
                                "--warmup", self.often("2", "0"), "--export-json", result.name,
                                *(["-i"] if at in fails else []), quoted(words)],
                               env={**os.environ, **(environ or {})}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               check=True, timeout=300)
                found.append(json.load(result)["results"][0]["median"] * 1000)
        return found


def quoted(words):
    return " ".join("'%s'" % word if re.search(r"[^\w/.:=-]", word) else word for word in words)


def spent(argv, environ=None):
    """
    (milliseconds of processor time, user and system, of a command and the children it waited
    for; the most memory that one of them held, in MB)
    """
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, **(environ or {})})
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0  # reaped here
    return (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss / 1024


def median(values):
    return statistics.median(values)


def ms(value):
    return "%.0f ms" % value if value >= 100 else "%.1f ms" % value


def millions(value):
    return "%.2f million/s" % (value / 1e6)


def times(value):
    return "%.2fx" % value


def core_tool():
    """The CO-RE tool of libbpf-tools; ours has the same name elsewhere."""
    done = subprocess.run(["dpkg", "-L", "libbpf-tools"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    for path in done.stdout.split():
        if path.endswith("bin/tcpconnect"):
            return path
    return None


def package_version(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip() if done.returncode == 0 else "not installed"


def load():
    return "%.1f" % os.getloadavg()[0]


def priority():
    """How what is measured competes with what else runs here."""
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        return " Run at real-time priority."
    try:
        with open("/proc/self/autogroup") as f:
            found = re.search(r"nice (-?\d+)", f.read())  # empty in the root autogroup
    except OSError:
        found = None
    ahead = found is not None and int(found.group(1)) < 0
    return " Run at a raised scheduling priority." if ahead else ""


def machine():
    """The words under the table."""
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    version = command(harness.TOOL, "--version").splitlines()[0]
    return ("%s, %d CPUs; Linux %s; %s; peers: bcc %s (`tcpconnect-bpfcc`), libbpf-tools %s "
            "(CO-RE `tcpconnect`)."
            % (model.group(1) if model else platform.machine(), os.cpu_count(),
               platform.release(), version, package_version("python3-bpfcc"),
               package_version("libbpf-tools")))


def between(path, marker, text):
    """Put text between <!-- MARKER --> and <!-- /MARKER --> of a file, nothing else."""
    with open(path) as f:
        old = f.read()
    begin, end = "<!-- %s -->" % marker, "<!-- /%s -->" % marker
    check(old.count(begin) == 1 and old.count(end) == 1 and old.index(begin) < old.index(end),
          "%s has no %s ... %s" % (path, begin, end))
    head, rest = old.split(begin)
    new = head + begin + "\n" + text + "\n" + end + rest.split(end)[1]
    with open(path, "w") as f:
        f.write(new)


__all__ = ["Bench", "HEAD", "MEASURES", "Row", "Skip", "Wrong", "between", "check", "command",
           "core_tool", "load", "machine", "markdown", "measure", "median", "millions",
           "ms", "priority", "spent",
           "times"]
