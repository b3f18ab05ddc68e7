# SPDX-License-Identifier: Apache-2.0
"""LPORT: right for every way to connect, and not a moment late."""

import errno
import resource
import select
import socket
import threading
import time

import places
from harness import Skip, Wrong, check, equal, test, wait_until
from outcomes import in_syn_sent
from traffic import connect, stream


@test
def blocking(scene):
    scene.listen("127.0.0.1", 80)
    scene.listen("::1", 80)
    client = scene.client()
    tool = scene.tool("-L", "-p", client.pid)
    used = [client.run(address, 80)[1] for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1")
            for _ in range(5)]
    rows = tool.finish()
    check(all(used), "the client saw no port: %s" % used)
    equal([row.lport for row in rows], used, "LPORT")


@test
def nonblocking(scene):
    """The port is given back the moment the answer is a refusal: a race with the reader."""
    scene.listen("127.0.0.1", 80)
    scene.listen("::1", 80)
    client = scene.client()
    tool = scene.tool("-L", "-p", client.pid)
    used = [client.run(address, 80, blocking=False)[1]
            for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1") for _ in range(5)]
    check(all(used), "the client saw no port: %s" % used)
    equal([row.lport for row in tool.finish()], used, "LPORT")


@test
def refused(scene):
    """The client cannot know its port any more; it is one of the namespace's all the same."""
    scene.home.set("ipv4/ip_local_port_range", "41000 41999")
    client = scene.client()
    for options in (["-L"], ["-L", "-r"]):  # as it is made, and when it has failed
        tool = scene.tool(*options, "-p", client.pid)
        for blocking_one in (True, False):
            for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
                client.run(address, 81, blocking=blocking_one)
        ports = [row.lport for row in tool.finish()]
        check(len(ports) == 6 and all(41000 <= port <= 41999 for port in ports),
              "LPORT with %s: %s" % (options, ports))


@test
def bound(scene):
    scene.listen("127.0.0.1", 80)
    client = scene.client()
    tool = scene.tool("-L", "-p", client.pid)
    for port, way in ((42001, True), (42002, False)):
        equal(client.run("127.0.0.1", 80, way, ["127.0.0.1", port])[1], port, "bound port")
        client.run("::1", 81, way, ["::1", port])
        client.run("192.0.2.1", 81, way, ["0.0.0.0", port])
    rows = tool.finish()
    equal([row.lport for row in rows], [42001] * 3 + [42002] * 3, "LPORT")
    equal([row.daddr for row in rows], ["127.0.0.1", "::1", "192.0.2.1"] * 2, "DADDR")


@test
def given_up_unasked(scene):
    """A connect whose failure nobody fetches; what then comes from the same port is shown, too."""
    unroutable = ["192.0.2.%d" % n for n in range(1, 7)]

    def bound():
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("0.0.0.0", 700))
        return sock

    def work():
        first = bound()
        said = [first.connect_ex(("10.9.9.9", 80))]
        waiting = select.poll()
        waiting.register(first, select.POLLERR)
        check(waiting.poll(10000 * scene.patience), "the neighbour is waited for")
        first.close()
        for address in unroutable:
            with bound() as sock:
                said.append(sock.connect_ex((address, 80)))
        return [errno.errorcode[error] for error in said]

    scene.home.unanswered("10.9.9.1/24")
    scene.home.set("ipv4/neigh/near/retrans_time_ms", 100)
    client = scene.client(work)
    for options in ([], ["-L"]):
        tool = scene.tool("-p", client.pid, *options)
        equal(client.run(), ["EINPROGRESS"] + ["ENETUNREACH"] * 6, "connects")
        equal([(row.daddr, row.dport) for row in tool.finish()],
              [(address, 80) for address in ["10.9.9.9"] + unroutable], "events")


@test
def bound_without_port(scene):
    """IP_BIND_ADDRESS_NO_PORT: an address before connect(2), a port only in it."""
    def work():
        sock = stream(socket.AF_INET)
        sock.setsockopt(socket.SOL_IP, 24, 1)
        sock.bind(("127.0.0.9", 0))
        sock.connect(("127.0.0.1", 80))
        return sock.getsockname()

    scene.listen("127.0.0.1", 80)
    client = scene.client(work)
    tool = scene.tool("-L", "-p", client.pid)
    address, port = client.run()
    equal([(row.saddr, row.lport) for row in tool.finish()], [(address, port)], "SADDR, LPORT")


def within_a_second(scene, target):
    """A connect(2) that waits for its answer is shown while it waits."""
    client = scene.client(lambda: connect(*target, timeout=1.6))
    tool = scene.tool("-L", "-p", client.pid)
    began = time.monotonic()
    client.start()
    wait_until(tool.lines, "the connect is not shown while it waits", 1)
    shown = time.monotonic() - began
    said = client.result()
    check(time.monotonic() - began > shown + 0.5, "connect(2) did not wait: %s" % said)
    rows = tool.finish()
    equal([(row.daddr, row.dport) for row in rows], [target], "events")
    equal(rows[0].lport, said[1], "LPORT")


