# SPDX-License-Identifier: Apache-2.0
"""Outcomes of connects by other ways than connect(2), and of those that fail after their SYN."""

import errno
import re
import select
import socket
import struct
import time

import traffic
from harness import Skip, check, equal, test
from outcomes import (NEAR, NOBODY, drop_first, events, no_drops, outcome, results, start, timed,
                      under_way)
from test_attempts import TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, answering
from traffic import stream

TCP_REPAIR = 19
TCP_SYNCNT = 7


def by_uring(scene, address, *ports):
    """(results as the program was told, lines)"""
    program = scene.program("uring", address, *ports)
    tool = start(scene, "-r", "-p", program.pid)
    said = program.run().split()
    if said[0] == "unsupported":
        raise Skip("no io_uring here: " + " ".join(said[1:]))
    return [int(number) for number in said[::2]], events(tool)


@test
def io_uring(scene):
    for address in ("127.0.0.1", "::1"):
        scene.listen(address, 80)
        said, lines = by_uring(scene, address, 80, 81)
        equal(said, [0, -errno.ECONNREFUSED], "connects")
        equal(results(lines), [(address, 80, "OK"), (address, 81, "ECONNREFUSED")], "results")
        check(all(line["lport"] for line in lines), "no local port: %s" % lines)


@test
def io_uring_answered_late(scene):
    """... by an interrupt, with no call under way."""
    scene.listen("127.0.0.1", 80)
    drop_first(scene.home, 1)
    said, lines = by_uring(scene, "127.0.0.1", 80)
    equal(said, [0], "connect")
    equal(results(lines), [("127.0.0.1", 80, "OK")], "results")
    check(900 < lines[0]["latency_ms"], "latency: %s" % lines[0]["latency_ms"])


@test
def io_uring_host_unreachable(scene):
    scene.home.unanswered(NEAR)
    scene.home.set("ipv4/neigh/near/retrans_time_ms", 100)
    said, lines = by_uring(scene, NOBODY, 80)
    equal(said, [-errno.EHOSTUNREACH], "connect")
    equal(results(lines), [(NOBODY, 80, "EHOSTUNREACH")], "results")


@test
def io_uring_no_route(scene):
    said, lines = by_uring(scene, "192.0.2.1", 80)
    equal(said, [-errno.ENETUNREACH], "connect")
    if scene.way == "tracepoint":
        equal(lines, [], "lines")
        raise Skip("no tracepoint shows a connect of io_uring that fails before SYN_SENT")
    equal(results(lines), [("192.0.2.1", 80, "ENETUNREACH")], "results")


def fast_open_server(scene, *addresses):
    scene.home.set("ipv4/tcp_fastopen", 3)
    for address in addresses:
        listener = scene.listen(address, 80)
        listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
        answering(scene, listener)


@test
def fast_open(scene):
    """sendto(), at first without and then with the server's cookie; then to a closed port."""
    def work():
        said = []
        for address in ("127.0.0.1", "::1"):
            for port in (80, 80, 81):
                sock = stream(socket.AF_INET6 if ":" in address else socket.AF_INET)
                try:
                    sock.sendto(b"hello", socket.MSG_FASTOPEN, (address, port))
                    sock.recv(1)
                    said.append(0)
                except OSError as error:
                    said.append(error.errno)
                sock.close()
        return said

    fast_open_server(scene, "127.0.0.1", "::1")
    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run(), [0, 0, errno.ECONNREFUSED] * 2, "connects")
    lines = events(tool)
    equal(results(lines), [(address, *rest) for address in ("127.0.0.1", "::1") for rest in
                           ((80, "OK"), (80, "OK"), (81, "ECONNREFUSED"))], "results")
    check(all(line["lport"] for line in lines), "no local port: %s" % lines)
    with open("/proc/%d/net/netstat" % client.pid) as netstat:
        names, values = [line.split() for line in netstat if line.startswith("TcpExt:")]
    check(int(dict(zip(names, values))["TCPFastOpenActive"]) >= 2, "no cookie was ever used")


@test
def fast_open_nonblocking(scene):
    """No cookie yet: sendto() gives EINPROGRESS; nobody answers, and it is closed."""
    def work():
        sock = stream(socket.AF_INET)
        sock.setblocking(False)
        try:
            sock.sendto(b"hello", socket.MSG_FASTOPEN, (NOBODY, 80))
        except BlockingIOError:
            pass
        time.sleep(0.2)
        sock.close()

    scene.home.unanswered(NEAR)
    scene.home.set("ipv4/tcp_fastopen", 3)
    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    client.run()
    (line,) = events(tool)
    equal((line["daddr"], line["result"]), (NOBODY, "ABORTED"), "outcome")
    check(200 <= line["latency_ms"], "latency: %s" % line["latency_ms"])


