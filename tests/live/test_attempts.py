# SPDX-License-Identifier: Apache-2.0
"""Every way to open a connection is one event, whatever becomes of it; what is none, is none."""

import ctypes
import errno
import os
import select
import signal
import socket
import struct
import time

from harness import Skip, check, equal, test
from places import libc
from tool import places
from traffic import stream

TCP_FASTOPEN, TCP_FASTOPEN_CONNECT = 23, 30
BOTH = (socket.AF_INET, socket.AF_INET6)


def seen(scene, wanted, client, *options):
    """Run the client under the tool; its events are these, and no more."""
    tool = scene.tool("-p", client.pid, *options)
    said = client.run()
    equal(places(tool.finish()), wanted, "events")
    return said


@test
def blocking(scene):
    scene.listen("127.0.0.1", 80)
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    equal(client.run("127.0.0.1", 80)[0], "OK", "connect")
    rows = tool.finish()
    equal(places(rows), [(4, "127.0.0.1", "127.0.0.1", 80)], "events")
    equal(rows[0].pid, client.pid, "PID")


@test
def blocking_refused(scene):
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    equal(client.run("127.0.0.1", 81)[0], "ECONNREFUSED", "connect")
    equal(places(tool.finish()), [(4, "127.0.0.1", "127.0.0.1", 81)], "events")


@test
def ipv6(scene):
    scene.listen("::1", 80)
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    equal(client.run("::1", 80)[0], "OK", "open port")
    equal(client.run("::1", 81)[0], "ECONNREFUSED", "closed port")
    equal(places(tool.finish()), [(6, "::1", "::1", 80), (6, "::1", "::1", 81)], "events")


@test
def ipv6_of_full_length(scene):
    address = "fd12:3456:789a:bcde:f012:3456:789a:bcde"
    scene.home.ip("addr", "add", address + "/128", "dev", "lo", "nodad")
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    client.run(address, 80)
    equal(places(tool.finish()), [(6, address, address, 80)], "events")


@test
def mapped(scene):
    """An IPv4-mapped IPv6 connect is one event, IPv4."""
    scene.listen("127.0.0.1", 80)
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    equal(client.run("::ffff:127.0.0.1", 80)[0], "OK", "open port")
    equal(client.run("::ffff:127.0.0.1", 81)[0], "ECONNREFUSED", "closed port")
    client.run("::ffff:127.0.0.1", 82, blocking=False)
    equal(places(tool.finish()), [(4, "127.0.0.1", "127.0.0.1", port) for port in (80, 81, 82)],
          "events")


@test
def nonblocking(scene):
    scene.listen("127.0.0.1", 80)
    scene.listen("::1", 80)
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    equal(client.run("127.0.0.1", 80, blocking=False)[0], "EINPROGRESS", "open port")
    client.run("127.0.0.1", 81, blocking=False)
    client.run("::1", 80, blocking=False)
    equal(places(tool.finish()), [(4, "127.0.0.1", "127.0.0.1", 80),
                                  (4, "127.0.0.1", "127.0.0.1", 81), (6, "::1", "::1", 80)],
          "events")


@test
def to_any_address(scene):
    """0.0.0.0 and :: are the loopback address once the kernel has looked at them."""
    scene.listen("0.0.0.0", 80)
    scene.listen("::", 81)
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    equal(client.run("0.0.0.0", 80)[0], "OK", "0.0.0.0")
    equal(client.run("::", 81)[0], "OK", "::")
    equal(places(tool.finish()), [(4, "127.0.0.1", "127.0.0.1", 80), (6, "::1", "::1", 81)],
          "events")


@test
def asked_again(scene):
    """A second connect(2) on the same socket asks how the first one went: no new attempt."""
    def work():
        said = []
        for port in (80, 81):
            sock = stream(socket.AF_INET)
            sock.setblocking(False)
            said.append(sock.connect_ex(("127.0.0.1", port)))
            select.select([], [sock], [], 5)
            said.append(sock.connect_ex(("127.0.0.1", port)))
            sock.close()
        return said

    scene.listen("127.0.0.1", 80)
    client = scene.client(work)
    said = seen(scene, [(4, "127.0.0.1", "127.0.0.1", 80), (4, "127.0.0.1", "127.0.0.1", 81)],
                client)
    equal(said, [errno.EINPROGRESS, 0, errno.EINPROGRESS, errno.ECONNREFUSED], "connects")


