# SPDX-License-Identifier: Apache-2.0
"""Connects that take their time: latencies, SYN retransmits, --slow."""

import statistics
import threading
import time

from harness import check, equal, test, wait_until
from outcomes import (NEAR, NOBODY, delayed, drop_first, events, in_syn_sent, no_drops, outcome,
                      results, start, timed, under_way)

RETRY_MS = 1000  # RFC 6298 2.1: the SYN goes again after a second


def agree(what, lines, took, most_ms, patience):
    """
    Latencies and the client's own clock, by the median: one that waits for a processor in
    between is no mistake of the tool. The call begins before and ends after what it measures.
    """
    equal(len(lines), len(took), "lines")
    differences = [ms - line["latency_ms"] for line, ms in zip(lines, took)]
    check(all(difference > -0.1 for difference in differences),
          "%s: longer than the client's clock says: %s" % (what, differences))
    median = statistics.median(differences)
    check(median < most_ms * patience,
          "%s: latencies %s, by the client's clock %s: the median differs by %.3f ms"
          % (what, [line["latency_ms"] for line in lines], took, median))
    return median


@test
def latencies_at_once(scene):
    """Accepted and refused, where the answer comes at once."""
    scene.listen("127.0.0.1", 80)
    client = scene.client(timed)
    for port in (80, 81):
        tool = start(scene, "-r", "-p", client.pid)
        took = [client.run("127.0.0.1", port)[1] for _ in range(21)]
        median = agree("port %d" % port, events(tool), took, 1, scene.patience)
        scene.note("latency and the client's clock, port %d: %.3f ms apart" % (port, median))


@test
def latencies_of_a_second(scene):
    """... and where it takes long: 21 threads whose first SYN is lost, a later one is answered."""
    count = 21

    def work():
        took = [None] * count

        def one(number):
            took[number] = timed("127.0.0.1", 80)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
            time.sleep(0.015)  # so that they need not be woken at the same moment
        for thread in threads:
            thread.join()
        return took

    scene.listen("127.0.0.1", 80)
    scene.home.nft("tcp dport 80 drop")
    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    client.start()
    wait_until(lambda: in_syn_sent(client.pid, 80) == count, "not all of them wait")
    no_drops(scene.home)
    said = client.result()
    lines = events(tool)
    equal({(error, line["result"]) for (error, _), line in zip(said, lines)}, {(0, "OK")},
          "results")
    # The thread's number tells which is which, whatever the order of the answers.
    lines.sort(key=lambda line: line["tid"])
    median = agree("a second", lines, [ms for _, ms in said], 1, scene.patience)
    scene.note("latencies of a second and the client's clock: %.3f ms apart" % median)
    check(all(RETRY_MS * 0.9 < line["latency_ms"] for line in lines),
          "latencies: %s" % [line["latency_ms"] for line in lines])


@test
def syn_retransmits(scene):
    """As many as SYNs were lost; of those that succeed, fail, are given up and are open."""
    scene.listen("127.0.0.1", 80)
    for lost in (0, 1, 2):
        client = scene.client(timed)
        if lost:
            drop_first(scene.home, lost)
        tool = start(scene, "-r", "-p", client.pid)
        equal(client.run("127.0.0.1", 80)[0], 0, "connect")
        if lost:
            no_drops(scene.home)
        (line,) = events(tool)
        equal((line["result"], line["syn_retransmits"]), ("OK", lost), "outcome, SYNs sent again")
        check(RETRY_MS * lost * 0.9 < line["latency_ms"], "latency: %s" % line["latency_ms"])


@test
def syn_retransmits_of_failures(scene):
    drop_first(scene.home, 1)
    client = scene.client(timed)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run("127.0.0.1", 80)[0], 111, "connect")
    (line,) = events(tool)
    equal((line["result"], line["syn_retransmits"]), ("ECONNREFUSED", 1),
          "outcome, SYNs sent again")


@test
def syn_retransmits_given_up(scene):
    def work():
        sock, _ = under_way("127.0.0.1", 80)
        ready = outcome(sock, 1.6)
        sock.close()
        return ready

    scene.home.nft("tcp dport 80 drop")
    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run(), False, "answered")
    (line,) = events(tool)
    equal((line["result"], line["syn_retransmits"]), ("ABORTED", 1), "outcome, SYNs sent again")


