# SPDX-License-Identifier: Apache-2.0
"""Many connects at once, and many that are filtered out: nothing lost, nothing left behind."""

import os

from harness import check, equal, test, wait_until
from places import bpftool

# "calls" keeps one entry a thread to be used again, and forgets the least recently used by itself:
# of its entries those count that say that a call is under way (a number at byte 32).
STASHES = ("attempts", "calls", "portless", "halfopen", "reported")


@test
def storm(scene):
    """40,000 nonblocking connects from two threads at full speed: all printed, none lost."""
    each = scene.fewer(20000)
    for options in ([], ["-tLU"]):
        bare = scene.program("connects", 2, each, "127.0.0.1", 80).run().split()
        program = scene.program("connects", 2, each, "127.0.0.1", 80)
        tool = scene.tool("-p", program.pid, *options)
        made, seconds = program.run().split()
        rows = tool.finish()
        scene.note("storm%s: %.0f connects a second traced, %.0f untraced; %d made, %d printed"
                   % ("".join(" " + option for option in options), int(made) / float(seconds),
                      int(bare[0]) / float(bare[1]), int(made), len(rows)))
        equal(len(rows), 2 * each, "events printed")
        equal({row.dport for row in rows}, {80}, "DPORT")


@test
def loss_is_said(scene):
    """With a buffer too small for it, what is not printed is counted."""
    program = scene.program("connects", 2, 20000, "127.0.0.1", 80)
    tool = scene.tool("-p", program.pid, "--pages", 1)
    program.run()
    tool.stop()
    lines = len(tool.lines())
    said = tool.complaints()
    check(lines < 40000, "a page of buffer was enough: nothing is shown by this")
    check(said, "%d of 40000 printed, and no word of it" % lines)
    equal(said[-1], "tcpconnect: lost in total: %d connects (perf buffer full; --pages makes it "
          "larger)" % (40000 - lines), "last words")


def entries_of(tool, pid):
    """What the tool's tables hold of that process: {table: number of entries}."""
    check(pid, "a process that has ended has no PID here any more")
    found = {}
    for number in tool.kernel_objects()["map"]:
        info = bpftool("map", "show", "id", number)
        if info["name"] not in STASHES:
            continue
        entries = bpftool("map", "dump", "id", number)
        if info["name"] == "calls":
            entries = [entry for entry in entries if number_at(entry["value"], 32)]
        # The PID is in the upper half of a thread's key, and at byte 12 of a record.
        found[info["name"]] = sum(pid == number_at(entry["key"], 4)
                                  or pid == number_at(entry["value"], 12) for entry in entries)
    return found


def number_at(octets, offset):
    return int.from_bytes(bytes(int(octet, 0) for octet in octets[offset:offset + 4]), "little")


def leaves_nothing(scene, options, address, port, inside, wanted=()):
    """100,000 connects from 20,000 threads, then one that passes the filter."""
    program = scene.program("connects", 20000, 5, address, port)
    client = scene.client(uid=12345)
    tool = scene.tool(*[option % {"pid": client.pid} if "%" in option else option
                        for option in options])
    pid = program.pid
    equal(program.run().split()[0], "100000", "connects")
    tables = entries_of(tool, pid)
    check(tables, "none of the tables %s is there" % ", ".join(STASHES))
    equal({name: count for name, count in tables.items() if count}, {}, "entries left")
    client.run(*inside)
    rows = [row for row in tool.finish() if row.pid in (client.pid, pid)]
    equal([(row.pid, row.daddr, row.dport) for row in rows], [(client.pid, *inside)], "events")


@test
def leak_behind_ports(scene):
    leaves_nothing(scene, ["-P", "7076"], "127.0.0.1", 81, ("127.0.0.1", 7076))


@test
def leak_behind_ipv4(scene):
    leaves_nothing(scene, ["-4"], "::1", 81, ("127.0.0.1", 80))


@test
def leak_behind_ipv6(scene):
    """... where the filtered out are IPv4-mapped."""
    leaves_nothing(scene, ["-6"], "::ffff:127.0.0.1", 81, ("::1", 80))


@test
def leak_behind_users(scene):
    leaves_nothing(scene, ["-u", "12345"], "127.0.0.1", 81, ("127.0.0.1", 80))


@test
def leak_behind_local_ports(scene):
    """-L keeps more in mind."""
    leaves_nothing(scene, ["-L", "-P", "7077"], "::1", 81, ("127.0.0.1", 7077))


@test
def leak_of_outcomes(scene):
    """-r keeps each connect until its end, and of those that are filtered out nothing."""
    leaves_nothing(scene, ["-r", "-P", "7079"], "127.0.0.1", 81, ("127.0.0.1", 7079))


@test
def leak_of_failures(scene):
    """100,000 connects that fail at once, all of them shown, leave nothing either."""
    program = scene.program("connects", 20000, 5, "192.0.2.1", 80)
    client = scene.client()
    pid = program.pid
    tool = scene.tool("-L", "-p", "%d,%d" % (pid, client.pid))
    program.run()
    equal({name: count for name, count in entries_of(tool, pid).items() if count}, {},
          "entries left")
    client.run("127.0.0.1", 80)
    rows = tool.finish()
    equal(len(rows), 100001, "events")
    equal((rows[-1].pid, rows[-1].daddr), (client.pid, "127.0.0.1"), "last event")


@test
def leak_of_killed_processes(scene):
    """Processes that die in connect(2)."""
    scene.home.unanswered("10.9.9.1/24")
    tool = scene.tool("-L", "-P", "7078")
    clients = [scene.client() for _ in range(20)]
    for client in clients:
        client.start("10.9.9.9", 7078)
    wait_until(lambda: len(tool.lines()) == 20, "20 events")
    pids = [client.pid for client in clients]
    for client in clients:
        client.kill()
    check(not any(os.path.exists("/proc/%d" % pid) for pid in pids), "they live")
    for pid in pids:
        equal({name: count for name, count in entries_of(tool, pid).items() if count}, {},
              "entries left")
    equal(len(tool.finish()), 20, "events")