@test
def interrupted(scene):
    """A signal breaks a blocking connect off; the kernel starts the call again: one attempt."""
    def work():
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.siginterrupt(signal.SIGALRM, False)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        return connect_raw(socket.AF_INET, FOUR, 16)

    scene.home.nft("tcp dport 80 drop")
    client = scene.client(work)
    tool = scene.tool("-p", client.pid)
    client.start()
    time.sleep(0.3)
    scene.home.run("nft", "flush", "ruleset")  # the next SYN, after a second, is refused
    equal(client.result(), "ECONNREFUSED", "connect")
    equal(places(tool.finish()), [(4, "127.0.0.1", "127.0.0.1", 80)], "events")


@test
def reused_socket(scene):
    """connect to AF_UNSPEC frees a socket for another attempt, and is none itself."""
    def work():
        sock = stream(socket.AF_INET)
        said = [sock.connect_ex(("127.0.0.1", 80))]
        said.append(libc.connect(sock.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16))
        said.append(sock.connect_ex(("127.0.0.1", 82)))
        return said

    scene.listen("127.0.0.1", 80)
    said = seen(scene, [(4, "127.0.0.1", "127.0.0.1", 80), (4, "127.0.0.1", "127.0.0.1", 82)],
                scene.client(work))
    equal(said, [0, 0, errno.ECONNREFUSED], "connects")


@test
def multipath(scene):
    """MPTCP's first subflow is a TCP connect like any other."""
    def work():
        try:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
        except OSError as error:
            return errno.errorcode[error.errno]
        return sock.connect_ex(("127.0.0.1", 80))

    scene.listen("127.0.0.1", 80)
    client = scene.client(work)
    tool = scene.tool("-p", client.pid)
    said = client.run()
    rows = tool.finish()
    if isinstance(said, str):
        raise Skip("this kernel makes no MPTCP sockets: " + said)
    equal(said, 0, "connect")
    equal(places(rows), [(4, "127.0.0.1", "127.0.0.1", 80)], "events")


def attempts_at_once(scene, *targets):
    """(error, events) for targets that fail on the spot."""
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    errors = [client.run(address, port)[0] for address, port in targets]
    return errors, places(tool.finish())


@test
def no_route(scene):
    errors, events = attempts_at_once(scene, ("192.0.2.1", 80), ("2001:db8::1", 80),
                                      ("::ffff:192.0.2.2", 80))
    equal(errors, ["ENETUNREACH"] * 3, "connects")
    equal([(ip, daddr, port) for ip, _, daddr, port in events],
          [(4, "192.0.2.1", 80), (6, "2001:db8::1", 80), (4, "192.0.2.2", 80)], "events")
    equal([saddr for _, saddr, _, _ in events], ["0.0.0.0", "::", "0.0.0.0"], "SADDR")


@test
def no_route_nonblocking(scene):
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    equal(client.run("192.0.2.1", 80, blocking=False)[0], "ENETUNREACH", "connect")
    equal(places(tool.finish()), [(4, "0.0.0.0", "192.0.2.1", 80)], "events")


@test
def forbidden_routes(scene):
    for kind, address in (("unreachable", "192.0.2.1"), ("prohibit", "192.0.2.2"),
                          ("blackhole", "192.0.2.3")):
        scene.home.ip("route", "add", kind, address)
    errors, events = attempts_at_once(scene, ("192.0.2.1", 80), ("192.0.2.2", 80),
                                      ("192.0.2.3", 80))
    equal(errors, ["EHOSTUNREACH", "EACCES", "EINVAL"], "connects")
    equal([(ip, daddr, port) for ip, _, daddr, port in events],
          [(4, "192.0.2.%d" % n, 80) for n in (1, 2, 3)], "events")


@test
def no_port_left(scene):
    def work():
        held, said = [], []
        for family, address in zip(BOTH, ("127.0.0.1", "::1")):
            for _ in range(5):
                sock = stream(family)
                said.append(sock.connect_ex((address, 80)))
                held.append(sock)
        return said

    scene.home.set("ipv4/ip_local_port_range", "40000 40003")
    scene.listen("127.0.0.1", 80)
    scene.listen("::1", 80)
    client = scene.client(work)
    tool = scene.tool("-L", "-p", client.pid)
    equal(client.run(), ([0] * 4 + [errno.EADDRNOTAVAIL]) * 2, "connects")
    rows = tool.finish()
    # The source address of what failed may have been taken back already.
    equal([(row.ip, row.daddr, row.dport) for row in rows],
          [(4, "127.0.0.1", 80)] * 5 + [(6, "::1", 80)] * 5, "events")
    equal([rows[4].lport, rows[9].lport], [0, 0], "LPORT where there was no port")
    for part in (rows[:4], rows[5:9]):
        equal(sorted(row.lport for row in part), [40000, 40001, 40002, 40003], "LPORT")