@test
def fast_open_by_connect(scene):
    """TCP_FASTOPEN_CONNECT: with a cookie connect(2) sends nothing yet, the first write does."""
    def work():
        for port in (80, 80, 81):
            sock = stream(socket.AF_INET)
            sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
            try:
                sock.connect(("127.0.0.1", port))
                sock.send(b"hello")
                sock.recv(1)
            except ConnectionRefusedError:
                pass
            sock.close()
        # Never written to: it was never sent, and ends with its socket.
        sock = stream(socket.AF_INET)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        sock.connect(("127.0.0.1", 80))
        sock.close()

    fast_open_server(scene, "127.0.0.1")
    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    client.run()
    equal(results(events(tool)),
          [("127.0.0.1", 80, "OK"), ("127.0.0.1", 80, "OK"), ("127.0.0.1", 81, "ECONNREFUSED"),
           ("127.0.0.1", 80, "ABORTED")], "results")


@test
def multipath(scene):
    """MPTCP's first subflow is a TCP connect like any other."""
    def work():
        said = []
        for address, port in (("127.0.0.1", 80), ("127.0.0.1", 81), (NOBODY, 80)):
            sock = traffic.multipath()
            sock.settimeout(0.3)
            try:
                sock.connect((address, port))
                said.append(0)
            except OSError as error:
                said.append(error.errno)
            sock.close()
        time.sleep(0.5)  # the subflow is closed by a worker of the kernel's
        return said

    traffic.multipath().close()
    scene.home.unanswered(NEAR)
    scene.listen("127.0.0.1", 80)
    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run(), [0, errno.ECONNREFUSED, None], "connects")
    equal(results(events(tool)), [("127.0.0.1", 80, "OK"), ("127.0.0.1", 81, "ECONNREFUSED"),
                                  (NOBODY, 80, "ABORTED")], "results")


@test
def timed_out(scene):
    """The kernel gives up, after as many SYNs as nft counts; blocking, and with no call waiting."""
    def work(blocking):
        sock = stream(socket.AF_INET)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, 1)
        sock.setblocking(blocking)
        error = sock.connect_ex(("127.0.0.1", 80))
        if not blocking:
            equal(outcome(sock, 20), True, "an outcome")
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        sock.close()
        return error

    client = scene.client(work)
    for blocking in (True, False):
        scene.home.nft("tcp dport 80 counter drop")
        tool = start(scene, "-r", "-p", client.pid)
        equal(client.run(blocking), errno.ETIMEDOUT, "connect")
        (line,) = events(tool)
        sent = int(re.search(r"packets (\d+)", scene.home.run("nft", "list", "ruleset")).group(1))
        no_drops(scene.home)
        check(sent >= 2, "%d SYNs" % sent)
        equal((line["result"], line["errno"], line["syn_retransmits"]),
              ("ETIMEDOUT", errno.ETIMEDOUT, sent - 1), "outcome, blocking: %s" % blocking)
        check(1900 < line["latency_ms"], "latency: %s" % line["latency_ms"])


@test
def timed_out_by_the_socket(scene):
    """SO_SNDTIMEO ends the call, and not the connect: that is under way until it is closed."""
    def work():
        sock = stream(socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 200000))
        error = sock.connect_ex((NOBODY, 80))
        time.sleep(0.3)
        sock.close()
        return error

    scene.home.unanswered(NEAR)
    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run(), errno.EINPROGRESS, "connect")
    (line,) = events(tool)
    equal((line["result"], line["errno"]), ("ABORTED", 0), "outcome")
    check(500 <= line["latency_ms"], "latency: %s" % line["latency_ms"])


@test
def host_unreachable(scene):
    """Nobody answers when asked for a hardware address."""
    scene.home.unanswered(NEAR, "fd00:9::1/64")
    for family in ("ipv4", "ipv6"):
        scene.home.set(family + "/neigh/near/retrans_time_ms", 100)
    client = scene.client(timed)
    for address in (NOBODY, "fd00:9::9"):
        tool = start(scene, "-r", "-p", client.pid)
        error, took = client.run(address, 80)
        equal(error, errno.EHOSTUNREACH, "connect to " + address)
        (line,) = events(tool)
        equal((line["daddr"], line["result"], line["errno"]),
              (address, "EHOSTUNREACH", errno.EHOSTUNREACH), "outcome")
        check(0 < took - line["latency_ms"] < 100 * scene.patience and 150 < line["latency_ms"],
              "latency %s, by the client's clock %s" % (line["latency_ms"], took))


