# SPDX-License-Identifier: Apache-2.0
"""-d: the name whose answer gave the address, however the answer came."""

import re
import socket
import struct
import time

import nameserver as ns
from harness import Skip, check, equal, test
from nameserver import addresses, ask, ask_and_connect, serve
from tool import BANNER
from traffic import connect

NONE = "No DNS Query"


def without_age(query):
    """The name alone: on a busy machine more than 100 ms may pass before the connect."""
    return re.sub(r" \(\d+\.\d{3}ms\)$", "", query)


def names_of(tool):
    return [without_age(row.query) for row in tool.finish()]


def named(scene, rules, *calls, at=("127.0.0.1",), options=()):
    """Serve these rules, call ask_and_connect for each; the QUERY column."""
    serve(scene, rules, at)
    client = scene.client(ask_and_connect)
    tool = scene.tool("-d", "-p", client.pid, *options)
    for arguments, more in calls:
        client.run(*arguments, **more)
    return names_of(tool)


def call(*arguments, **more):
    return arguments, more


@test
def line(scene):
    """Byte for byte, with every column."""
    serve(scene, {"www.example.test": addresses("127.0.0.2")})
    client = scene.client(ask_and_connect, comm="curl")
    tool = scene.tool("-d", "-p", client.pid)
    client.run("www.example.test", "127.0.0.2", 8080)
    tool.stop()
    equal(re.sub(r" \(\d+\.\d{3}ms\)", "", tool.out()),
          BANNER + "PID     COMM         IP SADDR            DADDR            DPORT  QUERY\n"
          "%-7d curl         4  127.0.0.1        127.0.0.2        8080   www.example.test\n"
          % client.pid, "output")


@test
def no_answer(scene):
    client = scene.client()
    tool = scene.tool("--dns", "-p", client.pid)
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "127.0.0.2", "192.0.2.1",
                    "2001:db8::1"):
        client.run(address, 80)
    equal(names_of(tool), ["localhost"] * 3 + [NONE] * 3, "QUERY")


@test
def servers_and_families(scene):
    """An IPv4 and an IPv6 server, A and AAAA, and an IPv6 socket that speaks IPv4."""
    scene.home.ip("addr", "add", "fd00::2/128", "dev", "lo", "nodad")
    rules, calls, wanted = {}, [], []
    for number, server in enumerate(("127.0.0.1", "::1", "::ffff:127.0.0.1")):
        for kind, target in ((ns.A, "127.0.0.%d" % (10 + number)),
                             (ns.AAAA, "fd00::%d" % (10 + number))):
            wanted.append("host%d.type%d.test" % (number, kind))
            rules[wanted[-1]] = addresses(target)
            calls.append(call(wanted[-1], target, server=server, kind=kind))
    equal(named(scene, rules, *calls, at=("127.0.0.1", "::1")), wanted, "QUERY")


@test
def ways_to_receive(scene):
    rules, calls, wanted = {}, [], []
    for server in ("127.0.0.1", "::1"):
        for way in ("recv", "recvfrom", "read", "recvmsg", "readv", "peek", "sized"):
            for connected in (True, False):
                target = "127.0.1.%d" % len(calls)
                wanted.append("%s.%d" % (way, len(calls)))
                rules[wanted[-1]] = addresses(target)
                calls.append(call(wanted[-1], target, server=server, way=way,
                                  connected=connected))
    equal(named(scene, rules, *calls, at=("127.0.0.1", "::1")), wanted, "QUERY")


def received_by_program(scene, way):
    asked = way + ".test"
    serve(scene, {asked: addresses("127.0.0.3")}, ("127.0.0.1", "::1"))
    for server in ("127.0.0.1", "::1"):
        program = scene.program("receive", way, server, ns.query(asked).hex(), "127.0.0.3")
        tool = scene.tool("-d", "-p", program.pid)
        said = program.run()
        if said.startswith("unsupported"):
            raise Skip("no io_uring here: " + said)
        equal(names_of(tool), [asked], "QUERY with an answer from " + server)


@test
def recvmmsg(scene):
    received_by_program(scene, "recvmmsg")


@test
def io_uring(scene):
    received_by_program(scene, "uring")


@test
def alias(scene):
    """The name asked, not what the CNAME chain makes of it."""
    def chain(message):
        return ns.answer(message, ns.record(ns.ASKED, ns.CNAME, ns.name("b.test")),
                         ns.record(ns.name("b.test"), ns.CNAME, ns.name("c.test")),
                         ns.address("127.0.0.5", ns.name("c.test")),
                         ns.address("127.0.0.6", ns.name("stranger.test")))

    def renamed(message):
        return ns.answer(message, ns.record(ns.name("old.test"), ns.DNAME, ns.name("new.test")),
                         ns.record(ns.ASKED, ns.CNAME, ns.name("www.new.test")),
                         ns.address("127.0.0.7", ns.name("www.new.test")))

    equal(named(scene, {"a.test": chain, "www.old.test": renamed},
                call("a.test", "127.0.0.5"), call("a.test", "127.0.0.6"),
                call("www.old.test", "127.0.0.7")), ["a.test", NONE, "www.old.test"], "QUERY")


