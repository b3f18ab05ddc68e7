# SPDX-License-Identifier: Apache-2.0
"""The tool under full load, live: what is lost, what it costs those who connect, and itself."""

import os
import re
import signal
import time

import traffic
from bench import Row, check, measure, median, ms
from harness import equal
from places import bpftool

CONNECTS, FLOWS = 40000, 262144
STATS = "/proc/sys/kernel/bpf_stats_enabled"


class Storm(traffic.Program):
    """Two threads that make connects; afterwards, how many a second and its processor time."""

    def __init__(self, scene, each, namespace):
        super().__init__([scene.live.program("connects"), "2", str(each), "127.0.0.1", "80"],
                         namespace=namespace)
        self.each = each

    def run(self):
        self.start()
        said = self.read(60)
        _, status, used = os.wait4(self.pid, 0)
        os.close(self.orders)
        os.close(self.answers)
        self.pid = 0
        equal(status, 0, "the storm's wait status")
        made, seconds = said.split()
        equal(int(made), 2 * self.each, "connects made")
        self.rate = int(made) / float(seconds)
        self.cpu_us = (used.ru_utime + used.ru_stime) * 1e6 / int(made)
        return self


def tool_cpu_ns(tool):
    with open("/proc/%d/schedstat" % tool.pid) as f:
        return int(f.read().split()[0])


def process_cpu_ms(tool):
    """As wait4() tells it in the end: of the whole process, in clock ticks."""
    with open("/proc/%d/stat" % tool.pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def storm(scene, each):
    return scene.enter_context(Storm(scene, each, scene.home))


def traced(scene, each):
    """(the storm, the tool's microseconds a connect, printed, what it complained of)"""
    wind = storm(scene, each)
    tool = scene.tool("-p", wind.pid)
    before = tool_cpu_ns(tool)
    wind.run()
    time.sleep(0.15)  # what came last is out
    spent = (tool_cpu_ns(tool) - before) / 1000 / (2 * each)
    tool.stop()
    return wind, spent, len(tool.lines()), tool.complaints()


def probe_ns(scene, each):
    """What the BPF programs take for a connect, said by the kernel; None where it cannot tell."""
    try:
        with open(STATS) as f:
            was = f.read()
        with open(STATS, "w") as f:
            f.write("1")
    except OSError:
        return None
    try:
        wind = storm(scene, each)
        tool = scene.tool("--no-sandbox", "-p", wind.pid)
        wind.run()
        spent = sum(bpftool("prog", "show", "id", number).get("run_time_ns", 0)
                    for number in tool.kernel_objects()["prog"])
        tool.stop()
    finally:
        with open(STATS, "w") as f:
            f.write(was)
    return spent / (2 * each)


@measure
def storms(bench):
    each, pairs = bench.often(CONNECTS // 2, 2500), bench.often(9, 1)
    rates, costs, own, printed = [], [], [], []
    with bench.scene() as scene:
        storm(scene, each).run()  # warms up
        for pair in range(pairs):
            bare = storm(scene, each).run() if pair % 2 else None
            wind, spent, lines, said = traced(scene, each)
            equal(said, [], "the tool complains")
            bare = bare or storm(scene, each).run()
            rates.append(wind.rate / bare.rate)
            costs.append((wind.cpu_us, bare.cpu_us))
            own.append(spent)
            printed.append(lines)
        programs = probe_ns(scene, each)
    ratio = median(rates)
    with_us, without_us = median([c[0] for c in costs]), median([c[1] for c in costs])
    rows = [
        Row("storm of %s connects from 2 threads, %d times: printed" % (format(2 * each, ","),
                                                                        pairs),
            "%d to %d" % (min(printed), max(printed)), "all, 0 lost",
            set(printed) == {2 * each}),
        Row("the storm's rate traced over untraced, median of %d pairs" % pairs,
            "%.2f (%.2f to %.2f)" % (ratio, min(rates), max(rates)), "0.90", ratio >= 0.90),
        Row("the storm's processor time a connect, untraced over traced",
            "%.2f us / %.2f us = %.2f" % (without_us, with_us, without_us / with_us)),
        Row("the tool's processor time a traced connect", "%.2f us" % median(own)),
    ]
    if programs is not None:
        rows.append(Row("in the connecting thread, by the kernel's account: the BPF programs",
                        "%.0f ns a connect" % programs))
    check(set(printed) == {2 * each} or not bench.short, "printed: %s" % printed)
    return rows


@measure
def counts(bench):
    """Count mode with as many flows as fit."""
    flows = bench.often(FLOWS, 5000)
    with bench.scene() as scene:
        program = scene.program("flows", flows, "127.64.0.0")
        scene.tool("-c", "-p", program.pid).stop()  # compiled: what follows is the tool's alone
        tool = scene.tool("-c", "-p", program.pid)
        program.run()
        began = time.monotonic()
        spent = -process_cpu_ms(tool)
        tool.send(signal.SIGINT)
        _, status, used = os.wait4(tool.pid, 0)
        took = (time.monotonic() - began) * 1000
        tool.process.returncode = status  # reaped here
        equal(status, 0, "exit status")
        spent += (used.ru_utime + used.ru_stime) * 1000
        equal(tool.complaints(), [], "the tool complains")
        lines = [line.split() for line in tool.out().split("\n")[3:-1]]
    different = {(line[1], line[2]) for line in lines}
    equal({line[3] for line in lines}, {"1"}, "counts")
    equal(len(different), flows, "flows in the table")
    check(all(re.match(r"127\.", line[1]) for line in lines), "addresses of others")
    return [Row("`-c` with %s flows: Ctrl-C to the end of the table, none missing"
                % format(flows, ","), ms(took), "1 s", took < 1000),
            Row("... its processor time", ms(spent))]
