# SPDX-License-Identifier: Apache-2.0
"""
A connect that fails once connect(2) has returned, and is asked for by another connect(2): one
event, with -r and without. What the kernel gives a new socket of an old one (its place in memory,
its port) makes no event vanish either.
"""

import errno
import socket
import threading
import time

import traffic
from harness import Skip, check, equal, test
from outcomes import NEAR, NOBODY, drop_first, events, no_drops, outcome, results, start, under_way
from traffic import disconnect, stream

CLOSED = b"\x07"  # TCP_CLOSE, the kernel's include/net/tcp_states.h
REJECT = "tcp dport 80 reject with icmp type host-unreachable"


def fails_later(address):
    """A socket whose connect is about to fail with EHOSTUNREACH, and has, once it is ready."""
    sock, error = under_way(address, 80)
    if error != errno.EINPROGRESS:
        raise RuntimeError("the first connect gives %s" % errno.errorcode.get(error, error))
    return sock


def ask(sock, address):
    """A second connect(2): what it says."""
    return errno.errorcode.get(sock.connect_ex((address, 80)), "OK")


def one(address):
    sock = fails_later(address)
    return [outcome(sock, 10), ask(sock, address)]


def two(address, order=1):
    """Both fail before either is asked for."""
    socks = [fails_later(address), fails_later(address)]
    ready = [outcome(sock, 10) for sock in socks]
    return [all(ready)] + [ask(sock, address) for sock in socks[::order]]


def two_backwards(address):
    return two(address, -1)


def rejected(home):
    """The first ICMP error is no reason for the kernel to give up, that for the next SYN is."""
    home.nft(REJECT)
    return "127.0.0.1"


def unresolved(home):
    """Behind this device nobody answers when asked for a hardware address."""
    home.unanswered(NEAR)
    home.set("ipv4/neigh/near/retrans_time_ms", 100)
    return NOBODY


def seen(scene, work, count):
    """The events of the work, by each reason and with each option that takes another path."""
    wrong = []
    for reason in rejected, unresolved:
        home = scene.namespace()
        address = reason(home)
        client = scene.client(work, namespace=home)
        for options in ([], ["-L"]):
            tool = scene.tool("-p", client.pid, *options)
            equal(client.run(address), [True] + ["EHOSTUNREACH"] * count, "the client was told")
            rows = [(row.daddr, row.dport) for row in tool.finish()]
            if rows != [(address, 80)] * count:
                wrong.append("%s, with %s: %s" % (reason.__name__, options, rows))
        tool = start(scene, "-r", "-p", client.pid)
        client.run(address)
        lines = results(events(tool))
        if lines != [(address, 80, "EHOSTUNREACH")] * count:
            wrong.append("%s, with -r: %s" % (reason.__name__, lines))
    check(not wrong, "not %d events: %s" % (count, "; ".join(wrong)))


@test
def once(scene):
    seen(scene, one, 1)


@test
def two_in_a_thread(scene):
    seen(scene, two, 2)


@test
def two_in_a_thread_backwards(scene):
    seen(scene, two_backwards, 2)


@test
def tried_anew(scene):
    """After the answer the socket is free: a third connect(2) is an attempt of its own."""
    def work():
        sock = fails_later("127.0.0.1")
        said = [outcome(sock, 10), ask(sock, "127.0.0.1")]
        return said + [errno.errorcode[sock.connect_ex(("192.0.2.1", 81))]]

    scene.home.nft(REJECT)
    client = scene.client(work)
    tool = scene.tool("-p", client.pid)
    equal(client.run(), [True, "EHOSTUNREACH", "ENETUNREACH"], "what the client was told")
    equal([(row.daddr, row.dport) for row in tool.finish()], [("127.0.0.1", 80), ("192.0.2.1", 81)],
          "events")


