# SPDX-License-Identifier: Apache-2.0
"""How connects end: -r, -F, --slow, -c -r, and the same as JSON lines."""

import errno
import json
import os
import select
import signal
import socket
import time

from harness import check, equal, test, wait_until
from outcomes import events, outcome, results, start, under_way
from traffic import disconnect, stream


@test
def accepted_and_refused(scene):
    scene.listen("127.0.0.1", 80)
    scene.listen("::1", 80)
    client = scene.client()
    tool = start(scene, "-r", "-p", client.pid)
    began = time.monotonic()
    for address, port in (("127.0.0.1", 80), ("::1", 80), ("127.0.0.1", 81), ("::1", 81)):
        client.run(address, port)
    took_ms = (time.monotonic() - began) * 1000
    lines = events(tool)
    equal(results(lines), [("127.0.0.1", 80, "OK"), ("::1", 80, "OK"),
                           ("127.0.0.1", 81, "ECONNREFUSED"), ("::1", 81, "ECONNREFUSED")],
          "results")
    equal([line["errno"] for line in lines], [0, 0, 111, 111], "errno")
    check(all(0 < line["latency_ms"] < took_ms for line in lines),
          "latencies: %s" % [line["latency_ms"] for line in lines])
    check(all(line["lport"] for line in lines), "no local port: %s" % lines)


@test
def nonblocking(scene):
    scene.listen("127.0.0.1", 80)

    def work():
        said = []
        for port in (80, 81):
            sock = stream(socket.AF_INET)
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            select.select([], [sock], [], 5)
            said.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            sock.close()
        return said

    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run(), [0, 111], "SO_ERROR")
    equal(results(events(tool)), [("127.0.0.1", 80, "OK"), ("127.0.0.1", 81, "ECONNREFUSED")],
          "results")


@test
def failed_at_once(scene):
    client = scene.client()
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run("192.0.2.1", 80)[0], "ENETUNREACH", "connect")
    equal(results(events(tool)), [("192.0.2.1", 80, "ENETUNREACH")], "results")


@test
def no_port_left(scene):
    """The kernel's error comes after SYN_SENT, and is in the call's result alone."""
    scene.home.set("ipv4/ip_local_port_range", "40000 40000")
    keeper = scene.listen("127.0.0.1", 80)

    def work():
        first = stream(socket.AF_INET)
        first.connect(("127.0.0.1", 80))
        second = stream(socket.AF_INET)
        return second.connect_ex(("127.0.0.1", 80))

    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run(), 99, "EADDRNOTAVAIL")
    equal([line["result"] for line in events(tool)], ["OK", "EADDRNOTAVAIL"], "results")
    check(keeper is not None, "nobody listens")


@test
def no_port_for_a_used_socket(scene):
    """What a socket has from before, an error and a port, is not the new attempt's."""
    scene.home.unanswered("10.9.9.1/24")
    scene.home.set("ipv4/ip_local_port_range", "40000 40000")
    keeper = scene.listen("127.0.0.1", 80)

    def work():
        used, _ = under_way("10.9.9.9", 80)
        disconnect(used)
        other = stream(socket.AF_INET)
        other.connect(("127.0.0.1", 80))
        return used.connect_ex(("127.0.0.1", 80))

    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run(), errno.EADDRNOTAVAIL, "what the client was told")
    equal([(line["result"], line["lport"]) for line in events(tool)][1:],
          [("OK", 40000), ("EADDRNOTAVAIL", 0)], "results")
    check(keeper is not None, "nobody listens")


@test
def refused_again(scene):
    """A used socket still has the error of its attempt before, and gets the same."""
    def work():
        used, first = under_way("127.0.0.1", 81)
        outcome(used, 5)
        disconnect(used)
        return [errno.errorcode[first], errno.errorcode[used.connect_ex(("127.0.0.1", 81))]]

    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run(), ["EINPROGRESS"] * 2, "what the client was told")
    equal(results(events(tool)), [("127.0.0.1", 81, "ECONNREFUSED")] * 2, "results")


@test
def closed_before_the_answer(scene):
    scene.home.unanswered("10.9.9.1/24")

    def work():
        sock = stream(socket.AF_INET)
        sock.setblocking(False)
        sock.connect_ex(("10.9.9.9", 80))
        time.sleep(0.2)
        sock.close()

    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    client.run()
    lines = events(tool)
    equal(results(lines), [("10.9.9.9", 80, "ABORTED")], "results")
    check(200 <= lines[0]["latency_ms"] < 400 * scene.patience, "latency %s" % lines[0]["latency_ms"])


@test
def killed_before_the_answer(scene):
    scene.home.unanswered("10.9.9.1/24")
    client = scene.client()
    tool = start(scene, "-r", "-p", client.pid)
    client.start("10.9.9.9", 80)
    time.sleep(0.3)
    client.kill()
    equal(results(events(tool)), [("10.9.9.9", 80, "ABORTED")], "results")


@test
def pending_at_the_end(scene):
    scene.home.unanswered("10.9.9.1/24")
    client = scene.client()
    for options in ["-r"], ["-F"]:
        tool = start(scene, *options, "-p", client.pid)
        client.start("10.9.9.9", 80, timeout=1.5)
        time.sleep(0.5)
        lines = events(tool)
        equal(results(lines), [("10.9.9.9", 80, "PENDING")], "results with %s" % options)
        check(400 < lines[0]["latency_ms"] < 1000 * scene.patience, "age %s" % lines[0]["latency_ms"])
        client.result()


