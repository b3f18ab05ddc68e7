# SPDX-License-Identifier: Apache-2.0
"""The table of connects that wait for their outcome: full, emptied, read amid a storm."""

import collections
import os
import signal
import time

from harness import check, equal, test, wait_until
from outcomes import events, lines_of, results, start
from places import bpftool
from test_load import entries_of
from verdicts import made_up

HALFOPEN_MAX = 65536  # probes/text.h
OVER = 1000


def pending_programs(scene, count):
    """So many connects that nobody answers, from processes that may open 17,000 files each."""
    scene.home.nft("tcp dport 1-65535 drop")
    each = count // 4
    return [scene.program("pending", each, "127.64.0.%d" % (number + 1)) for number in range(4)]


def said_lost(lines, what):
    return [line["lost"][what] for line in lines if "lost" in line and line["lost"]["total"]]


def start_all(programs):
    for program in programs:
        program.start()
    return sum(int(program.read(60)) for program in programs)


@test
def full_table(scene):
    """65,536 fit, not one more; those that do not are counted and said, the others are PENDING."""
    programs = pending_programs(scene, HALFOPEN_MAX + OVER)
    tool = start(scene, "-r", "-p", ",".join(str(program.pid) for program in programs))
    equal(start_all(programs), HALFOPEN_MAX + OVER, "connects under way")
    wait_until(lambda: any("lost" in line for line in lines_of(tool)), "no word of a loss")
    tool.stop()
    lines = lines_of(tool)
    shown = collections.Counter(line["result"] for line in lines if "lost" not in line)
    equal(shown, {"PENDING": HALFOPEN_MAX}, "results")
    equal(said_lost(lines, "table_full"), [OVER], "lost in total")
    equal(len({(line["daddr"], line["dport"]) for line in lines if "lost" not in line}),
          HALFOPEN_MAX, "different connects")
    check("lost in total: %d connects" % OVER in tool.err(), "not in words: %s" % tool.err())


@test
def full_table_counted(scene):
    """The same with -c: what is counted and what is lost are all."""
    programs = pending_programs(scene, HALFOPEN_MAX + OVER)
    tool = start(scene, "-c", "-r", "-p", ",".join(str(program.pid) for program in programs))
    equal(start_all(programs), HALFOPEN_MAX + OVER, "connects under way")
    tool.stop()
    lines = lines_of(tool)
    equal(sum(line["connects"] for line in lines if line.get("result") == "PENDING"), HALFOPEN_MAX,
          "counted")
    equal(said_lost(lines, "table_full"), [OVER], "lost in total")


@test
def full_table_emptied(scene):
    """Once those that filled it are dead, there is room again, and none of them stays."""
    programs = pending_programs(scene, HALFOPEN_MAX + OVER)
    client = scene.client()
    tool = start(scene, "-r", "-p", ",".join(str(p.pid) for p in [*programs, client]))
    made = start_all(programs)
    client.run("127.0.0.1", 80, timeout=0.1)  # finds no room either
    pids = [program.pid for program in programs]
    for program in programs:
        program.kill()
    wait_until(lambda: not any(entries_of(tool, pid)["halfopen"] for pid in pids), "entries stay")
    client.run("127.0.0.1", 80, timeout=0.1)
    tool.stop()
    lines = lines_of(tool)
    shown = [line for line in lines if "lost" not in line]
    equal({line["result"] for line in shown}, {"ABORTED"}, "results")
    equal(len([line for line in shown if line["pid"] == client.pid]), 1, "of the client")
    total = said_lost(lines, "table_full") + said_lost(lines, "buffer_full")
    equal(len(shown) + sum(total), made + 2, "shown and lost (%s)" % total)


def table_of(tool):
    """The table's number of entries, whoever's they are, as a function."""
    (number,) = [number for number in tool.kernel_objects()["map"]
                 if bpftool("map", "show", "id", number)["name"] == "halfopen"]
    return lambda: len(bpftool("map", "dump", "id", number))


ENDS = (("127.0.0.1", 80, {}), ("127.0.0.1", 81, {}), ("192.0.2.1", 80, {}),
        ("127.0.0.1", 82, {"timeout": 0.1}), ("127.0.0.1", 82, {"blocking": False}),
        ("::ffff:127.0.0.1", 80, {}), ("::1", 81, {}), ("127.0.0.1", 80, {"blocking": False}))


