# SPDX-License-Identifier: Apache-2.0
"""The tool under test: started, waited for, interrupted, and what it said."""

import glob
import os
import re
import signal
import subprocess
import types

from places import bpftool
from harness import EXTRA, PATIENCE, TOOL, check, equal, one_line, wait_until

STARTS = 60  # seconds: what only a tool that hangs takes, however busy the machine
BANNER = "Tracing connect ... Hit Ctrl-C to end\n"
SKIPPED = re.compile(r"tcpconnect: lost( in total)?: \d+ events at most \(probes skipped[^)]*\)")
NUMBERS = ("UID", "PID", "IP", "LPORT", "DPORT")


def argv_of(options):
    """A test may run where Ctrl-C is ignored, and its end must be the tool's."""
    return ["env", "--default-signal=INT", "setpriv", "--pdeathsig", "KILL", TOOL, *EXTRA,
            *map(str, options)]


def once(*options, before=(), **more):
    """Run it where it ends by itself; status, standard output and error."""
    done = subprocess.run([*before, TOOL, *map(str, options)], stdin=subprocess.DEVNULL,
                          stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                          text=True, timeout=60 * PATIENCE, **more)
    return done.returncode, done.stdout, done.stderr


def way_in_use(directory):
    """(how it attaches here, what it says about that)"""
    with Tool(directory, ["-v"]) as tool:
        tool.wait()
        tool.stop()
        said = tool.err()
    found = re.search(r"attached by (\w+)", said)
    check(found, "-v does not tell how it attached: " + one_line(said))
    types_said = re.search(r"compiling for %s with (.*)" % found.group(1), said)
    return found.group(1), types_said.group(1) if types_said else "types unknown"


class Tool:
    def __init__(self, directory, options, stdout=None, before=()):
        self.out_path = os.path.join(directory, "out")
        self.err_path = os.path.join(directory, "err")
        self.count = any(re.match(r"--count|-[a-zA-Z]*c", str(o)) for o in options)
        with open(self.err_path, "wb") as err, open(self.out_path, "wb") as out:
            self.process = subprocess.Popen([*before, *argv_of(options)],
                                            stdin=subprocess.DEVNULL,
                                            stdout=out if stdout is None else stdout, stderr=err)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def out(self):
        with open(self.out_path, "rb") as f:
            return f.read().decode("utf-8", "surrogateescape")

    def err(self):
        with open(self.err_path, "rb") as f:
            return f.read().decode("utf-8", "surrogateescape")

    def ready(self):
        """Has printed all that comes before the first event."""
        check(self.process.poll() is None,
              "did not start: status %s: %s" % (self.process.returncode, one_line(self.err())))
        out = self.out()
        return out == BANNER if self.count else out.startswith(BANNER) and out.count("\n") >= 2

    def wait(self):
        wait_until(self.ready, "the tool does not start tracing", STARTS)
        return self

    def send(self, number):
        self.process.send_signal(number)

    def status(self, seconds=30):
        """Its exit status, once it has ended."""
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            check(False, "does not end")

    def stop(self, number=signal.SIGINT):
        self.send(number)
        equal(self.status(), 0, "exit status after signal %d" % number)

    def finish(self):
        """Stop it; it must have had nothing to complain about. Its rows."""
        self.stop()
        equal(self.complaints(), [], "on standard error")
        return self.rows()

    def complaints(self):
        """
        What it said on standard error, but for notes about this kernel, and for probes that were
        skipped: not each would have told an event, and tests count the events themselves.
        """
        return [line for line in self.err().splitlines()
                if not line.startswith("tcpconnect: note: ") and not SKIPPED.fullmatch(line)]

    def lines(self):
        """The events' lines, whole ones only."""
        return self.out().split("\n")[2:-1]

    def rows(self):
        """One object an event: time, uid, pid, comm, ip, saddr, lport, daddr, dport, query."""
        columns = self.out().split("\n")[1].split()
        rows = []
        for line in self.lines():
            values = line.split(None, len(columns) - 1)
            check(len(values) == len(columns), "a line of too few columns: %r" % line)
            row = types.SimpleNamespace()
            for column, value in zip(columns, values):
                setattr(row, column.lower().replace("time(s)", "time"),
                        int(value) if column in NUMBERS else
                        float(value) if column == "TIME(s)" else value)
            rows.append(row)
        return rows

    def counts(self):
        """(saddr, daddr, dport, count) of each line of the count table."""
        body = self.out()[len(BANNER):]
        check(body.startswith("\n"), "no blank line before the count table: %r" % body[:80])
        return [(saddr, daddr, int(port), int(count))
                for saddr, daddr, port, count in map(str.split, body.split("\n")[2:-1])]

    def kernel_objects(self):
        """
        Ids of the programs, maps and links that live by it: {"prog": {...}, ...}. Some it holds
        open; of others only what is attached or refers to them.
        """
        held = {"prog": set(), "map": set(), "link": set()}
        for path in glob.glob("/proc/%d/fdinfo/*" % self.pid):
            try:
                with open(path) as info:
                    text = info.read()
            except FileNotFoundError:  # closed since, as it starts
                continue
            for kind, ids in held.items():
                ids.update(int(n) for n in re.findall(r"^%s_id:\s*(\d+)$" % kind, text, re.M))
        held["prog"].update(event["prog_id"] for event in perf_events(self.pid))
        for program in held["prog"]:
            held["map"].update(bpftool("prog", "show", "id", program).get("map_ids", []))
        return held


def perf_events(pid):
    """A process's perf events with programs on them, and where these are attached."""
    return [entry for entry in bpftool("perf", "show") or [] if entry["pid"] == pid]


def places(rows):
    """The part of each row that most tests compare."""
    return [(row.ip, row.saddr, row.daddr, row.dport) for row in rows]