@test
def hints(scene):
    """HTTPS records carry addresses, too (RFC 9460)."""
    def https(message):
        four, six = socket.inet_aton("127.0.0.8"), socket.inet_pton(socket.AF_INET6, "fd00::8")
        return ns.answer(message, ns.record(
            ns.ASKED, ns.HTTPS, b"\0\1\0" + struct.pack("!HH", 4, 4) + four
            + struct.pack("!HH", 6, 16) + six))

    equal(named(scene, {"h.test": https}, call("h.test", "127.0.0.8", kind=ns.HTTPS),
                call("h.test", "fd00::8", kind=ns.HTTPS)), ["h.test"] * 2, "QUERY")


@test
def spelling(scene):
    """As it was asked; the root is a dot."""
    spelled = "WwW.eXample.TEST"
    equal(named(scene, {spelled: addresses("127.0.0.9"), "": addresses("127.0.0.10"),
                        "_srv-1.x": addresses("127.0.0.11")},
                call(spelled, "127.0.0.9"), call("", "127.0.0.10"),
                call("_srv-1.x", "127.0.0.11")), [spelled, ".", "_srv-1.x"], "QUERY")


@test
def hostile_names(scene):
    labels = [[b"\x1b[31mred", b"test"], [b"two\nlines\r\t"], [b"a.b", b"c\\d", b"e f"],
              [b"\0nul", b"\x7f\x80\xff"], [b"x" * 63] * 3 + [b"y" * 61], [b"\xff" * 63] * 3]
    wanted = ["\\027\\09131mred.test", "two\\010lines\\013\\009", "a\\.b.c\\\\d.e\\032f",
              "\\000nul.\\127\\128\\255", ".".join(["x" * 63] * 3 + ["y" * 61]),
              ".".join(["\\255" * 63] * 3)]
    targets = ["127.0.2.%d" % n for n in range(len(labels))]
    serve(scene, {tuple(each): addresses(target) for each, target in zip(labels, targets)})
    client = scene.client(lambda number: ask_and_connect(labels[number], targets[number]))
    tool = scene.tool("-d", "-p", client.pid)
    for number in range(len(labels)):
        client.run(number)
    equal(names_of(tool), wanted, "QUERY")
    check(not re.search(r"[^\n -~]", tool.out()), "unprintable output")


@test
def large(scene):
    """EDNS: up to 4,096 bytes are taken whole, from either family's server."""
    many = ["127.1.%d.%d" % (n // 250, 1 + n % 250) for n in range(253)]
    longer = many + ["127.2.0.%d" % n for n in range(1, 11)]
    serve(scene, {"large.test": addresses(*many), "larger.test": addresses(*longer)},
          ("127.0.0.1", "::1"))
    client = scene.client(ask_and_connect)
    tool = scene.tool("-d", "-p", client.pid)
    sizes = [client.run(asked, target, server=server, edns=4096, way=way)
             for server, way in (("127.0.0.1", "recv"), ("::1", "recvmsg"))
             for asked, target in (("large.test", many[0]), ("large.test", many[-1]),
                                   ("larger.test", longer[252]), ("larger.test", longer[-1]))]
    equal(sizes, [4076, 4076, 4237, 4237] * 2, "sizes of the answers")
    # Of what is longer, the addresses within 4,096 bytes are known.
    equal(names_of(tool), ["large.test", "large.test", "larger.test", NONE] * 2, "QUERY")


@test
def fragments(scene):
    """An answer that came in several packets: whole to the process, the first to the network."""
    many = ["127.1.0.%d" % n for n in range(1, 200)]
    scene.home.ip("link", "set", "lo", "mtu", "1400")
    serve(scene, {"split.test": addresses(*many)}, ("127.0.0.1", "::1"))
    client = scene.client(ask_and_connect)
    tool = scene.tool("-d", "-p", client.pid)
    for server, way in (("127.0.0.1", "recv"), ("::1", "recv"), ("127.0.0.1", "sized")):
        for target in (many[0], many[70], many[-1]):
            client.run("split.test", target, server=server, edns=4096, way=way)
    last = NONE if scene.way == "tracepoint" else "split.test"
    equal(names_of(tool), ["split.test", "split.test", last] * 3, "QUERY")


@test
def from_a_driver(scene):
    """A packet as a driver in XDP mode hands it over: without a word where its headers are."""
    answer = ns.answer(ns.query("driver.test"), ns.address("127.0.0.77"))

    scene.home.unanswered("10.9.9.1/24")
    with scene.home.entered():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("10.9.9.1", 0))
    scene.callback(sock.close)
    sock.settimeout(10 * scene.patience)

    def work():
        received = sock.recv(512).hex()
        connect("127.0.0.77", 80)
        return received

    client = scene.client(work)
    inject = scene.program("inject", "near", "10.9.9.2", "10.9.9.1", sock.getsockname()[1],
                           answer.hex())
    tool = scene.tool("-d", "-p", client.pid)
    said = inject.run()
    if said.startswith("unsupported"):
        raise Skip("no live frames here (Linux 5.18): " + said)
    equal(client.run(), answer.hex(), "answer received")
    equal(names_of(tool), ["driver.test"], "QUERY")


@test
def with_a_tag(scene):
    """A driver that leaves the tag of a VLAN in the packet, and one of a provider's."""
    scene.home.unanswered("10.9.9.1/24")
    with scene.home.entered():
        far = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        far.bind(("far", 0))
    scene.callback(far.close)
    client = scene.client(connect)
    tool = scene.tool("-d", "-p", client.pid)
    for tag, target, name in ((0x8100, "127.0.0.78", "tagged.test"),
                              (0x88a8, "127.0.0.79", "provider.test")):
        answer = ns.answer(ns.query(name), ns.address(target))
        udp = struct.pack("!HHHH", 53, 4242, 8 + len(answer), 0) + answer
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                         socket.inet_aton("10.9.9.2"), socket.inet_aton("10.9.9.1"))
        far.send(b"\xff" * 6 + b"\x02" + b"\0" * 5
                 + struct.pack("!HHH", tag, 5, 0x0800) + ip + udp)
        client.run(target, 80)
    # A process that receives one never sees the tag, nor is there one that receives these.
    wanted = ["tagged.test", "provider.test"] if scene.way == "tracepoint" else [NONE] * 2
    equal(names_of(tool), wanted, "QUERY")