@test
def rejected_after_the_syn(scene):
    """What an ICMP error says: to the first SYN not final, to the next one it is."""
    scene.home.nft("ip daddr 127.0.0.1 tcp dport 80 reject with icmp type host-unreachable",
                   "ip daddr 127.0.0.1 tcp dport 81 reject with icmp type net-unreachable",
                   "ip6 daddr ::1 tcp dport 80 reject with icmpv6 type addr-unreachable")
    client = scene.client(timed)
    tool = start(scene, "-r", "-p", client.pid)
    wanted = []
    for address, port in (("127.0.0.1", 80), ("127.0.0.1", 81), ("::1", 80)):
        error, _ = client.run(address, port)
        check(error in (errno.EHOSTUNREACH, errno.ENETUNREACH), "%s: %s" % (address, error))
        wanted.append((address, port, errno.errorcode[error]))
    equal(results(events(tool)), wanted, "results")


@test
def rejected_nonblocking(scene):
    """
    The ICMP error comes while the first SYN is being sent. It is not final, but a client that asks
    is told, takes it out of the socket by asking, and gives up; another one gives up unasked.
    """
    def work(address, ask):
        sock, first = under_way(address, 80)
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        poll.poll(200)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if ask else 0
        sock.close()
        return [first, errno.errorcode.get(error, "none")]

    scene.home.nft("ip daddr 127.0.0.1 tcp dport 80 reject",
                   "ip6 daddr ::1 tcp dport 80 reject with icmpv6 type admin-prohibited",
                   "ip daddr 127.0.0.2 tcp dport 80 drop")
    client = scene.client(work)
    for options in (["-r"], ["-F", "-L"]):
        tool = start(scene, "-p", client.pid, *options)
        for address, told in (("127.0.0.1", "ECONNREFUSED"), ("::1", "EACCES")):
            equal(client.run(address, True), [errno.EINPROGRESS, told], "the client was told")
            equal(client.run(address, False), [errno.EINPROGRESS, "none"], "the client did not ask")
        client.run("127.0.0.2", False)
        equal(results(events(tool)),
              [("127.0.0.1", 80, "ECONNREFUSED")] * 2 + [("::1", 80, "EACCES")] * 2
              + [("127.0.0.2", 80, "ABORTED")], "results with %s" % options)


@test
def unreachable_nonblocking(scene):
    def work():
        sock, first = under_way(NOBODY, 80)
        ready = outcome(sock, 10)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        sock.close()
        return [first, ready, error]

    scene.home.unanswered(NEAR)
    scene.home.set("ipv4/neigh/near/retrans_time_ms", 100)
    client = scene.client(work)
    for options in (["-r"], ["-F"], ["-r", "-L"], ["--slow", "50"]):
        tool = start(scene, "-p", client.pid, *options)
        equal(client.run(), [errno.EINPROGRESS, True, errno.EHOSTUNREACH], "the client was told")
        equal(results(events(tool)), [(NOBODY, 80, "EHOSTUNREACH")], "results with %s" % options)


def established_alone(scene, port, prepare):
    """The socket needs no listener: its connect works at once, and is shown as OK."""
    def work():
        sock = stream(socket.AF_INET)
        prepare(sock)
        error = sock.connect_ex(("127.0.0.1", port))
        sock.close()
        return error

    client = scene.client(work)
    tool = start(scene, "-r", "-p", client.pid)
    equal(client.run(), 0, "connect")
    equal(results(events(tool)), [("127.0.0.1", port, "OK")], "results")


@test
def repaired(scene):
    """A connection restored (TCP_REPAIR, as CRIU does it) is established without a packet."""
    established_alone(scene, 80,
                      lambda sock: sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1))


@test
def simultaneous(scene):
    """Both ends connect at once, here one socket to itself: OK, by way of SYN_RECV."""
    established_alone(scene, 4444, lambda sock: sock.bind(("127.0.0.1", 4444)))


@test
def refused_after_a_loss(scene):
    """The outcome is that of the SYN that was answered."""
    scene.listen("127.0.0.1", 80)
    drop_first(scene.home, 1)
    client = scene.client(timed)
    tool = start(scene, "-F", "-p", client.pid)
    equal(client.run("127.0.0.1", 80)[0], 0, "connect")
    no_drops(scene.home)
    drop_first(scene.home, 1, 81)
    equal(client.run("127.0.0.1", 81)[0], errno.ECONNREFUSED, "connect")
    equal(results(events(tool)), [("127.0.0.1", 81, "ECONNREFUSED")], "results")