@test
def freed_unasked_by_connect(scene):
    """connect(2) with AF_UNSPEC frees the socket, too: what fails then is an attempt of its own,
    whether with another error or the same."""
    def work():
        sock = fails_later("127.0.0.1")
        said = [outcome(sock, 10), sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
        disconnect(sock)
        return said + [errno.errorcode[sock.connect_ex(("192.0.2.1", 81))]]

    scene.home.nft(REJECT)
    for second in "ENETUNREACH", "EHOSTUNREACH":
        if second == "EHOSTUNREACH":
            scene.home.ip("route", "add", "unreachable", "192.0.2.1")
        client = scene.client(work)
        tool = scene.tool("-p", client.pid)
        equal(client.run(), [True, errno.EHOSTUNREACH, second], "what the client was told")
        equal([(row.daddr, row.dport) for row in tool.finish()],
              [("127.0.0.1", 80), ("192.0.2.1", 81)], "events, the second %s" % second)


@test
def after_the_connection(scene):
    """A nonblocking connect went well and nobody asked; connect(2) tells how the connection ended."""
    def work(home):
        listener = stream(socket.AF_INET)
        listener.bind(("127.0.0.1", 80))
        listener.listen()
        sock = fails_later("127.0.0.1")
        said = [outcome(sock, 10)]
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 300)
        home.nft(REJECT)
        sock.send(b"x")
        while sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != CLOSED:
            time.sleep(0.1)
        return said + [ask(sock, "127.0.0.1")]

    for options in ([], ["-r"]):
        home = scene.namespace()
        client = scene.client(lambda: work(home), namespace=home)
        tool = scene.tool("-p", client.pid, *options)
        equal(client.run(), [True, "EHOSTUNREACH"], "what the client was told")
        equal(len(tool.finish()), 1, "events with %s" % options)


@test
def multipath(scene):
    """MPTCP's socket is asked; what failed is its first subflow."""
    def work():
        sock = traffic.multipath()
        sock.setblocking(False)
        said = [errno.errorcode[sock.connect_ex(("127.0.0.1", 80))], outcome(sock, 10),
                ask(sock, "127.0.0.1")]
        sock.close()
        return said

    traffic.multipath().close()
    scene.home.nft(REJECT)
    client = scene.client(work)
    for options in ([], ["-L"], ["-r"]):
        tool = start(scene, "-p", client.pid, *options)
        equal(client.run(), ["EINPROGRESS", True, "EHOSTUNREACH"], "what the client was told")
        equal([(line["daddr"], line.get("result")) for line in events(tool)],
              [("127.0.0.1", "EHOSTUNREACH" if "-r" in options else None)],
              "results with %s" % options)


@test
def two_waiters(scene):
    """Two threads wait for one attempt: the second is told EPIPE, which is no attempt either."""
    def work():
        sock, error = under_way("127.0.0.1", 80)
        said = []
        sock.setblocking(True)
        waiters = [threading.Thread(target=lambda: said.append(ask(sock, "127.0.0.1")))
                   for _ in range(2)]
        for waiter in waiters:
            waiter.start()
        for waiter in waiters:
            waiter.join()
        sock.close()
        return [errno.errorcode[error], *sorted(said)]

    client = scene.client(work)
    for options in ([], ["-r"]):
        drop_first(scene.home, 1)
        tool = start(scene, "-p", client.pid, *options)
        scene.note("the waiters are told %s" % client.run()[1:])
        equal([line["dport"] for line in events(tool)], [80], "events with %s" % options)
        no_drops(scene.home)


def bound_then_fails(port):
    """A socket with a port of its own, for which there is no route."""
    sock = stream(socket.AF_INET, ("127.0.0.1", port))
    error = sock.connect_ex(("192.0.2.1", 81))
    sock.close()
    return errno.errorcode.get(error, "OK")


def fresh_sockets(scene, before, unroutable, one_port=False):
    """
    Five times a socket that is closed while, or after, it was EINPROGRESS, and a fresh one bound
    to a port that fails at once: each is shown.
    """
    def work():
        said = []
        for _ in range(5):
            old = fails_later(address)
            if before == "failed":
                outcome(old, 10)
            old.close()
            said.append(bound_then_fails(0))
        return said

    address = unresolved(scene.home)
    if one_port:
        scene.home.set("ipv4/ip_local_port_range", "40000 40000")
    client = scene.client(work)
    tool = scene.tool("-p", client.pid)
    told = client.run()
    if told != [unroutable] * 5:
        raise Skip("the kernel says %s to a bound socket" % told)
    equal([(row.daddr, row.dport) for row in tool.finish()],
          [(address, 80), ("192.0.2.1", 81)] * 5, "events")


# A loopback address cannot be the source of what goes elsewhere, so there is no route: the kernel
# says ENETUNREACH where there is none at all.
@test
def fresh_after_closed(scene):
    fresh_sockets(scene, "closed", "ENETUNREACH")


@test
def fresh_after_failed(scene):
    fresh_sockets(scene, "failed", "ENETUNREACH")


@test
def fresh_with_the_port_of_the_closed(scene):
    fresh_sockets(scene, "closed", "ENETUNREACH", one_port=True)


@test
def fresh_with_the_port_of_the_failed(scene):
    fresh_sockets(scene, "failed", "ENETUNREACH", one_port=True)