@test
def no_neighbour(scene):
    """Nobody answers for the address on the link: the SYN itself cannot be sent."""
    scene.home.unanswered("10.9.9.1/24", "fd99::1/64")
    within_a_second(scene, ("10.9.9.9", 80))


@test
def no_neighbour_ipv6(scene):
    scene.home.unanswered("10.9.9.1/24", "fd99::1/64")
    within_a_second(scene, ("fd99::9", 80))


@test
def dropped(scene):
    """A firewall drops the SYN on its way out."""
    scene.home.nft("tcp dport 83 drop")
    within_a_second(scene, ("127.0.0.1", 83))


@test
def dropped_ipv6(scene):
    scene.home.nft("tcp dport 83 drop")
    within_a_second(scene, ("::1", 83))


@test
def overtaken(scene):
    """
    Where most ports are taken the kernel searches long for one, and lets other threads of the CPU
    connect meanwhile.
    """
    ports, threads = 4000, 400

    def fill():
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        taken = []
        for _ in range(ports - threads):
            sock = stream(socket.AF_INET)
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", 83))
            taken.append(sock)
        work.taken = taken

    def work(what):
        if what == "fill":
            return fill()
        for _ in range(threads):
            threading.Thread(target=lambda: stream(socket.AF_INET).connect_ex(("127.0.0.1", 83)),
                             daemon=True).start()

    scene.home.set("ipv4/ip_local_port_range", "40000 %d" % (39999 + ports))
    scene.home.nft("tcp dport 83 drop")
    client = scene.client(work, cpu=0)
    client.run("fill")
    tool = scene.tool("-L", "-p", client.pid)
    client.run("connect")
    wait_until(lambda: in_syn_sent(client.pid, 83) == ports, "not all are under way")
    rows = tool.finish()
    equal((len(rows), sum(row.lport == 0 for row in rows)), (threads, 0), "events, without a port")


@test
def silent(scene):
    """The SYN arrives, and is dropped there."""
    scene.home.run("nft", "add table inet live; add chain inet live in "
                   "{ type filter hook input priority 0; }; add rule inet live in "
                   "tcp dport 83 drop")
    within_a_second(scene, ("127.0.0.1", 83))


@test
def closed_at_once(scene):
    """A nonblocking socket closed before any answer: shown with its port."""
    def work():
        ports = []
        for address in ("10.9.9.9", "fd99::9", "::ffff:10.9.9.8"):
            sock = stream(socket.AF_INET6 if ":" in address else socket.AF_INET)
            sock.setblocking(False)
            sock.connect_ex((address, 80))
            ports.append(sock.getsockname()[1])
            sock.close()
        return ports

    scene.home.unanswered("10.9.9.1/24", "fd99::1/64")
    client = scene.client(work)
    tool = scene.tool("-L", "-p", client.pid)
    ports = client.run()
    equal([row.lport for row in tool.finish()], ports, "LPORT")


def spread_packets(scene):
    """Have the packets of loopback change CPUs, so that each interrupts what the other does."""
    directory = scene.directory()

    def work():
        places.call("mount", b"live", directory.encode(), b"sysfs", 0, None)
        with open(directory + "/class/net/lo/queues/rx-0/rps_cpus", "w") as cpus:
            cpus.write("3")

    scene.client(work, own_mounts=True).run()


@test
def many_interrupted(scene):
    """What the network sends on top of a connecting thread is not taken for its SYN."""
    try:
        spread_packets(scene)
    except Wrong as why:
        raise Skip("loopback's packets cannot change CPUs here: %s" % why)
    each = scene.fewer(10000)
    programs = [scene.program("connects", 2, each, "127.0.0.1", port) for port in (81, 82)]
    tool = scene.tool("-L", "-p", ",".join(str(program.pid) for program in programs))
    for program in programs:
        program.start()
    for program in programs:
        program.result()
    rows = tool.finish()
    equal((len(rows), sum(row.lport == 0 for row in rows)), (4 * each, 0), "events, and those of "
          "LPORT 0")


@test
def many(scene):
    """20,000 nonblocking connects on two CPUs: none without its port, none with one twice."""
    each = scene.fewer(10000)
    program = scene.program("connects", 2, each, "127.0.0.1", 81)
    tool = scene.tool("-L", "-p", program.pid)
    program.run()
    rows = tool.finish()
    equal(len(rows), 2 * each, "events")
    low, high = 1024, 65535
    wrong = [row.lport for row in rows if not low <= row.lport <= high]
    equal(len(wrong), 0, "events with no right LPORT, such as %s" % wrong[:3])