@test
def dead_sockets_leave(scene):
    """However it ended, and while the tool traces on, nothing of a connect stays."""
    scene.home.nft("tcp dport 82 drop")
    scene.listen("127.0.0.1", 80)
    for options in ([], ["-F"], ["-L"], ["--slow", "5000"], ["-c"]):
        client, dying = scene.client(), scene.client()
        tool = start(scene, "-r", *options, "-p", "%d,%d" % (client.pid, dying.pid))
        size = table_of(tool)
        equal(size(), 0, "entries at first")
        dying.start("127.0.0.1", 82)
        wait_until(lambda: size() == 1,
                   "with %s the pending connect is not in the table" % options)
        dying.kill()
        wait_until(lambda: size() == 0, "with %s the killed one's entry stays" % options)
        for address, port, more in ENDS:
            client.run(address, port, **more)
            equal(size(), 0, "entries with %s after %s %d %s" % (options, address, port, more))
        tool.stop()


@test
def dead_sockets_leave_in_masses(scene):
    """100,000 that are closed at once, unanswered, from 20,000 threads."""
    scene.home.nft("tcp dport 80 drop")
    program = scene.program("connects", scene.fewer(20000), 5, "127.0.0.1", 80)
    tool = start(scene, "-r", "-p", program.pid)
    made = int(program.run().split()[0])
    equal(table_of(tool)(), 0, "entries")
    tool.stop()
    lines = lines_of(tool)
    shown = [line for line in lines if "lost" not in line]
    equal({line["result"] for line in shown}, {"ABORTED"}, "results")
    equal(len(shown) + sum(said_lost(lines, "buffer_full")), made, "shown and lost")


@test
def filtered_out_stay_out(scene):
    """What the filters leave out takes no room, while it is open either."""
    scene.home.nft("tcp dport 82 drop")
    client = scene.client(comm="other")
    for options in (["-P", "81"], ["-6"], ["--daddr", "!127.0.0.0/8"], ["--comm", "wanted"]):
        tool = start(scene, "-r", "-p", client.pid, *options)
        size = table_of(tool)
        client.start("127.0.0.1", 82, timeout=2)
        time.sleep(0.5)
        equal(size(), 0, "entries with %s" % options)
        client.result()
        equal(results(events(tool)), [], "lines with %s" % options)


FIRST, PORTS = 20000, 2000


def storm(scene, count):
    """Processes that connect at full speed, each from ports of its own; {PID: first port}."""
    programs = [scene.program("bursts", "127.0.0.%d" % (number + 1), 80, FIRST + number * PORTS, PORTS)
                for number in range(count)]
    for program in programs:
        program.start()
    return programs, {program.pid: FIRST + number * PORTS
                      for number, program in enumerate(programs)}


def strangers(lines, ports):
    """Lines with a PID that the local port says is wrong."""
    return [line for line in lines
            if not ports[line["pid"]] <= line["lport"] < ports[line["pid"]] + PORTS]


@test
def started_and_stopped_in_a_storm(scene):
    """
    Amid connects that are all answered at once, nothing has failed, nothing is PENDING but what the
    end of the tool cut off, and each line has the PID of the process that made the connect.
    """
    scene.home.set("ipv4/ip_local_port_range", "60000 60999")
    programs, ports = storm(scene, 3)
    total = cut_off = 0
    for at in range(10):
        tool = start(scene, "-r", "-p", ",".join(map(str, ports)))
        time.sleep(0.02 * at)
        tool.stop()
        lines = [line for line in lines_of(tool) if "lost" not in line]
        equal(made_up(lines), [], "run %d: neither OK nor cut off" % at)
        cut_off += sum(line["result"] == "PENDING" for line in lines)
        equal(strangers(lines, ports), [], "run %d: lines of the wrong process" % at)
        total += len(lines)
    for program in programs:
        os.kill(program.pid, signal.SIGTERM)
    said = [program.result().split() for program in programs]
    equal([int(bad) for _, bad in said], [0] * len(said), "connects that failed")
    check(total > 1000, "only %d connects were seen" % total)
    scene.note("storm: %d of %d connects seen in 10 runs, %d cut off"
               % (total, sum(int(s[0]) for s in said), cut_off))