@test
def cut_short(scene):
    """Truncated by its server: what is whole counts."""
    def truncated(message):
        return ns.answer(message, ns.address("127.0.0.12"), ns.address("127.0.0.13"),
                         flags=ns.RESPONSE | ns.TRUNCATED)[:-2]

    equal(named(scene, {"t.test": truncated}, call("t.test", "127.0.0.12"),
                call("t.test", "127.0.0.13")), ["t.test", NONE], "QUERY")


def broken(message):
    """Answers that are none, or contradict the format; all are about 127.0.0.14."""
    good = ns.answer(message, ns.address("127.0.0.14"))
    loop = ns.answer(message, ns.address("127.0.0.14", struct.pack("!H", 0xc000 | len(message))))
    return [b"", b"\0", good[:11], good[:12], good[:-1], good[:20],
            loop, ns.answer(message, ns.address("127.0.0.14", b"\xc0\xff")),
            ns.answer(message, ns.address("127.0.0.14", b"\x40" + b"x" * 64 + b"\0")),
            ns.answer(message, ns.address("127.0.0.14", (b"\x3f" + b"x" * 63) * 4 + b"\0")),
            ns.answer(message, ns.record(ns.ASKED, ns.A, b"\x7f\0\0")),
            ns.answer(message, ns.address("127.0.0.14"), count=2),
            ns.answer(message, ns.address("127.0.0.14"), flags=0x0100),  # a query
            ns.answer(message, ns.address("127.0.0.14"), flags=0x8183),  # NXDOMAIN
            ns.answer(message, ns.address("127.0.0.14"), flags=0xa180),  # another OPCODE
            ns.answer(message, ns.address("127.0.0.14"), questions=2),
            ns.answer(message, ns.address("127.0.0.14"), questions=0),
            ns.answer(message, ns.address("127.0.0.14"), count=0),
            ns.answer(message, ns.address("127.0.0.14", ns.name("stranger.test"))),
            b"\xff" * 600]


@test
def malformed(scene):
    """None of them names anything, and the next good one still does."""
    count = len(broken(ns.query("m0.test")))
    rules = {"m%d.test" % n: lambda message, n=n: broken(message)[n] for n in range(count)}
    rules["good.test"] = addresses("127.0.0.15")
    calls = [call("m%d.test" % n, "127.0.0.14") for n in range(count)]
    equal(named(scene, rules, *calls, call("good.test", "127.0.0.15")),
          [NONE] * count + ["good.test"], "QUERY")


@test
def other_port(scene):
    """Only what comes from port 53 is an answer."""
    serve(scene, {"p.test": addresses("127.0.0.16")}, port=5353)
    client = scene.client(ask_and_connect)
    tool = scene.tool("-d", "-p", client.pid)
    client.run("p.test", "127.0.0.16", server_port=5353)
    equal(names_of(tool), [NONE], "QUERY")