@test
def rejected_by_nft(scene):
    scene.home.nft("tcp dport 81 reject with icmpx type port-unreachable",
                   "tcp dport 82 reject with tcp reset", "tcp dport 83 drop")
    client = scene.client()
    tool = scene.tool("-p", client.pid)
    for port, wanted in ((81, "ECONNREFUSED"), (82, "ECONNREFUSED")):
        equal(client.run("127.0.0.1", port)[0], wanted, "IPv4 connect to port %d" % port)
        equal(client.run("::1", port)[0], wanted, "IPv6 connect to port %d" % port)
    equal(client.run("127.0.0.1", 83, timeout=0.2)[0], "EINPROGRESS", "dropped connect")
    equal(places(tool.finish()),
          [(4, "127.0.0.1", "127.0.0.1", 81), (6, "::1", "::1", 81),
           (4, "127.0.0.1", "127.0.0.1", 82), (6, "::1", "::1", 82),
           (4, "127.0.0.1", "127.0.0.1", 83)], "events")


@test
def refused_by_cgroup(scene):
    """A control group's BPF program says no, before TCP sees the connect."""
    cgroup = scene.cgroup()
    refuser = scene.program("refuse", cgroup.path)
    client = scene.client(cgroup=cgroup)
    refuser.start()
    equal(refuser.read(10), b"refusing\n", "the BPF program")
    tool = scene.tool("-p", client.pid)
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.2"):
        equal(client.run(address, 80)[0], "EPERM", "connect to " + address)
    rows = tool.finish()
    equal([(row.ip, row.daddr, row.dport) for row in rows],
          [(4, "127.0.0.1", 80), (6, "::1", 80), (4, "127.0.0.2", 80)], "events")


def raw(*parts):
    return struct.pack("=H", parts[0]) + b"".join(parts[1:])


FOUR = raw(socket.AF_INET, struct.pack("!H", 80), socket.inet_aton("127.0.0.1"), bytes(8))
SIX = raw(socket.AF_INET6, struct.pack("!HI", 80, 0), socket.inet_pton(socket.AF_INET6, "::1"),
          bytes(4))


def connect_raw(family, sockaddr, length, blocking=True):
    ctypes.set_errno(0)
    sock = stream(family)
    sock.setblocking(blocking)
    result = libc.connect(sock.fileno(), sockaddr, length)
    return errno.errorcode[ctypes.get_errno()] if result else "OK"


@test
def no_destination(scene):
    """An address of another family, or too short for its own, is no attempt."""
    def work():
        four, six = socket.AF_INET, socket.AF_INET6
        return [connect_raw(four, FOUR, 15), connect_raw(six, SIX, 23),
                connect_raw(four, FOUR, 1), connect_raw(six, SIX, 0),
                connect_raw(four, raw(socket.AF_UNIX, b"/nowhere", bytes(20)), 28),
                connect_raw(six, raw(99, bytes(26)), 28),
                connect_raw(four, FOUR, 129), connect_raw(four, FOUR, -1 & 0xffffffff),
                connect_raw(four, None, 16), connect_raw(four, ctypes.c_void_p(8), 16)]

    said = seen(scene, [], scene.client(work))
    check("OK" not in said, "one succeeded: %s" % said)


@test
def family_of_another_socket(scene):
    """An IPv6 address on an IPv4 socket, or the other way round, is a bad family."""
    def work():
        return [connect_raw(socket.AF_INET, SIX, len(SIX)),
                connect_raw(socket.AF_INET6, FOUR, len(FOUR)),
                connect_raw(socket.AF_INET6, FOUR + bytes(12), len(FOUR) + 12)]

    said = seen(scene, [], scene.client(work))
    check("OK" not in said, "one succeeded: %s" % said)


@test
def shortest_ipv6_address(scene):
    """RFC 2133's sockaddr_in6, without a scope, is enough for the kernel, hence for us."""
    def work():
        return connect_raw(socket.AF_INET6, SIX, 24)

    equal(seen(scene, [(6, "::1", "::1", 80)], scene.client(work)), "ECONNREFUSED", "connect")


@test
def other_protocols(scene):
    """connect(2) on UDP, raw and Unix sockets, on no socket and on no descriptor."""
    def work():
        for family, address in zip(BOTH, (("127.0.0.1", 80), ("::1", 80))):
            socket.socket(family, socket.SOCK_DGRAM).connect_ex(address)
            socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP).connect_ex(address)
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect_ex(("192.0.2.1", 80))
        socket.socket(socket.AF_UNIX).connect_ex("/nowhere")
        with open("/dev/null") as null:
            libc.connect(null.fileno(), FOUR, 16)
        near, _ = os.pipe()
        libc.connect(near, FOUR, 16)
        libc.connect(-1, FOUR, 16)
        libc.connect(999999, FOUR, 16)

    seen(scene, [], scene.client(work))