@test
def only_failed(scene):
    scene.listen("127.0.0.1", 80)
    client = scene.client()
    tool = start(scene, "-F", "-p", client.pid)
    client.run("127.0.0.1", 80)
    client.run("127.0.0.1", 81)
    equal(results(events(tool)), [("127.0.0.1", 81, "ECONNREFUSED")], "results")


@test
def counted_by_result(scene):
    scene.listen("127.0.0.1", 80)
    client = scene.client()
    tool = start(scene, "-c", "-r", "-p", client.pid)
    for port in (80, 80, 80, 81, 81):
        client.run("127.0.0.1", port)
    client.run("192.0.2.1", 80)
    lines = events(tool)
    equal(sorted((line["daddr"], line["dport"], line["result"], line["connects"])
                 for line in lines),
          [("127.0.0.1", 80, "OK", 3), ("127.0.0.1", 81, "ECONNREFUSED", 2),
           ("192.0.2.1", 80, "ENETUNREACH", 1)], "counts")


@test
def in_the_table(scene):
    scene.listen("127.0.0.1", 80)
    client = scene.client()
    tool = scene.tool("-r", "-L", "-p", client.pid)
    lport = client.run("127.0.0.1", 80)[1]
    client.run("127.0.0.1", 81)
    tool.stop()
    header, *lines = [line.split() for line in tool.out().splitlines()[1:]]
    equal(header[-2:], ["LAT(ms)", "RESULT"], "header")
    equal([line[-1] for line in lines], ["OK", "ECONNREFUSED"], "results")
    equal(int(lines[0][header.index("LPORT")]), lport, "LPORT")


@test
def who_it_was(scene):
    """What only JSON shows of the process."""
    client = scene.client()
    tool = start(scene, "-p", client.pid)
    client.run("127.0.0.1", 81)
    (line,) = events(tool)
    equal((line["pid"], line["ppid"], line["uid"], line["gid"]),
          (client.pid, os.getpid(), 0, 0), "ids")
    equal(line["mntns"], os.stat("/proc/%d/ns/mnt" % client.pid).st_ino, "mntns")
    equal(line["netns"], os.stat("/proc/%d/ns/net" % client.pid).st_ino, "netns")


@test
def ends_by_itself(scene):
    client = scene.client()
    tool = start(scene, "-n", "2", "-p", client.pid)
    for _ in range(5):
        client.run("127.0.0.1", 81)
    equal(tool.status(5), 0, "exit status")
    equal(len(tool.out().splitlines()), 2, "lines")

    tool = start(scene, "-D", "1", "-p", client.pid)
    began = time.monotonic()
    equal(tool.status(5), 0, "exit status")
    check(time.monotonic() - began < 2 * scene.patience, "took too long")


@test
def counts_at_intervals(scene):
    client = scene.client()
    tool = start(scene, "-c", "-i", "1", "-p", client.pid)
    for rounds in (3, 2):
        for _ in range(rounds):
            client.run("127.0.0.1", 81)
        had = len(tool.out().splitlines())
        wait_until(lambda: len(tool.out().splitlines()) > had, "no interval ends")
    tool.stop(signal.SIGTERM)
    equal([json.loads(line)["connects"] for line in tool.out().splitlines()], [3, 2], "counts")


@test
def last_interval(scene):
    """The interval that ends together with all has one table, not a second one with nothing."""
    client = scene.client()
    tool = scene.tool("-c", "-i", "1", "-D", "3", "-p", client.pid)
    client.run("127.0.0.1", 81)
    equal(tool.status(5), 0, "exit status")
    tables = tool.out().count("LADDR")
    check(2 <= tables <= 3, "%d tables of 3 s, one each second" % tables)


@test
def filters(scene):
    """By name, net, namespace and cgroup: one connect inside, one outside."""
    here = scene.client(comm="wanted")
    there = scene.client(comm="other")
    tool = start(scene, "--comm", "wanted", "-P", "81")
    here.run("127.0.0.1", 81)
    there.run("127.0.0.1", 81)
    equal([line["comm"] for line in events(tool)], ["wanted"], "--comm")

    for nets, wanted in (("127.0.0.0/8", ["127.0.0.1"]), ("::1", ["::1"]),
                         ("!127.0.0.0/8,!::1", ["192.0.2.1"]),
                         ("127.0.0.0/8,!127.0.0.1", []), ("0.0.0.0/0", ["127.0.0.1", "192.0.2.1"])):
        tool = start(scene, "--daddr", nets, "-p", here.pid)
        for address in ("127.0.0.1", "::1", "192.0.2.1"):
            here.run(address, 81)
        equal([line["daddr"] for line in events(tool)], wanted, "--daddr %s" % nets)

    foreign = scene.client(namespace=scene.namespace())
    for place in ("/proc/%d/ns/net" % here.pid, str(here.pid)):
        tool = start(scene, "--netns", place, "-P", "81")
        here.run("127.0.0.1", 81)
        foreign.run("127.0.0.1", 81)
        equal([line["pid"] for line in events(tool)], [here.pid], "--netns %s" % place)

    cgroup = scene.cgroup()
    inside = scene.client(cgroup=cgroup)
    tool = start(scene, "--cgroup", cgroup.path, "-P", "81")
    inside.run("127.0.0.1", 81)
    here.run("127.0.0.1", 81)
    equal([line["pid"] for line in events(tool)], [inside.pid], "--cgroup")