@test
def age(scene):
    """More than 100 ms between answer and connect are said, to the thousandth."""
    def work(pause):
        ask("late.test")
        answered = time.monotonic()
        time.sleep(pause)
        connect("127.0.0.17", 80)
        return (time.monotonic() - answered) * 1000

    serve(scene, {"late.test": addresses("127.0.0.17")})
    client = scene.client(work)
    for pause in (0.3, 1.1):
        tool = scene.tool("-d", "-p", client.pid)
        at_most = client.run(pause)
        said = [row.query for row in tool.finish()]
        found = re.fullmatch(r"late\.test \((\d+\.\d{3})ms\)", said[0])
        check(found, "QUERY: %r" % said)
        # The answer's time is taken a moment before the client's, the connect's before its.
        check(pause * 1000 <= float(found.group(1)) <= at_most + 50,
              "%s ms after %g s, by the client's clock %.3f ms at most"
              % (found.group(1), pause, at_most))


@test
def no_age(scene):
    """Up to 100 ms nothing is said; a client that was held up itself does not count."""
    def work():
        ask("soon.test")
        answered = time.monotonic()
        connect("127.0.0.18", 80)
        return time.monotonic() - answered

    serve(scene, {"soon.test": addresses("127.0.0.18")})
    client = scene.client(work)
    tool = scene.tool("-d", "-p", client.pid)
    took = [client.run() for _ in range(20)]
    rows = tool.finish()
    quick = [row.query for row, seconds in zip(rows, took) if seconds < 0.03]
    check(len(quick) > 5, "this machine is too busy to tell: %s" % took)
    equal(set(quick), {"soon.test"}, "QUERY")


@test
def who_was_told(scene):
    """One address, two names: each process is shown the one that it was told."""
    serve(scene, {"first.test": addresses("127.0.0.19"), "second.test": addresses("127.0.0.19")})

    def work(asked):
        if asked:
            ask(asked)
        else:
            connect("127.0.0.19", 80)

    first, second = scene.client(work), scene.client(work)
    tool = scene.tool("-d", "-p", "%d,%d" % (first.pid, second.pid))
    first.run("first.test")
    second.run("second.test")
    for client in (first, second):
        client.run(None)
    # Packets have no process: there, the latest answer in the namespace counts.
    wanted = "second.test" if scene.way == "tracepoint" else "first.test"
    equal(names_of(tool), [wanted, "second.test"], "QUERY")


@test
def where_it_was_told(scene):
    """One address, two names in two network namespaces: each is shown its own."""
    places = [scene.namespace() for _ in range(2)]
    asked = ["here.test", "there.test"]
    for place, name in zip(places, asked):
        serve(scene, {name: addresses("127.0.0.20")}, namespace=place)
    askers = [scene.client(ask, namespace=place) for place in places]
    clients = [scene.client(namespace=place) for place in places]
    tool = scene.tool("-d", "-p", ",".join(str(client.pid) for client in clients))
    for asker, name in zip(askers, asked):
        asker.run(name)
    for client in clients:
        client.run("127.0.0.20", 80)
    equal(names_of(tool), asked, "QUERY")


@test
def forgetting(scene):
    """--dns-cache: the least recently used goes; --dns-ttl: the old goes."""
    rules = {"n%d.test" % n: addresses("127.0.3.%d" % n) for n in range(3)}
    serve(scene, rules)
    client = scene.client(lambda asked, target: ask(asked) if asked else connect(target, 80))
    tool = scene.tool("-d", "-p", client.pid, "--dns-cache", 2)
    for n in range(3):
        client.run("n%d.test" % n, None)
    for n in range(3):
        client.run(None, "127.0.3.%d" % n)
    equal(names_of(tool), [NONE, "n1.test", "n2.test"], "QUERY with room for two")
    tool = scene.tool("-d", "-p", client.pid, "--dns-ttl", 1)
    client.run("n0.test", None)
    client.run(None, "127.0.3.0")
    time.sleep(1.1)
    client.run(None, "127.0.3.0")
    equal(names_of(tool), ["n0.test", NONE], "QUERY after a second")


@test
def order_trap(scene):
    """10,000 times: an answer on one CPU, at once the connect that uses it on the other."""
    count = scene.fewer(10000)
    program = scene.program("trap", count)
    tool = scene.tool("-d", "-p", program.pid)
    said = program.run().strip()
    names = names_of(tool)
    right = sum(name == "n%d.trap.test" % n for n, name in enumerate(names))
    scene.note("order trap: %d of %d names right (%s)" % (right, count, said))
    equal(names, ["n%d.trap.test" % n for n in range(count)], "QUERY")