@test
def listening_and_connected(scene):
    """connect(2) on a socket that listens or is connected does nothing: EISCONN."""
    def work():
        listener = stream(socket.AF_INET, ("127.0.0.1", 90))
        listener.listen()
        sock = stream(socket.AF_INET)
        return [listener.connect_ex(("127.0.0.1", 80)), sock.connect_ex(("127.0.0.1", 90)),
                sock.connect_ex(("127.0.0.1", 80))]

    said = seen(scene, [(4, "127.0.0.1", "127.0.0.1", 90)], scene.client(work))
    equal(said, [errno.EISCONN, 0, errno.EISCONN], "connects")


@test
def fast_open(scene):
    """TCP Fast Open: sendto() connects, at first without and then with the server's cookie."""
    def work():
        for family, address in zip(BOTH, ("127.0.0.1", "::1")):
            for _ in range(2):
                sock = stream(family)
                sock.sendto(b"hello", socket.MSG_FASTOPEN, (address, 80))
                sock.recv(1)
                sock.close()

    scene.home.set("ipv4/tcp_fastopen", 3)
    for address in ("127.0.0.1", "::1"):
        listener = scene.listen(address, 80)
        listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
        answering(scene, listener)
    client = scene.client(work)
    tool = scene.tool("-L", "-p", client.pid)
    client.run()
    rows = tool.finish()
    equal(places(rows), [(4, "127.0.0.1", "127.0.0.1", 80)] * 2 + [(6, "::1", "::1", 80)] * 2,
          "events")
    check(all(row.lport for row in rows), "LPORT: %s" % [row.lport for row in rows])
    with open("/proc/%d/net/netstat" % client.pid) as netstat:
        names, values = [line.split() for line in netstat if line.startswith("TcpExt:")]
    check(int(dict(zip(names, values))["TCPFastOpenActive"]) >= 2, "no cookie was ever used")


@test
def fast_open_by_connect(scene):
    """TCP_FASTOPEN_CONNECT: connect(2) sends nothing yet, the first write does; one event."""
    def work():
        for _ in range(2):
            sock = stream(socket.AF_INET)
            sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
            sock.connect(("127.0.0.1", 80))
            sock.send(b"hello")
            sock.recv(1)
            sock.close()

    scene.home.set("ipv4/tcp_fastopen", 3)
    listener = scene.listen("127.0.0.1", 80)
    listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    answering(scene, listener)
    seen(scene, [(4, "127.0.0.1", "127.0.0.1", 80)] * 2, scene.client(work))


def answering(scene, listener):
    """A process that answers each connection with a byte."""
    def work():
        while True:
            sock, _ = listener.accept()
            sock.recv(100)
            sock.send(b"!")
            sock.close()

    scene.client(work).start()


@test
def io_uring(scene):
    scene.listen("127.0.0.1", 80)
    scene.listen("::1", 80)
    for address, ip in (("127.0.0.1", 4), ("::1", 6)):
        program = scene.program("uring", address, 80, 81)
        tool = scene.tool("-L", "-p", program.pid)
        said = program.run().split()
        if said[0] == "unsupported":
            raise Skip("no io_uring here: " + " ".join(said[1:]))
        rows = tool.finish()
        equal(places(rows), [(ip, address, address, 80), (ip, address, address, 81)], "events")
        equal(said[0], "0", "connect to the open port")
        equal(said[2], str(-errno.ECONNREFUSED), "connect to the closed port")
        equal(rows[0].lport, int(said[1]), "LPORT")


@test
def io_uring_no_route(scene):
    program = scene.program("uring", "192.0.2.1", 80)
    tool = scene.tool("-p", program.pid)
    said = program.run().split()
    if said[0] == "unsupported":
        raise Skip("no io_uring here: " + " ".join(said[1:]))
    equal(said[0], str(-errno.ENETUNREACH), "connect")
    rows = tool.finish()
    if scene.way == "tracepoint":
        equal(rows, [], "events")
        raise Skip("no tracepoint shows a connect of io_uring that fails before SYN_SENT")
    equal(places(rows), [(4, "0.0.0.0", "192.0.2.1", 80)], "events")


@test
def killed_while_connecting(scene):
    """The process dies in connect(2), before the answer: its event is shown all the same."""
    scene.home.unanswered("10.9.9.1/24")
    client = scene.client()
    tool = scene.tool("-L", "-p", client.pid)
    client.start("10.9.9.9", 80)
    time.sleep(0.3)
    pid = client.pid
    client.kill()
    rows = tool.finish()
    equal(places(rows), [(4, "10.9.9.1", "10.9.9.9", 80)], "events")
    equal(rows[0].pid, pid, "PID")