@test
def only_slow(scene):
    """--slow shows what took long, whatever came of it."""
    scene.home.unanswered(NEAR)
    scene.listen("127.0.0.1", 80)
    client = scene.client(connect_for)
    tool = start(scene, "--slow", "200", "-p", client.pid)
    client.run("127.0.0.1", 80, 5)
    client.run("127.0.0.1", 81, 5)
    client.run(NOBODY, 80, 0.1)
    client.run(NOBODY, 80, 0.4)
    equal(results(events(tool)), [(NOBODY, 80, "ABORTED")], "results")


def connect_for(address, port, seconds):
    """A nonblocking connect that is given up after so many seconds."""
    sock, _ = under_way(address, port)
    outcome(sock, seconds)
    sock.close()


def slow_and_quick(scene, *options):
    """One that succeeds after a second, and one at once; of both what is shown."""
    client = scene.client(timed)
    drop_first(scene.home, 1)
    tool = start(scene, "-p", client.pid, *options)
    for _ in range(2):
        equal(client.run("127.0.0.1", 80)[0], 0, "connect")
    no_drops(scene.home)
    return events(tool)


@test
def slow_success(scene):
    scene.listen("127.0.0.1", 80)
    lines = slow_and_quick(scene, "--slow", "500")
    equal(results(lines), [("127.0.0.1", 80, "OK")], "results")
    check(RETRY_MS * 0.9 < lines[0]["latency_ms"], "latency: %s" % lines[0]["latency_ms"])


@test
def slow_success_is_no_failure(scene):
    """--slow and -F: what is shown took long, and failed."""
    scene.listen("127.0.0.1", 80)
    equal(slow_and_quick(scene, "--slow", "500", "-F"), [], "lines")
    client = scene.client(timed)
    drop_first(scene.home, 1, 81)
    tool = start(scene, "-p", client.pid, "--slow", "500", "-F")
    for _ in range(2):
        equal(client.run("127.0.0.1", 81)[0], 111, "connect")
    equal(results(events(tool)), [("127.0.0.1", 81, "ECONNREFUSED")], "results")


@test
def slower_than_all(scene):
    scene.listen("127.0.0.1", 80)
    equal(slow_and_quick(scene, "--slow", "60000"), [], "lines")


@test
def slow_success_counted(scene):
    scene.listen("127.0.0.1", 80)
    lines = slow_and_quick(scene, "--slow", "500", "-c")
    equal([(line["result"], line["connects"]) for line in lines], [("OK", 1)], "counts")


@test
def slow_pending(scene):
    """At the end, too, only what is open that long already."""
    scene.home.unanswered(NEAR)

    def work():
        old, _ = under_way(NOBODY, 80)
        time.sleep(0.8)
        new, _ = under_way(NOBODY, 81)
        return old.fileno(), new.fileno(), kept.extend((old, new))

    kept = []
    client = scene.client(work)
    tool = start(scene, "--slow", "700", "-p", client.pid)
    client.run()
    equal(results(events(tool)), [(NOBODY, 80, "PENDING")], "results")


@test
def far_away(scene):
    """A destination that is 60 ms away, there and back."""
    scene.listen("127.0.0.1", 80)
    delayed(scene.home, 30)
    client = scene.client(timed)
    tool = start(scene, "-r", "-p", client.pid)
    said = [client.run("127.0.0.1", 80) for _ in range(21)]
    lines = events(tool)
    equal({line["result"] for line in lines}, {"OK"}, "results")
    agree("netem", lines, [ms for _, ms in said], 1, scene.patience)
    check(all(60 <= line["latency_ms"] for line in lines),
          "latencies: %s" % [line["latency_ms"] for line in lines])
    for slow, shown in ((30, 1), (1000 * scene.patience, 0)):
        tool = start(scene, "--slow", int(slow), "-p", client.pid)
        client.run("127.0.0.1", 80)
        equal([line["result"] for line in events(tool)], ["OK"] * shown, "with --slow %d" % slow)
